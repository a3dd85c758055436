"""The keys of switches: which source speaks, and from which addresses it may.

A key is 256 random bits, so a plain digest keeps it; looking one up must be cheap, since every call asks.
"""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from threading import Lock
from typing import Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from rating.models import Source, SwitchKey
from rating.numbers import DialPlan
from tiers.errors import Invalid
from tiers.services.writing import written_by
from tiers.viewer import Actor

BELIEVED_S: Final = 5.0
"""How long a process goes by what it read of a key: a revoked one is out after this at the latest."""
KEPT: Final = 10_000
NOTED_EACH: Final = timedelta(minutes=1)
SLICE_WITH_INTERIMS_S: Final = 300
SLICE_S: Final = 3600
LONGEST_SLICE_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Switch:
    """A switch that showed a key: its source, how it dials, and how long a call it may be given at once."""

    key_id: UUID
    source_id: UUID
    owner_path: str
    plan: DialPlan
    slice_s: int
    interims: bool
    carrier_id: UUID | None
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

    def may_come_from(self, address: str) -> bool:
        """No networks: from anywhere."""
        if not self.networks:
            return True
        try:
            spoken = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(spoken, "ipv4_mapped", None) or spoken
        return any(mapped in network for network in self.networks)


_believed: dict[bytes, tuple[float, Switch | None]] = {}
_lock = Lock()


def digest_of(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=32).digest()


def create_switch_key(
    source: Source,
    name: str,
    networks: Sequence[str],
    *,
    actor: Actor,
    interims: bool = False,
    slice_s: int | None = None,
) -> tuple[SwitchKey, str]:
    """(the row, the key in plain text, never to be had again). Raises Invalid."""
    if slice_s is not None and not 1 <= slice_s <= LONGEST_SLICE_S:
        raise Invalid("slice", _("A call is allowed from 1 second to a day at once."), where="slice_s")
    if not 1 <= len(name.strip()) <= 50:
        raise Invalid("name", _("Name the key in 1 to 50 characters."), where="name")
    plain = f"sw_{secrets.token_urlsafe(32)}"
    with written_by(actor):
        row = SwitchKey.objects.create(
            source=source,
            name=name.strip(),
            digest=digest_of(plain),
            networks=[str(one) for one in _nets(networks)],
            interims=interims,
            slice_s=slice_s,
        )
    return row, plain


def revoke_switch_key(key: SwitchKey, *, actor: Actor) -> None:
    with written_by(actor):
        SwitchKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())


def _nets(networks: Sequence[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    made = []
    for one in networks:
        try:
            made.append(ipaddress.ip_network(one.strip(), strict=False))
        except ValueError:
            raise Invalid(
                "network",
                _("%s is not an address or a network.") % one,
                where="networks",
                hint=_("Write 203.0.113.7 or 203.0.113.0/24."),
            ) from None
    return made


def switch_of(key: str) -> Switch | None:
    """The switch that shows this key; None for one that is unknown, revoked, or whose source is not active.

    Raises OperationalError when the database is down and the key was not seen lately; `known_switch` does not.
    """
    digest = digest_of(key)
    told = _believed.get(digest)
    if told is not None and time.monotonic() - told[0] < BELIEVED_S:
        return told[1]
    found = _read(digest)
    with _lock:
        if len(_believed) > KEPT:
            _believed.clear()
        _believed[digest] = (time.monotonic(), found)
    return found


def known_switch(key: str) -> Switch | None:
    """What the process last heard of this key, however long ago: for emergency calls while the database is down."""
    told = _believed.get(digest_of(key))
    return told[1] if told else None


def forget() -> None:
    """Believe nothing that was read before (tests; a key just revoked in this process)."""
    _believed.clear()


def _used(key: SwitchKey) -> None:
    """Note that it was shown, once a minute at most."""
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > NOTED_EACH:
        SwitchKey.objects.filter(pk=key.pk).update(last_used_at=now)


def _read(digest: bytes) -> Switch | None:
    keys = SwitchKey.objects.filter(digest=digest, revoked_at__isnull=True, source__active=True)
    key = keys.select_related("source__owner").first()
    if key is None:
        return None
    _used(key)
    source = key.source
    usual_s = SLICE_WITH_INTERIMS_S if key.interims else SLICE_S
    return Switch(
        key_id=key.pk,
        source_id=source.pk,
        owner_path=source.owner.path,
        plan=DialPlan.from_json(source.dial_plan),
        slice_s=key.slice_s or usual_s,
        interims=key.interims,
        carrier_id=source.carrier_id,
        networks=tuple(ipaddress.ip_network(one) for one in key.networks),
    )
