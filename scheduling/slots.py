"""Which starts are offered: whole steps from an opening's start, the visit inside the time that is open and not closed.

`selectors.free` answers the same for all providers at once, in SQL; the oracle of the tests holds the two together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scheduling.spans import Span, covers, merged, minus


@dataclass(frozen=True)
class Shape:
    """What a visit takes, in seconds: its length, the distance between offered starts, and the provider's time around it."""

    length: int
    step: int
    before: int = 0
    after: int = 0

    def visit(self, start: int) -> Span:
        return (start, start + self.length)

    def taken(self, start: int) -> Span:
        """The provider's time: the visit with its buffers. Buffers may pass the end of opening hours, but never another visit."""
        return (start - self.before, start + self.length + self.after)


def aligned(openings: Sequence[Span], shape: Shape, start: int) -> bool:
    """Whether it is a whole number of steps after the start of one of the openings that hold it. What is closed moves no step."""
    return any(begin <= start < end and (start - begin) % shape.step == 0 for begin, end in openings)


def inside(openings: Sequence[Span], closed: Sequence[Span], shape: Shape, start: int) -> bool:
    """Whether the visit lies wholly in open time. It may run over from one opening into the next that touches it."""
    return covers(minus(merged(openings), merged(closed)), shape.visit(start))
