"""What goes in and out by REST."""

from rest_framework import serializers

from prescribing import content
from prescribing.machine import Status
from prescribing.models import Prescription
from telehealth.accounts.access import Resource
from telehealth.accounts.shapes import RoleShape
from telehealth.rest.shapes import Shape


class QueryIn(Shape):
    """Words to look for."""

    q = serializers.CharField(required=False, default="", allow_blank=True, max_length=80)


class VisitQueryIn(Shape):
    """Of one visit, if given."""

    visit = serializers.UUIDField(required=False)


class PharmacyOut(Shape):
    """Where prescriptions go."""

    ncpdp_id = serializers.CharField()
    name = serializers.CharField()
    line = serializers.CharField()
    city = serializers.CharField()
    state = serializers.CharField()
    postal_code = serializers.CharField()
    phone = serializers.CharField()


class MedicationOut(Shape):
    """One line of the formulary."""

    rxcui = serializers.CharField()
    name = serializers.CharField()
    strength = serializers.CharField()
    form = serializers.CharField()
    description = serializers.CharField()
    unit_name = serializers.CharField()
    most_quantity = serializers.DecimalField(max_digits=11, decimal_places=3)


class PrescribeIn(Shape):
    """An order: what, how much, how to take it, and where to fetch it."""

    visit = serializers.UUIDField()
    medication = serializers.CharField(max_length=12)
    pharmacy = serializers.CharField(max_length=7)
    sig = serializers.CharField(max_length=1000)
    quantity = serializers.DecimalField(max_digits=11, decimal_places=3)
    days_supply = serializers.IntegerField(min_value=0, max_value=9999)
    refills = serializers.IntegerField(min_value=0, max_value=99, default=0)
    substitution = serializers.BooleanField(default=True)
    note = serializers.CharField(max_length=210, allow_blank=True, default="")


class SignIn(Shape):
    """A code of one's authenticator that was not used before."""

    code = serializers.CharField(max_length=16)


class PrescriptionOut(RoleShape):
    """One prescription and how far it got."""

    resource = Resource.PRESCRIPTION

    id = serializers.UUIDField()
    visit = serializers.UUIDField(source="visit_id")
    patient = serializers.UUIDField(source="patient_id")
    prescriber = serializers.UUIDField(source="prescriber_id")
    prescriber_name = serializers.CharField(source="prescriber.name")
    status = serializers.ChoiceField(choices=Status.choices)
    failure = serializers.CharField()
    unconfirmed = serializers.BooleanField()
    number = serializers.CharField()
    medication = MedicationOut()
    drug = serializers.CharField(help_text="In the words that were signed, whatever the formulary says since")
    pharmacy = PharmacyOut()
    pharmacy_name = serializers.CharField(help_text="As it was signed")
    quantity = serializers.DecimalField(max_digits=11, decimal_places=3)
    days_supply = serializers.IntegerField()
    refills = serializers.IntegerField()
    substitution = serializers.BooleanField()
    sig = serializers.CharField()
    note = serializers.CharField()
    created_at = serializers.DateTimeField()
    signed_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class PrescriptionDetailOut(PrescriptionOut):
    """With the proof: whether it still is what was signed; null for a draft."""

    intact = serializers.SerializerMethodField()

    def get_intact(self, prescription: Prescription) -> bool | None:
        """Digest, signature and every column agree with what was signed."""
        return None if prescription.signed_at is None else not content.faults(prescription)
