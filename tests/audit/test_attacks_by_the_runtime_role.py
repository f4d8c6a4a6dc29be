"""C2 with the privileges of the web process: `tele_app`, under the very grants that a migration gives in production."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from audit.ledger import uuid7
from audit.ledger.models import Checkpoint, Entry, Leaf
from audit.ledger.sealing import Sealer
from audit.ledger.verification import Verifier
from config import env
from tests.audit.conftest import Write, seal_all
from tests.audit.sealers import start_sealer
from tests.cast import make_patient
from tests.database import production_rights

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
AsOwner = Callable[..., list[tuple[Any, ...]]]
COLUMNS = "act, action, actor_id, channel, cid, client, detail, kind, object_pk, outcome, purpose, reason, record_id, role, session"
COPY = f"""INSERT INTO audit_entry (id, "timestamp", mac, {COLUMNS}) SELECT %s::uuid, {{0}}, mac, {COLUMNS} FROM audit_entry LIMIT 1"""
LEAF = "(1000000000, gen_random_uuid(), decode(repeat('00', 32), 'hex'))"


@pytest.fixture(autouse=True)
def _as_in_production(written: Write, sealer: Sealer, settings: Settings) -> Iterator[None]:
    """Something to attack, sealed; and no right that only the suite has."""
    written(3)
    seal_all(sealer)
    with production_rights():
        yield


@pytest.fixture
def partition(as_owner: AsOwner) -> str:
    """The month that is being written to."""
    return str(as_owner("SELECT tableoid::regclass::text FROM audit_entry ORDER BY id DESC LIMIT 1")[0][0])


def refused(statement: str, why: str, *parameters: Any) -> None:
    with pytest.raises(DatabaseError, match=why), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def succeeding(attempts: list[str], about: str, why: str) -> list[str]:
    """Those that were not refused for the reason that they should be."""
    found = []
    for attempt in attempts:
        try:
            with nullcontext() if "CONCURRENTLY" in attempt else transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(attempt.format(about))
            found.append(attempt)
        except DatabaseError as error:
            if not re.search(why, str(error)):
                found.append(f"{attempt}: {error}")
    return found


CHANGES = [
    "UPDATE {0} SET role = 'x'",
    "UPDATE {0} SET xid = xid",
    "DELETE FROM {0}",
    "TRUNCATE {0}",
    "TRUNCATE {0} CASCADE",
    "MERGE INTO {0} t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE",
    "SELECT 1 FROM {0} FOR UPDATE",
    "LOCK TABLE {0} IN ACCESS EXCLUSIVE MODE",
    "DROP TABLE {0}",
    "ALTER TABLE {0} DISABLE TRIGGER USER",
    "ALTER TABLE {0} DISABLE TRIGGER ALL",
    "ALTER TABLE {0} OWNER TO CURRENT_USER",
    "ALTER TABLE {0} DROP COLUMN mac",
    "ALTER TABLE {0} RENAME TO other",
    "ALTER TABLE {0} ENABLE ROW LEVEL SECURITY",
    "CREATE RULE hidden AS ON INSERT TO {0} DO INSTEAD NOTHING",
    "CREATE TRIGGER mine BEFORE INSERT ON {0} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE INDEX ON {0} (act)",
    "COPY {0} FROM PROGRAM 'true'",
]
TREE = ["DELETE FROM {0}", "TRUNCATE {0}", "DROP TABLE {0}", "ALTER TABLE {0} DISABLE TRIGGER USER"]
AROUND = [
    "ALTER TABLE audit_entry DETACH PARTITION {0}",
    "ALTER TABLE audit_entry DETACH PARTITION {0} CONCURRENTLY",
    "DROP TRIGGER audit_entry_append_only ON audit_entry",
    "DROP FUNCTION audit_refuse_change() CASCADE",
    "CREATE OR REPLACE FUNCTION audit_refuse_back_dating() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "ALTER FUNCTION audit_make_partitions() SET search_path = pg_temp",
    "CREATE SCHEMA mine",
    "CREATE TEMPORARY TABLE audit_entry (id uuid)",
    "SET ROLE tele_owner",
    "SET ROLE tele_sealer",
    "SET SESSION AUTHORIZATION tele_owner",
    "SET session_replication_role = replica",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "GRANT tele_owner TO CURRENT_USER",
    "ALTER DEFAULT PRIVILEGES FOR ROLE tele_owner GRANT ALL ON TABLES TO PUBLIC",
    "CREATE EXTENSION dblink",
    "COPY audit_entry TO PROGRAM 'cat'",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
    "SELECT lo_import('PG_VERSION')",
]
REFUSED = r"permission denied|must be owner|must be able to SET|not a view"


def test_the_table_does_not_change() -> None:
    assert succeeding(CHANGES, "audit_entry", REFUSED) == []


def test_a_partition_does_not_change_nor_take_what_the_parent_would_refuse(partition: str) -> None:
    own = ["INSERT INTO {0} SELECT * FROM audit_entry LIMIT 1", "SELECT * FROM {0}"]
    assert succeeding([*CHANGES, *own], partition, REFUSED) == []


@pytest.mark.parametrize("table", ["audit_leaf", "audit_checkpoint", "audit_archive"])
def test_the_tree_does_not_change(table: str) -> None:
    assert succeeding(TREE, table, REFUSED) == []


def test_there_is_no_way_around(partition: str) -> None:
    others = rf"{REFUSED}|permission to|must have|must be superuser|Only roles|cannot|does not exist"
    assert succeeding(AROUND, partition, others) == []


@pytest.mark.parametrize("table", ["audit_entry", "audit_leaf", "audit_checkpoint", "audit_archive"])
def test_no_right_is_handed_on(table: str, as_owner: AsOwner) -> None:
    """PostgreSQL only warns of that."""
    rights = "SELECT relacl::text FROM pg_class WHERE relname = %s"
    before = as_owner(rights, table)
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT ALL ON {table} TO PUBLIC")
    assert as_owner(rights, table) == before


@pytest.mark.parametrize(
    ("entry_id", "moment"),
    [
        ("01890000-0000-7000-8000-000000000001", "clock_timestamp()"),  # an id of 2023
        (None, "now() - interval '2 minutes'"),
        (None, "now() + interval '2 minutes'"),
        ("ffffffff-ffff-7fff-8fff-ffffffffffff", "clock_timestamp()"),
        ("5c1b2f0e-8f1d-4f5e-9d55-0b1f6a1c7d10", "clock_timestamp()"),  # not by time at all
    ],
)
def test_nothing_is_back_dated_or_dated_ahead(entry_id: str | None, moment: str) -> None:
    refused(COPY.format(moment), r"not of now|no partition", entry_id or uuid7())


def test_an_id_of_some_minutes_ago_is_refused_too() -> None:
    before = UUID(int=uuid7().int - (120_000 << 80))
    refused(COPY.format("clock_timestamp()"), "not of now", before)


def test_the_transaction_id_is_not_for_the_application() -> None:
    refused("INSERT INTO audit_entry (id, xid) VALUES (gen_random_uuid(), '1')", "permission denied")


def test_an_entry_is_not_overwritten_by_inserting_it_again() -> None:
    refused(
        COPY.format("clock_timestamp()") + " ON CONFLICT (id) DO UPDATE SET role = 'x'", r"permission denied", Entry.objects.latest("id").pk
    )


def test_leaves_and_checkpoints_are_the_sealers_alone(has_sealer: None) -> None:
    refused(f"INSERT INTO audit_leaf VALUES {LEAF}", "permission denied")
    refused("INSERT INTO audit_checkpoint SELECT tree_size + 1, root, peaks, note, mark FROM audit_checkpoint LIMIT 1", "permission denied")
    refused("COPY audit_leaf FROM STDIN", "permission denied")


@pytest.fixture
def has_sealer(as_owner: AsOwner) -> None:
    assert as_owner("SELECT 1 FROM pg_roles WHERE rolname = 'tele_sealer'"), "the suite's own cluster has a role for the sealer"


def address_of_sealer() -> dict[str, str]:
    settings = connection.settings_dict
    return {
        "host": settings["HOST"],
        "port": settings["PORT"] or "",
        "dbname": settings["NAME"],
        "user": "tele_sealer",
        "password": env.text("SEALER_DATABASE_PASSWORD", ""),
    }


def test_the_sealers_process_seals_under_its_own_role(has_sealer: None, written: Write, sealer: Sealer, tmp_path: Any) -> None:
    ids = written(4)
    address = address_of_sealer()
    url = f"postgresql:///{address['dbname']}?host={quote(address['host'], safe='/')}&user=tele_sealer"
    environment = {**os.environ, "DATABASE_URL": url, "DATABASE_PASSWORD": address["password"], "TELEHEALTH_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "manage.py", "seal_audit", "--once"], cwd=env.BASE_DIR, env=environment, check=True, timeout=60)
    assert Leaf.objects.filter(entry_id__in=ids).count() == 4
    assert Verifier().run().ok


@pytest.mark.parametrize("how", ["--once", "--after-restore"])
def test_sealing_under_the_runtime_role_is_refused_in_a_sentence(has_sealer: None, how: str) -> None:
    """Also when there is nothing to seal; and nothing that was published is set aside."""
    published = settings.AUDIT_CHECKPOINTS / "checkpoint"
    with pytest.raises(CommandError, match=r"^the role \S+ may not seal the log: .* SEALER_DATABASE_URL.*$") as ended:
        call_command("seal_audit", how)
    assert ended.value.returncode == 1
    assert published.exists()


def test_the_process_that_seals_under_the_runtime_role_ends_and_does_not_try_for_ever(has_sealer: None, tmp_path: Path) -> None:
    process = start_sealer(tmp_path, log=subprocess.PIPE)
    try:
        said = process.communicate(timeout=60)[1].decode()
    finally:
        process.kill()
    assert process.returncode == 1
    assert "SEALER_DATABASE_URL" in said and "Traceback" not in said and len(said.strip().splitlines()) == 1


def test_the_sealers_role_adds_and_changes_nothing(has_sealer: None) -> None:
    attempts = [
        "UPDATE audit_leaf SET leaf_index = -1",
        "DELETE FROM audit_leaf",
        "TRUNCATE audit_checkpoint",
        "DELETE FROM audit_entry",
        "UPDATE audit_entry SET role = 'x'",
        "ALTER TABLE audit_leaf DISABLE TRIGGER USER",
        "SET ROLE tele_owner",
        "SET ROLE tele_app",
        "SET session_replication_role = replica",
        "INSERT INTO audit_archive (month, entries, sha256, place) VALUES ('2019-01-01', 0, decode(repeat('00', 32), 'hex'), '')",
    ]
    with psycopg.connect(**address_of_sealer(), autocommit=True) as session:  # type: ignore[arg-type]
        for attempt in attempts:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(attempt.encode())


def test_a_leaf_that_was_smuggled_in_is_named(sealer: Sealer, written: Write, as_owner: AsOwner) -> None:
    """By a cluster without a role for the sealer, or by the owner: the verifier holds it against what was published."""
    size = Checkpoint.objects.latest("tree_size").tree_size
    as_owner("INSERT INTO audit_leaf VALUES (%s, %s, %s)", size, uuid7(), b"\x00" * 32)
    try:
        report = Verifier().run()
        assert not report.ok
        assert report.damages[0].index == size
    finally:
        as_owner("ALTER TABLE audit_leaf DISABLE TRIGGER USER")
        as_owner("DELETE FROM audit_leaf WHERE leaf_index = %s", size)
        as_owner("ALTER TABLE audit_leaf ENABLE TRIGGER USER")
    assert Verifier().run().ok


@pytest.fixture
def with_temporary_objects(as_owner: AsOwner) -> Iterator[None]:
    """A cluster whose administrator left PostgreSQL's default: everybody may make temporary objects."""
    role = connection.settings_dict["USER"]
    as_owner(f"GRANT TEMPORARY ON DATABASE {connection.settings_dict['NAME']} TO {role}")
    yield
    as_owner(f"REVOKE TEMPORARY ON DATABASE {connection.settings_dict['NAME']} FROM {role}")


