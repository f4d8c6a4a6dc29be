"""Slot arithmetic against an oracle that walks minute by minute."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from scheduling.slots import Shape, aligned, free, inside, starts
from scheduling.spans import Span, covers, meets, merged

MINUTE = 60


@st.composite
def some_spans(draw: st.DrawFn, most: int = 6) -> list[Span]:
    pairs = draw(st.lists(st.tuples(st.integers(0, 120), st.integers(1, 60)), max_size=most))
    return [(at * MINUTE, (at + length) * MINUTE) for at, length in pairs]


shapes = st.builds(
    Shape,
    length=st.integers(1, 40).map(lambda n: n * MINUTE),
    step=st.integers(1, 40).map(lambda n: n * MINUTE),
    before=st.integers(0, 10).map(lambda n: n * MINUTE),
    after=st.integers(0, 10).map(lambda n: n * MINUTE),
)
windows = st.tuples(st.integers(0, 90), st.integers(1, 90)).map(lambda w: (w[0] * MINUTE, (w[0] + w[1]) * MINUTE))


def minutes(spans: list[Span]) -> set[int]:
    return {at for start, end in spans for at in range(start, end, MINUTE)}


@given(some_spans())
def test_merging_keeps_the_time_and_leaves_no_touching_spans(spans: list[Span]) -> None:
    out = merged(spans)
    assert minutes(out) == minutes(spans)
    assert all(left[1] < right[0] for left, right in pairwise(out))


@given(some_spans(), st.tuples(st.integers(0, 180), st.integers(1, 30)))
def test_covering_and_meeting_are_what_sets_say(spans: list[Span], at: tuple[int, int]) -> None:
    wanted = (at[0] * MINUTE, (at[0] + at[1]) * MINUTE)
    assert covers(merged(spans), wanted) == (minutes([wanted]) <= minutes(spans))
    assert meets(merged(spans), wanted) == bool(minutes([wanted]) & minutes(spans))


@given(some_spans(3), shapes, windows, some_spans(), some_spans(3))
def test_offered_are_all_free_aligned_starts_and_no_other(
    openings: list[Span], shape: Shape, window: Span, provider: list[Span], patient: list[Span]
) -> None:
    def fits(start: int) -> bool:
        visit = minutes([(start, start + shape.length)])
        taken = minutes([(start - shape.before, start + shape.length + shape.after)])
        on_grid = any(begin <= start < end and (start - begin) % shape.step == 0 for begin, end in openings)
        return on_grid and visit <= minutes(openings) and not taken & minutes(provider) and not visit & minutes(patient)

    expected = [start for start in range(*window, MINUTE) if fits(start)]
    assert list(free(openings, shape, window, provider=provider, patient=patient)) == expected


@given(some_spans(3), shapes, windows)
def test_every_start_offered_passes_the_checks_of_booking(openings: list[Span], shape: Shape, window: Span) -> None:
    for start in starts(openings, shape, window):
        assert aligned(openings, shape, start)
        assert inside(openings, shape, start)


def test_a_visit_may_run_past_midnight_when_the_next_day_is_open() -> None:
    day = 86400
    shape = Shape(length=50 * MINUTE, step=50 * MINUTE)
    offered = list(starts([(0, day), (day, 2 * day)], shape, (0, 2 * day)))
    assert 28 * 50 * MINUTE in offered  # 23:20 to 00:10
    assert day in offered
    assert list(starts([(0, day)], shape, (0, 2 * day)))[-1] == 27 * 50 * MINUTE


def test_buffers_may_pass_closing_time_but_the_visit_may_not() -> None:
    shape = Shape(length=30 * MINUTE, step=30 * MINUTE, before=10 * MINUTE, after=10 * MINUTE)
    assert list(free([(0, 3600)], shape, (0, 7200), provider=[])) == [0, 1800]
    assert list(free([(0, 3600)], shape, (0, 7200), provider=[(3600, 3700)])) == [0]
