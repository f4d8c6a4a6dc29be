"""One's own PostgreSQL and Redis instead of the embedded ones, made ready by deploy/database.sql."""

import os
import subprocess
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest

from config import home as homes
from config.embedded.postgres import Postgres
from config.embedded.valkey import Valkey
from config.env import BASE_DIR
from tests.live import place, running

OWNER_PASSWORD, APP_PASSWORD, SEALER_PASSWORD = "o'w ner", "a@p/p", "se:al"


@pytest.fixture
def outside() -> Iterator[tuple[Postgres, Valkey]]:
    """A PostgreSQL without our roles and a Valkey, as an operator would bring them."""
    with place("elsewhere") as root:
        home = homes.Home(root)
        homes.make(home)
        homes.make_keys(home)
        postgres, valkey = Postgres(home, disposable=True), Valkey(home)
        try:
            postgres.start()
            valkey.start()
            _strip(postgres)
            yield postgres, valkey
        finally:
            valkey.stop()
            postgres.stop()


def _superuser(postgres: Postgres) -> dict[str, str]:
    return {"host": str(postgres.sockets), "user": "postgres", "password": (postgres.home.keys / "db_super.password").read_text()}


def _strip(postgres: Postgres) -> None:
    statements = {
        "postgres": ["DROP DATABASE telehealth"],
        "template1": ["DROP OWNED BY tele_app, tele_owner, tele_sealer", "DROP ROLE tele_app, tele_owner, tele_sealer"],
    }
    for database, list_ in statements.items():
        with psycopg.connect(dbname=database, autocommit=True, **_superuser(postgres)) as connection:
            for statement in list_:
                connection.execute(statement.encode())


@pytest.mark.storm
def test_a_database_made_by_the_script_serves(outside: tuple[Postgres, Valkey]) -> None:
    postgres, valkey = outside
    access = _superuser(postgres)
    command = [postgres.programs / "psql", "-h", access["host"], "-U", access["user"], "-v", "ON_ERROR_STOP=1"]
    command += [
        "-v",
        f"owner_password={OWNER_PASSWORD}",
        "-v",
        f"app_password={APP_PASSWORD}",
        "-v",
        f"sealer_password={SEALER_PASSWORD}",
        "-f",
        BASE_DIR / "deploy/database.sql",
        "postgres",
    ]
    subprocess.run(command, env=os.environ | {"PGPASSWORD": access["password"]}, check=True, capture_output=True)
    address = f"postgresql:///telehealth?host={quote(str(postgres.sockets))}"
    urls = {
        "DATABASE_URL": f"{address}&user=tele_app",
        "DATABASE_PASSWORD": APP_PASSWORD,
        "SEALER_DATABASE_URL": f"{address}&user=tele_sealer",
        "SEALER_DATABASE_PASSWORD": SEALER_PASSWORD,
        "MIGRATION_DATABASE_URL": f"{address}&user=tele_owner&password={quote(OWNER_PASSWORD)}",
        "REDIS_URL": valkey.url,
    }

    with place() as home, running(home, **urls) as clinic:
        assert not (home / "postgres").exists()
        assert clinic.manage("migrate", "--check").returncode == 0
    with psycopg.connect(dbname="telehealth", **_superuser(postgres)) as connection:
        assert connection.execute("SELECT count(*) > 20 FROM pg_tables WHERE tableowner = 'tele_owner'").fetchone() == (True,)
