"""Rules of a price list: other terms for a service class, a group of destinations or a prefix, from a date on.

What a rule does not set is as with the next less specific one, in the end as in the list's own terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Unpack

from django.utils import timezone
from django.utils.translation import gettext as _

from rating.models import DestinationGroup, GroupMembers, ListRule, PriceList
from rating.models.rules import PRICED_CLASSES
from rating.services.guard import guarded
from rating.services.lists import Terms, check_terms
from tiers.errors import Conflict, Invalid
from tiers.models import Kind, Party
from tiers.services.writing import apply_changes, check_fields, written_by
from tiers.viewer import Actor

MOST_MEMBERS = 2000
RULE_TERMS = frozenset(Terms.__optional_keys__)


@dataclass(frozen=True, slots=True)
class Target:
    """What a rule is for: exactly one of them."""

    service_class: str | None = None
    group: DestinationGroup | None = None
    prefix: str | None = None

    @classmethod
    def of(cls, rule: ListRule) -> Target:
        return cls(rule.service_class, rule.group, rule.prefix)

    @property
    def fields(self) -> dict[str, Any]:
        return {"service_class": self.service_class, "group": self.group, "prefix": self.prefix}


def set_list_rule(
    price_list: PriceList,
    target: Target,
    *,
    actor: Actor,
    valid_from: datetime | None = None,
    accept_loss: bool = True,
    **terms: Unpack[Terms],
) -> tuple[ListRule, bool]:
    """Terms for a target from a moment (now) on: (the rule, whether anything changed). The same moment corrects.

    A term that is None is as with the next less specific rule. Raises Invalid, and BelowCostError as `set_list_terms`.
    """
    moment = valid_from or timezone.now()
    _check_target(price_list, target)
    guard = guarded(price_list, accept=accept_loss, under=target.prefix or "", at=moment)
    with written_by(actor), guard:
        PriceList.objects.select_for_update(no_key=True).get(pk=price_list.pk)
        row = ListRule.objects.filter(price_list=price_list, valid_from=moment, **_asked(target)).first()
        made = row is None
        row = row or ListRule(price_list=price_list, valid_from=moment, **target.fields)
        changed = apply_changes(row, {**terms, "off": False}, RULE_TERMS | {"off"})
        check_terms(row)
        if all(getattr(row, name) is None for name in RULE_TERMS):
            raise Invalid("no_terms", _("A rule sets a mark-up, an add-on or another term."), where="rule")
        if made or changed:
            row.save()
    return row, made or bool(changed)


def end_list_rule(price_list: PriceList, target: Target, *, actor: Actor, at: datetime | None = None) -> bool:
    """From a moment (now) on there is no rule for this target, nor what was to come. False: there was none."""
    moment = at or timezone.now()
    with written_by(actor):
        PriceList.objects.select_for_update(no_key=True).get(pk=price_list.pk)
        rows = ListRule.objects.filter(price_list=price_list, **_asked(target))
        gone, _rows = rows.filter(valid_from__gte=moment).delete()
        newest = rows.filter(valid_from__lt=moment).order_by("-valid_from").first()
        if newest is None or newest.off:
            return bool(gone)
        ListRule.objects.create(price_list=price_list, valid_from=moment, off=True, **target.fields)
    return True


def create_group(
    seller: Party,
    code: str,
    name: str,
    *,
    actor: Actor,
    destinations: Sequence[str] = (),
    prefixes: Sequence[str] = (),
    valid_from: datetime | None = None,
) -> DestinationGroup:
    """A group of destinations with its first members. Raises Invalid, Conflict (code taken)."""
    if seller.kind == Kind.CUSTOMER:
        raise Invalid("seller", _("A customer sells nothing."), where="seller")
    with written_by(actor):
        if DestinationGroup.objects.filter(seller=seller, code=code).exists():
            raise Conflict("code_taken", _("There is a group %s already.") % code, where="code")
        group = DestinationGroup(seller=seller, code=code, name=name)
        check_fields(group)
        group.save(force_insert=True)
        set_group(group, actor=actor, destinations=destinations, prefixes=prefixes, valid_from=valid_from)
    return group


def set_group(
    group: DestinationGroup,
    *,
    actor: Actor,
    destinations: Sequence[str],
    prefixes: Sequence[str],
    valid_from: datetime | None = None,
) -> bool:
    """Who belongs to a group from a moment (now) on; the same moment corrects. False: nothing changed."""
    moment = valid_from or timezone.now()
    values = {"destinations": _names(destinations), "prefixes": _prefixes(prefixes)}
    with written_by(actor):
        DestinationGroup.objects.select_for_update(no_key=True).get(pk=group.pk)
        before = GroupMembers.objects.filter(group=group, valid_from__lte=moment).order_by("-valid_from").first()
        if before is not None and (before.destinations, before.prefixes) == tuple(values.values()):
            return False
        GroupMembers.objects.update_or_create(group=group, valid_from=moment, defaults=values)
    return True


def rename_group(group: DestinationGroup, name: str, *, actor: Actor) -> bool:
    """Another name; its code stays. False: it is called so already."""
    with written_by(actor):
        if not apply_changes(group, {"name": name}, frozenset({"name"})):
            return False
        check_fields(group)
        group.save(update_fields=["name"])
    return True


def _names(destinations: Sequence[str]) -> list[str]:
    names = list(dict.fromkeys(" ".join(one.split()) for one in destinations if one.strip()))
    if len(names) > MOST_MEMBERS:
        raise Invalid("too_many", _("A group has at most %s members.") % MOST_MEMBERS, where="destinations")
    for name in names:
        if len(name) > 200 or not name.replace("*", "").strip():
            raise Invalid("destination", _("A name has 1 to 200 letters beside the *."), where="destinations")
    return sorted(names, key=str.casefold)


def _prefixes(prefixes: Sequence[str]) -> list[str]:
    found = sorted({one.strip().lstrip("+") for one in prefixes if one.strip()})
    if len(found) > MOST_MEMBERS:
        raise Invalid("too_many", _("A group has at most %s members.") % MOST_MEMBERS, where="prefixes")
    for prefix in found:
        _check_prefix(prefix, "prefixes")
    return found


def _check_prefix(prefix: str, where: str) -> None:
    if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= 20):
        raise Invalid("prefix", _("A prefix is 1 to 20 digits, with its country code."), where=where)


def _check_target(price_list: PriceList, target: Target) -> None:
    if sum(one is not None for one in (target.service_class, target.group, target.prefix)) != 1:
        raise Invalid("target", _("A rule is for a service class, a group or a prefix."), where="target")
    if target.service_class is not None and target.service_class not in dict(PRICED_CLASSES):
        known = ", ".join(dict(PRICED_CLASSES))
        raise Invalid("service_class", _("It must be one of %s.") % known, where="service_class")
    if target.group is not None and target.group.seller_id != price_list.seller_id:
        raise Invalid("group", _("That group belongs to somebody else."), where="group")
    if target.prefix is not None:
        _check_prefix(target.prefix, "prefix")


def _asked(target: Target) -> dict[str, Any]:
    """`field=None` does not match NULL in a filter."""
    return {
        (name if value is not None else f"{name}__isnull"): (True if value is None else value)
        for name, value in target.fields.items()
    }
