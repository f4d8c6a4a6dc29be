"""Patients, their records, invitations, practitioners and who of the staff is a patient, by REST."""

from io import BytesIO
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from telehealth.accounts.access import Action, Resource
from telehealth.core import one
from telehealth.records import selectors, services, shapes
from telehealth.rest.faces import CreateFace, Face
from telehealth.rest.idempotency import claim_of
from telehealth.rest.parsing import FHIRBody, JSONBody

IMPORT_LIMIT = 10 * 1024 * 1024


class ImportList(CreateFace):
    """Store a FHIR R4 transaction Bundle of one patient (at most 10 MB; a command takes any size). A repeat makes no duplicates."""

    access = (Action.CREATE, Resource.IMPORT)
    shape_out = {"post": shapes.ReportOut}
    parser_classes = [JSONBody, FHIRBody]
    body_limit = IMPORT_LIMIT

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.content = self.raw()
        return self.once(claim_of(request, self.by, self.content), {})

    def create(self, data: dict[str, Any]) -> Any:
        return services.import_bundle(source=BytesIO(self.content), by=self.by)

    def find(self, pk: UUID) -> Any:
        """The same bundle once more: it changes nothing, and the report says so."""
        return self.create({})

    def identity(self, made: Any) -> UUID:
        return made.patient


class PatientList(Face):
    """The patients whom the caller may see, newest first."""

    access = (Action.SEARCH, Resource.PATIENT)
    shape_out = {"get": shapes.PatientOut}
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.patients_for(self.by), shapes.PatientOut)


class PatientSearch(Face):
    """Find patients by record number, phone, name (beginnings of words) and birth date: all that is given must fit."""

    access = (Action.SEARCH, Resource.PATIENT)
    shape_in = {"post": shapes.SearchIn}
    shape_out = {"post": shapes.PatientOut}

    def post(self, request: Request) -> Response:
        found = services.search_patients(**self.given(shapes.SearchIn), by=self.by)
        return Response({"results": shapes.PatientOut(found, many=True).data, "next": None})


class PatientDetail(Face):
    """One patient, with the fields that the caller's role needs."""

    access = (Action.READ, Resource.PATIENT)
    shape_out = {"get": shapes.PatientOut}

    def get(self, request: Request, pk: UUID) -> Response:
        patient = selectors.patient_shown(self.by, pk)
        self.etag(patient.version)
        return Response(shapes.PatientOut(patient).data)


class ResourceList(Face):
    """What the record holds, newest first, of one FHIR type if asked."""

    access = (Action.SEARCH, Resource.CLINICAL_RESOURCE)
    shape_query = shapes.ResourceQuery
    shape_out = {"get": shapes.ResourceOut}
    paged = True

    def get(self, request: Request, pk: UUID) -> Response:
        asked = self.asked(shapes.ResourceQuery)
        return self.page(selectors.resources_for(self.by, pk, asked.get("type", "")), shapes.ResourceOut)


class ResourceDetail(Face):
    """One resource of the record."""

    access = (Action.READ, Resource.CLINICAL_RESOURCE)
    shape_out = {"get": shapes.ResourceOut}

    def get(self, request: Request, pk: UUID, resource: UUID) -> Response:
        found = selectors.resource_for(self.by, pk, resource)
        self.etag(found.version)
        return Response(shapes.ResourceOut(found).data)


class BillingList(Face):
    """What a bill needs of the record: codes of conditions, procedures, encounters and immunizations, and coverages."""

    access = (Action.SEARCH, Resource.BILLING)
    shape_out = {"get": shapes.BillingOut}
    paged = True

    def get(self, request: Request, pk: UUID) -> Response:
        return self.page(selectors.billing_for(self.by, pk), shapes.BillingOut)


class InvitationList(CreateFace):
    """Invite the patient, or a guardian, to an account. Accepting when there is one already recovers it."""

    access = (Action.CREATE, Resource.INVITATION)
    shape_in = {"post": shapes.InviteIn}
    shape_out = {"post": shapes.InvitationOut}

    def create(self, data: dict[str, Any]) -> Any:
        return services.invite(patient_id=self.kwargs["pk"], **data, by=self.by)

    def find(self, pk: UUID) -> Any:
        return selectors.invitation_for(self.by, pk)


class PractitionerList(Face):
    """Who gives care here."""

    access = (Action.SEARCH, Resource.PRACTITIONER)
    shape_out = {"get": shapes.PractitionerOut}
    paged = True

    def get(self, request: Request) -> Response:
        return self.page(selectors.practitioners(), shapes.PractitionerOut)


class StaffRecordList(CreateFace):
    """Which of the staff is this patient. POST links an account; linking what stands changes nothing."""

    access = {"get": (Action.SEARCH, Resource.STAFF_RECORD), "post": (Action.CREATE, Resource.STAFF_RECORD)}
    shape_in = {"post": shapes.StaffRecordIn}
    shape_out = {"get": shapes.StaffRecordOut, "post": shapes.StaffRecordOut}

    def get(self, request: Request, pk: UUID) -> Response:
        return self.page(selectors.staff_records_of(self.by, pk), shapes.StaffRecordOut)

    def create(self, data: dict[str, Any]) -> Any:
        return services.link_staff(patient_id=self.kwargs["pk"], account_id=data["account"], by=self.by)

    def find(self, pk: UUID) -> Any:
        return one(selectors.staff_records_for(self.by), pk)


class StaffRecordEnd(Face):
    """From now on no longer; the row is kept."""

    access = (Action.DELETE, Resource.STAFF_RECORD)
    shape_out = {"delete": shapes.StaffRecordOut}

    def delete(self, request: Request, pk: UUID) -> Response:
        return Response(shapes.StaffRecordOut(services.unlink_staff(staff_record_id=pk, by=self.by)).data)
