"""Parties come, move, are blocked and close.

Every write that depends on where a party stands locks the rows it depends on first: a foreign key alone does not
stop an insert below a seller that is being closed. Rights are the caller's to check (`Viewer.require`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict, Unpack

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from tiers.errors import Conflict, Invalid, NotFound
from tiers.models import Brand, Kind, Party, Placement, Status
from tiers.services.writing import apply_changes, check_code_free, check_fields, written_by
from tiers.viewer import Actor

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
"""Where a party's first placement begins unless said: a call older than its record here is still its call."""


class PartyDetails(TypedDict, total=False):
    """How a party is reached and billed; all texts, all optional."""

    email: str
    contact: str
    phone: str
    address: str
    tax_id: str
    language: str


DETAILS = frozenset({"name", *PartyDetails.__optional_keys__})


def create_operator(code: str, name: str, *, actor: Actor, **details: Unpack[PartyDetails]) -> Party:
    """The root of the tree. Raises Conflict where there is one."""
    with written_by(actor):
        if Party.objects.filter(depth=1).exists():
            raise Conflict("operator_exists", _("There is an operator already; the tree has one root."))
        party = _new(Kind.OPERATOR, code, name, details)
        return _added(None, party)


def create_party(
    seller: Party,
    kind: str,
    code: str,
    name: str,
    *,
    brand: Brand,
    actor: Actor,
    since: datetime | None = None,
    **details: Unpack[PartyDetails],
) -> Party:
    """A dealer or a customer of `seller`, under one of the seller's brands, placed there from `since` (None: always).

    Raises Invalid (kind, a field, a brand of somebody else), Conflict (code taken, seller closed).
    """
    if kind not in (Kind.DEALER, Kind.CUSTOMER):
        raise Invalid("kind", _("A seller's buyers are dealers or customers."), where="kind")
    with written_by(actor):
        parent = lock_parties(seller)[seller.pk]
        check_sells(parent, brand)
        party = _added(parent, _new(kind, code, name, details))
        Placement.objects.create(party=party, seller=parent, brand=brand, valid_from=since or ALWAYS)
        seller.refresh_from_db(fields=["path", "depth", "numchild"])
        return party


def update_party(party: Party, *, actor: Actor, name: str | None = None, **details: Unpack[PartyDetails]) -> Party:
    """Rename a party or change how it is reached. What is not given stays."""
    changes = {**details, **({} if name is None else {"name": name})}
    with written_by(actor):
        changed = apply_changes(party, changes, DETAILS)
        if changed:
            check_fields(party)
            party.save(update_fields=changed)
    return party


def set_status(party: Party, status: str, *, actor: Actor) -> Party:
    """Block, unblock or close a party. A blocked one keeps its data and logins; calls and new buyers are refused.

    Raises Conflict for the operator, and for closing what still has open parties below.
    """
    if status not in Status.values:
        raise Invalid("status", _("A party is active, blocked or closed."), where="status")
    with written_by(actor):
        locked = lock_parties(party)[party.pk]
        if locked.kind == Kind.OPERATOR and status != Status.ACTIVE:
            raise Conflict("operator", _("The operator cannot be blocked or closed."))
        if status == Status.CLOSED and _below(locked).exclude(status=Status.CLOSED).exists():
            raise Conflict(
                "open_below",
                _("%s still has buyers that are not closed.") % locked.name,
                hint=_("Close or move them first."),
            )
        if locked.status != status:
            locked.status = status
            locked.save(update_fields=["status"])
        party.status = status
    return party


def move_party(
    party: Party, new_seller: Party, brand: Brand, *, actor: Actor, from_moment: datetime | None = None
) -> Placement:
    """Put a party, with all that is below it, under another seller or another brand of its seller, from a moment on.

    Calls answered before the moment keep the old seller and its prices. The wallet with the old seller stays where it
    is, for what is owed there; accounts decides what the party pays with from now on. A change of seller takes effect
    by now at the latest, since the tree is that of today; another brand of the same seller may begin later.
    Raises Invalid (moment, brand), Conflict (into itself, closed seller), NotFound (no placement).
    """
    moment = from_moment or timezone.now()
    with written_by(actor):
        rows = lock_parties(party, new_seller)
        mover, seller = rows[party.pk], rows[new_seller.pk]
        if mover.kind == Kind.OPERATOR or seller.is_at_or_below(mover):
            raise Conflict("into_itself", _("A party cannot be moved below itself."))
        check_sells(seller, brand)
        current: Placement | None = (
            Placement.objects.select_for_update().filter(party=mover, valid_to__isnull=True).first()
        )
        if current is None:
            raise NotFound("no_placement", _("%s is not placed under any seller.") % mover.name)
        if (current.seller_id, current.brand_id) == (seller.pk, brand.pk):
            return current
        _check_moment(current, seller, moment)
        current.valid_to = moment
        current.save(update_fields=["valid_to"])
        if current.seller_id != seller.pk:
            Party.objects.move(mover, seller, "last-child")
        party.refresh_from_db(fields=["path", "depth", "numchild"])
        placed: Placement = Placement.objects.create(party=mover, seller=seller, brand=brand, valid_from=moment)
        return placed


def lock_parties(*parties: Party) -> dict[object, Party]:
    """Lock these rows in key order, in one statement, and read them as they now are."""
    keys = {party.pk for party in parties}
    rows = Party.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk")
    return {row.pk: row for row in rows}


def check_sells(seller: Party, brand: Brand) -> None:
    """Raise where `seller` may not take a buyer under `brand`."""
    if seller.kind == Kind.CUSTOMER:
        raise Invalid("seller", _("%s is a customer: customers sell nothing.") % seller.name, where="seller")
    if seller.status == Status.CLOSED:
        raise Conflict("seller_closed", _("%s is closed.") % seller.name, where="seller")
    if brand.owner_id != seller.pk:
        raise Invalid("brand", _("%(brand)s is not a brand of %(seller)s.") % {"brand": brand, "seller": seller},
                      where="brand")  # fmt: skip


def _check_moment(current: Placement, seller: Party, moment: datetime) -> None:
    if moment <= current.valid_from:
        raise Invalid(
            "moment", _("The present placement began later than that."), where="from_moment",
            hint=_("It began %s.") % current.valid_from.isoformat(),
        )  # fmt: skip
    if current.seller_id != seller.pk and moment > timezone.now():
        raise Invalid("moment", _("A party moves to another seller now, not in the future."), where="from_moment")


def _new(kind: str, code: str, name: str, details: PartyDetails) -> Party:
    check_code_free(Party, code)
    party = Party(kind=kind, code=code, name=name, **details)
    check_fields(party, skip=("path", "depth", "numchild"))
    return party


def _added(parent: Party | None, party: Party) -> Party:
    try:
        if parent is None:
            Party.objects.add_root(instance=party)
        else:
            Party.objects.add_child(parent, instance=party)
    except IntegrityError as error:
        raise Conflict("code_taken", _("Somebody else has just taken this code."), where="code") from error
    return party


def _below(party: Party) -> QuerySet[Party]:
    rows: QuerySet[Party] = Party.objects.filter(path__startswith=party.path).exclude(pk=party.pk)
    return rows
