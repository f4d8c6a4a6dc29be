"""What goes in and out by REST. A role sees the fields of its own shape and no others (45 CFR 164.502(b): minimum necessary)."""

from django.utils import timezone
from rest_framework import serializers

from telehealth.accounts.access import Resource, Role
from telehealth.accounts.shapes import RoleShape
from telehealth.records import billing, labels
from telehealth.records.importing.reading import is_minor, moment
from telehealth.records.importing.report import Report
from telehealth.records.labels import Category
from telehealth.records.models import ClinicalResource, ConsentScope, EmergencyReason, LicenseBasis, Patient, ProxyScope, Recipient
from telehealth.records.services.inviting import IDENTIFIERS
from telehealth.rest.rendering import StoredJSON
from telehealth.rest.shapes import Shape


class PatientOut(RoleShape):
    """Who somebody is, how to reach them, and what who cares for them needs beside."""

    resource = Resource.PATIENT

    id = serializers.UUIDField()
    mrn = serializers.CharField()
    family = serializers.CharField()
    given = serializers.CharField()
    birth_date = serializers.CharField(allow_null=True)
    address = serializers.JSONField()
    phone = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    language = serializers.CharField()
    is_deceased = serializers.BooleanField()
    minor = serializers.SerializerMethodField()
    has_account = serializers.SerializerMethodField()
    gender = serializers.CharField()
    deceased = serializers.CharField()
    version = serializers.IntegerField()
    changed_at = serializers.DateTimeField()

    def get_minor(self, patient: Patient) -> bool | None:
        """Below 18 today; null when the birth date does not tell."""
        return is_minor(patient.birth_date, timezone.now().date())

    def get_has_account(self, patient: Patient) -> bool:
        """Whether somebody signs in as this patient."""
        return patient.account_id is not None


class SearchIn(Shape):
    """All that is given must fit. In the body, for an address ends up in logs."""

    mrn = serializers.CharField(required=False, max_length=200)
    phone = serializers.CharField(required=False, max_length=40)
    name = serializers.CharField(required=False, max_length=100)
    birth_date = serializers.CharField(required=False, max_length=10)

    def validate_birth_date(self, value: str) -> str:
        """A FHIR date: YYYY, YYYY-MM or YYYY-MM-DD."""
        if moment(value) is None:
            raise serializers.ValidationError(code="invalid")
        return value


class ResourceQuery(Shape):
    """`?type=Observation`."""

    type = serializers.RegexField(r"^[A-Za-z]{1,64}$", required=False)


class ResourceOut(RoleShape):
    """One resource: what is kept in the clear, and the FHIR JSON as it is stored."""

    resource = Resource.CLINICAL_RESOURCE

    id = serializers.UUIDField()
    type = serializers.CharField()
    status = serializers.CharField()
    date = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    changed_at = serializers.DateTimeField()
    sensitivity = serializers.SerializerMethodField()
    notice = serializers.SerializerMethodField()
    body = StoredJSON()

    def get_sensitivity(self, resource: ClinicalResource) -> list[str]:
        """HL7 codes of the sensitive categories that it belongs to."""
        return [str(each) for each in labels.categories_of(resource.patient_id, resource.labels)]

    def get_notice(self, resource: ClinicalResource) -> str:
        """What must go with it wherever it goes (42 CFR 2.32)."""
        return labels.notice(labels.categories_of(resource.patient_id, resource.labels))


