"""Visits of several, and what visits need, as they go in and out by REST."""

from rest_framework import serializers

from scheduling.shapes import OURS, Between, Instant
from scheduling.statuses import CancelReason, Need
from telehealth.rest.shapes import Shape


class GroupVisitQuery(Between):
    """Visits of several that touch this time, of one kind if asked."""

    visit_type = serializers.SlugField(max_length=40, required=False)


class GroupVisitIn(Shape):
    """One of the provider's free times, and for how many if not for as many as the kind has places."""

    practitioner = serializers.UUIDField(source="practitioner_id")
    visit_type = serializers.SlugField(max_length=40)
    starts_at = Instant()
    capacity = serializers.IntegerField(min_value=2, max_value=200, required=False)


class GroupVisitOut(Shape):
    """When, with whom, and how many places are left. Who comes is not said here."""

    id = serializers.UUIDField()
    practitioner = serializers.UUIDField(source="practitioner_id")
    practitioner_name = serializers.CharField(source="practitioner.name")
    timezone = serializers.CharField(source="practitioner.timezone", help_text="The provider's zone.")
    visit_type = serializers.CharField(source="visit_type.code")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    capacity = serializers.IntegerField()
    places_left = serializers.IntegerField()
    is_cancelled = serializers.BooleanField()


class GroupVisitCancelIn(Shape):
    """Why, by a code of FHIR's appointment-cancellation-reason."""

    reason = serializers.ChoiceField([each for each in CancelReason.choices if each[0] not in OURS])


class BookableChange(Shape):
    """What may change; what is not named stays."""

    name = serializers.CharField(max_length=100, required=False)
    account = serializers.UUIDField(source="account_id", required=False, allow_null=True, help_text="An interpreter's.")
    languages = serializers.ListField(child=serializers.RegexField(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=20), required=False)
    is_active = serializers.BooleanField(required=False)


class BookableIn(Shape):
    """An interpreter with the languages (BCP 47), or a room."""

    kind = serializers.ChoiceField(Need.choices)
    name = serializers.CharField(max_length=100)
    account = serializers.UUIDField(source="account_id", required=False, help_text="An interpreter's.")
    languages = serializers.ListField(child=serializers.RegexField(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=20), required=False)


class BookableOut(Shape):
    """An interpreter or a room."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(Need.choices)
    name = serializers.CharField()
    account = serializers.UUIDField(source="account_id", allow_null=True)
    languages = serializers.ListField(child=serializers.CharField())
    is_active = serializers.BooleanField()
