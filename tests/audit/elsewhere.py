"""A second cluster of PostgreSQL, flushed to the disk, into which the test database was dumped and restored as an operator would."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections

from config import env
from config import home as homes
from config.embedded.postgres import DATABASE, OWNER, RUNTIME, Postgres
from tests.live import place


@dataclass
class Elsewhere:
    """The cluster, and the environment of processes that work on it with this suite's keys."""

    postgres: Postgres
    home: homes.Home

    def environment(self, role: homes.Role = "app") -> dict[str, str]:
        address = {"DATABASE_URL": self.postgres.url(role), "DATABASE_PASSWORD_FILE": str(self.home.keys / f"db_{role}.password")}
        return {**os.environ, **address, "MIGRATION_DATABASE_URL": "", "TELEHEALTH_HOME": str(self.home.root)}

    def connect(self) -> "psycopg.Connection[Any]":
        """As the runtime role."""
        password = homes.password(self.home, "app")
        return psycopg.connect(host=str(self.postgres.sockets), dbname=DATABASE, user=RUNTIME, password=password, autocommit=True)

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A management command; sealing under the sealer's role, the rest under the runtime's."""
        role: homes.Role = "sealer" if arguments[0] == "seal_audit" else "app"
        command = [env.BASE_DIR / ".venv/bin/python", "manage.py", *arguments]
        return subprocess.run(
            command, cwd=env.BASE_DIR, env=self.environment(role), capture_output=True, text=True, timeout=300, check=False
        )


@contextmanager
def restored() -> Iterator[Elsewhere]:
    """pg_dump of the test database by its owner, psql into the new cluster by its owner."""
    with place() as root:
        home = homes.Home(root)
        homes.make(home)
        homes.make_keys(home)
        postgres = Postgres(home)
        try:
            postgres.start()
            _restore(postgres, home, _dump(postgres.programs))
            yield Elsewhere(postgres, home)
        finally:
            postgres.stop()


def _dump(programs: Path) -> str:
    source = connections["owner"].settings_dict
    command = [programs / "pg_dump", "--host", source["HOST"], "--username", source["USER"], connections["default"].settings_dict["NAME"]]
    if source["PORT"]:
        command += ["--port", source["PORT"]]
    return _run(command, str(source["PASSWORD"]))


def _restore(postgres: Postgres, home: homes.Home, dump: str) -> None:
    command = [postgres.programs / "psql", "--host", postgres.sockets, "--username", OWNER, "--quiet", "--no-psqlrc", DATABASE]
    _run(command, homes.password(home, "owner"), dump)


def _run(command: list[Any], password: str, text: str = "") -> str:
    environment = {"PGPASSWORD": password, "PATH": os.defpath}
    done = subprocess.run(
        [str(part) for part in command], env=environment, input=text, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
