"""What only the operating system can bring: Pango with fonts for the PDFs, Chromium and SIP software for the tests.

As root on Debian or Ubuntu it is installed; an ordinary user is told the one command to run.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from billing.dev.state import SetupError, exclusive, say, state_folder

PANGO_LIBRARIES = ("libpango-1.0.so.0", "libpangoft2-1.0.so.0")
PANGO_PACKAGES = ("libpango-1.0-0", "libpangoft2-1.0-0")
# The package that brings a font for a language; Hebrew stands for names written from right to left.
FONTS = {"en": "fonts-liberation", "zh-tw": "fonts-droid-fallback", "he": "fonts-dejavu-core"}
BROWSERS = ("chromium", "chromium-browser")
SWITCHES = {
    "kamailio": ("kamailio", "kamailio-json-modules", "kamailio-utils-modules"),
    "sipp": ("sip-tester",),
    "freeradius": ("freeradius", "freeradius-rest"),
    "radclient": ("freeradius-utils",),
    "lua5.4": ("lua5.4",),
}
"""Programs for the stories of live calls, and what brings them."""
POLICY = Path("/usr/sbin/policy-rc.d")
DRIVER_LIBRARY, DRIVER_PACKAGE = "libatomic.so.1", "libatomic1"  # what drives the browser in the tests is linked to it


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


@contextmanager
def no_services() -> Iterator[None]:
    """What packages bring as a service does not start: the tests run it themselves, on addresses of their own."""
    if POLICY.exists():
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink(missing_ok=True)


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


class FontSet(ctypes.Structure):
    """fontconfig's FcFontSet."""

    _fields_ = (("count", ctypes.c_int), ("room", ctypes.c_int), ("fonts", ctypes.c_void_p))


def has_font(language: str) -> bool:
    """Does fontconfig, which Pango asks, know a font with the letters of this language?"""
    try:
        fontconfig = ctypes.CDLL("libfontconfig.so.1")
    except OSError:
        return False
    fontconfig.FcNameParse.restype = fontconfig.FcObjectSetBuild.restype = ctypes.c_void_p
    fontconfig.FcFontList.restype = ctypes.POINTER(FontSet)
    pattern = ctypes.c_void_p(fontconfig.FcNameParse(f":lang={language}".encode()))
    wanted = ctypes.c_void_p(fontconfig.FcObjectSetBuild(b"family", None))
    return bool(fontconfig.FcFontList(None, pattern, wanted).contents.count)


def has_pango() -> bool:
    return all(map(loads, PANGO_LIBRARIES))


def bring_pdf() -> str:
    """Brings what PDFs need, where it may. Returns what is still to be done, or an empty text."""
    libraries = [] if has_pango() else list(PANGO_PACKAGES)
    missing = libraries + [package for language, package in FONTS.items() if not has_font(language)]
    if not missing or (can_install() and install(missing)):
        return ""
    need = "PDFs need Pango and fonts" if libraries else "PDFs in all languages need more fonts"
    return f"{need}: apt-get install {' '.join(missing)}"


def browser() -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def missing_for_browser() -> list[str]:
    """The packages without which no browser can be driven here."""
    missing = [] if browser() else ["chromium"]
    return missing if loads(DRIVER_LIBRARY) else [*missing, DRIVER_PACKAGE]


def bring_browser() -> str:
    """Brings Chromium for the browser tests, where it may. Returns what will be skipped, or an empty text."""
    missing = missing_for_browser()
    if not missing or (can_install() and install(missing)):
        return ""
    return f"The browser tests are skipped: apt-get install {' '.join(missing)}"


def bring_switches() -> str:
    """Brings the SIP and RADIUS software of the tests, where it may. Returns what will be skipped, or an empty text."""
    missing = [package for program, needs in SWITCHES.items() if not shutil.which(program) for package in needs]
    if missing and not (can_install() and _quietly(missing)):
        return f"The tests of calls by SIP and RADIUS are skipped: apt-get install {' '.join(missing)}"
    return bring_asterisk()


def bring_asterisk() -> str:
    """Not every release of Debian has it (12 has not), so it is brought only where there is a package of it."""
    if shutil.which("asterisk") or (offered("asterisk") and can_install() and _quietly(["asterisk"])):
        return ""
    how = "apt-get install asterisk" if offered("asterisk") else "this system has no package of it"
    return f"The tests of calls through Asterisk are skipped: {how}"


def offered(package: str) -> bool:
    """Whether apt knows where to get this package."""
    if shutil.which("apt-cache") is None:
        return False
    told = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True, check=False).stdout
    return "Candidate:" in told and "Candidate: (none)" not in told


def _quietly(packages: Sequence[str]) -> bool:
    with no_services():
        return install(packages)
