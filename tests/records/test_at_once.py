"""Imports that meet: the locks order them, the constraints decide."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from audit.ledger import Actor, unit
from telehealth.records.importing.report import Report
from telehealth.records.models import ClinicalResource, Patient, Practitioner
from telehealth.records.services import import_bundle
from tests.cast import Cast
from tests.records.bundles import bundle, entry, observation, patient, stream

TOGETHER = 4


@pytest.mark.django_db(transaction=True)
def test_the_same_bundle_imported_at_once_is_one_patient(cast: Cast) -> None:
    vera = patient()
    doctor = entry("Practitioner", identifier=[{"system": "urn:staff", "value": "7"}], name=[{"family": "Fay"}])
    content = json.dumps(bundle(vera, doctor, observation(vera))).encode()
    others = [json.dumps(bundle(patient(), {**doctor, "fullUrl": f"urn:uuid:{number}"})).encode() for number in range(TOGETHER)]
    start = Barrier(2 * TOGETHER)

    def once(content: bytes, by: Actor) -> Report:
        try:
            start.wait(timeout=20)
            with unit(by, channel="REST"):
                return import_bundle(source=stream(content), by=by)
        finally:
            connection.close()

    with ThreadPoolExecutor(2 * TOGETHER) as pool:
        reports = list(pool.map(once, [content] * TOGETHER + others, [cast.nan] * 2 * TOGETHER))

    assert len({report.patient for report in reports[:TOGETHER]}) == 1
    assert [report.created for report in reports[:TOGETHER]].count(True) == 1
    assert Patient.objects.count() == 2 + 1 + TOGETHER
    assert ClinicalResource.objects.count() == 1
    assert Practitioner.objects.filter(family="Fay").count() == 1
