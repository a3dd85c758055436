"""Closing destinations to a buyer, or to oneself, and opening them again.

A party may close what it likes to itself and to everybody below; only who closed it, or somebody above, opens it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from rating.models import Bar, BarKind
from tiers.errors import Invalid, NotFound
from tiers.models import Party
from tiers.services.writing import written_by
from tiers.viewer import Actor, Viewer

MOST_BARS = 500
"""For one party by one maker: they are read into every process."""


@dataclass(frozen=True, slots=True)
class Barred:
    """What to close: a kind of calls, or numbers that begin with `prefix`; `open`: an exception by prefix."""

    kind: str
    prefix: str = ""
    open: bool = False


def set_bars(party: Party, barred: list[Barred], *, by: Party, actor: Actor) -> list[Bar]:
    """All that `by` closes to the party, in place of what it closed before. Raises NotFound, Invalid."""
    _check_below(party, by)
    wanted = {(one.kind, _digits(one)): one.open for one in barred}
    if len(wanted) > MOST_BARS:
        raise Invalid("too_many", _("At most %d destinations can be closed to one party.") % MOST_BARS, where="bars")
    for one in barred:
        _check(one)
    with written_by(actor):
        kept = {(bar.kind, bar.prefix): bar for bar in Bar.objects.filter(party=party, maker=by)}
        for key, bar in kept.items():
            if wanted.get(key) != bar.open:
                bar.delete()
        for key, opened in wanted.items():
            if key not in kept or kept[key].open != opened:
                Bar.objects.create(party=party, maker=by, kind=key[0], prefix=key[1], open=opened)
        return list(Bar.objects.filter(party=party, maker=by).order_by("kind", "prefix"))


def add_bar(party: Party, barred: Barred, *, by: Party, actor: Actor) -> Bar:
    """Close (or except) one destination more; what is closed already stays as it is. Raises NotFound, Invalid."""
    _check_below(party, by)
    _check(barred)
    with written_by(actor):
        mine = Bar.objects.select_for_update().filter(party=party, maker=by)
        if mine.count() >= MOST_BARS:
            raise Invalid("too_many", _("At most %d destinations can be closed to one party.") % MOST_BARS)
        bar, made = Bar.objects.get_or_create(
            party=party, maker=by, kind=barred.kind, prefix=_digits(barred), defaults={"open": barred.open}
        )
        if not made and bar.open != barred.open:
            bar.open = barred.open
            bar.save(update_fields=["open"])
        return bar


def lift_bar(bar_id: UUID, *, by: Party, actor: Actor) -> None:
    """Open it again. Raises NotFound where `by` neither closed it nor stands above who did."""
    bar = Bar.objects.select_related("maker").filter(pk=bar_id).first()
    if bar is None or not bar.maker.is_at_or_below(by):
        raise NotFound("bar", _("There is no such closed destination of yours."))
    with written_by(actor):
        bar.delete()


def bars_of(party: Party, viewer: Viewer) -> list[Bar]:
    """What is closed to the party itself, by whomever; nothing for who may not see the party."""
    seen = Bar.visible.for_viewer(viewer).filter(party=party)
    return list(seen.select_related("maker").order_by("maker__depth", "kind", "prefix"))


def _check_below(party: Party, by: Party) -> None:
    if not party.is_at_or_below(by):
        raise NotFound("not_below", _("There is no such party below yours."), where="party")


def _check(barred: Barred) -> None:
    if barred.kind not in BarKind.values:
        raise Invalid("kind", _("This is no kind of calls that can be closed."), where="kind")
    digits = _digits(barred)
    if barred.kind == BarKind.PREFIX and not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
        raise Invalid("prefix", _("A prefix is 1 to 15 digits, with the country's code."), where="prefix")
    if barred.open and barred.kind != BarKind.PREFIX:
        raise Invalid("open", _("An exception is made by prefix."), where="open")


def _digits(barred: Barred) -> str:
    return barred.prefix.strip().removeprefix("+").replace(" ", "") if barred.kind == BarKind.PREFIX else ""
