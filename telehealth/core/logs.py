"""Log lines that cannot carry health data: JSON, an allow-list of keys, exceptions by type and place only.

Our own code says constant sentences and puts what varies into keys: `log.error("socket broken", error="OSError")`. A key that
is not in KEYS is dropped, and a value that has not the shape of an id, a code or a count becomes "-". Of what libraries say,
the sentence is kept where we know that it is a constant, and what they put into it is struck out; of others, only where it was said.
"""

import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPMethod, HTTPStatus
from types import TracebackType
from typing import Any
from uuid import UUID

import orjson
import structlog
from structlog.typing import EventDict

from audit.ledger.units import current_or_none

KEYS = frozenset(
    "cid code count destination error kind object_id place published seconds status_code stored task task_id view why".split(),
)
"""What a line may carry besides `at`, `level`, `logger`, `message` and `exception`."""

OURS = frozenset({"audit", "config", "consults", "prescribing", "scheduling", "telehealth"})
CONSTANT = frozenset({"_granian", "celery", "django", "kombu", "uvicorn"})
"""Libraries whose messages are constants with arguments; any other's may be an f-string over anything."""
NOT_CONSTANT = ("celery.redirected", "django.security")  # what a task printed; an exception's own words
SPOKEN = {each.phrase for each in HTTPStatus} | set(map(str, HTTPMethod))
CELERY = ("name", "id", "description", "runtime")  # of its named arguments: all others are exceptions, arguments, results
WITHHELD = "(message withheld)"
_CODE = re.compile(r"[\w.:/<>@\[\]-]{0,120}")
_ARGUMENT = re.compile(r"%(?:\((?P<name>\w+)\))?[-#0-9.+ ]*[a-zA-Z]")

Trouble = tuple[type[BaseException], BaseException, TracebackType | None]


def formatter() -> logging.Formatter:
    """The one formatter of every handler; makes structlog ours and the interpreter's last words terse as well."""
    structlog.configure(
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    sys.excepthook = _last_words
    threading.excepthook = lambda told: _last_words(told.exc_type, told.exc_value, told.exc_traceback)
    sys.unraisablehook = lambda told: _last_words(told.exc_type, told.exc_value, told.exc_traceback)
    steps: list[Any] = [_line, structlog.processors.JSONRenderer(serializer=_json)]
    return structlog.stdlib.ProcessorFormatter(processors=steps, pass_foreign_args=True, use_get_message=False)


def _json(line: object, **_: object) -> str:
    return orjson.dumps(line, default=str).decode()


def _line(logger: object, name: str, event: EventDict) -> EventDict:
    """What is written of an event, ours or a library's."""
    record: logging.LogRecord = event["_record"]
    facts = event if event["_from_structlog"] else vars(record)
    line: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "message": _message(record, str(event["event"]), event.get("positional_args") or ()),
    }
    if line["message"] == WITHHELD:
        line["place"] = f"{record.module}:{record.lineno}"
    unit = current_or_none()
    line |= {"cid": unit.cid} if unit else {}
    line |= {key: _shaped(facts[key]) for key in sorted(KEYS) if key in facts}
    if (trouble := _trouble(event.get("exc_info"))) is not None:
        line["exception"] = describe(trouble)
    return line


def _shaped(value: object) -> object:
    """An id, a code, a count; whatever else it is, "-"."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if _CODE.fullmatch(text) else "-"


def _message(record: logging.LogRecord, said: str, args: Any) -> str:
    """The sentence; of a library's, what it put into it is struck out."""
    if not _is_constant(record.name):
        return WITHHELD
    said = said.partition("\n")[0]  # granian puts a whole traceback behind its sentence
    if isinstance(args, Mapping):
        return _ARGUMENT.sub(lambda found: _shown(args.get(found["name"])) if found["name"] in CELERY else "-", said)
    request = getattr(record, "request", None)
    shown = [_route(request) if request is not None and value == request.path else _shown(value) for value in args]
    return _ARGUMENT.sub(lambda _: shown.pop(0) if shown else "-", said) if args else said


def _is_constant(name: str) -> bool:
    return name.partition(".")[0] in OURS | CONSTANT and not name.startswith(NOT_CONSTANT)


def _shown(value: object) -> str:
    """Numbers, ids and what the protocol itself says; an address, a name, anything typed: "-"."""
    known = isinstance(value, int | float | UUID) or value in SPOKEN or re.fullmatch(r"[a-z_]+(\.[a-z_]+)+|[0-9a-f-]{36}", str(value))
    return str(value) if known else "-"


def _route(request: object) -> str:
    """The pattern that the address fits, as in the URLconf; "-" when it fits none."""
    match = getattr(request, "resolver_match", None)
    return f"/{match.route}" if match else "-"


def _trouble(told: object) -> Trouble | None:
    if told is True:
        told = sys.exc_info()
    if isinstance(told, BaseException):
        return type(told), told, told.__traceback__
    return told if isinstance(told, tuple) and told[0] is not None else None


def describe(trouble: Trouble) -> list[str]:
    """The chain of exceptions, each as its type and the frames it passed: no message, no values."""
    found: list[str] = []
    error: BaseException | None = trouble[1]
    while error is not None and len(found) < 8:
        found.append(f"{type(error).__name__} at {places(error)}")
        error = error.__cause__ or error.__context__
    return found


def places(error: BaseException) -> str:
    """Where an exception passed, innermost first."""
    frames: Iterable[traceback.FrameSummary] = reversed(traceback.extract_tb(error.__traceback__)[-6:])
    return " < ".join(f"{frame.name} {frame.filename.rsplit('/', 2)[-1]}:{frame.lineno}" for frame in frames)


def _last_words(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """An exception that nobody caught: Python would print its message, and with it what it is about."""
    if issubclass(kind, KeyboardInterrupt):
        return
    trouble = (kind, error or kind(), trace)
    # The true one: a worker's redirected one would withhold it.
    (sys.__stderr__ or sys.stderr).write(_json({"level": "CRITICAL", "message": "not caught", "exception": describe(trouble)}) + "\n")
