"""Who opened a record: the patient and their proxy may know, a stranger may not, and asking is on record."""

from collections.abc import Callable

import pytest

from audit.ledger import SYSTEM, unit
from audit.ledger.models import Entry
from telehealth.accounts.access import Role
from telehealth.records.models import Patient
from tests.people import Browser, MakeAccount, Person

pytestmark = pytest.mark.django_db
ClientFor = Callable[[Person], Browser]


def record_of(person: Person) -> Patient:
    made = Patient(mrn=person.id.hex, family="Canary-Blackthorn", account_id=person.id)
    made.save()
    return made


def test_a_patient_sees_who_opened_the_record_by_name_and_how_often(make_account: MakeAccount, client_for: ClientFor) -> None:
    pia, nurse = make_account(Role.PATIENT), make_account(Role.NURSE)
    record = record_of(pia)
    with unit(nurse.by, channel="REST"):
        assert record.__class__.objects.get(pk=record.pk).family

    reply = client_for(pia).get(f"/api/v1/patients/{record.pk}/accesses/")

    assert reply.status_code == 200
    asked, opened = reply.json()["results"]
    assert asked["act"] == "ledger.read"
    assert opened["who"]["id"] == str(nurse.id)
    assert opened["opened"] == {"Patient": 1}
    assert "Canary" not in reply.content.decode()


@pytest.mark.parametrize("role", [Role.PATIENT, Role.PROVIDER, Role.NURSE, Role.FRONT_DESK, Role.BILLER, Role.ADMINISTRATOR])
def test_nobody_else_may_know_and_the_attempt_is_on_record(make_account: MakeAccount, client_for: ClientFor, role: Role) -> None:
    record, stranger = record_of(make_account(Role.PATIENT)), make_account(role)

    reply = client_for(stranger).get(f"/api/v1/patients/{record.pk}/accesses/")

    assert reply.status_code == 404
    assert Entry.objects.filter(actor_id=stranger.id, outcome="refused").exists()


def test_the_privacy_officer_sees_entries_in_the_admin_and_cannot_change_them(make_account: MakeAccount, client_for: ClientFor) -> None:
    officer = make_account(Role.PRIVACY_OFFICER)
    with unit(SYSTEM, channel="task"):
        pass
    browser = client_for(officer)

    page = browser.get("/admin/audit/entry/", HTTP_ACCEPT="text/html")
    entry = Entry.objects.first()

    assert page.status_code == 200
    assert entry is not None
    assert browser.get(f"/admin/audit/entry/{entry.pk}/change/").status_code == 200
    for path in ("", f"{entry.pk}/change/", f"{entry.pk}/delete/", f"{entry.pk}/history/", "add/"):
        for method in (browser.post, browser.put, browser.patch, browser.delete):
            assert method(f"/admin/audit/entry/{path}").status_code in {404, 405}
    assert {browser.get(f"/admin/audit/entry/{path}").status_code for path in (f"{entry.pk}/delete/", f"{entry.pk}/history/", "add/")} == {
        404
    }
    assert Entry.objects.filter(actor_id=officer.id, act="ledger.read").exists()


@pytest.mark.parametrize("role", [Role.PATIENT, Role.PROVIDER, Role.ADMINISTRATOR])
def test_others_do_not_reach_the_list_in_the_admin(make_account: MakeAccount, client_for: ClientFor, role: Role) -> None:
    reply = client_for(make_account(role)).get("/admin/audit/entry/")
    assert reply.status_code in {302, 403, 404}


def test_looking_at_one_entry_in_the_admin_is_on_record_too(make_account: MakeAccount, client_for: ClientFor) -> None:
    officer, record = make_account(Role.PRIVACY_OFFICER), record_of(make_account(Role.PATIENT))
    client_for(officer).get(f"/api/v1/patients/{record.pk}/accesses/")
    looked = Entry.objects.filter(actor_id=officer.id, act="ledger.read")
    entry = looked.get()

    assert client_for(officer).get(f"/admin/audit/entry/{entry.pk}/change/").status_code == 200

    assert looked.exclude(pk=entry.pk).get().object_pk == str(entry.pk)


def test_a_filter_takes_only_values_that_it_offers(make_account: MakeAccount, client_for: ClientFor) -> None:
    officer = client_for(make_account(Role.PRIVACY_OFFICER))
    for asked in ({"role": "nurse\0"}, {"act": "no such act"}):
        assert officer.get("/admin/audit/entry/", asked).status_code == 200
