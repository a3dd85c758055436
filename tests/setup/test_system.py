"""What only the operating system can bring: root gets it, an ordinary user is told the one line to run."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from billing.dev import node, python_env, system, testing
from billing.dev.process import MOST_CRASHES, Process
from billing.dev.state import SetupError
from billing.dev.supervisor import mend

PANGO, FONTS = (
    ["libpango-1.0-0", "libpangoft2-1.0-0"],
    ["fonts-liberation", "fonts-droid-fallback", "fonts-dejavu-core"],
)
PDF_LINE = f"PDFs need Pango and fonts: apt-get install {' '.join(PANGO + FONTS)}"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A machine without Pango, fonts and Chromium; the list takes what would be installed there."""
    installed: list[list[str]] = []

    def install(packages: Sequence[str]) -> bool:
        installed.append(list(packages))
        return True

    monkeypatch.setattr(system, "loads", lambda _library: False)
    monkeypatch.setattr(system, "has_font", lambda _language: False)
    monkeypatch.setattr(system, "BROWSERS", ("no-such-browser",))
    monkeypatch.setattr(system, "install", install)
    return installed


def test_an_ordinary_user_is_told_what_pdfs_need(bare: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "can_install", lambda: False)
    assert system.bring_pdf() == PDF_LINE
    assert system.bring_browser() == "The browser tests are skipped: apt-get install chromium libatomic1"
    assert bare == []


def test_the_tests_stop_with_that_line(bare: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "can_install", lambda: False)
    with pytest.raises(SetupError) as stopped:
        testing.bring_what_tests_need()
    assert str(stopped.value) == PDF_LINE


def test_a_missing_font_is_said_and_the_tests_go_on(bare: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "can_install", lambda: False)
    monkeypatch.setattr(system, "loads", lambda _library: True)
    monkeypatch.setattr(system, "has_font", lambda language: language == "en")
    monkeypatch.setattr(node, "bring_packages", lambda: None)
    assert system.bring_pdf() == f"PDFs in all languages need more fonts: apt-get install {' '.join(FONTS[1:])}"
    testing.bring_what_tests_need()


def test_root_gets_it_installed(bare: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "can_install", lambda: True)
    assert system.bring_pdf() == ""
    assert system.bring_browser() == ""
    assert bare == [PANGO + FONTS, ["chromium", "libatomic1"]]


def test_fonts_are_asked_for_by_the_languages_they_write() -> None:
    assert system.has_font("en")
    assert not system.has_font("tlh")


def test_a_python_without_venv_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "can_install", lambda: False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    with pytest.raises(SetupError, match=f"apt-get install {package}"):
        python_env.make()


def test_npm_of_the_machine_is_taken_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    command, _ = node.npm()
    assert command == ["/usr/bin/npm"]


def test_a_process_that_keeps_ending_is_given_up_with_the_end_of_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such broker')"]
    process = Process("worker", command, {}, tmp_path / "worker.log")
    process.start()
    for _ in range(MOST_CRASHES):
        await_end(process)
        mend([process])
    await_end(process)
    with pytest.raises(SetupError, match=r"(?s)the worker keeps ending \(code 1\).*no such broker"):
        mend([process])


@pytest.mark.parametrize("noticed", [True, False])
def test_what_a_crashed_process_leaves_of_its_group_is_ended(tmp_path: Path, noticed: bool) -> None:
    script = "sleep 60 & echo $! ; kill -9 $$"
    process = Process("web", ["/bin/sh", "-c", script], {"PATH": os.defpath}, tmp_path / "web.log")
    process.start()
    await_end(process)
    orphan = int((tmp_path / "web.log").read_text())
    if noticed:
        assert process.crashed() == -signal.SIGKILL
    else:
        process.ask_to_stop()
        process.stop()
    assert gone(orphan)


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or ") Z" in stat.read_text():
            return True
        time.sleep(0.05)
    return False


def await_end(process: Process) -> None:
    """Waits without reaping, as the supervisor looks."""
    assert process.popen
    os.waitid(os.P_PID, process.popen.pid, os.WEXITED | os.WNOWAIT)


WITHOUT_PANGO = """
import cffi, django, os
def missing(*_): raise OSError("cannot load library")
cffi.FFI.dlopen = missing
django.setup()
from invoicing.services.documents import CannotPrint, _write_pdf
try:
    _write_pdf(None, None, None)
except CannotPrint as error:
    print(error.code)
"""


def test_without_pango_nothing_is_printed_into_a_commands_output() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_PANGO], capture_output=True, text=True, check=True)
    assert done.stdout == "no_pango\n"
