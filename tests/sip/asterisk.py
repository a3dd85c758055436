"""Asterisk by its example configuration, in a folder of its own. Not every system has a package of it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sip.peers import HERE, LOGIN, SWITCH, THERE, free_port

EXAMPLE = Path(__file__).parents[2] / "examples/switches/asterisk"
MISSING = [name for name in ("asterisk", "sipp") if shutil.which(name) is None]
WHY = f"not installed: {', '.join(MISSING)} (apt where the system has a package of it; Debian 12 has none of asterisk)"
FOLDERS = {"astetcdir": "", "astvarlibdir": "lib", "astdbdir": "lib", "astspooldir": "spool", "astrundir": "run"}


class Asterisk:
    """A running switch. `port` takes SIP, `orders` the address of ARI."""

    def __init__(self, folder: Path, port: int, orders: str) -> None:
        self.folder, self.port, self.orders = folder, port, orders

    def calls(self) -> list[str]:
        """The lines of its CDR file."""
        file = self.folder / "log/cdr-csv/Master.csv"
        return file.read_text().splitlines() if file.exists() else []


@contextmanager
def asterisk(
    folder: Path, values: dict[str, str], there_port: int, *, dialplan: str = "extensions.conf", account: str
) -> Iterator[Asterisk]:
    """Asterisk that asks this server; `values` are those of [globals]."""
    home = folder / "asterisk"
    for one in {*FOLDERS.values(), "log/cdr-csv"}:
        (home / one).mkdir(parents=True, exist_ok=True)
    port, orders = free_port(SWITCH), _free_tcp()
    _configure(home, values, dialplan, {"port": port, "orders": orders, "there": there_port, "account": account})
    log = (folder / "asterisk.log").open("wb")
    command = ["asterisk", "-C", str(home / "asterisk.conf"), "-f", "-vvv"]
    process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        _ready(home, folder / "asterisk.log", process)
        yield Asterisk(home, port, f"http://{SWITCH}:{orders}/ari")
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


def _configure(home: Path, values: dict[str, str], dialplan: str, numbers: dict[str, int | str]) -> None:
    for name in ("pjsip.conf", "cdr.conf", "http.conf", "ari.conf", "modules.conf"):
        shutil.copy(EXAMPLE / name, home / name)
    text = (EXAMPLE / dialplan).read_text()
    for name, value in values.items():
        lines = [f"{name} = {value}" if line.startswith(f"{name} = ") else line for line in text.splitlines()]
        text = "\n".join(lines) + "\n"
    (home / "extensions.conf").write_text(text)
    _change(home / "pjsip.conf", {
        "bind = 127.0.0.1:5060": f"bind = {SWITCH}:{numbers['port']}",
        "sip:127.0.0.1:5080": f"sip:{THERE}:{numbers['there']}",
        "match = 127.0.0.1": f"match = {HERE}",
        "accountcode = H-1001": f"accountcode = {numbers['account']}",
        "allow = alaw,ulaw": f"allow = alaw,ulaw\nmedia_address = {SWITCH}\nbind_rtp_to_media_address = yes",
    })  # fmt: skip
    _change(home / "http.conf", {"= 127.0.0.1": f"= {SWITCH}", "= 8088": f"= {numbers['orders']}"})
    _change(home / "ari.conf", {"put-a-password-here": LOGIN[1]})
    folders = "\n".join(f"{name} => {home / folder}" for name, folder in FOLDERS.items())
    (home / "asterisk.conf").write_text(f"[directories]\n{folders}\nastlogdir => {home / 'log'}\n{_modules()}\n")
    (home / "logger.conf").write_text("[general]\n[logfiles]\nconsole => notice,warning,error,verbose\n")
    for name in ("rtp.conf", "cel.conf", "features.conf", "acl.conf", "udptl.conf"):
        (home / name).write_text("[general]\n")


def _change(file: Path, changes: dict[str, str]) -> None:
    text = file.read_text()
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    file.write_text(text)


def _modules() -> str:
    """Where the package keeps its modules and their descriptions; Asterisk's own default is another."""
    found = [*Path("/usr/lib").glob("*/asterisk/modules"), *Path("/usr/lib").glob("asterisk/modules")]
    modules = f"astmoddir => {found[0]}\n" if found else ""
    return modules + ("astdatadir => /usr/share/asterisk\n" if os.path.isdir("/usr/share/asterisk") else "")


def _ready(home: Path, log: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    command = ["asterisk", "-C", str(home / "asterisk.conf"), "-rx", "core waitfullybooted"]
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(log.read_text(errors="replace")[-3000:])
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        if "fully booted" in done.stdout:
            return
        time.sleep(0.3)
    raise RuntimeError(log.read_text(errors="replace")[-3000:])


def _free_tcp() -> int:
    with socket.socket() as one:
        one.bind((SWITCH, 0))
        return int(one.getsockname()[1])
