"""Acting for a party below: begun and ended by a person, and both stand in the trail with the person's name."""

from __future__ import annotations

from uuid import UUID

import pghistory

from tiers.models import Party
from tiers.services.writing import written_by
from tiers.viewer import Viewer

STARTED, STOPPED = "acting_started", "acting_stopped"


def party_to_act_for(own: Viewer, party_id: str) -> Party | None:
    """The party of this id where it lies below the member's own; else None, whether it exists or not."""
    try:
        key = UUID(party_id)
    except ValueError:
        return None
    found: Party | None = Party.visible.for_viewer(own).filter(pk=key).exclude(pk=own.party.pk).first()
    return found


def record_start(own: Viewer, party: Party) -> None:
    with written_by(own.actor):
        pghistory.create_event(party, label=STARTED)


def record_stop(acting: Viewer) -> None:
    with written_by(acting.actor):
        pghistory.create_event(acting.party, label=STOPPED)
