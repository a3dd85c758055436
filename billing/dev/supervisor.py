"""`./run`: sets up everything, serves the demo on loopback, and takes all of it down again.

    ./run [--port N] [--fresh] [--no-demo]     N from PORT, else 8000; --fresh empties the embedded database first

With DATABASE_URL and REDIS_URL set it uses those servers instead of the embedded ones, and loads the demo there only
with --demo, into an empty database.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

from billing.dev import node, system
from billing.dev.database import migrate
from billing.dev.demo import collect_static, load_demo
from billing.dev.environment import DEFAULT_PORT, mails_stay_here, run_file, serving_environment
from billing.dev.mailbox import LOOPBACK, MailBox, is_free
from billing.dev.process import Process
from billing.dev.services import Services
from billing.dev.state import STATE, SetupError, folder, give_up, open_lock, say, state_folder, try_lock

STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_TIMEOUT_S = 90.0
TICK_S, SERVERS_EVERY = 0.5, 6


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    for number in STOPPING:
        signal.signal(number, end)
    with only_one(options.port):
        if not is_free(options.port):
            raise SetupError(
                f"port {options.port} is taken by another program; choose one: ./run --port {options.port + 1}"
            )
        node.bring_packages()
        pdf_problem = system.bring_pdf()
        services = Services("run")
        if options.fresh:
            empty(services)
        with services.running():
            return serve(services, options, pdf_problem)


def end(_number: int, _frame: FrameType | None) -> NoReturn:
    """The first signal ends `./run`; a second one, sent in impatience, must not disturb the taking down."""
    heed_no_signal()
    raise SystemExit(0)


def heed_no_signal() -> None:
    for number in STOPPING:
        signal.signal(number, lambda *_: None)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run", description="Sets up everything and serves Tollgate on loopback.")
    port = os.environ.get("PORT") or str(DEFAULT_PORT)
    parser.add_argument("--port", type=int, default=port, help="where to serve (default: PORT, else 8000)")
    parser.add_argument("--fresh", action="store_true", help="empty the embedded database first")
    parser.add_argument("--no-demo", action="store_true", help="do not load the demo")
    parser.add_argument("--demo", action="store_true", help="load the demo into the empty database of DATABASE_URL")
    return parser.parse_args(arguments)


@contextmanager
def only_one(port: int) -> Iterator[None]:
    """Holds the clone's run lock; a second `./run` says where the first one is."""
    with open_lock(state_folder(".") / "run.lock") as lock:
        if not try_lock(lock):
            first = json.loads(run_file().read_text()) if run_file().is_file() else {}
            where = f"http://{LOOPBACK}:{first.get('port', '?')} (process {first.get('pid', '?')})"
            give_up(f"./run: Tollgate already runs from this clone: {where}. Stop that one first, with Ctrl-C.")
        run_file().write_text(json.dumps({"pid": os.getpid(), "port": port}))
        yield


def empty(services: Services) -> None:
    """Deletes the embedded database with all that goes with it."""
    if not services.embeds_postgres:
        raise SetupError("--fresh empties the embedded database only; DATABASE_URL names another.")
    services.postgres.destroy()


def serve(services: Services, options: argparse.Namespace, pdf_problem: str) -> int:
    mail = MailBox.of_clone() if mails_stay_here(services, demo_asked=options.demo) else None
    environment = serving_environment(services, options.port, mail.port if mail else None)
    if options.demo:
        environment["TOLLGATE_DEMO"] = "1"
    logs = folder(STATE / "logs")
    state_folder("files")
    first = [mail_process(mail, environment, logs)] if mail else []
    processes = [*first, *serving_processes(environment, options.port, logs)]
    try:
        migrate(services, environment)
        collect_static(environment)
        for process in first:
            process.start()
        logins = "" if options.no_demo else load_demo(services, environment, asked=options.demo)
        for process in processes[len(first) :]:
            process.start()
        wait_until_ready(processes, options.port)
        tell(options.port, logins, pdf_problem, has_mail=mail is not None)
        watch(services, processes)
    finally:
        heed_no_signal()
        stop(processes)
    return 0


def mail_process(mail: MailBox, environment: dict[str, str], logs: Path) -> Process:
    command = [sys.executable, "-m", "billing.dev.mailbox", "--port", str(mail.port)]
    return Process("mail box", command, environment, logs / "mail.log")


def serving_processes(environment: dict[str, str], port: int, logs: Path) -> list[Process]:
    celery = [sys.executable, "-m", "celery", "-A", "billing.celery:app"]
    web = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--no-ws",
        "--host",
        LOOPBACK,
        "--port",
        str(port),
    ]
    web += [
        "--workers",
        "2",
        "--blocking-threads",
        "4",
        "--respawn-failed-workers",
        "billing.wsgi:application",
    ]
    worker = [
        *celery,
        "worker",
        "--concurrency",
        "2",
        "--loglevel",
        "INFO",
        "--without-gossip",
        "--without-mingle",
    ]
    beat = [
        *celery,
        "beat",
        "--loglevel",
        "INFO",
        "--pidfile",
        "",
        "--schedule",
        str(STATE / "beat-schedule"),
    ]
    return [
        Process("web", web, environment | {"TOLLGATE_DB_ROLE": "web"}, logs / "web.log"),
        Process("worker", worker, environment, logs / "worker.log"),
        Process("beat", beat, environment, logs / "beat.log"),
    ]


def wait_until_ready(processes: list[Process], port: int) -> None:
    """Returns when the web answers; raises where it fails to, with the end of its log."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        mend(processes)
        status = answer(port)
        if status and status < 500:
            return
        time.sleep(TICK_S / 2)
    web = next(process for process in processes if process.name == "web")
    raise SetupError(f"the web does not answer on port {port}; see {web.log}\n{web.last_lines()}")


def answer(port: int) -> int | None:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=20)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


def tell(port: int, logins: str, pdf_problem: str, *, has_mail: bool) -> None:
    address = f"http://{LOOPBACK}:{port}"
    lines = [
        "",
        f"Tollgate runs at   {address}/",
        *([f"  mail box         {address}/demo/mail/"] if has_mail else []),
        f"  API              {address}/api/docs/",
        *(["", "Log in with", *(f"  {login}" for login in logins.splitlines())] if logins else []),
        *(["", pdf_problem] if pdf_problem else []),
        "",
        f"Logs are in {STATE / 'logs'}. Ctrl-C stops everything.",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def watch(services: Services, processes: list[Process]) -> None:
    """Until a signal ends it: starts again what crashed, the embedded servers included."""
    tick = 0
    while True:
        time.sleep(TICK_S)
        tick += 1
        if tick % SERVERS_EVERY == 0 and services.start():
            say("An embedded server had stopped; it runs again.")
        mend(processes)


def mend(processes: list[Process]) -> None:
    for process in processes:
        code = process.crashed()
        if code is None:
            continue
        if not process.may_start_again():
            raise SetupError(
                f"the {process.name} keeps ending (code {code}); see {process.log}\n{process.last_lines()}"
            )
        say(f"The {process.name} ended (code {code}) and is started again; see {process.log}\n{process.last_lines()}")
        process.start()


def stop(processes: list[Process]) -> None:
    started = [process for process in processes if process.popen]
    if started:
        say("\nStopping ...")
    for process in reversed(started):
        process.ask_to_stop()
    for process in reversed(started):
        process.stop()
