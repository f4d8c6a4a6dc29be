from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telehealth.records.digests import words
from telehealth.records.importing import reading
from telehealth.records.sensitive import is_sensitive

PATHS = [
    "name",
    "identifier",
    "birthDate",
    "telecom",
    "address",
    "status",
    "code",
    "category",
    "given",
    "line",
    "coding",
    "value",
    "system",
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PATHS), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("1234567893", True),
        ("1999000015", True),
        ("1234567890", False),
        ("3234567893", False),
        ("40", False),
        ("", False),
        ("١٢٣٤٥٦٧٨٩٣", False),
    ],
)
def test_an_npi_is_ten_digits_with_a_check_digit(number: str, valid: bool) -> None:
    assert reading.npi_valid(number) is valid


@pytest.mark.parametrize(
    ("born", "minor"),
    [
        ("2008-11-22", True),
        ("2008-11-21", False),
        ("2008-11", True),
        ("2008", True),
        ("2007", False),
        ("1950-01-01", False),
        (None, None),
        ("soon", None),
    ],
)
def test_whoever_may_be_a_minor_counts_as_one(born: str | None, minor: bool | None) -> None:
    assert reading.is_minor(born, date(2026, 11, 21)) is minor


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2020", datetime(2020, 1, 1, tzinfo=UTC)),
        ("2020-03", datetime(2020, 3, 1, tzinfo=UTC)),
        ("2020-03-04T05:06:07+02:00", datetime(2020, 3, 4, 3, 6, 7, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("2020-02-30", None),
        ("20200304", None),
        ("", None),
    ],
)
def test_fhir_dates_become_moments(text: str, when: datetime | None) -> None:
    assert reading.moment(text) == when


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(PATHS), ANYTHING, max_size=6))
def test_no_shape_of_a_resource_is_too_strange_to_read(resource: dict[str, object]) -> None:
    read = reading.columns(resource)
    assert len(read.code) <= 64 and len(read.status) <= 64
    reading.demographics(resource)
    assert all(len(system) <= 300 for system, _ in reading.identifiers(resource))


def test_free_text_in_a_codes_place_is_not_kept_in_the_clear() -> None:
    read = reading.columns({"status": "she said no", "code": {"coding": [{"code": "Jane Doe, 617-555-0100"}]}})
    assert (read.status, read.code) == ("", "")
    assert read.unreadable == ("unreadable_status", "unreadable_code")


def test_names_are_compared_without_accents_case_and_marks() -> None:
    assert words("O'Brien-Núñez, ÅSA") == ["o", "brien", "nunez", "asa"]


@pytest.mark.parametrize(
    ("system", "code", "sensitive"),
    [
        ("http://hl7.org/fhir/sid/icd-10-cm", "F10.20", True),
        ("http://hl7.org/fhir/sid/icd-10-cm", "B20", True),
        ("http://hl7.org/fhir/sid/icd-10-cm", "I10", False),
        ("http://snomed.info/sct", "86406008", True),
        ("http://snomed.info/sct", "38341003", False),
        ("http://loinc.org", "8302-2", False),
        ("urn:oid:2.16.840.1.113883.6.90", "F10.20", True),
        ("urn:oid:2.16.840.1.113883.6.96", "86406008", True),
        ("urn:oid:2.16.840.1.113883.6.1", "7917-8", True),
        ("http://hl7.org/fhir/sid/ICD-10-CM", "B20", True),
        ("http://hl7.org/fhir/sid/icd-9-cm", "303.90", True),
        ("http://hl7.org/fhir/sid/icd-9-cm", "401.9", False),
    ],
)
def test_some_codes_tell_too_much_by_themselves(system: str, code: str, sensitive: bool) -> None:
    assert is_sensitive(system, code) is sensitive
