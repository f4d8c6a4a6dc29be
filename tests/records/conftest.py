"""A record with something of everything, for what lets it go and what keeps it."""

from collections.abc import Iterator

import pytest
from django.db import connections, transaction

from audit.ledger import uuid7
from telehealth.accounts.access import Role
from telehealth.accounts.models import AccessToken, Application, TOTPDevice
from telehealth.core import now
from telehealth.outbox.services import notify
from telehealth.records.models import ClinicalResource, PatientIdentifier
from telehealth.rest.models import IdempotencyKey
from telehealth.vault import files
from tests.cast import Cast, make_actor
from tests.records.house import House


@pytest.fixture
def house(cast: Cast) -> Iterator[House]:
    pia = cast.pia_record
    with transaction.atomic():
        ned = cast.ned_record  # who has nothing in common with her
        ned.phone, ned.birth_date, ned.address = "617-555-0199", "1980-01-01", {"line": "2 Oak Street"}
        ned.save()
        for number in range(5):
            ClinicalResource.objects.create(
                patient=pia, type="Condition", code="44054006", code_system="http://snomed.info/sct", body=f"body {number}", body_key=b"k"
            )
        PatientIdentifier.objects.create(patient=pia, system="urn:ssn", value="999-01-0001")
        TOTPDevice.objects.create(user_id=cast.pia.id, seed="JBSWY3DPEHPK3PXP", confirmed=True)
        notify(person_id=cast.pia.account, kind="appointment_booked", about_id=uuid7())
    IdempotencyKey.objects.create(actor=cast.pia.account, key_hash=b"k", request_hash=b"r", status=201, object_id=uuid7())
    app = Application.objects.create(client_id="an-app", authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE)
    AccessToken.objects.create(user_id=cast.pia.id, application=app, token="t", expires=now())
    files.write([b"a letter"], record_id=pia.pk, kind="attachment", media_type="text/plain", title="Letter")
    yield House(cast, make_actor("second", Role.PRIVACY_OFFICER))
    connections["owner"].close()
