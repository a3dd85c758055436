"""Who looks, and for whom.

A viewer is the party whose data may be seen (and everything below it), the member or API key that asks, and whether
that member acts for somebody else. Everything that is read for a person is read through a viewer; without one,
nothing is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from tiers.errors import Forbidden
from tiers.roles import RIGHTS, May

if TYPE_CHECKING:
    from tiers.models import Member, Party


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, as written on transfers and in the trail. A system actor has no member."""

    label: str
    member_id: UUID | None = None


SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class Viewer:
    """`party` is looked at from; `actor` is who really asks; `acting` says that the two belong to different parties."""

    party: Party
    actor: Actor
    role: str
    acting: bool = False

    @property
    def path(self) -> str:
        return str(self.party.path)

    def may(self, right: May) -> bool:
        return right in RIGHTS.get(self.role, frozenset())

    def require(self, right: May) -> None:
        """Raise Forbidden, in words, where the role does not allow it."""
        if not self.may(right):
            raise Forbidden("role", f"Your role ({self.role}) cannot {right.label}. An owner can.")

    @classmethod
    def of_member(cls, member: Member, acting_for: Party | None = None) -> Viewer:
        actor = Actor(member.email, member.pk)
        if acting_for is None or acting_for.pk == member.party_id:
            return cls(member.party, actor, member.role)
        return cls(acting_for, actor, member.role, acting=True)
