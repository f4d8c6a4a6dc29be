"""What goes in and out by REST, for the waiting list."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from scheduling.hours import ZONES
from scheduling.models import WaitlistEntry
from scheduling.shapes import Instant
from scheduling.statuses import OfferState, PartOfDay, Urgency, WaitlistStatus
from telehealth.accounts.access import Resource
from telehealth.accounts.shapes import RoleShape
from telehealth.rest.shapes import Shape


class JoinIn(Shape):
    """Who waits for what: a start from `earliest` (else now) on and before `latest`, with anybody unless named."""

    patient = serializers.UUIDField(source="patient_id")
    visit_type = serializers.SlugField(max_length=40)
    practitioner = serializers.UUIDField(source="practitioner_id", required=False)
    earliest = Instant(required=False)
    latest = Instant()
    parts_of_day = serializers.ListField(child=serializers.ChoiceField(PartOfDay.choices), required=False, max_length=3)
    timezone = serializers.ChoiceField(sorted(ZONES), required=False)
    urgency = serializers.ChoiceField(Urgency.choices, required=False, help_text="0 first; the patient's own wish waits as routine.")
    state = serializers.CharField(max_length=40, required=False, help_text="Where the patient will be; else the state of their address.")
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)


class WaitlistQuery(Shape):
    """In one state if asked."""

    status = serializers.ChoiceField(WaitlistStatus.choices, required=False)


class OfferOut(Shape):
    """A time that is, or was, held for them. Its appointment is pending until they take it."""

    id = serializers.UUIDField()
    appointment = serializers.UUIDField(source="appointment_id")
    practitioner = serializers.UUIDField(source="practitioner_id")
    starts_at = serializers.DateTimeField()
    offered_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    state = serializers.ChoiceField(OfferState.choices)


class WaitlistOut(RoleShape):
    """Somebody who waits; what they said is shown with the single one only."""

    resource = Resource.WAITLIST

    id = serializers.UUIDField()
    status = serializers.ChoiceField(WaitlistStatus.choices)
    patient = serializers.UUIDField(source="patient_id")
    practitioner = serializers.UUIDField(source="practitioner_id", allow_null=True)
    visit_type = serializers.CharField(source="visit_type.code")
    earliest = serializers.DateTimeField()
    latest = serializers.DateTimeField()
    parts_of_day = serializers.ListField(child=serializers.CharField())
    timezone = serializers.CharField()
    urgency = serializers.IntegerField()
    patient_state = serializers.CharField()
    created_at = serializers.DateTimeField()
    offer = serializers.SerializerMethodField()

    @extend_schema_field(OfferOut(allow_null=True))
    def get_offer(self, entry: WaitlistEntry) -> dict[str, object] | None:
        """The one that is open."""
        held = [each for each in entry.offers.all() if each.state == OfferState.OPEN]
        return OfferOut(held[0]).data if held else None


class WaitlistDetail(WaitlistOut):
    """One of them, with what was said: not for the desk."""

    note = serializers.CharField()
