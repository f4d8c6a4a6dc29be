"""Care relationships: begun by a booking or an assignment, stood in for, handed over, ended. Ended is ended at once."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.ledger import Act, Actor, record, uuid7
from telehealth.accounts.access import Action, Resource
from telehealth.core import constraint, lock, now, one, permit
from telehealth.records import rules, selectors
from telehealth.records.access import visible
from telehealth.records.errors import PeriodUnusable
from telehealth.records.models import CareRelationship, CareSource, Covering, EmergencyAccess, Patient, Practitioner


@transaction.atomic(savepoint=False)  # whoever causes it goes back with it
def begin_care(
    *,
    patient_id: UUID,
    practitioner_id: UUID,
    source: str,
    source_id: UUID,
    by: Actor,
    ends_at: datetime | None = None,
    is_new: bool = False,
) -> CareRelationship:
    """From now (until `ends_at`, or `end_care`) the practitioner sees the record. Once per cause: a repeat renews it.

    For the services of the visit's steps, which have asked whether `by` may do what causes it. `is_new` says that this
    transaction made the cause: nobody else knows of it, so that there is nothing to look for.
    """
    if is_new:
        care = CareRelationship(patient_id=patient_id, practitioner_id=practitioner_id, source=CareSource(source), source_id=source_id)
        care.starts_at, care.ends_at = now(), ends_at
        care.save(force_insert=True)
    else:
        care = _renewed(patient_id, practitioner_id, CareSource(source), source_id, ends_at)
    record(by, Act.CARE_BEGUN, care, record_id=patient_id, reason=care.source)
    return care


def _renewed(patient_id: UUID, practitioner_id: UUID, source: CareSource, source_id: UUID, ends_at: datetime | None) -> CareRelationship:
    lock(source_id)
    care, made = CareRelationship.objects.get_or_create(
        patient_id=patient_id,
        practitioner_id=practitioner_id,
        source=source,
        source_id=source_id,
        defaults={"starts_at": now(), "ends_at": ends_at},
    )
    if not made and care.ends_at != ends_at:
        care.ends_at = ends_at
        care.save(update_fields=["ends_at"])
    return care


@transaction.atomic
def end_care(*, source: str, source_id: UUID, by: Actor) -> int:
    """What this cause began ends now; says how many relationships that were. Access by another cause stays."""
    return len(_end(CareRelationship.objects.filter(source=CareSource(source), source_id=source_id), by))


@transaction.atomic
def assign_care(*, patient_id: UUID, practitioner_id: UUID, by: Actor, ends_at: datetime | None = None) -> CareRelationship:
    """The practitioner cares for the patient from now on, without an appointment. Assigning what stands gives a new period."""
    patient = one(Patient.objects.filter(visible(by, Action.CREATE, Resource.CARE_RELATIONSHIP, "")).only("pk"), patient_id)
    practitioner = one(Practitioner.objects.exclude(account_id=None), practitioner_id)
    if ends_at is not None and ends_at <= now():
        raise PeriodUnusable()
    lock(patient.pk)
    _end(_assigned(practitioner.pk).filter(patient=patient), by)
    return begin_care(
        patient_id=patient.pk, practitioner_id=practitioner.pk, source="assignment", source_id=uuid7(), by=by, ends_at=ends_at
    )


@transaction.atomic
def end_assignment(*, care_id: UUID, by: Actor) -> CareRelationship:
    """From now on no longer. Ending what is over changes nothing; what an appointment began ends with the appointment."""
    mine = CareRelationship.objects.filter(visible(by, Action.DELETE, Resource.CARE_RELATIONSHIP), source=CareSource.ASSIGNMENT)
    care = one(mine, care_id)
    return next(iter(_end(mine.filter(pk=care.pk), by)), care)


@transaction.atomic
def cover(*, covered_id: UUID, covering_id: UUID, starts_at: datetime, ends_at: datetime, by: Actor) -> Covering:
    """In this time the one sees whom the other cares for. PeriodUnusable for a time that is over or ends before it starts."""
    covered, covering = (one(Practitioner.objects.exclude(account_id=None), pk) for pk in (covered_id, covering_id))
    permit(by, rules.may_arrange_panel, covered)
    if ends_at <= now():
        raise PeriodUnusable()
    with constraint("covering_is_by_another", PeriodUnusable), constraint("covering_ends_after_it_starts", PeriodUnusable):
        made = Covering.objects.create(covered=covered, covering=covering, arranged_by=by.account, starts_at=starts_at, ends_at=ends_at)
    record(by, Act.COVERING_ARRANGED, made, detail={"covered": str(covered.pk), "covering": str(covering.pk)})
    return made


@transaction.atomic
def end_covering(*, covering_id: UUID, by: Actor) -> Covering:
    """From now on no longer."""
    covering = one(selectors.coverings_by(by).select_for_update(of=("self",)), covering_id)
    moment = now()
    if covering.ends_at > moment:
        covering.ends_at = max(moment, covering.starts_at)
        covering.save(update_fields=["ends_at"])
        record(by, Act.COVERING_ENDED, covering)
    return covering


@transaction.atomic
def hand_over(*, from_id: UUID, to_id: UUID, by: Actor, dry_run: bool = False) -> int:
    """Everybody assigned to the one is assigned to the other from now on, all or nobody; says how many.

    What appointments began stays with who holds the appointment. A dry run changes nothing.
    """
    leaving, taking = (one(Practitioner.objects.exclude(account_id=None), pk) for pk in (from_id, to_id))
    permit(by, rules.may_arrange_panel, leaving)
    if leaving == taking:
        raise PeriodUnusable()
    lock(leaving.pk, taking.pk)
    panel = list(_lasting(_assigned(leaving.pk)).order_by("patient_id").values_list("patient_id", "ends_at"))
    if dry_run:
        return len(panel)
    _end(_assigned(leaving.pk), by)
    already = set(_lasting(_assigned(taking.pk)).values_list("patient_id", flat=True))
    for patient_id, ends_at in panel:
        if patient_id not in already:
            begin_care(patient_id=patient_id, practitioner_id=taking.pk, source="assignment", source_id=uuid7(), by=by, ends_at=ends_at)
    record(by, Act.PANEL_HANDED_OVER, leaving, detail={"to": str(taking.pk), "patients": len(panel)})
    return len(panel)


@transaction.atomic
def end_work(*, account_id: UUID, by: Actor) -> dict[str, int]:
    """For `LEAVERS`: whoever this practitioner cared for, stood in for or was stood in for by, that is over; emergencies too."""
    moment = now()
    care = _end(CareRelationship.objects.filter(practitioner__account_id=account_id), by)
    lasting = Q(covered__account_id=account_id) | Q(covering__account_id=account_id)
    coverings = list(Covering.objects.select_for_update(of=("self",)).filter(lasting, ends_at__gt=moment))
    for each in coverings:
        each.ends_at = max(moment, each.starts_at)
        each.save(update_fields=["ends_at"])
        record(by, Act.COVERING_ENDED, each)
    emergencies = list(EmergencyAccess.objects.select_for_update(of=("self",)).filter(account=account_id, ends_at__gt=moment))
    for declared in emergencies:
        declared.ends_at = moment
        declared.save(update_fields=["ends_at"])
        record(by, Act.EMERGENCY_ENDED, declared)
    return {"care": len(care), "coverings": len(coverings), "emergencies": len(emergencies)}


def _assigned(practitioner_id: UUID) -> QuerySet[CareRelationship]:
    return CareRelationship.objects.filter(practitioner_id=practitioner_id, source=CareSource.ASSIGNMENT)


def _lasting(care: QuerySet[CareRelationship]) -> QuerySet[CareRelationship]:
    return care.filter(Q(ends_at=None) | Q(ends_at__gt=now()))


def _end(care: QuerySet[CareRelationship], by: Actor) -> list[CareRelationship]:
    moment = now()
    ended = list(_lasting(care).select_for_update(of=("self",)))
    for each in ended:
        each.ends_at = max(moment, each.starts_at)
        each.save(update_fields=["ends_at"])
        record(by, Act.CARE_ENDED, each, record_id=each.patient_id, reason=each.source)
    return ended
