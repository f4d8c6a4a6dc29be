"""The unit: one request, message, task or command, with who acts and what has been opened for them.

Openings and refusals collect here as plain objects and are written in one INSERT: by the commit that
also writes (see `audit.ledger.postgres`), or when the unit ends, and always before anything leaves.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID, uuid4

from django.db import connections, models, transaction

from audit.ledger.actor import ANONYMOUS, Actor
from audit.ledger.acts import Act
from audit.ledger.entries import Row, detail_text, insert, new_row
from audit.ledger.errors import EntryNotWritten, NoContext

BREAK_THE_GLASS = "BTG"  # v3 ActReason: what is done to a record under emergency access
Openings = dict[UUID, dict[str, set[str]]]
_current: ContextVar["Unit | None"] = ContextVar("audit_unit", default=None)


class _Doubt:
    """Rows written inside a transaction that is still open. Its hook disappears from `run_on_commit` when the transaction
    or savepoint rolls back; then the rows are gone and what was seen is written anew."""

    __slots__ = ("kept", "rows")

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.kept = False

    def __call__(self) -> None:
        self.kept = True

    def is_open(self, using: str) -> bool:
        return any(hook is self for _, hook, *_ in connections[using].run_on_commit)


class Unit:
    """Who acts, through which channel and why, and what of which record has been opened and not yet written."""

    __slots__ = (
        "actor",
        "broken",
        "channel",
        "cid",
        "closed",
        "doubts",
        "eager",
        "lacking",
        "openings",
        "purpose",
        "reason",
        "refusals",
        "together",
    )

    def __init__(self, actor: Actor, *, channel: str, purpose: str, reason: str, cid: str, eager: bool = False) -> None:
        self.actor = actor
        self.channel = channel
        self.purpose = purpose
        self.reason = reason
        self.cid = cid
        self.closed = False
        self.broken = False  # an entry could not be written: whatever the code made of that, nothing may leave
        self.lacking = ""  # the code of what could not be had (a key): likewise, and the same request may be good later
        self.eager = eager  # each opening is on record before its plaintext exists: for a shell, which shows what it likes
        self.openings: Openings = {}
        self.refusals: list[Row] = []
        self.doubts: list[_Doubt] = []
        self.together: list[Row] | None = None  # acts that wait for the end of their block

    def become(self, actor: Actor) -> None:
        """Authentication found out who it is."""
        self.actor = actor

    def open(self, record_id: UUID, kind: str, pk: UUID, field: str) -> None:
        """Register that a field of an object of this record is about to be read."""
        if self.closed:
            raise NoContext("the unit has ended")
        self.openings.setdefault(record_id, {}).setdefault(f"{kind}:{pk}", set()).add(field)
        if self.eager:
            _flush(self, "default")

    def row(self, act: str, **values: Any) -> Row:
        """An entry of this unit's actor, or of `actor=`."""
        actor: Actor = values.pop("actor", None) or self.actor
        declared = values.get("record_id") in actor.emergency
        return new_row(
            act=str(act),
            actor_id=actor.id,
            role=str(actor.role),
            session=actor.session,
            client=actor.client,
            channel=self.channel,
            purpose=BREAK_THE_GLASS if declared else self.purpose,
            cid=self.cid,
            **{"reason": self.reason, **values},
        )

    def take(self) -> list[Row]:
        """Everything not yet written, as rows; the unit forgets it until `give_back`."""
        rows = [*self.refusals, *(self._opening(record, objects) for record, objects in self.openings.items())]
        self.openings, self.refusals = {}, []
        return rows

    def give_back(self, rows: list[Row]) -> None:
        """The write failed: keep the rows for the next one."""
        self.refusals = [*rows, *self.refusals]

    def settle(self, using: str) -> None:
        """Take back what a rollback has erased since it was written."""
        for doubt in self.doubts:
            if not doubt.kept and not doubt.is_open(using):
                self.give_back(doubt.rows)
        self.doubts = [doubt for doubt in self.doubts if doubt.is_open(using)]

    def _opening(self, record_id: UUID, objects: Mapping[str, set[str]]) -> Row:
        detail = {key: sorted(fields) for key, fields in objects.items()}
        return self.row(Act.RECORD_OPENED, record_id=record_id, detail=detail_text(detail))


