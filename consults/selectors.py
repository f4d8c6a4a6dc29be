"""Reads of visits and notes, narrowed to what the actor may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from audit.ledger import SYSTEM, Actor
from consults.errors import NotInThisState
from consults.models import Note, Participant, Visit
from consults.states import ENDED, QUEUED, Encounter, Waiting
from consults.states import Appointment as Stage
from scheduling.models import Appointment
from scheduling.selectors import appointments_for
from telehealth.accounts.access import Action, Resource, Role
from telehealth.accounts.models import Session
from telehealth.core import now, one
from telehealth.records.access import visible
from telehealth.records.labels import Category, token
from telehealth.records.models import Patient

NOT_HERE = (Waiting.EXPECTED, Waiting.ABANDONED)
CUT_OFF = timedelta(minutes=2)  # who lost the connection so lately is still in the visit


def visits_for(by: Actor, action: Action = Action.READ) -> QuerySet[Visit]:
    """The visits of the records that this actor has a reason to see."""
    return Visit.objects.filter(visible(by, action, Resource.VISIT)).select_related("patient", "practitioner", "appointment")


def visit_for(by: Actor, pk: UUID, action: Action = Action.READ) -> Visit:
    """One visit, or Missing."""
    return one(visits_for(by, action), pk)


def still_sees(by: Actor, visit_id: UUID) -> bool:
    """Whether the reason for which this actor took a seat lasts: a grant may be revoked, a care relationship end."""
    return Visit.objects.filter(visible(by, Action.ACT, Resource.VISIT), pk=visit_id).exists()


def waiting_room_for(by: Actor) -> QuerySet[Visit]:
    """Who waits or is being seen: a provider's own visits, everybody's for nurses and the front desk."""
    rows = Visit.objects.filter(visible(by, Action.SEARCH, Resource.WAITING_ROOM)).exclude(status__in=ENDED)
    if by.role == Role.PROVIDER:
        rows = rows.filter(practitioner__account_id=by.id)
    return rows.exclude(waiting=Waiting.ABANDONED).select_related("patient", "practitioner", "appointment")


def day_for(by: Actor) -> QuerySet[Appointment]:
    """Today's appointments by the clocks of the reader's time zone, with their visits: a provider's own, else all they may see."""
    midnight = datetime.combine(timezone.localdate(), time.min, timezone.get_current_timezone())
    rows = appointments_for(by, since=midnight, until=midnight + timedelta(days=1)).exclude(status=Stage.CANCELLED)
    rows = rows.filter(visible(by, Action.SEARCH, Resource.WAITING_ROOM))
    if by.role == Role.PROVIDER:
        rows = rows.filter(practitioner__account_id=by.id)
    return rows.select_related("visit").prefetch_related("patient").order_by("starts_at", "pk")


def upcoming_for(by: Actor) -> QuerySet[Appointment]:
    """What lies ahead or goes on, with its visit."""
    rows = appointments_for(by, since=now()).exclude(status=Stage.CANCELLED)
    return rows.select_related("visit").order_by("starts_at", "pk")


def has_signed_note(by: Actor, visit_id: UUID) -> bool:
    """Whether the actor has signed this visit's note, which completing asks for: a psychotherapy note is kept apart and is none."""
    visit = Visit.objects.filter(pk=visit_id).only("patient_id").first()
    own = notes_for(by, visit_id).filter(Q(author_id=by.id), status=Note.Status.SIGNED, amends=None)
    return visit is not None and own.exclude(kept_apart(visit.patient_id)).exists()


def kept_apart(patient_id: UUID) -> Q:
    """This patient's psychotherapy notes, which are no part of the record that patients take home (45 CFR 164.501, 164.524(a)(1)(i))."""
    return Q(labels__contains=[token(patient_id, Category.PSYCHOTHERAPY)])


def position_of(visit: Visit) -> int | None:
    """The visit's place in its provider's queue, 1 for next; None when it does not queue."""
    if visit.waiting not in QUEUED or visit.checked_in_at is None:
        return None
    before = Q(checked_in_at__lt=visit.checked_in_at) | Q(checked_in_at=visit.checked_in_at, pk__lt=visit.pk)
    queue = Visit.objects.filter(before, practitioner_id=visit.practitioner_id, waiting__in=QUEUED)
    return queue.exclude(status__in=ENDED).count() + 1


def notes_for(by: Actor, visit_id: UUID | None = None) -> QuerySet[Note]:
    """Notes of the records that this actor may see, if a consent covers their labels or they are this actor's own; drafts only to
    their authors."""
    rows = Note.objects.filter(visible(by, Action.READ, Resource.NOTE))
    rows = rows.filter(Q(status=Note.Status.SIGNED) | Q(author_id=by.id))
    return rows if visit_id is None else rows.filter(visit_id=visit_id)


def notes_of(by: Actor, visit_id: UUID) -> QuerySet[Note]:
    """One visit's notes, newest first; Missing when the visit is not this actor's to see."""
    one(_visits_whose(Resource.NOTE, by).only("pk"), visit_id)
    return notes_for(by, visit_id).order_by("-id")


def note_for(by: Actor, pk: UUID) -> Note:
    """One note, or Missing."""
    return one(notes_for(by), pk)


@dataclass(frozen=True)
class Summary:
    """What the patient takes home: the visit and its signed notes in the order of signing."""

    visit: Visit
    notes: Sequence[Note]


def summary_for(by: Actor, visit_id: UUID) -> Summary:
    """A finished visit's summary; NotInThisState before it is finished, Missing when it is not this actor's to see."""
    visit = one(_visits_whose(Resource.SUMMARY, by).select_related("practitioner", "appointment"), visit_id)
    if visit.status != Encounter.FINISHED:
        raise NotInThisState
    shown = visit.notes.filter(visible(by, Action.READ, Resource.SUMMARY), status=Note.Status.SIGNED)
    return Summary(visit, list(shown.exclude(kept_apart(visit.patient_id)).order_by("signed_at", "id")))


