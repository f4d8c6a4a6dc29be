"""A visit begins: it is opened for an appointment, and the patient checks in from where they are."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from audit.ledger import Act, Actor, record, refuse
from consults import rules, selectors
from consults.errors import (
    CheckInNotOpen,
    ConsentRequired,
    IdentityNotConfirmed,
    LocationRequired,
    NotLicensedThere,
    PatientDeceased,
    VisitEnded,
)
from consults.mailboxes import sealing
from consults.models import Participant, Visit
from consults.services import steps
from consults.states import Event, Waiting
from scheduling.models import Appointment
from scheduling.selectors import licensure
from telehealth.accounts.access import Action, Resource
from telehealth.core import lock, now, one, permit
from telehealth.records.access import visible

CLOSES_AFTER_END = timedelta(hours=12)
LOCATION = ("line", "city", "state", "postal_code")


@transaction.atomic
def open_visit(*, appointment_id: UUID, by: Actor) -> Visit:
    """Start checking in for an appointment. The same visit again while it lives; an abandoned one is taken up anew."""
    rows = Appointment.objects.filter(visible(by, Action.CREATE, Resource.VISIT))
    appointment = one(rows.select_related("patient", "visit_type", "practitioner"), appointment_id)
    if appointment.patient.is_deceased:
        raise PatientDeceased
    lock(appointment.pk)
    visit = _visit_of(appointment)
    if visit is not None and visit.ended:
        raise VisitEnded
    if visit is None:
        _in_time(appointment)
        visit = Visit.objects.create(
            appointment=appointment,
            patient=appointment.patient,
            practitioner=appointment.practitioner,
            signal_key=sealing.new_key(),
        )
    if visit.waiting in (Waiting.EXPECTED, Waiting.ABANDONED):
        _expect(visit, by)
        steps.move(visit, Event.OPEN, by=by)
        record(by, Act.VISIT_OPENED, visit)
    return visit


def _visit_of(appointment: Appointment) -> Visit | None:
    rows = Visit.objects.select_related("patient", "practitioner", "appointment").select_for_update(of=("self",))
    return rows.filter(appointment=appointment).first()


def _in_time(appointment: Appointment) -> None:
    opens = appointment.checkin_opens_at
    if not opens <= now() <= appointment.ends_at + CLOSES_AFTER_END:
        raise CheckInNotOpen(reply={"opens_at": opens.isoformat()})


def _expect(visit: Visit, by: Actor) -> None:
    """The places of those who are known already: the provider, the patient, and who acts for the patient now."""
    wanted = {visit.practitioner.account_id: Participant.Role.PROVIDER, visit.patient.account_id: Participant.Role.PATIENT}
    if rules.may_take_part(by, visit):
        wanted.setdefault(by.id, rules.role_in(by, visit))
    for account, role in wanted.items():
        if account is not None:
            Participant.objects.get_or_create(visit=visit, account_id=account, defaults={"role": role})


@transaction.atomic
def check_in(
    *,
    visit_id: UUID,
    identity: Mapping[str, Any],
    location: Mapping[str, str],
    callback: str,
    others_present: str,
    consents: Sequence[Mapping[str, str]],
    by: Actor,
) -> Visit:
    """Ready to be seen: who it is, where they are, what they consented to. No address, no visit; no licence there, no visit."""
    visit = steps.locked(selectors.visits_for(by, Action.ACT), visit_id)
    permit(by, rules.may_check_in, visit)
    _complete_answers(identity, location, consents)
    licensed_there(visit, location["state"], by)
    moment = now().isoformat()
    visit.location = {part: location[part].strip() for part in LOCATION}
    visit.callback, visit.others_present = callback, others_present
    visit.identity = {"method": identity["method"], "by": str(by.id), "at": moment}
    visit.consents = [{"code": c["code"], "version": c["version"], "by": str(by.id), "at": moment} for c in consents]
    steps.move(visit, Event.CHECK_IN, "location", "callback", "others_present", "identity", "consents", by=by)
    record(by, Act.VISIT_CHECKED_IN, visit)
    return visit


def _complete_answers(identity: Mapping[str, Any], location: Mapping[str, str], consents: Sequence[Mapping[str, str]]) -> None:
    if not all(str(location.get(part, "")).strip() for part in LOCATION):
        raise LocationRequired
    if identity.get("confirmed") is not True:
        raise IdentityNotConfirmed
    given = {(consent["code"], consent["version"]) for consent in consents}
    if not set(settings.VISIT_CONSENTS.items()) <= given:
        raise ConsentRequired


def licensed_there(visit: Visit, state: str, by: Actor) -> None:
    """Refuse, and record it, unless the provider may practise now in the state where the patient is."""
    if not licensure.authorised(visit.practitioner_id, state, licensure.day_of(visit.practitioner, now())):
        refuse(by, NotLicensedThere.code, kind=visit._meta.label, pk=visit.pk, record_id=visit.record_id)
        raise NotLicensedThere
