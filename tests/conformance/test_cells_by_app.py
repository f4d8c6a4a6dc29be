"""The same cells for the same people with an app in their hand: what both the role and the app's scopes have, never more."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from telehealth.accounts.access import APP_SCOPES, Role
from tests.conformance.cells.asking import row_of, send
from tests.conformance.cells.clinic import KINDS, Clinic
from tests.conformance.cells.oracle import PEOPLE, RECORDS, Who
from tests.conformance.cells.parts import PATIENT_SIDE
from tests.conformance.cells.rows import IN_BODIES, ROWS, name_of
from tests.conformance.cells.tokens import InAnApp, in_an_app
from tests.conformance.cells.verdicts import Cell
from tests.conformance.routes import Route, routes
from tests.conformance.test_cells_of_rows import LISTS, kinds_due

ABOUT_THINGS: Final = [route for route in routes() if route.is_api and name_of(route) in {*ROWS, *IN_BODIES}]
LISTED: Final = [route for route in routes() if route.is_api and name_of(route) in LISTS]
FULL: Final = "patient"  # there is no wider one: apps are the patient's side
NARROW: Final = [name for name in APP_SCOPES if name != FULL]
AT_HAND: Final = ("pia", "viv", "dr_cho")  # through narrow scopes, one each of owner, proxy and staff
STAFF: Final = [next(who for who in PEOPLE if who.role == role) for role in Role if role not in PATIENT_SIDE]
EVERYBODY: Final = [who.in_an_app(FULL) for who in PEOPLE if who.role in PATIENT_SIDE or who in STAFF]
Hands = Callable[[str, str], InAnApp]


@pytest.fixture(scope="module")
def hands(clinic: Clinic) -> Iterator[Hands]:
    """hands(person, scopes) -> a client with a token; one each for all tests."""
    made: dict[tuple[str, str], InAnApp] = {}

    def give(who: str, scopes: str) -> InAnApp:
        if (who, scopes) not in made:
            made[who, scopes] = in_an_app(clinic, who, scopes)
        return made[who, scopes]

    yield give


def faults(clinic: Clinic, hands: Hands, route: Route, people: list[Who]) -> list[str]:
    row = row_of(route)
    assert row is not None
    cells = (cell for who in people for cell in Cell.of(clinic, route, row, [who], lambda name: hands(name, who.app)))  # noqa: B023
    return [f"{cell.who.app}: {fault}" for cell in cells for fault in cell.faults(clinic)]


def in_turn(route: Route, among: list[Any], count: int) -> list[Any]:
    """Another few of these at each address."""
    first = ABOUT_THINGS.index(route) * count % max(len(among), 1)
    return [*among, *among][first : first + count]


@pytest.mark.parametrize("route", ABOUT_THINGS, ids=name_of)
def test_all_that_an_app_can_be_given(clinic: Clinic, hands: Hands, route: Route) -> None:
    able = [who for who in EVERYBODY if who.scopes(*route.access)]
    others = [who for who in EVERYBODY if who not in able]
    assert faults(clinic, hands, route, [*able, *in_turn(route, others, 3)]) == []


@pytest.mark.parametrize("route", ABOUT_THINGS, ids=name_of)
def test_less_is_less_and_never_more(clinic: Clinic, hands: Hands, route: Route) -> None:
    """Each scope that lends this cell, and one that does not."""
    action, resource = route.access
    lends = [name for name in NARROW if action in APP_SCOPES[name].get(resource, {})]
    keeps = [name for name in NARROW if name not in lends]
    people = [who.in_an_app(name) for name in [*lends, *in_turn(route, keeps, 1)] for who in PEOPLE if who.name in AT_HAND]
    assert faults(clinic, hands, route, people) == []
    assert all(who.scopes(action, resource) <= who.in_an_app(FULL).scopes(action, resource) for who in people)


@pytest.mark.parametrize("who", [who for who in EVERYBODY if who.role in PATIENT_SIDE], ids=lambda who: who.name)
def test_sensitive_rows_through_an_app(clinic: Clinic, hands: Hands, who: Who) -> None:
    for record in RECORDS:
        due, chart = kinds_due(who, record), f"/api/v1/patients/{clinic.thing(record, 'patient')}/resources/"
        got = {kind: send(hands(who.name, FULL), "get", f"{chart}{clinic.rows[record, kind]}/", {}).status for kind in KINDS}
        assert got == {kind: 200 if kind in due else 404 for kind in KINDS}, record
        assert send(hands(who.name, "schedule sharing"), "get", chart, {}).status == 404


@pytest.mark.parametrize("route", LISTED, ids=name_of)
def test_a_list_through_an_app(clinic: Clinic, hands: Hands, route: Route) -> None:
    thing, rule = LISTS[name_of(route)]
    narrow = [who.in_an_app(scopes) for scopes in ("schedule", "record offline_access") for who in PEOPLE if who.name in AT_HAND]
    for who in [*EVERYBODY, *narrow]:
        answer = send(hands(who.name, who.app), "get", route.path, {})
        due = {record for record in RECORDS if who.sees(record, *route.access) and rule(who, record)}
        shown = {record for record in RECORDS if str(clinic.thing(record, thing)).encode() in answer.body}
        assert (shown, answer.status) == (due, 200 if who.scopes(*route.access) else 404), (who.name, who.app)
