"""The real parts of the stories: Kamailio by its example configuration, sipp as phones, in processes of their own."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CONFIGURATION = Path(__file__).parents[2] / "examples/switches/kamailio/kamailio.cfg"
HERE, SWITCH, THERE = "127.0.5.3", "127.0.5.2", "127.0.5.4"
LOGIN = ("tollgate", "orders only")
MISSING = [name for name in ("kamailio", "sipp") if shutil.which(name) is None]


def free_port(host: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((host, 0))
        return int(one.getsockname()[1])


@contextmanager
def kamailio(folder: Path, api: str, key: str, there_port: int, control_port: int = 0) -> Iterator[int]:
    """Kamailio that asks this server; the port at which it listens. It takes orders where a port is given for them."""
    port = free_port(SWITCH)
    values = {
        "LISTEN": f"udp:{SWITCH}:{port}",
        "TOLLGATE": f"!TOLLGATE!{api}!g",
        "SWITCH_KEY": f"!SWITCH_KEY!{key}!g",
        "GATEWAY": f"!GATEWAY!sip:{THERE}:{there_port}!g",
        "CONTROL_LOGIN": f"!CONTROL_LOGIN!{LOGIN[0]}:{LOGIN[1]}!g",
    }
    text = CONFIGURATION.read_text()
    if control_port:
        text = text.replace("#!KAMAILIO\n", f"#!KAMAILIO\n#!define CONTROL tcp:{SWITCH}:{control_port}\n", 1)
    for name, value in values.items():
        line = f"#!define {name} {value}" if name == "LISTEN" else f'#!substdef "{value}"'
        text = text.replace(f"#!ifndef {name}\n", f"{line}\n#!ifndef {name}\n")
    file = folder / "kamailio.cfg"
    file.write_text(text)
    log = (folder / "kamailio.log").open("wb")
    command = ["kamailio", "-DD", "-E", "-m", "64", "-M", "8", "-f", str(file), "-Y", str(folder)]
    process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for(folder / "kamailio.log", process)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


def wait_for(log: Path, process: subprocess.Popen[bytes]) -> None:
    """Until it serves; it says nothing of its own, so its port is asked."""
    time.sleep(1.5)
    if process.poll() is not None:
        raise RuntimeError(log.read_text()[-2000:])


@contextmanager
def phone_there(folder: Path, scenario: str) -> Iterator[int]:
    """Who is called; the port at which it picks up."""
    port = free_port(THERE)
    process = _sipp(folder, "there", scenario, ["-i", THERE, "-p", str(port)])
    try:
        time.sleep(0.5)
        yield port
    finally:
        process.kill()
        process.wait()


def phone_here(
    folder: Path,
    scenario: str,
    port: int,
    to: str,
    account: str,
    *,
    talk_ms: int = 0,
    calls: int = 1,
    name: str = "here",
) -> int:
    """A caller; 0 where every call went as its scenario says. Of two at a time each has a name."""
    options = ["-i", HERE, "-p", str(free_port(HERE)), "-s", to, "-key", "account", account, "-d", str(talk_ms)]
    options += ["-m", str(calls), "-l", str(calls), "-r", str(calls), "-timeout", "60s"]
    process = _sipp(folder, name, scenario, [*options, f"{SWITCH}:{port}"])
    return process.wait(90)


def _sipp(folder: Path, name: str, scenario: str, options: list[str]) -> subprocess.Popen[bytes]:
    file = folder / f"{name}.xml"
    file.write_text(scenario)
    log = (folder / f"{name}.log").open("ab")
    return subprocess.Popen(
        ["sipp", "-sf", str(file), "-nostdin", "-trace_err", "-error_file", str(folder / f"{name}.err"), *options],
        stdout=log,
        stderr=log,
        stdin=subprocess.DEVNULL,
        cwd=folder,
    )
