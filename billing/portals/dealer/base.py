"""What every page of the dealer's portal is; which of its parties an address names; how it buys itself."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.functional import cached_property

from accounts.models import Wallet
from accounts.selectors import money
from billing.portals.views import Act, FormPage, PortalView
from rating.selectors.tariffs import Tariff
from tiers.models import Brand, Kind, Party
from tiers.selectors import people


class DealerView(PortalView):
    kind: ClassVar[str] = Kind.DEALER

    @cached_property
    def own_wallet(self) -> Wallet | None:
        """The dealer's wallet with its present seller."""
        wallets = list(money.wallets_of(self.viewer, self.viewer.party))
        return next((one for one in wallets if one.seller.path == self.viewer.party.parent_path), None) or (
            wallets[0] if wallets else None
        )

    @cached_property
    def bought(self) -> Tariff:
        """What the dealer pays itself."""
        return Tariff(self.viewer, self.viewer.party)

    @cached_property
    def brands(self) -> list[Brand]:
        return list(people.own_brands(self.viewer))


class DealerForm(DealerView, FormPage):
    """A form of the dealer's portal."""


class DealerAct(DealerView, Act):
    """A deed of the dealer's portal."""


class OneBuyer:
    """Mix-in: the party below that the address names by its code, or 404. `direct`: it buys from the viewer itself."""

    viewer: Any
    kwargs: dict[str, Any]

    @cached_property
    def party(self) -> Party:
        found = people.parties_below(self.viewer).filter(code=self.kwargs["code"]).first()
        return found if found is not None else people.party_by_code(self.viewer, "")

    @property
    def direct(self) -> bool:
        return bool(self.party.depth == self.viewer.party.depth + 1)

    @cached_property
    def wallet(self) -> Wallet | None:
        """The wallet it has with its present seller."""
        wallets = list(money.wallets_of(self.viewer, self.party))
        return next((one for one in wallets if one.seller.path == self.party.parent_path), None)

    @property
    def party_url(self) -> str:
        return reverse("dealer:customer", args=[self.kwargs["code"]])
