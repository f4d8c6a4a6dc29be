"""Sensitive rows, lists and totals: who sees which of the things that stand in no address of their own."""

import json
from collections.abc import Callable
from typing import Final
from uuid import UUID

import pytest

from telehealth.accounts.access import Action, Resource, Role, Scope
from telehealth.records.labels import Category
from tests.conformance.cells.asking import send
from tests.conformance.cells.clinic import CONSENTED, KINDS, PLAN, Clinic
from tests.conformance.cells.oracle import PEOPLE, RECORDS, Who
from tests.conformance.cells.parts import PATIENT_SIDE, arranges
from tests.conformance.cells.rows import IN_BODIES, name_of
from tests.conformance.routes import Route, routes

EMERGENCY: Final = frozenset(Category) - {Category.PSYCHOTHERAPY}


def kinds_due(who: Who, record: str) -> set[Category | None]:
    """Which rows of a chart somebody sees, by docs/consents.md: pia consented to HIV for her care team and withdrew the other."""
    found: set[Category | None] = set()
    if not who.sees(record, Action.SEARCH, Resource.CLINICAL_RESOURCE):
        return found
    if who.owns == record:
        return set(KINDS)
    found.add(None)  # a grant that names no category, and care
    if record in who.cares:
        found.add(CONSENTED)
    return found | EMERGENCY if record in who.declared else found


@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: who.name)
def test_sensitive_rows_are_there_for_whom_they_are_due(clinic: Clinic, who: Who) -> None:
    browser = clinic.browser(who.name)
    for record in RECORDS:
        due, chart = kinds_due(who, record), f"/api/v1/patients/{clinic.thing(record, 'patient')}/resources/"
        listed = send(browser, "get", chart, {})
        rows = {UUID(each["id"]) for each in json.loads(listed.body)["results"]} if listed.status == 200 else set()
        assert rows == {clinic.rows[record, kind] for kind in due}, record
        nothing = send(browser, "get", f"{chart}{clinic.things['nowhere']['resource']}/", {})
        for kind in KINDS:
            one = send(browser, "get", f"{chart}{clinic.rows[record, kind]}/", {})
            assert one.status == (200 if kind in due else 404), (record, kind)
            if kind not in due:
                assert (one.body, one.headers, one.statements) == (nothing.body, nothing.headers, nothing.statements), (record, kind)


def labels_due(who: Who, record: str, resource: Resource) -> set[Category | None]:
    """Which notes somebody sees by their labels, by docs/consents.md: their author all, whoever else has a reason what it covers."""
    if not who.sees(record, Action.READ, resource):
        return set()
    if record in who.conducts or who.owns == record:
        return set(KINDS)
    found: set[Category | None] = {None, CONSENTED} if record in who.cares else {None}
    return found | EMERGENCY if record in who.declared else found


@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: who.name)
def test_sensitive_notes_are_there_for_whom_they_are_due(clinic: Clinic, who: Who) -> None:
    browser = clinic.browser(who.name)
    for record in RECORDS:
        due = labels_due(who, record, Resource.NOTE)
        listed = send(browser, "get", f"/api/v1/visits/{clinic.thing(record, 'done')}/notes/", {})
        rows = {UUID(each["id"]) for each in json.loads(listed.body)["results"]} if listed.status == 200 else set()
        assert rows == {clinic.notes[record, kind] for kind in due}, record
        page = send(browser, "get", f"/visits/{clinic.thing(record, 'done')}/note/", {}, is_api=False)
        told = {kind for kind in KINDS if (PLAN % (record, kind)).encode() in page.body}
        assert told == (due if who.sees(record, Action.READ, Resource.VISIT) else set()), record
        nothing = send(browser, "get", f"/api/v1/notes/{clinic.things['nowhere']['note']}/", {})
        for kind in KINDS:
            one = send(browser, "get", f"/api/v1/notes/{clinic.notes[record, kind]}/", {})
            assert one.status == (200 if kind in due else 404), (record, kind)
            if kind not in due:
                assert (one.body, one.headers, one.statements) == (nothing.body, nothing.headers, nothing.statements), (record, kind)


@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: who.name)
def test_a_summary_tells_what_is_due_and_nobody_of_psychotherapy_notes(clinic: Clinic, who: Who) -> None:
    for record in RECORDS:
        due = labels_due(who, record, Resource.SUMMARY) - {Category.PSYCHOTHERAPY}
        answer = send(clinic.browser(who.name), "get", f"/api/v1/visits/{clinic.thing(record, 'done')}/summary/", {})
        assert {kind for kind in KINDS if (PLAN % (record, kind)).encode() in answer.body} == due, record


