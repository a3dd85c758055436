"""The line protocol of `./manage price`: what a stranger's line may hold, and that no line stops the next."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest

from rating.kernel import Rate
from rating.kernel.wire import MAX_LINE_BYTES, answer, answers


def ask(**request: object) -> dict[str, Any]:
    return answer(json.dumps(request))


def refusal(line: str) -> dict[str, Any]:
    found = answer(line)
    assert list(found) == ["error"]
    error = found["error"]
    assert isinstance(error, dict)
    assert list(error) == ["code", "message", "where", "hint"]
    return error


def rated(extra: str, seconds: str = "60") -> str:
    return f'{{"rate": {{"price": 1, {extra}}}, "seconds": {seconds}, "answered_at": "2026-11-20T12:00:00Z"}}'


def test_a_price_and_a_duration_are_enough() -> None:
    assert ask(rate={"price": "0.60"}, seconds=75) == {"amount": "0.7500", "billed_s": 75}
    assert ask(rate={"price": 0.60}, seconds="74.5", answered_at=None) == {"amount": "0.7500", "billed_s": 75}
    assert ask(rate={"price": "0.60", "decimals": 0}, seconds=0) == {"amount": "0", "billed_s": 0}
    assert ask(rate={"price": "0.60", "decimals": 6}, seconds=0) == {"amount": "0.000000", "billed_s": 0}


def test_a_number_in_json_is_exact() -> None:
    line = '{"rate": {"price": 0.1000000000000000055, "step_s": 60, "decimals": 6}, "seconds": 6e7}'
    assert answer(line) == {"amount": "100000.000000", "billed_s": 60_000_000}


def test_every_key_of_a_rate() -> None:
    rate = {
        "price": "0.60",
        "connect_fee": "0.05",
        "first_s": 30,
        "step_s": 6,
        "grace_s": 3,
        "free_s": 10,
        "min_charge": "0.10",
        "decimals": 2,
        "rounding": "half_even",
        "time_zone": "Europe/Berlin",
        "band_rule": "split",
        "steps": [{"from_s": 60, "price": "0.30", "step_s": 30}],
        "bands": [
            {"days": "1-5,h", "from": "08:00", "to": "19:00", "price": "1.20"},
            {"days": "6-7", "from": "22:00", "to": "24:00", "steps": [{"from_s": 60, "price": 0}]},
        ],
        "holidays": ["2026-12-25"],
    }
    friday, sunday = "2026-11-20T12:00:00+01:00", "2026-11-22T12:00:00+01:00"
    assert ask(rate=rate, seconds=100, answered_at=friday) == {"amount": "1.85", "billed_s": 90}
    assert ask(rate=rate, seconds=100, answered_at=sunday) == {"amount": "0.89", "billed_s": 114}
    assert Rate.from_json(Rate.from_json(rate).to_json()) == Rate.from_json(rate)


def test_null_means_absent() -> None:
    rate = {"price": "0.60", "first_s": None, "step_s": None, "bands": None, "rounding": None}
    assert ask(rate=rate, seconds=60) == {"amount": "0.6000", "billed_s": 60}


@pytest.mark.parametrize(
    ("extra", "where"),
    [
        ('"pulse": 6', "rate.pulse"),
        ('"connect_fee": true', "rate.connect_fee"),
        ('"connect_fee": "1,5"', "rate.connect_fee"),
        ('"connect_fee": "\u0661\u0662"', "rate.connect_fee"),
        ('"connect_fee": "1_000"', "rate.connect_fee"),
        ('"connect_fee": " 1"', "rate.connect_fee"),
        ('"connect_fee": "NaN"', "rate.connect_fee"),
        ('"connect_fee": 1e400', "rate.connect_fee"),
        ('"connect_fee": 1e-400', "rate.connect_fee"),
        ('"connect_fee": -1', "rate.connect_fee"),
        ('"connect_fee": []', "rate.connect_fee"),
        ('"step_s": 1.5', "rate.step_s"),
        ('"step_s": 0', "rate.step_s"),
        ('"first_s": 0', "rate.first_s"),
        ('"decimals": 7', "rate.decimals"),
        ('"rounding": "bankers"', "rate.rounding"),
        ('"time_zone": 1', "rate.time_zone"),
        ('"steps": {}', "rate.steps"),
        ('"steps": [{"from_s": 60}]', "rate.steps[0].price"),
        ('"steps": [{"from_s": 60, "price": 1}, {"from_s": 90, "price": -1}]', "rate.steps[1].price"),
        ('"bands": [{"days": "1-5", "from": "08:00", "to": "19:00"}]', "rate.bands[0].price"),
        ('"bands": [{"days": "1-8", "from": "08:00", "to": "19:00", "price": 1}]', "rate.bands[0].days"),
        ('"bands": [{"days": "5-1", "from": "08:00", "to": "19:00", "price": 1}]', "rate.bands[0].days"),
        ('"bands": [{"days": "", "from": "08:00", "to": "19:00", "price": 1}]', "rate.bands[0].days"),
        ('"bands": [{"days": "1", "from": "24:00", "to": "19:00", "price": 1}]', "rate.bands[0].from"),
        ('"bands": [{"days": "1", "from": "08:60", "to": "19:00", "price": 1}]', "rate.bands[0].from"),
        ('"bands": [{"days": "1", "from": "08:00", "to": "24:01", "price": 1}]', "rate.bands[0].to"),
        ('"bands": [{"days": "1", "from": "08:00", "price": 1}]', "rate.bands[0].to"),
        ('"holidays": ["2026-02-30"]', "rate.holidays[0]"),
        ('"holidays": ["25.12.2026"]', "rate.holidays[0]"),
        ('"holidays": "2026-12-25"', "rate.holidays"),
    ],
)
def test_what_is_wrong_with_a_rate_is_named(extra: str, where: str) -> None:
    error = refusal(rated(extra))
    assert (error["code"], error["where"]) == ("invalid", where)


@pytest.mark.parametrize("seconds", ["-1", "true", '"ten"', "[]", "{}", "null", "1e400", "1e-400", '"\u0665"', "1e13"])
def test_durations_that_are_none(seconds: str) -> None:
    assert refusal(rated('"step_s": 1', seconds))["where"] == "seconds"


@pytest.mark.parametrize(
    "answered_at",
    [
        "2026-11-20",
        "2026-11-20T12:00:00",
        "2026-11-31T12:00:00Z",
        "2026-11-20T25:00:00Z",
        "0001-01-01T00:00:00Z",
        "now",
        5,
    ],
)
def test_times_that_are_none(answered_at: object) -> None:
    band = {"days": "1-7", "from": "00:00", "to": "24:00", "price": 1}
    error = ask(rate={"price": 1, "bands": [band]}, seconds=60, answered_at=answered_at)["error"]
    assert error["where"] == "answered_at"


def test_a_time_is_asked_for_only_where_bands_need_it() -> None:
    band = {"days": "1-7", "from": "00:00", "to": "24:00", "price": 2}
    assert ask(rate={"price": 1, "bands": [band]}, seconds=60)["error"]["where"] == "answered_at"
    assert ask(rate={"price": 1, "bands": [band]}, seconds=0)["amount"] == "0.0000"
    assert ask(rate={"price": 1}, seconds=60)["amount"] == "1.0000"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "[]",
        '"text"',
        "null",
        '{"rate": {"price": 1}, "seconds": 1} trailing',
        '{"rate": {"price": NaN}, "seconds": 1}',
        '{"rate": {"price": Infinity}, "seconds": 1}',
        '{"rate": {"price": 1, "price": 2}, "seconds": 1}',
        '{"seconds": 1, "rate": {"price": 1}, "seconds": 2}',
        '{"rate": {"price": 1e999999999999999999999}, "seconds": 1}',
        '{"rate": {"price": ' + "9" * 5000 + '}, "seconds": 1}',
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
)
def test_lines_that_are_no_request(line: str) -> None:
    assert refusal(line)["code"] == "not_json"


@pytest.mark.parametrize(
    "line", ["{}", '{"rate": {}, "seconds": 1}', '{"rate": [], "seconds": 1}', '{"rate": {"price": 1}}']
)
def test_requests_that_lack_something(line: str) -> None:
    assert refusal(line)["code"] == "invalid"


def test_a_key_that_nobody_knows_is_refused_whatever_it_holds() -> None:
    assert refusal('{"rate": {"price": 1}, "seconds": 1, "\\ud800": 1}')["where"] == "\ud800"
    assert "currency" in refusal('{"rate": {"price": 1}, "seconds": 1, "currency": "EUR"}')["where"]


def test_one_line_out_for_each_line_in() -> None:
    good = b'{"rate": {"price": "0.60"}, "seconds": 75}'
    long_line = b'{"rate": "' + b"x" * (2 * MAX_LINE_BYTES) + b'"}'
    lines = [b"\xef\xbb\xbf" + good, b"", b"\xff\xfe", long_line, b"[]", good + b"\r", good]
    found = [json.loads(text) for text in answers(io.BytesIO(b"\n".join(lines)))]
    assert ["error" in each for each in found] == [False, True, True, True, True, False, False]
    assert found[3]["error"]["code"] == "too_long"
    assert found[0] == found[-1] == {"amount": "0.7500", "billed_s": 75}


def test_hostile_lines_cost_no_time() -> None:
    bands = [
        {
            "days": "1-7,h",
            "from": f"{n // 10:02d}:{n % 10 * 6:02d}",
            "to": f"{n // 10:02d}:{n % 10 * 6 + 3:02d}",
            "price": 1,
        }
        for n in range(200)
    ]
    began = time.monotonic()
    assert "error" in ask(rate={"price": 1, "bands": bands}, seconds=10**11, answered_at="2026-01-01T00:00Z")
    assert "error" in ask(rate={"price": 1, "bands": bands * 20}, seconds=1, answered_at="2026-01-01T00:00Z")
    assert "error" in ask(rate={"price": 1, "connect_fee": "1e" + "9" * 60}, seconds=1)
    assert time.monotonic() - began < 20
