"""The tables of disclosures and incidents refuse what cannot be; what has left is added to and never rewritten."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit.ledger import SYSTEM, unit
from audit.review.models import Affected, Basis, Disclosure, Incident
from telehealth.vault.fields import Sealed, sealed_fields_of
from tests.cast import Cast
from tests.conformance.samples import NOW, sample

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("incident_ends_after_it_starts", {"starts_at": NOW, "ends_at": NOW - timedelta(seconds=1)}),
        ("incident_is_assessed_after_its_survey", {"surveyed_at": None}),
        ("incident_is_assessed_after_its_survey", {"verdict": ""}),
    ],
)
def test_an_incident_that_cannot_be(audit_unit: None, name: str, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        sample(Incident, **values)
    sample(Incident)


@pytest.mark.parametrize(
    ("model", "name"), [(Disclosure, "disclosure_once_per_source"), (Affected, "affected_once_per_incident")], ids=lambda each: str(each)
)
def test_once(audit_unit: None, model: Any, name: str) -> None:
    first = sample(model, **({"source_id": uuid4()} if model is Disclosure else {}))
    same = {"patient": first.patient}  # type: ignore[attr-defined]
    same |= {"source_kind": first.source_kind, "source_id": first.source_id} if model is Disclosure else {"incident": first.incident}  # type: ignore[attr-defined]
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        sample(model, **same)


def test_everything_that_tells_is_sealed(cast: Cast) -> None:
    made = Disclosure.objects.create(
        patient=cast.pia_record, recipient={"name": "Child Protection"}, what="Visit note", purpose="Report", basis=Basis.ABUSE
    )
    clear = {field.name for field in Disclosure._meta.concrete_fields} - {field.name for field in sealed_fields_of(Disclosure)}
    assert clear == {"id", "patient", "at", "source_kind", "source_id", "made_by"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(d)::text FROM review_disclosure d WHERE id = %s", [made.pk])
        text = cursor.fetchone()[0]
    assert not any(word.encode().hex() in text or word in text for word in ("Child Protection", "Visit note", "Report", "abuse"))
    assert all(isinstance(value, Sealed) for value in Disclosure.objects.values_list("recipient", "what", "purpose", "basis").get())


@pytest.mark.parametrize("statement", ["UPDATE review_disclosure SET at = now()", "DELETE FROM review_disclosure"])
def test_the_runtime_role_rewrites_nothing_that_has_left(audit_unit: None, statement: str) -> None:
    sample(Disclosure)
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Disclosure.objects.count() == 1


AsOwner = Callable[..., list[tuple[Any, ...]]]


@pytest.mark.django_db(transaction=True)
def test_a_ciphertext_moved_to_another_patient_opens_nothing(as_owner: AsOwner) -> None:
    with unit(SYSTEM, channel="task"):
        one, other = sample(Disclosure), sample(Disclosure)
    as_owner(
        "UPDATE review_disclosure SET recipient = (SELECT recipient FROM review_disclosure WHERE id = %s) WHERE id = %s", one.pk, other.pk
    )
    with unit(SYSTEM, channel="task"), pytest.raises(Exception, match=r"^$") as caught:
        assert Disclosure.objects.get(pk=other.pk).recipient
    assert type(caught.value).__name__ == "Broken"
