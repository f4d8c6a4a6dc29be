"""Leave to practise in a state, given and ended by administrators who have seen the papers: licences, and exceptions of the law."""

from datetime import date
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.ledger import Act, Actor, record
from telehealth.core import one, permit
from telehealth.records import rules
from telehealth.records.errors import LicenseOdd
from telehealth.records.models import License, LicenseBasis, LicenseException, Practitioner
from telehealth.records.states import state_code

Leave = TypeVar("Leave", License, LicenseException)


@transaction.atomic
def give_license(*, practitioner_id: UUID, state: str, valid_from: date, by: Actor, valid_to: date | None = None) -> License:
    """This practitioner is licensed there from the first day to the last; LicenseOdd for what is no state, no period, or there already."""
    permit(by, rules.may_license, None)
    whose = one(Practitioner.objects.all(), practitioner_id)
    made = License(practitioner=whose, state=_known(state), valid_from=valid_from, valid_to=valid_to)
    return _save(made, "given", by)


@transaction.atomic
def end_license(*, license_id: UUID, last_day: date | None, by: Actor) -> License:
    """It holds up to and with this day, or with None until further notice. What is booked after is refused at the visit's start."""
    permit(by, rules.may_license, None)
    held = one(License.objects.select_for_update(of=("self",)), license_id)
    held.valid_to = last_day
    return _save(held, "ended", by)


@transaction.atomic
def give_exception(
    *, state: str, basis: str, valid_from: date, by: Actor, practitioner_id: UUID | None = None, valid_to: date | None = None
) -> LicenseException:
    """The practitioner, or everybody of the clinic, may practise there by this basis for so long; LicenseOdd as for a licence."""
    permit(by, rules.may_license, None)
    if basis not in LicenseBasis.values:
        raise LicenseOdd
    whose = one(Practitioner.objects.all(), practitioner_id) if practitioner_id else None
    made = LicenseException(practitioner=whose, state=_known(state), basis=basis, valid_from=valid_from, valid_to=valid_to)
    return _save(made, "given", by)


@transaction.atomic
def end_exception(*, exception_id: UUID, last_day: date | None, by: Actor) -> LicenseException:
    """It holds up to and with this day, or with None until further notice."""
    permit(by, rules.may_license, None)
    held = one(LicenseException.objects.select_for_update(of=("self",)), exception_id)
    held.valid_to = last_day
    return _save(held, "ended", by)


def _known(state: str) -> str:
    if not (code := state_code(state)):
        raise LicenseOdd
    return code


def _save(leave: Leave, what: str, by: Actor) -> Leave:
    try:
        with transaction.atomic():
            leave.save()
    except IntegrityError as violation:
        raise LicenseOdd from violation
    whose = str(leave.practitioner_id) if leave.practitioner_id else "everybody"
    record(by, Act.LICENSE_CHANGED, leave, detail={"what": what, "practitioner": whose, "state": leave.state})
    return leave
