"""Ask the server one question and undo whatever it did."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from telehealth.core import now
from tests.conformance.cells.clinic import Clinic, Kept
from tests.conformance.cells.parts import Row
from tests.conformance.cells.rows import IN_BODIES, ROWS, name_of, path_of
from tests.conformance.routes import Route

# What is drawn anew for each request, and says nothing of what was asked for.
DRAWN = re.compile(r"(?<='nonce-)[\w+/=-]+|\bs\d+_x\d+\b")
OF_THE_REQUEST = "X-Request-Id"


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is done inside has never been."""
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.set_rollback(False)  # also after a statement that failed
        transaction.savepoint_rollback(point)


class Statements(list[str]):
    """The text of what goes to the database, in order and without what was filled in."""

    def __call__(self, execute: Any, sql: Any, *arguments: Any) -> Any:
        self.append(DRAWN.sub("…", str(sql)))
        return execute(sql, *arguments)


def changing(statements: Iterable[str]) -> list[str]:
    """Those that write, the ledger's own apart."""
    return [each for each in statements if each.startswith(("INSERT", "UPDATE", "DELETE")) and "audit_entry" not in each]


@dataclass(frozen=True)
class Answer:
    """What a stranger could compare: status, body, headers, and what work it was."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...]
    statements: tuple[str, ...]

    @property
    def is_no(self) -> bool:
        return self.status == 404


def row_of(route: Route) -> Row | None:
    return ROWS.get(name_of(route)) or IN_BODIES.get(name_of(route))


def ask(clinic: Clinic, browser: Kept, route: Route, record: str, **body: Any) -> Answer:
    """One request about that record's thing (about nothing for ""), as if it had never been."""
    row = row_of(route)
    given = body or (body_of(clinic, row, record) if row else {})
    return send(browser, route.method, path_of(clinic, route, record), given, is_api=route.is_api, **(row.headers if row else {}))


def body_of(clinic: Clinic, row: Row, record: str) -> dict[str, Any]:
    """The row's body about that record, or about an id that is nothing's."""
    return row.body(clinic, record or NOWHERE)


NOWHERE = "nowhere"


def send(
    browser: Kept, method: str, path: str, body: dict[str, Any], *, is_api: bool = True, after: Callable[[], Any] = int, **headers: str
) -> Answer:
    """`after` looks at what has become of things before it is undone."""
    more: dict[str, Any] = {} if method == "get" else {"format": "json" if is_api else "multipart"}
    if now() - browser.put_at > timedelta(minutes=2):
        browser.put_back()
    statements = Statements()
    with undone():
        with connection.execute_wrapper(statements):
            reply = getattr(browser, method)(path, None if method == "get" else body, **more, **headers)
            content = b"".join(reply.streaming_content) if reply.streaming else reply.content
        after()
    if reply.wsgi_request.session.modified:
        browser.put_back()
    told = ((name, "…" if name == OF_THE_REQUEST else DRAWN.sub("…", value)) for name, value in reply.items())
    return Answer(reply.status_code, content, tuple(sorted(told)), tuple(statements))