@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: who.name)
def test_a_row_is_not_found_under_another_record(clinic: Clinic, who: Who) -> None:
    for record, other in (("pia", "ned"), ("ned", "pia")):
        path = f"/api/v1/patients/{clinic.thing(record, 'patient')}/resources/{clinic.rows[other, None]}/"
        assert send(clinic.browser(who.name), "get", path, {}).status == 404


def one_practitioners(who: Who, record: str) -> bool:
    """Today's list and the waiting room show a provider's own."""
    return who.role != Role.PROVIDER or record in who.conducts


def on_the_first_calendar(who: Who, record: str) -> bool:
    """A provider's own; whoever may look at all begins with the first by name, on which neither record is."""
    return record in who.conducts


def reviews_or_declared(who: Who, record: str) -> bool:
    return who.role == Role.PRIVACY_OFFICER or record in who.declared


def demonstration(who: Who, record: str) -> bool:
    return False


Rule = Callable[[Who, str], bool]
# What a list shows of a record, by which id one tells, and what is asked beyond the table.
LISTS: Final[dict[str, tuple[str, Rule]]] = {
    "get api/v1/patients/": ("patient", lambda who, record: True),
    "get api/v1/appointments/": ("appointment", lambda who, record: True),
    "get api/v1/waitlist/": ("waitlist", lambda who, record: True),
    "get api/v1/prescriptions/": ("prescription", lambda who, record: True),
    "get api/v1/emergency-accesses/": ("emergency", reviews_or_declared),
    "get api/v1/waiting-room/": ("visit", one_practitioners),
    "get api/v1/reviews/": ("finding", lambda who, record: True),
    "get api/v1/incidents/": ("incident", lambda who, record: True),
    "get api/v1/outbox/": ("message", lambda who, record: True),
    "get api/v1/calendar-feeds/": ("feed", arranges),
    "get api/v1/busy-calendars/": ("busy_calendar", arranges),
    "get api/v1/availability/": ("hours", one_practitioners),
    "get api/v1/availability-exceptions/": ("exception", one_practitioners),
    "get calendars/": ("busy_calendar", arranges),
    "get calendar/": ("appointment", on_the_first_calendar),
    "get today/": ("visit", one_practitioners),
    "get today/list/": ("visit", one_practitioners),
    "get dev/patient/": ("appointment", demonstration),
    "get sharing/": ("patient", lambda who, record: True),
}
# These name nothing of any record; what each of them is about stands in tests of its own.
NOTHING_OF_A_RECORD: Final = {
    "get api/v1/me/": "oneself",
    "post api/v1/step-up/": "oneself",
    "get api/v1/contact/": "oneself",
    "patch api/v1/contact/": "oneself",
    "post api/v1/contact/consents/": "oneself",
    "post api/v1/availability/": "for administrators, who say it of anybody",
    "post api/v1/availability-exceptions/": "as above",
    "post api/v1/calendar-feeds/": "one's own: tests/scheduling/test_feeds.py",
    "post api/v1/busy-calendars/": "one's own: tests/scheduling/test_busy_calendars.py",
    "post api/v1/imports/": "a bundle names its patient: tests/records/test_rest.py",
    "post api/v1/patients/search/": "tests/records/test_search.py",
    "post api/v1/patients/locate/": "tests/records/test_emergency.py",
    "get api/v1/licenses/": "open to everybody",
    "get api/v1/license-exceptions/": "open to everybody",
    "get api/v1/practitioners/": "open to everybody",
    "get api/v1/audit/consistency/": "hashes",
    "get api/v1/audit/status/": "hashes",
    "post api/v1/audit/exports/": "the log, for who may read all of it",
    "post api/v1/incidents/": "an account, a session or an app",
    "get api/v1/visit-types/": "open to everybody",
    "get api/v1/group-visits/": "times; who comes is not said",
    "post api/v1/group-visits/": "a provider's time",
    "get api/v1/bookable-resources/": "interpreters and rooms",
    "post api/v1/bookable-resources/": "interpreters and rooms",
    "get api/v1/slots/": "times; the patient of the query below",
    "get api/v1/medications/": "the formulary",
    "get api/v1/pharmacies/": "the pharmacies",
    "get records/import/": "a form",
    "post records/import/": "as by REST",
    "get emergency/": "a form",
    "post emergency/": "as by REST",
    "get calendar/booking/": "a form",
    "post calendar/booking/": "as the search at the desk: tests/records/test_search.py",
    "post calendars/feed/": "one's own, as by REST",
    "post calendars/feed/revoke/": "one's own, as by REST",
    "post calendars/busy/": "one's own, as by REST",
    "get desk/": "a form",
    "post desk/": "as by REST",
}


