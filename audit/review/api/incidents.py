"""Incidents over REST: whose data was affected, what the breach rule asks for, and by when."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.review import selectors, services
from audit.review.api.disclosures import RecipientShape
from audit.review.downloads import FORMATS, download
from audit.review.models import Basis, Conclusion, Notice, Subject
from audit.review.services import Purpose, Recipient
from telehealth.accounts.access import Action, Resource
from telehealth.core import one
from telehealth.rest.faces import CreateFace, Face
from telehealth.rest.shapes import Nothing, Shape


class IncidentIn(Shape):
    """`subject`: the account's id, or the session or app as the log names it."""

    subject_kind = serializers.ChoiceField(Subject.choices)
    subject = serializers.CharField(max_length=255)
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    discovered_on = serializers.DateField()
    summary = serializers.CharField(max_length=4000, required=False, default="")


class DutyOut(Shape):
    """A notice that is owed; `states` names those with more than 500 residents affected."""

    notice = serializers.CharField()
    due_on = serializers.DateField()
    cite = serializers.CharField()
    states = serializers.ListField(child=serializers.CharField())
    told_on = serializers.DateField(allow_null=True)


class IncidentOut(Shape):
    """`people`, `states` and `kinds` are of the last survey; people whose state the record does not say are under ""."""

    id = serializers.UUIDField()
    subject_kind = serializers.CharField()
    subject = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    discovered_on = serializers.DateField()
    delayed_until = serializers.DateField(allow_null=True)
    surveyed_at = serializers.DateTimeField(allow_null=True)
    people = serializers.IntegerField(allow_null=True)
    states = serializers.SerializerMethodField()
    kinds = serializers.SerializerMethodField()
    verdict = serializers.CharField()
    assessed_at = serializers.DateTimeField(allow_null=True)
    duties = serializers.SerializerMethodField()
    summary = serializers.CharField()

    def get_states(self, incident: Any) -> dict[str, int]:
        return (incident.counts or {}).get("states", {})

    def get_kinds(self, incident: Any) -> dict[str, int]:
        return (incident.counts or {}).get("kinds", {})

    def get_duties(self, incident: Any) -> list[dict[str, Any]]:
        told = [asdict(duty) | {"told_on": getattr(incident, f"{duty.notice}_told_on")} for duty in selectors.duties_of(incident)]
        return list(DutyOut(told, many=True).data)


class AffectedOut(Shape):
    """One record, in what time, and which kinds of data; null where the record was destroyed since."""

    patient = serializers.UUIDField(source="patient_id")
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    entries = serializers.IntegerField()
    kinds = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()

    def get_kinds(self, row: Any) -> list[str] | None:
        return selectors.readable(row, "kinds")

    def get_state(self, row: Any) -> str | None:
        return selectors.readable(row, "state")


class FactorsIn(Shape):
    """The four factors of 45 CFR 164.402(2): nature and extent, who got it, whether it was acquired or viewed, mitigation."""

    nature = serializers.CharField(max_length=4000)
    recipient = serializers.CharField(max_length=4000)
    acquired = serializers.CharField(max_length=4000)
    mitigation = serializers.CharField(max_length=4000)


class AssessmentIn(Shape):
    verdict = serializers.ChoiceField(Conclusion.choices)
    assessment = FactorsIn()
    delayed_until = serializers.DateField(required=False, allow_null=True, default=None)


class NoticeIn(Shape):
    notice = serializers.ChoiceField(Notice.choices)
    told_on = serializers.DateField()


class GoingIn(Shape):
    """What every export of this kind says: the form, to whom it goes, why, and by what right."""

    format = serializers.ChoiceField(FORMATS)
    recipient = RecipientShape()
    purpose = serializers.CharField(max_length=1000)
    basis = serializers.ChoiceField(Basis.choices, required=False, default=Basis.OPERATIONS)


class IncidentExportIn(GoingIn):
    contact = serializers.BooleanField(required=False, default=False)


