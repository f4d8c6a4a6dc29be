"""Hours and what differs from them."""

from datetime import time

from rest_framework import serializers

from scheduling.models import AvailabilityException
from scheduling.recurrence import LONGEST
from telehealth.rest.shapes import Shape

MIDNIGHT = time.min
Kind, Code = AvailabilityException.Kind, AvailabilityException.Code


class HoursQuery(Shape):
    """Of one provider."""

    practitioner = serializers.UUIDField(required=False, source="practitioner_id")


class HoursIn(Shape):
    """There on the days of an RFC 5545 rule, between two clock times of a zone; 00:00 as an end is midnight at the day's end."""

    practitioner = serializers.UUIDField(source="practitioner_id")
    rrule = serializers.CharField(max_length=LONGEST)
    starts = serializers.TimeField()
    ends = serializers.TimeField()
    timezone = serializers.CharField(max_length=64)
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_to = serializers.DateField(required=False, allow_null=True)
    visit_types = serializers.ListField(child=serializers.SlugField(max_length=40), max_length=50, required=False)


class HoursOut(Shape):
    """A rule as it is kept."""

    id = serializers.UUIDField()
    practitioner = serializers.UUIDField(source="practitioner_id")
    rrule = serializers.CharField()
    starts = serializers.TimeField()
    ends = serializers.TimeField()
    timezone = serializers.CharField()
    valid_from = serializers.DateField(allow_null=True)
    valid_to = serializers.DateField(allow_null=True)
    visit_types = serializers.ListField(source="kinds", child=serializers.CharField())


class ExceptionIn(Shape):
    """From a clock time of the first day to one of the last; nobody named: the whole clinic."""

    practitioner = serializers.UUIDField(source="practitioner_id", allow_null=True)
    kind = serializers.ChoiceField(Kind.choices)
    code = serializers.ChoiceField(Code.choices)
    first_day = serializers.DateField()
    starts = serializers.TimeField(default=MIDNIGHT)
    last_day = serializers.DateField()
    ends = serializers.TimeField(default=MIDNIGHT)
    timezone = serializers.CharField(max_length=64)
    visit_types = serializers.ListField(child=serializers.SlugField(max_length=40), max_length=50, required=False)


class ExceptionOut(Shape):
    """Time off, extra hours, or a closure."""

    id = serializers.UUIDField()
    practitioner = serializers.UUIDField(source="practitioner_id", allow_null=True)
    kind = serializers.ChoiceField(Kind.choices)
    code = serializers.ChoiceField(Code.choices)
    first_day = serializers.DateField()
    starts = serializers.TimeField()
    last_day = serializers.DateField()
    ends = serializers.TimeField()
    timezone = serializers.CharField()
    visit_types = serializers.ListField(source="kinds", child=serializers.CharField())
