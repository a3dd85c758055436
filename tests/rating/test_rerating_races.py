"""Two hands at the same week: every difference is posted once, by whoever came first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from accounts.models import Transfer
from billing.books import violations
from rating.models import RatedCorrection, RerateRun, RerateStatus
from rating.services import rerating
from rating.services.rerating_post import Corrector
from tests.cast import ACTOR
from tests.rating.rerating_help import a_week, correct_rate, selection

if TYPE_CHECKING:
    from uuid import UUID

    from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)


def together(*runs: UUID) -> None:
    """Each run in a thread, and so a session, of its own; what goes wrong there is raised here."""

    def work(run: UUID) -> None:
        with closing(connection):
            rerating.work(run)

    with ThreadPoolExecutor(len(runs)) as pool:
        list(pool.map(work, runs))


@pytest.fixture
def week(cast: Cast, tmp_path: Path, settings: Any) -> Cast:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    a_week(cast, tmp_path, each=6)
    correct_rate(cast, "0.02")
    return cast


def test_two_runs_of_the_same_week_at_once_post_it_once(week: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rerating, "AT_ONCE", 5)
    before = week.wallet("dave").posted
    runs = [rerating.preview(selection(week), actor=ACTOR) for _time in range(2)]
    for run in runs:
        rerating.accept(run, actor=ACTOR, increases=rerating.ALL)
    together(*(run.pk for run in runs))
    assert before - week.wallet("dave").posted == 6 * Decimal("0.0217")
    assert set(RerateRun.objects.values_list("status", flat=True)) == {RerateStatus.DONE}
    done = [sum(run.counts.get(name, 0) for name in ("up", "inside")) for run in RerateRun.objects.all()]
    assert sum(done) == 24, "each call is corrected by one of the two"
    assert RatedCorrection.objects.filter(number__gt=1).count() == 0
    assert list(violations()) == []


def test_two_workers_of_one_run_post_it_once(week: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that came twice: one works, the other leaves."""
    monkeypatch.setattr(rerating, "AT_ONCE", 3)
    run = rerating.preview(selection(week), actor=ACTOR)
    rerating.accept(run, actor=ACTOR, increases=rerating.ALL)
    together(run.pk, run.pk)
    run.refresh_from_db()
    assert (run.status, run.counts["looked"]) == (RerateStatus.DONE, 24)
    assert list(violations()) == []


def test_a_worker_that_dies_leaves_whole_slices_and_the_next_goes_on(
    week: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = rerating.preview(selection(week), actor=ACTOR)
    rerating.accept(run, actor=ACTOR, increases=rerating.ALL)
    monkeypatch.setattr(rerating, "AT_ONCE", 7)
    real, times = Corrector.write, iter([1, 2, 0])

    def write(self: Any, *arguments: Any) -> int:
        made = real(self, *arguments)
        if not next(times):
            raise RuntimeError("power cut")
        return made

    monkeypatch.setattr(Corrector, "write", write)
    with pytest.raises(RuntimeError):
        rerating.work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.counts["looked"]) == (RerateStatus.FAILED, 14)
    assert RatedCorrection.objects.values("record_id").distinct().count() == 14
    assert list(violations()) == []
    monkeypatch.setattr(Corrector, "write", real)
    again = rerating.apply(run, actor=ACTOR)
    assert (again.status, again.counts["looked"], again.accepted) == (RerateStatus.DONE, 24, rerating.ALL)
    assert RatedCorrection.objects.values("record_id").distinct().count() == 24
    assert list(violations()) == []
    assert Transfer.objects.filter(details__rerating=str(run.pk)).exists()


def test_a_forgotten_run_is_found_again(week: Cast) -> None:
    run = rerating.open_run(selection(week), actor=ACTOR)
    assert rerating.forgotten(run.touched_at) == []
    RerateRun.objects.filter(pk=run.pk).update(touched_at=run.touched_at.replace(year=2025))
    assert rerating.forgotten(run.touched_at) == [run.pk]
