"""The phones that the READMEs try switches with are those of the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sip.scenarios import ANSWERS, HANGS_UP, IS_CUT

PHONES = Path(__file__).parents[2] / "examples/switches/phones"


@pytest.mark.parametrize(
    ("name", "scenario"),
    [("answers", ANSWERS), ("calls", HANGS_UP), ("is_cut", IS_CUT)],
    ids=("answers", "calls", "cut"),
)
def test_a_phone_of_the_examples_is_one_of_the_tests(name: str, scenario: str) -> None:
    assert (PHONES / f"{name}.xml").read_text() == scenario
