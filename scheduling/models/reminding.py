"""What has been promised to be said before an appointment, and the links by which it is answered."""

from django.db import models

from audit.ledger import uuid7
from scheduling.models.appointments import Appointment


class Reminder(models.Model):
    """One reminder of one start: made once, whoever makes it. The outbox's messages about it carry its `key`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="reminders")
    minutes_before = models.PositiveIntegerField()
    for_start = models.DateTimeField()
    due_at = models.DateTimeField(null=True)  # null: its time had passed when it could first be made
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["appointment", "minutes_before", "for_start"], name="reminder_once_for_each_start"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def key(self) -> str:
        """The same for the same start, in whatever process: what makes a repeat recognisable."""
        return f"reminder:{self.appointment_id}:{int(self.for_start.timestamp())}:{self.minutes_before}"


class AnswerLink(models.Model):
    """A secret address at which a reminder is answered; good until the appointment starts. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    reminder = models.ForeignKey(Reminder, models.CASCADE, related_name="links")
    ends_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return str(self.pk)
