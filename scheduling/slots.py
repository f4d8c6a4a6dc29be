"""Which starts may be offered: the one definition that both search and booking ask, so that neither can promise what the other refuses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scheduling.spans import Span, covers, meets, merged


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


def starts(openings: Sequence[Span], shape: Shape, window: Span) -> Iterator[int]:
    """Every start in the window, in order, once: whole steps from each opening's start, the visit inside opening hours.

    A visit may run over from one opening into the next that touches it (midnight, round the clock).
    """
    open_time = merged(openings)
    seen: set[int] = set()
    for begin, end in openings:
        skipped = max(0, -(-(window[0] - begin) // shape.step))
        seen.update(range(begin + skipped * shape.step, min(end, window[1]), shape.step))
    return (start for start in sorted(seen) if covers(open_time, shape.visit(start)))


def aligned(openings: Sequence[Span], shape: Shape, start: int) -> bool:
    """Whether `starts` would offer this one."""
    return any(begin <= start < end and (start - begin) % shape.step == 0 for begin, end in openings)


def inside(openings: Sequence[Span], shape: Shape, start: int) -> bool:
    """Whether the visit lies wholly in opening hours."""
    return covers(merged(openings), shape.visit(start))


def free(openings: Sequence[Span], shape: Shape, window: Span, *, provider: Sequence[Span], patient: Sequence[Span] = ()) -> Iterator[int]:
    """The starts at which neither party is taken: the provider with buffers, the patient without."""
    provider, patient = merged(provider), merged(patient)
    for start in starts(openings, shape, window):
        if not meets(provider, shape.taken(start)) and not meets(patient, shape.visit(start)):
            yield start
