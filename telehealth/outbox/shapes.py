"""What of the outbox is shown: ids, codes and times."""

from rest_framework import serializers

from telehealth.outbox.models import State
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
