"""What waits to leave, and what became of it. A row holds ids and codes, never what is sent."""

from django.db import models
from django.db.models import F, Func, Q, Value

from audit.ledger import uuid7
from telehealth.core import now
from telehealth.outbox.models.contact import Purpose


class State(models.TextChoices):
    PENDING = "pending"
    DELIVERED = "delivered"
    SKIPPED = "skipped"
    """There was nobody to send to: no phone, no port."""
    PARKED = "parked"
    """Given up with a reason; a person may send it again."""


class Message(models.Model):
    """One thing to be told to one destination. `due_at` is also the lease: whoever delivers it moves it ahead first."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    position = models.BigIntegerField(db_default=Func(Value("outbox_message_position"), function="nextval"), editable=False)
    destination = models.CharField(max_length=40)
    ordering_key = models.CharField(max_length=80, blank=True, default="")
    kind = models.CharField(max_length=60)
    object_id = models.UUIDField()
    person_id = models.UUIDField(null=True, blank=True)
    key = models.CharField(max_length=100, unique=True)
    purpose = models.CharField(max_length=10, choices=Purpose.choices, blank=True, default="")  # "": of the account, whatever they prefer
    attempts = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.CharField(max_length=60, blank=True, default="")
    due_at = models.DateTimeField(default=now)
    created_at = models.DateTimeField(default=now)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["position"], name="outbox_message_one_place_each"),
            models.CheckConstraint(
                name="outbox_message_delivered_has_its_time",
                condition=Q(state=State.DELIVERED, delivered_at__isnull=False) | (~Q(state=State.DELIVERED) & Q(delivered_at__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(F("due_at"), name="outbox_due", condition=Q(state=State.PENDING)),
            models.Index(
                F("destination"),
                F("ordering_key"),
                F("position"),
                name="outbox_order",
                condition=Q(state=State.PENDING),
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
