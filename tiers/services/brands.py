"""Brands: what a seller sells under. Look and identity only; prices and paper hang on it in the upper apps."""

from __future__ import annotations

import re
from typing import TypedDict, Unpack
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from moneyed import CURRENCIES

from tiers.errors import Conflict, Invalid
from tiers.models import Brand, Kind, Party, Placement
from tiers.services.writing import apply_changes, check_code_free, check_fields, written_by
from tiers.viewer import Actor

LARGEST_LOGO_BYTES = 300_000
PNG = b"\x89PNG\r\n\x1a\n"
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))*")


class Look(TypedDict, total=False):
    """A brand's face. `logo` is a PNG of at most 300 kB; `accent` as `#1f5fbf`; `time_zone` an IANA name."""

    time_zone: str
    language: str
    accent: str
    logo: bytes | None
    host: str
    sender: str
    address: str
    phone: str
    website: str
    tax_id: str


CHANGEABLE = frozenset({"name", "currency", *Look.__optional_keys__})


def create_brand(owner: Party, code: str, name: str, currency: str, *, actor: Actor, **look: Unpack[Look]) -> Brand:
    """A brand of a seller. Raises Invalid at the field that is wrong, Conflict where code or host name is taken."""
    if owner.kind == Kind.CUSTOMER:
        raise Invalid("owner", _("A customer sells nothing and has no brand."), where="owner")
    with written_by(actor):
        check_code_free(Brand, code)
        brand = Brand(owner=owner, code=code, name=name, currency=currency, **look)
        _check(brand)
        brand.save(force_insert=True)
    return brand


def update_brand(
    brand: Brand, *, actor: Actor, name: str | None = None, currency: str | None = None, **look: Unpack[Look]
) -> Brand:
    """Change a brand's face. Its currency stays once somebody buys under it: wallets and price lists have it."""
    given = {"name": name, "currency": currency}
    changes = {**look, **{field: value for field, value in given.items() if value is not None}}
    with written_by(actor):
        changed = apply_changes(brand, changes, CHANGEABLE)
        if "currency" in changed and Placement.objects.filter(brand=brand).exists():
            raise Conflict(
                "currency_in_use", _("Buyers are placed under this brand; its currency stays."), where="currency"
            )
        if changed:
            _check(brand)
            brand.save(update_fields=changed)
    return brand


def check_currency(code: str, where: str = "currency") -> str:
    """An ISO 4217 code that is known. Raises Invalid."""
    if code not in CURRENCIES:
        raise Invalid("currency", _("%s is not a currency.") % code, where=where, hint=_("For example EUR."))
    return code


def check_time_zone(name: str, where: str = "time_zone") -> str:
    """An IANA time zone that this machine knows. Raises Invalid."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid("time_zone", _("%s is not a time zone.") % name, where=where, hint="Europe/Berlin") from None
    return name


def check_language(code: str, where: str = "language") -> str:
    """One of the languages the product speaks. Raises Invalid."""
    known = [language for language, _name in settings.LANGUAGES]
    if code not in known:
        raise Invalid("language", _("%s is not a language of the pages.") % code, where=where, hint=", ".join(known))
    return code


def _check(brand: Brand) -> None:
    check_fields(brand)
    check_currency(brand.currency)
    check_time_zone(brand.time_zone)
    check_language(brand.language)
    if brand.logo:
        logo = bytes(brand.logo)
        if not logo.startswith(PNG) or len(logo) > LARGEST_LOGO_BYTES:
            raise Invalid("logo", _("A logo is a PNG of at most 300 kB."), where="logo")
    if brand.host:
        _check_host(brand)


def _check_host(brand: Brand) -> None:
    if not HOST.fullmatch(brand.host):
        raise Invalid("host", _("A host name has no scheme, port or path, and small letters."), where="host")
    if Brand.objects.filter(host=brand.host).exclude(pk=brand.pk).exists():
        raise Conflict("host_taken", _("Another brand uses this host name."), where="host")
