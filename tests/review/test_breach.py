"""The breach rule's numbers and days, without a database: 499, 500, 501; the last of December; leap years; a delay."""

from datetime import date

import pytest

from audit.review.breach import day_reached, duties
from audit.review.models import Notice

FOUND = date(2026, 3, 1)
SOON = date(2026, 4, 30)
INDIVIDUALS, MEDIA, SECRETARY = Notice.INDIVIDUALS, Notice.MEDIA, Notice.SECRETARY


@pytest.mark.parametrize(("people", "due"), [(1, date(2027, 3, 1)), (499, date(2027, 3, 1)), (500, SOON), (501, SOON)])
def test_the_secretary_hears_at_once_from_500_people_on_and_by_the_yearly_log_below(people: int, due: date) -> None:
    told = {duty.notice: duty.due_on for duty in duties(people, {"MA": people}, FOUND)}
    assert told[SECRETARY] == due
    assert told[INDIVIDUALS] == SOON


@pytest.mark.parametrize(("residents", "media"), [(499, False), (500, False), (501, True)])
def test_the_media_hear_of_more_than_500_residents_of_one_state(residents: int, media: bool) -> None:
    told = {duty.notice: duty for duty in duties(residents + 20, {"MA": residents, "NH": 20}, FOUND)}
    assert (MEDIA in told) is media
    if media:
        assert (told[MEDIA].states, told[MEDIA].due_on) == (("MA",), SOON)


def test_more_than_500_people_of_no_one_state_are_no_matter_for_the_media() -> None:
    spread = {"MA": 500, "NH": 500, "": 501}
    assert {duty.notice for duty in duties(1501, spread, FOUND)} == {INDIVIDUALS, SECRETARY}


def test_two_states_are_both_named() -> None:
    assert {duty.notice: duty.states for duty in duties(1200, {"NH": 600, "MA": 600}, FOUND)}[MEDIA] == ("MA", "NH")


@pytest.mark.parametrize(
    ("found", "log", "soon"),
    [
        (date(2026, 12, 31), date(2027, 3, 1), date(2027, 3, 1)),
        (date(2027, 1, 1), date(2028, 2, 29), date(2027, 3, 2)),
        (date(2027, 12, 31), date(2028, 2, 29), date(2028, 2, 29)),
    ],
)
def test_the_yearly_log_is_due_sixty_days_after_the_year_of_the_discovery(found: date, log: date, soon: date) -> None:
    assert {duty.notice: duty.due_on for duty in duties(3, {"MA": 3}, found)} == {INDIVIDUALS: soon, SECRETARY: log}


def test_while_law_enforcement_asks_for_silence_nothing_is_due() -> None:
    assert {duty.due_on for duty in duties(501, {"MA": 501}, FOUND, date(2026, 6, 1))} == {date(2026, 6, 1)}
    assert {duty.due_on for duty in duties(501, {"MA": 501}, FOUND, date(2026, 4, 1))} == {SOON}


def test_nobody_affected_is_nobody_to_tell() -> None:
    assert duties(0, {}, FOUND) == []


@pytest.mark.parametrize(("passed", "day"), [(0, 0), (29, 0), (30, 30), (44, 30), (45, 45), (54, 45), (55, 55), (400, 55)])
def test_reminders(passed: int, day: int) -> None:
    assert day_reached(date(2026, 1, 1), date.fromordinal(date(2026, 1, 1).toordinal() + passed)) == day
