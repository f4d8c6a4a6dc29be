"""What kind of damage it is, and at which entry: found only once something does not fit, so it may take its time."""

from collections.abc import Iterator
from uuid import UUID

from audit.ledger.archives import ArchiveBroken, Archived, ArchiveUnreachable, rows
from audit.ledger.keys import mac
from audit.ledger.models import Archive
from audit.ledger.sealing import leaf_of
from audit.ledger.verification.heads import Outside
from audit.ledger.verification.pieces import Odd
from audit.ledger.verification.report import OUT_OF_REACH, UNREADABLE, Report
from audit.ledger.verification.sessions import Session

PAGE = 4096
_PAGE = "SELECT leaf_index, entry_id::text, leaf_hash FROM public.audit_leaf WHERE leaf_index >= %s AND leaf_index < %s ORDER BY leaf_index"
_WHERE = "SELECT leaf_index FROM public.audit_leaf WHERE leaf_hash = %s ORDER BY leaf_index LIMIT 1"
_ENTRY = "SELECT entry_id::text FROM public.audit_leaf WHERE leaf_index = %s"


class Names:
    """Compares with what was kept outside."""

    def __init__(self, session: Session, outside: Outside) -> None:
        self.session = session
        self.outside = outside
        self.looked = 0

    def entry_kind(self, odd: Odd) -> str:
        """An entry that does not fit: was it so when it was sealed, was it moved, or has it been changed since?"""
        if odd.wrong in ("clock", "twice"):
            return {"clock": "clock backwards", "twice": "inserted"}[odd.wrong]
        if odd.wrong == "mac":
            published = self.outside.leaf(odd.index)
            return "forged" if published in (None, odd.stored) else "edited"
        if odd.wrong == "leaf":  # the entry is authentic, and not the one of this place
            return "reordered" if self._elsewhere(odd.found) else "edited"
        return "edited"

    def divergence(self, first: int, last: int) -> tuple[str, str, int] | None:
        """(kind, entry, leaf) of the first place between two checkpoints where the leaves are not those published."""
        for index, entry, leaf in self._leaves(first, last):
            published = self.outside.leaf(index)
            if published is not None and published != leaf:
                return (*self._kind(index, entry, leaf, published), index)
        return None

    def entry_at(self, index: int) -> str:
        """The entry of this place, or the place where none is."""
        row = self.session.execute(_ENTRY, [index]).fetchone()
        return str(row[0]) if row else f"leaf {index}"

    def _kind(self, index: int, entry: str, leaf: bytes, published: bytes) -> tuple[str, str]:
        place = self._place(published)
        after = self.outside.leaf(index + 1)
        if place is None:
            return ("deleted", f"leaf {index}") if leaf == after else ("edited", entry)
        return ("inserted", entry) if place == index + 1 and leaf != after else ("reordered", entry)

    def _leaves(self, first: int, last: int) -> Iterator[tuple[int, str, bytes]]:
        for at in range(first, last, PAGE):
            for index, entry, leaf in self.session.execute(_PAGE, [at, min(at + PAGE, last)]).fetchall():
                yield index, entry, bytes(leaf)

    def _elsewhere(self, leaf: bytes) -> bool:
        self.looked += 1
        return self.looked <= 3 and self._place(leaf) is not None  # each look reads the whole table

    def _place(self, leaf: bytes) -> int | None:
        row = self.session.execute(_WHERE, [leaf]).fetchone()
        return int(row[0]) if row else None


class Archives:
    """Entries that are kept in files instead: read once, in the order of the tree, as far as leaves ask for them."""

    def __init__(self, until: int, report: Report) -> None:
        self.until = until
        self.report = report
        self.rows: Iterator[Archived] | None = None
        self.row: Archived | None = None
        self.unread: dict[Archive, str] = {}  # months that cannot be read, and the kind of damage that this is
        self.told: set[Archive] = set()

    def look(self, odd: Odd) -> None:
        """A leaf whose entry is not in the database: its archive has it as it was sealed, or it is damage."""
        row = self._row(odd.index)
        if row is None:
            self._missing(odd)
        elif leaf_of(row.text, row.mac) == odd.stored and mac(row.text) == row.mac and str(row.entry_id) == odd.entry:
            self.report.archived += 1
        else:
            self.report.found("edited", odd.entry, odd.index)

    def rest(self) -> None:
        """Read what was begun to its end, which also checks that it is the file that was archived."""
        while self.rows is not None and next(self.rows, None) is not None:
            pass
        for month in self.unread.keys() - self.told:
            self.report.found(self.unread[month], f"archive {month}", month.first_leaf)

    def _row(self, index: int) -> Archived | None:
        if self.rows is None:
            self.rows = rows(index, self.until, self._cannot_read)
            self.row = next(self.rows, None)
        while self.row and self.row.leaf < index:
            self.row = next(self.rows, None)
        return self.row if self.row and self.row.leaf == index else None

    def _missing(self, odd: Odd) -> None:
        """Named once for all of a month that cannot be read: whether its entries are what they were is not known."""
        month = next((each for each in self.unread if each.holds(UUID(odd.entry))), None)
        if month is None:
            self.report.found("deleted", odd.entry, odd.index)
            return
        self.report.unread += 1
        if month not in self.told:
            self.told.add(month)
            self.report.found(self.unread[month], odd.entry, odd.index)

    def _cannot_read(self, month: Archive, error: ArchiveBroken | ArchiveUnreachable) -> None:
        self.unread[month] = OUT_OF_REACH if isinstance(error, ArchiveUnreachable) else UNREADABLE
        self.report.archives.append(str(error))
