"""The visit as three machines that step together: waiting room, Encounter.status, Appointment.status. Pure values."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")


class Waiting(StrEnum):
    EXPECTED = "expected"
    CHECKING_IN = "checking-in"
    READY = "ready"
    HELD = "held"
    REDIRECTED = "redirected"
    ADMITTED = "admitted"
    IN_CALL = "in-call"
    LEFT = "left"
    REMOVED = "removed"
    ABANDONED = "abandoned"


class Encounter(StrEnum):
    """FHIR R4 EncounterStatus, the codes a visit uses."""

    PLANNED = "planned"
    ARRIVED = "arrived"
    TRIAGED = "triaged"
    IN_PROGRESS = "in-progress"
    ON_LEAVE = "onleave"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Appointment(StrEnum):
    """FHIR R4 AppointmentStatus, the codes a visit meets; scheduling owns and writes them."""

    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NO_SHOW = "noshow"


class Event(StrEnum):
    OPEN = "open"
    CHECK_IN = "check-in"
    ROOM = "room"
    HOLD = "hold"
    REDIRECT = "redirect"
    ADMIT = "admit"
    CONNECT = "connect"
    EMPTY = "empty"
    REMOVE = "remove"
    ABANDON = "abandon"
    COMPLETE = "complete"
    CANCEL = "cancel"
    NO_SHOW = "no-show"


@dataclass(frozen=True, slots=True)
class State:
    waiting: Waiting
    encounter: Encounter
    appointment: Appointment


class IllegalStepError(Exception):
    """This event has no place in this state. Carries codes only."""

    def __init__(self, state: State, event: Event) -> None:
        super().__init__(f"{event} in {state.waiting}/{state.encounter}/{state.appointment}")


START = State(Waiting.EXPECTED, Encounter.PLANNED, Appointment.BOOKED)
ENDED = frozenset({Encounter.FINISHED, Encounter.CANCELLED})
INSIDE = frozenset({Waiting.ADMITTED, Waiting.IN_CALL, Waiting.LEFT})
QUEUED = frozenset({Waiting.READY, Waiting.HELD, Waiting.REDIRECTED})

_W, _E, _A = Waiting, Encounter, Appointment
_HERE = (_W.READY, _W.HELD, _W.REDIRECTED)


def _same(*states: T) -> dict[T, T]:
    return {state: state for state in states}


_BEFORE_CALL = _same(_E.ARRIVED, _E.TRIAGED)
_NOT_STARTED = (_E.PLANNED, _E.ARRIVED, _E.TRIAGED)

WAITING: Mapping[Event, Mapping[Waiting, Waiting]] = {
    Event.OPEN: {_W.EXPECTED: _W.CHECKING_IN, _W.ABANDONED: _W.CHECKING_IN},
    Event.CHECK_IN: {_W.CHECKING_IN: _W.READY},
    Event.ROOM: _same(_W.READY, _W.HELD),
    Event.HOLD: {state: _W.HELD for state in (_W.READY, _W.REDIRECTED, _W.ADMITTED, _W.IN_CALL)},
    Event.REDIRECT: {_W.READY: _W.REDIRECTED, _W.HELD: _W.REDIRECTED},
    Event.ADMIT: {state: _W.ADMITTED for state in _HERE} | _same(_W.ADMITTED, _W.IN_CALL, _W.LEFT),
    Event.CONNECT: {state: _W.IN_CALL for state in (_W.ADMITTED, _W.IN_CALL, _W.LEFT)},
    Event.EMPTY: {_W.IN_CALL: _W.LEFT},
    Event.REMOVE: {state: _W.REMOVED for state in (_W.CHECKING_IN, *_HERE, _W.ADMITTED, _W.IN_CALL, _W.LEFT, _W.ABANDONED)},
    Event.ABANDON: {state: _W.ABANDONED for state in (_W.CHECKING_IN, *_HERE, _W.ADMITTED)},
    Event.COMPLETE: {state: _W.LEFT for state in (_W.CHECKING_IN, _W.READY, _W.HELD, _W.ADMITTED, _W.IN_CALL, _W.LEFT)}
    | _same(_W.REMOVED, _W.ABANDONED),
    Event.CANCEL: {state: _W.REMOVED for state in (_W.EXPECTED, _W.CHECKING_IN, *_HERE, _W.ADMITTED)} | _same(_W.ABANDONED),
    Event.NO_SHOW: {state: _W.ABANDONED for state in (_W.EXPECTED, _W.CHECKING_IN, _W.ABANDONED)},
}

ENCOUNTER: Mapping[Event, Mapping[Encounter, Encounter]] = {
    Event.OPEN: _same(*_NOT_STARTED, _E.ON_LEAVE),
    Event.CHECK_IN: {_E.PLANNED: _E.ARRIVED} | _same(_E.ARRIVED, _E.TRIAGED, _E.ON_LEAVE),
    Event.ROOM: {_E.ARRIVED: _E.TRIAGED} | _same(_E.TRIAGED),
    Event.HOLD: _BEFORE_CALL | {_E.IN_PROGRESS: _E.ON_LEAVE} | _same(_E.ON_LEAVE),
    Event.REDIRECT: _BEFORE_CALL,
    Event.ADMIT: _BEFORE_CALL | _same(_E.ON_LEAVE, _E.IN_PROGRESS),
    Event.CONNECT: {state: _E.IN_PROGRESS for state in (_E.ARRIVED, _E.TRIAGED, _E.ON_LEAVE, _E.IN_PROGRESS)},
    Event.EMPTY: _same(_E.IN_PROGRESS),
    Event.REMOVE: {state: _E.CANCELLED for state in _NOT_STARTED} | {_E.ON_LEAVE: _E.IN_PROGRESS} | _same(_E.IN_PROGRESS),
    Event.ABANDON: _same(*_NOT_STARTED, _E.ON_LEAVE),
    Event.COMPLETE: {_E.IN_PROGRESS: _E.FINISHED, _E.ON_LEAVE: _E.FINISHED},
    Event.CANCEL: {state: _E.CANCELLED for state in _NOT_STARTED},
    Event.NO_SHOW: {state: _E.CANCELLED for state in _NOT_STARTED},
}

_LIVE = _same(_A.BOOKED, _A.ARRIVED)

APPOINTMENT: Mapping[Event, Mapping[Appointment, Appointment]] = {
    Event.OPEN: _LIVE,
    Event.CHECK_IN: {_A.BOOKED: _A.ARRIVED, _A.ARRIVED: _A.ARRIVED},
    Event.ROOM: _same(_A.ARRIVED),
    Event.HOLD: _same(_A.ARRIVED),
    Event.REDIRECT: _same(_A.ARRIVED),
    Event.ADMIT: _same(_A.ARRIVED),
    Event.CONNECT: _same(_A.ARRIVED),
    Event.EMPTY: _same(_A.ARRIVED),
    Event.REMOVE: _LIVE,
    Event.ABANDON: _LIVE,
    Event.COMPLETE: {_A.ARRIVED: _A.FULFILLED},
    Event.CANCEL: {_A.BOOKED: _A.CANCELLED, _A.ARRIVED: _A.CANCELLED} | _same(_A.CANCELLED),
    Event.NO_SHOW: {_A.BOOKED: _A.NO_SHOW, _A.ARRIVED: _A.NO_SHOW} | _same(_A.NO_SHOW),
}

# The one mapping table: what each waiting-room state may mean for the other two machines.
MEANS: Mapping[Waiting, tuple[frozenset[Encounter], frozenset[Appointment]]] = {
    _W.EXPECTED: (frozenset({_E.PLANNED}), frozenset({_A.BOOKED})),
    _W.CHECKING_IN: (frozenset({*_NOT_STARTED, _E.ON_LEAVE}), frozenset({_A.BOOKED, _A.ARRIVED})),
    _W.READY: (frozenset({_E.ARRIVED, _E.TRIAGED, _E.ON_LEAVE}), frozenset({_A.ARRIVED})),
    _W.HELD: (frozenset({_E.ARRIVED, _E.TRIAGED, _E.ON_LEAVE}), frozenset({_A.ARRIVED})),
    _W.REDIRECTED: (frozenset({_E.ARRIVED, _E.TRIAGED}), frozenset({_A.ARRIVED})),
    _W.ADMITTED: (frozenset({_E.ARRIVED, _E.TRIAGED, _E.ON_LEAVE}), frozenset({_A.ARRIVED})),
    _W.IN_CALL: (frozenset({_E.IN_PROGRESS}), frozenset({_A.ARRIVED})),
    _W.LEFT: (frozenset({_E.IN_PROGRESS, _E.FINISHED}), frozenset({_A.ARRIVED, _A.FULFILLED})),
    _W.REMOVED: (
        frozenset({_E.IN_PROGRESS, _E.FINISHED, _E.CANCELLED}),
        frozenset({_A.BOOKED, _A.ARRIVED, _A.FULFILLED, _A.CANCELLED}),
    ),
    _W.ABANDONED: (
        frozenset({*_NOT_STARTED, _E.ON_LEAVE, _E.FINISHED, _E.CANCELLED}),
        frozenset({_A.BOOKED, _A.ARRIVED, _A.FULFILLED, _A.CANCELLED, _A.NO_SHOW}),
    ),
}


def step(state: State, event: Event) -> State:
    """The state after the event; IllegalStepError when any of the three machines has no such step."""
    try:
        return State(WAITING[event][state.waiting], ENCOUNTER[event][state.encounter], APPOINTMENT[event][state.appointment])
    except KeyError:
        raise IllegalStepError(state, event) from None


def may(state: State, event: Event) -> bool:
    """Whether the event has a place in this state."""
    return state.waiting in WAITING[event] and state.encounter in ENCOUNTER[event] and state.appointment in APPOINTMENT[event]
