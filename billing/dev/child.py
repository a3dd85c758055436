"""Runs one program in the foreground as if it were this one: same terminal, signals passed on, same exit code."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from billing.dev.state import CLONE


def run_through(command: Sequence[str], environment: dict[str, str], cwd: Path | None = None) -> int:
    """Gives the program's exit code; 128 + N where signal N ended it. Ctrl-C reaches the program by the terminal."""
    process: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if process is not None:
            process.send_signal(number)

    earlier = {
        signal.SIGINT: signal.signal(signal.SIGINT, lambda *_: None),
        signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
        signal.SIGHUP: signal.signal(signal.SIGHUP, pass_on),
    }
    try:
        process = subprocess.Popen(command, env=environment, cwd=cwd)
        code = process.wait()
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code


def manage(environment: dict[str, str], *arguments: str) -> int:
    return run_through([sys.executable, str(CLONE / "manage.py"), *arguments], environment)
