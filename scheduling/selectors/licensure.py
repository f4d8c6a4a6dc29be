"""Whether a provider may treat somebody who is in some state: licences, and exceptions of the law. `LICENSURE` "off" asks for neither."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.expressions import RawSQL

from scheduling.errors import NotLicensed, StateUnknown
from scheduling.models import Appointment
from telehealth.records.models import License, LicenseException, Patient, Practitioner
from telehealth.records.states import state_code


def licensed_in(state: str, day: date) -> Q:
    """For a query of practitioners: those who may practise in this state on this day; an unknown state is nobody's."""
    if not is_enforced():
        return Q()
    there = Q(valid_to=None) | Q(valid_to__gte=day)
    there &= Q(state=state_code(state), valid_from__lte=day)
    licences = License.objects.filter(there, practitioner=OuterRef("pk"))
    exceptions = LicenseException.objects.filter(there, Q(practitioner=OuterRef("pk")) | Q(practitioner=None))
    return Q(Exists(licences)) | Q(Exists(exceptions))


def turning_days(state: str, first: date, last: date) -> list[date]:
    """The days after `first` and before `last` on which somebody's leave to practise in this state may begin, or has ended."""
    if not is_enforced():
        return []
    found: set[date] = set()
    for model in (License, LicenseException):
        for begins, ends in model.objects.filter(state=state_code(state)).values_list("valid_from", "valid_to"):
            found |= {begins, *([ends + timedelta(days=1)] if ends else [])}
    return sorted(day for day in found if first < day < last)


def is_enforced() -> bool:
    """Any value but "off" enforces: a slip of the pen closes."""
    return bool(settings.LICENSURE != "off")


def authorised(practitioner_id: UUID, state: str, day: date) -> bool:
    """Whether this practitioner may treat somebody who is in this state on this day."""
    return not is_enforced() or Practitioner.objects.filter(licensed_in(state, day), pk=practitioner_id).exists()


# By hand: through the ORM the two subqueries cost as much as a statement of their own.
_LEAVES = """ARRAY(
    SELECT concat_ws(' ', state, to_char(valid_from, 'YYYY-MM-DD'), to_char(valid_to, 'YYYY-MM-DD')) FROM (
        SELECT practitioner_id, state, valid_from, valid_to FROM records_license
        UNION ALL SELECT coalesce(practitioner_id, records_practitioner.id), state, valid_from, valid_to FROM records_licenseexception
    ) AS leave WHERE leave.practitioner_id = records_practitioner.id)"""


def with_leaves(practitioners: "QuerySet[Practitioner]") -> "QuerySet[Practitioner]":
    """Each with every leave to practise, its own and everybody's: `checked` needs no statement of its own then."""
    if not is_enforced():
        return practitioners
    return practitioners.annotate(leaves=RawSQL(_LEAVES, [], ArrayField(TextField())))  # noqa: S611  # our own names


def _among(leaves: Iterable[str], state: str, day: date) -> bool:
    """The same as `authorised`, of what was read with the practitioner."""
    there = [leave.split(" ")[1:] for leave in leaves if leave.startswith(f"{state} ")]
    return any(begins <= day.isoformat() <= (*ends, "9999-12-31")[0] for begins, *ends in there)


def check(practitioner_id: UUID, state: str, day: date, leaves: Iterable[str] | None = None) -> None:
    """StateUnknown for what is no state, NotLicensed unless the practitioner may practise there on that day."""
    if not is_enforced():
        return
    if not (there := state_code(state)):
        raise StateUnknown()
    if not (authorised(practitioner_id, there, day) if leaves is None else _among(leaves, there, day)):
        raise NotLicensed(practitioner=practitioner_id)


def checked(practitioner: Practitioner, patient: Patient, state: str, starts_at: datetime) -> str:
    """The state in which the patient will be, said or else that of their address, which opens the record; or as `check`."""
    there = place_of(patient, state)
    check(practitioner.pk, there, day_of(practitioner, starts_at), getattr(practitioner, "leaves", None))
    return there


def place_of(patient: Patient, said: str) -> str:
    """The state in which the patient will be, said or else that of their address, which opens the record; StateUnknown."""
    there = state_code(said) if said or not is_enforced() else home_state(patient)
    if is_enforced() and not there:
        raise StateUnknown()
    return there


def home_state(patient: Patient) -> str:
    """By the address in the record; empty when it names none."""
    return state_code(str((patient.address or {}).get("state") or ""))


def day_of(practitioner: Practitioner, at: datetime) -> date:
    """The day on which it is, by the provider's clocks."""
    return at.astimezone(ZoneInfo(practitioner.timezone)).date()


def authorised_for(appointment: Appointment) -> bool:
    """Whether the provider may still see the patient where the patient will be then; not when nobody knows where that is."""
    if not is_enforced():
        return True
    state = appointment.patient_state or home_state(appointment.patient)
    return authorised(appointment.practitioner_id, state, day_of(appointment.practitioner, appointment.starts_at))
