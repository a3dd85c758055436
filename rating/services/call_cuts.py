"""Ending a live call by hand: the switch is told, and who told it stands in the trail, whatever the switch said."""

from __future__ import annotations

from django.utils.translation import gettext as _

from rating.live.cutting import can_cut, cut
from rating.models import CallCut, LiveCall
from tiers.errors import Conflict
from tiers.services.writing import written_by
from tiers.viewer import Actor


def end_call(call: LiveCall, *, actor: Actor) -> CallCut:
    """Tell the call's switch to hang up; what it said, as kept. Takes up to two seconds, outside any transaction.

    Nothing is charged here: the switch reports the end, as of any call. Raises Conflict where nobody can be told.
    """
    if not call.is_open:
        raise Conflict("over", _("This call is over already."))
    if not can_cut(call):
        raise Conflict(
            "no_orders",
            _("The switch %s takes no orders from here.") % call.source.name,
            hint=_("End the call at the switch. Who runs the server can name its address in SWITCH_CONTROLS."),
        )
    said = cut(call)
    whose = call.customer.name if call.customer else call.account
    with written_by(actor):
        made: CallCut = CallCut.objects.create(
            call=call,
            name=f"+{call.number or call.callee} {whose}"[:200],
            actor=actor.label[:254],
            done=said.done,
            words=said.words[:300],
        )
    return made
