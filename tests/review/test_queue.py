"""The queue: privacy officers alone, verdict and note with a fresh factor, escalation of what nobody looked at."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest

from audit.ledger import Act
from audit.ledger.models import Entry
from audit.review import services
from audit.review.errors import FindingClosed, NoteRequired
from audit.review.models import REVIEW, Finding, State, Verdict
from audit.review.tasks import review
from telehealth.accounts.access import Role
from telehealth.accounts.errors import FreshFactorRequired
from telehealth.accounts.models import User
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.outbox.models import Message
from tests.cast import Cast
from tests.conformance.samples import sample
from tests.people import Acts, Browser, ClientFor, MakeAccount

pytestmark = pytest.mark.django_db
OPEN: dict[str, Any] = {"state": "open", "verdict": "", "closed_by": None, "closed_at": None, "note": None}
NOTE = "Canary-Quill was in the waiting room"
LIST = "/admin/review/finding/"


def found(record: UUID | None = None, **values: Any) -> Finding:
    """One open finding."""
    given = {"detector": "same_surname", "facts": {"by": "names"}, "record": record or uuid4(), **values}
    made = sample(Finding, once=uuid4().bytes * 2, **{**OPEN, **given})
    assert isinstance(made, Finding)
    return made


def close(finding: Finding, cast: Cast, **values: Any) -> Finding:
    return services.close_finding(finding_id=finding.pk, **{"verdict": Verdict.VIOLATION, "note": NOTE, "by": cast.privacy, **values})


def test_closing_takes_verdict_and_note_and_the_entry_holds_codes(cast: Cast, acts: Acts) -> None:
    finding = found(cast.pia_record.pk)
    close(finding, cast)
    kept = Finding.objects.get(pk=finding.pk)
    assert (kept.state, kept.verdict, kept.closed_by, kept.note) == (State.CLOSED, "violation", cast.privacy.id, NOTE)
    assert Act.FINDING_CLOSED in acts()
    entry = Entry.objects.filter(act=Act.FINDING_CLOSED).latest("id")
    assert (entry.reason, entry.detail) == ("violation", f'{{"finding":"{finding.pk}"}}')
    assert not any("Canary" in str(value) for row in Entry.objects.values_list("detail", "reason", "object_pk") for value in row)


def test_the_note_is_sealed_with_the_record(cast: Cast) -> None:
    finding = close(found(cast.pia_record.pk), cast)
    sealed = Finding.objects.filter(pk=finding.pk).values_list("note", flat=True).get()
    assert "Canary" not in repr(sealed) and NOTE.encode() not in sealed.raw
    assert Finding(record=cast.pia_record.pk).record_id == cast.pia_record.pk
    assert Finding(record=REVIEW).patient_id is None


@pytest.mark.parametrize("note", ["", "   ", " . - \n"])
def test_without_a_note_it_stays_open(cast: Cast, note: str) -> None:
    finding = found()
    with pytest.raises(NoteRequired):
        close(finding, cast, note=note)
    with pytest.raises(ValueError, match="whatever"):
        close(finding, cast, verdict="whatever")
    assert Finding.objects.get(pk=finding.pk).state == State.OPEN


def test_a_verdict_stands_and_takes_a_fresh_factor_and_somebody_else(cast: Cast) -> None:
    finding, own = found(), found(actor_id=cast.privacy.id)
    with pytest.raises(FreshFactorRequired):
        close(finding, cast, by=replace(cast.privacy, second_factor_at=now() - timedelta(minutes=6)))
    with pytest.raises(Missing):
        close(own, cast)
    close(finding, cast)
    with pytest.raises(FindingClosed):
        close(finding, cast, verdict=Verdict.NOISE)
    assert Finding.objects.get(pk=finding.pk).verdict == "violation"


@pytest.mark.parametrize("role", [role for role in Role if role != Role.PRIVACY_OFFICER])
def test_nobody_else_sees_that_there_is_a_queue(make_account: MakeAccount, client_for: ClientFor, audit_unit: None, role: Role) -> None:
    finding, browser = found(), client_for(make_account(role))
    for reply in (
        browser.get("/api/v1/reviews/"),
        browser.get(f"/api/v1/reviews/{finding.pk}/"),
        browser.post(f"/api/v1/reviews/{finding.pk}/close/", {"verdict": "noise", "note": "x"}),
    ):
        assert reply.status_code == 404
    assert browser.get(LIST).status_code in {302, 403}
    assert browser.form(f"{LIST}{finding.pk}/change/", verdict="noise", note="x").status_code in {302, 403}
    assert Finding.objects.get(pk=finding.pk).state == State.OPEN


@pytest.fixture
def officer(make_account: MakeAccount, client_for: ClientFor, audit_unit: None) -> Browser:
    browser: Browser = client_for(make_account(Role.PRIVACY_OFFICER))
    return browser


def test_the_queue_by_rest(officer: Browser, make_account: MakeAccount) -> None:
    nan, record = make_account(Role.NURSE, name="Nan Nurse"), uuid4()
    first = found(record, actor_id=nan.id)
    late = found(detector="emergency", due_at=now() - timedelta(hours=1), record=REVIEW)

    def listed(query: str = "") -> list[str]:
        return [each["id"] for each in officer.get(f"/api/v1/reviews/{query}").json()["results"]]

    assert listed() == [str(late.pk), str(first.pk)]
    assert listed("?overdue=true") == [str(late.pk)]
    assert listed(f"?actor={nan.id}&state=open") == listed(f"?record={record}") == [str(first.pk)]
    assert listed("?state=closed") == []
    one = officer.get(f"/api/v1/reviews/{first.pk}/").json()
    assert (one["detector"], one["who"]["name"], one["record"], one["note"]) == ("same_surname", "Nan Nurse", str(record), None)
    assert officer.get(f"/api/v1/reviews/{late.pk}/").json()["record"] is None
    assert Entry.objects.filter(act=Act.FINDINGS_READ, detail='{"filters":["actor","state"]}').exists()
    assert officer.get("/api/v1/reviews/?detector=emergency").status_code == 400


def test_closing_by_rest(officer: Browser, make_account: MakeAccount, client_for: ClientFor) -> None:
    finding = found()
    address = f"/api/v1/reviews/{finding.pk}/close/"
    tired = client_for(make_account(Role.PRIVACY_OFFICER), factor_at=now() - timedelta(minutes=6))
    assert tired.post(address, {"verdict": "mistake", "note": NOTE}).json()["code"] == "fresh_factor_required"
    assert officer.post(address, {"verdict": "mistake"}).status_code == 400
    assert officer.post(address, {"verdict": "mistake", "note": " "}).status_code == 400
    assert officer.post(address, {"verdict": "nonsense", "note": NOTE}).status_code == 400
    assert officer.post(address, {"verdict": "mistake", "note": NOTE}).json()["state"] == "closed"
    assert officer.post(address, {"verdict": "mistake", "note": NOTE}).json()["code"] == "finding_closed"
    before = Entry.objects.filter(act=Act.RECORD_OPENED, record_id=finding.record).count()
    assert officer.get(f"/api/v1/reviews/{finding.pk}/").json()["note"] == NOTE
    assert Entry.objects.filter(act=Act.RECORD_OPENED, record_id=finding.record).count() == before + 1


def test_who_has_a_passkey_and_no_codes_is_led_to_step_up_and_back(
    make_account: MakeAccount, client_for: ClientFor, audit_unit: None
) -> None:
    tired = client_for(make_account(Role.PRIVACY_OFFICER), factor_at=now() - timedelta(minutes=6))
    address = f"{LIST}{found().pk}/change/"
    form = tired.get(address).content.decode()
    assert 'id="id_code"' in form and f'href="/step-up/?{urlencode({"next": address})}"' in form


def test_the_queue_in_the_admin(officer: Browser) -> None:
    finding, late = found(), found(detector="emergency", due_at=now() - timedelta(hours=1))
    page = officer.get(LIST).content.decode()
    assert "same surname" in page and str(late.pk) in officer.get(f"{LIST}?overdue=yes").content.decode()
    assert str(finding.pk) not in officer.get(f"{LIST}?overdue=yes").content.decode()
    assert str(finding.pk) in officer.get(f"{LIST}?q={finding.record}").content.decode()
    assert str(finding.pk) not in officer.get(f"{LIST}?q=nobody").content.decode()
    form = officer.get(f"{LIST}{finding.pk}/change/").content.decode()
    assert 'name="note"' in form and 'id="id_code"' not in form
    assert officer.form(f"{LIST}{finding.pk}/change/", verdict="", note=NOTE).status_code == 200
    assert officer.form(f"{LIST}{finding.pk}/change/", verdict="noise", note="").status_code == 200
    assert officer.form(f"{LIST}{finding.pk}/change/", verdict="noise", note=NOTE).status_code == 302
    kept = Finding.objects.get(pk=finding.pk)
    assert (kept.state, kept.verdict, kept.note) == ("closed", "noise", NOTE)
    closed = officer.get(f"{LIST}{finding.pk}/change/").content.decode()
    assert NOTE in closed and 'name="note"' not in closed
    assert officer.form(f"{LIST}{finding.pk}/change/", verdict="violation", note="again").status_code == 403
    assert officer.get(f"{LIST}add/").status_code == officer.form(f"{LIST}{finding.pk}/delete/", post="yes").status_code == 403
    assert Entry.objects.filter(act=Act.FINDINGS_READ).count() >= 5


def test_the_admin_asks_for_a_code_when_the_factor_is_old(make_account: MakeAccount, client_for: ClientFor, audit_unit: None) -> None:
    person, finding = make_account(Role.PRIVACY_OFFICER), found()
    browser, address = client_for(person, factor_at=now() - timedelta(minutes=6)), f"{LIST}{finding.pk}/change/"
    assert 'id="id_code"' in browser.get(address).content.decode()
    assert browser.form(address, verdict="noise", note=NOTE).status_code == 200
    assert browser.form(address, verdict="noise", note=NOTE, code="000000").status_code == 200
    assert Finding.objects.get(pk=finding.pk).state == State.OPEN
    assert browser.form(address, verdict="noise", note=NOTE, code=person.code()).status_code == 302
    assert Finding.objects.get(pk=finding.pk).state == State.CLOSED


def test_an_unreviewed_emergency_is_told_to_every_privacy_officer_and_again_each_day(cast: Cast) -> None:
    User.objects.create(email="second@example.org", role=Role.PRIVACY_OFFICER, name="Second")
    off = User.objects.create(email="off@example.org", role=Role.PRIVACY_OFFICER, name="Off", is_active=False)
    late, early, closed = found(due_at=now() - timedelta(minutes=1)), found(due_at=now() + timedelta(minutes=1)), found(due_at=now())
    close(closed, cast)

    def told() -> list[tuple[UUID, UUID | None]]:
        return list(Message.objects.filter(kind="review_overdue").values_list("object_id", "person_id"))

    review()
    assert {about for about, _ in told()} == {late.pk}
    assert {person for _, person in told()} == set(User.objects.filter(role="privacy_officer", is_active=True).values_list("pk", flat=True))
    assert off.pk not in {person for _, person in told()} and len(told()) == 2
    review()
    assert len(told()) == 2
    Finding.objects.filter(pk=late.pk).update(escalated_at=now() - timedelta(days=1))
    review()
    assert len(told()) == 4
    assert Entry.objects.filter(act=Act.FINDING_ESCALATED, outcome="ok").count() == 2
    assert Finding.objects.get(pk=early.pk).escalated_at is None


def test_that_there_is_nobody_to_tell_is_on_record(cast: Cast) -> None:
    User.objects.filter(role=Role.PRIVACY_OFFICER).update(is_active=False)
    found(due_at=now() - timedelta(minutes=1))
    review()
    assert Entry.objects.filter(act=Act.FINDING_ESCALATED).latest("id").outcome == "failed"


def test_two_officers_at_once_give_one_verdict(cast: Cast) -> None:
    finding = found()
    close(finding, cast, verdict=Verdict.JUSTIFIED)
    with pytest.raises(FindingClosed):
        close(finding, cast)
    assert Entry.objects.filter(act=Act.FINDING_CLOSED, detail__contains=str(finding.pk)).count() == 1
