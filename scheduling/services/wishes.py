"""Who is to meet whom, when and for what: found, and allowed to whoever asks. No face calls this."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from audit.ledger import SYSTEM, Actor
from scheduling import rules
from scheduling.errors import NotPlanned, OverbookingOdd, PatientDeceased, UnknownPractitioner
from scheduling.models import Appointment, AppointmentSeries, GroupVisit, VisitType
from scheduling.selectors import licensure
from scheduling.selectors.eligible import turned_away
from scheduling.selectors.group_visits import planned
from scheduling.selectors.offers import visit_type_of, working_here
from scheduling.selectors.starts import check_start
from telehealth.accounts.access import Action, Resource, Role, Scope, granted
from telehealth.core import one, permit
from telehealth.records.access import visible
from telehealth.records.models import Patient, Practitioner


@dataclass(frozen=True)
class Overbooking:
    """Why staff put a visit where the provider is not free: a code, and a sentence that is kept sealed."""

    code: str
    reason: str


@dataclass(frozen=True)
class Wish:
    """A visit as it was asked for. With `held_until` it is held and not booked."""

    patient: Patient
    practitioner: Practitioner
    kind: VisitType
    starts_at: datetime
    by: Actor
    reason: str = ""
    state: str = ""
    overbooking: Overbooking | None = None
    held_until: datetime | None = None
    group: GroupVisit | None = None
    series: AppointmentSeries | None = None
    besides: UUID | None = None
    """Of one that is moved: itself, which does not fill the day that it leaves."""

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.kind.minutes)


def wish(*, patient_id: UUID, practitioner_id: UUID, visit_type: str, starts_at: datetime, by: Actor, **more: Any) -> Wish:
    """The wish with its parties; Missing for a patient whom this actor may not book. A kind for several is a place in what is planned."""
    patient = _own(by, patient_id) or one(_bookable(by), patient_id)
    practitioner, kind = provider(practitioner_id), visit_type_of(visit_type)
    group = planned(kind, practitioner.pk, starts_at) if kind.capacity > 1 else None
    if kind.capacity > 1 and group is None:
        raise NotPlanned()
    return Wish(patient, practitioner, kind, starts_at, by, group=group, **more)


def checked(asked: Wish) -> Wish:
    """Whether it may be at all, before anybody's time is looked at; with the state in which the patient will be."""
    if asked.overbooking and (asked.group or asked.held_until):
        raise OverbookingOdd()
    if asked.overbooking:
        permit(asked.by, rules.may_overbook, asked.patient)
    if asked.patient.is_deceased:
        raise PatientDeceased(patient=asked.patient.pk)
    if why := turned_away(asked.by, asked.kind, asked.patient.pk):
        raise why()
    return replace(asked, state=licensure.checked(asked.practitioner, asked.patient, asked.state, asked.starts_at))


def check_offered(asked: Wish) -> None:
    """Whether search offers it. Under the parties' locks, for it counts the provider's day."""
    # A group's own time was looked at when it was planned.
    anywhere = asked.overbooking is not None or asked.group is not None
    check_start(asked.kind, asked.practitioner, asked.starts_at, anywhere=anywhere, besides=asked.besides)


def _own(by: Actor, patient_id: UUID) -> Patient | None:
    """A patient's own record: most bookings, and they need not ask for whom else this patient may book."""
    if by.role != Role.PATIENT or Scope.OWN not in granted(by, Action.CREATE, Resource.APPOINTMENT):
        return None
    return _booked(Q(account_id=by.id, destroyed_at=None)).filter(pk=patient_id).first()


def _bookable(by: Actor) -> QuerySet[Patient]:
    return _booked(Q(destroyed_at=None) if by == SYSTEM else visible(by, Action.CREATE, Resource.APPOINTMENT, ""))


def _booked(allowed: Q) -> QuerySet[Patient]:
    return Patient.objects.with_keys().filter(allowed).only("pk", "account_id", "is_deceased", "address", "language")


def provider(pk: UUID) -> Practitioner:
    """Somebody who gives care here and may sign in, or UnknownPractitioner."""
    found = licensure.with_leaves(working_here().filter(pk=pk)).first()
    if found is None:
        raise UnknownPractitioner()
    return found


def appointment_of(asked: Wish) -> Appointment:
    """The row, not saved yet."""
    over = asked.overbooking
    return Appointment(
        patient=asked.patient,
        practitioner=asked.practitioner,
        visit_type=asked.kind,
        starts_at=asked.starts_at,
        ends_at=asked.group.ends_at if asked.group else asked.ends_at,
        reason=asked.reason,
        patient_state=asked.state,
        group_visit=asked.group,
        series=asked.series,
        created_by=asked.by.id,
        **({"overbooked_by": asked.by.id, "overbooked_code": over.code, "overbooked_reason": over.reason} if over else {}),
    )
