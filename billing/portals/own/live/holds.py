"""What is set aside in wallets and for which call; what should be free by now stands out."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.models import Wallet
from accounts.selectors import money
from billing.portals.keyset import page_of
from billing.portals.own.live.base import LiveView
from rating.selectors import live, live_holds


class Holds(LiveView):
    """All open holds, oldest first: what has stood longest is what somebody must look at."""

    template_name = "own/live/holds.html"

    @property
    def wallet(self) -> Wallet | None:
        return None

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        wallet = self.wallet
        page = page_of(
            live_holds.open_holds(self.viewer, wallet), request.GET, key="key", newest_first=False, parse=str
        )
        return self.live_page(
            tabs=self.tabs(),
            wallet=wallet,
            page=page,
            lines=live_holds.held_lines(self.viewer, page.rows),
            sums=[] if wallet else live.held(self.viewer),
            wallet_url=f"{self.kind}:wallet",
        )


class HoldsOf(Holds):
    """Those of one wallet."""

    @property
    def wallet(self) -> Wallet | None:
        return money.wallet_by_id(self.viewer, self.kwargs["wallet"])
