"""Where a clone keeps what it makes, and the locks and stamps that let commands run side by side.

Everything lives in `.state/` of the clone (or in `TOLLGATE_STATE`): databases, sockets, logs, the secret key. Delete it
and the next start makes it anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NoReturn

CLONE = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("TOLLGATE_STATE") or CLONE / ".state").resolve()


class SetupError(Exception):
    """Set-up cannot go on; the text says what to do about it, in one line."""


def say(text: str) -> None:
    """Tells the person at the terminal; on stderr, since stdout belongs to the command."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def give_up(text: str, code: int = 1) -> NoReturn:
    say(text)
    raise SystemExit(code)


def folder(path: Path, mode: int = 0o755) -> Path:
    """Makes the folder with exactly this mode, whatever the umask is."""
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
    return path


def state_folder(name: str) -> Path:
    try:
        return folder(folder(STATE) / name)
    except PermissionError:
        raise SetupError(
            f"{STATE} belongs to another user; use the same user as before, or set TOLLGATE_STATE to a folder of yours."
        ) from None


@contextmanager
def exclusive(path: Path) -> Iterator[IO[str]]:
    """Holds an exclusive lock on the file while the block runs; waits for whoever has it."""
    with open_lock(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def open_lock(path: Path) -> IO[str]:
    folder(path.parent)
    try:
        return path.open("a+")
    except PermissionError:
        raise SetupError(
            f"{path} belongs to another user; use the same user as before, or set TOLLGATE_STATE to a folder of yours."
        ) from None


def try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def digest(paths: Iterable[Path], *extra: str) -> str:
    """One fingerprint of the files' names and contents."""
    total = hashlib.sha256("\0".join(extra).encode())
    for path in sorted(paths):
        total.update(f"\0{path.name}\0".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def stamped(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text() == value


def write_stamp(stamp: Path, value: str) -> None:
    folder(stamp.parent)
    stamp.write_text(value)


def secret_key() -> str:
    """The clone's own signing key, made once and readable by its owner only."""
    path = state_folder(".") / "secret_key"
    with exclusive(STATE / "secret_key.lock"):
        if not path.is_file():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(48))
    return path.read_text()
