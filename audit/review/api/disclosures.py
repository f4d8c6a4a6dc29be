"""What has left of a record, over REST: to see, to take along, and to write down what a person disclosed by hand."""

from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.review import selectors, services
from audit.review.downloads import FORMATS, download
from audit.review.models import Basis
from audit.review.services import Recipient
from telehealth.accounts.access import Action, Resource
from telehealth.rest.faces import CreateFace, Face
from telehealth.rest.shapes import Shape


class RecipientShape(Shape):
    name = serializers.CharField(max_length=200)
    address = serializers.CharField(max_length=400, required=False, default="")


class DisclosureIn(Shape):
    at = serializers.DateTimeField(required=False)
    recipient = RecipientShape()
    what = serializers.CharField(max_length=1000)
    purpose = serializers.CharField(max_length=1000)
    basis = serializers.ChoiceField(Basis.choices)


class DisclosureOut(Shape):
    """One line: date, recipient, what, purpose (45 CFR 164.528(b)(2)); `listed` is false for what an accounting leaves out."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    recipient = RecipientShape()
    what = serializers.CharField()
    purpose = serializers.CharField()
    basis = serializers.CharField()
    listed = serializers.BooleanField(source="is_listed")


class AccountingQuery(Shape):
    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False)
    complete = serializers.BooleanField(required=False, default=False)


class AccountingOut(Shape):
    """The period that is covered (six years back at most), and what left in it, newest first."""

    patient = serializers.UUIDField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    disclosures = DisclosureOut(many=True, source="lines")


class AccountingExportIn(AccountingQuery):
    format = serializers.ChoiceField(FORMATS)


class DisclosureList(CreateFace):
    """The accounting of disclosures (45 CFR 164.528), `complete` with what the rule leaves out: treatment, payment,
    operations, what the individual got or authorized. POST writes down what was disclosed by telephone, by fax, on paper."""

    access = {"get": (Action.SEARCH, Resource.DISCLOSURE), "post": (Action.CREATE, Resource.DISCLOSURE)}
    shape_query = AccountingQuery
    shape_in = {"post": DisclosureIn}
    shape_out = {"get": AccountingOut, "post": DisclosureOut}

    def get(self, request: Request, pk: UUID) -> Response:
        return Response(AccountingOut(services.account_for(patient_id=pk, **self.asked(AccountingQuery), by=self.by)).data)

    def create(self, data: dict[str, Any]) -> Any:
        recipient = Recipient(**data.pop("recipient"))
        return services.write_down(patient_id=self.kwargs["pk"], recipient=recipient, **data, by=self.by)

    def find(self, pk: UUID) -> Any:
        return selectors.disclosure_for(self.by, pk)


class DisclosureExport(Face):
    """The same to take along, as CSV, NDJSON or FHIR AuditEvents; a fresh factor is needed, and it is a disclosure itself."""

    access = (Action.EXPORT, Resource.DISCLOSURE)
    shape_in = AccountingExportIn

    def post(self, request: Request, pk: UUID) -> StreamingHttpResponse:
        return download(services.export_accounting(patient_id=pk, **self.given(AccountingExportIn), by=self.by))
