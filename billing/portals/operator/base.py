"""What every page of the operator's portal is."""

from __future__ import annotations

from typing import ClassVar

from billing.portals.views import Act, FormPage, PortalView
from tiers.models import Kind


class OperatorView(PortalView):
    kind: ClassVar[str] = Kind.OPERATOR


class OperatorForm(OperatorView, FormPage):
    """A form of the operator's portal."""


class OperatorAct(OperatorView, Act):
    """A deed of the operator's portal."""
