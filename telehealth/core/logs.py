"""Log lines that cannot carry health data: JSON, an allow-list of keys, exceptions by type and place only."""

import logging
import traceback
from datetime import UTC, datetime
from types import TracebackType

import orjson

KEYS = ("cid", "status_code", "task_id", "destination", "kind", "object_id", "count", "code")
"""Extra keys that a line may carry; any other `extra=` is dropped."""

STRUCK = frozenset({"args", "exc", "kwargs", "return_value", "traceback"})

_Trouble = tuple[type[BaseException], BaseException, TracebackType | None]


class Terse(logging.Formatter):
    """One JSON object a line. An exception's message is left out: it may quote what somebody typed."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        line |= {key: getattr(record, key) for key in KEYS if hasattr(record, key)}
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = describe(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def _message(record: logging.LogRecord) -> str:
    """The message; of what Celery puts into it, exceptions, arguments and results are struck out, and of what Django
    puts into it, the address: that may be an invitation's link, or what somebody typed."""
    request = getattr(record, "request", None)
    if isinstance(record.args, tuple) and (path := getattr(request, "path", None)):
        return str(record.msg) % tuple(_route(request) if arg == path else arg for arg in record.args)
    if isinstance(record.args, dict):
        return str(record.msg) % {key: "-" if key in STRUCK else value for key, value in record.args.items()}
    return record.getMessage()


def _route(request: object) -> str:
    """The pattern that the address fits, as in the URLconf; "-" when it fits none."""
    match = getattr(request, "resolver_match", None)
    return f"/{match.route}" if match else "-"


def describe(trouble: _Trouble) -> list[str]:
    """The chain of exceptions, each as its type and the frames it passed: no message, no values."""
    found: list[str] = []
    error: BaseException | None = trouble[1]
    while error is not None and len(found) < 8:
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        places = " < ".join(f"{frame.name} {frame.filename.rsplit('/', 2)[-1]}:{frame.lineno}" for frame in reversed(frames))
        found.append(f"{type(error).__name__} at {places}")
        error = error.__cause__ or error.__context__
    return found
