"""Who decides that a record goes: two people with fresh factors, on record."""

from typing import Any

import pytest
from django.core.management import CommandError
from django.db import IntegrityError, connection, transaction

from audit.ledger import SYSTEM, Act, Actor, unit, uuid7
from audit.ledger.models import Entry
from telehealth.accounts.errors import FreshFactorRequired
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.records import services
from telehealth.records.errors import DestructionAsked
from telehealth.records.models import Destruction, LegalHold, Patient
from tests.cast import stale
from tests.conftest import AsOwner
from tests.people import ClientFor
from tests.records.house import WHY, House

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


def test_who_asks_does_not_approve(house: House) -> None:
    asked = house.asked()
    with pytest.raises(Missing):
        services.approve_destruction(destruction_id=asked.pk, by=house.cast.privacy)
    with pytest.raises(IntegrityError, match="destruction_takes_two_people"), transaction.atomic():
        Destruction.objects.filter(pk=asked.pk).update(approved_by=house.cast.privacy.id, approved_at=now())
    with pytest.raises(CommandError, match="destruction_not_approved"):
        house.shred()
    assert Patient.objects.get(pk=house.record).family == "Quill"


@pytest.mark.parametrize("name", ["pia", "gus", "dr_cho", "nan", "desk", "biller", "admin"])
def test_nobody_else_decides(house: House, name: str) -> None:
    by, asked = getattr(house.cast, name), house.asked()
    for attempt in (
        lambda: services.request_destruction(patient_id=house.cast.ned_record.pk, **WHY, by=by),
        lambda: services.approve_destruction(destruction_id=asked.pk, by=by),
        lambda: services.withdraw_destruction(destruction_id=asked.pk, by=by),
        lambda: services.place_hold(patient_id=house.record, code="audit", why="x", by=by),
        lambda: services.lift_hold(hold_id=uuid7(), by=by),
    ):
        with pytest.raises(Missing):
            attempt()


def test_it_takes_a_fresh_factor(house: House) -> None:
    from_then = Actor(id=house.second.id, role=house.second.role, second_factor_at=now().replace(year=2020))
    with pytest.raises(FreshFactorRequired):
        services.request_destruction(patient_id=house.record, **WHY, by=from_then)
    with pytest.raises(FreshFactorRequired):
        services.approve_destruction(destruction_id=house.asked().pk, by=from_then)
    assert stale(from_then).second_factor_at is None


def test_an_approval_that_the_ledger_does_not_have_is_none(house: House, as_owner: AsOwner) -> None:
    """As the runtime role: an attacker with SQL writes the second person's name, and has no MAC key to write an entry with."""
    asked = house.asked()
    Destruction.objects.filter(pk=asked.pk).update(approved_by=house.second.id, approved_at=now())
    with pytest.raises(CommandError, match="destruction_not_approved"):
        house.shred()
    entry = Entry.objects.get(act=Act.DESTRUCTION_REQUESTED, object_pk=str(asked.pk))
    with connection.cursor() as cursor:
        columns = (
            "timestamp, action, outcome, role, session, client, channel, purpose, reason, cid, record_id, kind, object_pk, detail, mac"
        )
        cursor.execute(
            f"INSERT INTO audit_entry (id, act, actor_id, {columns}) SELECT %s, %s, %s, {columns} FROM audit_entry WHERE id = %s",
            [forged := uuid7(), Act.DESTRUCTION_APPROVED, house.second.id, entry.pk],
        )
    with pytest.raises(CommandError, match="destruction_not_approved"):
        house.shred()
    assert Patient.objects.get(pk=house.record).family == "Quill"
    as_owner("ALTER TABLE audit_entry DISABLE TRIGGER USER")
    as_owner("DELETE FROM audit_entry WHERE id = %s", forged)  # other tests verify the same log
    as_owner("ALTER TABLE audit_entry ENABLE TRIGGER USER")


def test_what_is_called_off_is_not_done(house: House) -> None:
    asked = house.approved()
    services.withdraw_destruction(destruction_id=asked.pk, by=house.cast.privacy)
    with pytest.raises(CommandError, match="destruction_not_approved"):
        house.shred()
    assert house.asked().pk != asked.pk
    with pytest.raises(DestructionAsked):  # by the constraint destruction_once_at_a_time
        house.asked()


CONSTRAINTS: list[tuple[str, type[Any], dict[str, Any]]] = [
    ("hold_is_lifted_by_somebody", LegalHold, {"lifted_at": now()}),
    ("destruction_is_approved_by_somebody", Destruction, {"approved_at": now()}),
    ("destruction_is_done_when_approved_and_not_withdrawn", Destruction, {"done_at": now()}),
]


@pytest.mark.parametrize(("name", "model", "values"), CONSTRAINTS)
def test_the_tables_hold_it_too(house: House, name: str, model: type[Any], values: dict[str, Any]) -> None:
    house.asked()
    services.place_hold(patient_id=house.record, code="audit", why="x", by=house.cast.privacy)
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        model.objects.filter(patient=house.record).update(**values)


def test_in_the_administration(house: House, client_for: ClientFor) -> None:
    one, two = client_for(house.cast.privacy), client_for(house.second)
    add, listed = "/admin/records/destruction/add/", "/admin/records/destruction/"
    assert one.get(add).status_code == 200
    assert one.form(add, record=str(house.record), code="retention_over", in_words="Ten years.").status_code == 302
    asked = Destruction.objects.get()
    page = two.get(f"{listed}{asked.pk}/change/")
    assert page.status_code == 200 and b"Ten years." in page.content
    assert Entry.objects.filter(act=Act.RECORD_OPENED, record_id=house.record, actor_id=house.second.id).exists()

    def approve(browser: Any) -> Any:
        return browser.post(listed, {"action": "approve", "_selected_action": [str(asked.pk)]}, format="multipart")

    approve(one)
    assert Destruction.objects.get().approved_at is None
    old = client_for(house.second, factor_at=now().replace(year=2020))
    reply = approve(old)
    assert reply.status_code == 302 and "factor" in reply["Location"] and Destruction.objects.get().approved_at is None
    assert approve(two).status_code == 302
    assert Destruction.objects.get().approved_by == house.second.id
    house.shred()
    page = two.get(f"{listed}{asked.pk}/change/")
    assert page.status_code == 200 and b"Ten years." not in page.content
    assert client_for(house.cast.admin).get(listed).status_code in (302, 403)
    with unit(SYSTEM, channel="task"):
        hold = "/admin/records/legalhold/add/"
        assert one.form(hold, record=str(house.cast.ned_record.pk), code="audit", in_words="An audit.").status_code == 302
        held = LegalHold.objects.get()
    two.post("/admin/records/legalhold/", {"action": "lift", "_selected_action": [str(held.pk)]}, format="multipart")
    assert LegalHold.objects.get().lifted_by == house.second.id
