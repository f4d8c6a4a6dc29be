"""Rows as CSV and as NDJSON."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(columns: Iterable[str], rows: Iterable[Mapping[str, Any]], *, head: bool) -> bytes:
    """RFC 4180 in UTF-8. A cell that a spreadsheet would run as a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    names = list(columns)
    if head:
        writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue().encode()


def ndjson_lines(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """One JSON object a line."""
    return b"".join(orjson.dumps(row, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE) for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode()
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
