"""A record goes for good: by two people, never under a legal hold, all of it or nothing; the ledger stands."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, connections, transaction
from pytest_django import Settings

from audit.ledger import SYSTEM, Act, Actor, unit, uuid7
from audit.ledger.models import Entry
from audit.ledger.sealing import Sealer
from audit.review.models import Disclosure
from scheduling.models import Appointment
from telehealth.accounts.access import Role
from telehealth.accounts.errors import FreshFactorRequired
from telehealth.accounts.models import AccessToken, Application, TOTPDevice, User
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.outbox.models import Message
from telehealth.outbox.services import notify
from telehealth.records import services
from telehealth.records.errors import ActsForOthers, DestructionAsked, LegalHoldStands, StillNeeded
from telehealth.records.models import ClinicalResource, Destruction, LegalHold, Patient, PatientIdentifier, ProxyGrant
from telehealth.rest.models import IdempotencyKey
from telehealth.vault import files, record_keys, sealed_rows
from telehealth.vault.blind import blind
from telehealth.vault.cipher import TOMBSTONE
from telehealth.vault.errors import RecordDestroyed
from telehealth.vault.files import places
from telehealth.vault.models import DestroyedKey, RecordKey, SealedFile
from tests.cast import Cast, make_actor, stale
from tests.conftest import AsOwner
from tests.consults.stage import appoint
from tests.people import ClientFor
from tests.vault.processes import manage, other

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
WHY = {"code": "retention_over", "why": "Ten years after the last visit."}


@dataclass
class House:
    cast: Cast
    second: Actor

    @property
    def record(self) -> UUID:
        return self.cast.pia_record.pk

    def asked(self) -> Destruction:
        return services.request_destruction(patient_id=self.record, **WHY, by=self.cast.privacy)

    def approved(self) -> Destruction:
        return services.approve_destruction(destruction_id=self.asked().pk, by=self.second)

    def shred(self) -> None:
        call_command("shred_record", str(self.record))


@pytest.fixture
def house(cast: Cast) -> Iterator[House]:
    pia = cast.pia_record
    with transaction.atomic():
        ned = cast.ned_record  # who has nothing in common with her
        ned.phone, ned.birth_date, ned.address = "617-555-0199", "1980-01-01", {"line": "2 Oak Street"}
        ned.save()
        for number in range(5):
            ClinicalResource.objects.create(
                patient=pia, type="Condition", code="44054006", code_system="http://snomed.info/sct", body=f"body {number}", body_key=b"k"
            )
        PatientIdentifier.objects.create(patient=pia, system="urn:ssn", value="999-01-0001")
        TOTPDevice.objects.create(user_id=cast.pia.id, seed="JBSWY3DPEHPK3PXP", confirmed=True)
        notify(person_id=cast.pia.account, kind="appointment_booked", about_id=uuid7())
    IdempotencyKey.objects.create(actor=cast.pia.account, key_hash=b"k", request_hash=b"r", status=201, object_id=uuid7())
    app = Application.objects.create(client_id="an-app", authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE)
    AccessToken.objects.create(user_id=cast.pia.id, application=app, token="t", expires=now())
    files.write([b"a letter"], record_id=pia.pk, kind="attachment", media_type="text/plain", title="Letter")
    yield House(cast, make_actor("second", Role.PRIVACY_OFFICER))
    connections["owner"].close()


def secrets_of(record: UUID, account: UUID) -> set[str]:
    """Every sealed value, index and search column of the person, in hex, and the wrapped key."""
    found = {bytes(RecordKey.objects.get(record_id=record).wrapped).hex()}
    homes = [(home.model, sealed_rows.record_column(home.model), record) for home in sealed_rows.homes_of(record)]
    for model, column, value in [*homes, (User, "id", account), (TOTPDevice, "user_id", account)]:
        binaries = [field.column for field in model._meta.concrete_fields if field.get_internal_type() == "BinaryField"]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(binaries)} FROM {model._meta.db_table} WHERE {column} = %s", [value])
            found |= {bytes(each).hex() for row in cursor.fetchall() for each in row if each is not None and len(each) > 8}
    return found


def whole_database() -> str:
    with connection.cursor() as cursor:
        tables = [each for each in connection.introspection.table_names(cursor) if not each.startswith("audit_entry_")]
        cursor.execute(" UNION ALL ".join(f"SELECT string_agg(t::text, '') FROM \"{table}\" t" for table in tables))
        return "".join(row[0] or "" for row in cursor.fetchall())


def test_nothing_of_the_person_is_left_and_the_ledger_stands(
    house: House, client_for: ClientFor, tmp_path: Path, settings: Settings
) -> None:
    settings.AUDIT_CHECKPOINTS = tmp_path / "checkpoints"
    sealer = Sealer()
    pia, account = house.cast.pia_record, house.cast.pia.account
    tokens, hidden, letter = pia.name_tokens, secrets_of(pia.pk, account), SealedFile.objects.get().place
    assert len(hidden) > 25 and all(each in whole_database() for each in hidden)
    at_home, neighbour = client_for(house.cast.pia), Patient.objects.get(pk=house.cast.ned_record.pk)
    asked = house.approved()

    house.shred()

    left = whole_database()
    assert [each for each in hidden if each in left] == []
    gone = Patient.objects.get(pk=pia.pk)
    assert gone.destroyed_at and gone.account_id is None and gone.name_tokens == [] != tokens
    assert gone.__dict__["family"].raw == TOMBSTONE and gone.mrn_index is gone.phone_index is gone.birth_date_index is None
    assert set(ClinicalResource.objects.filter(patient=pia.pk).values_list("code", "code_system", "source_key")) == {("", "", None)}
    assert not RecordKey.objects.filter(record_id=pia.pk).exists() and DestroyedKey.objects.filter(record_id=pia.pk).exists()
    assert not places.sealed().exists(letter)
    user = User.objects.get(pk=account)
    assert (user.is_active, user.email_index, user.has_usable_password()) == (False, None, False)
    assert not TOTPDevice.objects.filter(user=user).exists() and not AccessToken.objects.filter(user=user).exists()
    assert not IdempotencyKey.objects.filter(actor=account).exists()
    assert set(Message.objects.filter(person_id=account).values_list("state", "reason")) == {("skipped", "record_destroyed")}
    assert not ProxyGrant.objects.filter(patient=pia.pk, ends_at=None).exists()
    assert at_home.get("/api/v1/me/").status_code in (401, 403)
    certificate = Entry.objects.get(act=Act.RECORD_DESTROYED, record_id=pia.pk)
    assert (certificate.record_id, certificate.reason, certificate.object_pk) == (pia.pk, "retention_over", str(asked.pk))
    assert str(house.cast.privacy.id) in certificate.detail and str(house.second.id) in certificate.detail
    assert Destruction.objects.get(pk=asked.pk).done_at
    record_keys.cache.clear()
    assert neighbour.family == "Nettle"
    while sealer.seal().more:
        pass
    call_command("verify_audit")


def test_afterwards_it_is_as_if_it_were_not_there(house: House, client_for: ClientFor) -> None:
    record, at_desk = house.record, client_for(house.cast.desk)
    index = blind("records.Patient.mrn", house.cast.pia_record.mrn)
    paths = [f"/api/v1/patients/{record}/", f"/desk/patients/{record}/"]
    assert at_desk.get(paths[0]).status_code == 200
    house.approved()
    house.shred()

    for path in paths:
        assert at_desk.get(path).status_code == 404
    assert str(record).encode() not in at_desk.get("/api/v1/patients/?name=Quill").content
    assert at_desk.get("/api/v1/appointments/").status_code == 200
    assert not Patient.objects.filter(mrn_index=index).exists()
    with pytest.raises(RecordDestroyed):
        _ = Patient.objects.get(pk=record).family
    with pytest.raises(RecordDestroyed):
        ClinicalResource.objects.create(patient_id=record, type="Condition", body="again", body_key=b"k")
    with pytest.raises(RecordDestroyed):
        record_keys.find_or_make(record)
    with pytest.raises(Missing):
        services.request_destruction(patient_id=record, **WHY, by=house.cast.privacy)
    who = client_for(house.cast.privacy).get(f"/api/v1/patients/{record}/accesses/")
    assert who.status_code == 200, "who had opened it remains to be seen"


def test_another_process_that_remembers_the_key(house: House) -> None:
    house.approved()
    with other(house.record) as tell:
        assert tell("read") == "Quill"
        house.shred()
        assert tell("read") == "record_destroyed"
        assert tell("write X") == "record_destroyed"
    assert not RecordKey.objects.filter(record_id=house.record).exists()


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


def test_a_legal_hold_stands_in_the_way_at_every_step(house: House, as_owner: AsOwner) -> None:
    hold = services.place_hold(patient_id=house.record, code="litigation", why="Quill v. Clinic", by=house.cast.privacy)
    with pytest.raises(LegalHoldStands):
        house.asked()
    services.lift_hold(hold_id=hold.pk, by=house.second)
    asked = house.asked()
    second = services.place_hold(patient_id=house.record, code="audit", why="An audit", by=house.cast.privacy)
    with pytest.raises(LegalHoldStands):
        services.approve_destruction(destruction_id=asked.pk, by=house.second)
    services.lift_hold(hold_id=second.pk, by=house.second)
    services.approve_destruction(destruction_id=asked.pk, by=house.second)
    third = services.place_hold(patient_id=house.record, code="audit", why="Another", by=house.cast.privacy)
    with pytest.raises(CommandError, match="legal_hold_stands"):
        house.shred()
    with pytest.raises(Exception, match="a legal hold keeps this record"):
        as_owner("DELETE FROM vault_recordkey WHERE record_id = %s", house.record)
    with pytest.raises(DatabaseError, match="a legal hold keeps this record"), transaction.atomic():
        RecordKey.objects.filter(record_id=house.record).delete()
    assert Patient.objects.get(pk=house.record).family == "Quill"
    services.lift_hold(hold_id=third.pk, by=house.cast.privacy)
    house.shred()
    assert not RecordKey.objects.filter(record_id=house.record).exists()
    acts = list(
        Entry.objects.filter(kind="records.LegalHold", record_id=house.record, act__startswith="hold.")
        .order_by("id")
        .values_list("act", flat=True)
    )
    assert acts == [Act.HOLD_PLACED, Act.HOLD_LIFTED] * 3


@pytest.mark.parametrize("how", ["UPDATE records_legalhold SET lifted_at = now(), lifted_by = placed_by", "DELETE FROM records_legalhold"])
def test_a_hold_that_was_not_lifted_in_the_ledger_stands(house: House, as_owner: AsOwner, how: str) -> None:
    """Lifted by SQL, or taken away: the record is kept all the same, and can be let go only by somebody's act."""
    house.approved()
    hold = services.place_hold(patient_id=house.record, code="litigation", why="Quill v. Clinic", by=house.cast.privacy)
    as_owner(how)
    with pytest.raises(CommandError, match="legal_hold_stands"):
        house.shred()
    assert Patient.objects.get(pk=house.record).family == "Quill"
    LegalHold.objects.update_or_create(
        pk=hold.pk,
        defaults={
            "patient_id": house.record,
            "code": "litigation",
            "why": "",
            "placed_by": house.second.id,
            "lifted_at": None,
            "lifted_by": None,
        },
    )
    services.lift_hold(hold_id=hold.pk, by=house.second)
    house.shred()
    assert not RecordKey.objects.filter(record_id=house.record).exists()


