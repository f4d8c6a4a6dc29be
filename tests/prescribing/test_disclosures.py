"""A prescription that leaves is in the patient's disclosures before it does, once, in the words that were signed."""

import pytest
from pytest_django import Settings

from audit.ledger.models import Entry
from audit.review.models import Basis, Disclosure
from audit.review.services import account_for
from telehealth.outbox.services import deliver_due
from tests.conftest import AsOwner
from tests.prescribing.network import running
from tests.prescribing.test_transmission import answering
from tests.prescribing.ward import Ward, outbox_of, outgoing_of

pytestmark = pytest.mark.django_db


def test_a_prescription_that_leaves_is_a_disclosure_to_its_pharmacy(ward: Ward, settings: Settings) -> None:
    signed = ward.signed()
    assert not Disclosure.objects.exists()
    with running() as network:
        settings.PHARMACY_NETWORK_URL = f"http://127.0.0.1:{network.server_port}"
        deliver_due()

    (made,) = Disclosure.objects.all()
    assert (made.patient_id, made.source_id, made.made_by) == (signed.patient_id, outgoing_of(signed).pk, None)
    assert made.recipient["name"] == signed.pharmacy.name
    assert signed.pharmacy.city in made.recipient["address"]
    assert made.basis == Basis.TREATMENT
    assert account_for(patient_id=signed.patient_id, by=ward.cast.pia).lines == []
    assert account_for(patient_id=signed.patient_id, by=ward.cast.pia, complete=True).lines == [made]


def test_a_retry_is_the_same_disclosure_and_nobody_answering_is_one_too(ward: Ward, settings: Settings) -> None:
    signed = ward.signed()
    settings.OUTBOX_BACKOFF_SECONDS = (0, 0, 0)
    for _ in range(3):
        deliver_due()
    assert outbox_of(signed).attempts > 1
    assert Disclosure.objects.count() == 1
    assert Entry.objects.filter(act="disclosure.made", record_id=signed.patient_id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_is_committed_before_the_prescription_leaves(ward: Ward, settings: Settings, as_owner: AsOwner) -> None:
    signed = ward.signed()
    seen: list[int] = []

    def hear() -> tuple[int, bytes]:
        (row,) = as_owner("SELECT count(*) FROM review_disclosure WHERE source_id = %s", outgoing_of(signed).pk)
        seen.append(row[0])
        return 503, b""

    with answering(hear) as port:
        settings.PHARMACY_NETWORK_URL = f"http://127.0.0.1:{port}"
        deliver_due(limit=1)
    assert seen == [1]
