"""Connections for verifying: read-only, all of one snapshot, and deaf to functions of the database's owner.

`search_path` is pg_catalog alone: else a function `public.to_json(text)` would be a better match than PostgreSQL's own, and
its owner could show the verifier what an entry used to say.
"""

from typing import Any

import psycopg
from django.db import connections
from psycopg import sql

Session = psycopg.Connection[tuple[Any, ...]]
_OURS = ("context", "cursor_factory", "prepare_threshold", "client_encoding")
_OPTIONS = "-c search_path=pg_catalog -c timezone=UTC -c work_mem=32MB -c jit=off -c statement_timeout=0"


def address(using: str = "default") -> dict[str, Any]:
    """How to reach the database of the settings."""
    given = connections[using].get_connection_params()
    return {**{name: value for name, value in given.items() if name not in _OURS}, "options": _OPTIONS}


def open_session(where: dict[str, Any], snapshot: str = "") -> Session:
    """A session in a read-only transaction of its own, or of another session's snapshot."""
    session: Session = psycopg.connect(**where, client_encoding="utf8")
    session.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    session.read_only = True
    if snapshot:
        session.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
    return session


def snapshot_of(session: Session) -> str:
    """The name under which other sessions may see what this one sees, while it lasts."""
    row = session.execute("SELECT pg_export_snapshot()").fetchone()
    return str(row[0]) if row else ""
