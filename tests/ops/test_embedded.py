"""The embedded servers: any path, any crash, nothing left behind, nobody else's touched."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
import redis

from config import home as homes
from config.embedded.postgres import DATABASE, OWNER, RUNTIME, Postgres
from config.embedded.process import ServiceError, named
from config.embedded.valkey import Valkey
from tests.live import alive, place

Make = Callable[[str], homes.Home]


@pytest.fixture
def make() -> Iterator[Make]:
    """Homes whose servers are gone when the test is."""
    with ExitStack() as stack:

        def one(name: str) -> homes.Home:
            root = stack.enter_context(place(name))
            root.parent.chmod(0o755)
            home = homes.Home(root)
            homes.make(home)
            homes.make_keys(home)
            return home

        yield one


def started(home: homes.Home, *, disposable: bool = True) -> Postgres:
    postgres = Postgres(home, disposable=disposable)
    try:
        postgres.start()
    except BaseException:
        postgres.stop()
        raise
    return postgres


def connect(postgres: Postgres, user: str = RUNTIME, password: str | None = None) -> psycopg.Connection:
    role: homes.Role = "owner" if user == OWNER else "app"
    password = homes.password(postgres.home, role) if password is None else password
    return psycopg.connect(host=str(postgres.sockets), dbname=DATABASE, user=user, password=password, autocommit=True)


def test_two_side_by_side_from_awkward_paths(make: Make) -> None:
    homes_ = [make('it\'s a "clinic", é & co'), make("d" * 150)]
    running: list[Postgres | Valkey] = []
    try:
        for home in homes_:
            postgres, valkey = started(home), Valkey(home)
            running += [postgres, valkey]
            valkey.start()
            with connect(postgres) as connection:
                row = connection.execute("SELECT current_user, current_setting('listen_addresses')").fetchone()
            assert row == (RUNTIME, "")
            with redis.Redis.from_url(valkey.url) as client:
                client.set("home", home.root.name)
        with redis.Redis.from_url(running[1].url) as client:  # type: ignore[arg-type]
            assert client.get("home") == homes_[0].root.name.encode()
    finally:
        for service in running:
            service.stop()
    assert not any(named("postgres", service.mark) for service in running if isinstance(service, Postgres))


def test_the_owner_and_the_runtime_role_are_strangers_to_each_other(make: Make) -> None:
    postgres = started(make("home"))
    try:
        with connect(postgres, OWNER) as owner:
            owner.execute("CREATE TABLE t (id int)")
            memberships = owner.execute("SELECT count(*) FROM pg_auth_members WHERE roleid >= 16384 OR member >= 16384").fetchone()
            extensions = {name for (name,) in owner.execute("SELECT extname FROM pg_extension")}
        assert memberships == (0,)
        assert {"btree_gist", "pg_trgm", "citext"} <= extensions
        with connect(postgres) as runtime, pytest.raises(psycopg.errors.InsufficientPrivilege):
            runtime.execute("SELECT * FROM t")
        for wrong in ("", homes.password(postgres.home, "owner")):
            with pytest.raises(psycopg.OperationalError, match=r"password"):
                connect(postgres, password=wrong)
    finally:
        postgres.stop()


def test_a_failing_statement_leaves_none_of_its_values_in_the_log(make: Make) -> None:
    postgres = started(make("home"))
    try:
        with connect(postgres, OWNER) as owner:
            owner.execute("CREATE TABLE t (id text PRIMARY KEY)")
            owner.execute("INSERT INTO t VALUES (%s)", ["Quillfeather"])
            for statement, values in (("INSERT INTO t VALUES (%s)", ["Quillfeather"]), ("SELECT 'Quillfeather' FROM nowhere", None)):
                with pytest.raises(psycopg.Error):
                    owner.execute(statement.encode(), values)
        assert "Quillfeather" not in postgres.log.read_text()
        assert "duplicate key" in postgres.log.read_text()
    finally:
        postgres.stop()


def test_after_kill_9_it_starts_again_with_its_data(make: Make) -> None:
    home = make("home")
    postgres = started(home, disposable=False)
    with connect(postgres, OWNER) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 1 AS one")
    assert postgres.child is not None
    os.kill(postgres.child.pid, signal.SIGKILL)  # not yet reaped: the next start meets its lock file

    again = started(home)
    try:
        with connect(again, OWNER) as owner:
            assert owner.execute("SELECT one FROM kept").fetchone() == (1,)
    finally:
        again.stop()
        postgres.stop()


def test_a_lock_file_with_the_number_of_somebody_elses_process_does_not_stop_it_nor_that_process(make: Make) -> None:
    home = make("home")
    postgres = started(home)
    postgres.stop()
    lines = f"{os.getpid()}\n{postgres.data}\n0\n5432\n{postgres.sockets}\n\n  0 0\nready\n"
    (postgres.data / "postmaster.pid").write_text(lines)

    again = started(home)
    again.stop()


def test_a_half_made_home_heals(make: Make) -> None:
    home = make("home")
    (home.root / "postgres.new").mkdir()
    (home.root / "postgres.new" / "PG_VERSION").write_text("18\n")
    (home.root / "postgres").mkdir()

    postgres = started(home)
    postgres.stop()

    assert (postgres.data / "global").is_dir()
    assert not (home.root / "postgres.new").exists()


def test_somebody_elses_files_in_its_place_are_left_alone(make: Make) -> None:
    home = make("home")
    (home.root / "postgres").mkdir()
    (home.root / "postgres" / "letter.txt").write_text("dear aunt")

    with pytest.raises(ServiceError, match="not a PostgreSQL cluster"):
        started(home)
    assert (home.root / "postgres" / "letter.txt").read_text() == "dear aunt"


LAUNCHER = """
import sys, time
from pathlib import Path
from config import home as homes
from config.embedded.postgres import Postgres
from config.embedded.valkey import Valkey
home = homes.Home(Path(sys.argv[1]))
postgres, valkey = Postgres(home, disposable=True), Valkey(home)
postgres.start(); valkey.start()
print(postgres.child.pid, valkey.child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children of their parent's death on Linux only")
def test_servers_die_with_their_launcher(make: Make) -> None:
    home = make("home")
    with subprocess.Popen([sys.executable, "-c", LAUNCHER, str(home.root)], stdout=subprocess.PIPE, text=True) as launcher:
        assert launcher.stdout is not None
        pids = [int(pid) for pid in launcher.stdout.readline().split()]
        launcher.kill()
    assert len(pids) == 2

    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "a server outlived its launcher"
        time.sleep(0.05)
