"""What Harbour Voice's customers dial, from hotels and offices in several countries."""

from __future__ import annotations

import json
import pickle
import time

import phonenumbers
import pytest

from rating.numbers import BadNumber, DialPlan, Number, ServiceClass
from rating.numbers.countries import country
from rating.numbers.names import country_name, display, region_code

HOTEL = DialPlan(home_country="HK")
NEW_YORK = DialPlan(home_country="US", area_code="212", access_codes=("9",))
LONDON = DialPlan(home_country="GB", area_code="20", access_codes=("9",))
BERLIN = DialPlan(home_country="DE", area_code="30")
MOSCOW = DialPlan(home_country="RU", access_codes=("8~10",))


def outcome(plan: DialPlan, raw: str) -> tuple[str, str]:
    number = plan.normalise(raw)
    if isinstance(number, BadNumber):
        return "", number.code
    return number.e164, number.service_class.value


@pytest.mark.parametrize(
    ("raw", "e164", "kind"),
    [
        ("23456789", "85223456789", "local"),
        ("+852 2345 6789", "85223456789", "local"),
        ("0085223456789", "85223456789", "local"),
        ("85223456789", "85223456789", "local"),
        ("91234567", "85291234567", "mobile"),
        ("800123456", "852800123456", "toll_free"),
        ("90012345678", "85290012345678", "premium"),
        ("+44 (0)20 7183 8750", "442071838750", "international"),
        ("00442071838750", "442071838750", "international"),
        ("011442071838750", "442071838750", "international"),
        ("442071838750", "442071838750", "international"),
        ("001-212-555-0100", "12125550100", "international"),
        ("+80012345678", "80012345678", "toll_free"),
        ("+979123456789", "979123456789", "premium"),
        ("+870776399999", "870776399999", "international"),
        ("999", "999", "emergency"),
        ("112", "112", "emergency"),
        ("203", "203", "on_net"),
        ("*203", "203", "on_net"),
        ("Ext.10016", "10016", "on_net"),
        ("ext 42", "42", "on_net"),
        ("#31#004930123456", "4930123456", "international"),
        ("sip:+85223456789@pbx.example;user=phone", "85223456789", "local"),
        ("tel:+85291234567", "85291234567", "mobile"),
        ("23456789,,1234#", "85223456789", "local"),
        ("٢٣٤٥٦٧٨٩", "85223456789", "local"),
        ("＋８５２２３４５６７８９", "85223456789", "local"),
    ],
)
def test_a_hotel_in_hong_kong(raw: str, e164: str, kind: str) -> None:
    assert outcome(HOTEL, raw) == (e164, kind)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "empty"),
        ("  - ", "empty"),
        ("anonymous", "letters"),
        ("s", "letters"),
        ("2345_6789", "characters"),
        ("23+456789", "characters"),
        ("*12*x", "feature_code"),
        ("+1", "too_short"),
        ("+99912345678", "unknown_country"),
        ("+1234567890123456", "too_long"),
        ("9" * 40, "too_long"),
        ("00", "too_short"),
        ("000000000", "unknown_country"),
    ],
)
def test_what_nobody_can_be_charged_for_says_why(raw: str, code: str) -> None:
    assert outcome(HOTEL, raw) == ("", code)


