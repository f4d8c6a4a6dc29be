"""The watermark: each sealed entry is looked at, once, whatever dies or runs beside it."""

from threading import Event, Thread
from time import monotonic

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from audit.ledger import SYSTEM, Act, unit
from audit.ledger.models import Entry, Leaf
from audit.review import services
from audit.review.detectors import looks
from audit.review.models import REVIEW, Finding, State, Verdict, Watermark
from audit.review.tasks import review
from config.celery import app
from tests.review.conftest import Clinic

pytestmark = pytest.mark.django_db(transaction=True)
READER = "at once"


def test_running_again_finds_nothing_twice_also_from_the_start(clinic: Clinic) -> None:
    cast = clinic.cast
    start = Watermark.objects.get(name=READER).leaf
    for _ in range(3):
        clinic.look(cast.dr_dee, cast.pia_record, purpose="BTG")
        clinic.review()
    Watermark.objects.update(leaf=start)
    clinic.review()
    assert Finding.objects.count() == 1
    raised = Entry.objects.filter(act=Act.FINDING_RAISED, detail__contains=str(Finding.objects.get().pk))
    assert raised.count() == 1


def test_the_watermark_is_at_the_end_of_the_log(clinic: Clinic) -> None:
    clinic.look(clinic.cast.dr_dee, clinic.cast.pia_record)
    clinic.review()
    clinic.review()
    assert not services.detect(reader=READER, by=SYSTEM).moved
    assert {each.leaf for each in Watermark.objects.all()} == {Leaf.objects.count()}


def test_what_dies_half_way_is_looked_at_again(clinic: Clinic) -> None:
    cast = clinic.cast
    clinic.look(cast.dr_dee, cast.pia_record, purpose="BTG")
    clinic.seal()
    before = Watermark.objects.get(name=READER).leaf
    with pytest.raises(RuntimeError, match="killed"), transaction.atomic():
        assert services.detect(reader=READER, by=SYSTEM).findings == 1
        raise RuntimeError("killed")
    assert (Finding.objects.count(), Watermark.objects.get(name=READER).leaf) == (0, before)
    review()
    assert clinic.causes() == {("emergency", "dr_dee", "pia")}


def test_a_second_worker_passes_by(clinic: Clinic) -> None:
    """While one has the watermark, another one neither waits nor reads."""
    clinic.look(clinic.cast.dr_dee, clinic.cast.pia_record, purpose="BTG")
    clinic.seal()
    held, done, answers = Event(), Event(), []

    def hold() -> None:
        with transaction.atomic():
            Watermark.objects.select_for_update().get(name=READER)
            held.set()
            done.wait(10)
        connection.close()

    other = Thread(target=hold)
    other.start()
    assert held.wait(10)
    answers.append(services.detect(reader=READER, by=SYSTEM))
    done.set()
    other.join()
    answers.append(services.detect(reader=READER, by=SYSTEM))
    assert [each.findings for each in answers] == [0, 1]
    assert [each.moved for each in answers] == [False, True]


def test_a_stretch_ends_where_it_is_full_and_the_next_goes_on(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "BATCH", 3)
    for patient in (clinic.cast.pia_record, clinic.cast.ned_record):
        for _ in range(4):
            clinic.look(clinic.cast.dr_dee, patient, purpose="BTG")
    assert clinic.review() == {("emergency", "dr_dee", "pia"), ("emergency", "dr_dee", "ned")}


def test_what_is_not_sealed_is_not_looked_at(clinic: Clinic) -> None:
    """An entry that nobody vouches for yet, or whose MAC is wrong, is the sealer's business."""
    clinic.look(clinic.cast.dr_dee, clinic.cast.pia_record, purpose="BTG")
    review()
    assert Finding.objects.count() == 0
    assert clinic.review() == {("emergency", "dr_dee", "pia")}


def test_who_asks_for_a_reason_waits_for_it(clinic: Clinic, settings: Settings) -> None:
    settings.REVIEW_SETTLES_MINUTES = 60
    clinic.look(clinic.cast.dr_dee, clinic.cast.pia_record)
    clinic.look(clinic.cast.dr_dee, clinic.cast.ned_record, purpose="BTG")
    assert clinic.review() == {("emergency", "dr_dee", "ned")}
    settings.REVIEW_SETTLES_MINUTES = 0
    assert ("no_relationship", "dr_dee", "pia") in clinic.review()


