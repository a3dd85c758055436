"""The terms a bill is made on: the brand a buyer bought under, its tax, and its terms on paper.

A brand that was never told how to bill gets the defaults: no tax, two weeks, somebody must approve.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import Wallet
from invoicing.models import PaperTerms
from rating.models import PriceTerms
from tiers.errors import Conflict
from tiers.models import Brand, Party, Placement


@dataclass(frozen=True, slots=True)
class Terms:
    """A brand with its price and paper terms."""

    brand: Brand
    price: PriceTerms
    paper: PaperTerms


def terms_of(brand: Brand) -> Terms:
    price = PriceTerms.objects.filter(pk=brand.pk).first() or PriceTerms(brand=brand)
    paper = PaperTerms.objects.filter(pk=brand.pk).first() or PaperTerms(brand=brand)
    return Terms(brand, price, paper)


def terms_of_buyers(seller: Party, wallets: Collection[Wallet], moment: datetime) -> dict[UUID, Terms]:
    """By wallet: the terms under which its owner bought from this seller at the moment, or last before it.

    A buyer that was only placed later has its first placement's; one never placed has the seller's first brand.
    """
    rows = Placement.objects.filter(seller=seller, party__in={wallet.account.owner_id for wallet in wallets})
    placed: dict[UUID, UUID] = {}
    for placement in rows.order_by("valid_from"):
        if placement.party_id not in placed or placement.valid_from <= moment:
            placed[placement.party_id] = placement.brand_id
    known = {brand.pk: terms_of(brand) for brand in Brand.objects.filter(pk__in=set(placed.values()))}
    fallback = None
    found = {}
    for wallet in wallets:
        buyer = wallet.account.owner_id
        if buyer in placed:
            found[wallet.pk] = known[placed[buyer]]
        else:
            fallback = fallback or terms_of(_first_brand(seller))
            found[wallet.pk] = fallback
    return found


def _first_brand(seller: Party) -> Brand:
    brand: Brand | None = Brand.objects.filter(owner=seller).order_by("id").first()
    if brand is None:
        raise Conflict(
            "no_brand",
            _("%s has no brand to bill under.") % seller.name,
            where="seller",
            hint=_("Give it a brand with a currency and a time zone first."),
        )
    return brand
