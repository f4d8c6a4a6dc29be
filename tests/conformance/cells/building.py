"""The clinic made: pia's record and ned's with one of each thing in both, and everybody of the oracle's list signed in."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.cache import cache

from audit.ledger import uuid7
from prescribing import demo
from telehealth.accounts import totp
from telehealth.accounts.models import Session, TOTPDevice, User
from telehealth.accounts.models.people import PATIENT_SIDE
from telehealth.core import now
from telehealth.core.demo import DemoClinic
from telehealth.records import labels
from telehealth.records.labels import Category
from telehealth.records.models import (
    CareRelationship,
    Covering,
    EmergencyAccess,
    Patient,
    Practitioner,
    ProxyGrant,
)
from tests.cast import make_patient, make_practitioner
from tests.conformance.cells.clinic import HOUR, PASSWORD, Clinic, signed_in
from tests.conformance.cells.oracle import PEOPLE, Who
from tests.conformance.cells.things import things_of


def build() -> Clinic:
    """Needs a unit and a transaction."""
    cache.clear()
    made = Clinic()
    demo.make(DemoClinic())
    for who in PEOPLE:
        _account(made, who)
    patients = {name: make_patient(*names, made.accounts[name]) for name, names in (("pia", ("Quill", "Pia")), ("ned", ("Nettle", "Ned")))}
    for name, doctor in (("pia", "dr_cho"), ("ned", "dr_dee")):
        made.things[name] = things_of(made, name, patients[name], made.doctors[doctor])
    _relations(made, patients)
    made.things["nowhere"] = {name: uuid7() for name in made.things["pia"]}
    for who in PEOPLE:
        made.browsers[who.name] = signed_in(made, who)
    return made


def _account(made: Clinic, who: Who) -> None:
    user = User(email=f"{who.name}@people.example", role=who.role, name="" if who.role in PATIENT_SIDE else who.name)
    user.set_password(PASSWORD)
    user.save()
    made.accounts[who.name] = user.pk
    made.seeds[who.name] = totp.new_seed()
    TOTPDevice.objects.create(user=user, seed=made.seeds[who.name], confirmed=True)
    if who.role == "provider":
        made.doctors[who.name] = make_practitioner(who.name, "Dr", user.pk)


def _relations(made: Clinic, patients: dict[str, Patient]) -> None:
    """What the oracle's list says of everybody, as rows; what was lost too."""
    moment, pia, ned = now(), patients["pia"], patients["ned"]
    for who in PEOPLE:
        for record, scopes in who.grants.items():
            relationship = "guardian" if record in who.guardian else "delegate"
            grant = _grant(patients[record], made.accounts[who.name], relationship, list(scopes))
            made.things[record].setdefault("grant", grant)
            made.things[record][f"grant:{who.name}"] = grant
    _grant(pia, made.accounts["exa"], "guardian", ["record"], starts_at=moment - 2 * HOUR, ends_at=moment - HOUR)
    made.things["pia"]["care"] = _care(pia, made.doctors["dr_cho"])
    made.things["ned"]["care"] = _care(ned, made.doctors["dr_dee"], ends_at=moment - timedelta(seconds=1))
    _care(pia, made.doctors["dr_exb"], ends_at=moment - timedelta(seconds=1))
    for record in patients:
        made.things[record]["session"] = Session.objects.create(account_id=made.accounts[record], kind=Session.Kind.BROWSER).pk
    for who, starts, ends in (("dr_cov", -1, 1), ("dr_exc", -2, -1), ("dr_fut", 1, 2)):
        row = Covering.objects.create(covered=made.doctors["dr_cho"], covering=made.doctors[who], arranged_by=made.accounts["admin"],
                                      starts_at=moment + starts * HOUR, ends_at=moment + ends * HOUR)  # fmt: skip
        made.things["pia"].setdefault("covering", row.pk)
    made.things["ned"]["covering"] = Covering.objects.create(
        covered=made.doctors["dr_dee"], covering=made.doctors["dr_els"], arranged_by=made.accounts["admin"],
        starts_at=moment, ends_at=moment + HOUR,
    ).pk  # fmt: skip
    made.things["pia"]["emergency"] = _emergency(pia, made.accounts["dr_btg"], moment)
    made.things["ned"]["emergency"] = _emergency(ned, made.accounts["nat"], moment)
    _emergency(pia, made.accounts["dr_exb"], moment - timedelta(minutes=61))
    _emergency(pia, made.accounts["dr_els"], moment)


def _grant(patient: Patient, account: UUID, relationship: str, scopes: list[str], **period: datetime) -> UUID:
    period = {"starts_at": now() - HOUR, **period}
    return ProxyGrant.objects.create(patient=patient, proxy=account, relationship=relationship, scopes=scopes, **period).pk


def _care(patient: Patient, doctor: Practitioner, **period: Any) -> UUID:
    return CareRelationship.objects.create(
        patient=patient, practitioner=doctor, source="assignment", source_id=uuid7(), starts_at=now() - HOUR, **period
    ).pk


def _emergency(patient: Patient, account: UUID, at: datetime) -> UUID:
    seen = labels.tokens(patient.pk, set(Category) - {Category.PSYCHOTHERAPY})
    return EmergencyAccess.objects.create(
        patient=patient, account=account, reason_code="unresponsive", text="On the floor.", sees=seen, starts_at=at, ends_at=at + HOUR
    ).pk
