"""What the outbox asks about a reminder by dotted path: whether it is still to be said, what it says, where it is answered."""

from datetime import tzinfo
from uuid import UUID

from django.urls import reverse

from scheduling.models import Appointment, Reminder
from scheduling.selectors.licensure import authorised_for
from scheduling.services.reminding import make_answer_link
from scheduling.services.warning import warn_unlicensed
from scheduling.statuses import Status
from telehealth.core import now
from telehealth.outbox.errors import Skip
from telehealth.outbox.moments import facts_of


def check(about_id: UUID) -> None:
    """`OUTBOX_CHECKS`: Skip unless the appointment stands as it did when the reminder was made, and is yet to come, and its provider
    may still see the patient where the patient will be."""
    reminder = _reminder(about_id)
    appointment = reminder.appointment
    if appointment.status != Status.BOOKED:
        raise Skip("appointment_not_booked")
    if appointment.starts_at != reminder.for_start:
        raise Skip("appointment_moved")
    if appointment.starts_at <= now():
        raise Skip("too_late")
    if not authorised_for(appointment):
        warn_unlicensed(appointment_id=appointment.pk)
        raise Skip("not_licensed")


def facts(about_id: UUID, language: str, zone: tzinfo) -> dict[str, str]:
    """`OUTBOX_FACTS`: when it is, and nothing else about it."""
    return facts_of(_reminder(about_id).for_start, zone)


def desk_path(about_id: UUID) -> str:
    """`OUTBOX_LINKS`: the patient of an appointment, for who moves it."""
    return reverse("desk-patient", kwargs={"patient_id": Appointment.objects.values_list("patient_id", flat=True).get(pk=about_id)})


def answer_path(about_id: UUID) -> str:
    """`OUTBOX_LINKS`: where it is answered."""
    return reverse("appointment-answer", kwargs={"token": make_answer_link(_reminder(about_id))})


def _reminder(about_id: UUID) -> Reminder:
    found = Reminder.objects.select_related("appointment__patient", "appointment__practitioner").filter(pk=about_id).first()
    if found is None:
        raise Skip("no_such_reminder")
    return found
