"""Scheduling by REST: what is asked well, what is asked badly, and by whom."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from audit.ledger import SYSTEM
from scheduling import services
from scheduling.models import Appointment
from telehealth.core import now
from telehealth.records.models import ProxyGrant
from tests.people import ClientFor, MakeAccount, body
from tests.scheduling.conftest import Clinic

APPOINTMENTS, SLOTS = "/api/v1/appointments/", "/api/v1/slots/"


def wish(clinic: Clinic, minutes: int = 0, **changed: Any) -> dict[str, Any]:
    asked = {
        "patient": str(clinic.pia_record.pk),
        "practitioner": str(clinic.dr_cho.pk),
        "visit_type": "video-10",
        "starts_at": clinic.start(minutes).isoformat(),
        "reason": "Cough",
    }
    return {name: value for name, value in {**asked, **changed}.items() if value is not None}


def window(clinic: Clinic, hours: float, **asked: Any) -> dict[str, Any]:
    between = {"from": clinic.start().isoformat(), "to": (clinic.start() + timedelta(hours=hours)).isoformat()}
    return {"visit_type": "video-10", **between, **asked}


def test_a_patient_searches_books_reads_and_cancels(clinic: Clinic, client_for: ClientFor) -> None:
    app = client_for(clinic.pia)
    kinds = body(app.get("/api/v1/visit-types/"))["results"]
    assert [kind["code"] for kind in kinds] == ["video-10", "video-30"]

    offered = body(app.get(SLOTS, window(clinic, 1, practitioner=str(clinic.dr_cho.pk))))
    assert len(offered["results"]) == 6
    first = offered["results"][0]
    assert first == {
        "practitioner": str(clinic.dr_cho.pk),
        "starts_at": clinic.start().isoformat().replace("+00:00", "Z"),
        "ends_at": clinic.start(10).isoformat().replace("+00:00", "Z"),
    }

    reply = app.post(APPOINTMENTS, wish(clinic, starts_at=first["starts_at"]))
    made = body(reply)
    assert reply.status_code == 201
    assert (made["status"], made["reason"], made["timezone"]) == ("booked", "Cough", "America/New_York")

    again = body(app.get(f"{APPOINTMENTS}{made['id']}/"))
    listed = body(app.get(APPOINTMENTS))["results"]
    assert again == made
    assert listed == [{name: value for name, value in made.items() if name not in ("reason", "cancelled_note")}]

    cancelled = app.post(f"{APPOINTMENTS}{made['id']}/cancel/", {"reason": "pat"})
    assert (cancelled.status_code, body(cancelled)["status"]) == (200, "cancelled")
    assert body(app.get(APPOINTMENTS, {"status": "booked"}))["results"] == []


def test_a_patient_is_offered_nothing_that_clashes_with_their_own(clinic: Clinic, client_for: ClientFor) -> None:
    services.book(**clinic.wish())
    dee = {"practitioner": str(clinic.dr_dee.pk)}
    own = body(client_for(clinic.pia).get(SLOTS, window(clinic, 1, **dee)))
    others = body(client_for(clinic.ned).get(SLOTS, window(clinic, 1, **dee)))
    told = body(client_for(clinic.desk).get(SLOTS, window(clinic, 1, patient=str(clinic.pia_record.pk), **dee)))
    assert (len(own["results"]), len(others["results"])) == (5, 6)
    assert told["results"] == own["results"]
    assert client_for(clinic.ned).get(SLOTS, window(clinic, 1, patient=str(clinic.pia_record.pk))).status_code == 404


def test_pages_of_offers_join_without_a_seam(clinic: Clinic, client_for: ClientFor) -> None:
    app = client_for(clinic.pia)
    whole = body(app.get(SLOTS, window(clinic, 6, limit=100)))
    page = body(app.get(SLOTS, window(clinic, 6, limit=7)))
    joined = page["results"]
    while page["next"]:
        page = body(app.get(page["next"]))
        joined += page["results"]
    assert joined == whole["results"]
    assert len(joined) == 2 * 6 * 6
    assert sum(whole["per_day"].values()) == len(joined)


def test_offers_are_counted_by_the_days_of_the_zone_asked_for(clinic: Clinic, client_for: ClientFor) -> None:
    asked = window(clinic, 48, zone="Asia/Kathmandu", practitioner=str(clinic.dr_cho.pk))
    per_day = body(client_for(clinic.pia).get(SLOTS, asked))["per_day"]
    assert len(per_day) == 3
    assert sum(per_day.values()) == 48 * 6
    assert max(per_day.values()) == 24 * 6


def test_the_same_request_under_one_key_books_once(clinic: Clinic, client_for: ClientFor) -> None:
    app, key = client_for(clinic.pia), {"headers": {"Idempotency-Key": str(uuid4())}}
    first = app.post(APPOINTMENTS, wish(clinic), **key)
    again = app.post(APPOINTMENTS, wish(clinic), **key)
    other = app.post(APPOINTMENTS, wish(clinic, 10), **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert body(first) == body(again)
    assert (other.status_code, body(other)["code"]) == (409, "idempotency_key_reused")
    assert Appointment.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"starts_at": "yesterday"}, 400, "invalid"),
        ({"starts_at": "2026-12-01T10:00:00"}, 400, "offset_missing"),
        ({"starts_at": "0001-01-01T00:00:00Z"}, 400, "out_of_range"),
        ({"starts_at": "9999-12-31T23:59:59-12:00"}, 400, "invalid"),
        ({"starts_at": "2020-01-01T10:00:00Z"}, 400, "too_soon"),
        ({"starts_at": "2150-01-01T10:00:00Z"}, 400, "beyond_horizon"),
        ({"starts_at": 5}, 400, "invalid"),
        ({"starts_at": None}, 400, "required"),
        ({"visit_type": "brain-surgery"}, 400, "unknown_visit_type"),
        ({"visit_type": "video 10; drop table"}, 400, "invalid"),
        ({"practitioner": str(uuid4())}, 400, "unknown_practitioner"),
        ({"practitioner": "me"}, 400, "invalid"),
        ({"patient": str(uuid4())}, 404, "not_found"),
        ({"patient": ["a", "list"]}, 400, "invalid"),
        ({"reason": "x" * 1001}, 400, "max_length"),
        ({"reason": "nul \0"}, 400, "malformed"),
        ({"colour": "blue"}, 400, "unknown_field"),
        ({"overbooking": {"code": "urgent"}}, 400, "required"),
        ({"overbooking": {"code": "urgent", "reason": "I want to"}}, 404, "not_found"),
    ],
)
def test_what_is_asked_badly_gets_its_documented_no(
    clinic: Clinic, client_for: ClientFor, changed: dict[str, Any], status: int, code: str
) -> None:
    reply = client_for(clinic.pia).post(APPOINTMENTS, wish(clinic, **changed))
    problem = body(reply)
    codes = {problem["code"], *(error["code"] for error in problem.get("errors", ()))}
    assert (reply.status_code, code in codes) == (status, True), problem
    assert reply["Content-Type"].startswith("application/problem+json")
    assert not Appointment.objects.exists()


def test_a_start_between_two_offers_and_one_that_is_gone(clinic: Clinic, client_for: ClientFor) -> None:
    app = client_for(clinic.pia)
    assert body(app.post(APPOINTMENTS, wish(clinic, 5)))["code"] == "start_misaligned"
    services.book(**clinic.wish() | {"patient_id": clinic.ned_record.pk})
    taken = app.post(APPOINTMENTS, wish(clinic))
    assert (taken.status_code, body(taken)["code"]) == (409, "slot_taken")
    services.book(**clinic.wish(10))
    busy = app.post(APPOINTMENTS, wish(clinic, 10, practitioner=str(clinic.dr_dee.pk)))
    assert (busy.status_code, body(busy)["code"]) == (409, "patient_busy")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"visit_type": None}, "required"),
        ({"visit_type": "nothing"}, "unknown_visit_type"),
        ({"zone": "Mars/Olympus"}, "invalid"),
        ({"from": "2026-12-01T00:00:00"}, "offset_missing"),
        ({"to": "2020-12-01T00:00:00Z"}, "window_odd"),
        ({"to": "2090-12-01T00:00:00Z"}, "window_odd"),
        ({"practitioner": "x"}, "invalid"),
        ({"limit": "1000"}, "invalid"),
        ({"cursor": "forged"}, "cursor_invalid"),
        ({"nonsense": "1"}, "unknown_field"),
    ],
)
def test_a_search_that_cannot_be_meant(clinic: Clinic, client_for: ClientFor, changed: dict[str, Any], code: str) -> None:
    asked = {name: value for name, value in {**window(clinic, 1), **changed}.items() if value is not None}
    reply = client_for(clinic.pia).get(SLOTS, asked)
    problem = body(reply)
    assert reply.status_code == 400
    assert code in {problem["code"], *(error["code"] for error in problem.get("errors", ()))}, problem


def test_a_window_wholly_in_the_past_or_beyond_the_horizon_offers_nothing(clinic: Clinic, client_for: ClientFor) -> None:
    app = client_for(clinic.pia)
    for year in (2001, 2199):
        asked = {"visit_type": "video-10", "from": f"{year}-01-01T00:00:00Z", "to": f"{year}-01-02T00:00:00Z"}
        assert body(app.get(SLOTS, asked)) == {"results": [], "per_day": {}, "next": None}


def test_strangers_learn_nothing(clinic: Clinic, client_for: ClientFor, make_account: MakeAccount) -> None:
    made = services.book(**clinic.wish())
    absent = body(client_for(clinic.ned).get(f"{APPOINTMENTS}{uuid4()}/"))
    for who in (clinic.ned, make_account("proxy"), make_account("provider"), make_account("administrator")):
        there = client_for(who)
        for reply in (there.get(f"{APPOINTMENTS}{made.pk}/"), there.post(f"{APPOINTMENTS}{made.pk}/cancel/", {"reason": "pat"})):
            assert (reply.status_code, body(reply)) == (404, absent)
        assert body(there.get(APPOINTMENTS)).get("results", []) == []
    assert Appointment.objects.get().status == "booked"


def test_a_proxy_whose_grant_has_ended_acts_no_longer(clinic: Clinic, client_for: ClientFor, make_account: MakeAccount) -> None:
    gus = make_account("proxy")
    grant = ProxyGrant.objects.create(patient=clinic.pia_record, proxy=gus.id, relationship="guardian", starts_at=now())
    made = body(client_for(gus).post(APPOINTMENTS, wish(clinic)))
    grant.ends_at = now()
    grant.save()
    assert client_for(gus).post(f"{APPOINTMENTS}{made['id']}/cancel/", {"reason": "pat"}).status_code == 404


@pytest.mark.parametrize("reason", ["because", "", None, 7])
def test_a_cancellation_needs_a_reason_from_the_list(clinic: Clinic, client_for: ClientFor, reason: Any) -> None:
    made = services.book(**clinic.wish())
    assert client_for(clinic.pia).post(f"{APPOINTMENTS}{made.pk}/cancel/", {"reason": reason}).status_code == 400
    assert Appointment.objects.get().status == "booked"


def test_what_is_over_cannot_be_cancelled_and_the_reply_says_how_it_stands(clinic: Clinic, client_for: ClientFor) -> None:
    made = services.book(**clinic.wish())
    services.mark_no_show(appointment_id=made.pk, by=SYSTEM)
    reply = client_for(clinic.pia).post(f"{APPOINTMENTS}{made.pk}/cancel/", {"reason": "pat"})
    assert (reply.status_code, body(reply)["code"], body(reply)["appointment_status"]) == (409, "appointment_status", "noshow")


@pytest.mark.parametrize("role", ["front_desk", "biller"])
def test_what_a_visit_is_about_is_not_for_the_desk(clinic: Clinic, client_for: ClientFor, make_account: MakeAccount, role: str) -> None:
    made = body(client_for(clinic.pia).post(APPOINTMENTS, wish(clinic)))
    shown = body(client_for(make_account(role)).get(f"{APPOINTMENTS}{made['id']}/"))
    assert shown["id"] == made["id"]
    assert "reason" not in shown
    assert body(client_for(clinic.cho).get(f"{APPOINTMENTS}{made['id']}/"))["reason"] == "Cough"
