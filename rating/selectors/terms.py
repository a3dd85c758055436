"""A brand's terms of price, as a viewer may see them."""

from __future__ import annotations

from rating.models import PriceTerms
from tiers.models import Brand
from tiers.viewer import Viewer


def price_terms_of(viewer: Viewer, brand: Brand) -> PriceTerms | None:
    """Tax and default carrier; None where nobody entered them yet."""
    found: PriceTerms | None = PriceTerms.visible.for_viewer(viewer).filter(brand=brand).first()
    return found
