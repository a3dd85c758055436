"""What the kernel refuses, the longest call an amount buys, and how a price is explained."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rating.kernel import Band, Rate, RateError, Step, explain, longest, price

D = Decimal
BERLIN = "Europe/Berlin"
WEEKDAYS = frozenset({1, 2, 3, 4, 5})
DAY = Band(WEEKDAYS, False, 8 * 60, 19 * 60, D("1.20"))


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def cost(rate: Rate, duration_s: int, answered_at: datetime | None = None) -> str:
    return str(price(rate, duration_s, answered_at).amount)


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "where"),
        [
            ({"price": D(-1)}, "price"),
            ({"price": D("NaN")}, "price"),
            ({"price": D("Infinity")}, "price"),
            ({"price": D("1e400")}, "price"),
            ({"price": D("1e-400")}, "price"),
            ({"price": 0.1}, "price"),
            ({"price": True}, "price"),
            ({"connect_fee": D("-0.01")}, "connect_fee"),
            ({"min_charge": D(-1)}, "min_charge"),
            ({"first_s": 0}, "first_s"),
            ({"step_s": 0}, "step_s"),
            ({"step_s": D(6)}, "step_s"),
            ({"grace_s": -1}, "grace_s"),
            ({"free_s": 10**10}, "free_s"),
            ({"decimals": 7}, "decimals"),
            ({"decimals": -1}, "decimals"),
            ({"rounding": "nearest"}, "rounding"),
            ({"band_rule": "at_end"}, "band_rule"),
            ({"time_zone": "Europe/Atlantis"}, "time_zone"),
            ({"time_zone": "../etc/passwd"}, "time_zone"),
            ({"time_zone": ""}, "time_zone"),
            ({"steps": (Step(60, D(1)), Step(60, D(2)))}, "steps"),
            ({"holidays": frozenset({datetime(2026, 12, 25, tzinfo=UTC)})}, "holidays"),
        ],
    )
    def test_a_rate_that_makes_no_sense_cannot_exist(self, fields: dict[str, Any], where: str) -> None:
        with pytest.raises(RateError) as refusal:
            Rate(**{"price": D(1), **fields})
        assert refusal.value.field == where
        assert refusal.value.message

    def test_bands_and_steps_are_checked_too(self) -> None:
        for build in (
            lambda: Band(frozenset({8}), False, 0, 60, D(1)),
            lambda: Band(frozenset(), False, 0, 60, D(1)),
            lambda: Band(WEEKDAYS, False, 1440, 60, D(1)),
            lambda: Band(WEEKDAYS, False, 0, 1441, D(1)),
            lambda: Band(WEEKDAYS, False, 0, 60),
            lambda: Step(-1, D(1)),
            lambda: Step(0, D(-1)),
            lambda: Step(0, D(1), 0),
        ):
            with pytest.raises(RateError):
                build()

    @pytest.mark.parametrize(
        ("other", "holidays"),
        [
            (Band(frozenset({5}), False, 18 * 60, 20 * 60, D(1)), ()),
            (Band(frozenset({4}), False, 23 * 60, 9 * 60, D(1)), ()),
            (Band(frozenset({7}), False, 12 * 60, 8 * 60 + 1, D(1)), ()),
            (Band(frozenset(), True, 12 * 60, 8 * 60 + 1, D(1)), ("2026-12-24",)),
        ],
    )
    def test_overlapping_bands_are_refused(self, other: Band, holidays: tuple[str, ...]) -> None:
        days = frozenset(date.fromisoformat(day) for day in holidays)
        with pytest.raises(RateError, match="overlaps"):
            Rate(D(1), bands=(DAY, other), holidays=days)

    def test_bands_that_touch_are_not_refused(self) -> None:
        night = Band(WEEKDAYS, True, 19 * 60, 8 * 60, D(1))
        feast = Band(frozenset(), True, 8 * 60, 19 * 60, D(1))
        Rate(D(1), bands=(DAY, night, feast), holidays=frozenset({date(2026, 12, 24), date(2026, 12, 25)}))

    def test_a_time_is_needed_where_bands_decide(self) -> None:
        rate = Rate(D(1), bands=(DAY,))
        for answered_at in (None, datetime(2026, 11, 20, 12)):  # noqa: DTZ001 - naive on purpose
            with pytest.raises(RateError) as refusal:
                price(rate, 1, answered_at)
            assert refusal.value.field == "answered_at"

    @pytest.mark.parametrize("duration", [-1, D("-0.5"), D("NaN"), D("1e400"), 10**12 + 1, True, 1.5])
    def test_durations_that_no_call_has(self, duration: Any) -> None:
        with pytest.raises(RateError):
            price(Rate(D(1)), duration)


class TestLongest:
    def test_a_wallet_of_one_euro(self) -> None:
        rate = Rate(D("0.12"), first_s=60, step_s=6)
        assert longest(rate, D("1.00"), None, 86_400) == 498, "0.996 for 498 s, 1.008 for 504 s"
        assert longest(rate, D("0.1199"), None, 86_400) == 0
        assert longest(rate, D("1.00"), None, 300) == 300

    def test_grace_and_free_seconds_need_little(self) -> None:
        rate = Rate(D("0.60"), connect_fee=D("0.05"), grace_s=5, free_s=30, min_charge=D("0.50"))
        assert longest(rate, D("-0.01"), None, 3600) == 0
        assert longest(rate, D(0), None, 3600) == 5
        assert longest(rate, D("0.05"), None, 3600) == 30
        assert longest(rate, D("0.4999"), None, 3600) == 30
        assert longest(rate, D("0.50"), None, 3600) == 75

    def test_a_free_call_lasts_to_the_limit(self) -> None:
        assert longest(Rate(D(0)), D(0), None, 604_800) == 604_800

    def test_a_week_through_bands_and_a_clock_change(self) -> None:
        rate = Rate(D("0.60"), bands=(DAY,), step_s=60, time_zone=BERLIN)
        start = at("2026-10-23T12:00", BERLIN)
        assert cost(rate, 604_800, start) == "7992.0000", "54 hours at 72.00, 114 at 36.00"
        assert longest(rate, D(7992), start, 604_800) == 604_800
        assert longest(rate, D("7991.9999"), start, 604_800) == 604_740


class TestExplanation:
    def test_every_number_of_a_call_is_shown(self) -> None:
        rate = Rate(
            D("0.60"),
            connect_fee=D("0.05"),
            first_s=30,
            step_s=6,
            grace_s=3,
            free_s=10,
            min_charge=D("0.40"),
            bands=(DAY,),
        )
        lines = explain(rate, D("99.5"), at("2026-11-20T18:59:00"))
        assert [(line.rule, line.value) for line in lines] == [
            ("duration", "100 s"),
            ("grace", "100 s"),
            ("free", "90 s"),
            ("increments", "90 s"),
            ("piece", "0.6"),
            ("piece", "0.48"),
            ("piece", "0.36"),
            ("connect_fee", "0.05"),
            ("sum", "1.49"),
            ("min_charge", "1.49"),
            ("rounding", "1.4900"),
        ]
        assert lines[4].text == "From second 10: 1 x 30 s at 1.20 a minute (band 1-5 08:00-19:00, UTC)"
        assert lines[6].text == "From second 64: 6 x 6 s at 0.60 a minute"

    def test_a_sum_without_an_end_is_shown_as_a_fraction_too(self) -> None:
        lines = {line.rule: line.value for line in explain(Rate(D("0.10")), 10)}
        assert lines["sum"] == "0.016666666666... (1/60)"
        assert lines["rounding"] == "0.0167"

    def test_what_costs_nothing_says_why(self) -> None:
        assert [line.rule for line in explain(Rate(D(1)), 0)] == ["duration", "grace"]
        assert explain(Rate(D(1), grace_s=6), 6)[-1].text == "At most 6 s long: nothing is charged"
        waived = {line.rule: line.text for line in explain(Rate(D(1), free_s=9, min_charge=D(1)), 6)}
        assert "waived" in waived["min_charge"]

    def test_a_year_long_call_is_told_in_a_few_lines(self) -> None:
        lines = explain(Rate(D(1), bands=(DAY,)), 365 * 86_400, at("2026-01-01T00:00"))
        assert len(lines) < 10
        assert lines[-1].value == "560052.0000", "261 working days of 660 minutes at 1.20, the rest at 1.00"

    def test_messages_can_be_translated_before_their_numbers_go_in(self) -> None:
        seen: list[str] = []

        def translate(message: str) -> str:
            seen.append(message)
            return message.upper() if "%" not in message else message

        lines = explain(Rate(D(1), grace_s=7), 6, translate=translate)
        assert lines[0].text.startswith("DURATION")
        assert "At most %(grace)s s long: nothing is charged" in seen


def test_a_rate_travels_between_processes() -> None:
    rate = Rate(D("0.60"), bands=(DAY,), holidays=frozenset({date(2026, 12, 25)}), time_zone=BERLIN)
    price(rate, 60, at("2026-11-20T12:00"))
    assert pickle.loads(pickle.dumps(rate)) == rate
    assert cost(pickle.loads(pickle.dumps(rate)), 60, at("2026-11-20T12:00")) == "1.2000"
