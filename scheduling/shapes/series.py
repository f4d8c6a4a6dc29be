"""Series, and a provider's leaving, as they go in and out by REST."""

from rest_framework import serializers

from scheduling.shapes import OURS, AppointmentOut, Instant
from scheduling.statuses import CancelReason
from telehealth.accounts.access import Resource
from telehealth.accounts.shapes import RoleShape
from telehealth.rest.shapes import Shape


class SeriesIn(Shape):
    """The first start, and an RFC 5545 rule with COUNT or UNTIL for those that follow, at the same time of day in the provider's zone."""

    patient = serializers.UUIDField(source="patient_id")
    practitioner = serializers.UUIDField(source="practitioner_id")
    visit_type = serializers.SlugField(max_length=40)
    starts_at = Instant()
    rule = serializers.CharField(max_length=200)
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    state = serializers.CharField(max_length=40, required=False, help_text="Where the patient will be; else the state of their address.")


class SeriesOut(RoleShape):
    """A series, and those of its appointments that the caller may see."""

    resource = Resource.APPOINTMENT

    id = serializers.UUIDField()
    rule = serializers.CharField()
    appointments = AppointmentOut(many=True)


class SeriesCancelIn(Shape):
    """Why, and from when on if not from now."""

    reason = serializers.ChoiceField([each for each in CancelReason.choices if each[0] not in OURS])
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)
    since = Instant(required=False)


class ReassignIn(Shape):
    """To whom, in order of preference; a dry run only says."""

    to = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=50, source="to_ids")
    dry_run = serializers.BooleanField(default=True)


class MoveOut(Shape):
    """Whose an appointment becomes; or null, and why not each colleague's ("" for all of them)."""

    appointment = serializers.UUIDField()
    starts_at = serializers.DateTimeField()
    to = serializers.UUIDField(allow_null=True)
    why = serializers.DictField(child=serializers.CharField())


class ReassignOut(Shape):
    """What becomes of each appointment to come."""

    moves = MoveOut(many=True)
    done = serializers.BooleanField()
