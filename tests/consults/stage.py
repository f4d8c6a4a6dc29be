"""What most tests of visits need: an appointment that stands now, and a visit brought to some state."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from audit.ledger import Actor
from consults import services
from consults.models import Visit
from scheduling.models import Appointment, Occupancy, VisitType
from telehealth.core import now
from telehealth.records.models import CareRelationship, Patient, Practitioner
from tests.cast import Cast

TEXT = {"subjective": "cough", "objective": "afebrile", "assessment": "cold", "plan": "rest"}
CHECK_IN: dict[str, Any] = {
    "identity": {"method": "two-identifiers", "confirmed": True},
    "location": {"line": "17 Paper Mill Row", "city": "Quincy", "state": "MA", "postal_code": "02169"},
    "callback": "617-555-0147",
    "others_present": "",
    "consents": [{"code": "telehealth", "version": "1"}],
}


@transaction.atomic
def appoint(patient: Patient, practitioner: Practitioner, starts_in: timedelta = timedelta(minutes=5)) -> Appointment:
    """An appointment that holds its time, and the care relationship that comes with it."""
    kind, _ = VisitType.objects.get_or_create(code="video-10", defaults={"name": "Video", "minutes": 10, "step_minutes": 10})
    start = now() + starts_in
    made = Appointment.objects.create(
        patient=patient,
        practitioner=practitioner,
        visit_type=kind,
        starts_at=start,
        ends_at=start + timedelta(minutes=10),
        reason="A cough",
    )
    for part, party in (("patient", patient.pk), ("provider", practitioner.pk)):
        Occupancy.objects.create(party=party, kind=part, during=DateTimeTZRange(made.starts_at, made.ends_at), appointment=made)
    CareRelationship.objects.get_or_create(
        patient=patient, practitioner=practitioner, source="appointment", source_id=made.pk, defaults={"starts_at": now()}
    )
    return made


@dataclass
class Stage:
    """Pia's visit with dr_cho, a step at a time."""

    cast: Cast
    appointment: Appointment

    @property
    def visit(self) -> Visit:
        return Visit.objects.select_related("appointment", "patient", "practitioner").get(appointment=self.appointment)

    @property
    def id(self) -> UUID:
        return self.visit.pk

    def opened(self, by: Actor | None = None) -> Visit:
        return services.open_visit(appointment_id=self.appointment.pk, by=by or self.cast.pia)

    def ready(self, by: Actor | None = None) -> Visit:
        return services.check_in(visit_id=self.opened(by).pk, **CHECK_IN, by=by or self.cast.pia)

    def admitted(self) -> Visit:
        return services.admit(visit_id=self.ready().pk, by=self.cast.dr_cho)

    def in_call(self) -> Visit:
        visit = self.admitted()
        for by in (self.cast.dr_cho, self.cast.pia):
            self.connect(by)
        return visit

    def connect(self, by: Actor) -> UUID:
        standing, _ = services.take_seat(visit_id=self.id, by=by)
        services.enter(member=standing.member, resumed=False, by=by)
        return standing.member

    def signed_note(self) -> UUID:
        note = services.draft(visit_id=self.id, parts=TEXT, by=self.cast.dr_cho)
        services.sign(note_id=note.pk, by=self.cast.dr_cho)
        return note.pk
