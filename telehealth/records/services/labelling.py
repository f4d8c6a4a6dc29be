import json
from collections.abc import Iterator

from django.db import transaction

from audit.ledger import Act, Actor, flush, record
from telehealth.records import labels
from telehealth.records.models import ClinicalResource, Patient


def label_again(*, by: Actor) -> Iterator[int]:
    """Read every chart again by today's rules and say, patient by patient, how many rows got other labels.

    For the operator's command, after the lists of `telehealth.records.labels` changed. Each chart is opened, on record.
    """
    for patient in Patient.objects.with_keys().order_by("pk").iterator(chunk_size=200):
        with transaction.atomic():
            yield _label_chart(patient, by)
        flush()


def _label_chart(patient: Patient, by: Actor) -> int:
    changed = 0
    for row in ClinicalResource.objects.filter(patient=patient).order_by("pk").iterator(chunk_size=200):
        told = labels.tokens(patient.pk, labels.read(json.loads(row.body), patient.birth_date))
        if told != row.labels:
            changed += ClinicalResource.objects.filter(pk=row.pk, version=row.version).update(labels=told)
    if changed:
        record(by, Act.LABELS_CHANGED, patient, detail={"rows": changed})
    return changed
