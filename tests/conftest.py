"""The suite runs on a real PostgreSQL, as the runtime role, and on a real Valkey; both end with the session."""

import atexit
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import django
import psycopg
import pytest
import redis
from django.db import OperationalError, connections
from psycopg import sql
from pytest_django.plugin import DjangoDbBlocker

from config import home as homes
from tests.services import Services

# On import, since the conftests below this one import models, and those read the settings.
_services = Services()
atexit.register(_services.stop)
_services.start()
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

pytest_plugins = ["tests.cast", "tests.people"]


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database is made and migrated by the owner; every test then works in it as the runtime role."""
    with django_db_blocker.unblock():
        owner, runtime = connections["owner"], connections["default"]
        name = owner.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        runtime.close()
        runtime.settings_dict["NAME"] = name
        _close_to_strangers(name)
    yield
    with django_db_blocker.unblock():
        connections.close_all()
        with contextlib.suppress(OperationalError):  # threads of socket tests keep connections; the next run clobbers it
            owner.creation.destroy_test_db(owner.settings_dict["NAME"], verbosity=0)


def _close_to_strangers(name: str) -> None:
    """As in production; and TRUNCATE, which only the tests' clean-up needs, on the tables that it cleans."""
    role = sql.Identifier(connections["default"].settings_dict["USER"])
    tables = connections["owner"].introspection.django_table_names(only_existing=True, include_views=False)
    with connections["owner"].cursor() as cursor:
        database = sql.Identifier(name)
        cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role))
        for table in tables:
            cursor.execute(sql.SQL("GRANT TRUNCATE ON {} TO {}").format(sql.Identifier(table), role))


AsOwner = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def as_owner(transactional_db: None) -> Iterator[AsOwner]:
    """Run one statement as the database's owner, on a connection of its own, and see what is committed: for attackers."""
    settings = connections["owner"].settings_dict
    address = {"host": settings["HOST"], "port": settings["PORT"], "user": settings["USER"], "password": settings["PASSWORD"]}
    with psycopg.connect(dbname=connections["default"].settings_dict["NAME"], autocommit=True, **address) as connection:

        def execute(statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

        yield execute


@pytest.fixture
def valkey() -> Iterator[redis.Redis]:
    """The broker, empty."""
    with redis.Redis.from_url(homes.redis_url()) as client:
        client.flushall()
        yield client
