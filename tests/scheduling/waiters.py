"""A doctor with few free starts, and people who wait for them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from audit.ledger import SYSTEM
from scheduling import services, tasks
from scheduling.models import WaitlistEntry, WaitlistOffer
from scheduling.statuses import OfferState
from telehealth.core import now
from telehealth.records.models import Patient, Practitioner
from tests.people import MakeAccount
from tests.scheduling.conftest import ZONE, Clinic, provider

NEW_YORK = ZoneInfo(ZONE)


@dataclass
class Waiters:
    """Dr Few is there on the day after tomorrow from nine, for as many visits of ten minutes as `starts` says."""

    clinic: Clinic
    make_account: MakeAccount
    starts: int = 1
    few: Practitioner = field(init=False)

    def __post_init__(self) -> None:
        person = self.make_account("provider")
        self.few = provider(person, "Few")
        for hours in self.few.availability.all():
            services.close_hours(availability_id=hours.pk, by=SYSTEM)
        ends = (datetime.combine(self.day, time(9)) + timedelta(minutes=10 * self.starts)).time()
        services.open_hours(
            practitioner_id=self.few.pk,
            rrule="FREQ=DAILY",
            starts=time(9),
            ends=ends,
            timezone=ZONE,
            by=SYSTEM,
            valid_from=self.day,
            valid_to=self.day,
        )

    @property
    def day(self) -> Any:
        return (now().astimezone(NEW_YORK) + timedelta(days=2)).date()

    def at(self, number: int = 0) -> datetime:
        """The start of that number."""
        return datetime.combine(self.day, time(9), NEW_YORK) + timedelta(minutes=10 * number)

    def patient(self, name: str) -> Patient:
        account = self.make_account("patient").id
        return Patient.objects.create(account_id=account, mrn=f"W-{name}", family=name, given="Of Note", address={"state": "MA"})

    def join(self, patient: Patient, **wish: Any) -> WaitlistEntry:
        given = {"practitioner_id": self.few.pk, "latest": self.at() + timedelta(days=1), "timezone": ZONE, **wish}
        return services.join_waitlist(patient_id=patient.pk, visit_type="video-10", by=self.clinic.desk.by, **given)


def offers(**facts: Any) -> Iterator[WaitlistOffer]:
    return WaitlistOffer.objects.filter(**facts).order_by("offered_at", "pk").iterator()


def open_offer() -> WaitlistOffer:
    """After a pass of the clock: the only one that is open."""
    tasks.offer_freed()
    (offer,) = offers(state=OfferState.OPEN)
    return offer


def run_out(offer: WaitlistOffer) -> None:
    """Its time is over."""
    past = now() - timedelta(seconds=1)
    WaitlistOffer.objects.filter(pk=offer.pk).update(expires_at=past)
    offer.appointment.occupancies.update(held_until=past)


def ids(entries: Any) -> list[UUID]:
    return [each.pk for each in entries]
