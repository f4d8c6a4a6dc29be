"""What of the outbox is shown: ids, codes and times; and what people say about being told."""

from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from rest_framework import serializers

from telehealth.outbox.models import Purpose, State, Verdict, Way
from telehealth.rest.shapes import Shape


class StateQueryIn(Shape):
    """In one state, if given."""

    state = serializers.ChoiceField(choices=State.choices, required=False)


class MessageOut(Shape):
    """One message that left, waits, or was given up."""

    id = serializers.UUIDField()
    destination = serializers.CharField()
    kind = serializers.CharField()
    object = serializers.UUIDField(source="object_id")
    state = serializers.ChoiceField(choices=State.choices)
    reason = serializers.CharField()
    attempts = serializers.IntegerField()
    due_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    delivered_at = serializers.DateTimeField(allow_null=True)


ZONES = available_timezones()
CLOCK = "%H:%M"


class ContactIn(Shape):
    """Those that are to change. `language` and `timezone` empty: the record's and the clinic's; equal hours: never quiet."""

    care = serializers.ChoiceField(choices=Way.choices, required=False)
    reminder = serializers.ChoiceField(choices=Way.choices, required=False)
    language = serializers.ChoiceField(choices=[("", ""), *settings.LANGUAGES], required=False)
    timezone = serializers.CharField(max_length=64, required=False, allow_blank=True)
    quiet_from = serializers.TimeField(format=CLOCK, input_formats=[CLOCK], required=False)
    quiet_to = serializers.TimeField(format=CLOCK, input_formats=[CLOCK], required=False)

    def validate_timezone(self, name: str) -> str:
        """A name of the IANA time zone database, or nothing."""
        if name and name not in ZONES:
            raise serializers.ValidationError(code="invalid")
        return name

    def validate(self, wishes: dict[str, Any]) -> dict[str, Any]:
        """Something: a body that says nothing was meant otherwise."""
        if not wishes:
            raise serializers.ValidationError(code="required")
        return wishes


class AgreedOut(Shape):
    """By purpose, the newest word; null: none was ever said, which is a no."""

    care = serializers.ChoiceField(choices=Verdict.choices, allow_null=True)
    reminder = serializers.ChoiceField(choices=Verdict.choices, allow_null=True)


class ContactOut(ContactIn):
    """All of it."""

    number = serializers.BooleanField()
    consents = AgreedOut()


class ContactConsentIn(Shape):
    """To which texts, and whether or no longer."""

    purposes = serializers.MultipleChoiceField(choices=Purpose.choices, allow_empty=False)
    verdict = serializers.ChoiceField(choices=Verdict.choices)


class InboundIn(Shape):
    """A text as the gateway took it. `id` is the gateway's own, the same when it is brought again."""

    id = serializers.CharField(max_length=200, source="gateway_id")
    text = serializers.CharField(max_length=2000, allow_blank=True, source="words")

    def get_fields(self) -> dict[str, Any]:
        # `from` is no name for an attribute in Python.
        return {"from": serializers.RegexField(r"^\+?[0-9 ().-]{3,30}\Z", source="number"), **super().get_fields()}


class ReplyOut(Shape):
    """What to send back to that number; empty: nothing."""

    reply = serializers.CharField(allow_blank=True)
