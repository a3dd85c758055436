"""Which rules hold for whom: the seller's for all its buyers, sharper or milder for one, and each party's own beside.

A buyer's seller may have one rule for all and another for this buyer, which then holds instead. Whoever stands higher
may set one for a party further down. A party's own rules come beside those and change nothing of them: they can mail
earlier, never block, and never keep a seller's rule from blocking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import BLOCKING, AlertKind, AlertRule
from accounts.services.ledger import LARGEST, PLACES
from tiers.errors import Forbidden, Invalid
from tiers.models import Kind, Party
from tiers.services.writing import written_by
from tiers.viewer import Actor

MOST_ADDRESSES = 10
SPENDING = (AlertKind.SPEND_HOUR, AlertKind.SPEND_DAY, AlertKind.USUAL_HOUR, AlertKind.USUAL_DAY)
USUAL = (AlertKind.USUAL_HOUR, AlertKind.USUAL_DAY)
IN_CURRENCY = (AlertKind.LOW, *SPENDING)
LARGEST_FACTOR = Decimal(1000)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a rule says; see AlertRule. Amounts have at most six decimals."""

    enabled: bool = True
    currency: str = ""
    threshold: Decimal | None = None
    factor: Decimal | None = None
    most_countries: int | None = None
    most_addresses: int | None = None
    tell_buyer: bool = True
    tell_seller: bool = True
    also_to: Sequence[str] = field(default_factory=tuple)
    block: bool = False


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule as it holds for one party. `rule` is None where the seller wrote none and the product's own holds."""

    kind: str
    owner: Party
    terms: Terms
    rule: UUID | None = None
    own: bool = False
    direct: bool = False


BUILT_IN: dict[str, Terms] = {
    AlertKind.LOW: Terms(),
    AlertKind.EMPTY: Terms(),
    AlertKind.BLOCKED: Terms(),
    AlertKind.RISK: Terms(),
    AlertKind.PLACES: Terms(most_countries=15, most_addresses=10, tell_buyer=False),
}
"""What holds where a seller has said nothing. Spend is not watched until somebody says how much is too much."""


def rules_for(parties: Iterable[Party], kinds: Sequence[str]) -> dict[UUID, list[Applied]]:
    """By party: what is watched of it, the direct seller's first. Two queries, for however many parties."""
    wanted = {party.pk: party for party in parties}
    paths = {path for party in wanted.values() for path in party.ancestor_paths()[:-1]}
    above = {str(one.path): one for one in Party.objects.filter(path__in=paths)}
    owners = [*(one.pk for one in above.values()), *wanted]
    rows = AlertRule.objects.filter(Q(party__isnull=True) | Q(party__in=list(wanted)), owner__in=owners)
    held: dict[tuple[UUID, UUID | None, str], list[AlertRule]] = defaultdict(list)
    for row in rows.filter(kind__in=kinds):
        held[row.owner_id, row.party_id, row.kind].append(row)
    return {pk: _applied(party, above, held, kinds) for pk, party in wanted.items()}


def _applied(
    party: Party,
    above: dict[str, Party],
    held: dict[tuple[UUID, UUID | None, str], list[AlertRule]],
    kinds: Sequence[str],
) -> list[Applied]:
    found: list[Applied] = []
    chain = [above[path] for path in reversed(party.ancestor_paths()[:-1]) if path in above]
    for kind in kinds:
        for step, owner in enumerate(chain):
            found += _of_owner(party, owner, kind, held, direct=step == 0)
        own = held.get((party.pk, party.pk, kind), [])
        found += [Applied(kind, party, terms_of(row), row.pk, own=True) for row in own if row.enabled]
    return found


def _of_owner(
    party: Party,
    owner: Party,
    kind: str,
    held: dict[tuple[UUID, UUID | None, str], list[AlertRule]],
    *,
    direct: bool,
) -> list[Applied]:
    """A seller's rules for one party: that for it alone instead of that for all, by currency.

    A rule of LOW that is off gives no amount; who set a warning balance of its own is told all the same.
    """
    rows = {row.currency: row for row in held.get((owner.pk, None, kind), [])} if direct else {}
    rows |= {row.currency: row for row in held.get((owner.pk, party.pk, kind), [])}
    if not rows and direct and kind in BUILT_IN:
        return [Applied(kind, owner, BUILT_IN[kind], direct=True)]
    return [
        Applied(kind, owner, terms_of(row), row.pk, direct=direct)
        for row in rows.values()
        if row.enabled or kind == AlertKind.LOW
    ]