@pytest.mark.parametrize("again", [True, False])
def test_emergency_access_that_goes_on_after_its_review_is_another_finding(clinic: Clinic, again: bool) -> None:
    cast = clinic.cast
    clinic.look(cast.dr_dee, cast.pia_record, purpose="BTG")
    clinic.review()
    services.close_finding(finding_id=Finding.objects.get().pk, verdict=Verdict.JUSTIFIED, note="seen", by=cast.privacy)
    if again:
        clinic.look(cast.dr_dee, cast.pia_record, purpose="BTG")
        clinic.look(cast.dr_dee, cast.pia_record, purpose="BTG")
    clinic.review()
    assert Finding.objects.filter(state=State.OPEN).count() == (1 if again else 0)
    assert Finding.objects.count() == (2 if again else 1)


def test_other_findings_of_a_day_are_not_raised_anew(clinic: Clinic) -> None:
    cast = clinic.cast
    clinic.look(cast.dr_dee, cast.pia_record)
    clinic.review()
    services.close_finding(finding_id=Finding.objects.get().pk, verdict=Verdict.MISTAKE, note="seen", by=cast.privacy)
    clinic.look(cast.dr_dee, cast.pia_record)
    clinic.review()
    assert Finding.objects.get().state == State.CLOSED


def test_the_dump_does_not_say_which_detector_spoke(clinic: Clinic) -> None:
    """That a patient shares a clinician's surname would tell the surname: the code is neither in the row nor in the log."""
    cast = clinic.cast
    newest = Entry.objects.order_by("-id").values_list("id", flat=True).first()
    clinic.look(cast.dr_cho, cast.pia_record, purpose="BTG")
    assert clinic.review()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(f)::text FROM review_finding f")
        rows = [row for (row,) in cursor.fetchall()]
        cursor.execute("SELECT to_jsonb(e)::text FROM audit_entry e WHERE act LIKE 'finding%%' AND id > %s", [newest])
        rows += [row for (row,) in cursor.fetchall()]
    assert len(rows) == 2
    assert all("emergency" not in row and b"emergency".hex() not in row for row in rows)


def test_the_review_acts_as_the_system_with_its_own_name(clinic: Clinic) -> None:
    clinic.look(clinic.cast.dr_dee, clinic.cast.pia_record, purpose="BTG")
    clinic.review()
    entry = Entry.objects.filter(act=Act.FINDING_RAISED).order_by("-id").first()
    assert entry is not None
    assert (entry.role, entry.reason, entry.record_id) == ("system", "audit.review.tasks.review", None)
    with unit(SYSTEM, channel="task"):
        assert REVIEW != Finding.objects.get().record


def test_a_verdict_given_while_the_detectors_run_covers_no_later_look(clinic: Clinic) -> None:
    """The finding is being closed when its emergency goes on: the detectors wait for the verdict, and find anew."""
    cast = clinic.cast
    clinic.look(cast.dr_dee, cast.pia_record, purpose="BTG")
    clinic.review()
    finding = Finding.objects.get()
    clinic.look(cast.dr_dee, cast.pia_record, purpose="BTG")
    clinic.seal()
    closed = Event()

    def close() -> None:
        with unit(cast.privacy, channel="REST"), transaction.atomic():
            services.close_finding(finding_id=finding.pk, verdict=Verdict.JUSTIFIED, note="seen", by=cast.privacy)
            closed.set()
            until_somebody_waits()
        connection.close()

    officer = Thread(target=close)
    officer.start()
    assert closed.wait(10)
    review()
    officer.join()
    assert sorted(Finding.objects.values_list("state", flat=True)) == ["closed", "open"]


def until_somebody_waits() -> None:
    deadline = monotonic() + 10
    with connection.cursor() as cursor:
        while monotonic() < deadline:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone() == (True,):
                return
    raise AssertionError("nobody waited for the verdict")


def test_the_clock_runs_it(settings: Settings) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["review"]
    app.loader.import_default_modules()
    assert (entry["task"], entry["schedule"]) == (review.name, 60.0)
    assert review.name in app.tasks
