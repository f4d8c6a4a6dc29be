"""The suite, like a web process, is only the runtime role."""

import psycopg
import pytest
from django.db import ProgrammingError, connection


@pytest.mark.django_db
def test_tests_run_as_the_runtime_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, session_user, rolsuper, rolcreatedb, rolinherit FROM pg_roles WHERE rolname = current_user")
        user, session, superuser, creates, inherits = cursor.fetchone()

    assert user == session == connection.settings_dict["USER"] != "tele_owner"
    assert not superuser
    assert not creates
    assert not inherits


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "DROP TABLE django_migrations",
        "ALTER TABLE django_migrations ADD COLUMN mine int",
        "SET ROLE tele_owner",
        "SET SESSION AUTHORIZATION tele_owner",
        "SET session_replication_role = replica",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('PG_VERSION')",
    ],
)
def test_the_runtime_role_has_no_power_over_the_schema(statement: str) -> None:
    with pytest.raises(ProgrammingError) as refused, connection.cursor() as cursor:
        cursor.execute(statement)

    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
