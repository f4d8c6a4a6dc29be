"""The core's small promises: locks in order, named constraints, only an exact True passes."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError

from audit.ledger import SYSTEM, current, unit
from telehealth.core import constraint, lock, one, permit
from telehealth.core.errors import Conflict, Missing, Refused
from telehealth.records.models import Patient

pytestmark = pytest.mark.django_db


class Taken(Conflict):
    code = "taken"


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_a_transaction_is_refused() -> None:
    with pytest.raises(TransactionManagementError):
        lock(uuid4())


def test_locks_are_held_until_the_transaction_ends() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        lock(uuid4(), uuid4())
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (2,)


def test_only_the_named_constraint_becomes_our_error() -> None:
    first = Patient(mrn="same")
    first.save()
    name = "records_patient_mrn_index_key"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'records_patient'::regclass AND contype = 'u' AND conname LIKE '%%mrn%%'"
        )
        name = cursor.fetchone()[0]

    with pytest.raises(Taken), constraint(name, Taken):
        Patient(mrn="same").save()
    with pytest.raises(IntegrityError), constraint("another_name", Taken):
        Patient(mrn="same").save()
    assert Patient.objects.count() == 1


@pytest.mark.parametrize("verdict", [None, 1, "yes", [True], False])
def test_whatever_is_not_exactly_true_refuses_and_is_on_record(verdict: object) -> None:
    with unit(SYSTEM, channel="task"):
        with pytest.raises(Refused):
            permit(SYSTEM, lambda by, thing: verdict, Patient())  # type: ignore[arg-type, return-value]
        assert [row.act for row in current().refusals] == ["refused"]
        permit(SYSTEM, lambda by, thing: True, Patient())


@pytest.mark.parametrize("key", [uuid4(), "not-an-id", "'; DROP TABLE x", None, 7])
def test_what_is_not_there_is_missing_whatever_the_key(key: object) -> None:
    with unit(SYSTEM, channel="task"):
        with pytest.raises(Missing):
            one(Patient.objects.all(), key)
        assert len(current().refusals) == 1