@pytest.mark.parametrize(
    ("plan", "raw", "e164", "kind"),
    [
        (NEW_YORK, "5550100", "12125550100", "local"),
        (NEW_YORK, "912125550100", "12125550100", "local"),
        (NEW_YORK, "916505550100", "16505550100", "long_distance"),
        (NEW_YORK, "9011442071838750", "442071838750", "international"),
        (NEW_YORK, "01134912345678", "34912345678", "international"),
        (NEW_YORK, "18762345678", "18762345678", "international"),
        (NEW_YORK, "14165550100", "14165550100", "international"),
        (NEW_YORK, "18005551212", "18005551212", "toll_free"),
        (NEW_YORK, "19005551212", "19005551212", "premium"),
        (NEW_YORK, "911", "911", "emergency"),
        (NEW_YORK, "9911", "911", "emergency"),
        (NEW_YORK, "*672125550100", "12125550100", "local"),
        (LONDON, "71838750", "442071838750", "local"),
        (LONDON, "902071838750", "442071838750", "local"),
        (LONDON, "01132345678", "441132345678", "long_distance"),
        (LONDON, "07400123456", "447400123456", "mobile"),
        (LONDON, "9999", "999", "emergency"),
        (LONDON, "900493012345678", "493012345678", "international"),
        (BERLIN, "7123456", "49307123456", "local"),
        (BERLIN, "0301234567", "49301234567", "local"),
        (BERLIN, "089123456", "4989123456", "long_distance"),
        (BERLIN, "110", "110", "emergency"),
        (BERLIN, "11833", "11833", "local"),
        (DialPlan(home_country="FR", area_code="1"), "118218", "118218", "premium"),
        (MOSCOW, "8~104930123456", "4930123456", "international"),
        (MOSCOW, "8104930123456", "4930123456", "international"),
        (MOSCOW, "84951234567", "74951234567", "long_distance"),
        (MOSCOW, "+77272345678", "77272345678", "international"),
        (DialPlan(home_country="IT"), "0612345678", "390612345678", "local"),
        (DialPlan(home_country="DE", access_codes=("0",)), "0030123456", "4930123456", "long_distance"),
        (DialPlan(home_country="DE", access_codes=("0",)), "000442071838750", "442071838750", "international"),
    ],
)
def test_offices_elsewhere(plan: DialPlan, raw: str, e164: str, kind: str) -> None:
    assert outcome(plan, raw) == (e164, kind)


def test_short_numbers_never_pass_for_prefixes_of_countries() -> None:
    for raw in ("203", "*203", "Ext.10016", "999"):
        number = HOTEL.normalise(raw)
        assert isinstance(number, Number)
        assert not number.is_e164
    plain = HOTEL.normalise("+442071838750")
    assert isinstance(plain, Number)
    assert plain.is_e164


def test_emergency_numbers_go_by_country_and_win_over_extensions() -> None:
    assert outcome(NEW_YORK, "999")[1] == "on_net"
    assert outcome(BERLIN, "911")[1] == "on_net"
    assert outcome(DialPlan(home_country="JP"), "119")[1] == "emergency"
    assert outcome(DialPlan(home_country="AU"), "000")[1] == "emergency"
    assert outcome(DialPlan(home_country="DE", emergency=("911",)), "911")[1] == "emergency"
    wide = DialPlan(home_country="GB", on_net=(("990", "999"),))
    assert outcome(wide, "998")[1] == "on_net"
    assert outcome(wide, "999")[1] == "emergency"


def test_on_net_ranges_hold_for_extensions_and_for_whole_numbers() -> None:
    campus = DialPlan(on_net=(("20000", "29999"), ("85239170000", "85239179999")), extension_lengths=())
    assert outcome(campus, "25555") == ("25555", "on_net")
    assert outcome(campus, "39171234") == ("85239171234", "on_net")
    assert outcome(campus, "+85239171234") == ("85239171234", "on_net")
    assert outcome(campus, "39181234") == ("85239181234", "local")
    assert outcome(campus, "30000")[1] != "on_net"
    assert outcome(campus, "203") == ("", "too_short")


def test_a_wholesale_switch_sends_e164_without_plus() -> None:
    plain = DialPlan(home_country="US", plain_e164=True)
    assert outcome(plain, "4930123456") == ("4930123456", "international")
    assert outcome(plain, "12125550100") == ("12125550100", "long_distance")
    assert outcome(plain, "00442071838750") == ("442071838750", "international")


def test_a_range_that_the_metadata_does_not_know_yet_is_still_a_number() -> None:
    assert country("HK").kind("41000000") is None
    assert outcome(HOTEL, "41000000") == ("85241000000", "local")


