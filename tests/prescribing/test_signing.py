"""C9: what is signed stays. These tests try to change it: by the services, by SQL, as the owner of the database."""

import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from pytest_django import Settings

from audit.ledger import Act
from consults import services as visits
from prescribing import content, services, transmission
from prescribing.errors import AlreadySigned, Altered, CannotBeSent, VisitNotUnderWay
from prescribing.machine import Status
from prescribing.models import SIGNED_COLUMNS, Medication, Pharmacy, Prescription
from telehealth.accounts import totp
from telehealth.accounts.errors import CodeReplayed, CodeWrong
from telehealth.accounts.models import TOTPDevice
from telehealth.core import now
from telehealth.core.errors import Missing
from telehealth.outbox.errors import Park
from telehealth.outbox.models import Message
from telehealth.records.models import CareRelationship, Patient, Practitioner
from telehealth.vault.models import SignerKey
from tests.conftest import AsOwner
from tests.prescribing.ward import Ward, again, outbox_of, outgoing_of

MOVES = {"status", "failure", "sent_at", "version"}
OTHER = {
    "quantity": "999",
    "days_supply": "30",
    "refills": "11",
    "substitution": "false",
    "number": "'other'",
    "sig": "'\\x00'::bytea",
    "note": "'\\x00'::bytea",
    "content": "'\\x00'::bytea",
    "digest": "'\\x00'::bytea",
    "signature": "'\\x00'::bytea",
    "created_at": "'2020-01-01'",
    "signed_at": "'2020-01-01'",
    "key_id": "gen_random_uuid()",
    **dict.fromkeys(("id", "patient_id", "prescriber_id", "visit_id", "medication_id", "pharmacy_id"), "gen_random_uuid()"),
}


def test_signing_takes_a_code_of_its_own_and_queues_in_the_same_transaction(ward: Ward, acts: Any) -> None:
    signed = ward.signed()
    assert (signed.status, signed.signed_at is not None, content.faults(again(signed))) == (Status.QUEUED, True, [])
    assert outbox_of(signed).key == outgoing_of(signed).message_id
    assert [act for act in acts() if act in (Act.FACTOR_PROVED, Act.PRESCRIPTION_SIGNED)] == [Act.FACTOR_PROVED, Act.PRESCRIPTION_SIGNED]


def test_what_is_shown_is_what_was_signed_whatever_the_formulary_says_since(ward: Ward) -> None:
    signed = ward.signed()
    drug, pharmacy = signed.drug, signed.pharmacy_name
    assert (drug, pharmacy) == (signed.medication.description, signed.pharmacy.name)

    Medication.objects.filter(pk=signed.medication_id).update(name="another drug", strength="9000 MG")
    Pharmacy.objects.filter(pk=signed.pharmacy_id).update(name="Another Pharmacy")

    assert (again(signed).drug, again(signed).pharmacy_name) == (drug, pharmacy)
    assert again(signed).medication.description != drug


def test_the_signature_covers_everything_that_the_pharmacy_is_told(ward: Ward) -> None:
    said = json.loads(again(ward.signed()).content or "")
    assert said["patient"]["family"] == "Quill"
    assert said["sig"] == "Take one capsule three times a day"
    assert {"form", "medication", "pharmacy", "prescriber", "quantity", "refills", "signed_at", "salt"} <= said.keys()


def test_a_wrong_or_used_code_signs_nothing(ward: Ward) -> None:
    draft = ward.draft()
    with pytest.raises(CodeWrong):
        services.sign(prescription_id=draft.pk, code="000000", by=ward.cast.dr_cho)
    code = ward.code()
    services.sign(prescription_id=ward.draft().pk, code=code, by=ward.cast.dr_cho)
    with pytest.raises(CodeReplayed):
        services.sign(prescription_id=draft.pk, code=code, by=ward.cast.dr_cho)
    assert again(draft).status == Status.DRAFT
    assert Message.objects.filter(destination="pharmacy").count() == 1


def test_signature_and_message_are_there_together_or_not_at_all(ward: Ward) -> None:
    draft = ward.draft()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        services.sign(prescription_id=draft.pk, code=ward.code(), by=ward.cast.dr_cho)
        raise ZeroDivisionError  # the process dies before the commit
    assert (again(draft).status, again(draft).content) == (Status.DRAFT, None)
    assert not Message.objects.filter(destination="pharmacy").exists()


