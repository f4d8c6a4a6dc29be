"""Running the detectors over the log, from where they stopped."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from audit.ledger import Act, Actor, record_each
from audit.review.detectors import READERS, Hit, Scene
from audit.review.detectors.looks import read
from audit.review.models import Detector, Finding, State, Watermark
from telehealth.core import now
from telehealth.records.digests import digest


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of the log: leaves looked at and findings made. `moved` is False at the end, or while another runs."""

    leaves: int = 0
    findings: int = 0

    @property
    def moved(self) -> bool:
        return self.leaves > 0


@transaction.atomic
def detect(*, reader: str, by: Actor) -> Step:
    """Let one reader's detectors look at the next stretch. Findings and watermark are one transaction: whatever dies in
    between, it is looked at again, and nothing is found twice."""
    Watermark.objects.get_or_create(name=reader)
    mark = Watermark.objects.select_for_update(skip_locked=True).filter(name=reader).first()
    if mark is None:
        return Step()  # another worker is at it
    looks, following = read(mark.leaf, now() - READERS[reader].behind)
    if following == mark.leaf:
        return Step()
    scene = Scene(looks)
    made = _keep(hit for each in READERS[reader].detectors for hit in each(scene))
    record_each(by, Act.FINDING_RAISED, ({"finding": str(finding.pk)} for finding in made))
    step = Step(following - mark.leaf, len(made))
    mark.leaf = following
    mark.save(update_fields=["leaf", "moved_at"])
    return step


def _keep(hits: Iterable[Hit]) -> list[Finding]:
    """New findings of these hits. What was found already only learns of the newest entry."""
    found = list(hits)
    rows = Finding.objects.select_for_update(of=("self",)).filter(once__in=[once(hit) for hit in found])
    known = {bytes(each.once): each for each in rows}
    made: dict[bytes, Finding] = {}
    for hit in found:
        key = once(hit)
        if hit.detector == Detector.EMERGENCY:
            key = _current_round(hit, known)
        if key not in known:
            known[key] = made[key] = _finding(hit, key)
        known[key].last_entry_id = max(known[key].last_entry_id, hit.last_entry_id)
    Finding.objects.bulk_create(made.values())
    Finding.objects.bulk_update([each for key, each in known.items() if key not in made], ["last_entry_id"])
    return list(made.values())


def _current_round(hit: Hit, known: dict[bytes, Finding]) -> bytes:
    """Emergency access goes on after its review: what comes later that day is another finding."""
    number = 0
    while True:
        key = once(hit, number)
        row = known.get(key) or Finding.objects.select_for_update().filter(once=key).first()
        if row is None:
            return key
        known[key] = row
        if row.state == State.OPEN or hit.last_entry_id <= row.last_entry_id:
            return key
        number += 1


def once(hit: Hit, number: int = 0) -> bytes:
    """What makes a finding the same: detector, actor, record, day, round. Keyed, for the detector is sealed."""
    look = hit.look
    return digest("review.once", hit.detector.value, str(look.actor), str(hit.record), look.day.isoformat(), str(number))


def _finding(hit: Hit, key: bytes) -> Finding:
    look = hit.look
    due = look.at + timedelta(hours=settings.REVIEW_EMERGENCY_HOURS) if hit.detector == Detector.EMERGENCY else None
    return Finding(
        record=hit.record,
        entry_id=look.entry_id,
        last_entry_id=hit.last_entry_id,
        actor_id=look.actor,
        role=look.role,
        day=look.day,
        detector=hit.detector.value,
        facts=dict(hit.facts),
        once=key,
        due_at=due,
    )
