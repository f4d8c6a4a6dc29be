"""From the declaration to the verdict: emergency access, as people use it, ends in the queue."""

from typing import Any

import pytest

from audit.review.models import Finding
from telehealth.accounts.access import Role
from tests.people import ClientFor
from tests.review.conftest import Clinic

pytestmark = pytest.mark.django_db(transaction=True)


def test_declared_looked_at_found_and_closed(clinic: Clinic, client_for: ClientFor) -> None:
    cast = clinic.cast
    dee, officer = client_for(cast.dr_dee), client_for(cast.privacy)
    why = {"reason": "unresponsive", "text": "Found on the floor of the lobby."}
    assert dee.get(f"/api/v1/patients/{cast.pia_record.pk}/").status_code == 404
    assert dee.post("/api/v1/emergency-accesses/", {"patient": str(cast.pia_record.pk), **why}).status_code == 201
    assert dee.get(f"/api/v1/patients/{cast.pia_record.pk}/").status_code == 200
    assert clinic.review() == {("emergency", "dr_dee", "pia")}

    waiting: list[dict[str, Any]] = officer.get("/api/v1/reviews/?state=open").json()["results"]
    assert [(each["detector"], each["who"]["role"], each["facts"]) for each in waiting] == [
        ("emergency", Role.PROVIDER, {"purpose": "BTG"})
    ]
    closed = officer.post(f"/api/v1/reviews/{waiting[0]['id']}/close/", {"verdict": "justified", "note": "Seen on the camera."})
    assert closed.json()["state"] == "closed"
    assert clinic.review() == {("emergency", "dr_dee", "pia")}
    assert Finding.objects.get().note == "Seen on the camera."
