"""Who opened my record, over REST."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.review import selectors, services
from telehealth.accounts.access import Action, Resource
from telehealth.rest.faces import Face
from telehealth.rest.shapes import Shape


class WhoOut(Shape):
    id = serializers.UUIDField(source="actor_id", allow_null=True)
    role = serializers.CharField()
    name = serializers.CharField(source="actor_name", help_text="A staff member's; empty for patients, proxies and the system")


class AccessOut(Shape):
    """One entry about a record: who, when, by which way and why, and how many objects of each kind were opened."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField(source="timestamp")
    act = serializers.CharField()
    outcome = serializers.CharField()
    who = WhoOut(source="*")
    channel = serializers.CharField()
    purpose = serializers.CharField()
    reason = serializers.CharField()
    opened = serializers.SerializerMethodField()

    def get_opened(self, entry: Any) -> dict[str, int]:
        return selectors.kinds_opened(entry)


class AccessList(Face):
    """Who opened this patient's record."""

    access = (Action.SEARCH, Resource.ACCESS_LOG)
    shape_out = AccessOut
    paged = True

    def get(self, request: Request, pk: UUID) -> Response:
        return self.page(services.read_accesses(patient_id=pk, by=self.by), AccessOut)
