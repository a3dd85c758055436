"""Numbers normalised by columns equal the dial plan's own answers, oddities and all."""

from __future__ import annotations

import os
from random import Random, SystemRandom
from typing import Any

import numpy as np
import pytest

from rating.numbers import BadNumber, DialPlan
from rating.numbers import columns as number_columns
from rating.numbers.columns import CLASSES, NONE, NumberColumns, normalise_column
from rating.numbers.names import is_abroad

PROOF = os.environ.get("TOLLGATE_PROOF") == "1"
pytestmark = [pytest.mark.proof] if PROOF else []
ROUNDS = 2_000 if PROOF else 60

ODD = [
    "",
    " ",
    "+",
    "00",
    "0",
    "+0",
    "112",
    "911",
    "203",
    "1001",
    "anonymous",
    "*98",
    "*67442071838750",
    "ext 12",
    "+44",
]
ODD += [
    "+44 (0)20 7183 8750",
    "tel:+442071838750;x=1",
    "sip:00442071838750@host",
    "0044\u0660123456",
    "\uff0b4420718387",
]
ODD += [
    "+4420718387\0",
    "4420\x0071838",
    "44207183875000000000000000000000000000000",
    "+1234567890123456",
    "00800123456",
]
ODD += ["+97912345678", "+80012345678", "0085221234567", "+85221234567", "21234567", "011442071838750", "00 44 207183"]
PLANS = [
    DialPlan(),
    DialPlan(home_country="US", plain_e164=True),
    DialPlan(home_country="DE", area_code="40", access_codes=("0", "9")),
    DialPlan(home_country="RU", access_codes=("8~10", "9")),
    DialPlan(
        home_country="GB", international_prefixes=("00", "0011", "*00"), on_net=(("442070000000", "442079999999"),)
    ),
    DialPlan(home_country="IT", on_net=(("4000", "4999"), ("33612340000", "33612349999")), plain_e164=True),
    DialPlan(home_country="JP", trunk_prefix="", extension_lengths=(2, 5), emergency=("119",)),
]
STARTS = ["+", "00", "011", "0011", "810", "9", "900", "0", "", "", "+0", "000", "8", "*00"]
CODES = [
    "44",
    "1",
    "49",
    "7",
    "852",
    "39",
    "33",
    "800",
    "979",
    "881",
    "999",
    "210",
    "81",
    "86",
    "420",
    "1242",
    "3906698",
]


NEAR = ["4402071838750", "49030123456", "390669812345", "78121234567", "442070001234", "33612345678", "33612340001"]
NEAR += ["4930123456", "12125550123", "85221234567", "441", "4471838750", "442079999999", "4201"]
"""Behind a trunk zero, in ranges of the house, and what an access code turns into something else."""


def some_number(random: Random) -> str:
    if random.randrange(8) == 0:
        return random.choice(ODD)
    if random.randrange(8) == 0:
        return random.choice(["+", "00", "900", "9011", ""]) + random.choice(NEAR)
    digits = "".join(
        random.choice("0123456789") for _ in range(random.choice([1, 3, 4, 6, 7, 8, 9, 10, 10, 12, 14, 30]))
    )
    return random.choice(STARTS) + random.choice([*CODES, ""]) + digits


def told(columns: NumberColumns, row: int) -> object:
    if row in columns.bad:
        assert (columns.e164[row], columns.service_class[row], columns.abroad[row]) == (b"", NONE, False)
        return columns.bad[row]
    kind = CLASSES[columns.service_class[row]]
    return columns.e164[row].decode(), kind, bool(columns.is_e164[row]), bool(columns.abroad[row])


def by_rules(plan: DialPlan, dialled: str) -> object:
    number = plan.normalise(dialled)
    if isinstance(number, BadNumber):
        return number
    return number.e164, number.service_class, number.is_e164, is_abroad(number, plan.home_country)


def test_columns_normalise_as_the_rules_do(capsys: pytest.CaptureFixture[str]) -> None:
    seed = SystemRandom().getrandbits(48) if PROOF else 11
    if PROOF:
        with capsys.disabled():
            print(f"\n{ROUNDS:,} columns of dialled numbers, seed {seed}")
    for at in range(ROUNDS):
        random = Random(seed + at)
        plan = random.choice(PLANS)
        dialled = [some_number(random) for _ in range(300)]
        columns = normalise_column(plan, dialled)
        for row, one in enumerate(dialled):
            assert told(columns, row) == by_rules(plan, one), f"seed {seed + at}: {one!r} in {plan}"


@pytest.mark.parametrize("dialled", ["442071838750", "+442071838750", "00442071838750"])
def test_an_array_of_bytes_or_text_does_as_well(dialled: str) -> None:
    plan = DialPlan(home_country="HK", plain_e164=True)
    for column in (np.array([dialled.encode()]), np.array([dialled]), [dialled]):
        assert told(normalise_column(plan, column), 0) == ("442071838750", "international", True, True)


def test_plain_calls_abroad_do_not_ask_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_columns, "_by_rules", None)
    columns = normalise_column(DialPlan(), ["+442071838750", "00491512345678", "0033612345678", "+8001234567"])
    assert columns.abroad.all()
    assert columns.e164.tolist() == [b"442071838750", b"491512345678", b"33612345678", b"8001234567"]


def test_no_numbers_at_all() -> None:
    nothing: Any
    for nothing in ([], np.array([], np.bytes_), np.array([], np.str_)):
        assert len(normalise_column(DialPlan(), nothing).e164) == 0
