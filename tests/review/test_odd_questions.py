"""Times before there were computers and after there will be any, and what no text may hold: an answer, never a 500."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from audit.ledger.ids import first_id_after, first_id_at, uuid7
from tests.cast import Cast
from tests.people import Browser, ClientFor
from tests.review.test_exports import take
from tests.review.test_incidents import look

pytestmark = pytest.mark.django_db
FIRST, BEFORE, LAST = "0001-01-01T00:00:00Z", "1960-05-05T00:00:00Z", "9999-12-31T23:59:59.999999Z"
LISTS = ("audit/entry", "review/finding", "review/disclosure", "review/incident", "records/legalhold", "records/destruction")


@pytest.fixture
def officer(cast: Cast, client_for: ClientFor) -> Browser:
    browser = client_for(cast.privacy)
    browser.raise_request_exception = False
    return browser


def test_ids_bound_every_instant() -> None:
    whenever = [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1960, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ]
    bounds = [bound for moment in whenever for bound in (first_id_at(moment), first_id_after(moment))]
    assert bounds[0] == bounds[2] < uuid7() < bounds[-2] < bounds[-1] < UUID(int=2**128 - 1)


@pytest.mark.parametrize("format", ["csv", "ndjson", "fhir"])
@pytest.mark.parametrize(
    ("filters", "some"), [({"starts_at": FIRST, "ends_at": LAST}, True), ({"starts_at": BEFORE}, True), ({"ends_at": FIRST}, False)]
)
def test_entries_of_any_time_are_taken_out(officer: Browser, cast: Cast, format: str, filters: dict[str, str], some: bool) -> None:
    look(cast.dr_dee, cast.pia_record)
    assert (str(cast.pia_record.pk) in take(officer, format, filters=filters)) is some


@pytest.mark.parametrize(("starts_at", "ends_at", "people"), [(FIRST, LAST, 1), (FIRST, BEFORE, 0)])
def test_an_incident_of_any_time_is_surveyed(officer: Browser, cast: Cast, starts_at: str, ends_at: str, people: int) -> None:
    look(cast.dr_dee, cast.pia_record)
    about = {"subject_kind": "account", "subject": str(cast.dr_dee.id), "discovered_on": "2026-02-01"}
    made = officer.post("/api/v1/incidents/", {**about, "starts_at": starts_at, "ends_at": ends_at})
    assert made.status_code == 201
    found = officer.post(f"/api/v1/incidents/{made.json()['id']}/survey/", {})
    assert (found.status_code, found.json()["people"]) == (200, people)


@pytest.mark.parametrize("query", ["since=0001-01-01", "until=9999-12-31", "since=0001-01-01&until=9999-12-31T23:59", "until=1960-01-01"])
def test_the_log_is_looked_at_from_any_time(officer: Browser, query: str) -> None:
    assert officer.get(f"/admin/audit/entry/?{query}").status_code == 200


@pytest.mark.parametrize("place", LISTS)
def test_a_nul_in_a_filter_is_a_wrong_question(officer: Browser, place: str) -> None:
    for name in ("state", "state__exact", "code", "q", "o", "p", "subject_kind", "patient", "before", "act"):
        assert officer.get(f"/admin/{place}/?{name}=%00").status_code in {200, 302, 400, 404}, name
