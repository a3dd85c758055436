"""Re-rating in the operator's portal; what it does stands in `own/rerating.py`."""

from __future__ import annotations

from billing.portals.operator.base import OperatorView
from billing.portals.operator.calls import CallsView
from billing.portals.own import rerating


class Reratings(CallsView, rerating.Runs):
    pass


class NewRerating(OperatorView, rerating.NewRun):
    pass


class ReratingPage(OperatorView, rerating.RunPage):
    pass


class ReratingProgress(OperatorView, rerating.RunProgress):
    pass


class PostRerating(OperatorView, rerating.PostRun):
    pass
