"""A switch drops files into its folder: whole ones come in once, half-written ones wait, bad ones say why."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from rating.models import ImportStatus, UsageImport
from rating.services import folders, receiving
from rating.services.imports import work
from tests.rating.calls_help import HEADER, many

if TYPE_CHECKING:
    from tests.cast import Cast

pytestmark = pytest.mark.django_db


class Switch:
    """Northstar's switch and its folder; time passes as the test says."""

    def __init__(self, cast: Cast, base: Path) -> None:
        self.source = cast.source()
        self.folder = base / self.source.code
        self.now = timezone.now()
        self.look()

    def look(self, seconds: int = 0) -> list[Any]:
        self.now += timedelta(seconds=seconds)
        return folders.pick_up(self.now)

    def drop(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def names(self, place: str) -> list[str]:
        return sorted(path.name for path in (self.folder / place).iterdir() if path.is_file())

    def work_all(self) -> None:
        for one in UsageImport.objects.filter(finished_at=None):
            work(one.pk)


@pytest.fixture
def switch(cast: Cast, tmp_path: Path, settings: Any) -> Switch:
    settings.USAGE_FOLDER, settings.MEDIA_ROOT = str(tmp_path / "in"), str(tmp_path / "media")
    cast.fund("alice", 50)
    return Switch(cast, tmp_path / "in")


def calls(count: int = 3) -> str:
    lines = [",".join(map(str, one.row())) for one in many(count)]
    return "\n".join([",".join(HEADER), *lines, ""])


def test_a_whole_file_is_picked_up_imported_and_put_away(switch: Switch) -> None:
    switch.drop("june.csv", calls())
    assert switch.look() == []
    assert switch.look(5) == [], "not quiet for long enough"
    (made,) = switch.look(10)
    assert switch.names("working") == [f"{made}~june.csv"]
    assert switch.look(15) == [], "it is being worked"
    switch.work_all()
    switch.look(15)
    assert [name.partition("-")[2] for name in switch.names("done")] == ["june.csv"]
    state = folders.folder_state(switch.source)
    assert state is not None
    assert (state.waiting, state.working, state.refused, state.done) == ([], [], [], 1)


def test_a_file_that_is_still_written_waits(switch: Switch) -> None:
    path = switch.drop("growing.csv", "half a li")
    switch.drop("sent.csv.part", calls())
    switch.drop(".hidden", calls())
    os.symlink("/etc/passwd", switch.folder / "link.csv")
    (switch.folder / "sub").mkdir()
    for _time in range(4):
        assert switch.look(20) == [] or pytest.fail("taken while it grew")
        with path.open("a") as file:
            file.write("ne more")
    (switch.folder / "sent.csv.part").rename(switch.folder / "sent.csv")
    switch.look(1)
    path.unlink()
    assert len(switch.look(20)) == 1
    assert UsageImport.objects.get().name == "sent.csv"


def test_the_same_file_twice_is_one_import(switch: Switch) -> None:
    text = calls()
    switch.drop("june.csv", text)
    switch.look()
    assert len(switch.look(20)) == 1
    switch.work_all()
    switch.drop("june-again.csv", text)
    switch.look()
    assert switch.look(20) == []
    switch.look(20)
    assert UsageImport.objects.count() == 1
    assert len(switch.names("done")) == 2


def test_a_bad_file_is_refused_with_its_reason_beside_it(switch: Switch, settings: Any) -> None:
    switch.drop("letter.csv", "Dear partner,\nplease find our calls attached.\n")
    switch.look()
    switch.look(20)
    switch.work_all()
    switch.look(20)
    settings.UPLOAD_MAX_BYTES = 10
    switch.drop("huge.csv", calls())
    switch.look()
    switch.look(20)
    state = folders.folder_state(switch.source)
    assert state is not None
    assert [name.partition("-")[2] for name, _why in state.refused] == ["letter.csv", "huge.csv"]
    assert all(why for _name, why in state.refused)
    assert UsageImport.objects.get().status == ImportStatus.FAILED


@pytest.mark.parametrize("moment", ["claimed", "received", "renamed", "finished"])
def test_a_worker_killed_at_any_point_loses_and_doubles_nothing(
    switch: Switch, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    switch.drop("june.csv", calls())
    switch.look()
    real = receiving.receive_all

    def dies(*given: Any, **more: Any) -> Any:
        if moment == "received":
            real(*given, **more)
        raise SystemExit

    with monkeypatch.context() as patched:
        if moment in ("claimed", "received"):
            patched.setattr(folders, "receive_all", dies)
            with pytest.raises(SystemExit):
                switch.look(20)
    if moment == "renamed":
        assert len(switch.look(20)) == 1
    if moment == "finished":
        switch.look(20)
        switch.work_all()
        with monkeypatch.context() as patched:
            patched.setattr(Path, "rename", dies)
            with pytest.raises(SystemExit):
                switch.look(20)
    switch.look(20)
    switch.work_all()
    switch.look(20)
    assert UsageImport.objects.count() == 1
    assert len(switch.names("done")) == 1
    assert switch.names("working") == []
    assert switch.names("refused") == []


def test_two_looks_at_once_do_not_meet(switch: Switch) -> None:
    switch.drop("june.csv", calls())
    switch.look()
    with folders._alone(switch.folder) as is_alone:
        assert is_alone
        assert switch.look(20) == []
    assert len(switch.look(20)) == 1


def test_without_a_base_nothing_is_watched(cast: Cast, settings: Any) -> None:
    settings.USAGE_FOLDER = ""
    assert folders.pick_up(datetime.now(tz=timezone.get_default_timezone())) == []
    assert folders.folder_state(cast.source()) is None


def test_a_program_that_sends_the_same_bytes_gets_the_first_answer(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from rating.tasks import work_import
    from tests.billing.test_api import Program

    asked: list[str] = []
    monkeypatch.setattr(work_import, "delay", asked.append)
    program = Program(cast, "northstar")

    def send(text: str) -> Any:
        body = {"source": cast.source().code, "file": SimpleUploadedFile("june.csv", text.encode())}
        return program.client.post("/api/v1/usage-imports/", body).json()

    first = send(calls())
    assert program.get(f"usage-imports/{first['id']}/").json()["status"] == "planning"
    work(UsageImport.objects.get().pk)
    again = send(calls())
    assert (again["id"], again["status"]) == (first["id"], "done")
    assert send(calls(2))["id"] != first["id"]
    assert len(asked) == 2
