"""The waiting list by REST."""

from typing import Any

import pytest

from scheduling import tasks
from tests.people import ClientFor, MakeAccount, body
from tests.scheduling.conftest import ZONE, Clinic
from tests.scheduling.waiters import Waiters

WAITLIST, OFFERS = "/api/v1/waitlist/", "/api/v1/waitlist-offers/"


@pytest.fixture
def waiters(clinic: Clinic, make_account: MakeAccount) -> Waiters:
    return Waiters(clinic, make_account)


def wish(waiters: Waiters, **changed: Any) -> dict[str, Any]:
    asked = {
        "patient": str(waiters.clinic.ned_record.pk),
        "practitioner": str(waiters.few.pk),
        "visit_type": "video-10",
        "latest": waiters.at(6).isoformat(),
        "parts_of_day": ["morning"],
        "timezone": ZONE,
        "note": "Any time before the wedding",
    }
    return {**asked, **changed}


def test_a_patient_joins_is_offered_a_time_and_takes_it(waiters: Waiters, client_for: ClientFor) -> None:
    app = client_for(waiters.clinic.ned)
    reply = app.post(WAITLIST, wish(waiters))
    made = body(reply)
    assert (reply.status_code, made["status"], made["note"], made["offer"]) == (201, "waiting", "Any time before the wedding", None)
    tasks.offer_freed()
    found = body(app.get(f"{WAITLIST}{made['id']}/"))
    offer = found["offer"]
    assert (found["status"], offer["state"], offer["practitioner"]) == ("offered", "open", str(waiters.few.pk))
    assert body(app.get(f"/api/v1/appointments/{offer['appointment']}/"))["status"] == "pending"
    taken = app.post(f"{OFFERS}{offer['id']}/accept/", {})
    assert (taken.status_code, body(taken)["status"]) == (200, "booked")
    assert body(app.get(f"/api/v1/appointments/{offer['appointment']}/"))["status"] == "booked"
    late = app.post(f"{OFFERS}{offer['id']}/decline/", {})
    assert (late.status_code, body(late)["code"]) == (409, "offer_over")
    (row,) = body(app.get(WAITLIST, {"status": "booked"}))["results"]
    assert (row["id"], row["offer"]) == (made["id"], None)


def test_declining_and_leaving(waiters: Waiters, client_for: ClientFor) -> None:
    app = client_for(waiters.clinic.ned)
    made = body(app.post(WAITLIST, wish(waiters)))
    tasks.offer_freed()
    offer = body(app.get(f"{WAITLIST}{made['id']}/"))["offer"]
    assert body(app.post(f"{OFFERS}{offer['id']}/decline/", {}))["status"] == "waiting"
    assert body(app.post(f"{WAITLIST}{made['id']}/withdraw/", {}))["status"] == "withdrawn"


def test_the_desk_sees_who_waits_and_not_what_they_said(waiters: Waiters, client_for: ClientFor) -> None:
    client_for(waiters.clinic.ned).post(WAITLIST, wish(waiters))
    desk = client_for(waiters.clinic.desk)
    (row,) = body(desk.get(WAITLIST))["results"]
    assert row["patient"] == str(waiters.clinic.ned_record.pk)
    assert "note" not in body(desk.get(f"{WAITLIST}{row['id']}/"))
    assert body(client_for(waiters.clinic.pia).get(WAITLIST))["results"] == []
    assert client_for(waiters.clinic.pia).get(f"{WAITLIST}{row['id']}/").status_code == 404


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"latest": "2020-01-01T00:00:00Z"}, 400, "window_odd"),
        ({"visit_type": "brain-surgery"}, 400, "unknown_visit_type"),
        ({"state": "Narnia"}, 400, "patient_state_unknown"),
        ({"parts_of_day": ["teatime"]}, 400, "invalid_choice"),
        ({"timezone": "Mars/Olympus"}, 400, "invalid_choice"),
        ({"urgency": 9}, 400, "invalid_choice"),
        ({}, 409, "already_waiting"),
    ],
)
def test_what_is_asked_badly_gets_its_documented_no(
    waiters: Waiters, client_for: ClientFor, changed: dict[str, Any], status: int, code: str
) -> None:
    app = client_for(waiters.clinic.ned)
    if not changed:
        app.post(WAITLIST, wish(waiters))
    reply = app.post(WAITLIST, wish(waiters, **changed))
    problem = body(reply)
    codes = {problem["code"], *(error["code"] for error in problem.get("errors", ()))}
    assert (reply.status_code, code in codes) == (status, True), codes


def test_once_under_one_key(waiters: Waiters, client_for: ClientFor) -> None:
    app, key = client_for(waiters.clinic.ned), {"headers": {"Idempotency-Key": "the-same"}}
    first, again = app.post(WAITLIST, wish(waiters), **key), app.post(WAITLIST, wish(waiters), **key)
    assert (first.status_code, again.status_code, body(first)["id"]) == (201, 201, body(again)["id"])
