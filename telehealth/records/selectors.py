"""Reads, narrowed to what the actor may see."""

from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from audit.ledger import SYSTEM, Act, Actor
from audit.ledger.models import Entry
from telehealth.accounts.access import Action, Resource, Scope, granted
from telehealth.accounts.models import Invitation
from telehealth.core import now, one
from telehealth.records.access import visible
from telehealth.records.access.care import cared_for
from telehealth.records.access.sensitivity import addressed_to
from telehealth.records.billing import BILLED
from telehealth.records.errors import NoAccount
from telehealth.records.labels import HIDDEN_FROM_PROXIES, tokens
from telehealth.records.models import (
    CareRelationship,
    ClinicalResource,
    Consent,
    Covering,
    Destruction,
    EmergencyAccess,
    LegalHold,
    License,
    LicenseException,
    Patient,
    Practitioner,
    ProxyGrant,
    ProxyOffer,
    StaffRecord,
)
from telehealth.records.states import state_code
from telehealth.vault.fields import index_fields_of


def patients_for(by: Actor, action: Action = Action.SEARCH) -> QuerySet[Patient]:
    """The patients this actor may see."""
    return Patient.objects.filter(visible(by, action, Resource.PATIENT, ""))


def patient_for(by: Actor, pk: UUID) -> Patient:
    """One patient, or Missing; its key comes with it."""
    return one(Patient.objects.with_keys().filter(visible(by, Action.READ, Resource.PATIENT, "")), pk)


NOT_SHOWN = ("body", "body_key", "source_key", "name_tokens", *(f.name for f in index_fields_of(Patient)))


def patient_shown(by: Actor, pk: UUID) -> Patient:
    """`patient_for` to look at and not to change: without the columns that no shape shows."""
    return one(Patient.objects.with_keys().filter(visible(by, Action.READ, Resource.PATIENT, "")).defer(*NOT_SHOWN), pk)


def patient_of(by: Actor, account_id: UUID) -> Patient | None:
    """The patient whose own account this is, if this actor may see them."""
    return patients_for(by, Action.READ).filter(account_id=account_id).first()


def own_patient_id(account_id: UUID) -> UUID | None:
    """The id of the patient whose own account this is: an id and nothing more."""
    return Patient.objects.filter(account_id=account_id).values_list("pk", flat=True).first()


def told_person(by: Actor, patient_id: UUID, action: Action) -> UUID:
    """The account of a patient about whose being told this actor may do this; NoAccount where there is none to tell."""
    found = one(Patient.objects.filter(visible(by, action, Resource.CONTACT_PREFERENCE, "")).only("pk", "account_id"), patient_id)
    if found.account_id is None:
        raise NoAccount()
    return found.account_id


def resources_for(by: Actor, patient_id: UUID, kind: str = "") -> QuerySet[ClinicalResource]:
    """What the record holds, of one type if given; Missing when this actor may not see the record's content."""
    one(Patient.objects.filter(visible(by, Action.SEARCH, Resource.CLINICAL_RESOURCE, "")).only("pk"), patient_id)
    found = ClinicalResource.objects.filter(visible(by, Action.SEARCH, Resource.CLINICAL_RESOURCE), patient_id=patient_id)
    return found.filter(type=kind) if kind else found


def resource_for(by: Actor, patient_id: UUID, pk: UUID) -> ClinicalResource:
    """One resource of the record, or Missing."""
    allowed = ClinicalResource.objects.with_keys().filter(visible(by, Action.READ, Resource.CLINICAL_RESOURCE))
    return one(allowed.filter(patient_id=patient_id), pk)


def billing_for(by: Actor, patient_id: UUID) -> QuerySet[ClinicalResource]:
    """What a bill for this patient is made of; Missing when this actor bills nobody."""
    one(Patient.objects.filter(visible(by, Action.SEARCH, Resource.BILLING, "")).only("pk"), patient_id)
    allowed = visible(by, Action.SEARCH, Resource.BILLING)
    return ClinicalResource.objects.filter(allowed, patient_id=patient_id, type__in=BILLED)


def practitioner_of(account_id: UUID | None) -> Practitioner | None:
    """Who gives care under this account."""
    return Practitioner.objects.filter(account_id=account_id).first() if account_id else None


def practitioners() -> QuerySet[Practitioner]:
    """Who works here: no health data, so open to everybody who is signed in."""
    return Practitioner.objects.exclude(account_id=None).select_related("organization").prefetch_related("licenses")


