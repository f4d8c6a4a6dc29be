"""What the REST faces take and give."""

from typing import Any

from django.conf import settings
from rest_framework import serializers

from consults import selectors, signed
from consults.models import Note, Visit
from telehealth.accounts.access import Resource
from telehealth.accounts.shapes import RoleShape
from telehealth.records import labels
from telehealth.records.labels import Category
from telehealth.rest.shapes import Shape

STATE = r"^[A-Za-z]{2}$"
PHONE = r"^\+?[0-9 ().-]{5,30}$"


class OpenIn(Shape):
    appointment = serializers.UUIDField()


class IdentityIn(Shape):
    method = serializers.ChoiceField(choices=["two-identifiers", "photo-id", "known-patient"])
    confirmed = serializers.BooleanField()


class LocationShape(Shape):
    line = serializers.CharField(max_length=200, allow_blank=True)
    city = serializers.CharField(max_length=100, allow_blank=True)
    state = serializers.RegexField(STATE)
    postal_code = serializers.CharField(max_length=12, allow_blank=True)


class ConsentShape(Shape):
    code = serializers.CharField(max_length=40)
    version = serializers.CharField(max_length=40)


class CheckInIn(Shape):
    identity = IdentityIn()
    location = LocationShape()
    callback = serializers.RegexField(PHONE)
    others_present = serializers.CharField(max_length=500, allow_blank=True)
    consents = serializers.ListField(child=ConsentShape(), max_length=10)


class VisitOut(RoleShape):
    resource = Resource.VISIT

    id = serializers.UUIDField()
    appointment = serializers.UUIDField(source="appointment_id")
    patient = serializers.UUIDField(source="patient_id")
    practitioner = serializers.UUIDField(source="practitioner_id")
    waiting = serializers.CharField()
    status = serializers.CharField()
    position = serializers.SerializerMethodField()
    checked_in_at = serializers.DateTimeField()
    admitted_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    version = serializers.IntegerField()
    location = LocationShape()
    callback = serializers.CharField()
    others_present = serializers.CharField()
    consents_required = serializers.SerializerMethodField()

    def get_position(self, visit: Visit) -> int | None:
        return selectors.position_of(visit)

    def get_consents_required(self, visit: Visit) -> list[dict[str, str]]:
        return [{"code": code, "version": version} for code, version in settings.VISIT_CONSENTS.items()]


class WaitingPatient(Shape):
    id = serializers.UUIDField(source="pk")
    name = serializers.SerializerMethodField()

    def get_name(self, patient: Any) -> str:
        return f"{patient.given} {patient.family}".strip()


class WaitingOut(RoleShape):
    """Who waits; the reason for the visit is for those who care for the patient, not for the desk."""

    resource = Resource.WAITING_ROOM

    id = serializers.UUIDField()
    appointment = serializers.UUIDField(source="appointment_id")
    patient = WaitingPatient()
    practitioner = serializers.UUIDField(source="practitioner_id")
    waiting = serializers.CharField()
    status = serializers.CharField()
    checked_in_at = serializers.DateTimeField()
    starts_at = serializers.DateTimeField(source="appointment.starts_at")
    reason = serializers.CharField(source="appointment.reason")


class TicketOut(Shape):
    ticket = serializers.CharField(source="value")
    expires_at = serializers.DateTimeField()
    url = serializers.SerializerMethodField()

    def get_url(self, ticket: Any) -> str:
        return f"/ws/visits/{ticket.visit_id}/"


class SensitivityIn(Shape):
    """HL7 codes of sensitive categories, by the author's word; without them the labels stay as they are."""

    sensitivity = serializers.ListField(
        child=serializers.ChoiceField(choices=[(each.value, each.value) for each in Category]), required=False, max_length=8
    )


class Labelled(Shape):
    """What such a note is, and what must go with it."""

    sensitivity = serializers.SerializerMethodField()
    notice = serializers.SerializerMethodField()

    def get_sensitivity(self, note: Note) -> list[str]:
        """HL7 codes of the sensitive categories that it belongs to."""
        return [str(each) for each in labels.categories_of(note.patient_id, note.labels)]

    def get_notice(self, note: Note) -> str:
        """What must go with it when it is passed on (42 CFR 2.32), else empty."""
        return labels.notice(labels.categories_of(note.patient_id, note.labels))


class NoteIn(SensitivityIn):
    subjective = serializers.CharField(max_length=20_000, allow_blank=True, trim_whitespace=False, required=False)
    objective = serializers.CharField(max_length=20_000, allow_blank=True, trim_whitespace=False, required=False)
    assessment = serializers.CharField(max_length=20_000, allow_blank=True, trim_whitespace=False, required=False)
    plan = serializers.CharField(max_length=20_000, allow_blank=True, trim_whitespace=False, required=False)


class NoteOut(Labelled, RoleShape):
    resource = Resource.NOTE

    id = serializers.UUIDField()
    visit = serializers.UUIDField(source="visit_id")
    author = serializers.UUIDField(source="author_id")
    amends = serializers.UUIDField(source="amends_id", allow_null=True)
    status = serializers.CharField()
    version = serializers.IntegerField()
    subjective = serializers.CharField(source="body.subjective")
    objective = serializers.CharField(source="body.objective")
    assessment = serializers.CharField(source="body.assessment")
    plan = serializers.CharField(source="body.plan")
    created_at = serializers.DateTimeField()
    signed_at = serializers.DateTimeField(allow_null=True)
    intact = serializers.SerializerMethodField()

    def get_intact(self, note: Note) -> bool | None:
        return signed.is_intact(note)


class SummaryNote(Labelled):
    assessment = serializers.CharField(source="body.assessment")
    plan = serializers.CharField(source="body.plan")
    signed_at = serializers.DateTimeField()
    amends = serializers.UUIDField(source="amends_id", allow_null=True)


class SummaryPractitioner(Shape):
    id = serializers.UUIDField(source="pk")
    name = serializers.CharField()


class SummaryOut(RoleShape):
    resource = Resource.SUMMARY

    visit = serializers.UUIDField(source="visit.pk")
    practitioner = SummaryPractitioner(source="visit.practitioner")
    started_at = serializers.DateTimeField(source="visit.started_at")
    ended_at = serializers.DateTimeField(source="visit.ended_at")
    notes = SummaryNote(many=True)