def test_only_who_wrote_it_signs_it(ward: Ward) -> None:
    draft = ward.draft()
    CareRelationship.objects.create(
        patient=ward.cast.pia_record,
        practitioner=ward.cast.dee,
        source="assignment",
        source_id=ward.visit.pk,
        starts_at=ward.visit.created_at,
    )
    seed = totp.new_seed()
    TOTPDevice.objects.create(user_id=ward.cast.dr_dee.id, seed=seed, confirmed=True)
    for by in (ward.cast.dr_dee, ward.cast.nan, ward.cast.pia, ward.cast.admin):
        with pytest.raises(Missing):
            services.sign(prescription_id=draft.pk, code=totp.code_at(seed, totp.step_of(now())), by=by)


def test_nothing_is_signed_twice(ward: Ward) -> None:
    signed = ward.signed()
    with pytest.raises(AlreadySigned):
        services.sign(prescription_id=signed.pk, code=ward.code(), by=ward.cast.dr_cho)
    assert Message.objects.filter(destination="pharmacy").count() == 1


@pytest.mark.parametrize(
    ("lack", "field"),
    [({"birth_date": "1990"}, "patient.birth_date"), ({"family": ""}, "patient.family"), ({"given": ""}, "patient.given")],
)
def test_what_cannot_be_sent_is_not_signed_and_uses_up_no_code(ward: Ward, lack: dict[str, str], field: str) -> None:
    patient = Patient.objects.get(pk=ward.cast.pia_record.pk)
    for name, value in lack.items():
        setattr(patient, name, value)
    patient.save(update_fields=list(lack))
    draft, code = ward.draft(), ward.code()
    with pytest.raises(CannotBeSent) as refusal:
        services.sign(prescription_id=draft.pk, code=code, by=ward.cast.dr_cho)
    assert refusal.value.reply["errors"] == [{"field": field, "code": "missing"}]
    patient.birth_date, patient.family, patient.given = "1990-02-03", "Quill", "Pia"
    patient.save(update_fields=["birth_date", "family", "given"])
    assert services.sign(prescription_id=draft.pk, code=code, by=ward.cast.dr_cho).status == Status.QUEUED


def test_a_prescriber_without_a_valid_npi_and_a_clinic_without_a_network_sign_nothing(ward: Ward, settings: Settings) -> None:
    draft = ward.draft()
    settings.PHARMACY_NETWORK_URL = ""
    with pytest.raises(CannotBeSent):
        services.sign(prescription_id=draft.pk, code=ward.code(), by=ward.cast.dr_cho)
    settings.PHARMACY_NETWORK_URL = "http://127.0.0.1:9"
    Practitioner.objects.filter(pk=ward.cast.cho.pk).update(npi="40", npi_valid=False)
    with pytest.raises(CannotBeSent) as refusal:
        services.sign(prescription_id=draft.pk, code=ward.code(), by=ward.cast.dr_cho)
    assert refusal.value.reply["errors"] == [{"field": "prescriber.npi", "code": "missing"}]


def test_a_home_that_cannot_be_written_gives_way_to_where_the_patient_was(ward: Ward) -> None:
    patient = Patient.objects.get(pk=ward.cast.pia_record.pk)
    patient.address = {"line": "1 Elm Street", "city": "Quincy", "state": "Massachusetts", "postal_code": ""}
    patient.save(update_fields=["address"])
    assert json.loads(again(ward.signed()).content or "")["patient"]["address"]["line"] == "17 Paper Mill Row"


# --- attacks -------------------------------------------------------------------------------------


def test_the_trigger_guards_every_column_but_those_that_move() -> None:
    columns = {field.attname for field in Prescription._meta.concrete_fields}
    assert set(SIGNED_COLUMNS) == columns - MOVES == set(OTHER)


def test_the_runtime_role_cannot_change_what_is_signed(ward: Ward) -> None:
    signed = ward.signed()
    for column in SIGNED_COLUMNS:
        with pytest.raises(DatabaseError, match="a signed prescription stays"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE prescribing_prescription SET {column} = {OTHER[column]} WHERE id = %s", [signed.pk])
    assert content.faults(again(signed)) == []


ATTACKS = (
    "DELETE FROM prescribing_prescription WHERE id = '{}'",
    "UPDATE prescribing_prescription SET status = 'draft' WHERE id = '{}'",
    "UPDATE prescribing_scriptmessage SET body = '\\x00' WHERE prescription_id = '{}'",
    "UPDATE prescribing_scriptmessage SET message_id = 'x' WHERE prescription_id = '{}'",
    "DELETE FROM prescribing_scriptmessage WHERE prescription_id = '{}'",
    "ALTER TABLE prescribing_prescription DISABLE TRIGGER ALL -- {}",
    "DROP TRIGGER prescription_stays_as_signed ON prescribing_prescription -- {}",
)


def test_the_runtime_role_cannot_undo_or_remove_what_is_signed(ward: Ward) -> None:
    signed = ward.signed()
    for attack in ATTACKS:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack.format(signed.pk))
    assert content.faults(again(signed)) == []


