"""What the database itself refuses, whatever path writes."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from audit.ledger import uuid7
from telehealth.core import now
from telehealth.records.models import (
    CareRelationship,
    ClinicalResource,
    ClinicalResourceVersion,
    Covering,
    License,
    LicenseException,
    Location,
    Organization,
    PatientIdentifier,
    Practitioner,
    ProxyGrant,
)
from tests.cast import Cast, id_of, make_patient

CAUSE, ACCOUNT = uuid7(), uuid7()


def care(cast: Cast, **values: Any) -> None:
    facts = {"patient": cast.pia_record, "practitioner": cast.cho, "source": "appointment", "source_id": CAUSE, "starts_at": now()}
    CareRelationship.objects.create(**{**facts, **values})


def grant(cast: Cast, **values: Any) -> None:
    ProxyGrant.objects.create(**{"patient": cast.ned_record, "proxy": ACCOUNT, "relationship": "guardian", "starts_at": now(), **values})


def covering(cast: Cast, **values: Any) -> None:
    facts = {"covered": cast.cho, "covering": cast.dee, "arranged_by": ACCOUNT, "starts_at": now(), "ends_at": now() - YESTERDAY}
    Covering.objects.create(**{**facts, **values})


def resource(cast: Cast, **values: Any) -> ClinicalResource:
    return ClinicalResource.objects.create(**{"patient": cast.pia_record, "type": "Claim", "body": "{}", "body_key": b"k", **values})


def version(cast: Cast, of: ClinicalResource | None) -> None:
    ClinicalResourceVersion.objects.create(patient=cast.pia_record, resource=of, version=1, recorded_at=now(), body="{}")


def staff(cast: Cast, **values: str) -> None:
    for table in (Practitioner, Organization, Location):
        table.objects.create(**values)


def twice(write: Callable[..., Any], **values: Any) -> Callable[[Cast], object]:
    def attempt(cast: Cast) -> None:
        write(cast, **values)
        write(cast, **values)

    return attempt


def licensed(cast: Cast, **values: Any) -> None:
    License.objects.create(**{"practitioner": cast.cho, "state": "NH", "valid_from": date(2020, 1, 1), **values})


def excepted(cast: Cast, **values: Any) -> None:
    given = {"practitioner": None, "state": "NH", "basis": "compact", "valid_from": date(2020, 1, 1)}
    LicenseException.objects.create(**{**given, **values})


def numbered(cast: Cast) -> None:
    for who, value in ((cast.pia_record, "A-77"), (cast.ned_record, "a77")):
        PatientIdentifier.objects.create(patient=who, system="urn:x", value=value)


def versions_of_one(cast: Cast) -> None:
    row = resource(cast)
    version(cast, row)
    version(cast, row)


YESTERDAY = timedelta(days=-1)

ATTEMPTS: dict[str, Callable[[Cast], object]] = {
    "care_once_per_cause": twice(care),
    "care_ends_after_it_starts": lambda cast: care(cast, ends_at=now() + YESTERDAY),
    "proxy_once_at_a_time": twice(grant),
    "proxy_scopes_are_known": lambda cast: grant(cast, scopes=["everything"]),
    "covering_ends_after_it_starts": lambda cast: covering(cast, ends_at=now() + YESTERDAY),
    "covering_is_by_another": lambda cast: covering(cast, covering=cast.cho),
    "proxy_ends_after_it_starts": lambda cast: grant(cast, ends_at=now() + YESTERDAY),
    "resource_once_per_full_url": twice(resource, source_key=b"u"),
    "resource_once_per_identifier": twice(resource, identifier_key=b"i"),
    "version_kept_once": versions_of_one,
    "license_given_once": twice(licensed),
    "license_ends_after_it_starts": lambda cast: licensed(cast, valid_to=date(2019, 1, 1)),
    "license_exception_given_once": twice(excepted),
    "license_exception_ends_after_it_starts": lambda cast: excepted(cast, valid_to=date(2019, 1, 1)),
    "license_exception_basis_is_known": lambda cast: excepted(cast, basis="because"),
    "identifier_of_one_patient": numbered,
    "practitioner_once_per_identity": lambda cast: twice(lambda _: Practitioner.objects.create(identity="x"))(cast),
    "practitioner_once_per_full_url": lambda cast: twice(lambda _: Practitioner.objects.create(source_url="x"))(cast),
    "organization_once_per_identity": lambda cast: twice(lambda _: Organization.objects.create(identity="x"))(cast),
    "organization_once_per_full_url": lambda cast: twice(lambda _: Organization.objects.create(source_url="x"))(cast),
    "location_once_per_identity": lambda cast: twice(lambda _: Location.objects.create(identity="x"))(cast),
    "location_once_per_full_url": lambda cast: twice(lambda _: Location.objects.create(source_url="x"))(cast),
    "records_patient_account_id_key": lambda cast: [make_patient("A", name, id_of(cast.desk)) for name in "ab"],
    "records_patient_mrn_index_key": lambda cast: [make_patient("A", name, mrn="M 1") for name in "ab"],
    "records_patient_source_key_key": lambda cast: [make_patient("A", name, source_key=b"s") for name in "ab"],
    "records_practitioner_account_id_key": lambda cast: twice(lambda _: Practitioner.objects.create(account_id=ACCOUNT))(cast),
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_the_database_refuses(name: str, cast: Cast) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        ATTEMPTS[name](cast)
    assert refused.value.__cause__.diag.constraint_name == name  # type: ignore[union-attr]


def test_the_patients_own_version_is_kept_once(cast: Cast) -> None:
    version(cast, None)
    with pytest.raises(IntegrityError), transaction.atomic():
        version(cast, None)


def test_what_differs_is_allowed(cast: Cast) -> None:
    grant(cast, starts_at=now() + YESTERDAY, ends_at=now())
    grant(cast)
    resource(cast, source_key=b"u")
    resource(cast, source_key=b"u", type="Basic")
    resource(cast, source_key=b"u", patient=cast.ned_record)
    for _ in range(2):
        staff(cast)
        resource(cast)
