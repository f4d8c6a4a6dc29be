"""`make run`: the whole demonstration clinic, from nothing to one ready line, until Ctrl-C.

Everything it starts dies with it; everything it keeps is in the home (`var/`, or TELEHEALTH_HOME).
"""

import hashlib
import http.client
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Final

import psycopg
import redis
from django.core.exceptions import ImproperlyConfigured

from config import env
from config import home as homes
from config.embedded.postgres import Postgres
from config.embedded.process import ServiceError, tail
from config.embedded.valkey import Valkey
from config.serve import PortInUse, listen_on_loopback
from config.supervisor import Process, Supervisor

READY_LIMIT: Final = 120  # seconds
MANAGE: Final = (sys.executable, str(env.BASE_DIR / "manage.py"))
CELERY: Final = (sys.executable, "-m", "celery", "-A", "config")


class Stopped(Exception):
    """Ctrl-C, or a polite request to end."""


def main() -> int:
    """Run until stopped. 0 after Ctrl-C or SIGTERM, 1 with one clear line when something is in the way."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    for name in env.LOADED:  # what the last run left in telehealth.env is no wish of the operator's
        os.environ.pop(name, None)
    supervisor, home = Supervisor(), homes.current()
    try:
        homes.make(home)
        with homes.held(home):
            try:
                _run(home, supervisor)
            finally:
                _quiet()
                supervisor.stop()
                home.run.unlink(missing_ok=True)
    except Stopped:
        return 0
    except (ServiceError, PortInUse, ImproperlyConfigured, homes.HomeInUse) as error:
        print(f"telehealth: {error}", file=sys.stderr)
    except OSError as error:
        print(f"telehealth: {error.filename or home.root}: {error.strerror}", file=sys.stderr)
    return 1


def _stop(number: int, frame: FrameType | None) -> None:
    _quiet()
    raise Stopped


def _quiet() -> None:
    """From here on nothing interrupts the clean-up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _run(home: homes.Home, supervisor: Supervisor) -> None:
    port = env.number("PORT", 8000)
    if not 0 < port < 65536:
        raise ServiceError(f"PORT must be between 1 and 65535, not {port}")
    for listener in listen_on_loopback(port):
        listener.close()
    settings = _keys(home) | _addresses(port) | _database(home, supervisor) | _broker(home, supervisor)
    homes.write_private(home.env_file, "".join(f"{name}={value}\n" for name, value in settings.items()))
    _prepare(home, settings)
    processes = _processes(home, settings, port)
    for name in ("web", "network", "sealer"):
        supervisor.start(processes[name])
    _await_ready(supervisor, port, settings["CATCHER_URL"])
    for name in ("worker", "beat"):  # they find what was queued meanwhile
        supervisor.start(processes[name])
    homes.write_private(home.run, json.dumps({"pid": os.getpid(), "port": port, "url": settings["PUBLIC_URL"]}))
    _announce(home, settings["PUBLIC_URL"])
    while True:
        supervisor.check()
        time.sleep(0.2)


def _prepare(home: homes.Home, settings: Mapping[str, str]) -> None:
    """Migrate, and make the demo clinic, where that is not done yet."""
    owner = _environment(home, settings)
    code = _code_digest(settings["DATABASE_URL"])
    # A start that finds the code and the database as the last one left them has nothing to migrate; /readyz looks again.
    if not home.migrated.exists() or home.migrated.read_text() != code:
        _manage(home, owner, "migrate", "--database", "owner", "--no-input", "--verbosity", "0")
        homes.write_private(home.migrated, code)
    if not home.demo.exists():
        _manage(home, owner, "make_demo", str(home.demo))


def _code_digest(database: str) -> str:
    """Of our code and what it stands on, for one database."""
    digest = hashlib.sha256(database.encode())
    packages = [package.parent for package in env.BASE_DIR.glob("*/__init__.py")]
    sources = [path for package in packages for path in package.glob("**/*.py")]
    for path in sorted([*sources, env.BASE_DIR / "requirements" / "runtime.txt"]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _keys(home: homes.Home) -> dict[str, str]:
    """The home's own keys, but for those that the operator brings."""
    made = homes.make_keys(home)
    return {name: path for name, path in made.items() if not env.given(name.removesuffix("_FILE")) and "DATABASE" not in name}


def _addresses(port: int) -> dict[str, str]:
    """Where the clinic is, and the outside world that this demonstration brings along."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        outside = f"http://127.0.0.1:{probe.getsockname()[1]}"
    url = {"PUBLIC_URL": f"http://localhost:{port}", "ALLOWED_HOSTS": "localhost,127.0.0.1"}
    return url | {"PHARMACY_NETWORK_URL": outside, "CATCHER_URL": outside}


def _database(home: homes.Home, supervisor: Supervisor) -> dict[str, str]:
    """The operator's database, when named; else our own."""
    if not env.given("DATABASE_URL"):
        postgres = Postgres(home)
        supervisor.start(postgres)
        if postgres.new:
            home.migrated.unlink(missing_ok=True)
        passwords = {f"{name}_FILE": str(home.keys / homes.KEYS[name][0]) for name in homes.PASSWORD_OF.values()}
        return passwords | {name: postgres.url(role) for role, name in homes.URL_OF.items()}
    if not env.given("MIGRATION_DATABASE_URL"):
        raise ServiceError("DATABASE_URL is set and MIGRATION_DATABASE_URL is not: the owner's address is needed to migrate")
    for role, name in homes.URL_OF.items():
        if env.given(name):
            _try_database(role)
    names = [*homes.URL_OF.values(), *homes.PASSWORD_OF.values()]
    return {name: env.text(name) for name in names if env.given(name)}


def _try_database(role: homes.Role) -> None:
    entry = homes.database(role)
    address = {"host": entry["HOST"], "port": entry["PORT"], "dbname": entry["NAME"], "user": entry["USER"], "password": entry["PASSWORD"]}
    try:
        psycopg.connect(**{"connect_timeout": "5"} | address | entry["OPTIONS"]).close()
    except psycopg.Error as error:
        raise ServiceError(f"the database of {homes.URL_OF[role]} does not answer: {str(error).splitlines()[0]}") from None


def _broker(home: homes.Home, supervisor: Supervisor) -> dict[str, str]:
    if not env.given("REDIS_URL"):
        valkey = Valkey(home)
        supervisor.start(valkey)
        return {"REDIS_URL": valkey.url}
    url = homes.redis_url()
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5) as client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        raise ServiceError(f"the broker of REDIS_URL does not answer: {str(error).splitlines()[0]}") from None
    return {"REDIS_URL": url}


