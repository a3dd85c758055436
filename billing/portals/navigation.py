"""The way through each portal, by what people do. A place without a page yet is not shown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tiers.models import Kind
from tiers.roles import May
from tiers.viewer import Viewer


@dataclass(frozen=True)
class Place:
    """One entry: the URL's name in the portal's namespace, the word, the picture; four stand on a phone's bar.

    `right`: what somebody must be allowed to see it at all.
    """

    name: str
    label: str | Promise
    icon: str
    on_phone: bool = False
    right: May | None = None


@dataclass(frozen=True)
class Link:
    place: Place
    url: str
    current: bool


PLACES: dict[str, tuple[Place, ...]] = {
    Kind.OPERATOR: (
        Place("home", _("Home"), "home", on_phone=True),
        Place("parties", _("Parties"), "tree", on_phone=True),
        Place("money", _("Money"), "money", on_phone=True),
        Place("prices", _("Prices"), "tag"),
        Place("products", _("Products"), "box"),
        Place("usage", _("Usage"), "upload"),
        Place("calls", _("Calls"), "phone"),
        Place("live", _("Live"), "pulse"),
        Place("alarms", _("Alarms"), "alert"),
        Place("invoices", _("Invoices"), "paper", on_phone=True),
        Place("books", _("Accounting"), "clip", right=May.MONEY),
        Place("reports", _("Reports"), "chart"),
        Place("settings", _("Settings"), "gear"),
    ),
    Kind.DEALER: (
        Place("home", _("Home"), "home", on_phone=True),
        Place("customers", _("Customers"), "people", on_phone=True),
        Place("money", _("Money"), "money", on_phone=True),
        Place("prices", _("Prices"), "tag"),
        Place("products", _("Products"), "box"),
        Place("calls", _("Calls"), "phone", on_phone=True),
        Place("live", _("Live"), "pulse"),
        Place("alarms", _("Alarms"), "alert"),
        Place("invoices", _("Invoices"), "paper"),
        Place("books", _("Accounting"), "clip", right=May.MONEY),
        Place("reports", _("Reports"), "chart"),
        Place("brand", _("Brand"), "gear"),
    ),
    Kind.CUSTOMER: (
        Place("home", _("Home"), "home", on_phone=True),
        Place("calls", _("Calls"), "phone", on_phone=True),
        Place("prices", _("Prices"), "tag", on_phone=True),
        Place("invoices", _("Invoices"), "paper", on_phone=True),
        Place("subscriptions", _("Subscriptions"), "box"),
        Place("topup", _("Top up"), "money"),
        Place("alarms", _("Alarms"), "alert"),
        Place("account", _("Account"), "gear"),
    ),
}


def links(kind: str, path: str, viewer: Viewer | None = None) -> list[Link]:
    """The portal's places that have a page and are open to the viewer, the one that `path` lies in marked."""
    places = [
        one for one in PLACES.get(kind, ()) if one.right is None or (viewer is not None and viewer.may(one.right))
    ]
    found = [(place, url) for place in places if (url := address(f"{kind}:{place.name}"))]
    within = [url for place, url in found if path == url or (place.name != "home" and path.startswith(url))]
    here = max(within, key=len, default="")
    return [Link(place, url, url == here) for place, url in found]


@cache
def address(name: str) -> str:
    """The URL of a page without arguments, or nothing where there is no such page."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
