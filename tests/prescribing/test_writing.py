"""Drafts: who may write them, and what may be written."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from audit.ledger import Act
from consults import services as visits
from prescribing import rules, selectors, services
from prescribing.errors import (
    AlreadySigned,
    ControlledSubstance,
    NotADraft,
    OrderUnfit,
    UnknownMedication,
    UnknownPharmacy,
    VisitNotUnderWay,
)
from prescribing.machine import Status
from prescribing.models import Medication, Pharmacy, Prescription
from telehealth.core.errors import Missing
from telehealth.records.models import CareRelationship
from tests.cast import Cast
from tests.prescribing.ward import ORDER, Ward

NOT_THE_PROVIDER = ("pia", "ned", "gus", "dr_dee", "nan", "desk", "biller", "privacy", "admin", "system")


def test_the_visit_s_provider_writes_a_draft(ward: Ward, acts: Any) -> None:
    made = ward.draft()
    assert (made.status, made.patient_id, made.prescriber_id) == (Status.DRAFT, ward.cast.pia_record.pk, ward.cast.cho.pk)
    assert acts()[-1] == Act.PRESCRIPTION_WRITTEN


def test_nobody_else_writes_one(ward: Ward, acts: Any) -> None:
    for who in NOT_THE_PROVIDER:
        with pytest.raises(Missing):
            services.prescribe(visit_id=ward.visit.pk, **ORDER, by=getattr(ward.cast, who))
        assert acts()[-1] == Act.REFUSED, who
    assert not Prescription.objects.exists()


def test_the_rules_say_yes_to_the_provider_alone(ward: Ward) -> None:
    draft = ward.draft()
    prescribing = {name for name, actor in ward.cast if rules.may_prescribe(actor, ward.visit)}
    signing = {name for name, actor in ward.cast if rules.may_sign(actor, draft)}
    assert (prescribing, signing) == ({"dr_cho"}, {"dr_cho"})


def test_care_for_the_patient_is_not_enough_in_another_s_visit(ward: Ward) -> None:
    CareRelationship.objects.create(
        patient=ward.cast.pia_record,
        practitioner=ward.cast.dee,
        source="assignment",
        source_id=ward.visit.pk,
        starts_at=ward.visit.created_at,
    )
    with pytest.raises(Missing):
        services.prescribe(visit_id=ward.visit.pk, **ORDER, by=ward.cast.dr_dee)


def test_controlled_substances_are_refused_on_record(ward: Ward, acts: Any) -> None:
    for schedule in ("II", "III", "IV", "V"):
        facts = {"name": "x", "form": "Oral Tablet", "unit": "C48542", "unit_name": "tablet", "most_quantity": 30}
        Medication.objects.create(rxcui=schedule, schedule=schedule, **facts)
        with pytest.raises(ControlledSubstance) as refusal:
            ward.draft(medication=schedule)
        assert (refusal.value.code, acts()[-1]) == ("epcs_disabled", Act.REFUSED)
    assert not Prescription.objects.exists()


def test_a_drug_that_became_controlled_since_is_not_signed(ward: Ward) -> None:
    draft = ward.draft()
    Medication.objects.filter(pk=draft.medication_id).update(schedule="IV")
    with pytest.raises(ControlledSubstance):
        services.sign(prescription_id=draft.pk, code=ward.code(), by=ward.cast.dr_cho)


def test_an_unfit_order_is_refused_with_every_fault(ward: Ward) -> None:
    with pytest.raises(OrderUnfit) as refusal:
        ward.draft(sig=" ", quantity=Decimal(91), refills=12)
    assert {(e["field"], e["code"]) for e in refusal.value.reply["errors"]} == {
        ("sig", "blank"),
        ("quantity", "too_large"),
        ("refills", "out_of_range"),
    }


def test_what_is_not_in_the_formulary_or_out_of_use_is_refused(ward: Ward) -> None:
    Medication.objects.filter(rxcui="197361").update(is_active=False)
    Pharmacy.objects.filter(ncpdp_id="2200025").update(is_active=False)
    for change, error in (
        ({"medication": "404"}, UnknownMedication),
        ({"medication": "197361"}, UnknownMedication),
        ({"pharmacy": "0000000"}, UnknownPharmacy),
        ({"pharmacy": "2200025"}, UnknownPharmacy),
    ):
        with pytest.raises(error):
            ward.draft(**change)


def test_nothing_is_written_before_or_after_the_visit(ward: Ward) -> None:
    visits.remove(visit_id=ward.visit.pk, by=ward.cast.dr_cho)
    with pytest.raises(VisitNotUnderWay):
        ward.draft()


def test_a_draft_is_seen_by_its_writer_alone_and_a_signed_one_by_those_with_a_reason(ward: Ward) -> None:
    draft, signed = ward.draft(), ward.signed()
    seen = {name: set(selectors.prescriptions_for(actor)) for name, actor in ward.cast}
    assert seen.pop("dr_cho") == {draft, signed}
    assert {name for name, rows in seen.items() if rows} == {"pia", "gus", "nan"}
    assert all(rows <= {signed} for rows in seen.values())


def test_a_draft_can_be_given_up_and_a_signed_one_cannot(ward: Ward, acts: Any) -> None:
    draft = ward.draft()
    assert services.discard(prescription_id=draft.pk, by=ward.cast.dr_cho).status == Status.CANCELLED
    assert acts()[-1] == Act.PRESCRIPTION_DISCARDED
    with pytest.raises(NotADraft):
        services.sign(prescription_id=draft.pk, code=ward.code(), by=ward.cast.dr_cho)
    with pytest.raises(AlreadySigned):
        services.discard(prescription_id=ward.signed().pk, by=ward.cast.dr_cho)


def test_the_database_knows_what_a_prescription_and_a_pharmacy_are(ward: Ward, cast: Cast) -> None:
    draft = ward.draft()
    draft.quantity = Decimal(-1)
    with pytest.raises(DatabaseError, match="prescription_quantity_is_positive"), transaction.atomic():
        draft.save(update_fields=["quantity"])
    draft.status = Status.QUEUED
    with pytest.raises(DatabaseError, match="prescription_signed_in_full_or_not_at_all"), transaction.atomic():
        draft.save(update_fields=["status"])
    with pytest.raises(DatabaseError, match="pharmacy_ncpdp_id_is_seven_digits"), transaction.atomic():
        Pharmacy.objects.create(ncpdp_id="12345", name="x", line="x", city="x", state="MA", postal_code="02169", phone="6175550100")
