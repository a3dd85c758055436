"""Whose call is it? By account code, else number, else IP address, within the source's part of the tree.

A source may belong to one customer's house: then what names nobody is that customer's.
"""

from __future__ import annotations

from uuid import UUID

from rating.models import Source, SourceIdentity
from rating.models.carriers import IdentityKind
from rating.numbers import DialPlan, Number
from tiers.models import Kind, Party


class CustomerIndex:
    """What tells customers of one source apart, read once. A party's own code counts as an account code."""

    def __init__(self, source: Source, plan: DialPlan) -> None:
        self.plan = plan
        self._default = source.customer_id
        below = Party.objects.filter(path__startswith=source.owner.path).exclude(kind=Kind.OPERATOR)
        self._accounts: dict[str, UUID] = {code.lower(): pk for code, pk in below.values_list("code", "pk")}
        self._callers: dict[str, UUID] = {}
        self._addresses: dict[str, UUID] = {}
        kept = SourceIdentity.objects.filter(party__path__startswith=source.owner.path)
        for kind, value, party in kept.values_list("kind", "value", "party_id"):
            if kind == IdentityKind.ACCOUNT:
                self._accounts[value.lower()] = party
            elif kind == IdentityKind.CALLER:
                self._callers[value] = party
                self._callers[self._normal(value)] = party
            else:
                self._addresses[value] = party

    def find(self, account: str, caller: str, src_ip: str | None) -> UUID | None:
        """The customer, or None where nothing in the record is known. `caller` is the number on the house's side."""
        found = self.by_account(account)
        if found is not None:
            return found
        if caller and self._callers:
            found = self._callers.get(caller) or self._callers.get(self._normal(caller))
            if found is not None:
                return found
        found = self._addresses.get(src_ip) if src_ip else None
        return found or self._default

    def by_account(self, account: str) -> UUID | None:
        """The customer of this account code alone."""
        return self._accounts.get(account.lower()) if account else None

    def _normal(self, caller: str) -> str:
        number = self.plan.normalise(caller)
        return number.e164 if isinstance(number, Number) else caller
