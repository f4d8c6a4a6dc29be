"""Whether there was a reason to look."""

from collections.abc import Iterator
from datetime import timedelta

from audit.review.detectors.hits import Hit
from audit.review.detectors.looks import Pair, pairs
from audit.review.detectors.scene import Scene
from audit.review.models import Detector
from telehealth.accounts.access import Role

AT_ONCE = timedelta(minutes=1)  # care begins in the transaction that lets the provider in, its look may be written first
A_DAY = timedelta(days=1)


def emergency(scene: Scene) -> Iterator[Hit]:
    """The glass was broken. Always, whoever it was."""
    for pair in pairs(look for look in scene.looks if look.is_emergency):
        yield Hit.on_record(Detector.EMERGENCY, pair, purpose=pair.first.purpose)


def no_relationship(scene: Scene) -> Iterator[Hit]:
    """A provider who does not care for this patient; anybody else without a visit around that day or work on the record.

    For those whose work is the schedule, one line among others of a list is no look of its own: `volume` counts them.
    """
    for pair in pairs(look for look in scene.looks if look.is_by_staff and not look.is_emergency):
        if pair.first.role != Role.PRIVACY_OFFICER and not _has_reason(scene, pair):
            yield Hit.on_record(Detector.NO_RELATIONSHIP, pair)


def _has_reason(scene: Scene, pair: Pair) -> bool:
    look, care = pair.first, scene.care.get(pair.first.record, ())
    if look.role == Role.PROVIDER:
        return any(each.account == look.actor and each.near(look.at, AT_ONCE) for each in care)
    if any(each.near(look.at, A_DAY) for each in care):
        return True
    return look.cid in scene.lists or (look.actor, look.record) in scene.worked_on
