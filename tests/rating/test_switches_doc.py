"""What docs/switches.md tells who connects a switch is true: its examples are asked, its figures are the code's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client

from rating.live import asking, door, knock, switches
from rating.live.controls import read_controls
from rating.live.switches import create_switch_key
from tests.cast import ACTOR
from tests.rating.live_help import assert_clean

if TYPE_CHECKING:
    from tests.cast import Cast

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/switches.md").read_text()
pytestmark = pytest.mark.django_db


def examples() -> list[dict[str, Any]]:
    decoder, found = json.JSONDecoder(), []
    for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL):
        rest = block.strip()
        while rest:
            value, end = decoder.raw_decode(rest)
            found.append(value)
            rest = rest[end:].strip()
    return found


def test_the_examples_are_answered_as_they_say(cast: Cast) -> None:
    cast.fund("harbour", 100)
    cast.fund("alice", 20)
    key = create_switch_key(cast.source(), "front", [], actor=ACTOR, interims=True, slice_s=7200)[1]
    assert len(examples()) == 10
    for one in examples():
        headers = {"Authorization": f"Bearer {key}"}
        for how in ({"data": json.dumps(one["said"]), "content_type": "application/json"}, {"data": one["said"]}):
            answer = Client().post(f"/api/v1/calls/{one['post']}", headers=headers, **how)
            told = answer.json()
            assert (answer.status_code, one["answer"] | told) == (one["status"], told), one
    assert_clean()


def test_its_table_of_answers_is_the_door_s() -> None:
    rows = set(re.findall(r"^\| (\d{3}) \| (\d{3}) \|", TEXT, re.MULTILINE))
    assert rows == {(str(http), str(sip)) for sip, http in {**door.HTTP_OF_SIP, 200: 200}.items()} | {("401", "403")}


def test_its_figures_are_those_of_the_code() -> None:
    said = " ".join(TEXT.split())
    assert f"{switches.SLICE_WITH_INTERIMS_S} with `--reports`" in said
    assert f"else {switches.SLICE_S:,}." in said
    assert f"is out after {switches.BELIEVED_S:g} seconds" in said
    assert f"{asking.GRACE.seconds} seconds after its last allowed second" in said
    assert f"At most {knock.MAX_BODY_BYTES // 1024} KB" in said


def test_its_setting_of_controls_can_be_read() -> None:
    [setting] = re.findall(r"SWITCH_CONTROLS='(.*?)'", TEXT, re.DOTALL)
    assert set(read_controls(setting)) == {"SOURCE", "SOURCE/sbc2"}


@pytest.mark.parametrize("name", ["asterisk", "freeswitch", "kamailio"])
def test_the_setting_in_a_readme_can_be_read(name: str) -> None:
    readme = (ROOT / f"examples/switches/{name}/README.md").read_text()
    [setting] = re.findall(r"SWITCH_CONTROLS='(.*?)'", readme, re.DOTALL)
    assert [control.kind for control in read_controls(setting).values()] == [name]


def test_what_it_links_to_is_there() -> None:
    links = re.findall(r"\]\((\.\./[^)]+)\)", TEXT)
    assert len(links) == 4
    assert [link for link in links if not (ROOT / "docs" / link).is_file()] == []
