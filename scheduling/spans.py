"""Arithmetic on stretches of time: half-open pairs of whole Unix seconds, so that speed and DST are no worry here."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeAlias

Span: TypeAlias = tuple[int, int]


def seconds(at: datetime) -> int:
    """The whole Unix second of an aware time."""
    return int(at.timestamp())


def moment(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time as the fewest spans, in order; spans that touch become one, empty ones vanish."""
    out: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def covers(free: Sequence[Span], wanted: Span) -> bool:
    """Whether one of the merged spans holds the whole of `wanted`."""
    at = bisect_right(free, wanted[0], key=lambda span: span[0]) - 1
    return at >= 0 and wanted[1] <= free[at][1]


def minus(spans: Sequence[Span], gone: Sequence[Span]) -> list[Span]:
    """What is left of merged spans without other merged spans."""
    out: list[Span] = []
    for start, end in spans:
        for begins, ends in gone:
            if begins < end and start < ends:
                out.append((start, min(begins, end)))
                start = max(start, ends)
        out.append((start, end))
    return [span for span in out if span[0] < span[1]]