def terms_of(row: AlertRule) -> Terms:
    """What a written rule says."""
    return Terms(**{name: getattr(row, name) for name in Terms.__dataclass_fields__})


def set_rule(owner: Party, party: Party | None, kind: str, terms: Terms, *, actor: Actor) -> AlertRule:
    """Write the owner's rule of this kind (and currency) for a party, for all its buyers (None), or for itself.

    Raises Invalid at the field, Forbidden where the party is not the owner or below it, or a party would block itself.
    """
    _check_whose(owner, party, terms)
    checked = _checked(kind, terms)
    values = {name: getattr(checked, name) for name in Terms.__dataclass_fields__ if name != "currency"}
    with written_by(actor):
        row, made = AlertRule.objects.get_or_create(
            owner=owner, party=party, kind=kind, currency=checked.currency, defaults=values
        )
        changed = [] if made else [name for name, value in values.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, values[name])
        if changed:
            row.save(update_fields=changed)
    return row


def drop_rule(rule: AlertRule, *, actor: Actor) -> None:
    """The rule holds no longer; what is more general (or the product's own) does again. Its alarms stay."""
    with written_by(actor):
        rule.delete()


def _check_whose(owner: Party, party: Party | None, terms: Terms) -> None:
    if party is None and owner.kind == Kind.CUSTOMER:
        raise Forbidden("sells_nothing", _("A customer has no buyers to watch."))
    if party is None:
        return
    if not party.is_at_or_below(owner):
        raise Forbidden("not_below", _("Rules are for your own party and those below it."))
    if party.pk == owner.pk and terms.block:
        raise Forbidden("block_own", _("Only a seller's rule can block."))


def _checked(kind: str, terms: Terms) -> Terms:
    if kind not in AlertKind.values:
        raise Invalid("kind", _("There is no such kind of rule."), where="kind")
    if terms.block and kind not in BLOCKING:
        raise Invalid("block", _("A rule of this kind only tells; it cannot block."), where="block")
    in_currency = kind in IN_CURRENCY and (kind != AlertKind.LOW or terms.threshold is not None)
    given = {
        "enabled": terms.enabled,
        "tell_buyer": terms.tell_buyer,
        "tell_seller": terms.tell_seller,
        "also_to": _addresses(terms.also_to),
        "block": terms.block,
    }
    if in_currency:
        given |= {"currency": _currency(terms.currency), "threshold": _amount(terms.threshold)}
    if kind in USUAL:
        given["factor"] = _factor(terms.factor)
    if kind == AlertKind.PLACES:
        given |= _places(terms)
    return Terms(**given)  # type: ignore[arg-type]


def _currency(code: str) -> str:
    if len(code) != 3 or not code.isalpha() or not code.isupper():
        raise Invalid("currency", _("An amount needs its currency, such as EUR."), where="currency")
    return code


def _amount(amount: Decimal | None) -> Decimal:
    if amount is None or not amount.is_finite() or not 0 <= amount <= LARGEST:
        raise Invalid("threshold", _("Say from which amount on."), where="threshold")
    if amount != amount.quantize(PLACES):
        raise Invalid("threshold", _("An amount has at most six decimals."), where="threshold")
    return amount.quantize(PLACES)


def _factor(factor: Decimal | None) -> Decimal:
    if factor is None or not factor.is_finite() or not 1 < factor <= LARGEST_FACTOR:
        raise Invalid("factor", _("How many times the usual: more than 1, at most 1,000."), where="factor")
    return factor.quantize(Decimal("0.01"))


def _places(terms: Terms) -> dict[str, int | None]:
    found = {"most_countries": terms.most_countries, "most_addresses": terms.most_addresses}
    for name, value in found.items():
        if value is not None and not 1 <= value <= 1000:
            raise Invalid(name, _("A number from 1 to 1,000."), where=name)
    if terms.enabled and all(value is None for value in found.values()):
        raise Invalid("most_countries", _("Say how many countries or addresses are too many."), where="most_countries")
    return found


def _addresses(given: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(address.strip().lower() for address in given if address.strip()))
    if len(found) > MOST_ADDRESSES:
        raise Invalid("also_to", _("At most %d further addresses.") % MOST_ADDRESSES, where="also_to")
    for address in found:
        try:
            validate_email(address)
        except ValidationError:
            raise Invalid("also_to", _("%s is not an e-mail address.") % address, where="also_to") from None
    return found
