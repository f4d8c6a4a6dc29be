"""How late a patient may call it off, and what is kept of it."""

from datetime import timedelta

import pytest

from audit.ledger import SYSTEM
from scheduling import services
from scheduling.errors import StepNotAllowed, TooLateToCancel
from scheduling.models import Appointment, LateCancel
from scheduling.statuses import CancelReason
from telehealth.core import now
from telehealth.records.models import ProxyGrant
from tests.people import ClientFor, MakeAccount, body
from tests.scheduling.conftest import Clinic

APPOINTMENTS = "/api/v1/appointments/"
NOTICE = 3 * 24 * 60  # minutes: what is booked for tomorrow is late already


def asks_notice(clinic: Clinic, minutes: int, late: str) -> None:
    changes = {"cancel_notice_minutes": minutes, "late_cancel": late}
    services.change_visit_type(visit_type_id=clinic.quick.pk, changes=changes, by=SYSTEM)


def test_in_time_it_is_not_late(clinic: Clinic) -> None:
    asks_notice(clinic, 60, LateCancel.REFUSE)
    made = services.book(**clinic.wish())
    done = services.cancel(appointment_id=made.pk, reason="pat", by=clinic.pia.by)
    assert (done.status, done.cancelled_late, done.sequence) == ("cancelled", False, 1)


def test_late_is_noted_of_the_patients_side_and_of_nobody_else(clinic: Clinic, make_account: MakeAccount) -> None:
    asks_notice(clinic, NOTICE, LateCancel.FLAG)
    gus = make_account("proxy")
    ProxyGrant.objects.create(patient=clinic.pia_record, proxy=gus.id, relationship="guardian", starts_at=now() - timedelta(days=1))
    late = {}
    for person in (clinic.pia, gus, clinic.desk, clinic.cho):
        made = services.book(**clinic.wish())
        late[person.role] = services.cancel(appointment_id=made.pk, reason="other", by=person.by).cancelled_late
    assert late == {"patient": True, "proxy": True, "front_desk": False, "provider": False}


def test_too_late_is_refused_to_patients_and_staff_always_may(clinic: Clinic) -> None:
    asks_notice(clinic, NOTICE, LateCancel.REFUSE)
    made = services.book(**clinic.wish())
    with pytest.raises(TooLateToCancel):
        services.cancel(appointment_id=made.pk, reason="pat", by=clinic.pia.by)
    assert Appointment.objects.get(pk=made.pk).status == "booked"
    services.cancel(appointment_id=made.pk, reason="pat", by=clinic.desk.by)
    with pytest.raises(StepNotAllowed):  # what is over is not "too late"
        services.cancel(appointment_id=made.pk, reason="pat", by=clinic.pia.by)


def test_a_hold_owes_no_notice(clinic: Clinic) -> None:
    asks_notice(clinic, NOTICE, LateCancel.REFUSE)
    held = services.hold(**clinic.wish(by=clinic.pia.by), until=now() + timedelta(minutes=5))
    assert services.cancel(appointment_id=held.pk, reason="pat", by=clinic.pia.by).cancelled_late is False


def test_the_note_is_sealed(clinic: Clinic) -> None:
    made = services.book(**clinic.wish())
    services.cancel(appointment_id=made.pk, reason="pat", note="Chemotherapy on that day", by=clinic.pia.by)
    assert Appointment.objects.get(pk=made.pk).cancelled_note == "Chemotherapy on that day"
    stored = bytes(Appointment.objects.filter(pk=made.pk).values_list("cancelled_note", flat=True)[0].raw)
    assert b"Chemo" not in stored


def test_by_rest_it_is_told_with_its_code_and_the_note_is_not_for_the_desk(clinic: Clinic, client_for: ClientFor) -> None:
    asks_notice(clinic, NOTICE, LateCancel.REFUSE)
    made = services.book(**clinic.wish())
    path = f"{APPOINTMENTS}{made.pk}/"
    refused = client_for(clinic.pia).post(f"{path}cancel/", {"reason": "pat"})
    assert (refused.status_code, body(refused)["code"]) == (409, "too_late_to_cancel")
    done = body(client_for(clinic.desk).post(f"{path}cancel/", {"reason": "pat", "note": "Called in sick"}))
    assert (done["status"], done["cancelled_late"]) == ("cancelled", False)
    assert "cancelled_note" not in body(client_for(clinic.desk).get(path))
    assert body(client_for(clinic.pia).get(path))["cancelled_note"] == "Called in sick"


@pytest.mark.parametrize("reason", [CancelReason.HOLD_EXPIRED, CancelReason.HOLD_RELEASED, CancelReason.SERIES])
def test_reasons_of_our_own_are_nobody_elses_to_give(clinic: Clinic, client_for: ClientFor, reason: str) -> None:
    made = services.book(**clinic.wish())
    assert client_for(clinic.pia).post(f"{APPOINTMENTS}{made.pk}/cancel/", {"reason": reason}).status_code == 400
