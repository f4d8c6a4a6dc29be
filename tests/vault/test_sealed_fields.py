"""C1: every way that Django has to a field ends in ciphertext, a refusal, or an entry in the ledger."""

import copy
import json
import pickle
from uuid import uuid4

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import connection, transaction
from django.db.models import F, Value
from django.forms.models import model_to_dict
from pytest_django import DjangoAssertNumQueries

from audit.ledger import SYSTEM, NoContext, current, unit
from audit.ledger.models import Entry
from telehealth.records.models import Patient
from telehealth.vault import matches, record_keys
from telehealth.vault.blind import blind
from telehealth.vault.cipher import Broken
from telehealth.vault.fields import Sealed
from telehealth.vault.models import RecordKey

pytestmark = pytest.mark.django_db
CANARY = "Zephyrine-Quillfeather"


@pytest.fixture
def patient() -> Patient:
    made = Patient(mrn=uuid4().hex, family=CANARY, given="Ada", phone="617 555 0100", address={"line": ["1 Elm St"]})
    made.save()
    record_keys.cache.clear()
    return Patient.objects.get(pk=made.pk)


def openings(patient: Patient) -> dict[str, list[str]]:
    entry = Entry.objects.filter(act="record.opened", record_id=patient.pk).first()
    return json.loads(entry.detail) if entry else {}


def test_reading_outside_a_unit_is_refused(patient: Patient) -> None:
    with pytest.raises(NoContext):
        _ = patient.family


def test_reading_after_the_unit_has_ended_is_refused(patient: Patient) -> None:
    with unit(SYSTEM, channel="task") as ended:
        pass
    with pytest.raises(NoContext):
        ended.open(patient.pk, "records.Patient", patient.pk, "family")


def test_one_entry_names_the_fields_that_were_read(patient: Patient) -> None:
    with unit(SYSTEM, channel="task"):
        assert patient.family == CANARY
        assert patient.address == {"line": ["1 Elm St"]}
        assert Entry.objects.filter(record_id=patient.pk).count() == 0

    assert openings(patient) == {f"records.Patient:{patient.pk}": ["address", "family"]}
    assert Entry.objects.filter(record_id=patient.pk).count() == 1


def test_the_row_holds_ciphertext_and_no_ledger_entry_holds_a_value(patient: Patient) -> None:
    with unit(SYSTEM, channel="task"):
        assert patient.family
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(p)::text FROM records_patient p WHERE id = %s", [patient.pk])
        row = cursor.fetchone()[0]
        cursor.execute("SELECT string_agg(to_jsonb(e)::text, '') FROM audit_entry e WHERE record_id = %s", [patient.pk])
        entries = cursor.fetchone()[0]

    assert CANARY not in row
    assert CANARY.encode().hex() not in row
    assert CANARY not in entries


def test_values_and_annotations_yield_sealed_values_and_open_nothing(patient: Patient) -> None:
    with unit(SYSTEM, channel="task") as here:
        (value,) = Patient.objects.filter(pk=patient.pk).values_list("family", flat=True)
        (row,) = Patient.objects.filter(pk=patient.pk).annotate(other=F("family")).values("other")
        assert here.openings == {}

    assert isinstance(value, Sealed)
    assert isinstance(row["other"], Sealed)
    assert CANARY not in f"{value!r}{value}{row}"
    with pytest.raises(TypeError):
        json.dumps(value)


def test_pickles_carry_ciphertext_and_unsaved_plaintext_is_not_pickled(patient: Patient) -> None:
    with unit(SYSTEM, channel="task"):
        assert patient.family == CANARY
        assert CANARY.encode() not in pickle.dumps(patient)
    with pytest.raises(TypeError):
        pickle.dumps(Patient(family=CANARY))


@pytest.mark.parametrize("way", [copy.deepcopy, model_to_dict, lambda row: serializers.serialize("json", [row])])
def test_copies_and_dumps_outside_a_unit_yield_no_plaintext(patient: Patient, way: object) -> None:
    try:
        result = way(patient)  # type: ignore[operator]
    except (TypeError, NoContext):
        return
    assert CANARY not in str(result)


@pytest.mark.parametrize("lookup", ["family", "family__icontains", "family__in", "family__gt"])
def test_sealed_fields_cannot_be_searched_in_sql(lookup: str) -> None:
    with pytest.raises((FieldError, TypeError)):
        Patient.objects.filter(**{lookup: [CANARY] if lookup.endswith("in") else CANARY}).exists()


def test_writes_past_save_are_refused(patient: Patient) -> None:
    with pytest.raises(TypeError):
        Patient.objects.filter(pk=patient.pk).update(family="x")
    with pytest.raises(TypeError):
        Patient.objects.filter(pk=patient.pk).update(family=F("given"))
    with pytest.raises(TypeError):
        Patient.objects.bulk_update([patient], ["family"])
    with pytest.raises(TypeError), transaction.atomic():
        Patient(mrn="1", family=Value("x")).save()
    with unit(SYSTEM, channel="task"):
        assert Patient.objects.get(pk=patient.pk).family == CANARY