def _visits_whose(resource: Resource, by: Actor) -> QuerySet[Visit]:
    """The visits of the patients of whom this actor may read such things; which of them is narrowed by their own labels."""
    return Visit.objects.filter(patient__in=Patient.objects.filter(visible(by, Action.READ, resource, "")).values("pk"))


def is_in_visit(account_id: UUID) -> bool:
    """`SESSION_HELD_BY`: whether this account is in a visit in progress, or was cut off from one a moment ago."""
    here = Q(left_at=None) | Q(left_at__gt=now() - CUT_OFF)
    return Participant.objects.filter(here, account_id=account_id, joined_at__isnull=False, visit__ended_at=None).exists()


@dataclass(frozen=True)
class Standing:
    """Where one participant stands in the visit at this moment: ids, states and the members admitted with them."""

    visit: UUID
    member: UUID
    role: str
    admitted: bool
    connected: bool
    waiting: str
    status: str
    version: int
    position: int | None
    others: tuple[tuple[UUID, str], ...]  # connected and admitted

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def removed(self) -> bool:
        return self.waiting == Waiting.REMOVED and self.role != Participant.Role.PROVIDER


def admitted(participants: Sequence[Participant], visit: Visit) -> list[Participant]:
    """Who may exchange signalling now: nobody once it ended; patients while they are let in."""
    if visit.ended:
        return []
    return [p for p in participants if p.role == Participant.Role.PROVIDER or (p.admitted and visit.lets_patients_in)]


def rights_of(visit_id: UUID) -> tuple[int, list[UUID]]:
    """The visit's version and who is admitted, as one statement sees them: what Redis keeps for some seconds."""
    everyone = list(Participant.objects.select_related("visit").filter(visit_id=visit_id))
    visit = everyone[0].visit
    return visit.version, [p.pk for p in admitted(everyone, visit)]


def standing_of(member: UUID) -> Standing:
    """Where this participant stands; the socket that asks holds the seat already."""
    me = Participant.objects.select_related("visit").get(pk=member)
    everyone = list(Participant.objects.filter(visit_id=me.visit_id).order_by("id"))
    inside = admitted(everyone, me.visit)
    return Standing(
        visit=me.visit_id,
        member=me.pk,
        role=me.role,
        admitted=me in inside,
        connected=me.connected,
        waiting=me.visit.waiting,
        status=me.visit.status,
        version=me.visit.version,
        position=None if me.role == Participant.Role.PROVIDER else position_of(me.visit),
        others=tuple((p.pk, p.role) for p in inside if p.connected and p.pk != me.pk),
    )


def live_visits(by: Actor) -> list[UUID]:
    """Every visit that the clock has to look at; nothing for anybody but the system."""
    return list(Visit.objects.exclude(status__in=ENDED).values_list("pk", flat=True)) if by == SYSTEM else []


def overdue(by: Actor) -> list[UUID]:
    """Appointments of today whose patient has not come so long after the start that the clock may call it missed; nothing for
    anybody but the system."""
    if by != SYSTEM:
        return []
    late = now() - timedelta(minutes=settings.NO_SHOW_GRACE_MINUTES)
    rows = Appointment.objects.filter(status=Stage.BOOKED, starts_at__lte=late, starts_at__gt=late - timedelta(days=1))
    rows = rows.filter(Q(visit=None) | Q(visit__waiting__in=NOT_HERE))
    return list(rows.order_by("starts_at", "pk").values_list("pk", flat=True))


def provider_was_there(appointment: Appointment) -> bool:
    """Whether the provider had joined the visit, or was signed in, soon after the start, and no earlier visit of theirs ran on then.

    Signed in counts for a patient who never came: without them there is no visit yet that a provider could join.
    """
    soon = appointment.starts_at + timedelta(minutes=settings.PROVIDER_LATE_MINUTES)
    account = appointment.practitioner.account_id
    if account is None:
        return False
    joined = Participant.objects.filter(visit__appointment=appointment, account_id=account, joined_at__lte=soon)
    lasted = Q(ended_at=None) | Q(ended_at__gt=appointment.starts_at)
    here = Session.objects.filter(lasted, account_id=account, started_at__lte=soon, seen_at__gte=appointment.starts_at)
    return (joined.exists() or here.exists()) and not _ran_on(appointment, soon).exists()


def _ran_on(appointment: Appointment, at: datetime) -> QuerySet[Visit]:
    """Other visits of the provider whose call was on at that moment; those of the same group are no other."""
    later = (
        Q(last_left_at=None, ended_at__gt=at) | Q(last_left_at__gt=at) | Q(last_left_at=None, ended_at=None) | Q(waiting=Waiting.IN_CALL)
    )
    rows = Visit.objects.filter(later, practitioner_id=appointment.practitioner_id, started_at__lte=at)
    if appointment.group_visit_id:
        rows = rows.exclude(appointment__group_visit=appointment.group_visit_id)
    return rows.exclude(appointment=appointment)


def left_open(*, account_id: UUID, by: Actor) -> dict[str, int]:
    """For `LEAVERS`: visits of this practitioner that have not ended, drafts that nobody signed. Opens nothing."""
    visits = Visit.objects.filter(practitioner__account_id=account_id).exclude(status__in=ENDED)
    drafts = Note.objects.filter(author_id=account_id, status=Note.Status.DRAFT)
    return {"open_visits": visits.count(), "open_notes": drafts.count()}
