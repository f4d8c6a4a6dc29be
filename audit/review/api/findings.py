"""The queue of findings over REST, for privacy officers."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.review import selectors, services
from audit.review.models import Detector, State, Verdict
from telehealth.accounts.access import Action, Resource
from telehealth.rest.faces import Face
from telehealth.rest.shapes import Shape


class FindingQuery(Shape):
    """Narrows the queue; `overdue` to emergency access that nobody has looked at in time."""

    state = serializers.ChoiceField(choices=State.choices, required=False)
    actor = serializers.UUIDField(required=False)
    record = serializers.UUIDField(required=False)
    overdue = serializers.BooleanField(required=False)


class ActorOut(Shape):
    id = serializers.UUIDField(source="actor_id")
    role = serializers.CharField()
    name = serializers.CharField(source="actor_name")


class FindingOut(Shape):
    """One cause to ask why somebody looked. `record` is null for what is about a day's work; `facts` are codes and counts."""

    id = serializers.UUIDField()
    detector = serializers.ChoiceField(choices=Detector.choices)
    facts = serializers.DictField()
    who = ActorOut(source="*")
    record = serializers.UUIDField(source="patient_id", allow_null=True)
    entry = serializers.UUIDField(source="entry_id")
    day = serializers.DateField()
    found_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    escalated_at = serializers.DateTimeField(allow_null=True)
    state = serializers.ChoiceField(choices=State.choices)
    verdict = serializers.CharField()
    closed_by = serializers.UUIDField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)


class FindingFull(FindingOut):
    """With the note, whose reading is an opening of the record."""

    note = serializers.CharField(allow_null=True)


class CloseIn(Shape):
    """What a privacy officer made of it, and why."""

    verdict = serializers.ChoiceField(choices=Verdict.choices)
    note = serializers.CharField(max_length=10_000)


class FindingList(Face):
    """Findings, newest first."""

    access = (Action.SEARCH, Resource.FINDING)
    shape_query = FindingQuery
    shape_out = {"get": FindingOut}
    paged = True

    def get(self, request: Request) -> Response:
        asked: dict[str, Any] = self.asked(FindingQuery)
        services.read_findings(filters=asked, by=self.by)
        return self.page(selectors.findings_for(self.by, **asked), FindingOut)


class FindingDetail(Face):
    """One finding."""

    access = (Action.READ, Resource.FINDING)
    shape_out = {"get": FindingFull}

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(FindingFull(services.read_finding(finding_id=pk, by=self.by)).data)


class FindingClose(Face):
    """Close a finding with verdict and note; needs a factor shown within five minutes."""

    access = (Action.ACT, Resource.FINDING)
    shape_in = {"post": CloseIn}
    shape_out = {"post": FindingOut}

    def post(self, request: Request, pk: UUID) -> Response:
        return Response(FindingOut(services.close_finding(finding_id=pk, **self.given(CloseIn), by=self.by)).data)
