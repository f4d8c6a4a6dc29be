"""A small clinic: two patients, two providers round the clock in New York, two visit types."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import pytest

from audit.ledger import SYSTEM, Actor, unit
from scheduling import services
from scheduling.models import VisitType
from telehealth.core import now
from telehealth.records.models import License, Patient, Practitioner
from tests.people import MakeAccount, Person

ZONE = "America/New_York"


@dataclass(frozen=True)
class Clinic:
    """Who is there. `pia` has business here, `ned` is her neighbour; `dr_cho` and `dr_dee` are always there."""

    pia: Person
    ned: Person
    desk: Person
    cho: Person
    pia_record: Patient
    ned_record: Patient
    dr_cho: Practitioner
    dr_dee: Practitioner
    quick: VisitType
    long: VisitType

    def start(self, minutes: int = 0) -> datetime:
        """A start that is offered: tomorrow at some whole hour, and `minutes` later."""
        hour = (now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
        return hour + timedelta(minutes=minutes)

    def wish(self, minutes: int = 0, *, visit_type: str = "video-10", by: Actor | None = None) -> dict[str, object]:
        """What to book: Pia with Dr Cho, by the desk unless somebody else."""
        return {
            "patient_id": self.pia_record.pk,
            "practitioner_id": self.dr_cho.pk,
            "visit_type": visit_type,
            "starts_at": self.start(minutes),
            "by": by or self.desk.by,
        }


def enrol(person: Person, mrn: str) -> Patient:
    return Patient.objects.create(account_id=person.id, mrn=mrn, family="Somebody", given="Of Note", address={"state": "MA"})


def provider(person: Person, name: str) -> Practitioner:
    """Somebody who is there round the clock, licensed in Massachusetts, where everybody lives."""
    made = Practitioner.objects.create(account_id=person.id, family=name, given="Dr", timezone=ZONE)
    License.objects.create(practitioner=made, state="MA", valid_from=date(2020, 1, 1))
    services.open_hours(practitioner_id=made.pk, rrule="FREQ=DAILY", starts=time.min, ends=time.min, timezone=ZONE, by=SYSTEM)
    return made


def furnish(make_account: MakeAccount) -> Clinic:
    with unit(SYSTEM, channel="command"):
        pia, ned, cho = make_account("patient"), make_account("patient"), make_account("provider")
        return Clinic(
            pia=pia,
            ned=ned,
            desk=make_account("front_desk"),
            cho=cho,
            pia_record=enrol(pia, "P-1"),
            ned_record=enrol(ned, "N-1"),
            dr_cho=provider(cho, "Cho"),
            dr_dee=provider(make_account("provider"), "Dee"),
            quick=services.define_visit_type(code="video-10", name="Quick", minutes=10, by=SYSTEM),
            long=services.define_visit_type(
                code="video-30", name="Long", minutes=30, step_minutes=15, buffer_before=5, buffer_after=10, lead_minutes=60, by=SYSTEM
            ),
        )


@pytest.fixture
def clinic(make_account: MakeAccount) -> Iterator[Clinic]:
    made = furnish(make_account)
    with unit(SYSTEM, channel="command"):
        yield made
