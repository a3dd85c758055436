"""A brand's terms on paper, as a viewer may see them."""

from __future__ import annotations

from invoicing.models import PaperTerms
from tiers.models import Brand
from tiers.viewer import Viewer


def paper_terms_of(viewer: Viewer, brand: Brand) -> PaperTerms | None:
    """Series, days to pay, bank and so on; None where nobody entered them yet."""
    found: PaperTerms | None = PaperTerms.visible.for_viewer(viewer).filter(brand=brand).first()
    return found
