"""One long-running process under `./run`: started, watched, started again after a crash, and surely stopped."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections import deque
from contextlib import suppress
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
        """The exit code of a process that has ended by itself, else None. What it left of its group is ended too."""
        if self.popen is None or not self._has_ended():
            return None
        self._kill_group()
        return self.popen.wait()

    def may_start_again(self) -> bool:
        """Counts a crash; False when there were too many of them within the window."""
        now = time.monotonic()
        self.crashes.append(now)
        return sum(now - at < CRASH_WINDOW_S for at in self.crashes) <= MOST_CRASHES

    def ask_to_stop(self) -> None:
        if self.popen and self.popen.returncode is None:
            os.kill(self.popen.pid, signal.SIGTERM)  # popen.terminate() would reap it, were it dead

    def stop(self) -> None:
        """Waits for the end of a process that was asked to stop, then kills what is left of its group."""
        if self.popen is None or self.popen.returncode is not None:
            return
        deadline = time.monotonic() + PATIENCE_S
        while not self._has_ended() and time.monotonic() < deadline:
            time.sleep(0.05)
        self._kill_group()
        self.popen.wait()

    def _has_ended(self) -> bool:
        """Looks without reaping: until then the process's number is its own, and `_kill_group` hits nobody else."""
        assert self.popen is not None
        return os.waitid(os.P_PID, self.popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def _kill_group(self) -> None:
        assert self.popen is not None
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)

    def last_lines(self, count: int = 6) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-count:] if self.log.is_file() else []
        return "\n".join(f"    {line}" for line in lines)