def test_a_service_that_forgot_cannot_either(ward: Ward) -> None:
    signed = ward.signed()
    signed.refills = 5
    with pytest.raises(DatabaseError, match="a signed prescription stays"), transaction.atomic():
        signed.save(update_fields=["refills"])


OWNERS_EDITS = {
    "quantity": "quantity = 900",
    "days_supply": "days_supply = 30",
    "refills": "refills = 11",
    "substitution": "substitution = false",
    "number": "number = 'other'",
    "digest": "digest = decode(repeat('00', 32), 'hex')",
    "signature": "signature = decode(repeat('00', 64), 'hex')",
    "signed_at": "signed_at = signed_at - interval '1 day'",
    "medication": "medication_id = (SELECT id FROM prescribing_medication WHERE rxcui = '197361')",
    "pharmacy": "pharmacy_id = (SELECT id FROM prescribing_pharmacy WHERE ncpdp_id = '2200025')",
}


@pytest.mark.django_db(transaction=True)
def test_the_owner_s_edits_are_named_and_an_altered_prescription_does_not_leave(ward: Ward, as_owner: AsOwner) -> None:
    signed = ward.signed()
    table = "prescribing_prescription"
    for name, edit in OWNERS_EDITS.items():
        as_owner(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        as_owner(f"CREATE TABLE kept AS SELECT * FROM {table}")
        as_owner(f"UPDATE {table} SET {edit} WHERE id = %s", signed.pk)
        assert content.faults(again(signed)) == [name]
        with pytest.raises(Park, match="altered"):
            transmission.deliver(outbox_of(signed))
        columns = ", ".join(f"{column} = kept.{column}" for column in SIGNED_COLUMNS if column != "id")
        as_owner(f"UPDATE {table} SET {columns} FROM kept WHERE kept.id = {table}.id")
        as_owner("DROP TABLE kept")
        as_owner(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        assert content.faults(again(signed)) == []


@pytest.mark.django_db(transaction=True)
def test_a_signature_by_a_key_that_the_owner_slipped_in_does_not_hold(ward: Ward, as_owner: AsOwner) -> None:
    signed, other = ward.signed(), ward.signed()
    as_owner("UPDATE vault_signerkey SET public = decode(repeat('01', 32), 'hex') WHERE id = %s", signed.key_id)
    assert "signature" in content.faults(again(signed))
    assert SignerKey.objects.count() == 1
    with pytest.raises(Altered):
        services.outgoing(script_message_id=outgoing_of(other).pk, by=ward.cast.system)


@pytest.mark.django_db(transaction=True)
def test_sealed_parts_cannot_be_taken_from_another_prescription(ward: Ward, as_owner: AsOwner) -> None:
    """Two prescriptions of one patient are sealed under one key; what is sealed still belongs to its row and field."""
    signed, other = ward.signed(), ward.signed(sig="Take nine")
    as_owner("ALTER TABLE prescribing_prescription DISABLE TRIGGER USER")
    as_owner(
        "UPDATE prescribing_prescription SET sig = (SELECT sig FROM prescribing_prescription WHERE id = %s) WHERE id = %s",
        other.pk,
        signed.pk,
    )
    as_owner("ALTER TABLE prescribing_prescription ENABLE TRIGGER USER")
    assert content.faults(again(signed)) == ["sealed"]


@pytest.mark.django_db(transaction=True)
def test_an_altered_message_does_not_leave(ward: Ward, as_owner: AsOwner) -> None:
    signed, other = ward.signed(), ward.signed(sig="Take nine")
    as_owner("ALTER TABLE prescribing_scriptmessage DISABLE TRIGGER USER")
    as_owner("UPDATE prescribing_scriptmessage SET body = '\\x00' WHERE prescription_id = %s", signed.pk)
    as_owner("UPDATE prescribing_scriptmessage SET digest = '\\x00' WHERE prescription_id = %s", other.pk)
    as_owner("ALTER TABLE prescribing_scriptmessage ENABLE TRIGGER USER")
    for each in (signed, other):
        with pytest.raises(Park, match="altered"):
            transmission.deliver(outbox_of(each))


def test_a_draft_of_a_visit_that_was_called_off_is_not_signed(ward: Ward) -> None:
    draft = ward.draft()
    visits.remove(visit_id=ward.visit.pk, by=ward.cast.dr_cho)
    with pytest.raises(VisitNotUnderWay):
        services.sign(prescription_id=draft.pk, code=ward.code(), by=ward.cast.dr_cho)
    assert again(draft).status == Status.DRAFT
