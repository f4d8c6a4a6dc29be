"""C4 with real records: every address that leads to a thing x every person x {theirs, somebody else's, nobody's}."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

import pytest

from tests.conformance.cells.asking import Answer, ask, row_of
from tests.conformance.cells.clinic import Clinic
from tests.conformance.cells.oracle import PEOPLE, RECORDS, THEIR_OWN, Who
from tests.conformance.cells.rows import IN_BODIES, ROWS, Row, name_of
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
    wrong = [told for cell in Cell.of(clinic, route, row) for told in cell.faults(clinic)]
    assert wrong == []


@dataclass(frozen=True)
class Cell:
    """One person at one address, and what that person is told about nothing at all."""

    route: Route
    row: Row
    who: Who
    nothing: Answer

    @classmethod
    def of(cls, clinic: Clinic, route: Route, row: Row) -> Iterator["Cell"]:
        """Everybody whose role has the cell at all, and one person of each role that has not."""
        roles = set[str]()
        for who in PEOPLE:
            if route.method != "get" and who.name in LIKE_OTHERS:
                continue
            if who.role not in roles or who.scopes(*route.access):
                roles.add(who.role)
                yield cls(route, row, who, ask(clinic, clinic.browser(who.name), route, "nowhere"))

    @property
    def is_open(self) -> bool:
        return bool(self.who.scopes(*self.route.access))

    def has_reason(self, record: str) -> bool:
        return self.who.sees(record, *self.route.access)

    def knows(self, record: str) -> bool:
        """Whether this person may know that the thing is there, though not do this with it."""
        if self.row.things == ("practitioner",) or record in self.who.declared_once:
            return True
        return self.has_reason(record) and self.route.access[1] not in THEIR_OWN

    def faults(self, clinic: Clinic) -> Iterator[str]:
        if not (self.nothing.is_no or (self.row.blind and self.is_open)):
            yield f"{self.who.name}: {self.nothing.status} for what is not there"
        for record in RECORDS if self.is_open else RECORDS[:1]:
            answer = ask(clinic, clinic.browser(self.who.name), self.route, record)
            due = self.has_reason(record) and self.row.rule(self.who, record)
            told = self.allowed(answer) if due or (self.row.blind and self.is_open) else self.denied(answer, self.knows(record))
            yield from (f"{self.who.name} on {record}: {fault}" for fault in told)

    def allowed(self, answer: Answer) -> Iterator[str]:
        """Any answer of the thing itself will do, its refusals of what was sent included."""
        if (
            answer.is_no
            or (answer.status in (401, 403) and b"code_wrong" not in answer.body)
            or (answer.status >= 500 and not self.row.sealed)
        ):
            yield f"{answer.status}, and it was due"

    def denied(self, answer: Answer, known: bool) -> Iterator[str]:
        """What is said of nothing at all, byte for byte, after the same work: statement for statement."""
        if not answer.is_no:
            yield f"{answer.status}, and it was not due"
        if (answer.body, answer.headers) != (self.nothing.body, self.nothing.headers):
            yield "not the same words as for what is not there"
        if answer.statements != self.nothing.statements and not known:
            yield f"other work: {first_difference(answer.statements, self.nothing.statements)}"


def first_difference(ours: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    number, pair = next((number, pair) for number, pair in enumerate(zip_longest(ours, theirs)) if pair[0] != pair[1])
    return f"statement {number} of {len(ours)} is {pair[0]}, of {len(theirs)} was {pair[1]}"
