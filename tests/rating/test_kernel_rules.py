"""The price rules one by one, as calls that people make. Each figure was worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, getcontext, localcontext
from zoneinfo import ZoneInfo

import pytest

from rating.kernel import Band, Charge, Rate, Step, price

D = Decimal
WEEKDAYS = frozenset({1, 2, 3, 4, 5})
EVERY_DAY = frozenset(range(1, 8))
BERLIN = "Europe/Berlin"


def at(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def cost(rate: Rate, duration_s: int | Decimal, answered_at: datetime | None = None) -> str:
    return str(price(rate, duration_s, answered_at).amount)


class TestIncrements:
    @pytest.mark.parametrize(
        ("first_s", "step_s", "duration_s", "billed_s"),
        [
            (60, 60, 75, 120),
            (60, 11, 560, 566),
            (30, 6, 75, 78),
            (12, 13, 560, 571),
            (60, 1, 45, 60),
            (90, 60, 91, 150),
            (1, 1, 75, 75),
            (60, 7, 95, 95),
        ],
    )
    def test_the_agreed_table(self, first_s: int, step_s: int, duration_s: int, billed_s: int) -> None:
        flat = Rate(D("0.60"), first_s=first_s, step_s=step_s, decimals=6)
        stepped = Rate(D("0.60"), first_s=first_s, step_s=step_s, decimals=6, steps=(Step(9999, D(1)),))
        for rate in (flat, stepped):
            assert price(rate, duration_s) == Charge(D(billed_s) / 100, billed_s, True)

    def test_without_a_first_increment_the_step_is_laid_from_the_start(self) -> None:
        assert price(Rate(D(1), step_s=30), 31).billed_s == 60

    def test_a_call_that_ends_with_an_increment_pays_for_no_more(self) -> None:
        rate = Rate(D(1), first_s=30, step_s=6)
        assert [price(rate, s).billed_s for s in (29, 30, 31, 36, 37)] == [30, 30, 36, 36, 42]

    def test_a_trillion_seconds_are_one_sum(self) -> None:
        assert price(Rate(D("0.06"), step_s=1), 10**12).amount == D(10**9)


class TestNothingIsCharged:
    def test_not_answered(self) -> None:
        rate = Rate(D(1), connect_fee=D(1), min_charge=D(5))
        assert price(rate, 0) == Charge(D("0.0000"), 0, False)
        assert cost(rate, 0) == "0.0000"

    def test_grace_covers_its_last_second_and_then_the_whole_call_is_charged(self) -> None:
        rate = Rate(D("0.60"), connect_fee=D("0.05"), grace_s=5, decimals=2)
        assert price(rate, 5) == Charge(D("0.00"), 0, False)
        assert price(rate, 6) == Charge(D("0.11"), 6, True)

    def test_a_fraction_of_a_second_is_rounded_up_before_grace(self) -> None:
        rate = Rate(D("0.60"), grace_s=5, decimals=2)
        assert price(rate, D("4.2")).charged is False
        assert price(rate, D("5.001")) == Charge(D("0.06"), 6, True)
        assert price(rate, D("59.000")).billed_s == 59

    def test_a_rate_with_bands_needs_no_time_for_a_call_without_an_answer(self) -> None:
        rate = Rate(D(1), bands=(Band(EVERY_DAY, True, 0, 1440, D(2)),))
        assert price(rate, 0, None).charged is False


class TestFreeSeconds:
    def test_increments_are_laid_after_them(self) -> None:
        rate = Rate(D("0.60"), first_s=30, step_s=6, free_s=20, decimals=2)
        assert price(rate, 51) == Charge(D("0.36"), 36, True)

    def test_a_call_covered_by_them_pays_the_connection_but_not_the_minimum(self) -> None:
        rate = Rate(D(1), connect_fee=D("0.02"), min_charge=D("0.50"), free_s=60)
        assert price(rate, 60) == Charge(D("0.0200"), 0, True)
        assert price(rate, 61) == Charge(D("0.5000"), 1, True)

    def test_they_count_for_the_steps(self) -> None:
        rate = Rate(D("0.60"), step_s=10, free_s=60, steps=(Step(60, D("1.20")),), decimals=2)
        assert cost(rate, 70) == "0.20"
        longer = Rate(D("0.60"), first_s=30, free_s=60, steps=(Step(45, D("1.20")),), decimals=2)
        assert cost(longer, 61) == "0.60", "the first increment begins at second 60"


class TestMinimumAndRounding:
    def test_the_minimum_includes_the_connection(self) -> None:
        rate = Rate(D("0.60"), connect_fee=D("0.05"), min_charge=D("0.10"), decimals=2)
        assert [cost(rate, s) for s in (1, 5, 6)] == ["0.10", "0.10", "0.11"]

    @pytest.mark.parametrize(
        ("rounding", "amounts"),
        [
            ("half_up", ["0.13", "0.38", "0.34", "0.13"]),
            ("half_even", ["0.12", "0.38", "0.34", "0.13"]),
            ("up", ["0.13", "0.38", "0.34", "0.13"]),
            ("down", ["0.12", "0.37", "0.33", "0.12"]),
        ],
    )
    def test_modes_at_a_tie_above_and_below(self, rounding: str, amounts: list[str]) -> None:
        per_minute = ["0.125", "0.375", "0.335000000000000001", "0.1250001"]
        rates = [Rate(D(text), step_s=60, decimals=2, rounding=rounding) for text in per_minute]
        assert [cost(rate, 60) for rate in rates] == amounts

    def test_up_and_down_differ_from_the_nearest(self) -> None:
        third = {mode: cost(Rate(D(1), rounding=mode), 20) for mode in ("half_up", "up", "down")}
        assert third == {"half_up": "0.3333", "up": "0.3334", "down": "0.3333"}

    def test_rounded_once_and_not_per_increment(self) -> None:
        """100 steps of 1 s at 0.001 a minute: each rounds to 0.0000, the call costs 0.0017."""
        assert cost(Rate(D("0.001")), 100) == "0.0017"

    def test_thirds_of_a_cent_add_up_exactly(self) -> None:
        rate = Rate(D("0.01"), step_s=20, decimals=6, rounding="down", steps=(Step(20, D("0.01")),))
        assert cost(rate, 60) == "0.010000"

    @pytest.mark.parametrize(("decimals", "text"), [(0, "1"), (1, "1.2"), (6, "1.234568")])
    def test_decimals_of_the_list(self, decimals: int, text: str) -> None:
        assert cost(Rate(D("1.23456789"), step_s=60, decimals=decimals), 60) == text

    def test_the_callers_decimal_context_changes_nothing(self) -> None:
        rate = Rate(D("123456.12345678"), connect_fee=D("0.000001"), decimals=6)
        with localcontext() as context:
            context.prec = 3
            narrow = price(rate, 86_399).amount
        assert narrow == D("177774760.175707")
        assert getcontext().prec == 28


class TestSteps:
    def test_an_increment_costs_what_holds_when_it_begins(self) -> None:
        """60 s at 0.60, then from second 50 on 1.20: the second increment begins at 60, the first at 0."""
        rate = Rate(D("0.60"), step_s=60, steps=(Step(50, D("1.20")),), decimals=2)
        assert [cost(rate, s) for s in (60, 61)] == ["0.60", "1.80"]

    def test_a_step_may_bring_its_own_increment(self) -> None:
        rate = Rate(D("0.60"), first_s=60, step_s=6, steps=(Step(60, D("0.30"), 30), Step(120, D("0.06"))))
        assert price(rate, 61) == Charge(D("0.7500"), 90, True)
        assert price(rate, 121) == Charge(D("0.9060"), 126, True)

    def test_a_step_from_the_answer_on_replaces_the_price_and_the_first_increment_keeps_its_length(
        self,
    ) -> None:
        steps = (Step(0, D("0.60"), 10),)
        assert price(Rate(D(9), step_s=7, steps=steps), 1) == Charge(D("0.1000"), 10, True)
        assert price(Rate(D(9), first_s=30, step_s=7, steps=steps), 31) == Charge(D("0.4000"), 40, True)

    def test_a_step_begins_with_its_second(self) -> None:
        rate = Rate(D("0.60"), steps=(Step(7, D("6.00")), Step(8, D("60.00"))), decimals=2)
        assert [cost(rate, s) for s in (7, 8, 9)] == ["0.07", "0.17", "1.17"]

    def test_they_may_be_given_in_any_order(self) -> None:
        steps = (Step(120, D(3)), Step(60, D(2)))
        assert cost(Rate(D(1), step_s=60, steps=steps), 180) == "6.0000"


DAY = Band(WEEKDAYS, False, 8 * 60, 19 * 60, D("1.20"))


class TestBands:
    def test_office_hours_in_the_lists_zone(self) -> None:
        rate = Rate(D("0.60"), time_zone=BERLIN, bands=(DAY,), step_s=60, decimals=2)
        assert cost(rate, 60, at("2026-11-20T07:59:59", BERLIN)) == "0.60"
        assert cost(rate, 60, at("2026-11-20T08:00", BERLIN)) == "1.20"
        assert cost(rate, 60, at("2026-11-20T18:59:59", BERLIN)) == "1.20"
        assert cost(rate, 60, at("2026-11-20T19:00", BERLIN)) == "0.60"
        assert cost(rate, 60, at("2026-11-21T12:00", BERLIN)) == "0.60"
        assert cost(rate, 60, at("2026-11-20T07:30")) == "1.20", "08:30 in Berlin"

    def test_a_call_over_the_boundary_changes_with_the_increment_that_begins_after_it(self) -> None:
        rate = Rate(D("0.60"), bands=(DAY,), step_s=60, decimals=2)
        assert cost(rate, 240, at("2026-11-20T07:58:30")) == "3.60"
        fixed = Rate(D("0.60"), bands=(DAY,), step_s=60, decimals=2, band_rule="at_start")
        assert cost(fixed, 240, at("2026-11-20T07:58:30")) == "2.40"

    def test_an_answer_between_two_seconds(self) -> None:
        rate = Rate(D("0.60"), bands=(DAY,), decimals=2)
        assert cost(rate, 1, at("2026-11-20T07:59:59.999999")) == "0.01"
        assert cost(rate, 2, at("2026-11-20T07:59:59.999999")) == "0.03"

    def test_at_start_is_the_answer_and_not_the_end_of_the_free_seconds(self) -> None:
        rate = Rate(D("0.60"), bands=(DAY,), free_s=60, band_rule="at_start", decimals=2)
        assert cost(rate, 70, at("2026-11-20T07:59:30")) == "0.10"

    def test_in_a_band_the_steps_of_the_rate_do_not_hold(self) -> None:
        rate = Rate(D("0.60"), steps=(Step(0, D(6), 30),), bands=(DAY,), decimals=2)
        assert price(rate, 1, at("2026-11-20T12:00")) == Charge(D("0.02"), 1, True)
        assert price(rate, 1, at("2026-11-20T20:00")) == Charge(D("3.00"), 30, True)

    def test_steps_of_a_band_and_what_holds_before_them(self) -> None:
        steps = (Step(60, D("0.30"), 30),)
        bare = Band(WEEKDAYS, False, 480, 1140, None, steps)
        priced = Band(WEEKDAYS, False, 480, 1140, D("6.00"), steps)
        noon = at("2026-11-20T12:00")
        assert price(Rate(D("0.60"), bands=(bare,), decimals=2), 61, noon) == Charge(D("0.75"), 90, True)
        assert price(Rate(D("0.60"), bands=(priced,), decimals=2), 61, noon) == Charge(D("6.15"), 90, True)

    def test_a_band_may_cost_nothing(self) -> None:
        free = Band(WEEKDAYS, False, 480, 1140, D(0))
        assert cost(Rate(D("0.60"), bands=(free,)), 60, at("2026-11-20T12:00")) == "0.0000"

    def test_elapsed_seconds_go_on_counting_in_another_band(self) -> None:
        band = Band(WEEKDAYS, False, 480, 1140, None, (Step(90, D("6.00")),))
        rate = Rate(D("0.60"), step_s=60, bands=(band,), decimals=2)
        assert cost(rate, 180, at("2026-11-20T07:59:00")) == "7.20", "0.60 + 0.60 at second 60 + 6.00 at 120"

    def test_every_minute_to_the_end_of_the_day(self) -> None:
        rate = Rate(D(0), step_s=60, bands=(Band(frozenset({5}), False, 23 * 60, 1440, D(1)),), decimals=0)
        assert cost(rate, 7200, at("2026-11-20T22:30")) == "60"


class TestMidnightAndHolidays:
    night = Band(WEEKDAYS, False, 22 * 60, 6 * 60, D("0.60"))

    def rate(self, *bands: Band, holidays: tuple[str, ...] = ()) -> Rate:
        days = frozenset(date.fromisoformat(day) for day in holidays)
        return Rate(D("6.00"), step_s=60, bands=bands, holidays=days, decimals=2)

    def test_a_night_belongs_to_the_day_on_which_it_began(self) -> None:
        rate = self.rate(self.night)
        assert cost(rate, 60, at("2026-11-21T05:59")) == "0.60", "Friday's night reaches into Saturday"
        assert cost(rate, 60, at("2026-11-23T05:59")) == "6.00", "Sunday had none"
        assert cost(rate, 120, at("2026-11-21T05:59")) == "6.60"

    def test_a_night_into_a_holiday_runs_to_its_end(self) -> None:
        rate = self.rate(self.night, holidays=("2026-12-25",))
        assert cost(rate, 60, at("2026-12-25T03:00")) == "0.60", "began on Thursday the 24th"
        assert cost(rate, 60, at("2026-12-25T23:00")) == "6.00", "no h: not in force on a holiday"
        assert cost(rate, 60, at("2026-12-26T03:00")) == "6.00"

    def test_a_holiday_night_runs_into_the_working_day(self) -> None:
        feast = Band(frozenset(), True, 20 * 60, 4 * 60, D("0.06"))
        rate = self.rate(feast, holidays=("2026-12-24",))
        assert cost(rate, 60, at("2026-12-25T03:59")) == "0.06"
        assert cost(rate, 60, at("2026-12-25T04:00")) == "6.00"
        assert cost(rate, 60, at("2026-12-25T21:00")) == "6.00"

    def test_on_a_holiday_only_bands_that_name_h_hold(self) -> None:
        both = Band(WEEKDAYS, True, 480, 720, D("1.20"))
        working = Band(WEEKDAYS, False, 720, 1140, D("2.40"))
        rate = self.rate(both, working, holidays=("2026-12-25", "2026-12-26"))
        assert cost(rate, 60, at("2026-12-25T09:00")) == "1.20"
        assert cost(rate, 60, at("2026-12-25T13:00")) == "6.00"
        assert cost(rate, 60, at("2026-12-26T09:00")) == "1.20", "a Saturday, but a holiday"
        assert cost(rate, 60, at("2026-12-19T09:00")) == "6.00", "a plain Saturday"

    def test_a_holiday_is_that_of_the_lists_zone(self) -> None:
        feast = Band(frozenset(), True, 0, 1440, D("0.06"))
        days = frozenset({date(2026, 12, 25)})
        rate = Rate(D(6), step_s=60, bands=(feast,), holidays=days, time_zone="Asia/Hong_Kong", decimals=2)
        assert cost(rate, 60, at("2026-12-24T16:00")) == "0.06"
        assert cost(rate, 60, at("2026-12-25T16:00")) == "6.00"

    def test_from_a_time_to_the_same_time_is_a_whole_day(self) -> None:
        rate = self.rate(Band(frozenset({5}), False, 480, 480, D("0.60")))
        assert cost(rate, 60, at("2026-11-20T07:59")) == "6.00"
        assert cost(rate, 60, at("2026-11-21T07:59")) == "0.60"
        assert cost(rate, 60, at("2026-11-21T08:00")) == "6.00"


class TestClocksThatChange:
    """Berlin, 2026: 29 March 02:00 becomes 03:00; on 25 October 03:00 becomes 02:00 again."""

    early = Rate(D(0), step_s=60, decimals=0, time_zone=BERLIN, bands=(Band(EVERY_DAY, False, 120, 180, D(1)),))

    def test_the_hour_that_is_skipped_has_no_minutes(self) -> None:
        assert cost(self.early, 3 * 3600, at("2026-03-29T00:00:00")) == "0"

    def test_the_hour_that_comes_twice_counts_twice(self) -> None:
        assert cost(self.early, 4 * 3600, at("2026-10-24T23:00:00")) == "120"
        assert cost(self.early, 60, at("2026-10-25T00:30")) == "1", "02:30 for the first time"
        assert cost(self.early, 60, at("2026-10-25T01:30")) == "1", "02:30 for the second time"
        assert cost(self.early, 60, at("2026-10-25T02:00")) == "0", "03:00"

    def test_a_band_that_ends_in_the_repeated_hour_comes_back(self) -> None:
        rate = Rate(D(0), step_s=60, decimals=0, time_zone=BERLIN, bands=(Band(EVERY_DAY, False, 0, 150, D(1)),))
        assert cost(rate, 6 * 3600, at("2026-10-24T22:00:00")) == "180", "00:00-02:30, and 02:00-02:30 again"

    def test_a_band_that_begins_in_the_skipped_hour_begins_after_it(self) -> None:
        rate = Rate(D(0), step_s=60, decimals=0, time_zone=BERLIN, bands=(Band(EVERY_DAY, False, 150, 240, D(1)),))
        assert cost(rate, 5 * 3600, at("2026-03-28T23:00:00")) == "60", "03:00-04:00 only"

    def test_the_zone_of_the_answer_does_not_matter(self) -> None:
        rate = Rate(D("0.60"), time_zone=BERLIN, bands=(DAY,), step_s=60)
        noon = datetime(2026, 11, 20, 11, tzinfo=UTC)
        zones = [UTC, ZoneInfo("America/New_York"), timezone(timedelta(hours=-3, minutes=-30))]
        assert {cost(rate, 60, noon.astimezone(zone)) for zone in zones} == {"1.2000"}
