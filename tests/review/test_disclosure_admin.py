"""Disclosures and incidents in Django's admin: for privacy officers, through the services, exports behind a fresh code."""

from datetime import timedelta
from typing import Any

import pytest

from audit.ledger.models import Entry
from audit.review.models import Basis, Disclosure, Incident
from audit.review.tasks import remind
from telehealth.accounts.access import Role
from telehealth.core import now
from tests.cast import Cast
from tests.people import ClientFor, MakeAccount
from tests.review.test_disclosures import tell
from tests.review.test_incidents import incident_of, look

pytestmark = pytest.mark.django_db
LINES, INCIDENTS = "/admin/review/disclosure/", "/admin/review/incident/"
OPENED = {"subject_kind": "account", "starts_at": "2026-01-01 00:00", "ends_at": "2026-01-02 00:00"}
OPENED |= {"discovered_on": "2026-01-03", "told": "A laptop"}


def test_the_list_opens_nothing_and_one_line_does(cast: Cast, client_for: ClientFor) -> None:
    made, officer = tell(cast.pia_record, Basis.ABUSE), client_for(cast.privacy)
    assert str(cast.pia_record.pk) in officer.get(LINES).content.decode()
    assert not Entry.objects.filter(actor_id=cast.privacy.id, act="record.opened").exists()
    assert "Somebody" in officer.get(f"{LINES}{made.pk}/change/").content.decode()
    mine = Entry.objects.filter(actor_id=cast.privacy.id, record_id=cast.pia_record.pk)
    assert set(mine.values_list("act", flat=True)) == {"ledger.read", "record.opened"}
    assert officer.post(f"{LINES}{made.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_line_is_written_down_once_and_what_cannot_be_is_told(cast: Cast, client_for: ClientFor) -> None:
    officer = client_for(cast.privacy)
    given = {"about": str(cast.pia_record.pk), "recipient_name": "Court", "told": "Note", "why": "Subpoena", "by_right": "judicial"}
    assert officer.form(f"{LINES}add/", **given).status_code == 302
    made = Disclosure.objects.get()
    assert (made.recipient["name"], made.basis, made.made_by) == ("Court", "judicial", cast.privacy.id)
    assert officer.form(f"{LINES}add/", **given | {"about": str(cast.cho.pk)}).status_code == 200
    assert Disclosure.objects.count() == 1


def test_an_accounting_is_taken_along_with_a_fresh_code(make_account: MakeAccount, cast: Cast, client_for: ClientFor) -> None:
    made, person = tell(cast.pia_record, Basis.JUDICIAL), make_account(Role.PRIVACY_OFFICER)
    old = client_for(person, factor_at=now() - timedelta(minutes=10))
    page = f"{LINES}{made.pk}/change/"
    assert 'name="code"' in old.get(page).content.decode()
    assert old.form(page, accounting_as="csv").status_code == 200  # the form again: no code
    assert old.form(page, accounting_as="csv", code="000000").status_code == 200
    assert not Disclosure.objects.filter(source_kind="review.Export").exists()
    reply: Any = old.form(page, accounting_as="csv", code=person.code())
    assert b"judicial" in b"".join(reply.streaming_content)
    assert Disclosure.objects.filter(source_kind="review.Export", patient=cast.pia_record).count() == 1


def test_an_incident_from_its_opening_to_its_letters(cast: Cast, client_for: ClientFor) -> None:
    look(cast.dr_dee, cast.pia_record)
    officer, at = client_for(cast.privacy), now()
    assert officer.form(f"{INCIDENTS}add/", **OPENED | {"subject": "dr dee"}).status_code == 200
    day = {"ends_at": f"{(at + timedelta(days=1)).date()} 00:00", "discovered_on": at.date().isoformat()}
    reply = officer.form(f"{INCIDENTS}add/", **OPENED | day | {"subject": str(cast.dr_dee.id)})
    assert reply.status_code == 302, reply.context["errors"]
    incident = Incident.objects.get()
    page = f"{INCIDENTS}{incident.pk}/change/"
    assert "Count who is affected first" in officer.form(page, step="assess", conclusion="breach", **FACTORS).content.decode()
    assert officer.form(page, step="survey").status_code == 302
    shown = officer.get(page).content.decode()
    assert "MA: 1" in shown and "A laptop" in shown and "The individuals" in shown
    assert officer.form(page, step="csv").status_code == 200  # to whom, and why?
    reply: Any = officer.form(page, step="csv", recipient="Mail house", purpose="Letters", basis="operations", contact="on")
    assert b"Quill" in b"".join(reply.streaming_content)
    assert officer.form(page, step="assess", conclusion="breach", **FACTORS).status_code == 302
    assert officer.form(page, step="notice", notice="individuals", told_on=at.date().isoformat()).status_code == 302
    assert "No such notice" in officer.form(page, step="notice", notice="media", told_on=at.date().isoformat()).content.decode()
    assert Incident.objects.get().individuals_told_on == at.date()


FACTORS = {"nature": "names", "got_by": "a thief", "acquired": "viewed", "mitigation": "none"}


@pytest.mark.parametrize("who", ["pia", "dr_cho", "admin"])
def test_others_have_no_business_there(cast: Cast, client_for: ClientFor, who: str) -> None:
    incident, line = incident_of(cast, "account", str(cast.dr_dee.id)), tell(cast.pia_record, Basis.ABUSE)
    for address in (LINES, INCIDENTS, f"{LINES}{line.pk}/change/", f"{INCIDENTS}{incident.pk}/change/", f"{INCIDENTS}add/"):
        assert client_for(getattr(cast, who)).get(address).status_code in {302, 403}


def test_the_clock_calls(cast: Cast) -> None:
    incident = incident_of(cast, "account", str(cast.dr_dee.id))
    Incident.objects.filter(pk=incident.pk).update(discovered_on=now().date() - timedelta(days=31))
    remind()
    assert Incident.objects.get(pk=incident.pk).reminded_day == 30
