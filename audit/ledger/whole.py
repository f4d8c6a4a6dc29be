"""The log as one whole, month by month, whether a month's entries lie in the database or have left it for an archive.

A month that leaves while it is read would be half missing: then ArchiveUnreachable is raised, and whoever asks again finds it.
"""

from collections.abc import Callable, Iterator
from typing import TypeVar
from uuid import UUID

from audit.ledger.archives import ArchiveUnreachable, archives, head_of
from audit.ledger.models import Archive, Entry

T = TypeVar("T")
FIRST, END = UUID(int=0), UUID(int=(1 << 128) - 1)


def through(first: UUID, end: UUID, stored: Callable[[UUID, UUID], Iterator[T]], archived: Callable[[Archive], Iterator[T]]) -> Iterator[T]:
    """What `stored` gives of the ids from `first` on and before `end`, and `archived` of each month that has left; oldest first.

    Raises ArchiveBroken and ArchiveUnreachable: no month is passed over. An archived month may hold ids beyond the two.
    """
    known, at = months(first, end), first
    for month in known:
        if at < month.begins:
            yield from stored(at, month.begins)
        at = max(at, month.begins)
        if has_left(month):
            yield from archived(month)
        else:
            yield from stored(at, min(end, month.ends))
            if has_left(month):
                raise ArchiveUnreachable(f"{month}: it left the database meanwhile")
        at = month.ends
    if at < end:
        yield from stored(at, end)
    if months(first, end) != known:
        raise ArchiveUnreachable("a month was archived meanwhile")


def at_hand(first: UUID, end: UUID) -> None:
    """Open every archive that going through these ids needs, before anything of them is promised; raises as that does."""
    for month in months(first, end):
        if has_left(month):
            head_of(month)


def months(first: UUID, end: UUID) -> list[Archive]:
    """The archived months with ids among these, oldest first."""
    return [month for month in archives().order_by("month") if month.begins < end and month.ends > first]


def has_left(month: Archive) -> bool:
    """Not while an archive was made and its month has not been detached yet: then it is read in its place."""
    return not Entry.objects.filter(id__gte=month.begins, id__lt=month.ends).exists()
