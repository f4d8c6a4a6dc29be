"""A record goes for good: all of it or nothing, and the ledger stands."""

import time
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from pytest_django import Settings

from audit.ledger import Act
from audit.ledger.models import Entry
from audit.ledger.sealing import Sealer
from telehealth.accounts.models import AccessToken, TOTPDevice, User
from telehealth.core.errors import Missing
from telehealth.outbox.models import Message
from telehealth.records import services
from telehealth.records.models import ClinicalResource, Destruction, Patient, ProxyGrant
from telehealth.rest.models import IdempotencyKey
from telehealth.vault import record_keys, sealed_rows
from telehealth.vault.blind import blind
from telehealth.vault.cipher import TOMBSTONE
from telehealth.vault.errors import RecordDestroyed
from telehealth.vault.files import places
from telehealth.vault.models import DestroyedKey, RecordKey, SealedFile
from tests.people import ClientFor
from tests.records.house import WHY, House
from tests.vault.processes import manage, other

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])


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
