"""An entry as data: its columns, its canonical text, its MAC, and the one INSERT that writes entries.

The canonical text is JSON with sorted ASCII keys over strings, small integers and null only, so that
sorted JSON, RFC 8785 and the text that PostgreSQL builds (`text_sql`) are the same bytes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import orjson
from django.db import Error, connections

from audit.ledger.errors import EntryNotWritten, KeyUnavailable
from audit.ledger.ids import uuid7
from audit.ledger.keys import mac

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"
_SQL_TIME = """to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""

COLUMNS: Mapping[str, str] = {
    "act": "text",
    "action": "smallint",
    "actor_id": "uuid",
    "channel": "text",
    "cid": "text",
    "client": "text",
    "detail": "text",
    "id": "uuid",
    "kind": "text",
    "object_pk": "text",
    "outcome": "text",
    "purpose": "text",
    "reason": "text",
    "record_id": "uuid",
    "role": "text",
    "session": "text",
    "timestamp": "timestamptz",
}
"""Column → PostgreSQL type, in the order of the canonical text (sorted); the MAC covers them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry before it is written. Ids, kinds, field names and codes; never a value, never free text."""

    act: str
    action: int = 3
    actor_id: UUID | None = None
    channel: str = ""
    cid: str = ""
    client: str = ""
    detail: str = "{}"
    id: UUID
    kind: str = ""
    object_pk: str = ""
    outcome: str = "ok"
    purpose: str = ""
    reason: str = ""
    record_id: UUID | None = None
    role: str = ""
    session: str = ""
    timestamp: datetime

    def text(self) -> bytes:
        """The canonical text that the MAC is over."""
        return canonical({name: _plain(getattr(self, name)) for name in COLUMNS})


def new_row(**values: Any) -> Row:
    """A row with its id and instant."""
    return Row(id=uuid7(), timestamp=datetime.now(UTC), **values)


def canonical(value: Mapping[str, Any]) -> bytes:
    """Sorted compact JSON: equal to RFC 8785 for what entries hold."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def detail_text(detail: Mapping[str, Any] | None) -> str:
    """Nested facts as canonical text, since a column holds no structure."""
    return canonical(detail or {}).decode()


_INTO = f"INSERT INTO audit_entry ({', '.join([*COLUMNS, 'mac'])})"
_ONE = f"{_INTO} VALUES ({', '.join(f'%s::{kind}' for kind in [*COLUMNS.values(), 'bytea'])})"
_MANY = f"{_INTO} SELECT * FROM unnest({', '.join(f'%s::{kind}[]' for kind in [*COLUMNS.values(), 'bytea'])})"  # noqa: S608  # our own names
_values = attrgetter(*COLUMNS)


def insert(rows: Sequence[Row], using: str = "default") -> None:
    """Write all rows in one statement, or raise EntryNotWritten."""
    try:
        with connections[using].cursor() as cursor:
            if len(rows) == 1:  # nearly always: arrays cost more than what they hold
                cursor.execute(_ONE, [*_values(rows[0]), mac(rows[0].text())])
            else:
                cursor.execute(_MANY, _arrays(rows))
    except (Error, KeyUnavailable) as error:
        raise EntryNotWritten("audit entry not written") from error


def _arrays(rows: Sequence[Row]) -> list[list[Any]]:
    arrays: list[list[Any]] = [[getattr(row, name) for row in rows] for name in COLUMNS]
    arrays.append([mac(row.text()) for row in rows])
    return arrays


def text_sql(alias: str, names: Iterable[str] = tuple(COLUMNS)) -> str:
    """A SQL expression for the canonical text of the row `alias`: the same bytes as `Row.text`."""
    parts = [f"""'"{name}":' || {_value_sql(f"{alias}.{name}", COLUMNS[name])}""" for name in names]
    return "'{' || " + " || ',' || ".join(parts) + " || '}'"


def _value_sql(column: str, kind: str) -> str:
    if kind == "smallint":
        return f"{column}::text"
    if kind == "timestamptz":
        column = _SQL_TIME.format(column)
    elif kind == "uuid":
        column = f"{column}::text"
    return f"COALESCE(to_json({column})::text, 'null')"


def _plain(value: Any) -> str | int | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime(TIME_FORMAT)
    if isinstance(value, UUID):
        return str(value)
    if value is None or isinstance(value, int):
        return value
    return str(value)
