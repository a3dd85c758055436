"""Brands: a seller's face, refused in words where it could not be shown or billed."""

from __future__ import annotations

from typing import Any

import pytest

from billing.demo.logos import logo
from tests.cast import ACTOR, Cast
from tiers.errors import Conflict, Invalid
from tiers.models import Brand
from tiers.services.brands import create_brand, update_brand


def test_harbour_opens_a_second_brand(cast: Cast) -> None:
    brand = create_brand(
        cast.harbour, "lighthouse", "Lighthouse", "EUR", actor=ACTOR,
        accent="#aa3300", host="my.lighthouse.example", time_zone="Europe/Paris", logo=logo("Lighthouse", "#aa3300"),
    )  # fmt: skip
    assert Brand.objects.get(pk=brand.pk).owner == cast.harbour


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("currency", "EURO"),
        ("currency", "XYZ"),
        ("time_zone", "Europe/Atlantis"),
        ("language", "tlh"),
        ("accent", "teal"),
        ("logo", b"GIF89a"),
        ("host", "https://x.example"),
        ("sender", "nobody"),
        ("name", ""),
    ],
)
def test_what_cannot_be_shown_is_refused_at_its_field(cast: Cast, field: str, value: object) -> None:
    values: dict[str, Any] = {"name": "New", "currency": "EUR", field: value}
    with pytest.raises(Invalid) as refused:
        create_brand(cast.harbour, "new", actor=ACTOR, **values)
    assert refused.value.where == field
    assert not Brand.objects.filter(code="new").exists()


def test_two_brands_cannot_share_a_host_name(cast: Cast) -> None:
    update_brand(cast.brand("harbour"), actor=ACTOR, host="my.voice.example")
    with pytest.raises(Conflict, match="host name"):
        update_brand(cast.brand("pier"), actor=ACTOR, host="my.voice.example")


def test_the_currency_stays_once_somebody_buys(cast: Cast) -> None:
    with pytest.raises(Conflict, match="currency stays"):
        update_brand(cast.brand("harbour"), actor=ACTOR, currency="USD")
    assert cast.brand("harbour").currency == "EUR"


def test_a_customer_has_no_brand(cast: Cast) -> None:
    with pytest.raises(Invalid):
        create_brand(cast.alice, "alice-brand", "Alice", "EUR", actor=ACTOR)
