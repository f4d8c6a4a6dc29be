"""What the runtime role may do, set again after every migration: least privilege that cannot drift.

Ordinary tables: rows, no structure. Audit tables: SELECT and INSERT, and of an entry only the columns that
the application writes (`xid` is PostgreSQL's own). Where the cluster has a role for the sealer, only that one
writes leaves and checkpoints. Record keys, holds and findings are never deleted but by the owner. Nobody makes
temporary objects: what stands before the schema's own could be taken for it. Only the tables' owner may run
this; others pass by.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import connections
from psycopg import sql

from audit.ledger.entries import COLUMNS

SEALERS = ("audit_leaf", "audit_checkpoint")
# What has left has left: the accounting of it is never rewritten. Nor is what somebody agreed to.
ADDED_ONLY = ("outbox_contactconsent", "review_disclosure")
READ_ONLY = ("audit_archive", "django_migrations", "vault_destroyedkey")
NARROWED: Mapping[str, str] = {
    # Keys are re-wrapped by the application; destroyed, and set aside for a new one, by the owner's commands alone.
    "vault_recordkey": "SELECT, INSERT, UPDATE (kek_id, wrapped)",
    "vault_retiredkey": "SELECT, UPDATE (kek_id, wrapped)",
    # What somebody decided or has to answer for.
    **dict.fromkeys(
        (
            "records_destruction",
            "records_emergencyaccess",
            "records_legalhold",
            "review_finding",
            "review_incident",
            "review_watermark",
        ),
        "SELECT, INSERT, UPDATE",
    ),
}

_OWNS = "SELECT pg_get_userbyid(relowner) = current_user FROM pg_class WHERE oid = to_regclass('audit_entry')"
_TABLES = """
    SELECT c.relname, c.relispartition FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND pg_get_userbyid(c.relowner) = current_user
"""


def grant_runtime_role(using: str = "default", **_: Any) -> None:
    """A post_migrate handler: grants for every table of the schema, idempotent."""
    role, database = settings.DATABASES["default"]["USER"], str(connections[using].settings_dict["NAME"])
    with connections[using].cursor() as cursor:
        cursor.execute(_OWNS)
        if cursor.fetchone() != (True,):
            return
        present = [name for name in (role, settings.AUDIT_SEALER_ROLE) if _exists(cursor, name)]
        if role not in present:
            return
        cursor.execute(_TABLES)
        tables = cursor.fetchall()
        for who in present:
            seals = who == present[-1]  # the runtime role itself, where there is no other
            for statement in _statements(who, database, tables, seals):
                cursor.execute(statement)


def _exists(cursor: Any, role: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s AND rolname <> current_user", [role])
    return cursor.fetchone() is not None


def _statements(role: str, database: str, tables: list[tuple[str, bool]], seals: bool) -> list[sql.Composed]:
    who = sql.Identifier(role)
    found = [
        sql.SQL("REVOKE TEMPORARY ON DATABASE {} FROM PUBLIC, {}").format(sql.Identifier(database), who),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(who),
        sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {}").format(who),
        sql.SQL("GRANT EXECUTE ON FUNCTION audit_make_partitions() TO {}").format(who),
    ]
    for name, is_partition in tables:
        table = sql.Identifier(name)
        found.append(sql.SQL("REVOKE ALL ON {} FROM {}").format(table, who))
        if name in READ_ONLY:
            found.append(sql.SQL("GRANT SELECT ON {} TO {}").format(table, who))
        elif name == "audit_entry":
            columns = sql.SQL(", ").join(map(sql.Identifier, [*COLUMNS, "mac"]))
            found.append(sql.SQL("GRANT SELECT, INSERT ({}) ON {} TO {}").format(columns, table, who))
        elif name in NARROWED:
            found.append(sql.SQL("GRANT {} ON {} TO {}").format(sql.SQL(NARROWED[name]), table, who))
        elif name in SEALERS and not seals:
            found.append(sql.SQL("GRANT SELECT ON {} TO {}").format(table, who))
        elif name in (*SEALERS, *ADDED_ONLY):
            found.append(sql.SQL("GRANT SELECT, INSERT ON {} TO {}").format(table, who))
        elif not is_partition and not name.startswith("audit_entry_"):  # a detached month is nobody's to change either
            found.append(sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}").format(table, who))
    return found
