"""One row of any model of ours, made from what its fields say, with a value of its own in every sealed field."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from scheduling.statuses import OverbookCode
from telehealth.vault.fields import BlindIndexField, SealedField, SealedJSONField

Canaries = dict[str, str]
NOW = datetime.now(UTC).replace(microsecond=0)

# Where a constraint asks for more than a field can say.
SPECIAL: dict[str, Callable[[], Any]] = {
    "accounts.Invitation.patient": uuid4,
    "accounts.RoleGrant.role": lambda: "nurse",
    "accounts.Invitation.relationship": lambda: "self",
    "prescribing.Pharmacy.ncpdp_id": lambda: f"{uuid4().int % 10**7:07}",
    "prescribing.Prescription.digest": lambda: b"d" * 32,
    "prescribing.Prescription.key_id": uuid4,
    "prescribing.Prescription.signature": lambda: b"s" * 64,
    "prescribing.Prescription.signed_at": lambda: NOW,
    "prescribing.Prescription.status": lambda: "queued",
    "review.Finding.closed_at": lambda: NOW,
    "review.Finding.closed_by": uuid4,
    "review.Finding.state": lambda: "closed",
    "review.Finding.verdict": lambda: "justified",
    "review.Incident.assessed_at": lambda: NOW,
    "review.Incident.ends_at": lambda: NOW + timedelta(days=2),
    "review.Incident.surveyed_at": lambda: NOW,
    "review.Incident.verdict": lambda: "breach",
    "records.Consent.recipient": lambda: "care_team",
    "scheduling.Appointment.cancelled_reason": lambda: "pat",
    "scheduling.Appointment.ends_at": lambda: NOW + timedelta(days=1, minutes=10),
    "scheduling.Appointment.overbooked_by": uuid4,
    "scheduling.Appointment.overbooked_code": lambda: OverbookCode.values[0],
    "scheduling.Appointment.status": lambda: "cancelled",
    "scheduling.Availability.rrule": lambda: "FREQ=DAILY",
    "scheduling.Availability.ends": lambda: time(17),
    "scheduling.Availability.timezone": lambda: "UTC",
    "scheduling.AvailabilityException.timezone": lambda: "UTC",
    "scheduling.GroupVisit.ends_at": lambda: NOW + timedelta(days=1, minutes=10),
    "scheduling.GroupVisit.capacity": lambda: 8,
    "scheduling.Occupancy.appointment": lambda: sample(apps.get_model("scheduling.Appointment")),
    "scheduling.Occupancy.kind": lambda: "provider",
    "scheduling.WaitlistEntry.latest": lambda: NOW + timedelta(days=2),
    "scheduling.WaitlistEntry.timezone": lambda: "UTC",
    "scheduling.VisitType.minutes": lambda: 10,
    "scheduling.VisitType.step_minutes": lambda: 10,
}


def sample(model: type[models.Model], canaries: Canaries | None = None, **given: Any) -> models.Model:
    """Saved, with the rows it refers to. `canaries` collects "label.field" → the value that was sealed."""
    values: dict[str, Any] = {}
    canaries = {} if canaries is None else canaries
    for field in model._meta.concrete_fields:
        if isinstance(field, SealedField):
            values[field.attname] = _sealed(field, canaries)
        elif _needed(field):
            values[field.name] = _plain(field, canaries)
    made = model(**{**values, **given})
    made.save(force_insert=True)
    return made


def _sealed(field: SealedField, canaries: Canaries) -> Any:
    canary = f"Canary{uuid4().hex}"
    canaries[f"{field.model._meta.label}.{field.name}"] = canary
    return {"line": [canary]} if isinstance(field, SealedJSONField) else canary


def _needed(field: Any) -> bool:
    label = f"{field.model._meta.label}.{field.name}"
    if label in SPECIAL:
        return True
    if isinstance(field, BlindIndexField) or field.has_default() or field.null or field.blank or getattr(field, "auto_now_add", False):
        return False
    return not (field.primary_key and not field.remote_field) and not getattr(field, "auto_now", False)


def _plain(field: Any, canaries: Canaries) -> Any:
    label = f"{field.model._meta.label}.{field.name}"
    if label in SPECIAL:
        return SPECIAL[label]()
    if field.remote_field:
        return sample(field.related_model, canaries)
    if field.choices:
        return field.choices[0][0]
    value = PLAIN[field.get_internal_type()]()
    return value[: field.max_length] if isinstance(value, str) else value


PLAIN: dict[str, Callable[[], Any]] = {
    "BigIntegerField": lambda: 1,
    "BinaryField": lambda: uuid4().bytes * 2,
    "BooleanField": lambda: False,
    "CharField": lambda: uuid4().hex[:12],
    "DateField": lambda: date(2030, 1, 1),
    "DateTimeField": lambda: NOW + timedelta(days=1),
    "DateTimeRangeField": lambda: DateTimeTZRange(NOW, NOW + timedelta(hours=1)),
    "DecimalField": lambda: Decimal(1),
    "IntegerField": lambda: 1,
    "JSONField": dict,
    "PositiveIntegerField": lambda: 1,
    "PositiveSmallIntegerField": lambda: 1,
    "SlugField": lambda: uuid4().hex[:12],
    "SmallIntegerField": lambda: 1,
    "TextField": lambda: "x",
    "TimeField": lambda: time(9),
    "UUIDField": uuid4,
    "EmailField": lambda: f"{uuid4().hex}@people.example",
}