def without_a_gap() -> list[Route]:
    return [route for route in routes() if "<" not in route.route and name_of(route) not in IN_BODIES]


def test_each_address_without_a_gap_says_what_it_lists() -> None:
    of_oneself = {name_of(route) for route in without_a_gap() if route.access[1] in (Resource.ACCOUNT, Resource.SESSION)}
    assert {name_of(route) for route in without_a_gap()} - {*LISTS, *NOTHING_OF_A_RECORD} - of_oneself == set()


@pytest.mark.parametrize("name", LISTS)
def test_a_list_holds_what_is_due_and_nothing_else(clinic: Clinic, name: str) -> None:
    (route,) = [each for each in without_a_gap() if name_of(each) == name]
    thing, rule = LISTS[name]
    for who in PEOPLE:
        answer = send(clinic.browser(who.name), "get", route.path, {}, is_api=route.is_api)
        due = {record for record in RECORDS if who.sees(record, *route.access) and rule(who, record)}
        shown = {record for record in RECORDS if str(clinic.thing(record, thing)).encode() in answer.body}
        assert (shown, answer.status) == (due, 200 if who.scopes(*route.access) and name != "get dev/patient/" else 404), who.name
        theirs = {*due, *who.declared_once, *(("pia",) if who.name == "dr_els" else ())}  # one's own emergencies, over or not
        leaked = {record for record in set(RECORDS) - theirs for any_id in ids_of(clinic, record) if any_id in answer.body}
        assert leaked == set(), who.name


def ids_of(clinic: Clinic, record: str) -> list[bytes]:
    things = ("patient", "visit", "appointment", "note", "prescription", "consent")
    return [str(clinic.thing(record, thing)).encode() for thing in things]


@pytest.mark.parametrize("who", PEOPLE, ids=lambda who: who.name)
def test_an_id_in_a_query_leads_no_further(clinic: Clinic, who: Who) -> None:
    """Slots beside somebody's appointments, the prescriptions of somebody's visit, findings about somebody's record."""
    for path, thing, access, open_anyway in QUERIES:
        nothing = send(clinic.browser(who.name), "get", path.format(clinic.things["nowhere"][thing]), {})
        for record in RECORDS:
            answer = send(clinic.browser(who.name), "get", path.format(clinic.thing(record, thing)), {})
            if who.sees(record, *access):
                assert answer.status == 200, (path, record)
            else:
                assert (answer.status, answer.body) == (nothing.status, nothing.body), (path, record)
                assert open_anyway or answer.status == 404, (path, record)


QUERIES: Final[list[tuple[str, str, tuple[Action, Resource], bool]]] = [
    ("/api/v1/slots/?visit_type=video-10&patient={}&zone=UTC", "patient", (Action.CREATE, Resource.APPOINTMENT), False),
    ("/api/v1/prescriptions/?visit={}", "visit", (Action.SEARCH, Resource.PRESCRIPTION), False),
    ("/api/v1/reviews/?record={}", "patient", (Action.SEARCH, Resource.FINDING), False),
]


@pytest.mark.parametrize("who", [who for who in PEOPLE if who.role in PATIENT_SIDE], ids=lambda who: who.name)
def test_who_acts_for_somebody_learns_of_no_decision_that_is_the_patients_own(clinic: Clinic, who: Who) -> None:
    told = send(clinic.browser(who.name), "get", f"/api/v1/patients/{clinic.thing('pia', 'patient')}/consents/", {})
    due = who.sees("pia", Action.SEARCH, Resource.CONSENT)
    assert (told.status == 200) is due
    assert (str(clinic.thing("pia", "consent")).encode() in told.body) is due


def test_the_oracle_is_no_copy_of_the_server() -> None:
    """It is only worth something when it says yes and no to each scope."""
    said: dict[Scope, set[bool]] = {}
    for who in PEOPLE:
        for resource in Resource:
            for action in Action:
                for scope in who.scopes(action, resource):
                    said.setdefault(scope, set()).add(who.sees("pia", action, resource))
    narrow = {Scope.OWN, Scope.DELEGATED, Scope.CARE, Scope.EMERGENCY}
    assert all(said[scope] == {True, False} for scope in narrow if scope in said) and set(Scope) == set(said)
