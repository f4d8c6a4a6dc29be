"""`make run`, from outside: one ready line, private files, clear refusals, nothing left behind."""

import contextlib
import json
import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from config import home as homes
from config.env import BASE_DIR
from config.serve import PortInUse, listen_on_loopback
from tests.live import Live, alive, environment, free_port, place, running, start


def refused(home: Path, port: int, **more: str) -> str:
    """What a run that cannot start says: one line and a non-zero exit."""
    process = start(home, port, **more)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.count("\n") == 1, output
    return output


def family(pid: int) -> set[int]:
    """A process's descendants."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and alive(int(entry.name)):
            parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in found | {pid}} - found:
        found |= more
    return found


def test_one_ready_line_and_private_files(live: Live) -> None:
    assert live.ready.count("http://localhost:") >= 1
    assert live.url in live.ready
    assert httpx.get(f"{live.url}/readyz").json()["status"] in {"ok", "degraded"}
    for path in (live.home.demo, live.home.env_file, live.home.run, *live.home.keys.iterdir(), *live.home.logs.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert json.loads(live.home.run.read_text())["url"] == live.url


def test_management_commands_find_the_services_of_the_home(live: Live) -> None:
    done = live.manage("migrate", "--check")
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_listens_on_loopback_only(live: Live) -> None:
    rows = [line.split()[1:4] for table in ("tcp", "tcp6") for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    listening = {address.split(":")[0] for address, _, state in rows if state == "0A" and int(address.split(":")[1], 16) == live.port}
    assert "0100007F" in listening
    assert listening <= {"0100007F", "00000000000000000000000001000000"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_only_the_supervisor_has_the_owners_address(live: Live) -> None:
    pids = family(live.process.pid)
    ours = [pid for pid in pids if b"TELEHEALTH_DEMO=1" in (Path("/proc") / str(pid) / "environ").read_bytes()]
    assert len(ours) >= 5
    for pid in ours:
        assert b"user=tele_owner" not in (Path("/proc") / str(pid) / "environ").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_sealer_alone_has_the_role_that_writes_leaves(live: Live) -> None:
    found = set()
    for pid in family(live.process.pid):
        if b"user=tele_sealer" in (Path("/proc") / str(pid) / "environ").read_bytes():
            found.add((Path("/proc") / str(pid) / "cmdline").read_bytes().split(b"\0")[2])
    assert found == {b"seal_audit"}
    assert (live.home.checkpoints / "checkpoint").exists()  # and it works


def test_a_second_run_on_the_same_home_is_refused(live: Live) -> None:
    assert "another run uses" in refused(live.home.root, free_port())
    assert httpx.get(f"{live.url}/healthz").status_code == 200


def test_a_port_in_use_is_named(live: Live) -> None:
    with place() as home:
        assert f"port {live.port} cannot be used" in refused(home, live.port)


def test_a_port_held_in_any_of_its_forms_is_in_use() -> None:
    """On a machine with IPv6 both forms are listened on, and each one alone is in the way; without it there is one."""
    port = free_port()
    forms = _closed(listen_on_loopback(port))
    assert socket.AF_INET in forms
    for form in forms:
        held = listen_on_loopback(port)
        _closed([listener for listener in held if listener.family != form])
        with pytest.raises(PortInUse, match=str(port)):
            listen_on_loopback(port)
        _closed([listener for listener in held if listener.family == form])


def _closed(listeners: list[socket.socket]) -> list[int]:
    families = [int(listener.family) for listener in listeners]
    for listener in listeners:
        listener.close()
    return families


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"DATABASE_URL": "postgresql://ann:hush@127.0.0.1:9/x", "MIGRATION_DATABASE_URL": "postgresql://ann:hush@127.0.0.1:9/x"},
            "DATABASE_URL",
        ),
        ({"DATABASE_URL": "postgresql://ann:hush@127.0.0.1:9/x"}, "MIGRATION_DATABASE_URL"),
        ({"DATABASE_URL": "mysql://ann:hush@127.0.0.1/x", "MIGRATION_DATABASE_URL": "mysql://ann:hush@127.0.0.1/x"}, "only database"),
        ({"PORT": "http"}, "whole number"),
        ({"PORT": "70000"}, "between 1 and 65535"),
    ],
)
def test_what_is_in_the_way_is_said_in_one_line(settings: dict[str, str], words: str) -> None:
    with place() as home:
        line = refused(home, free_port(), **settings)
    assert words in line
    assert "hush" not in line


def test_a_dead_broker_is_named_and_the_database_started_before_it_is_gone() -> None:
    with place() as home:
        assert "REDIS_URL" in refused(home, free_port(), REDIS_URL="redis://127.0.0.1:9/0")
        assert not list((home / "s" / "p").glob(".s.PGSQL.*"))


def test_a_home_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    assert "home" in refused(tmp_path / "home", free_port())


def test_production_servers_refuse_to_start_without_their_secrets() -> None:
    with place() as home:
        settings = environment(home, PORT=str(free_port()))
        done = subprocess.run(
            [sys.executable, "-m", "config.serve", "ws"],
            cwd=BASE_DIR,
            env=settings,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


@pytest.mark.storm
def test_ctrl_c_leaves_nothing_and_a_warm_start_is_quick_and_keeps_the_data() -> None:
    with place("it's a home") as home:
        with running(home) as clinic:
            people, pids = clinic.sign_ins, family(clinic.process.pid)
            assert len(pids) > 8
        assert not any(map(alive, pids))
        began = time.monotonic()
        with running(home) as again:
            assert time.monotonic() - began < 10
            assert again.sign_ins == people


@pytest.mark.storm
def test_after_kill_9_of_everything_it_starts_again() -> None:
    with place() as home:
        process = start(home, free_port())
        assert process.stdout is not None
        process.stdout.readline()
        for pid in [process.pid, *family(process.pid)]:
            os.kill(pid, 9)
        process.wait()
        process.stdout.close()
        with running(home) as again:
            assert httpx.get(f"{again.url}/readyz").status_code == 200


@pytest.mark.storm
def test_two_clinics_side_by_side_from_deep_paths() -> None:
    with place("d" * 150) as one, place("e" * 150) as two, running(one) as first, running(two) as second:
        assert first.url != second.url
        assert homes.Home(one).demo.read_text() != homes.Home(two).demo.read_text()


@pytest.mark.storm
@pytest.mark.parametrize("seconds", [0.4, 0.8, 1.5, 3.0, 6.0, 9.0])
def test_a_first_start_cut_off_anywhere_heals(seconds: float) -> None:
    with place() as home:
        process = start(home, free_port())
        time.sleep(seconds)
        for pid in [process.pid, *family(process.pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)
        process.communicate()
        with running(home) as again:
            assert again.sign_ins
