"""One piece of the log: its leaves and entries recomputed, and what the tree must look like at each checkpoint within.

A piece of 2^13 leaves that begins at a multiple of that is one perfect subtree, so pieces are computed in any order and
in any process, and their roots are put together afterwards. This is where nearly all the time goes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from itertools import islice
from operator import itemgetter
from typing import Any
from uuid import UUID

from audit.ledger.entries import text_sql
from audit.ledger.keys import mac
from audit.ledger.verification.sessions import Session
from audit.tlog.merkle import HASH_BYTES, Peaks
from audit.tlog.notes import BadCheckpoint, opened
from audit.tlog.proofs import perfect

LEVEL = 13
WIDTH = 1 << LEVEL
STRAY_MS = 180_000  # id and timestamp may each be a minute off the database's clock, and the minute is what is compared
TOLD = 100  # odd entries told of per piece
NOTHING = bytes(HASH_BYTES)  # stands where a leaf is gone
NOBODY = UUID(int=0)
PeaksAt = Callable[[int], list[bytes]]
_PLACE = itemgetter(0)

_ROWS = f"""
    SELECT l.leaf_index, uuid_send(l.entry_id), l.leaf_hash, convert_to({text_sql("e")}, 'UTF8'), e.mac
    FROM public.audit_leaf l LEFT JOIN public.audit_entry e ON e.id = l.entry_id AND e.id BETWEEN %s AND %s
    WHERE l.leaf_index >= %s AND l.leaf_index < %s
"""  # noqa: S608  # our own names
# What the piece's ids lie between, so that the join reads only that part of the entries.
_SPAN = """
    WITH ids AS MATERIALIZED (SELECT entry_id FROM public.audit_leaf WHERE leaf_index >= %s AND leaf_index < %s)
    SELECT (SELECT entry_id FROM ids ORDER BY entry_id LIMIT 1), (SELECT entry_id FROM ids ORDER BY entry_id DESC LIMIT 1)
"""


@dataclass(frozen=True, slots=True)
class Note:
    """A checkpoint to check: what it says its size is, its text, whether it was kept outside the database."""

    size: int
    text: str
    outside: bool
    made_ms: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """Leaves [first, last) and the notes whose sizes are in (first, last]. `before` where `first` is no multiple of WIDTH."""

    first: int
    last: int
    notes: Sequence[Note] = ()
    before: Peaks | None = None


@dataclass(slots=True)
class Seen:
    """A checkpoint as checked: its root or what is wrong with it, and the newest peaks of the piece at its size."""

    note: Note
    root: bytes
    wrong: str
    peaks: list[bytes]  # of the piece; of the whole tree where the task had `before`
    newest_ms: int


@dataclass(slots=True)
class Odd:
    """An entry that does not fit its leaf: `wrong` is absent, mac, leaf, mac+leaf, clock, twice."""

    index: int
    entry: str
    wrong: str
    stored: bytes
    found: bytes = b""


@dataclass(slots=True)
class Piece:
    """What came out."""

    first: int
    last: int
    present: int = 0
    holes: list[int] = field(default_factory=list)
    absent: list[Odd] = field(default_factory=list)
    odd: list[Odd] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    peaks: list[bytes] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures count."""

    origin: str
    public_key: bytes


def piece(session: Session, trust: Trust, task: Task) -> Piece:
    """Recompute one piece."""
    made = Piece(task.first, task.last)
    leaves, times = _leaves(session, task, made)
    peaks_at = _continued(task.before, leaves) if task.before else _aligned(leaves)
    for note in sorted(task.notes, key=lambda each: each.size):
        offset = note.size - task.first
        made.seen.append(Seen(note, *opened_note(note, trust), peaks_at(offset), times[offset - 1]))
    made.peaks = peaks_at(len(leaves))
    return made


