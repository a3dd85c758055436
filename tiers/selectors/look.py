"""Which brand a reader meets: by the host name before the login, by its seller (or its own name) after it.

The look is all that follows from this; rights never do.
"""

from __future__ import annotations

from django.db.models import BooleanField, Case, QuerySet, Value, When

from tiers.models import Brand, Kind, Party


def brand_of_host(host: str) -> Brand | None:
    """The brand of a host name (without port), else the operator's first; None before set-up."""
    brands = _with_logo_flag()
    found = brands.filter(host=host.lower()).first() if host else None
    return found or brands.filter(owner__kind=Kind.OPERATOR).order_by("id").first()


def brand_of_party(party: Party) -> Brand | None:
    """A customer meets the brand it buys under now; a seller meets its own first brand, else the one it buys under."""
    bought_under = _with_logo_flag().filter(placements__party=party, placements__valid_to__isnull=True)
    if party.kind == Kind.CUSTOMER:
        return bought_under.first()
    return _with_logo_flag().filter(owner=party).order_by("id").first() or bought_under.first()


def logo_of(brand: Brand) -> bytes:
    """The PNG, or nothing."""
    data = Brand.objects.values_list("logo", flat=True).get(pk=brand.pk)
    return bytes(data) if data else b""


def _with_logo_flag() -> QuerySet[Brand]:
    """Brands without the picture's bytes, which no page but one needs."""
    has_logo = Case(When(logo__isnull=True, then=Value(False)), default=Value(True), output_field=BooleanField())
    return Brand.objects.defer("logo").annotate(has_logo=has_logo)
