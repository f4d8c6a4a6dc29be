"""One pass over the leaves in order, by pieces and processes, beside the checkpoints that the tree must have had."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

from django.conf import settings

from audit.ledger.verification.heads import CLOCK_MS, Heads, Outside
from audit.ledger.verification.naming import Archives, Names
from audit.ledger.verification.pieces import LEVEL, WIDTH, Note, Piece, Seen, Task, Trust, opened_note, piece
from audit.ledger.verification.pool import Pool, processes
from audit.ledger.verification.report import Report
from audit.ledger.verification.sessions import address, open_session, snapshot_of
from audit.ledger.verification.unsealed import Unsealed, unsealed
from audit.tlog.merkle import HASH_BYTES, Peaks, fold
from audit.tlog.notes import BadCheckpoint, Head, opened
from audit.tlog.proofs import perfect
from audit.tlog.reading import Unpublished

Progress = Callable[[int, int], None]
AHEAD = 3  # pieces per process that are asked for before they are needed

_COUNT = "SELECT count(*) FROM public.audit_leaf"
_NEWEST_LEAF = "SELECT leaf_index FROM public.audit_leaf WHERE leaf_index >= 0 AND leaf_index < %s ORDER BY leaf_index DESC LIMIT 1"
_STRANGE = "SELECT leaf_index, entry_id::text FROM public.audit_leaf WHERE leaf_index < 0 OR leaf_index >= %s ORDER BY leaf_index LIMIT 10"
_LAST = "SELECT tree_size, mark FROM public.audit_checkpoint ORDER BY tree_size DESC LIMIT 1"
_AT = "SELECT peaks, mark FROM public.audit_checkpoint WHERE tree_size = %s"


class Untrusted(Exception):
    """The checkpoint to begin from is not one of this log's."""


