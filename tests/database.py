"""The database of the suite and of the benchmarks: made and migrated by the owner, used by the runtime role."""

import contextlib
from collections.abc import Iterator
from functools import cache

from django.conf import settings
from django.db import DatabaseError, OperationalError, connections, transaction
from psycopg import sql

from audit.ledger.grants import NARROWED, grant_runtime_role
from telehealth.vault import record_keys


def make_database() -> None:
    """Make it, and turn the runtime role's connection to it."""
    owner, runtime = connections["owner"], connections["default"]
    name = owner.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    runtime.close()
    runtime.settings_dict["NAME"] = name
    close_to_strangers()


def drop_database() -> None:
    """Drop it, when no straggling connection is in the way."""
    owner = connections["owner"]
    connections.close_all()
    with contextlib.suppress(OperationalError):  # threads of socket tests keep connections; the next run clobbers it
        owner.creation.destroy_test_db(owner.settings_dict["NAME"], verbosity=0)


def close_to_strangers() -> None:
    """As in production; and what only the tests need: to clean up everywhere, and leaves for a sealer in their own process."""
    name = connections["default"].settings_dict["NAME"]
    role = sql.Identifier(connections["default"].settings_dict["USER"])
    tables = connections["owner"].introspection.django_table_names(only_existing=True, include_views=False)
    with connections["owner"].cursor() as cursor:
        database = sql.Identifier(name)
        cursor.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role))
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [settings.AUDIT_SEALER_ROLE])
        if cursor.fetchone():
            sealer = sql.Identifier(settings.AUDIT_SEALER_ROLE)
            cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, sealer))
        for table in tables:
            cursor.execute(sql.SQL("GRANT TRUNCATE ON {} TO {}").format(sql.Identifier(table), role))
        for name in (*NARROWED, "vault_destroyedkey"):
            cursor.execute(sql.SQL("GRANT INSERT, UPDATE, DELETE ON {} TO {}").format(sql.Identifier(name), role))
        cursor.execute(sql.SQL("GRANT INSERT ON audit_leaf, audit_checkpoint TO {}").format(role))


@contextlib.contextmanager
def production_rights() -> Iterator[None]:
    """No right that only the suite has: the very grants that a migration makes. Needs the database "owner"."""
    grant_runtime_role("owner")
    try:
        yield
    finally:
        close_to_strangers()
        connections["owner"].close()


KEPT = {"django_content_type", "auth_permission", "django_migrations"}


def empty() -> None:
    """Delete the rows that a committing test left. Django's own way truncates every table, which takes a hundred times as long."""
    connection = connections["default"]
    with connection.cursor() as cursor:
        cursor.execute(_filled_tables(connection.alias))
        filled = [name for (name,) in cursor.fetchall()]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            for name in filled:  # foreign keys are deferred: they are checked when all are empty
                cursor.execute(f"DELETE FROM {name}")
    except DatabaseError:  # a table whose rows nobody may delete
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(filled)} CASCADE")
    record_keys.cache.clear()  # those keys are gone: a second process would not find what we sealed under them


@cache
def _filled_tables(alias: str) -> str:
    names = connections[alias].introspection.django_table_names(only_existing=True, include_views=False)
    return " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names if name not in KEPT)
