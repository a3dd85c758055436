"""What every page of the end user's portal is, and the wallet it speaks of."""

from __future__ import annotations

from typing import ClassVar

from django.utils.functional import cached_property

from accounts.models import Wallet
from accounts.selectors import money
from billing.portals.views import Act, FormPage, PortalView
from rating.selectors.tariffs import Tariff
from tiers.models import Kind


class CustomerView(PortalView):
    kind: ClassVar[str] = Kind.CUSTOMER

    @cached_property
    def wallet(self) -> Wallet | None:
        """The wallet with its present seller; an older one, of a seller before, comes after it."""
        wallets = list(money.wallets_of(self.viewer, self.viewer.party))
        return next((one for one in wallets if one.seller.path == self.viewer.party.parent_path), None) or (
            wallets[0] if wallets else None
        )

    @cached_property
    def tariff(self) -> Tariff:
        return Tariff(self.viewer, self.viewer.party)


class CustomerForm(CustomerView, FormPage):
    """A form of the end user's portal."""


class CustomerAct(CustomerView, Act):
    """A deed of the end user's portal."""
