"""A database of the release before: what its rows lack is made good, and what they tell too freely is sealed."""

import io
import json

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from audit.ledger import SYSTEM, Act, unit
from audit.ledger.models import Entry
from telehealth.records import labels
from telehealth.records.labels import Category
from telehealth.records.models import ClinicalResource, DeaNumber, Organization, Patient, Practitioner
from tests.cast import Cast
from tests.vault.test_also_sealed import BY_TYPE, DEA, DEA_IDENTIFIER, absent

pytestmark = pytest.mark.django_db
ALCOHOL = {"resourceType": "Condition", "code": {"coding": [{"system": "http://snomed.info/sct", "code": "7200002"}]}}


def caught_up() -> str:
    out = io.StringIO()
    call_command("catch_up", stdout=out)
    return out.getvalue().strip()


@pytest.fixture
def former(cast: Cast) -> ClinicalResource:
    """As the release before left it: no index by address, a chart without labels, DEA numbers in the clear."""
    patient = cast.pia_record
    patient.address = {"line": "1 Elm Street", "postalCode": "02139"}
    patient.save()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE records_patient SET address_index = NULL WHERE id = %s", [patient.pk])
    about = {"identifier": [DEA_IDENTIFIER, {"system": "urn:other", "value": "7"}], "name": [{"family": "Prescott"}]}
    Practitioner.objects.create(family="Prescott", source=about, source_digest="0" * 64, identity=f"{DEA_IDENTIFIER['system']}|{DEA}")
    Organization.objects.create(name="Clinic", source={"identifier": [{**BY_TYPE, "value": "AB1234563"}]})
    return ClinicalResource.objects.create(patient=patient, type="Condition", body=json.dumps(ALCOHOL), body_key=b"k" * 32)


def test_what_an_older_release_left_is_made_good(cast: Cast, former: ClinicalResource) -> None:
    assert caught_up() == "indexes: 1, dea_numbers: 2, labels: 1"

    patient = Patient.objects.get(pk=cast.pia_record.pk)
    field = Patient._meta.get_field("address_index")
    with unit(SYSTEM, channel="test"):
        assert bytes(patient.address_index) == field.digest(patient.address)
    former.refresh_from_db(fields=["labels"])
    assert former.labels == labels.tokens(patient.pk, [Category.SUBSTANCE_USE])
    absent(DEA, "records_practitioner", "records_organization", "records_deanumber")
    absent("AB1234563", "records_practitioner", "records_organization", "records_deanumber")
    ida = Practitioner.objects.get(family="Prescott")
    assert ida.source == {"identifier": [{"system": "urn:other", "value": "7"}], "name": [{"family": "Prescott"}]}
    assert (ida.source_digest, ida.identity[:4]) == ("", "dea|")
    with unit(SYSTEM, channel="test"):
        assert {each.number for each in DeaNumber.objects.all()} == {DEA, "AB1234563"}
    assert Entry.objects.filter(act=Act.DATA_CAUGHT_UP).count() == 3


def test_a_second_time_there_is_nothing_to_do(former: ClinicalResource) -> None:
    caught_up()
    assert caught_up() == "indexes: 0, dea_numbers: 0, labels: 0"


def test_a_destroyed_row_gets_no_index(cast: Cast, former: ClinicalResource) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE records_patient SET address = decode('00', 'hex')")
    assert caught_up().startswith("indexes: 0,")
