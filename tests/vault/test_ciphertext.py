"""A ciphertext is good for its own place, unchanged: swapped between rows, fields or records, or with any byte changed, it is broken."""

import multiprocessing
import os
from itertools import combinations
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connection
from django.db.models import Model

from audit.ledger import SYSTEM, unit, uuid7
from telehealth.records.models import ClinicalResource, Patient
from telehealth.vault import cipher, keyring, record_keys
from telehealth.vault.cipher import Broken
from telehealth.vault.fields import Sealed, raw, sealed_fields_of
from telehealth.vault.models import RecordKey
from tests.vault.conftest import Ring

FIELDS = ("family", "given", "phone")


@pytest.fixture
def people(transactional_db: None) -> list[Patient]:
    made = [Patient(mrn=uuid4().hex, family=f"Quill{n}", given=f"Ada{n}", phone=f"617 555 010{n}") for n in range(3)]
    for patient in made:
        patient.save()
    return made


def stored(row: Model, field: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {field} FROM {row._meta.db_table} WHERE id = %s", [row.pk])
        return bytes(cursor.fetchone()[0])


def put(row: Model, field: str, value: bytes) -> None:
    """As an attacker writes it, past the application."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {row._meta.db_table} SET {field} = %s WHERE id = %s", [value, row.pk])


def read(row: Model, field: str) -> Any:
    record_keys.cache.clear()
    with unit(SYSTEM, channel="task"):
        return getattr(type(row)._base_manager.get(pk=row.pk), field)


def test_between_rows_of_two_records(people: list[Patient]) -> None:
    for one, other in combinations(people, 2):
        for field in FIELDS:
            mine, theirs = stored(one, field), stored(other, field)
            put(one, field, theirs)
            put(other, field, mine)
            for row in (one, other):
                with pytest.raises(Broken):
                    read(row, field)
            put(one, field, mine)
            put(other, field, theirs)
            assert (read(one, field), read(other, field)) == (getattr_in_unit(one, field), getattr_in_unit(other, field))


def getattr_in_unit(row: Patient, field: str) -> Any:
    with unit(SYSTEM, channel="task"):
        return getattr(row, field)


def test_between_rows_of_one_record(people: list[Patient]) -> None:
    made = [ClinicalResource.objects.create(patient=people[0], type="Observation", body=f'{{"n":{n}}}', body_key=b"k") for n in range(2)]
    first, second = (stored(row, "body") for row in made)
    put(made[0], "body", second)
    put(made[1], "body", first)
    for row in made:
        with pytest.raises(Broken):
            read(row, "body")


def test_between_fields_of_one_row(people: list[Patient]) -> None:
    for one, other in combinations(FIELDS, 2):
        mine = stored(people[0], one)
        put(people[0], one, stored(people[0], other))
        with pytest.raises(Broken):
            read(people[0], one)
        put(people[0], one, mine)


def test_with_the_key_of_another_record(people: list[Patient]) -> None:
    """The wrapped key moved along with the ciphertext: the record is part of what it is bound to."""
    one, other = people[:2]
    key = RecordKey.objects.get(pk=other.pk)
    RecordKey.objects.filter(pk=one.pk).update(wrapped=bytes(key.wrapped), kek_id=key.kek_id)
    for field in FIELDS:
        put(one, field, stored(other, field))
        with pytest.raises(Broken):
            read(one, field)


def test_an_earlier_value_of_the_same_place_is_the_one_thing_that_opens(people: list[Patient]) -> None:
    """Replay within one place cannot show by itself; docs/keys.md says so, and the ledger names who changed what."""
    patient = people[0]
    before = stored(patient, "phone")
    patient.phone = "617 555 0199"
    patient.save()
    put(patient, "phone", before)
    assert read(patient, "phone") == "617 555 0100"


def test_each_byte_flipped(people: list[Patient]) -> None:
    patient = people[0]
    whole = stored(patient, "family")
    key, field = record_keys.find(patient.pk), Patient._meta.get_field("family")
    bound = field.bound_to(patient)  # type: ignore[union-attr]
    assert cipher.unseal(key, whole, bound) == b"Quill0"
    for at in range(len(whole)):
        for bit in range(8):
            changed = whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :]
            with pytest.raises(Broken):
                cipher.unseal(key, changed, bound)
    for cut in range(len(whole)):
        with pytest.raises(Broken):
            cipher.unseal(key, whole[:cut], bound)
    with pytest.raises(Broken):
        cipher.unseal(key, whole + b"\x00", bound)


def test_each_byte_of_what_it_is_bound_to(people: list[Patient]) -> None:
    patient = people[0]
    whole, key = stored(patient, "family"), record_keys.find(patient.pk)
    bound = cipher.aad("records.patient", "family", patient.pk, patient.pk)
    assert cipher.unseal(key, whole, bound) == b"Quill0"
    for at in range(len(bound)):
        with pytest.raises(Broken):
            cipher.unseal(key, whole, bound[:at] + bytes([bound[at] ^ 1]) + bound[at + 1 :])


def test_where_one_name_ends_and_the_next_begins_is_part_of_it() -> None:
    row, record = uuid7(), uuid7()
    assert cipher.aad("ab", "c", row, record) != cipher.aad("a", "bc", row, record)


def test_each_byte_of_a_wrapped_key(people: list[Patient]) -> None:
    patient = people[0]
    wrapped = bytes(RecordKey.objects.get(pk=patient.pk).wrapped)
    for at in range(len(wrapped)):
        changed = wrapped[:at] + bytes([wrapped[at] ^ 1]) + wrapped[at + 1 :]
        RecordKey.objects.filter(pk=patient.pk).update(wrapped=changed)
        with pytest.raises(Broken):
            read(patient, "family")
    RecordKey.objects.filter(pk=patient.pk).update(wrapped=wrapped)
    assert read(patient, "family") == "Quill0"


def test_what_is_broken_says_nothing(people: list[Patient]) -> None:
    put(people[0], "family", b"\x01\x00\x01" + bytes(40))
    with pytest.raises(Broken) as caught:
        read(people[0], "family")
    assert str(caught.value) == ""
    assert caught.value.__suppress_context__


# Nonces

MESSAGES = 1_000_000
WORKERS = 4


def nonces_of(count: int) -> bytes:
    """The nonces of so many encryptions of one thing under one key, by the code that seals fields."""
    key, bound = AESGCM(bytes(32)), cipher.aad("m", "f", uuid7(), uuid7())
    return b"".join(cipher.seal(key, b"", bound)[3:15] for _ in range(count))


def distinct(nonces: bytes) -> int:
    return len({nonces[at : at + 12] for at in range(0, len(nonces), 12)})


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # to fork is what is tested
def test_no_nonce_comes_twice_in_a_million_across_forked_workers() -> None:
    """The workers are forked from a process that has sealed before, as web servers fork theirs; with four of them and
    this process each making a part."""
    here = nonces_of(MESSAGES // (WORKERS + 1))
    with multiprocessing.get_context("fork").Pool(WORKERS) as pool:
        found = pool.map(nonces_of, [MESSAGES // (WORKERS + 1)] * WORKERS)
    assert distinct(here + b"".join(found)) == MESSAGES


def _sealed_names(count: int) -> list[bytes]:
    row = Patient(id=uuid7(), mrn="1")
    key = record_keys.DataKey(1, bytes(32))
    field = Patient._meta.get_field("family")
    return [cipher.seal(key, field.encode("Quill"), field.bound_to(row)) for _ in range(count)]  # type: ignore[union-attr]


def test_equal_values_have_unequal_ciphertexts(people: list[Patient]) -> None:
    assert len(set(_sealed_names(1000))) == 1000
    with raw():
        values = {getattr(patient, field.attname) for patient in people for field in sealed_fields_of(Patient)} - {None}
    assert all(isinstance(value, Sealed) for value in values)


def test_wrapping_is_under_the_key_alone(ring: Ring) -> None:
    """AES key wrap has no nonce: equal keys would show as equal. Record keys are random, so no two are."""
    key = os.urandom(32)
    assert keyring.wrap(key) == keyring.wrap(key)
    assert keyring.wrap(key) != keyring.wrap(os.urandom(32))