@pytest.mark.parametrize(("basis", "years", "needed"), [("public_health", 5, True), ("public_health", 7, False), ("treatment", 0, False)])
def test_a_record_stays_while_an_accounting_of_it_is_owed(house: House, basis: str, years: int, needed: bool) -> None:
    """45 CFR 164.528: what was disclosed is told for six years, and it is sealed with the record."""
    at = now() - timedelta(days=366 * years)
    Disclosure.objects.create(
        patient_id=house.record, at=at, source_kind="by_hand", recipient={"name": "County"}, what="w", purpose="p", basis=basis
    )
    before = Entry.objects.filter(act=Act.RECORD_OPENED, record_id=house.record).count()
    if needed:
        with pytest.raises(StillNeeded):
            house.asked()
    else:
        house.approved()
        house.shred()
    assert Patient.objects.filter(pk=house.record, destroyed_at=None).exists() is needed
    assert Entry.objects.filter(act=Act.RECORD_OPENED, record_id=house.record).count() == before


def test_what_left_after_the_approval_keeps_it_too(house: House) -> None:
    house.approved()
    Disclosure.objects.create(
        patient_id=house.record, source_kind="by_hand", recipient={"name": "County"}, what="w", purpose="p", basis="abuse"
    )
    with pytest.raises(CommandError, match="record_still_needed"):
        house.shred()