def current() -> Unit:
    """The unit we are in, or NoContext."""
    found = _current.get()
    if found is None:
        raise NoContext("no audit unit: nobody is on record as asking")
    return found


def current_or_none() -> Unit | None:
    """For the database backend, which also serves processes that open nothing."""
    return _current.get()


@contextmanager
def unit(
    actor: Actor = ANONYMOUS, *, channel: str, purpose: str = "TREAT", reason: str = "", cid: str = "", eager: bool = False
) -> Iterator[Unit]:
    """Everything opened inside is written before this ends, also when it ends by an exception."""
    made = Unit(actor, channel=channel, purpose=purpose, reason=reason, cid=cid or uuid4().hex, eager=eager)
    token = _current.set(made)
    try:
        try:
            yield made
        finally:
            flush()
    finally:
        made.closed = True
        _current.reset(token)


@contextmanager
def resumed(existing: Unit) -> Iterator[Unit]:
    """Make a still open unit current again: for a stream that outlives its view, or a socket's next message."""
    token = _current.set(existing)
    try:
        yield existing
    finally:
        _current.reset(token)


def flush(using: str = "default") -> list[Row]:
    """Write what was collected, or raise EntryNotWritten and keep it. Returns the rows written."""
    found = _current.get()
    return [] if found is None else _flush(found, using)


def _flush(found: Unit, using: str, acts: Sequence[Row] = ()) -> list[Row]:
    """What was collected, in one INSERT with these acts: they vanish with a transaction that is rolled back, it does not."""
    if found.doubts:
        found.settle(using)
    rows = found.take() if found.openings or found.refusals else []
    if not rows and not acts:
        return []
    try:
        write(found, [*acts, *rows], using)
    except BaseException:
        found.give_back(rows)
        raise
    if rows and connections[using].in_atomic_block:
        doubt = _Doubt(rows)
        found.doubts.append(doubt)
        transaction.on_commit(doubt, using)
    return rows


def record(
    by: Actor,
    act: Act,
    thing: models.Model | None = None,
    *,
    record_id: UUID | None = None,
    outcome: str = "ok",
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
    using: str = "default",
) -> None:
    """One act, written now in the caller's transaction (of the database `using`), so that it vanishes with its cause."""
    found = current()
    row = found.row(act, actor=by, outcome=outcome, detail=detail_text(detail), **_about(thing, record_id, reason))
    if found.together is None:
        write(found, [row], using)
    else:
        found.together.append(row)


@contextmanager
def together(using: str = "default") -> Iterator[None]:
    """The acts of one service and what was opened for it, in one INSERT of its transaction when the block ends; none if it raises.

    For what is done often: an INSERT apiece is most of what an entry costs. Blocks do not nest, an inner one adds nothing.
    """
    found = current()
    if found.together is not None:
        yield
        return
    rows: list[Row] = []
    found.together = rows
    try:
        yield
    finally:
        found.together = None
    _flush(found, using, rows)


def record_each(by: Actor, act: Act, details: Iterable[Mapping[str, Any]]) -> None:
    """The same act many times, each with its own detail, in one INSERT of the caller's transaction."""
    found = current()
    if rows := [found.row(act, actor=by, detail=detail_text(detail)) for detail in details]:
        write(found, rows)


def write(found: Unit, rows: list[Row], using: str = "default") -> None:
    """Insert now; a unit that could not write once lets nothing out, whatever the code made of the exception."""
    try:
        insert(rows, using)
    except EntryNotWritten:
        found.broken = True
        raise


def refuse(by: Actor, reason: str, *, kind: str = "", pk: object = "", record_id: UUID | None = None) -> None:
    """Somebody was turned away. Kept outside any transaction: a rollback does not erase it."""
    found = current()
    row = found.row(Act.REFUSED, actor=by, outcome="refused", reason=reason, kind=kind, object_pk=str(pk or ""), record_id=record_id)
    found.refusals.append(row)


def _about(thing: models.Model | None, record_id: UUID | None, reason: str) -> dict[str, Any]:
    about: dict[str, Any] = {"record_id": record_id}
    if reason:
        about["reason"] = reason
    if thing is not None:
        about |= {"kind": thing._meta.label, "object_pk": str(thing.pk)}
        about["record_id"] = record_id or getattr(thing, "record_id", None)
    return about
