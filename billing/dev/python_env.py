"""The virtual environment: made where it is missing, filled with exactly the locked packages, then entered.

Standard library only: this runs under the machine's own Python, before anything is installed.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from billing.dev import system
from billing.dev.state import CLONE, SetupError, digest, exclusive, say, stamped, state_folder, write_stamp

ENVIRONMENT = CLONE / ".venv"
PYTHON = ENVIRONMENT / "bin" / "python"
LOCK = CLONE / "requirements-dev.lock"
STAMP = ENVIRONMENT / "tollgate.lock-digest"


def enter(name: str, arguments: list[str]) -> None:
    """Makes this process run in the virtual environment with all locked packages; set-up happens once per lock."""
    if not stamped(STAMP, digest([LOCK])):
        with exclusive(state_folder(".") / "setup.lock"):
            if not stamped(STAMP, digest([LOCK])):
                set_up()
    if Path(sys.prefix).resolve() != ENVIRONMENT.resolve():
        os.execv(PYTHON, [str(PYTHON), "-m", "billing.dev", name, *arguments])


def set_up() -> None:
    if not works():
        make()
    say("Installing the Python packages of requirements-dev.lock (the first time takes a minute or two) ...")
    options = [
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--no-compile",
        "--require-hashes",
        "-r",
        str(LOCK),
    ]
    if subprocess.run([PYTHON, "-m", "pip", "install", *options], stdout=sys.stderr, check=False).returncode:
        raise SetupError("pip could not install the locked packages; what it said stands above.")
    write_stamp(STAMP, digest([LOCK]))


def works() -> bool:
    """Is there an environment whose Python starts, is new enough, and has pip?"""
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", check], capture_output=True, check=False).returncode == 0


def make() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        system.install_or_say([package], f"Python's venv is missing: apt-get install {package}")
    say(f"Making {ENVIRONMENT} ...")
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], stdout=sys.stderr, check=False)
    if done.returncode or not works():
        raise SetupError(f"{sys.executable} -m venv failed; on Debian and Ubuntu: apt-get install python3-venv")
