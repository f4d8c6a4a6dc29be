"""For whom a kind of visit is."""

from datetime import timedelta

import pytest

from audit.ledger import SYSTEM
from scheduling import services
from scheduling.errors import EstablishedOnly, NewOnly, StaffOnly
from scheduling.models import Appointment
from telehealth.core import now
from telehealth.records.models import ProxyGrant
from tests.people import ClientFor, MakeAccount, body
from tests.scheduling.conftest import Clinic


def only(clinic: Clinic, who: str) -> None:
    services.change_visit_type(visit_type_id=clinic.quick.pk, changes={"who_may_book": who}, by=SYSTEM)


def seen(clinic: Clinic, status: str = "fulfilled") -> None:
    """A visit of Pia's with somebody else, long ago."""
    ends = now() - timedelta(days=400)
    reason = "pat" if status == "cancelled" else ""
    Appointment.objects.create(
        patient=clinic.pia_record,
        practitioner=clinic.dr_dee,
        visit_type=clinic.long,
        status=status,
        cancelled_reason=reason,
        starts_at=ends - timedelta(minutes=30),
        ends_at=ends,
    )


@pytest.mark.parametrize(
    ("who", "before", "error"),
    [
        ("anyone", "", None),
        ("staff", "fulfilled", StaffOnly),
        ("established", "", EstablishedOnly),
        ("established", "cancelled", EstablishedOnly),
        ("established", "noshow", EstablishedOnly),
        ("established", "fulfilled", None),
        ("new", "", None),
        ("new", "noshow", None),
        ("new", "fulfilled", NewOnly),
    ],
)
def test_patients_book_what_is_for_them_and_staff_anything(clinic: Clinic, who: str, before: str, error: type[Exception] | None) -> None:
    only(clinic, who)
    if before:
        seen(clinic, before)
    if error:
        with pytest.raises(error):
            services.book(**clinic.wish(by=clinic.pia.by))
        with pytest.raises(error):
            services.hold(**clinic.wish(by=clinic.pia.by), until=now() + timedelta(minutes=5))
    else:
        services.book(**clinic.wish(by=clinic.pia.by))
    services.book(**clinic.wish(10))


def test_who_acts_for_a_patient_books_as_the_patient_would(clinic: Clinic, make_account: MakeAccount) -> None:
    gus = make_account("proxy")
    ProxyGrant.objects.create(patient=clinic.pia_record, proxy=gus.id, relationship="guardian", starts_at=now() - timedelta(days=1))
    only(clinic, "staff")
    with pytest.raises(StaffOnly):
        services.book(**clinic.wish(by=gus.by))


def test_what_staff_book_patients_do_not_move(clinic: Clinic) -> None:
    only(clinic, "staff")
    made = services.book(**clinic.wish())
    with pytest.raises(StaffOnly):
        services.reschedule(appointment_id=made.pk, starts_at=clinic.start(10), by=clinic.pia.by)
    services.cancel(appointment_id=made.pk, reason="pat", by=clinic.pia.by)


def test_what_is_not_for_somebody_is_not_offered_to_them(clinic: Clinic, client_for: ClientFor) -> None:
    asked = {"visit_type": "video-10", "from": clinic.start().isoformat(), "to": clinic.start(60).isoformat()}
    for who, code in (("staff", "staff_only"), ("established", "established_only")):
        only(clinic, who)
        assert body(client_for(clinic.pia).get("/api/v1/slots/", asked))["results"] == []
        assert len(body(client_for(clinic.desk).get("/api/v1/slots/", asked))["results"]) == 12
        wish = {"patient": str(clinic.pia_record.pk), "practitioner": str(clinic.dr_cho.pk), "visit_type": "video-10"}
        told = client_for(clinic.pia).post("/api/v1/appointments/", wish | {"starts_at": clinic.start().isoformat()})
        assert (told.status_code, body(told)["code"]) == (409, code)


@pytest.mark.parametrize(("who", "error"), [("staff", StaffOnly), ("established", EstablishedOnly)])
def test_nobody_waits_for_what_is_not_for_them(clinic: Clinic, who: str, error: type[Exception]) -> None:
    only(clinic, who)
    wish = {"patient_id": clinic.pia_record.pk, "visit_type": "video-10", "latest": now() + timedelta(days=9)}
    with pytest.raises(error):
        services.join_waitlist(**wish, by=clinic.pia.by)
    services.join_waitlist(**wish, by=clinic.desk.by)