def licenses(*, practitioner_id: UUID | None = None, state: str = "", on: date | None = None) -> QuerySet[License]:
    """Licences of who works here: no health data, so open to everybody who is signed in."""
    found = License.objects.filter(_leave(state, on), practitioner__account_id__isnull=False)
    return found.filter(practitioner_id=practitioner_id) if practitioner_id else found


def license_exceptions(*, practitioner_id: UUID | None = None, state: str = "", on: date | None = None) -> QuerySet[LicenseException]:
    """The exceptions of the law, theirs and everybody's; of one practitioner those that cover them."""
    covers = Q(practitioner_id=practitioner_id) | Q(practitioner=None) if practitioner_id else Q()
    return LicenseException.objects.filter(_leave(state, on), covers)


def _leave(state: str, on: date | None) -> Q:
    there = Q(state=state_code(state)) if state else Q()
    return there & (Q(valid_from__lte=on) & (Q(valid_to=None) | Q(valid_to__gte=on)) if on else Q())


def grants_for(by: Actor, patient_id: UUID) -> QuerySet[ProxyGrant]:
    """Who acts, or acted, for this patient."""
    one(Patient.objects.filter(visible(by, Action.SEARCH, Resource.PROXY_GRANT, "")).only("pk"), patient_id)
    return ProxyGrant.objects.filter(patient_id=patient_id)


def guardians_of_minors(by: Actor) -> list[UUID]:
    """Ids of the grants that end when somebody comes of age, for the sweep."""
    lasts = Q(ends_at=None) | Q(ends_at__gt=now())
    return list(ProxyGrant.objects.filter(lasts, of_minor=True).order_by("pk").values_list("pk", flat=True)) if by == SYSTEM else []


def invitation_for(by: Actor, pk: UUID) -> Invitation:
    """An invitation that this actor made, for a patient they may still see; or Missing."""
    patients = Patient.objects.filter(visible(by, Action.CREATE, Resource.INVITATION, "")).values("pk")
    return one(Invitation.objects.filter(Q(invited_by=by.id), patient__in=patients), pk)


def emergencies_for(by: Actor) -> QuerySet[EmergencyAccess]:
    """The emergencies that this actor declared; everybody's for who reviews them."""
    held = granted(by, Action.SEARCH, Resource.EMERGENCY_ACCESS)
    every = EmergencyAccess.objects.with_keys()
    if Scope.ALL in held:
        return every
    return every.filter(account=by.account) if held else every.none()


def emergency_for(by: Actor, pk: UUID) -> EmergencyAccess:
    """One of them, or Missing."""
    return one(emergencies_for(by), pk)


def standing_emergency(by: Actor, patient_id: UUID) -> EmergencyAccess | None:
    """The declared emergency by which this session sees the record now."""
    if patient_id not in by.emergency:
        return None
    return EmergencyAccess.objects.filter(account=by.account, patient_id=patient_id, ends_at__gt=now()).order_by("-ends_at").first()


def staff_records_for(by: Actor, action: Action = Action.SEARCH) -> QuerySet[StaffRecord]:
    """Which of the staff are, or were, patients, for who may know."""
    return StaffRecord.objects.filter(visible(by, action, Resource.STAFF_RECORD))


def staff_records_of(by: Actor, patient_id: UUID) -> QuerySet[StaffRecord]:
    """Which of the staff is, or was, this patient; Missing when this actor may not know."""
    one(Patient.objects.filter(visible(by, Action.SEARCH, Resource.STAFF_RECORD, "")).only("pk"), patient_id)
    return staff_records_for(by).filter(patient_id=patient_id)


def consents_for(by: Actor, patient_id: UUID) -> QuerySet[Consent]:
    """What was consented to for this patient; a proxy does not learn of what only the patient decides."""
    patient = one(Patient.objects.filter(visible(by, Action.SEARCH, Resource.CONSENT, "")).only("pk", "account_id"), patient_id)
    found = Consent.objects.filter(patient=patient)
    return found if patient.account_id == by.id else found.exclude(label__in=tokens(patient.pk, HIDDEN_FROM_PROXIES))


def consents_over(by: Actor, since: datetime) -> set[UUID]:
    """Ids of the consents to this actor, of people they care for, that were withdrawn or ended since then."""
    if Scope.CARE not in granted(by, Action.SEARCH, Resource.CLINICAL_RESOURCE):
        return set()
    at = now()
    over = Q(withdrawn_at__gt=since) | Q(ends_at__gt=since, ends_at__lte=at)
    return set(Consent.objects.filter(over, addressed_to(by), patient__in=cared_for(by, at)).values_list("pk", flat=True))


