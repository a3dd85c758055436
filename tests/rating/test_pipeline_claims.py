"""Keys are looked up before anything is priced, but who has a key is decided by the claim in the transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from accounts.services.accounts import wallet_of
from billing.books import violations
from rating.models import ChunkStatus, Quarantined, RatedCall, RateTerms, UsageChunk, UsageRecord
from rating.pricing import Directory, Engine
from rating.pricing.columns import CallColumns, PricedColumns, price_calls
from rating.services import leases
from rating.services.copying import copy_fields
from rating.services.imports import counts, import_file
from rating.services.keys import taken
from rating.usage.formats.generic import GenericParser
from tests.cast import ACTOR
from tests.rating.calls_help import START, Call, many, write
from tiers.errors import Invalid
from tiers.models import Placement

if TYPE_CHECKING:
    from tests.cast import Cast


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path


def run(cast: Cast, path: Path) -> dict[str, int]:
    return counts(import_file(path, cast.source(), actor=ACTOR))


@pytest.mark.django_db
def test_a_file_that_comes_again_is_not_priced_again(cast: Cast, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(cast, write(files / "monday.csv", many(50)))
    monkeypatch.setattr(Engine, "price", lambda *_: pytest.fail("priced again"))
    assert run(cast, write(files / "again.csv", many(50)))["duplicate"] == 50


@pytest.mark.django_db
def test_of_two_workers_with_the_same_calls_the_slower_one_charges_nothing(
    cast: Cast, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The slower worker looked before the faster one wrote: it priced all, then found the keys taken."""
    calls = [*many(20), Call("changed", seconds=30)]
    run(cast, write(files / "fast.csv", calls))
    paid, rated = wallet_of(cast.alice).posted, RatedCall.objects.count()
    looks: Iterator[Callable[..., Any]] = iter([lambda *_: {}])
    monkeypatch.setattr("rating.services.chunk_work.taken", lambda *at: next(looks, taken)(*at))
    calls[-1] = Call("changed", seconds=31)
    found = run(cast, write(files / "slow.csv", [*calls, Call("new", seconds=0)]))
    assert (found["read"], found["duplicate"], found["quarantined"], found["free"]) == (22, 20, 1, 1)
    assert Quarantined.objects.get().code == "conflict"
    assert (wallet_of(cast.alice).posted, RatedCall.objects.count()) == (paid, rated)
    assert list(violations()) == []


@pytest.mark.django_db
def test_a_customer_that_changed_its_seller_is_found_under_each_at_its_time(cast: Cast) -> None:
    Placement.objects.filter(party=cast.alice).update(valid_to=START)
    Placement.objects.create(party=cast.alice, seller=cast.northstar, brand=cast.brand("northstar"), valid_from=START)
    directory = Directory()
    moments = [START - timedelta(seconds=1), START, START - timedelta(days=9), START + timedelta(days=9)]
    sellers = [[directory.people[link.seller].code for link in directory.chain(cast.alice.pk, at)] for at in moments]
    assert sellers == [["harbour", "northstar"], ["northstar"], ["harbour", "northstar"], ["northstar"]]


@pytest.mark.django_db
def test_records_that_break_the_machinery_are_set_aside_with_the_reason_and_keep_no_other_out(
    cast: Cast, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect of ours, for two calls: one by which the parser breaks, one by which pricing does."""
    parse = GenericParser.parse

    def pricing(engine: Engine, calls: CallColumns) -> PricedColumns:
        if 666 in calls.duration_s:
            raise ZeroDivisionError("of all things")
        return price_calls(engine, calls)

    def parsing(parser: GenericParser, line: int, text: str) -> Any:
        return parse(parser, line, text if "worse" not in text else None)  # type: ignore[arg-type]

    monkeypatch.setattr("rating.services.sorting.price_calls", pricing)
    monkeypatch.setattr(GenericParser, "parse", parsing)
    calls = [*many(20), Call("bad", seconds=666), Call("wörse"), *many(20, prefix="d")]
    path = write(files / "poison.csv", calls)
    path.write_text(path.read_text().replace("wörse", "worse ä"))
    found = run(cast, path)
    assert (found["read"], found["rated"], found["free"], found["quarantined"]) == (42, 32, 8, 2)
    kept = {row.line: (row.code, row.reason) for row in Quarantined.objects.all()}
    assert kept[22] == ("not_priced", "ZeroDivisionError: of all things")
    assert kept[23][0] == "not_understood"
    assert list(violations()) == []


@pytest.mark.django_db
def test_what_fails_as_a_whole_says_why_and_leaves_nothing_half_done(
    cast: Cast, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rating.services.chunk_work.records_of", lambda *_: 1 / 0)
    with pytest.raises(Invalid, match="division by zero"):
        run(cast, write(files / "a.csv", many(5)))
    [chunk] = UsageChunk.objects.all()
    assert (chunk.status, chunk.attempts) == (ChunkStatus.FAILED, leases.MAX_ATTEMPTS)
    assert not UsageRecord.objects.exists()
    assert wallet_of(cast.alice).posted == 0


@pytest.mark.django_db
def test_terms_are_stored_once_for_all_calls_that_share_them(cast: Cast, files: Path) -> None:
    run(cast, write(files / "a.csv", [Call("c1"), Call("c2", seconds=20)]))
    stored = RateTerms.objects.count()
    run(cast, write(files / "b.csv", [Call("c3")]))
    assert RateTerms.objects.count() == stored == 3, "alice's price, harbour's, the carrier's"


@pytest.mark.django_db
def test_odd_characters_come_through_as_they_were(cast: Cast, files: Path) -> None:
    path = write(files / "odd.csv", [Call("a\\N\\t1")])
    path.write_text(path.read_text().replace("Yealink T54W", "Agent \\. \\\\ é"))
    run(cast, path)
    record = UsageRecord.objects.get()
    assert (record.call_id, record.user_agent) == ("a\\N\\t1", "Agent \\. \\\\ é")


def test_values_are_written_as_copy_reads_them() -> None:
    values = (None, "a\tb\\c\nd\re\0", 7, Decimal("0.10"), UUID(int=10), START)
    expected = ["\\N", "a\\tb\\\\c\\nd\\re", "7", "0.10", f"{10:032x}", "2026-10-05T09:30:00+00:00"]
    assert copy_fields(values).split("\t") == expected
