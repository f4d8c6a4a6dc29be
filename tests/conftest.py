"""The suite runs on a real PostgreSQL, as the runtime role, and on a real Valkey; both end with the session."""

import atexit
import os
from collections.abc import Callable, Iterator
from typing import Any

import django
import psycopg
import pytest
import redis
from django.db import connections
from django.test import TransactionTestCase
from pytest_django.plugin import DjangoDbBlocker

from config import home as homes
from telehealth.vault import record_keys
from tests.database import drop_database, empty, make_database
from tests.services import Services

# On import, since the conftests below this one import models, and those read the settings.
_services = Services()
atexit.register(_services.stop)
_services.start()
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
django.setup()

pytest_plugins = ["tests.cast", "tests.live", "tests.people"]


@pytest.fixture(autouse=True, scope="session")
def _quick_cleaning() -> None:
    """Tests that commit clean up by deleting what is there."""
    TransactionTestCase._fixture_teardown = lambda case: empty()  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _keys_of_this_test_alone() -> None:
    """What earlier tests sealed is gone with its keys; a second process would not find one that only our memory has."""
    record_keys.cache.clear()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database is made and migrated by the owner; every test then works in it as the runtime role."""
    with django_db_blocker.unblock():
        make_database()
    yield
    with django_db_blocker.unblock():
        drop_database()


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