class FiltersIn(Shape):
    patient = serializers.UUIDField(required=False)
    actor = serializers.UUIDField(required=False)
    session = serializers.CharField(max_length=100, required=False)
    client = serializers.CharField(max_length=100, required=False)
    act = serializers.CharField(max_length=60, required=False)
    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False)


class EntryExportIn(GoingIn):
    filters = FiltersIn(required=False, default=dict)


class IncidentList(CreateFace):
    """Incidents, newest first."""

    access = {"get": (Action.SEARCH, Resource.INCIDENT), "post": (Action.CREATE, Resource.INCIDENT)}
    shape_in = {"post": IncidentIn}
    shape_out = {"get": IncidentOut, "post": IncidentOut}

    def get(self, request: Request) -> Response:
        return self.page(selectors.incidents_for(self.by), IncidentOut)

    def create(self, data: dict[str, Any]) -> Any:
        return services.open_incident(**data, by=self.by)

    def find(self, pk: UUID) -> Any:
        return one(selectors.incidents_for(self.by), pk)


class IncidentDetail(Face):
    """One incident with its counts and its clock."""

    access = (Action.READ, Resource.INCIDENT)
    shape_out = IncidentOut

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(IncidentOut(one(selectors.incidents_for(self.by, Action.READ), pk)).data)


class IncidentSurvey(Face):
    """Count anew who is affected. Reading where each person lives is on record in their log."""

    access = (Action.ACT, Resource.INCIDENT)
    shape_in, shape_out = Nothing, IncidentOut

    def post(self, request: Request, pk: UUID) -> Response:
        self.given(Nothing)
        return Response(IncidentOut(services.survey_incident(incident_id=pk, by=self.by)).data)


class IncidentAssessment(Face):
    """Say what it was, by the four factors. Once."""

    access = (Action.ACT, Resource.INCIDENT)
    shape_in, shape_out = AssessmentIn, IncidentOut

    def post(self, request: Request, pk: UUID) -> Response:
        return Response(IncidentOut(services.assess_incident(incident_id=pk, **self.given(AssessmentIn), by=self.by)).data)


class IncidentNotice(Face):
    """Put on record that a notice has been given."""

    access = (Action.ACT, Resource.INCIDENT)
    shape_in, shape_out = NoticeIn, IncidentOut

    def post(self, request: Request, pk: UUID) -> Response:
        return Response(IncidentOut(services.note_notice(incident_id=pk, **self.given(NoticeIn), by=self.by)).data)


class AffectedList(Face):
    """Everyone affected, as the last survey found them."""

    access = (Action.READ, Resource.INCIDENT)
    shape_out = AffectedOut
    paged = True

    def get(self, request: Request, pk: UUID) -> Response:
        return self.page(selectors.affected_by(self.by, services.read_affected(incident_id=pk, by=self.by)), AffectedOut)


class IncidentExport(Face):
    """Everyone affected, or in FHIR the entries, to take out. A fresh factor is needed; it is a disclosure of each person."""

    access = (Action.EXPORT, Resource.INCIDENT)
    shape_in = IncidentExportIn

    def post(self, request: Request, pk: UUID) -> StreamingHttpResponse:
        given = self.given(IncidentExportIn)
        return download(services.export_incident(incident_id=pk, **going(given), contact=given["contact"], by=self.by))


class EntryExport(Face):
    """Entries of the log as CSV, NDJSON or FHIR AuditEvents. A fresh factor is needed; it is a disclosure of each person."""

    access = (Action.EXPORT, Resource.AUDIT_ENTRY)
    shape_in = EntryExportIn

    def post(self, request: Request) -> StreamingHttpResponse:
        given = self.given(EntryExportIn)
        return download(services.export_entries(**going(given), filters=given["filters"], by=self.by))


def going(given: dict[str, Any]) -> dict[str, Any]:
    """The form and the purpose of an export, as the services take them."""
    purpose = Purpose(Recipient(**given["recipient"]), given["purpose"], Basis(given["basis"]))
    return {"format": given["format"], "going": purpose}
