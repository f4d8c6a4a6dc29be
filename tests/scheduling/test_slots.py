"""Arithmetic of spans and starts against sets of minutes. What search offers is in test_free."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from scheduling.slots import Shape, aligned, inside
from scheduling.spans import Span, covers, merged, minus

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


def minutes(spans: list[Span]) -> set[int]:
    return {at for start, end in spans for at in range(start, end, MINUTE)}


@given(some_spans())
def test_merging_keeps_the_time_and_leaves_no_touching_spans(spans: list[Span]) -> None:
    out = merged(spans)
    assert minutes(out) == minutes(spans)
    assert all(left[1] < right[0] for left, right in pairwise(out))


@given(some_spans(), st.tuples(st.integers(0, 180), st.integers(1, 30)))
def test_covering_is_what_sets_say(spans: list[Span], at: tuple[int, int]) -> None:
    wanted = (at[0] * MINUTE, (at[0] + at[1]) * MINUTE)
    assert covers(merged(spans), wanted) == (minutes([wanted]) <= minutes(spans))


@given(some_spans(), some_spans())
def test_what_is_left_is_what_sets_say(spans: list[Span], gone: list[Span]) -> None:
    left = minus(merged(spans), merged(gone))
    assert minutes(left) == minutes(spans) - minutes(gone)
    assert left == merged(left)


@given(some_spans(3), some_spans(2), shapes, st.integers(0, 180).map(lambda n: n * MINUTE))
def test_a_start_is_on_a_step_and_its_visit_in_open_time(openings: list[Span], closed: list[Span], shape: Shape, start: int) -> None:
    steps = {at for begin, end in openings for at in range(begin, end, shape.step)}
    there = minutes(openings) - minutes(closed)
    assert aligned(openings, shape, start) == (start in steps)
    assert inside(openings, closed, shape, start) == (minutes([shape.visit(start)]) <= there)