def test_saving_and_reloading_open_nothing(patient: Patient) -> None:
    with unit(SYSTEM, channel="task") as here:
        patient.is_deceased = True
        patient.save()
        patient.refresh_from_db()
        assert here.openings == {}
        assert patient.family == CANARY


@pytest.mark.parametrize("attack", ["field", "row", "byte"])
def test_a_moved_or_changed_ciphertext_does_not_open(patient: Patient, attack: str) -> None:
    other = Patient(mrn=uuid4().hex, family="Other", given="Name")
    other.save()
    with connection.cursor() as cursor:
        if attack == "field":
            cursor.execute("UPDATE records_patient SET family = given WHERE id = %s", [patient.pk])
        elif attack == "row":
            cursor.execute(
                "UPDATE records_patient SET family = (SELECT family FROM records_patient WHERE id = %s) WHERE id = %s",
                [other.pk, patient.pk],
            )
        else:
            cursor.execute(
                "UPDATE records_patient SET family = set_byte(family, 20, 255 - get_byte(family, 20)) WHERE id = %s", [patient.pk]
            )
    with unit(SYSTEM, channel="task"), pytest.raises(Broken):
        _ = Patient.objects.get(pk=patient.pk).family


def test_a_row_given_another_id_is_not_saved_with_the_old_ciphertext(patient: Patient) -> None:
    patient.pk = uuid4()
    with pytest.raises(TypeError):
        patient.save(force_insert=True)


def test_without_its_key_a_record_is_unreadable(patient: Patient) -> None:
    RecordKey.objects.filter(record_id=patient.pk).delete()
    connection.run_on_commit.clear()  # the key as just made
    with unit(SYSTEM, channel="task"), pytest.raises(Broken):
        _ = patient.family


def test_a_blind_index_finds_what_is_sealed_whatever_its_spelling(patient: Patient) -> None:
    found = Patient.objects.filter(phone_index=blind("records.Patient.phone", "+1 (617) 555-0100"))
    assert list(found) == [patient]
    assert not Patient.objects.filter(phone_index=blind("records.Patient.phone", "617 555 0101")).exists()


def test_the_index_follows_its_source_also_when_only_that_is_saved(patient: Patient) -> None:
    patient.phone = "617 555 0199"
    patient.save(update_fields=["phone"])
    assert Patient.objects.filter(phone_index=blind("records.Patient.phone", "6175550199")).exists()


def test_comparing_inside_the_vault_is_no_opening_but_needs_a_unit(patient: Patient) -> None:
    with unit(SYSTEM, channel="task") as here:
        assert matches(patient, "family", lambda name: name == CANARY)
        assert not matches(patient, "family", lambda name: name == "Smith")
        assert here.openings == {}
    with pytest.raises(NoContext):
        matches(patient, "family", lambda name: True)


def test_a_page_of_patients_costs_one_query_for_keys_and_one_insert(django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    for number in range(20):
        Patient(mrn=uuid4().hex, family=f"Name{number}").save()
    record_keys.cache.clear()
    before = Entry.objects.count()
    connection.run_on_commit.clear()  # the keys made above are committed in real life

    with django_assert_num_queries(3), unit(SYSTEM, channel="task"):
        assert len({row.family for row in Patient.objects.all()}) >= 20

    assert Entry.objects.count() - before == Patient.objects.count() >= 20


def test_a_single_read_joins_its_key(patient: Patient, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    connection.run_on_commit.clear()
    with django_assert_num_queries(2), unit(SYSTEM, channel="task"):
        assert Patient.objects.with_keys().get(pk=patient.pk).family == CANARY


def test_a_key_of_a_rolled_back_savepoint_is_not_used_again() -> None:
    record = uuid4()
    with pytest.raises(RuntimeError), transaction.atomic():
        record_keys.find_or_make(record)
        raise RuntimeError
    record_keys.find_or_make(record)
    assert RecordKey.objects.filter(record_id=record).exists()


def test_a_second_row_of_a_record_needs_no_query_for_its_key(patient: Patient, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    connection.run_on_commit.clear()  # committed before, and not in this process's memory
    record_keys.cache.clear()
    with django_assert_num_queries(1):
        record_keys.find_or_make(patient.pk)
        record_keys.find_or_make(patient.pk)


def test_str_and_repr_show_the_id_alone(patient: Patient) -> None:
    with unit(SYSTEM, channel="task"):
        assert str(patient) == str(patient.pk)
        assert CANARY not in repr(patient)
        assert current().openings == {}