def test_an_approval_that_the_ledger_does_not_have_is_none(house: House) -> None:
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
            [uuid7(), Act.DESTRUCTION_APPROVED, house.second.id, entry.pk],
        )
    with pytest.raises(CommandError, match="destruction_not_approved"):
        house.shred()
    assert Patient.objects.get(pk=house.record).family == "Quill"


def test_what_is_called_off_is_not_done(house: House) -> None:
    asked = house.approved()
    services.withdraw_destruction(destruction_id=asked.pk, by=house.cast.privacy)
    with pytest.raises(CommandError, match="destruction_not_approved"):
        house.shred()
    assert house.asked().pk != asked.pk
    with pytest.raises(DestructionAsked):  # by the constraint destruction_once_at_a_time
        house.asked()


def test_a_record_that_is_needed_stays(house: House) -> None:
    appoint(house.cast.pia_record, house.cast.cho)
    with pytest.raises(StillNeeded):
        house.asked()
    assert Appointment.objects.exists()


def test_somebody_who_acts_for_another_stays(house: House) -> None:
    grant = ProxyGrant.objects.create(patient=house.cast.ned_record, proxy=house.cast.pia.account, relationship="guardian", starts_at=now())
    with pytest.raises(ActsForOthers):
        house.asked()
    grant.ends_at = now()
    grant.save()
    house.asked()


def test_killed_in_the_middle_nothing_has_happened(house: House) -> None:
    house.approved()
    before = secrets_of(house.record, house.cast.pia.account)
    with transaction.atomic():  # its way to the account is barred, near its end
        User.objects.select_for_update().get(pk=house.cast.pia.id)
        process = manage("shred_record", str(house.record))
        until = time.monotonic() + 30
        while not waiting():
            assert process.poll() is None and time.monotonic() < until
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()
    assert secrets_of(house.record, house.cast.pia.account) == before
    assert Patient.objects.get(pk=house.record).family == "Quill"
    house.shred()
    assert not RecordKey.objects.filter(record_id=house.record).exists()


def waiting() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


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
