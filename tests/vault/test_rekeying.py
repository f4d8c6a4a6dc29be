"""A record gets a new key while it is read and written: nothing is lost, nothing stays under the old key, whoever remembers it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction

from audit.ledger import SYSTEM, Act, unit
from audit.ledger.models import Entry
from telehealth.records.models import ClinicalResource, Patient, PatientIdentifier
from telehealth.vault import files, record_keys, rekeying, sealed_rows
from telehealth.vault.errors import RecordRekeyed
from telehealth.vault.fields import ACCOUNTS
from telehealth.vault.models import RecordKey, RetiredKey, SealedFile
from tests.conftest import AsOwner
from tests.people import MakeAccount
from tests.vault.processes import manage, other

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "owner"])
PATIENCE = 30


@pytest.fixture(autouse=True)
def here() -> Iterator[None]:
    with unit(SYSTEM, channel="task"):
        yield
    connections["owner"].close()


@pytest.fixture
def patient(db: None) -> Patient:
    return make_patient(resources=7)


def make_patient(resources: int) -> Patient:
    with transaction.atomic():
        made = Patient.objects.create(mrn=uuid4().hex, family="Quill", given="Pia", phone="617 555 0100", address={"line": "1 Elm St"})
        PatientIdentifier.objects.create(patient=made, system="urn:s", value=uuid4().hex)
        for number in range(resources):
            ClinicalResource.objects.create(patient=made, type="Condition", body=f"body {number}", body_key=b"k")
    return made


def contents(record: UUID) -> list[str]:
    patient = Patient.objects.get(pk=record)
    bodies = [str(each.body) for each in ClinicalResource.objects.filter(patient=record).order_by("id")]
    return [patient.family, patient.given, patient.phone, patient.address["line"], patient.identifiers.get().value, *bodies]


def versions(record: UUID) -> set[int]:
    found: set[int] = set()
    for home in sealed_rows.homes_of(record):
        with connection.cursor() as cursor:
            for column in home.columns:
                cursor.execute(
                    sealed_rows.sql.SQL("SELECT DISTINCT substring({0} FROM 2 FOR 2) FROM {1} WHERE {0} IS NOT NULL AND {2}").format(
                        column, home.table, home.where(record)
                    )
                )
                found |= {int.from_bytes(bytes(head), "big") for (head,) in cursor.fetchall()}
    return found


def wrapped(record: UUID) -> tuple[int, bytes]:
    key = RecordKey.objects.get(record_id=record)
    return key.version, bytes(key.wrapped)


def test_everything_is_sealed_anew_and_the_old_key_is_gone(patient: Patient) -> None:
    before, neighbour = contents(patient.pk), make_patient(1)
    old, others = wrapped(patient.pk), wrapped(neighbour.pk)
    stale = Patient.objects.get(pk=patient.pk).__dict__["family"].raw

    call_command("rekey_record", str(patient.pk))

    assert versions(patient.pk) == {2}
    assert wrapped(patient.pk)[0] == 2 and wrapped(patient.pk)[1] != old[1]
    assert wrapped(neighbour.pk) == others and versions(neighbour.pk) == {1}
    assert not RetiredKey.objects.exists()
    assert Patient.objects.get(pk=patient.pk).__dict__["family"].raw[15:] != stale[15:]
    record_keys.cache.clear()
    assert contents(patient.pk) == before
    entry = Entry.objects.get(act=Act.RECORD_REKEYED, record_id=patient.pk)
    assert (entry.record_id, entry.detail) == (patient.pk, '{"rows":9,"version":2}')


def test_again_and_again(patient: Patient) -> None:
    before = contents(patient.pk)
    for version in (2, 3, 4):
        call_command("rekey_record", str(patient.pk), batch=2)
        assert versions(patient.pk) == {version}
    assert contents(patient.pk) == before


def test_the_accounts_key_too(make_account: MakeAccount) -> None:
    people = [make_account("provider"), make_account("patient")]
    call_command("rekey_record", "accounts")
    assert versions(ACCOUNTS) == {2}
    record_keys.cache.clear()
    for person in people:
        user = connection_user(person.id)
        assert (user.email, user.totp_devices.get().seed) == (person.email, person.seed)


def connection_user(pk: UUID):  # type: ignore[no-untyped-def]
    return Patient._meta.apps.get_model("accounts", "User").objects.get(pk=pk)


def test_sealed_files_open_under_the_new_key(patient: Patient) -> None:
    row = files.write([b"scan ", b"of a letter"], record_id=patient.pk, kind="attachment", media_type="text/plain", title="Letter")
    call_command("rekey_record", str(patient.pk))
    record_keys.cache.clear()
    again = SealedFile.objects.get(pk=row.pk)
    assert (again.title, b"".join(files.read(again))) == ("Letter", b"scan of a letter")
    assert versions(patient.pk) == {2}


def test_a_row_that_was_read_before_is_still_opened_and_saved_after(patient: Patient) -> None:
    row = Patient.objects.get(pk=patient.pk)
    call_command("rekey_record", str(patient.pk))
    record_keys.cache.clear()
    assert row.family == "Quill"
    row.given = "Pia Maria"
    row.family = row.family
    row.phone, row.address, row.mrn = row.phone, row.address, row.mrn
    with pytest.raises(RecordRekeyed):
        row.save()  # the rest of it is ciphertext of a key that is gone: it is not brought back
    assert versions(patient.pk) == {2}
    row.save(update_fields=["given"])
    assert Patient.objects.get(pk=patient.pk).given == "Pia Maria"


def test_saving_what_was_read_before_seals_it_anew_while_the_old_key_is_there(patient: Patient) -> None:
    row = Patient.objects.get(pk=patient.pk)
    rekeying.begin(patient.pk, "owner")
    for _ in rekeying.sweep(patient.pk, "owner"):
        pass
    row.is_deceased = True
    row.save()
    assert versions(patient.pk) == {2}
    assert rekeying.finish(patient.pk, "owner", by=SYSTEM, rows=0)
    record_keys.cache.clear()
    assert contents(patient.pk)[0] == "Quill"


def test_another_process_s_memory_notices(patient: Patient) -> None:
    with other(patient.pk) as tell:
        assert tell("read") == "Quill"  # it has version 1 in memory now
        assert tell("keep") == "done"
        call_command("rekey_record", str(patient.pk))
        assert tell("open") == "Quill"
        assert tell("read") == "Quill"
        assert tell("write Pia Maria") == "done"
        assert versions(patient.pk) == {2}
        assert tell("save") == "done"  # a row of before, saved whole: its memory still has the old key, and seals anew
        assert versions(patient.pk) == {2}
    record_keys.cache.clear()
    assert contents(patient.pk)[0] == "Quill"


def test_a_new_key_waits_for_whoever_has_sealed_under_the_old_one(patient: Patient) -> None:
    done = threading.Event()
    with transaction.atomic():
        ClinicalResource.objects.create(patient=patient, type="Condition", body="late", body_key=b"k")
        with in_thread(lambda: call_command("rekey_record", str(patient.pk)), done) as failed:
            assert not done.wait(0.5)
            assert RecordKey.objects.get(record_id=patient.pk).version == 1
            transaction.on_commit(lambda: None)
    assert done.wait(PATIENCE) and not failed
    assert versions(patient.pk) == {2}
    assert contents(patient.pk)[-1] == "late"


@contextmanager
def in_thread(work: object, done: threading.Event | None = None) -> Iterator[list[BaseException]]:
    failed: list[BaseException] = []

    def run() -> None:
        try:
            with unit(SYSTEM, channel="task"):
                work()  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001  # the test looks at it
            failed.append(error)
        finally:
            connections.close_all()
            if done:
                done.set()

    thread = threading.Thread(target=run)
    thread.start()
    yield failed
    if done is None:
        thread.join(PATIENCE)


def test_writers_and_readers_beside_it_lose_nothing(patient: Patient) -> None:
    ids = list(ClinicalResource.objects.filter(patient=patient).values_list("pk", flat=True))
    stop, written, wrong = threading.Event(), dict.fromkeys(ids, ""), []

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            for pk in ids:
                with transaction.atomic():
                    row = ClinicalResource.objects.select_for_update().get(pk=pk)
                    row.body = f"round {number}"
                    row.save()
                written[pk] = f"round {number}"

    def read() -> None:
        while not stop.is_set():
            if Patient.objects.get(pk=patient.pk).family != "Quill" or not all(
                row.body for row in ClinicalResource.objects.filter(patient=patient)
            ):
                wrong.append("unread")

    with in_thread(write) as one, in_thread(read) as two:
        try:
            for _ in range(4):
                call_command("rekey_record", str(patient.pk), batch=1)
        finally:
            stop.set()
    assert (one, two, wrong) == ([], [], [])
    assert versions(patient.pk) == {5}
    record_keys.cache.clear()
    assert {pk: ClinicalResource.objects.get(pk=pk).body for pk in ids} == written


def test_killed_in_the_middle_it_goes_on(as_owner: AsOwner) -> None:
    patient = make_patient(resources=150)
    before = contents(patient.pk)
    process = manage("rekey_record", str(patient.pk), "--batch", "1")
    until = time.monotonic() + PATIENCE
    while not (RetiredKey.objects.exists() and sealed_rows.count(patient.pk, 2, "default") < 140):
        assert process.poll() is None and time.monotonic() < until
    process.kill()
    process.wait()
    assert process.stdout
    process.stdout.close()
    assert versions(patient.pk) == {1, 2}, "it was ended in the middle"
    record_keys.cache.clear()
    assert contents(patient.pk) == before

    call_command("rekey_record", str(patient.pk))

    assert versions(patient.pk) == {2} and not RetiredKey.objects.exists()
    record_keys.cache.clear()
    assert contents(patient.pk) == before


def test_what_does_not_open_stops_it_and_destroys_nothing(patient: Patient, as_owner: AsOwner) -> None:
    as_owner("UPDATE records_patient SET given = set_byte(given, 20, 255 - get_byte(given, 20)) WHERE id = %s", patient.pk)
    with pytest.raises(CommandError, match="nothing was destroyed"):
        call_command("rekey_record", str(patient.pk))
    assert RetiredKey.objects.filter(record_id=patient.pk).exists()
    assert Patient.objects.get(pk=patient.pk).family == "Quill"


def test_a_record_that_there_is_not() -> None:
    with pytest.raises(CommandError):
        call_command("rekey_record", str(uuid4()))


def test_a_version_is_retired_once(patient: Patient) -> None:
    rekeying.begin(patient.pk, "owner")
    rekeying.begin(patient.pk, "owner")  # goes on with the one there is
    row = RetiredKey.objects.get(record_id=patient.pk)
    with pytest.raises(IntegrityError, match="retired_key_once_per_version"):
        RetiredKey.objects.create(record_id=patient.pk, version=row.version, kek_id=row.kek_id, wrapped=row.wrapped)


def test_every_model_says_which_record_its_rows_are_of() -> None:
    assert {sealed_rows.record_column(model) for model in sealed_rows.models_of_records()} >= {"id", "patient_id", "owner_id"}
