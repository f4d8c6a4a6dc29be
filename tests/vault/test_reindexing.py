"""The index key changes while people register, sign in and are looked for."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.db.models import Q
from pytest_django import Settings

from audit.ledger import SYSTEM, unit
from audit.ledger.models import Entry
from telehealth.accounts import services
from telehealth.accounts.access import Role
from telehealth.accounts.errors import EmailTaken
from telehealth.accounts.models import User
from telehealth.accounts.selectors import account_of_email
from telehealth.records.digests import name_tokens, named
from telehealth.records.models import Patient, PatientIdentifier, StaffRecord
from telehealth.vault import document, keyring, phases, reindexing
from telehealth.vault.blind import blind
from telehealth.vault.fields import index_fields_of
from telehealth.vault.models import IndexPhase
from tests.people import PASSWORD
from tests.vault.processes import other
from tests.vault.test_rekeying import in_thread

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("index_phase_is_one_row", {"id": 2}),
        ("index_phase_knows_where_it_goes", {"phase": "filling"}),
        ("index_phase_knows_where_it_goes", {"coming": 2}),
    ],
)
def test_the_phase_is_one_row_that_makes_sense(name: str, values: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        IndexPhase.objects.create(**values)
    IndexPhase.objects.create(phase="filling", coming=2)


# --- the change itself ----------------------------------------------------------------------------

COMMITTED = pytest.mark.django_db(transaction=True)


@dataclass
class People:
    """Patients who are looked for, and accounts that sign in."""

    patients: list[Patient]
    emails: list[str]

    def all_found(self) -> bool:
        return all(self.found(patient) for patient in self.patients) and all(account_of_email(each) for each in self.emails)

    def found(self, patient: Patient) -> bool:
        numbers = {"mrn": patient.mrn, "birth_date": patient.birth_date}
        queries = [Q(**{f"{name}_index": blind(f"records.Patient.{name}", value)}) for name, value in numbers.items()]
        queries += [Q(identifiers__value_index=blind("records.PatientIdentifier.value", patient.mrn)), named(patient.family)]
        return all(Patient.objects.filter(query, pk=patient.pk).exists() for query in queries)


@pytest.fixture
def people(db: None, settings: Settings, tmp_path: Path) -> Iterator[People]:
    keyring_file = tmp_path / "keyring.json"
    keyring_file.write_bytes(document.path().read_bytes())
    keyring_file.chmod(0o600)
    settings.VAULT_KEYRING_FILE = str(keyring_file)
    phases.forget()
    with unit(SYSTEM, channel="task"):
        yield People([a_patient(number) for number in range(6)], [an_account() for _ in range(3)])
    phases.forget()
    keyring.forget()


def a_patient(number: int) -> Patient:
    family = f"Quill{'abcdefgh'[number]}"
    made = Patient.objects.create(
        mrn=uuid4().hex, family=family, given="Pia", birth_date=f"1990-01-0{number + 1}", name_tokens=name_tokens(family, "Pia")
    )
    PatientIdentifier.objects.create(patient=made, system="urn:s", value=made.mrn)
    return made


def an_account() -> str:
    email = f"{uuid4().hex}@people.example"
    services.create_account(email=email, role=Role.PATIENT, by=SYSTEM, password=PASSWORD)
    return email


def indexes() -> dict[UUID, list[Any]]:
    columns = ("mrn_index", "birth_date_index", "name_tokens", "mrn_index_next", "birth_date_index_next", "name_tokens_next")
    return {
        pk: [bytes(each) if isinstance(each, memoryview) else each for each in rest]
        for pk, *rest in Patient.objects.values_list("pk", *columns)
    }


@COMMITTED
def test_every_index_is_under_the_new_root_and_was_found_all_the_while(people: People) -> None:
    before = indexes()
    call_command("reindex")
    assert indexes() == before, "there is nothing newer yet"
    call_command("reindex", new_root=True)
    seen = set()
    for _ in reindexing.run(by=SYSTEM, size=2, settle=0):
        seen.add(reindexing._now().name)
        assert people.all_found()
        phases.forget()
        assert people.all_found()
    assert seen == {"filling", "moving", "clearing"}
    assert people.all_found() and phases.known() == phases.Phase(current=2)
    for pk, (mrn, born, tokens, *beside) in indexes().items():
        assert mrn != before[pk][0] and born != before[pk][1] and set(tokens).isdisjoint(before[pk][2]) and beside == [None] * 3
    assert not User.objects.exclude(email_index_next=None).exists()
    phases.forget()
    people.patients.append(a_patient(7))
    people.emails.append(an_account())
    assert people.all_found()


@COMMITTED
def test_it_opens_no_record(people: People) -> None:
    call_command("reindex", new_root=True)
    with unit(SYSTEM, channel="task", reason="this-one") as here:
        list(reindexing.run(by=SYSTEM, settle=0))
        assert here.openings == {}
    acts = Entry.objects.filter(reason__in=["filling", "moving", "clearing", "steady"], cid=here.cid).values_list("act", "reason")
    assert sorted(acts) == [("index.phase_begun", reason) for reason in ("clearing", "filling", "moving", "steady")]


@COMMITTED
def test_nothing_is_there_twice_at_any_moment(people: People) -> None:
    """Before and after each batch somebody tries to register the same number, and the same address, again."""
    call_command("reindex", new_root=True)
    for _ in chain([0], reindexing.run(by=SYSTEM, size=1, settle=0)):
        for patient in people.patients:
            with pytest.raises(IntegrityError), transaction.atomic():
                Patient.objects.create(mrn=patient.mrn, family="Twice")
            with pytest.raises(IntegrityError, match="identifier_of_one_patient"), transaction.atomic():
                PatientIdentifier.objects.create(patient=patient, system="urn:s", value=patient.mrn)
        for email in people.emails:
            with pytest.raises(EmailTaken):
                services.create_account(email=email.upper(), role=Role.PATIENT, by=SYSTEM, password=PASSWORD)


@COMMITTED
@pytest.mark.parametrize("steps", [1, 4, 9, 13])
def test_ended_anywhere_it_goes_on(people: People, steps: int) -> None:
    call_command("reindex", new_root=True)
    work = reindexing.run(by=SYSTEM, size=1, settle=0)
    for _ in range(steps):
        next(work)
    work.close()
    assert people.all_found()
    call_command("reindex", settle=0.0)
    phases.forget()
    assert people.all_found() and phases.known() == phases.Phase(current=2)
    assert all(row[3:] == [None] * 3 for row in indexes().values())


@COMMITTED
def test_rows_read_before_a_phase_and_saved_after_keep_no_old_index(people: People) -> None:
    call_command("reindex", new_root=True)
    early = [Patient.objects.get(pk=patient.pk) for patient in people.patients]
    held: list[Patient] = []
    for batch, _ in enumerate(reindexing.run(by=SYSTEM, size=1, settle=0)):
        held.append(Patient.objects.get(pk=people.patients[batch % 6].pk))
        early[batch % 6].save()
        if batch % 3 == 2:
            held[batch // 2].save()
    for row in [*early, *held]:
        row.save()
    phases.forget()
    assert people.all_found()
    assert all(row[3:] == [None] * 3 for row in indexes().values())
    call_command("reindex")


@COMMITTED
def test_a_phase_begins_when_nobody_writes_by_the_one_before(people: People) -> None:
    call_command("reindex", new_root=True)
    done = threading.Event()
    with transaction.atomic():
        people.patients.append(a_patient(6))
        with in_thread(lambda: list(reindexing.run(by=SYSTEM, settle=0)), done) as failed:
            assert not done.wait(0.5)
            assert reindexing._now() == phases.Phase()
    assert done.wait(30) and not failed
    phases.forget()
    assert people.all_found()


@COMMITTED
def test_beside_traffic_nobody_is_missed_and_nobody_is_there_twice(people: People) -> None:
    call_command("reindex", new_root=True)
    stop, wrong, new = threading.Event(), [], []

    def register() -> None:
        while not stop.is_set() and len(new) < 60:
            with transaction.atomic():
                made = a_patient(len(new) % 7)
                made.given = "Pia Maria"
                made.save()
            new.append(made)

    def look() -> None:
        while not stop.is_set():
            if not people.all_found():
                wrong.append(reindexing._now())

    with in_thread(register) as one, in_thread(look) as two:
        try:
            for _ in reindexing.run(by=SYSTEM, size=3, settle=0.2):
                pass
        finally:
            stop.set()
    assert (one, two, wrong) == ([], [], [])
    phases.forget()
    people.patients += new
    assert new and people.all_found()
    assert all(row[3:] == [None] * 3 for row in indexes().values())


@pytest.mark.storm
@COMMITTED
def test_another_process_that_knows_an_older_phase_finds_everybody(people: People) -> None:
    """It learns of a change five seconds late at most; nothing moves before ten."""
    call_command("reindex", new_root=True)
    mrn, missed, stop = people.patients[0].mrn, [], threading.Event()
    with other(people.patients[0].pk) as tell:

        def look() -> None:
            while not stop.is_set():
                if tell(f"look {mrn}") != "1":
                    missed.append(reindexing._now())

        with in_thread(look) as failed:
            try:
                list(reindexing.run(by=SYSTEM))
            finally:
                stop.set()
    assert (failed, missed) == ([], [])


def test_constraints_of_the_second_column_have_their_names() -> None:
    names = {each.name for model in (PatientIdentifier, StaffRecord) for each in model._meta.constraints}
    assert {"identifier_of_one_patient_next", "staff_record_once_at_a_time_next"} <= names


def test_every_index_has_another_beside_it() -> None:
    for model in apps.get_models():
        fields = index_fields_of(model)
        mains, beside = {field.name for field in fields if not field.beside}, {field.beside for field in fields if field.beside}
        assert mains == beside, model
        assert {field.unique for field in fields if field.name in mains} >= {field.unique for field in fields if field.beside}
