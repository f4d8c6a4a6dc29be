"""C1 at the machine itself: shells and commands show what is on record, and nothing else."""

from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import transaction

from audit.ledger import SYSTEM, EntryNotWritten, NoContext, flush, unit
from audit.ledger.models import Entry
from telehealth.core.command import AuditedCommand
from telehealth.records.models import Patient
from tests.audit.test_no_plaintext_without_a_row import NAME, AsOwner, entries, unwritable

pytestmark = pytest.mark.django_db(transaction=True)
LOOK = "from telehealth.records.models import Patient; seen.append(Patient.objects.get(pk={0!r}).family)"


@pytest.fixture
def patient() -> Patient:
    made = Patient(mrn=uuid4().hex, family=NAME, given="Ada")
    made.save()
    return made


class Teller(AuditedCommand):
    """Prints a name by `print`, by its own output, or in a transaction that comes to nothing."""

    def __init__(self, pk: UUID, how: str) -> None:
        self.pk, self.how = pk, how
        super().__init__()

    def handle(self, *args: Any, **options: Any) -> None:
        if self.how == "print":
            print(Patient.objects.get(pk=self.pk).family)  # noqa: T201  # that is what is tried
        elif self.how == "stdout":
            self.stdout.write(Patient.objects.get(pk=self.pk).family)
        else:
            with transaction.atomic():
                print(Patient.objects.get(pk=self.pk).family)  # noqa: T201  # likewise
                transaction.set_rollback(True)


@pytest.mark.parametrize("how", ["print", "stdout", "rolled back"])
def test_a_command_prints_what_is_on_record(patient: Patient, capsys: pytest.CaptureFixture[str], how: str) -> None:
    call_command(Teller(patient.pk, how), reason="why_not")
    assert capsys.readouterr().out == f"{NAME}\n"
    (entry,) = entries(patient)
    assert (entry.channel, entry.role, entry.reason) == ("command", "system", "why_not")


@pytest.mark.parametrize("how", ["print", "stdout", "rolled back"])
def test_a_command_prints_nothing_that_cannot_be_put_on_record(
    patient: Patient, capsys: pytest.CaptureFixture[str], as_owner: AsOwner, how: str
) -> None:
    given = StringIO()
    with unwritable(as_owner), pytest.raises(EntryNotWritten):
        call_command(Teller(patient.pk, how), stdout=given)
    assert NAME not in capsys.readouterr().out + given.getvalue()


def test_a_command_writes_to_a_callers_stream_after_the_entry(patient: Patient) -> None:
    class Watching(StringIO):
        def write(self, text: str) -> int:
            counts.append(len(entries(patient)))
            return super().write(text)

    counts: list[int] = []
    call_command(Teller(patient.pk, "stdout"), stdout=Watching())
    assert counts == [1]


def test_a_shell_without_a_reason_opens_nothing(patient: Patient) -> None:
    with pytest.raises(NoContext):
        call_command("shell", command=LOOK.format(str(patient.pk)).replace("seen.append", "str"))
    assert entries(patient) == []


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What a line typed into the shell got hold of."""
    found: list[str] = []
    monkeypatch.setattr("builtins.seen", found, raising=False)
    yield found


def test_in_a_shell_the_entry_is_there_before_the_plaintext(patient: Patient, seen: list[str], as_owner: AsOwner) -> None:
    call_command("shell", command=LOOK.format(str(patient.pk)), reason="support_4711")
    (entry,) = entries(patient)
    assert (seen, entry.channel, entry.reason, entry.session[:4]) == ([NAME], "shell", "support_4711", "uid:")
    with unwritable(as_owner), pytest.raises(EntryNotWritten):
        call_command("shell", command=LOOK.format(str(patient.pk)), reason="support_4712")
    assert seen == [NAME]


def test_what_was_shown_inside_a_transaction_is_on_record_though_it_was_rolled_back(patient: Patient) -> None:
    with unit(SYSTEM, channel="shell", eager=True):
        with transaction.atomic():
            assert Patient.objects.get(pk=patient.pk).family == NAME
            assert len(entries(patient)) == 1
            transaction.set_rollback(True)
        assert entries(patient) == []
    assert len(entries(patient)) == 1


def test_of_what_a_savepoint_undid_nothing_is_lost_and_of_the_rest_nothing_is_doubled(patient: Patient) -> None:
    other = Patient.objects.create(mrn=uuid4().hex, family="Other")
    with unit(SYSTEM, channel="shell"):
        with transaction.atomic():
            assert Patient.objects.get(pk=other.pk).family
            flush()
            with pytest.raises(RuntimeError), transaction.atomic():
                assert Patient.objects.get(pk=patient.pk).family
                flush()
                raise RuntimeError
            flush()
        flush()
    assert [len(entries(each)) for each in (patient, other)] == [1, 1]
    assert Entry.objects.filter(record_id=patient.pk).count() == 1
