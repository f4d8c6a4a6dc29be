"""The embedded PostgreSQL: made once, reached over one Unix socket, ended with us."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from config import home as homes
from config.embedded import place
from config.embedded.process import ServiceError, end_orphans, spawn, stop, tail

DATABASE: Final = "telehealth"
OWNER: Final = "tele_owner"
RUNTIME: Final = "tele_app"
SEALER: Final = "tele_sealer"
ROLES: Final[Mapping[homes.Role, str]] = {"owner": OWNER, "app": RUNTIME, "sealer": SEALER}
SUPERUSER: Final = "postgres"
EXTENSIONS: Final = ("btree_gist", "pg_trgm", "citext")
START_LIMIT: Final = 180  # seconds; replaying a long log after a crash is not a fault
SETTINGS: Final = {
    "listen_addresses": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Failing statements, their parameters and the rows they name would bring patients' data into the log.
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "password_encryption": "scram-sha-256",
}
FOR_TESTS: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass
class Postgres:
    """One cluster of one home. `start` makes it when it is not there; `stop` is a fast shutdown."""

    home: homes.Home
    disposable: bool = False  # a test's: nothing is flushed to the disk
    new: bool = field(default=False, init=False)  # whether this start made it
    child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    name: str = field(default="postgres", init=False)

    def __post_init__(self) -> None:
        self.account: pwd.struct_passwd | None = place.account()
        self.programs = place.postgres_programs(self.account)
        self.data = place.data_directory(self.home.root, self.account)
        self.sockets = place.owned(place.socket_directory(self.home.root, self.account) / "p", self.account)
        self.log = self.home.logs / "postgres.log"
        self.mark = place.mark(self.home.root)

    def start(self) -> None:
        """Bring the cluster up with its roles, or raise ServiceError with one line. The caller holds the home."""
        end_orphans("postgres", self.mark, signal.SIGINT)
        self.new = not (self.data / "PG_VERSION").exists()
        if self.new:
            self._initdb()
        # Nothing of ours runs any more, so lock files are left-overs, whatever process has their number today.
        for stale in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)
        settings = SETTINGS | {"cluster_name": self.mark, "unix_socket_directories": _listed(self.sockets)}
        settings |= FOR_TESTS if self.disposable else {}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        argv: list[str | Path] = [self.programs / "postgres", "-D", self.data, *options]
        self.child = spawn(argv, log=self.log, env=_plain_env(), cwd=self.sockets, account=self.account, on_parent_death=signal.SIGINT)
        self._await_ready()
        try:
            self._ensure()
        except psycopg.Error as error:
            self.stop()
            raise ServiceError(f"PostgreSQL does not take us in: {str(error).splitlines()[0]} (see {self.log})") from None

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, data is on the disk."""
        if self.child is not None:
            stop(self.child, signal.SIGINT, timeout=30)

    def url(self, role: homes.Role) -> str:
        """The address of the database for one role; its password is kept in the keys directory."""
        return f"postgresql:///{DATABASE}?host={quote(str(self.sockets), safe='/')}&user={ROLES[role]}"

    def _initdb(self) -> None:
        """Make the cluster aside and rename it, so that an interrupted start leaves nothing half made."""
        parent, new = self.data.parent, self.data.with_name("postgres.new")
        if self.data.exists() and any(self.data.iterdir()):
            raise ServiceError(f"{self.data} is not a PostgreSQL cluster and not empty: move it away")
        shutil.rmtree(new, ignore_errors=True)
        place.owned(new, self.account)
        password_file = self.sockets / "initial"
        homes.write_private(password_file, self._superuser_password())
        if self.account:
            os.chown(password_file, self.account.pw_uid, self.account.pw_gid)
        try:
            self._run_initdb(new, password_file)
        finally:
            password_file.unlink(missing_ok=True)
        if self.data.exists():
            self.data.rmdir()
        new.rename(self.data)
        _sync_directory(parent)

    def _run_initdb(self, new: Path, password_file: Path) -> None:
        argv: list[str | Path] = [self.programs / "initdb", "-D", new, "-U", SUPERUSER, f"--pwfile={password_file}"]
        argv += ["--auth-local=scram-sha-256", "--auth-host=reject", "--encoding=UTF8"]
        argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        argv += ["--no-sync"] if self.disposable else []
        child = spawn(argv, log=self.log, env=_plain_env(), cwd=self.sockets, account=self.account)
        if child.wait() != 0:
            raise ServiceError(f"PostgreSQL's data directory cannot be made: {tail(self.log)} (see {self.log})")

    def _superuser_password(self) -> str:
        path = self.home.keys / "db_super.password"
        if not path.exists():
            if (self.data / "PG_VERSION").exists():
                raise ServiceError(
                    f"{path} is gone, and the database of {self.home.root} needs it: put it back, or move {self.home.root} away"
                )
            homes.write_private(path, homes.new_password())
        return path.read_text(encoding="utf-8")

    def _connect(self, database: str) -> psycopg.Connection:
        password = self._superuser_password()
        return psycopg.connect(host=str(self.sockets), dbname=database, user=SUPERUSER, password=password, autocommit=True)

    def _await_ready(self) -> None:
        assert self.child is not None  # noqa: S101 - set by start
        deadline = time.monotonic() + START_LIMIT
        while self.child.poll() is None and time.monotonic() < deadline:
            if self._says_ready():
                return
            time.sleep(0.02)
        self.stop()
        raise ServiceError(f"PostgreSQL does not start: {tail(self.log)} (see {self.log})")

    def _says_ready(self) -> bool:
        """The eighth line of its lock file is its state."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self.data / "postmaster.pid").read_text(errors="replace").splitlines()
            return len(lines) >= 8 and lines[7].strip() == "ready"
        return False

    def _ensure(self) -> None:
        """Roles, extensions and the database: whatever of them is missing."""
        with self._connect("template1") as connection:
            for name in EXTENSIONS:
                connection.execute(sql.SQL("CREATE EXTENSION IF NOT EXISTS {}").format(sql.Identifier(name)))
            self._ensure_role(connection, OWNER, "owner", "CREATEDB")
            # Every database made from this template, a test's too, starts closed to all but its owner and these two.
            connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            for role in ("app", "sealer"):
                self._ensure_role(connection, ROLES[role], role, "NOCREATEDB")
                connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.Identifier(ROLES[role])))
        with self._connect("postgres") as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                names = {"name": sql.Identifier(DATABASE), "owner": sql.Identifier(OWNER)}
                connection.execute(sql.SQL("CREATE DATABASE {name} OWNER {owner} TEMPLATE template1").format(**names))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))
            for role in (RUNTIME, SEALER):
                connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(DATABASE), sql.Identifier(role)))

    def _ensure_role(self, connection: psycopg.Connection, name: str, role: homes.Role, creates: str) -> None:
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
        statement = sql.SQL("{verb} ROLE {name} LOGIN NOSUPERUSER NOINHERIT NOCREATEROLE NOREPLICATION {creates} PASSWORD {password}")
        connection.execute(
            statement.format(
                verb=sql.SQL("ALTER" if known else "CREATE"),
                name=sql.Identifier(name),
                creates=sql.SQL("CREATEDB" if creates == "CREATEDB" else "NOCREATEDB"),
                password=sql.Literal(homes.password(self.home, role)),
            )
        )


def _listed(directory: Path) -> str:
    """One directory as PostgreSQL's list of directories: quoted, so that commas and spaces are part of it."""
    return '"' + str(directory).replace('"', '""') + '"'


def _plain_env() -> dict[str, str]:
    return {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