class Verifier:
    """Verifies the whole log, or what came after a checkpoint that is trusted (`since`, the text of its note).

    `against` is a folder, an address or a file of notes kept elsewhere; without it, what the sealer published here.
    """

    def __init__(
        self,
        against: Path | str | None = None,
        public_key: bytes | None = None,
        *,
        since: str = "",
        jobs: int = 1,
        token: str = "",
    ) -> None:
        self.outside = Outside.of(against, settings.AUDIT_CHECKPOINTS, token)
        self.trust = Trust(settings.AUDIT_ORIGIN, public_key or self.outside.reader.public_key())
        self.jobs = jobs
        self.report = Report()
        self.since = self._trusted(since) if since else None
        self.good = self.since.size if self.since else 0  # up to here a signed root fits
        self.comparable = True  # until the tree differs from a signed one: then everything after does
        self.newest = {True: self.good, False: 0}  # the largest size under our signature, outside and in the database

    def run(self, progress: Progress = lambda done, of: None) -> Report:
        """Everything, in one snapshot of the database."""
        began, where = time.monotonic(), address()
        with closing(open_session(where)) as self.session:
            snapshot = snapshot_of(self.session)
            self.names = Names(self.session, self.outside)
            with processes(self.jobs, where, snapshot) as pool, closing(open_session(where, snapshot)) as beside:
                waiting = pool.submit(unsealed, *self._marks())
                self.heads = Heads(self.outside, beside, self.good, self.report)
                self._all_leaves(pool, progress)
                self._rest(waiting.result())
        self.report.settle()
        self.report.seconds = round(time.monotonic() - began, 3)
        return self.report

    def _trusted(self, note: str) -> Head:
        try:
            return opened(note, self.trust.origin, self.trust.public_key)
        except (BadCheckpoint, ValueError) as error:
            raise Untrusted(str(error)) from error

    def _marks(self) -> tuple[str, str]:
        last = self.session.execute(_LAST).fetchone()
        at = self.session.execute(_AT, [self.good]).fetchone() if self.since else None
        return (str(last[1]) if last else "0"), (str(at[1]) if at else "0")

    def _all_leaves(self, pool: Pool, progress: Progress) -> None:
        self.peaks = self._beginning()
        self.report.since = self.good
        for note in self.heads.upto(self.good):
            self._head(self._seen(note), self.peaks.roots)
        end = self._end()
        for index, entry in self.session.execute(_STRANGE, [end]).fetchall():
            self.report.found("inserted", entry, index)
        self.archives = Archives(end, self.report)
        for made in self._pieces(pool, end):
            self._add(made)
            progress(made.last, end)
        self.archives.rest()
        self.report.tree_size, self.report.root = self.peaks.size, self.peaks.root().hex()

    def _end(self) -> int:
        """How far the leaves should reach; one with a number far beyond does not make a hole of all below it."""
        (count,) = self.session.execute(_COUNT).fetchone() or (0,)
        last = self.session.execute(_LAST).fetchone()
        row = self.session.execute(_NEWEST_LEAF, [max(count, last[0] if last else 0)]).fetchone()
        return max(self.peaks.size, row[0] + 1 if row else 0)

    def _beginning(self) -> Peaks:
        """The peaks of the trusted tree: whoever gives them, they must come to its root."""
        if self.since is None:
            return Peaks()
        for roots in self._candidates(self.since.size):
            if len(roots) == self.since.size.bit_count() and fold(roots) == self.since.root:
                return Peaks(self.since.size, roots)
        raise Untrusted("this log does not contain the tree of that checkpoint")

    def _candidates(self, size: int) -> Iterator[list[bytes]]:
        row = self.session.execute(_AT, [size]).fetchone()
        if row:
            yield [bytes(row[0])[at : at + HASH_BYTES] for at in range(0, len(row[0]), HASH_BYTES)]
        try:
            yield [self.outside.reader.node(level, index, size) for level, index in perfect(0, size)]
        except Unpublished:
            return

    def _pieces(self, pool: Pool, end: int) -> Iterator[Piece]:
        """In order; so many asked for ahead that no process waits."""
        asked: deque[Future[Piece]] = deque()
        first = self.peaks.size
        while first < end or asked:
            while first < end and len(asked) < AHEAD * self.jobs:
                last = min(end, (first // WIDTH + 1) * WIDTH)
                before = Peaks(self.peaks.size, self.peaks.roots) if first % WIDTH else None
                asked.append(pool.submit(piece, self.trust, Task(first, last, self.heads.upto(last), before)))
                first = last
            yield asked.popleft().result()

    def _add(self, made: Piece) -> None:
        self.report.entries += made.present
        for hole in made.holes:
            self.report.found("deleted", f"leaf {hole}", hole)
            self.comparable = False
        for odd in made.absent:
            self.archives.look(odd)
        for odd in made.odd:
            self.report.found(self.names.entry_kind(odd), odd.entry, odd.index)
        midway = bool(made.first % WIDTH)  # only where `since` begins: such a piece gives the whole tree's peaks
        before = [] if midway else self.peaks.roots
        for seen in made.seen:
            self._head(seen, before)
        if midway:
            self.peaks = Peaks(made.last, made.peaks)
        elif made.last - made.first == WIDTH:
            self.peaks.graft(made.peaks[0], LEVEL)
        else:
            self.peaks = Peaks(made.last, [*before, *made.peaks])

    def _seen(self, note: Note) -> Seen:
        return Seen(note, *opened_note(note, self.trust), [], 0)

    def _head(self, seen: Seen, before: Sequence[bytes]) -> None:
        """One checkpoint against the tree as it was at that size."""
        note = seen.note
        if not self._signed(seen):
            return
        if note.made_ms and seen.newest_ms > note.made_ms + CLOCK_MS:
            self.report.found("clock backwards", self.names.entry_at(note.size - 1), note.size - 1)
        if not self.comparable:
            return
        if fold([*before, *seen.peaks]) == seen.root:
            self.good = max(self.good, note.size)
        else:
            self._diverged(note)

    def _signed(self, seen: Seen) -> bool:
        note = seen.note
        if seen.wrong:
            self.report.found(seen.wrong, f"checkpoint of size {note.size}", note.size)
            return False
        self.report.checkpoints += 1
        self.newest[True] = max(self.newest[True], note.size if note.outside else 0)
        self.newest[False] = max(self.newest[False], note.size if note.made_ms else 0)
        return True

    def _diverged(self, note: Note) -> None:
        """A root under our signature that these leaves do not have: where do they part from what was published?"""
        if note.size == self.good:  # the same size, and another root fits
            self.report.found("forked checkpoint", f"size {note.size}", note.size)
            return
        self.comparable = False
        found = self.names.divergence(self.good, note.size)
        if found:
            self.report.found(*found)
        elif any(self.good <= (each.index or 0) < note.size for each in self.report.damages):
            return
        elif self.outside.leaf(self.good) is None:
            self.report.found("reordered", self.names.entry_at(self.good), self.good)
        else:
            self.report.found("forked checkpoint", f"size {note.size}", note.size)

    def _rest(self, waiting: Unsealed) -> None:
        """Checkpoints beyond the leaves, and entries that are in none."""
        for note in self.heads.rest():
            self._signed(self._seen(note))
        outside, inside = self.newest[True], self.newest[False]
        if self.peaks.size < max(outside, inside):
            self.report.found("truncated tail", f"size {self.peaks.size} of {max(outside, inside)}", self.peaks.size)
        if inside < outside:
            self.report.found("rolled-back checkpoint", f"size {inside} after {outside}")
        self.report.unsealed = waiting.count
        for kind, entry in waiting.odd:
            self.report.found(kind, entry)
