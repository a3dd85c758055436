"""The brand's look of a request, asked once per request: name, accent, logo, and the zone in which times are shown."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest
from django.urls import reverse

from tiers.models import Brand
from tiers.selectors.look import brand_of_host, brand_of_party
from tiers.viewer import Viewer

PRODUCT = "Tollgate"
DEFAULT_ACCENT = "#1f5fbf"


@dataclass(frozen=True)
class Look:
    """What the frame needs of a brand; also there when no brand is."""

    name: str
    accent: str
    time_zone: str
    brand: Brand | None
    has_logo: bool

    @property
    def css_url(self) -> str:
        return f"{reverse('look_css')}?{urlencode({'accent': self.accent.lstrip('#').lower()})}"

    @property
    def logo_url(self) -> str:
        return f"{reverse('look_logo')}?{urlencode({'of': self.brand.code})}" if self.brand and self.has_logo else ""

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone if self.time_zone in available_timezones() else "UTC")


def look_of(request: HttpRequest) -> Look:
    """Kept on the request: the frame, the logo and the zone ask for it."""
    found: Look | None = getattr(request, "look", None)
    if found is None:
        found = _look(request)
        request.look = found  # type: ignore[attr-defined]
    return found


def _look(request: HttpRequest) -> Look:
    viewer: Viewer | None = getattr(request, "viewer", None)
    brand = brand_of_party(viewer.party) if viewer else brand_of_host(request.get_host().rsplit(":", 1)[0])
    if brand is None:
        return Look(PRODUCT, DEFAULT_ACCENT, "UTC", None, False)
    return Look(brand.name, brand.accent, brand.time_zone, brand, bool(getattr(brand, "has_logo", False)))
