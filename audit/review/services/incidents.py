"""An incident from its discovery to its last notice (45 CFR 164.400-414)."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from audit.ledger import SYSTEM, Act, Actor, record
from audit.review import breach, rules, selectors
from audit.review.batches import in_batches
from audit.review.errors import DateAhead, IncidentDecided, NoNoticeDue, NotSurveyed, PeriodBackwards, SubjectUnknown
from audit.review.kinds import counted
from audit.review.models import Affected, Conclusion, Incident, Notice, Subject
from audit.review.selectors.incidents import Touched
from telehealth.accounts.access import Action, Role
from telehealth.accounts.models import User
from telehealth.core import now, one, permit
from telehealth.outbox.services import notify
from telehealth.records.models import Patient
from telehealth.records.states import state_code
from telehealth.vault.cipher import Broken
from telehealth.vault.errors import RecordDestroyed

BATCH = 500


@transaction.atomic
def open_incident(
    *, subject_kind: str, subject: str, starts_at: datetime, ends_at: datetime, discovered_on: date, by: Actor, summary: str = ""
) -> Incident:
    """Something was misused from then to then. The clock of the breach rule runs from the day of its discovery."""
    permit(by, rules.may_open_incident, None)
    kind = Subject(subject_kind)
    if ends_at < starts_at:
        raise PeriodBackwards
    if discovered_on > now().date() or starts_at > now():
        raise DateAhead
    made = Incident.objects.create(
        subject_kind=kind,
        subject=_named(kind, subject),
        starts_at=starts_at,
        ends_at=ends_at,
        discovered_on=discovered_on,
        summary=summary,
    )
    record(by, Act.INCIDENT_OPENED, made, reason=kind)
    return made


def _named(kind: Subject, said: str) -> str:
    if kind != Subject.ACCOUNT:
        return said
    try:
        return str(UUID(said))
    except ValueError:
        raise SubjectUnknown from None


@transaction.atomic
def survey_incident(*, incident_id: UUID, by: Actor) -> Incident:
    """Find everyone whose record the log names, with the kinds of data and the state they live in; count people, not
    records. Reading where somebody lives is an opening like any other, one per person."""
    incident = _held(incident_id, by, Action.ACT)
    if incident.verdict:
        raise IncidentDecided
    touched = selectors.touched_by(incident)
    Affected.objects.filter(incident=incident).delete()
    states: dict[UUID, str] = {}
    for batch in in_batches(touched, BATCH):
        states |= _store(incident, {pk: touched[pk] for pk in batch})
    people = _by_person(touched, selectors.people_of(list(touched)))
    incident.people, incident.surveyed_at = len(people), now()
    incident.counts = {
        "states": dict(sorted(Counter(_home(person, records, states) for person, records in people.items()).items())),
        "kinds": counted(set().union(*(touched[each].kinds for each in records)) for records in people.values()),
    }
    incident.save(update_fields=["people", "surveyed_at", "counts"])
    record(by, Act.INCIDENT_SURVEYED, incident, detail={"people": incident.people, "records": len(touched)})
    return incident


def _by_person(touched: Mapping[UUID, Touched], persons: Mapping[UUID, UUID]) -> dict[UUID, list[UUID]]:
    found: dict[UUID, list[UUID]] = {}
    for each in touched:
        found.setdefault(persons[each], []).append(each)
    return found


def _home(person: UUID, records: list[UUID], states: Mapping[UUID, str]) -> str:
    """Where the person's own record says, else where a duplicate does."""
    return next((states[each] for each in sorted(records, key=lambda pk: pk != person) if states.get(each)), "")


def _store(incident: Incident, touched: Mapping[UUID, Touched]) -> dict[UUID, str]:
    """The rows of one batch; says who lives where. A record whose key was destroyed tells nothing, and counts all the same."""
    states, rows = {}, []
    for patient in Patient.objects.filter(pk__in=selectors.keyed(touched)):
        try:
            states[patient.pk] = state_code(str((patient.address or {}).get("state") or ""))
        except (Broken, RecordDestroyed):
            continue
        rows.append(_row(incident, patient.pk, touched[patient.pk], states[patient.pk]))
    Affected.objects.bulk_create(rows)
    return states


def _row(incident: Incident, patient_id: UUID, told: Touched, state: str) -> Affected:
    return Affected(
        incident=incident,
        patient_id=patient_id,
        first_at=told.first_at,
        last_at=told.last_at,
        entries=told.entries,
        kinds=sorted(told.kinds),
        state=state,
    )


@transaction.atomic
def assess_incident(
    *, incident_id: UUID, verdict: str, assessment: Mapping[str, str], by: Actor, delayed_until: date | None = None
) -> Incident:
    """What it was, by the four factors of 164.402(2), in words that stay sealed. Once: it stands on the survey before it."""
    incident = _held(incident_id, by, Action.ACT)
    if incident.verdict:
        raise IncidentDecided
    if incident.surveyed_at is None:
        raise NotSurveyed
    incident.verdict, incident.assessed_at = Conclusion(verdict), now()
    incident.assessment, incident.delayed_until = dict(assessment), delayed_until
    incident.save(update_fields=["verdict", "assessed_at", "assessment", "delayed_until"])
    record(by, Act.INCIDENT_ASSESSED, incident, reason=incident.verdict)
    return incident


@transaction.atomic
def note_notice(*, incident_id: UUID, notice: str, told_on: date, by: Actor) -> Incident:
    """A notice that was owed has been given."""
    incident = _held(incident_id, by, Action.ACT)
    if notice not in {duty.notice for duty in selectors.duties_of(incident)}:
        raise NoNoticeDue
    if told_on > now().date():
        raise DateAhead
    column = f"{Notice(notice)}_told_on"
    setattr(incident, column, told_on)
    incident.save(update_fields=[column])
    record(by, Act.INCIDENT_NOTICE_GIVEN, incident, reason=notice)
    return incident


@transaction.atomic
def remind_of_incidents(*, by: Actor = SYSTEM) -> int:
    """On days 30, 45 and 55 after a discovery the privacy officers are told, once each, while somebody is still owed a
    notice or nobody has assessed it. Says how many incidents that were."""
    due = [incident for incident in Incident.objects.select_for_update() if _unsettled(incident)]
    late = [each for each in due if breach.day_reached(each.discovered_on, now().date()) > each.reminded_day]
    for incident in late:
        incident.reminded_day = breach.day_reached(incident.discovered_on, now().date())
        incident.save(update_fields=["reminded_day"])
        for officer in User.objects.filter(role=Role.PRIVACY_OFFICER, is_active=True).values_list("pk", flat=True):
            notify(person_id=officer, kind="incident_due", about_id=incident.pk)
        record(by, Act.INCIDENT_REMINDED, incident, detail={"day": incident.reminded_day})
    return len(late)


def _unsettled(incident: Incident) -> bool:
    if not incident.verdict:
        return True
    return any(getattr(incident, f"{duty.notice}_told_on") is None for duty in selectors.duties_of(incident))


def _held(incident_id: UUID, by: Actor, action: Action) -> Incident:
    return one(selectors.incidents_for(by, action).select_for_update(), incident_id)


@transaction.atomic
def read_affected(*, incident_id: UUID, by: Actor) -> Incident:
    """A privacy officer looks at the list of everyone affected: each is opened, and the asking is on record too."""
    incident = one(selectors.incidents_for(by), incident_id)
    record(by, Act.LEDGER_READ, incident)
    return incident
