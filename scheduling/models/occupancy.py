"""Whose time is taken, and by what."""

from auditlog.registry import auditlog
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.ledger import uuid7
from scheduling.models.appointments import Appointment, GroupVisit
from scheduling.statuses import Need, PartyKind


class BookableResource(models.Model):
    """What a visit may need beside provider and patient: an interpreter, a room. Its id is a party of `Occupancy`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    kind = models.CharField(max_length=12, choices=Need.choices)
    name = models.CharField(max_length=100)
    account_id = models.UUIDField(null=True, blank=True, unique=True)  # an interpreter's
    languages = ArrayField(models.CharField(max_length=20), default=list, blank=True, help_text=_("BCP 47, of an interpreter."))
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return str(self.pk)


class Occupancy(models.Model):
    """One party's time taken: a provider's with buffers; a patient's, an interpreter's, a room's without.

    It belongs to an appointment, or to a group visit (the provider's time, and what the visit needs).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    party = models.UUIDField()
    during = DateTimeRangeField()
    live = models.BooleanField(default=True)
    kind = models.CharField(max_length=12, choices=PartyKind.choices)
    appointment = models.ForeignKey(Appointment, models.PROTECT, null=True, related_name="occupancies")
    group_visit = models.ForeignKey(GroupVisit, models.PROTECT, null=True, related_name="occupancies")
    held_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="occupancy_no_party_twice_at_once",
                expressions=[("party", RangeOperators.EQUAL), ("during", RangeOperators.OVERLAPS)],
                condition=Q(live=True),
            ),
            models.CheckConstraint(name="occupancy_takes_some_time", condition=Q(during__isempty=False)),
            models.CheckConstraint(name="occupancy_kind_is_known", condition=Q(kind__in=PartyKind.values)),
            models.CheckConstraint(
                name="occupancy_is_of_one_thing",
                condition=Q(appointment__isnull=False, group_visit=None) | Q(appointment=None, group_visit__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["held_until"], condition=Q(live=True, held_until__isnull=False), name="occupancy_held"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


auditlog.register(BookableResource)
