"""Each request gets its viewer, and each write its name in the trail.

A member of the operator or of a dealer may act for a party below. The choice stands in the session and is checked
against the tree at every request; what is written meanwhile names both.
"""

from __future__ import annotations

from collections.abc import Callable

import pghistory
from django.http import HttpRequest, HttpResponse

from tiers.models import Member, Party
from tiers.roles import May
from tiers.viewer import Viewer

ACTING_FOR = "acting_for"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def viewer_of(request: HttpRequest) -> Viewer | None:
    """The viewer of a logged-in member, acting for the party in the session if that is still below its own."""
    member = request.user
    if not isinstance(member, Member):
        return None
    own = Viewer.of_member(member)
    party_id = request.session.get(ACTING_FOR)
    if party_id is None or not own.may(May.ACT_FOR):
        return own
    party: Party | None = Party.visible.for_viewer(own).filter(pk=party_id).first()
    if party is None:
        del request.session[ACTING_FOR]
        return own
    return Viewer.of_member(member, acting_for=party)


class ViewerMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        viewer = viewer_of(request)
        request.viewer = viewer  # type: ignore[attr-defined]
        if request.method in SAFE_METHODS:
            return self.get_response(request)
        with pghistory.context(url=request.path, **_who(viewer)):
            return self.get_response(request)


def _who(viewer: Viewer | None) -> dict[str, str | None]:
    """What the trail says of a logged-in member; an API key adds itself when it is known."""
    if viewer is None:
        return {}
    acting_for = viewer.party.code if viewer.acting else None
    return {"actor": viewer.actor.label, "member": str(viewer.actor.member_id), "acting_for": acting_for}