def test_every_example_of_every_country_is_understood_at_home_and_abroad() -> None:
    """The library's own examples: E.164 must come out alike, from `+` and from the national writing."""
    kinds = {
        phonenumbers.PhoneNumberType.TOLL_FREE: {"toll_free"},
        phonenumbers.PhoneNumberType.MOBILE: {"mobile", "local", "long_distance"},
        phonenumbers.PhoneNumberType.FIXED_LINE: {"local", "long_distance"},
        phonenumbers.PhoneNumberType.PREMIUM_RATE: {"premium"},
    }
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        home, abroad = DialPlan(home_country=region), DialPlan(home_country="HK" if region != "HK" else "US")
        for number_type, allowed in kinds.items():
            example = phonenumbers.example_number_for_type(region, number_type)
            if example is None:
                continue
            e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            found, kind = outcome(home, e164)
            assert found == e164[1:], (region, e164)
            assert kind in allowed, (region, e164, kind)
            assert outcome(abroad, e164)[0] == e164[1:]


def test_a_plan_goes_to_json_and_back() -> None:
    plan = DialPlan("GB", ("00",), "0", "20", ("9", "8~10"), (("200", "299"),), ("101",), (4,), plain_e164=True)
    assert DialPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert DialPlan.from_json({}) == DialPlan()
    assert DialPlan.from_json({"on_net": ["200-299", "7000"]}).on_net == (("200", "299"), ("7000", "7000"))
    assert pickle.loads(pickle.dumps(plan)) == plan


@pytest.mark.parametrize(
    "data",
    [
        {"home_country": "XX"},
        {"home": "HK"},
        {"access_codes": "9"},
        {"access_codes": ["nine"]},
        {"access_codes": [""]},
        {"on_net": [["299", "200"]]},
        {"on_net": [["20", "2000"]]},
        {"on_net": ["a-b"]},
        {"on_net": [7]},
        {"extension_lengths": [40]},
        {"area_code": "two"},
        {"access_codes": [9]},
        {"home_country": None},
    ],
)
def test_a_plan_of_no_use_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        DialPlan.from_json(data)


def test_names_and_numbers_for_people() -> None:
    names = {"852": "Hong Kong", "4930": "Germany", "1416": "Canada", "1876": "Jamaica", "77": "Kazakhstan"}
    assert {prefix: country_name(prefix) for prefix in names} == names
    assert country_name("49", "de") == "Deutschland"
    assert country_name("870") == "Inmarsat"
    assert (country_name("999"), region_code("999"), region_code("441481")) == ("", None, "GG")
    assert display("442071838750") == "+44 20 7183 8750"
    assert (display("203"), display("")) == ("203", "")


def test_many_different_numbers_take_little_time() -> None:
    """A full parse of each would take ten times as long; the bound is wide for a busy machine."""
    plan = DialPlan(home_country="HK", area_code="")
    raws = [f"+4420{number}" for number in range(70_000_000, 70_020_000)]
    raws += [f"2{number}" for number in range(3_000_000, 3_020_000)]
    plan.normalise("+442071838750"), plan.normalise("23456789")
    before = time.process_time()
    found = [plan.normalise(raw) for raw in raws]
    took_s = time.process_time() - before
    assert all(isinstance(number, Number) for number in found)
    assert took_s < 2.0, f"{len(raws) / took_s:.0f} numbers a second"


def test_patterns_of_countries_keep_their_groups_apart() -> None:
    """The group that matched tells the kind, so no pattern of the library may bring groups of its own."""
    for region in phonenumbers.SUPPORTED_REGIONS:
        assert country(region).kinds.groups == 9
        assert country(region).short_kinds.groups in (0, 3)


def test_every_class_of_the_design_can_come_out() -> None:
    raws = ["203", "23456789", "00442071838750", "91234567", "90012345678", "800123456", "999"]
    found = {outcome(HOTEL, raw)[1] for raw in raws} | {outcome(LONDON, "01132345678")[1]}
    assert found == {kind.value for kind in ServiceClass}
