"""Re-rating in the dealer's portal; what it does stands in `own/rerating.py`."""

from __future__ import annotations

from billing.portals.dealer.base import DealerView
from billing.portals.dealer.calls import CallView
from billing.portals.own import rerating


class Reratings(CallView, rerating.Runs):
    pass


class NewRerating(DealerView, rerating.NewRun):
    pass


class ReratingPage(DealerView, rerating.RunPage):
    pass


class ReratingProgress(DealerView, rerating.RunProgress):
    pass


class PostRerating(DealerView, rerating.PostRun):
    pass
