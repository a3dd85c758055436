"""One long-running process under `./run`: started, watched, started again after a crash, and surely stopped."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from billing.dev.state import CLONE

MOST_CRASHES, CRASH_WINDOW_S = 3, 60.0
PATIENCE_S = 15.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with_parent() -> None:
    """Runs in the child before its program: should the parent be killed outright, the child is told to stop."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Process:
    """A named program with its log. It leads a process group of its own, so that nothing of it can be left over."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    popen: subprocess.Popen[bytes] | None = None
    crashes: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_CRASHES + 1))

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                self.command,
                env=self.environment,
                cwd=CLONE,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    def crashed(self) -> int | None:
        """The exit code of a process that has ended by itself, else None."""
        return self.popen.poll() if self.popen else None

    def may_start_again(self) -> bool:
        """Counts a crash; False when there were too many of them within the window."""
        now = time.monotonic()
        self.crashes.append(now)
        return sum(now - at < CRASH_WINDOW_S for at in self.crashes) <= MOST_CRASHES

    def ask_to_stop(self) -> None:
        if self.popen and self.popen.poll() is None:
            self.popen.terminate()

    def stop(self) -> None:
        """Waits for the end of a process that was asked to stop, then kills what is left of its group."""
        if self.popen is None:
            return
        try:
            self.popen.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self._kill_group()

    def _kill_group(self) -> None:
        assert self.popen is not None
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            return

    def last_lines(self, count: int = 6) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-count:] if self.log.is_file() else []
        return "\n".join(f"    {line}" for line in lines)
