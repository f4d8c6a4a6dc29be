"""Whatever a sender may think of: it is imported and accounted for, or refused with one of our errors. Never a fault."""

import json
from typing import Any

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telehealth.core.errors import DomainError
from telehealth.records.importing.kinds import KINDS
from telehealth.records.services import import_bundle
from tests.cast import Cast
from tests.records.bundles import bundle, stream

URLS = st.sampled_from(["urn:uuid:1", "urn:uuid:2", "urn:uuid:3", "http://x/Patient/1", "Patient/1", "", "x" * 400, "\u2603"])
NAMES = st.sampled_from(
    ["id", "identifier", "name", "family", "given", "reference", "subject", "patient", "status", "code", "coding", "system", "value",
     "telecom", "address", "line", "birthDate", "period", "start", "effectiveDateTime", "category", "div", "url", "deceasedDateTime",
     "contained", "meta", "physicalType", "type", "communication", "language"]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.decimals(allow_nan=False, allow_infinity=False).map(float)
    | st.text(max_size=12)
    | URLS
    | st.sampled_from(
        ["40", "1999000015", "2020-02-30", "0001-01-01", "9999-12-31T23:59:60Z", "http://hl7.org/fhir/sid/us-npi", "MR", "a\0b"]
    )
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=4), max_leaves=10
)
KIND = st.sampled_from(["Patient", "Practitioner", "Organization", "Location", "Observation", "Claim", "Bundle", "Nonsense", "\0"])
RESOURCE = st.dictionaries(NAMES, VALUES, max_size=6).flatmap(lambda facts: KIND.map(lambda kind: {**facts, "resourceType": kind}))
ENTRY = st.fixed_dictionaries({"resource": RESOURCE}, optional={"fullUrl": URLS, "request": VALUES})


class Undo(Exception):
    """Ends one example without a trace."""


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(patient=st.dictionaries(NAMES, VALUES, max_size=8), others=st.lists(ENTRY, max_size=4), again=st.lists(ENTRY, max_size=2))
def test_any_bundle_is_accounted_for_or_refused(cast: Cast, patient: dict[str, Any], others: list[Any], again: list[Any]) -> None:
    own = {"fullUrl": "urn:uuid:0", "resource": {**patient, "resourceType": "Patient"}}
    others = [entry for entry in others if entry["resource"]["resourceType"] != "Patient"]
    try:
        with transaction.atomic():
            first = json.dumps(bundle(own, *others)).encode()
            report = import_bundle(source=stream(first), by=cast.nan)
            assert (
                sum(counts.total() for counts in (report.stored, report.updated, report.unchanged)) + report.refused.total()
                == len(others) + 1
            )
            assert {kind for kind in report.stored} <= KINDS
            repeated = import_bundle(source=stream(first), by=cast.nan)
            assert not repeated.stored and not repeated.updated and repeated.refused == report.refused
            import_bundle(source=stream(bundle(*again, own, *others)), by=cast.nan)
            raise Undo
    except (Undo, DomainError):
        pass