class BillingOut(RoleShape):
    """What was found or done by its codes alone, or a coverage; no text of either (45 CFR 164.514(d)(2))."""

    resource = Resource.BILLING

    id = serializers.UUIDField()
    type = serializers.CharField()
    status = serializers.CharField()
    date = serializers.DateTimeField(allow_null=True)
    codes = serializers.SerializerMethodField()
    coverage = serializers.SerializerMethodField()
    notice = serializers.SerializerMethodField()

    def get_codes(self, resource: ClinicalResource) -> list[dict[str, str]]:
        """Pairs of system and code."""
        return billing.codes(resource)

    def get_coverage(self, resource: ClinicalResource) -> dict[str, str] | None:
        """Who pays and under which number; null for anything but a coverage."""
        return billing.coverage(resource)

    def get_notice(self, resource: ClinicalResource) -> str:
        """What must go with it wherever it goes (42 CFR 2.32)."""
        return labels.notice(labels.categories_of(resource.patient_id, resource.labels))


class InviteIn(Shape):
    """Whom to invite, and whether it is the patient or a guardian."""

    email = serializers.EmailField(max_length=254)
    relationship = serializers.ChoiceField(["self", "guardian"])
    checked = serializers.ListField(child=serializers.ChoiceField(IDENTIFIERS), required=False, max_length=len(IDENTIFIERS))
    called_back = serializers.BooleanField(required=False)


class InvitationOut(Shape):
    """An invitation: where it went is not repeated."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField()
    relationship = serializers.CharField()
    expires_at = serializers.DateTimeField()


class LicenseOut(Shape):
    """Leave to practise in a state."""

    state = serializers.CharField()
    valid_from = serializers.DateField()
    valid_to = serializers.DateField(allow_null=True)


class LicenseQuery(Shape):
    """`?practitioner=&state=&on=`: whose, where, and which held on that day."""

    practitioner = serializers.UUIDField(required=False, source="practitioner_id")
    state = serializers.CharField(required=False, max_length=40)
    on = serializers.DateField(required=False)


class LicenseHeldOut(LicenseOut):
    """A licence, and whose it is."""

    id = serializers.UUIDField()
    practitioner = serializers.UUIDField(source="practitioner_id")


class LicenseExceptionOut(LicenseHeldOut):
    """Leave without the state's licence: by what. No practitioner: everybody of the clinic."""

    practitioner = serializers.UUIDField(source="practitioner_id", allow_null=True)
    basis = serializers.ChoiceField(LicenseBasis.choices)


class PractitionerOut(Shape):
    """Somebody who gives care here."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    family = serializers.CharField()
    given = serializers.CharField()
    npi = serializers.CharField()
    specialty = serializers.CharField()
    timezone = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField())
    licenses = LicenseOut(many=True)


class ProblemOut(Shape):
    """One kind of problem: of which type, why, how often, and whether the resource was stored all the same."""

    type = serializers.CharField()
    reason = serializers.CharField()
    count = serializers.IntegerField()
    kept = serializers.BooleanField()


class ReportOut(Shape):
    """What became of every entry: stored + updated + unchanged + problems that were not kept = all of them."""

    patient = serializers.UUIDField()
    created = serializers.BooleanField()
    deceased = serializers.BooleanField()
    minor = serializers.BooleanField(allow_null=True)
    stored = serializers.DictField(child=serializers.IntegerField())
    updated = serializers.DictField(child=serializers.IntegerField())
    unchanged = serializers.DictField(child=serializers.IntegerField())
    problems = serializers.SerializerMethodField()

    def get_problems(self, report: Report) -> list[dict[str, str | int | bool]]:
        """By type and reason."""
        return report.problems()


class LocateIn(Shape):
    """The record number; or the whole name and the birth date. In the body, for an address ends up in logs."""

    mrn = serializers.CharField(required=False, max_length=200)
    family = serializers.CharField(required=False, max_length=100)
    given = serializers.CharField(required=False, max_length=100)
    birth_date = serializers.DateField(required=False)


class LocatedOut(Shape):
    """At most one person, by id and initials."""

    patient = serializers.UUIDField(allow_null=True)
    initials = serializers.CharField()


class EmergencyIn(Shape):
    """Which record, why as a code, and why in words."""

    patient = serializers.UUIDField()
    reason = serializers.ChoiceField(choices=EmergencyReason.choices)
    text = serializers.CharField(min_length=10, max_length=2000)


class EmergencyOut(Shape):
    """A declared emergency: who, whose record, why, how long."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField(source="patient_id")
    account = serializers.UUIDField()
    reason = serializers.CharField(source="reason_code")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class EmergencyFull(EmergencyOut):
    """With what was said, for who declared it and who reviews it."""

    text = serializers.CharField()


