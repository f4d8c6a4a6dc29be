"""Writing a prescription, up to its signature."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction

from audit.ledger import Act, Actor, record, refuse, uuid7
from consults.models import Visit
from consults.states import Encounter
from prescribing import checks, rules, selectors
from prescribing.checks import Order
from prescribing.errors import (
    AlreadySigned,
    ControlledSubstance,
    NotADraft,
    OrderUnfit,
    UnknownMedication,
    UnknownPharmacy,
    VisitNotUnderWay,
)
from prescribing.machine import Event, Status, after
from prescribing.models import Medication, Pharmacy, Prescription
from telehealth.accounts.access import Action, Resource
from telehealth.core import one, permit
from telehealth.records.access import visible

UNDER_WAY = (Encounter.ARRIVED, Encounter.TRIAGED, Encounter.IN_PROGRESS, Encounter.ON_LEAVE)


@transaction.atomic
def prescribe(
    *,
    visit_id: UUID,
    medication: str,
    pharmacy: str,
    sig: str,
    quantity: Decimal,
    days_supply: int,
    refills: int = 0,
    substitution: bool = True,
    note: str = "",
    by: Actor,
) -> Prescription:
    """A draft, by the visit's provider while the visit is under way. `medication` by RxCUI, `pharmacy` by NCPDP ID.

    OrderUnfit names every fault of the order. Controlled substances are refused: EPCS needs a certification that
    this software does not have (21 CFR 1311).
    """
    rows = Visit.objects.filter(visible(by, Action.CREATE, Resource.PRESCRIPTION)).select_related("practitioner")
    visit = one(rows, visit_id)
    permit(by, rules.may_prescribe, visit)
    if visit.status not in UNDER_WAY:
        raise VisitNotUnderWay
    order = Order(sig=sig, note=note, quantity=quantity, days_supply=days_supply, refills=refills, substitution=substitution)
    drug = orderable(medication, order, visit.patient_id, by=by)
    made = Prescription.objects.create(
        patient_id=visit.patient_id,
        prescriber=visit.practitioner,
        visit=visit,
        medication=drug,
        pharmacy=reachable(pharmacy),
        number=f"RX{uuid7().hex}"[:35],
        **vars(order),
    )
    record(by, Act.PRESCRIPTION_WRITTEN, made)
    return made


def orderable(rxcui: str, order: Order, patient_id: UUID, *, by: Actor) -> Medication:
    """The medication, if this order of it may be written at all."""
    drug = Medication.objects.filter(rxcui=rxcui, is_active=True).first()
    if drug is None:
        raise UnknownMedication
    if drug.schedule:
        refuse(by, ControlledSubstance.code, kind="prescribing.Medication", pk=drug.pk, record_id=patient_id)
        raise ControlledSubstance
    if wrong := checks.faults(order, most=drug.most_quantity):
        raise OrderUnfit(reply={"errors": [{"field": field, "code": code} for field, code in wrong]})
    return drug


def reachable(ncpdp_id: str) -> Pharmacy:
    """The pharmacy, if prescriptions can go there."""
    found = Pharmacy.objects.filter(ncpdp_id=ncpdp_id, is_active=True).first()
    if found is None:
        raise UnknownPharmacy
    return found


@transaction.atomic
def discard(*, prescription_id: UUID, by: Actor) -> Prescription:
    """Give a draft up. What is signed stays: AlreadySigned."""
    prescription = locked(prescription_id, Action.ACT, by=by)
    prescription.status = following(prescription, Event.DISCARD)
    prescription.version += 1
    prescription.save(update_fields=["status", "version"])
    record(by, Act.PRESCRIPTION_DISCARDED, prescription)
    return prescription


def locked(prescription_id: UUID, action: Action, *, by: Actor) -> Prescription:
    """The writer's own prescription, held until the transaction ends."""
    rows = selectors.prescriptions_for(by, action).select_for_update(of=("self",))
    prescription = one(rows, prescription_id)
    permit(by, rules.may_sign, prescription)
    return prescription


def following(prescription: Prescription, event: Event) -> Status:
    """The state after what a person does; AlreadySigned or NotADraft when it cannot be done now."""
    status = after(prescription.status, event)
    if status is None:
        raise NotADraft if prescription.status == Status.CANCELLED else AlreadySigned
    return status