def consent_for(by: Actor, patient_id: UUID, pk: UUID) -> Consent:
    """One that this actor gave, or recorded, or Missing."""
    mine = Consent.objects.filter(visible(by, Action.CREATE, Resource.CONSENT), patient_id=patient_id, given_by=by.account)
    return one(mine, pk)


def consent_of(by: Actor, patient_id: UUID, pk: UUID) -> Consent:
    """One of the patient's that this actor is shown, or Missing."""
    return one(consents_for(by, patient_id), pk)


def decides_alone(by: Actor, patient_id: UUID) -> bool:
    """Whether it is the actor's own record, about which there is nothing that they do not decide; Missing for who consents to
    nothing in it."""
    patients = Patient.objects.filter(visible(by, Action.CREATE, Resource.CONSENT, "")).only("pk", "account_id")
    return one(patients, patient_id).account_id == by.id


def sharing_for(by: Actor) -> QuerySet[Patient]:
    """The patients whose consents this actor sees and gives, with their names."""
    return Patient.objects.filter(visible(by, Action.SEARCH, Resource.CONSENT, "")).only("pk", "family", "given").order_by("pk")


def evidence_of(asked: Destruction) -> bool:
    """Whether the ledger has, under genuine MACs, that one person asked for this destruction and another approved it."""
    people = {Act.DESTRUCTION_REQUESTED: asked.requested_by, Act.DESTRUCTION_APPROVED: asked.approved_by}
    if asked.approved_by is None or asked.approved_by == asked.requested_by:
        return False
    entries = Entry.objects.filter(
        kind=asked._meta.label, object_pk=str(asked.pk), record_id=asked.patient_id, outcome="ok", act__in=people
    )
    return {entry.act for entry in entries if entry.actor_id == people[Act(entry.act)] and entry.is_genuine()} == set(people)


def held_by_the_ledger(patient_id: UUID) -> bool:
    """Whether a hold on this record was placed, by a genuine entry, that no genuine entry has lifted: whatever its row says now."""
    acts = Entry.objects.filter(record_id=patient_id, kind=LegalHold._meta.label, act__in=(Act.HOLD_PLACED, Act.HOLD_LIFTED))
    genuine = [entry for entry in acts if entry.is_genuine()]
    placed, lifted = ({each.object_pk for each in genuine if each.act == act} for act in (Act.HOLD_PLACED, Act.HOLD_LIFTED))
    return bool(placed - lifted)


def care_for(by: Actor, patient_id: UUID) -> QuerySet[CareRelationship]:
    """Who cares for this patient, or did."""
    one(Patient.objects.filter(visible(by, Action.SEARCH, Resource.CARE_RELATIONSHIP, "")).only("pk"), patient_id)
    return CareRelationship.objects.filter(patient_id=patient_id)


def one_care_for(by: Actor, patient_id: UUID, pk: UUID) -> CareRelationship:
    """One of these reasons, or Missing."""
    return one(care_for(by, patient_id), pk)


def coverings_for(by: Actor, practitioner_id: UUID) -> QuerySet[Covering]:
    """Who stands in for this practitioner, for who arranges it."""
    mine = Practitioner.objects.all()
    if Scope.ALL not in granted(by, Action.SEARCH, Resource.PANEL):
        mine = mine.filter(account_id=by.account)
    return Covering.objects.filter(covered=one(mine, practitioner_id))


def coverings_by(by: Actor) -> QuerySet[Covering]:
    """What this actor arranges: their own cover, or everybody's."""
    held = granted(by, Action.ACT, Resource.PANEL)
    if Scope.ALL in held:
        return Covering.objects.all()
    return Covering.objects.filter(covered__account_id=by.account) if Scope.OWN in held else Covering.objects.none()


def one_covering_for(by: Actor, practitioner_id: UUID, pk: UUID) -> Covering:
    """One of them, or Missing."""
    return one(coverings_for(by, practitioner_id), pk)


def offer_for(by: Actor, patient_id: UUID, pk: UUID) -> ProxyOffer:
    """What was offered to somebody who is to act for this patient, or Missing."""
    return one(ProxyOffer.objects.filter(visible(by, Action.CREATE, Resource.PROXY_GRANT), patient_id=patient_id), pk)
