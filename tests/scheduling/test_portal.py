"""The booking fragment under forms that no page of ours sends."""

import pytest

from scheduling.models import Appointment
from tests.people import ClientFor
from tests.scheduling.conftest import Clinic


def address(clinic: Clinic) -> str:
    return f"/patients/{clinic.pia_record.pk}/booking/"


def test_the_desk_sees_offers_and_takes_one(clinic: Clinic, client_for: ClientFor) -> None:
    desk = client_for(clinic.desk)
    shown = desk.get(address(clinic), {"visit_type": "video-10", "day": clinic.start().date().isoformat()})
    assert b'name="offer"' in shown.content
    offer = f"{clinic.dr_cho.pk} {clinic.start().isoformat()}"
    assert desk.form(address(clinic), visit_type="video-10", offer=offer, reason="Cough").status_code == 200
    assert Appointment.objects.get().reason == "Cough"
    assert desk.form(address(clinic), visit_type="video-10", offer=offer).status_code == 409


@pytest.mark.parametrize("day", ["9999-12-31", "0001-01-01", "yesterday", ""])
def test_days_that_cannot_be_meant_are_answered_with_today(clinic: Clinic, client_for: ClientFor, day: str) -> None:
    assert client_for(clinic.desk).get(address(clinic), {"visit_type": "video-10", "day": day}).status_code == 200


@pytest.mark.parametrize("start", ["", "soon", "2026-12-01T10:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_offers_that_were_never_made_are_refused(clinic: Clinic, client_for: ClientFor, start: str) -> None:
    offer = f"{clinic.dr_cho.pk} {start}"
    assert client_for(clinic.desk).form(address(clinic), visit_type="video-10", offer=offer).status_code == 400
    assert not Appointment.objects.exists()


def test_a_neighbour_gets_the_same_as_for_nobody(clinic: Clinic, client_for: ClientFor) -> None:
    there = client_for(clinic.ned)
    offer = f"{clinic.dr_cho.pk} {clinic.start().isoformat()}"
    assert there.form(address(clinic), visit_type="video-10", offer=offer).status_code == 404
    assert not Appointment.objects.exists()