def _leaves(session: Session, task: Task, made: Piece) -> tuple[list[bytes], list[int]]:
    """The leaf hashes that are stored, and the milliseconds of the ids; what does not fit goes to `made`."""
    leaves: list[bytes] = []
    times: list[int] = []
    expected = task.first
    bounds = [task.first, task.last]
    with session.cursor(binary=True) as cursor:
        cursor.execute(_ROWS.encode(), [*_span(session, bounds), *bounds])
        for index, entry, leaf, text, code in sorted(cursor.fetchall(), key=_PLACE):
            if index != expected:
                if index < expected:
                    _tell(made, Odd(index, _id(entry), "twice", leaf))
                    continue
                _fill(made, index, leaves, times)
            expected = index + 1
            leaves.append(leaf)
            newest = int.from_bytes(entry[:6], "big")
            times.append(newest)
            if code is None or text is None:
                made.absent.append(Odd(index, _id(entry), "absent", leaf))
                continue
            made.present += 1
            found = sha256(b"\x00" + text + b"|" + code.hex().encode()).digest()
            if found != leaf or mac(text) != code or _strays(text, newest):
                _tell(made, Odd(index, _id(entry), _wrong(text, code, found, leaf), leaf, found))
    _fill(made, task.last, leaves, times)
    return leaves, times


def _id(raw: bytes) -> str:
    return str(UUID(bytes=raw))


def _span(session: Session, bounds: list[int]) -> tuple[Any, ...]:
    first, last = session.execute(_SPAN, bounds).fetchone() or (None, None)
    return (first or NOBODY, last or NOBODY)


def _fill(made: Piece, until: int, leaves: list[bytes], times: list[int]) -> None:
    """Leaves that are gone keep their places."""
    for hole in range(made.first + len(leaves), until):
        made.holes.append(hole)
        leaves.append(NOTHING)
        times.append(times[-1] if times else 0)


def _wrong(text: bytes, code: bytes, found: bytes, leaf: bytes) -> str:
    fits = mac(text) == code
    kinds = {(True, True): "clock", (True, False): "leaf", (False, True): "mac", (False, False): "mac+leaf"}
    return kinds[fits, found == leaf]


def _tell(made: Piece, odd: Odd) -> None:
    if len(made.odd) < TOLD:
        made.odd.append(odd)


def _strays(text: bytes, id_ms: int) -> bool:
    """Whether the entry's timestamp (the last of the canonical text) is of another time than its id."""
    try:
        return not -STRAY_MS <= _minute(text[-29:-13]) - id_ms <= STRAY_MS
    except ValueError:
        return True


@lru_cache(4096)
def _minute(text: bytes) -> int:
    return int(datetime.fromisoformat(f"{text.decode()}+00:00").timestamp()) * 1000


def _rows(leaves: list[bytes]) -> list[list[bytes]]:
    """The perfect subtrees over the leaves, row by row."""
    row, rows = leaves, [leaves]
    while len(row) > 1:
        pairs = iter(row)
        row = [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs, strict=False)]
        rows.append(row)
    return rows


def _aligned(leaves: list[bytes]) -> PeaksAt:
    rows = _rows(leaves)
    return lambda offset: [rows[level][index] for level, index in perfect(0, offset)]


def _continued(before: Peaks, leaves: list[bytes]) -> PeaksAt:
    """For ascending offsets."""
    peaks, rest = Peaks(before.size, before.roots), iter(leaves)

    def at(offset: int) -> list[bytes]:
        for leaf in islice(rest, before.size + offset - peaks.size):
            peaks.append(leaf)
        return list(peaks.roots)

    return at


def opened_note(note: Note, trust: Trust) -> tuple[bytes, str]:
    """The root that a note names, or what is wrong with it."""
    try:
        head = opened(note.text, trust.origin, trust.public_key)
    except (BadCheckpoint, ValueError) as error:
        return b"", str(error)
    return (head.root, "") if head.size == note.size else (b"", "malformed checkpoint")
