"""For balancers and supervisors: is the process alive, and may it be given work?"""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from audit.ledger.sealing import lag_seconds
from telehealth.vault import keyring

LAGGING_SECONDS = 30


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Database, migrations and broker answer, else 503. A lagging sealer degrades and does not fail, nor does a vault
    whose keys are out of reach: those in memory go on."""
    checks = {"database": _works(_database), "migrations": _works(_migrations), "broker": _works(_broker)}
    checks["sealing"] = checks["database"] and _works(_sealing)
    checks["vault"] = keyring.reachable()
    failed = not (checks["database"] and checks["migrations"] and checks["broker"])
    status = "failed" if failed else "ok" if checks["sealing"] and checks["vault"] else "degraded"
    return JsonResponse({"status": status, **checks}, status=503 if failed else 200)


def _works(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (DatabaseError, redis.RedisError, OSError):
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _migrations() -> bool:
    executor = MigrationExecutor(connections["default"])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _broker() -> bool:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2) as client:
        return bool(client.ping())


def _sealing() -> bool:
    return lag_seconds() < LAGGING_SECONDS
