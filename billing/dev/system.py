"""What only the operating system can bring: Pango with a font for the PDFs, Chromium for the browser tests.

As root on Debian or Ubuntu it is installed; an ordinary user is told the one command to run.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from billing.dev.state import SetupError, exclusive, say, state_folder

PANGO_LIBRARIES = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0")
PANGO_PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0")
FONT_PACKAGES = ("fonts-dejavu-core",)
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".local/share/fonts")
BROWSERS = ("chromium", "chromium-browser")


def can_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str]) -> bool:
    """Installs Debian packages as root; False where apt could not."""
    environment = dict(os.environ) | {"DEBIAN_FRONTEND": "noninteractive"}
    say(f"Installing {' '.join(packages)} ...")
    record = state_folder(".") / "apt.log"
    with exclusive(state_folder(".") / "apt.lock"), record.open("wb") as log:
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            options = ["-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0"]
            apt = ["apt-get", *options, *command]
            code = subprocess.run(apt, env=environment, stdout=log, stderr=log, check=False).returncode
    if code:
        say("\n".join(record.read_text(errors="replace").splitlines()[-5:]))
    return code == 0


def install_or_say(packages: Sequence[str], problem: str) -> None:
    """Installs as root; otherwise raises SetupError with the line that says what to do."""
    if not (can_install() and install(packages)):
        raise SetupError(problem)


def loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_fonts() -> bool:
    return any(
        path.suffix in {".ttf", ".otf"} for place in FONT_FOLDERS if place.is_dir() for path in place.rglob("*.*tf")
    )


def missing_for_pdf() -> list[str]:
    """The Debian packages without which no PDF can be made."""
    missing = [] if all(map(loads, PANGO_LIBRARIES)) else list(PANGO_PACKAGES)
    return missing if has_fonts() else [*missing, *FONT_PACKAGES]


def bring_pdf() -> str:
    """Brings what PDFs need, where it may. Returns what is still to be done, or an empty text."""
    missing = missing_for_pdf()
    if not missing or (can_install() and install(missing)):
        return ""
    return f"PDFs need Pango and a font: apt-get install {' '.join(missing)}"


def browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def bring_browser() -> str:
    """Brings Chromium for the browser tests, where it may. Returns what will be skipped, or an empty text."""
    if browser() or (can_install() and install(["chromium"])):
        return ""
    return "No Chromium found: the browser tests are skipped (apt-get install chromium)."
