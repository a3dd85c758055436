"""Whose books a viewer may take away: its own party's, and nobody else's."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from invoicing.books.asked import Asked, asked_of, currencies_of
from invoicing.models import ChartCode
from tiers.errors import NotFound
from tiers.models import Brand
from tiers.roles import May
from tiers.selectors import people
from tiers.viewer import Viewer


def brand_of(viewer: Viewer, code: str = "") -> Brand:
    """The viewer's own brand of this code, or its first. Raises NotFound."""
    own = people.own_brands(viewer)
    found = (own.filter(code=code) if code else own.order_by("id")).first()
    if found is None:
        raise NotFound("no_brand", _("There is no such brand here."), where="brand")
    return found


def own_books(viewer: Viewer, brand: Brand, first: date, last: date, currency: str = "") -> Asked:
    """The viewer's own books; the brand gives the zone, and the currency unless said.

    Raises Forbidden for who may not move money, NotFound for a currency without books, Invalid for the days.
    """
    viewer.require(May.MONEY)
    known = currencies_of(viewer.party)
    default = brand.currency if brand.currency in known else next(iter(known), brand.currency)
    return asked_of(viewer.party, currency or default, first, last, brand.time_zone)


def codes(viewer: Viewer) -> QuerySet[ChartCode]:
    """The codes that the viewer's own party mapped."""
    found: QuerySet[ChartCode] = ChartCode.visible.for_viewer(viewer).filter(seller=viewer.party)
    return found.order_by("position", "of")