TRAPS = ["timestamptz", "text", "uuid", "int8"]


def test_the_owners_function_runs_nothing_of_the_callers(with_temporary_objects: None, as_owner: AsOwner) -> None:
    """PostgreSQL looks for types among temporary ones first, also in a function of the owner's, unless its path says otherwise:
    a type of the caller's with a check would run that check as the owner."""
    with psycopg.connect(**address_of_runtime(), autocommit=True) as session:  # type: ignore[arg-type]
        session.execute("CREATE TEMPORARY TABLE seen (who text)")
        session.execute("GRANT INSERT ON pg_temp.seen TO PUBLIC")
        session.execute(
            "CREATE FUNCTION pg_temp.spy(anyelement) RETURNS boolean LANGUAGE plpgsql AS "
            "'BEGIN INSERT INTO pg_temp.seen VALUES (current_user); RETURN true; END'"
        )
        for name in TRAPS:
            session.execute(f"CREATE DOMAIN pg_temp.{name} AS pg_catalog.{name} CHECK (pg_temp.spy(VALUE))")  # type: ignore[arg-type]
        gone = as_owner(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'audit_entry'::regclass ORDER BY 1 DESC LIMIT 1"
        )
        as_owner(f"DROP TABLE {gone[0][0]}")  # a month ahead, and empty, which is to be made anew
        assert session.execute("SELECT audit_make_partitions()").fetchone() == (1,)
        assert session.execute("SELECT DISTINCT who FROM seen").fetchall() == []