def _environment(home: homes.Home, settings: Mapping[str, str]) -> dict[str, str]:
    """What our processes see: the machine's environment under the settings of this run."""
    taken = {name.removesuffix("_FILE") for name in settings}
    kept = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in taken}
    ours = {"TELEHEALTH_HOME": str(home.root), "TELEHEALTH_DEMO": "1", "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONUNBUFFERED": "1"}
    return kept | dict(settings) | ours


def _manage(home: homes.Home, environment: Mapping[str, str], *arguments: str) -> None:
    """Run one management command to its end, or raise ServiceError with its last words."""
    log = home.logs / f"{arguments[0]}.log"
    process = Process(arguments[0], [*MANAGE, *arguments], log, environment, env.BASE_DIR)
    process.start()
    assert process.child is not None  # noqa: S101 - started
    try:
        if process.child.wait() != 0:
            raise ServiceError(f"{arguments[0]} failed: {tail(log)} (see {log})")
    finally:
        process.stop()


def _processes(home: homes.Home, settings: Mapping[str, str], port: int) -> dict[str, Process]:
    """By name. None of them is given the owner's address. The sealer alone has the log's signing key, and a role of its own."""
    all_of_them = _environment(home, settings) | {"PORT": str(port)} | _nothing_of("owner") | _nothing_of("sealer")
    sealer, everyone = all_of_them | _as_sealer(settings), all_of_them | {"AUDIT_SIGNING_KEY_FILE": ""}
    worker = ["worker", "--concurrency", "2", "--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    beat = ["beat", "--loglevel", "WARNING", "--schedule", str(home.root / "schedule"), "--pidfile", ""]
    network = ["pharmacy_network", "--port", settings["PHARMACY_NETWORK_URL"].rsplit(":", 1)[1]]
    commands: dict[str, list[str]] = {
        "web": [sys.executable, "-m", "config.serve", "demo"],
        "sealer": [*MANAGE, "seal_audit"],
        "network": [*MANAGE, *network],
        "worker": [*CELERY, *worker],
        "beat": [*CELERY, *beat],
    }
    given = {name: sealer if name == "sealer" else everyone for name in commands}
    return {name: Process(name, argv, home.logs / f"{name}.log", given[name], env.BASE_DIR) for name, argv in commands.items()}


def _nothing_of(role: homes.Role) -> dict[str, str]:
    """Blank, so that telehealth.env does not fill it in either."""
    return dict.fromkeys((homes.URL_OF[role], homes.PASSWORD_OF[role], f"{homes.PASSWORD_OF[role]}_FILE"), "")


def _as_sealer(settings: Mapping[str, str]) -> dict[str, str]:
    """The sealer's own role, under the names that every process reads; nothing where the operator has none."""
    found = {name.removeprefix("SEALER_"): value for name, value in settings.items() if name.startswith("SEALER_DATABASE_")}
    return _nothing_of("app") | found if found.get("DATABASE_URL") else {}


def _await_ready(supervisor: Supervisor, port: int, outside: str) -> None:
    deadline = time.monotonic() + READY_LIMIT
    while not (_listens(outside) and _answers(port)):
        supervisor.check()
        if time.monotonic() > deadline:
            raise ServiceError(f"http://localhost:{port}/readyz does not say that it is ready: see the logs")
        time.sleep(0.1)


def _listens(url: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1])), timeout=5).close()
    except OSError:
        return False
    return True


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("localhost", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _announce(home: homes.Home, url: str) -> None:
    """The one ready line, and under it who may sign in."""
    print(f"Telehealth is ready: {url}/ (portal), {url}/admin/, {url}/api/schema/, {url}/dev/outbox; Ctrl-C stops it", flush=True)
    for person in _sign_ins(home.demo):
        print("  {role:<16} {email:<24} password {password}  TOTP secret {totp_secret}".format_map(person), flush=True)


def _sign_ins(path: Path) -> list[dict[str, Any]]:
    try:
        demo = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    people = demo.get("sign_ins", []) if isinstance(demo, dict) else demo
    return [{"role": "", "email": "", "password": "", "totp_secret": ""} | person for person in people]


if __name__ == "__main__":
    sys.exit(main())
