"""Who somebody is to the patient: themselves, family, household, colleague."""

from collections.abc import Iterator

from audit.review.detectors.addresses import same_home
from audit.review.detectors.hits import Hit
from audit.review.detectors.names import Staff, shares_surname
from audit.review.detectors.scene import Scene
from audit.review.models import Detector
from telehealth.records.models import Patient


def own_record(scene: Scene) -> Iterator[Hit]:
    """One's own: linked by the desk, or both names the same."""
    for pair, staff, patient in scene.known_pairs:
        if way := _is_own(scene, staff, patient):
            yield Hit.on_record(Detector.OWN_RECORD, pair, by=way)


def same_surname(scene: Scene) -> Iterator[Hit]:
    """The actor's family name, or half of a double one."""
    for pair, staff, patient in scene.known_pairs:
        if not _is_own(scene, staff, patient) and shares_surname(staff, patient):
            yield Hit.on_record(Detector.SAME_SURNAME, pair)


def same_address(scene: Scene) -> Iterator[Hit]:
    """The actor is a patient too, and this one lives where they do."""
    for pair, _, patient in scene.known_pairs:
        if any(home.pk != patient.pk and same_home(home, patient) for home in scene.homes.get(pair.first.actor, ())):
            yield Hit.on_record(Detector.SAME_ADDRESS, pair)


def colleague(scene: Scene) -> Iterator[Hit]:
    """The patient works here too: linked by the desk, or both names are somebody's."""
    for pair, staff, patient in scene.known_pairs:
        if way := _is_colleague(scene, staff, patient):
            yield Hit.on_record(Detector.COLLEAGUE, pair, by=way)


def _is_own(scene: Scene, staff: Staff, patient: Patient) -> str:
    if scene.index_of(staff.account) in scene.accounts_of.get(patient.pk, ()) or patient.account_id == staff.account:
        return "link"
    return "names" if staff.account in scene.namesakes[patient.pk] else ""


def _is_colleague(scene: Scene, staff: Staff, patient: Patient) -> str:
    linked = scene.accounts_of.get(patient.pk, set())
    if linked:
        return "link" if linked - {scene.index_of(staff.account)} else ""
    return "names" if scene.namesakes[patient.pk] - {staff.account} else ""
