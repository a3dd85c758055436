"""What was answered about a carrier's decks before: offered again, shown, and forgotten when somebody says so.

It lies with the carrier whose cost table the decks fill: answers by question, and under `mapping` columns by role.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rating.models import Carrier, RateTable
from rating.services.carriers import update_carrier
from tiers.viewer import Actor

MAPPING = "mapping"


@dataclass(frozen=True, slots=True)
class Memory:
    """Answers by question, column names by role."""

    answers: dict[str, str] = field(default_factory=dict)
    mapping: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.answers or self.mapping)


def memory_of(carrier: Carrier) -> Memory:
    """What is kept with one carrier."""
    kept = dict(carrier.deck_answers)
    mapping = kept.pop(MAPPING, {})
    return Memory(kept, dict(mapping))


def memory_for(table: RateTable) -> Memory:
    """What holds for decks of this table: of all carriers that it prices."""
    answers: dict[str, str] = {}
    mapping: dict[str, str] = {}
    for carrier in Carrier.objects.filter(cost_table=table).order_by("pk"):
        kept = memory_of(carrier)
        answers |= kept.answers
        mapping |= kept.mapping
    return Memory(answers, mapping)


def remember(table: RateTable, answers: Mapping[str, str], mapping: Mapping[str, str], *, actor: Actor) -> None:
    """Keep answers and columns with the carriers that the table prices, beside what is kept already."""
    for carrier in Carrier.objects.filter(cost_table=table):
        kept: dict[str, Any] = {**carrier.deck_answers, **answers}
        if mapping:
            kept[MAPPING] = dict(mapping)
        update_carrier(carrier, actor=actor, deck_answers=kept)


def forget(carrier: Carrier, *, actor: Actor, key: str = "") -> None:
    """Forget one answer (`mapping`: the columns), or all."""
    kept = {name: value for name, value in carrier.deck_answers.items() if key and name != key}
    update_carrier(carrier, actor=actor, deck_answers=kept)
