"""C4 with real records: every address that leads to a thing x every person x {theirs, somebody else's, nobody's}."""

import pytest

from tests.conformance.cells.asking import row_of
from tests.conformance.cells.clinic import Clinic
from tests.conformance.cells.oracle import PEOPLE
from tests.conformance.cells.rows import IN_BODIES, ROWS, name_of
from tests.conformance.cells.verdicts import Cell
from tests.conformance.routes import Route, routes

ABOUT_THINGS = [route for route in routes() if "<" in route.route or name_of(route) in IN_BODIES]

LIKE_OTHERS = {"dr_fut", "dr_exc", "dr_els", "rex"}  # asked to look, not to act: what they lost, others lost too


def test_each_address_with_a_gap_has_a_row_and_each_row_an_address() -> None:
    asked = {name_of(route) for route in ABOUT_THINGS}
    assert asked - {*ROWS, *IN_BODIES} == set(), "an address without a row in tests/conformance/cells/rows.py"
    assert {*ROWS, *IN_BODIES} - asked == set()


@pytest.mark.parametrize("route", ABOUT_THINGS, ids=name_of)
def test_the_answer_is_the_tables_verdict(clinic: Clinic, route: Route) -> None:
    row = row_of(route)
    assert row is not None
    people = [who for who in PEOPLE if route.method == "get" or who.name not in LIKE_OTHERS]
    wrong = [told for cell in Cell.of(clinic, route, row, people, clinic.browser) for told in cell.faults(clinic)]
    assert wrong == []
