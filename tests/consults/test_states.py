import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consults.states import (
    APPOINTMENT,
    ENCOUNTER,
    ENDED,
    INSIDE,
    MEANS,
    START,
    WAITING,
    Appointment,
    Encounter,
    Event,
    IllegalStepError,
    State,
    Waiting,
    may,
    step,
)
from tests.consults.tables import filled

EVENTS = st.lists(st.sampled_from(Event), max_size=25)


def walk(events: list[Event]) -> list[State]:
    states = [START]
    for event in events:
        try:
            states.append(step(states[-1], event))
        except IllegalStepError:
            continue
    return states


def reachable() -> set[State]:
    seen, todo = {START}, [START]
    while todo:
        state = todo.pop()
        for event in Event:
            if may(state, event) and (after := step(state, event)) not in seen:
                seen.add(after)
                todo.append(after)
    return seen


def test_every_reachable_state_is_one_the_table_allows() -> None:
    for state in reachable():
        encounters, appointments = MEANS[state.waiting]
        assert state.encounter in encounters and state.appointment in appointments, state


def test_the_table_allows_nothing_that_cannot_be_reached() -> None:
    states = reachable()
    for waiting, (encounters, appointments) in MEANS.items():
        assert {s.encounter for s in states if s.waiting is waiting} == encounters, waiting
        assert {s.appointment for s in states if s.waiting is waiting} == appointments, waiting


@given(EVENTS)
@settings(max_examples=200)
def test_an_ended_encounter_stays_ended(events: list[Event]) -> None:
    states = walk(events)
    for before, after in itertools.pairwise(states):
        if before.encounter in ENDED:
            assert after.encounter is before.encounter


@given(EVENTS)
@settings(max_examples=200)
def test_nobody_is_in_call_without_check_in_and_admission(events: list[Event]) -> None:
    state, done = START, set()
    for event in events:
        if may(state, event):
            state = step(state, event)
            done.add(event)
        if state.waiting is Waiting.IN_CALL:
            assert {Event.CHECK_IN, Event.ADMIT, Event.CONNECT} <= done


@given(EVENTS)
@settings(max_examples=200)
def test_finished_means_a_call_was_in_progress_and_the_appointment_fulfilled(events: list[Event]) -> None:
    states = walk(events)
    if states[-1].encounter is Encounter.FINISHED:
        assert Encounter.IN_PROGRESS in {s.encounter for s in states}
        assert states[-1].appointment is Appointment.FULFILLED


def test_a_removed_patient_is_never_inside_again() -> None:
    after = State(Waiting.REMOVED, Encounter.IN_PROGRESS, Appointment.ARRIVED)
    seen, todo = {after}, [after]
    while todo:
        state = todo.pop()
        nexts = {step(state, event) for event in Event if may(state, event)} - seen
        seen |= nexts
        todo += nexts
    assert not any(s.waiting in INSIDE for s in seen)


@pytest.mark.parametrize("event", Event)
def test_each_event_has_its_row_in_each_machine(event: Event) -> None:
    assert WAITING[event] and ENCOUNTER[event] and APPOINTMENT[event]


def test_a_step_without_a_place_is_refused_and_changes_nothing() -> None:
    with pytest.raises(IllegalStepError, match="admit in expected/planned/booked"):
        step(START, Event.ADMIT)


def test_the_page_shows_the_machines_as_they_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "visit-states.md").read_text()
    assert page == filled(page)