def address_of_runtime() -> dict[str, str]:
    settings = connection.settings_dict
    return {
        "host": settings["HOST"],
        "port": settings["PORT"] or "",
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
    }


def test_a_migration_takes_temporary_objects_away(with_temporary_objects: None, as_owner: AsOwner) -> None:
    with production_rights():
        refused("CREATE TEMPORARY TABLE mine (id int)", "permission denied")


KEPT = [
    "DELETE FROM vault_recordkey",
    "UPDATE vault_recordkey SET record_id = gen_random_uuid()",
    "UPDATE vault_recordkey SET version = version + 1",
    "TRUNCATE vault_recordkey",
    "DELETE FROM vault_retiredkey",
    "INSERT INTO vault_retiredkey (id) VALUES (gen_random_uuid())",
    "DELETE FROM vault_destroyedkey",
    "INSERT INTO vault_destroyedkey VALUES (gen_random_uuid(), now())",
    "UPDATE vault_destroyedkey SET record_id = gen_random_uuid()",
    "DELETE FROM records_legalhold",
    "DELETE FROM records_destruction",
    "DELETE FROM records_emergencyaccess",
    "DELETE FROM review_finding",
    "DELETE FROM review_incident",
    "DELETE FROM review_watermark",
    "DELETE FROM review_disclosure",
    "UPDATE review_disclosure SET at = now()",
    "TRUNCATE review_finding",
]


def test_keys_holds_and_findings_are_not_deleted() -> None:
    assert succeeding(KEPT, "", REFUSED) == []


def test_what_the_application_does_with_keys_it_may() -> None:
    """Rows are made, held while sealing, and re-wrapped: a right that is missing would show in production alone."""
    patient = make_patient("Quill", "Pia")
    for lock in ("KEY SHARE", "NO KEY UPDATE"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SELECT 1 FROM vault_recordkey WHERE record_id = %s FOR {lock}", [patient.pk])
    with connection.cursor() as cursor:
        cursor.execute("UPDATE vault_recordkey SET kek_id = kek_id, wrapped = wrapped WHERE record_id = %s", [patient.pk])
        assert cursor.rowcount == 1
        for table in (
            "vault_retiredkey",
            "records_legalhold",
            "records_destruction",
            "review_finding",
            "review_watermark",
            "review_incident",
        ):
            cursor.execute(f"SELECT 1 FROM {table} FOR UPDATE")