class StaffRecordIn(Shape):
    """The staff account that this patient has."""

    account = serializers.UUIDField()


class StaffRecordOut(Shape):
    """That this patient works here, and since when the clinic knows."""

    id = serializers.UUIDField()
    account = serializers.UUIDField()
    made_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class RecipientIn(Shape):
    """One practitioner by id, one role of the clinic, or everybody who cares for the patient."""

    kind = serializers.ChoiceField(choices=Recipient.choices)
    practitioner = serializers.UUIDField(required=False)
    role = serializers.ChoiceField(choices=[(Role.PROVIDER, "provider"), (Role.NURSE, "nurse"), (Role.BILLER, "biller")], required=False)


class ConsentIn(Shape):
    """What may be seen, by whom, until when; `text_version` is the text that was agreed to."""

    category = serializers.ChoiceField(choices=[(each.value, each.value) for each in Category])
    scope = serializers.ChoiceField(choices=ConsentScope.choices, default=ConsentScope.TREATMENT)
    recipient = RecipientIn()
    text_version = serializers.CharField(max_length=20)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)


class RecipientOut(Shape):
    kind = serializers.CharField(source="recipient")
    practitioner = serializers.UUIDField(source="practitioner_id", allow_null=True)
    role = serializers.CharField()


class ConsentOut(Shape):
    """A consent, also one that is over."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField(source="patient_id")
    category = serializers.CharField()
    scope = serializers.CharField()
    recipient = RecipientOut(source="*")
    text_version = serializers.CharField()
    given_by = serializers.UUIDField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class CareIn(Shape):
    """Who cares for the patient from now on, and until when."""

    practitioner = serializers.UUIDField()
    ends_at = serializers.DateTimeField(required=False, allow_null=True)


class CareOut(Shape):
    """A reason to see a record, also one that is over."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField(source="patient_id")
    practitioner = serializers.UUIDField(source="practitioner_id")
    cause = serializers.CharField(source="source")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)


class CoveringIn(Shape):
    """Who stands in, from when until when."""

    covering = serializers.UUIDField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class CoveringOut(Shape):
    id = serializers.UUIDField()
    covered = serializers.UUIDField(source="covered_id")
    covering = serializers.UUIDField(source="covering_id")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class HandOverIn(Shape):
    """To whom; a dry run only counts."""

    to = serializers.UUIDField()
    dry_run = serializers.BooleanField(default=True)


class HandOverOut(Shape):
    patients = serializers.IntegerField()
    done = serializers.BooleanField()


class ProxyIn(Shape):
    """Which adult, by e-mail; what they may do; which sensitive categories they see; until when."""

    email = serializers.EmailField(max_length=254)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=ProxyScope.choices), allow_empty=False, max_length=8)
    categories = serializers.ListField(
        child=serializers.ChoiceField(choices=[(each.value, each.value) for each in Category]), default=list, max_length=8
    )
    ends_at = serializers.DateTimeField(required=False, allow_null=True)


class ProxyOfferOut(Shape):
    """What was offered: the same whether somebody holds it already or is invited first."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField(source="patient_id")
    scopes = serializers.ListField(child=serializers.CharField())
    ends_at = serializers.DateTimeField(allow_null=True)


class ProxyOut(Shape):
    """Who acts, or acted, for the patient, and in what."""

    id = serializers.UUIDField()
    patient = serializers.UUIDField(source="patient_id")
    account = serializers.UUIDField(source="proxy")
    relationship = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True)
