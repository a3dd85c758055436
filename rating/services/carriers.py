"""Carriers, and which of them a party chose from when on."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from rating.models import Carrier, CarrierChoice, RateTable
from tiers.errors import Conflict, Invalid
from tiers.models import Kind, Party
from tiers.services.parties import lock_parties
from tiers.services.writing import apply_changes, check_code_free, check_fields, written_by
from tiers.viewer import Actor


class CarrierDetails(TypedDict, total=False):
    """`cost_table` prices what the operator pays; `closed_reverts`: a closed code falls back to the shorter one."""

    description: str
    cost_table: RateTable | None
    offered: bool
    active: bool
    closed_reverts: bool
    deck_answers: dict[str, Any]


CHANGEABLE = frozenset({"name", *CarrierDetails.__optional_keys__})


def create_carrier(owner: Party, code: str, name: str, *, actor: Actor, **details: Unpack[CarrierDetails]) -> Carrier:
    """A supplier outside the tree; the operator's alone. Raises Invalid, Conflict (code taken)."""
    if owner.kind != Kind.OPERATOR:
        raise Invalid("owner", _("Carriers supply the operator."), where="owner")
    with written_by(actor):
        check_code_free(Carrier, code)
        carrier = Carrier(owner=owner, code=code, name=name, **details)
        _check(carrier)
        carrier.save(force_insert=True)
    return carrier


def update_carrier(
    carrier: Carrier, *, actor: Actor, name: str | None = None, **details: Unpack[CarrierDetails]
) -> Carrier:
    """Change a carrier; what is not given stays."""
    changes = {**details, **({} if name is None else {"name": name})}
    with written_by(actor):
        changed = apply_changes(carrier, changes, CHANGEABLE)
        if changed:
            _check(carrier)
            carrier.save(update_fields=changed)
    return carrier


def choose_carrier(party: Party, carrier: Carrier, *, actor: Actor, at: datetime | None = None) -> CarrierChoice:
    """From `at` (now) on, the party's calls are priced for this carrier. The same choice again changes nothing.

    Never backwards: raises Invalid for a moment before the present choice began, Conflict for a carrier that is not
    offered or not active. Calls under way keep the carrier they began with.
    """
    moment = at or timezone.now()
    with written_by(actor):
        lock_parties(party)
        current: CarrierChoice | None = CarrierChoice.objects.filter(party=party, valid_to__isnull=True).first()
        if current is not None and current.carrier_id == carrier.pk:
            return current
        if not (carrier.offered and carrier.active):
            raise Conflict("carrier_not_offered", _("%s cannot be chosen.") % carrier.name, where="carrier")
        if current is not None:
            if moment <= current.valid_from:
                raise Invalid("moment", _("The present choice began later than that."), where="at")
            current.valid_to = moment
            current.save(update_fields=["valid_to"])
        choice: CarrierChoice = CarrierChoice.objects.create(
            party=party, carrier=carrier, valid_from=moment, actor=actor.label
        )
        return choice


def carrier_at(party: Party, moment: datetime) -> Carrier | None:
    """What the party had chosen at that moment; None: nothing, so its brand's default holds."""
    choice: CarrierChoice | None = (
        CarrierChoice.objects.select_related("carrier")
        .filter(Q(valid_to__isnull=True) | Q(valid_to__gt=moment), party=party, valid_from__lte=moment)
        .first()
    )
    return choice.carrier if choice else None


def _check(carrier: Carrier) -> None:
    check_fields(carrier)
    if carrier.cost_table is not None and carrier.cost_table.owner_id != carrier.owner_id:
        raise Invalid("cost_table", _("The cost table belongs to somebody else."), where="cost_table")
