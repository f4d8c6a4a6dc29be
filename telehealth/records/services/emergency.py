"""Emergency access: find one patient by what a card or a relative tells, declare why, and see one record for an hour."""

from dataclasses import dataclass, replace
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record
from telehealth.accounts.access import Role
from telehealth.accounts.factors import require_fresh
from telehealth.accounts.selectors import active
from telehealth.accounts.throttle import Throttle
from telehealth.core import now, one, permit
from telehealth.outbox.services import notify
from telehealth.records import rules, selectors
from telehealth.records.digests import words
from telehealth.records.errors import NothingToSearch
from telehealth.records.labels import Category, tokens
from telehealth.records.models import EMERGENCY_LASTS, EmergencyAccess, EmergencyReason, Patient
from telehealth.vault import matches
from telehealth.vault.blind import blind

FREE_LOOKS = 10  # a day; each further one doubles the wait


@dataclass(frozen=True, slots=True)
class Located:
    """All that is told before an emergency is declared."""

    patient: UUID
    initials: str


@transaction.atomic
def locate(*, by: Actor, mrn: str = "", family: str = "", given: str = "", birth_date: str = "") -> Located | None:
    """The one patient whom record number, or whole name and birth date, fit exactly; nobody when two do.

    Always on record, and the patient sees it. Raises NothingToSearch without two exact facts, TooManyAttempts.
    """
    permit(by, rules.may_declare_emergency, None)
    asked = "mrn" if mrn.strip() else "name_and_birth_date"
    if not mrn.strip() and not all(each.strip() for each in (family, given, birth_date)):
        raise NothingToSearch()
    Throttle("locate", str(by.account), free=FREE_LOOKS).attempt()
    found = _exactly(mrn, family, given, birth_date)
    patient = found[0] if len(found) == 1 else None
    record(by, Act.RECORD_LOCATED, patient, detail={"by": asked, "found": len(found)})
    return Located(patient.pk, f"{patient.given[:1]}. {patient.family[:1]}.") if patient else None


def _exactly(mrn: str, family: str, given: str, birth_date: str) -> list[Patient]:
    if mrn.strip():
        return list(Patient.objects.filter(mrn_index=blind("records.Patient.mrn", mrn)))
    born = Patient.objects.filter(birth_date_index=blind("records.Patient.birth_date", birth_date))
    return [each for each in born if _is(each, "family", family) and _is(each, "given", given)]


def _is(patient: Patient, field: str, told: str) -> bool:
    return matches(patient, field, lambda held: words(held) == words(told))


@transaction.atomic
def begin_emergency(*, patient_id: UUID, reason: str, text: str, by: Actor) -> EmergencyAccess:
    """See this record from now for an hour, in this session alone. Needs a fresh factor, a coded reason and words.

    Privacy officers are told at once; somebody reviews it whatever happens.
    """
    permit(by, rules.may_declare_emergency, None)
    require_fresh(by)
    patient = one(Patient.objects.only("pk"), patient_id)
    at = now()
    made = EmergencyAccess.objects.create(
        patient=patient,
        account=by.account,
        session=by.session,
        reason_code=EmergencyReason(reason),
        text=text.strip(),
        sees=tokens(patient.pk, set(Category) - {Category.PSYCHOTHERAPY}),
        starts_at=at,
        ends_at=at + EMERGENCY_LASTS,
    )
    declared = replace(by, emergency=by.emergency | {patient.pk})
    record(declared, Act.EMERGENCY_BEGUN, made, reason=made.reason_code)
    for officer in active(Role.PRIVACY_OFFICER):
        notify(person_id=officer.pk, kind="emergency_access", about_id=made.pk)
    return made


@transaction.atomic
def end_emergency(*, emergency_id: UUID, by: Actor) -> EmergencyAccess:
    """From now on no longer; ending what is over changes nothing."""
    access = one(selectors.emergencies_for(by).select_for_update(), emergency_id)
    permit(by, rules.may_end_emergency, access)
    at = now()
    if access.ends_at > at:
        access.ends_at = at
        access.save(update_fields=["ends_at"])
        record(by, Act.EMERGENCY_ENDED, access)
    return access
