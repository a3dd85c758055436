"""Sources of usage, and what in a record tells whose call it is."""

from __future__ import annotations

import ipaddress
from typing import Any, TypedDict, Unpack

from django.utils.translation import gettext as _

from rating.models import Carrier, Source, SourceIdentity
from rating.models.carriers import IdentityKind
from rating.numbers import DialPlan
from rating.usage.mapping import MappingError, UsageMapping
from tiers.errors import Conflict, Invalid
from tiers.models import Kind, Party
from tiers.services.brands import check_time_zone
from tiers.services.writing import apply_changes, check_code_free, check_fields, written_by
from tiers.viewer import Actor

ACCOUNT_MOST_CHARS = 64
CALLER_MOST_DIGITS = 20


class SourceDetails(TypedDict, total=False):
    """`dial_plan` in the wire form of `DialPlan`, `mapping` in that of `UsageMapping` (nothing: there is none).

    `carrier` and `customer` are taken where a record names none.
    """

    format: str
    time_zone: str
    dial_plan: dict[str, Any]
    mapping: dict[str, Any]
    carrier: Carrier | None
    customer: Party | None
    active: bool


CHANGEABLE = frozenset({"name", *SourceDetails.__optional_keys__})


def create_source(owner: Party, code: str, name: str, *, actor: Actor, **details: Unpack[SourceDetails]) -> Source:
    """A switch, PBX or meter of a seller. Raises Invalid at the field that is wrong, Conflict (code taken)."""
    if owner.kind == Kind.CUSTOMER:
        raise Invalid("owner", _("A source belongs to a seller."), where="owner")
    with written_by(actor):
        check_code_free(Source, code)
        source = Source(owner=owner, code=code, name=name, **details)
        _check(source)
        source.save(force_insert=True)
    return source


def update_source(source: Source, *, actor: Actor, name: str | None = None, **details: Unpack[SourceDetails]) -> Source:
    """Change how a source is read, from the next file on."""
    changes = {**details, **({} if name is None else {"name": name})}
    with written_by(actor):
        changed = apply_changes(source, changes, CHANGEABLE)
        if changed:
            _check(source)
            source.save(update_fields=changed)
    return source


def add_identity(party: Party, kind: str, value: str, *, actor: Actor) -> SourceIdentity:
    """Records with this account code, caller number (E.164 digits) or IP address are the party's.

    The same again returns what stands. Raises Conflict where it is somebody else's.
    """
    normal = identity_value(kind, value)
    with written_by(actor):
        identity: SourceIdentity
        identity, _made = SourceIdentity.objects.get_or_create(kind=kind, value=normal, defaults={"party": party})
        if identity.party_id != party.pk:
            raise Conflict("identity_taken", _("%s already leads to another party.") % value, where="value")
    return identity


def remove_identity(identity: SourceIdentity, *, actor: Actor) -> None:
    """Records that carry it find nobody by it from now on."""
    with written_by(actor):
        identity.delete()


def identity_value(kind: str, value: str) -> str:
    """The one spelling under which an identity is kept and looked for. Raises Invalid."""
    text = value.strip()
    if kind == IdentityKind.IP:
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            raise Invalid("ip", _("%s is not an IP address.") % value, where="value") from None
    if kind == IdentityKind.CALLER:
        digits = "".join(char for char in text if char not in "+ -().")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= CALLER_MOST_DIGITS):
            raise Invalid("caller", _("%s is not a telephone number.") % value, where="value")
        return digits
    if kind != IdentityKind.ACCOUNT:
        raise Invalid("kind", _("A record is known by account, caller or ip."), where="kind")
    if not 1 <= len(text) <= ACCOUNT_MOST_CHARS:
        raise Invalid("account", _("An account code has 1 to 64 characters."), where="value")
    return text


def _check(source: Source) -> None:
    check_fields(source)
    check_time_zone(source.time_zone)
    customer = source.customer
    if customer and (customer.kind == Kind.OPERATOR or not customer.path.startswith(source.owner.path)):
        raise Invalid("customer", _("%s does not buy from the source's owner.") % customer.name, where="customer")
    try:
        if source.mapping:
            UsageMapping.from_json(source.mapping)
    except MappingError as error:
        raise Invalid("mapping", error.message, where=f"mapping.{error.where}") from error
    try:
        DialPlan.from_json(source.dial_plan)
    except ValueError as error:
        raise Invalid("dial_plan", str(error), where="dial_plan") from error
