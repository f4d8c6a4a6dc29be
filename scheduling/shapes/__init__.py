"""What goes in and out by REST."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rest_framework import serializers

from scheduling.hours import ZONES
from scheduling.models import Modality
from scheduling.selectors.offers import PARTS_OF_DAY
from scheduling.statuses import CancelReason, OverbookCode, Status
from telehealth.accounts.access import Resource
from telehealth.accounts.shapes import RoleShape
from telehealth.rest.shapes import Shape

OURS = (CancelReason.HOLD_EXPIRED, CancelReason.HOLD_RELEASED, CancelReason.SERIES)
LANGUAGE = r"\A[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*\Z"
FIRST, LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class Instant(serializers.DateTimeField):
    """A time with its offset: without one nobody knows which hour is meant."""

    default_error_messages = {"offset_missing": "", "out_of_range": ""}

    def enforce_timezone(self, value: datetime) -> datetime:
        if value.tzinfo is None:
            self.fail("offset_missing")
        if not FIRST <= value <= LAST:
            self.fail("out_of_range")
        return value.astimezone(UTC)


class Between(Shape):
    """`?from=...&to=...`, times with an offset."""

    def get_fields(self) -> dict[str, Any]:
        # `from` is no name for an attribute in Python.
        between = {"from": Instant(source="since", required=False), "to": Instant(source="until", required=False)}
        return {**between, **super().get_fields()}


class SlotQuery(Between):
    """What to look for. `zone` is by whose days the offers are counted and the day is parted, UTC unless told."""

    visit_type = serializers.SlugField(max_length=40)
    practitioner = serializers.UUIDField(required=False, source="practitioner_id")
    patient = serializers.UUIDField(required=False, source="patient_id")
    zone = serializers.CharField(max_length=64, default="UTC")
    specialty = serializers.CharField(max_length=200, required=False, help_text="The provider's, whole, in any case.")
    language = serializers.RegexField(LANGUAGE, max_length=35, required=False, help_text="BCP 47: `es` finds `es` and `es-MX`.")
    state = serializers.CharField(max_length=40, required=False, help_text="Where the patient will be.")
    part_of_day = serializers.ChoiceField(list(PARTS_OF_DAY), required=False)

    def validate_zone(self, name: str) -> ZoneInfo:
        """A name of the IANA time zone database."""
        if name not in ZONES:
            raise serializers.ValidationError(code="invalid")
        return ZoneInfo(name)


class SlotOut(Shape):
    """A time that can be booked."""

    practitioner = serializers.UUIDField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class SlotsOut(Shape):
    """A page of offers in order of time, the number of all of them by day, and the address of the next page."""

    results = SlotOut(many=True)
    per_day = serializers.DictField(child=serializers.IntegerField())
    next = serializers.CharField(allow_null=True)


class VisitTypeOut(Shape):
    """What can be booked. Minutes and days; check-in opens so long before the start, null: from the moment of booking."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    modality = serializers.ChoiceField(Modality.choices)
    minutes = serializers.IntegerField()
    lead_minutes = serializers.IntegerField()
    horizon_days = serializers.IntegerField()
    checkin_opens_minutes = serializers.IntegerField(allow_null=True)
    who_may_book = serializers.CharField(help_text="anyone, established, new or staff: whom of the patients' side it is for.")
    needs = serializers.ListField(child=serializers.CharField(), help_text="What is booked with it: interpreter, room.")
    capacity = serializers.IntegerField(help_text="More than one: places in visits that are planned.")
    questionnaire = serializers.CharField(help_text="Canonical address of the FHIR Questionnaire to fill in before; may be empty.")
    price_code = serializers.CharField(help_text="May be empty.")
    cancel_notice_minutes = serializers.IntegerField(help_text="Before the start; cancelling or moving later is late.")
    late_cancel = serializers.CharField(help_text="flag or refuse: what a patient's late cancelling comes to.")


class OverbookIn(Shape):
    """Staff only: put it where the provider is not free, and say why."""

    code = serializers.ChoiceField(OverbookCode.choices)
    reason = serializers.CharField(max_length=500)


class BookIn(Shape):
    """A start that `/api/v1/slots/` offered, for whom, and what it is about."""

    patient = serializers.UUIDField(source="patient_id")
    practitioner = serializers.UUIDField(source="practitioner_id")
    visit_type = serializers.SlugField(max_length=40)
    starts_at = Instant()
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    overbooking = OverbookIn(required=False)
    state = serializers.CharField(max_length=40, required=False, help_text="Where the patient will be; else the state of their address.")
    status = serializers.ChoiceField(
        [Status.BOOKED.value, Status.PENDING.value],
        default=Status.BOOKED.value,
        help_text="As in FHIR: `pending` holds the time for some minutes, until it is confirmed.",
    )


class CancelIn(Shape):
    """Why, by a code of FHIR's appointment-cancellation-reason, and in words if need be: they are kept sealed."""

    reason = serializers.ChoiceField([each for each in CancelReason.choices if each[0] not in OURS])
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)


class RescheduleIn(Shape):
    """Another start that `/api/v1/slots/` offered, with another provider if need be."""

    starts_at = Instant()
    practitioner = serializers.UUIDField(source="practitioner_id", required=False)
    state = serializers.CharField(max_length=40, required=False, help_text="Where the patient will be, if that changes too.")


class AppointmentQuery(Between):
    """Appointments that touch this time, in one state if asked."""

    status = serializers.ChoiceField(Status.choices, required=False)


class AppointmentOut(RoleShape):
    """An appointment in a list: what it is about is shown with the single one only."""

    resource = Resource.APPOINTMENT

    id = serializers.UUIDField()
    status = serializers.ChoiceField(Status.choices)
    patient = serializers.UUIDField(source="patient_id")
    practitioner = serializers.UUIDField(source="practitioner_id")
    practitioner_name = serializers.CharField(source="practitioner.name")
    timezone = serializers.CharField(source="practitioner.timezone", help_text="The provider's zone.")
    visit_type = serializers.CharField(source="visit_type.code")
    modality = serializers.CharField(source="visit_type.modality")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    checkin_opens_at = serializers.DateTimeField()
    cancelled_reason = serializers.CharField()
    patient_state = serializers.CharField()
    cancelled_late = serializers.BooleanField()
    held_until = serializers.DateTimeField(allow_null=True, help_text="Of one that is pending: until when.")
    group_visit = serializers.UUIDField(source="group_visit_id", allow_null=True)
    series = serializers.UUIDField(source="series_id", allow_null=True)
    overbooked = serializers.BooleanField(source="is_overbooked")
    version = serializers.IntegerField()


class AppointmentDetail(AppointmentOut):
    """One appointment, and what it is about: not for the desk."""

    reason = serializers.CharField()
    cancelled_note = serializers.CharField(allow_null=True)
