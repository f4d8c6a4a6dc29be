"""One person at one address: what is due by the oracle, and in what the server's answer differs from it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest

from tests.conformance.cells.asking import Answer, ask
from tests.conformance.cells.clinic import Clinic, Kept
from tests.conformance.cells.oracle import RECORDS, THEIR_OWN, Who
from tests.conformance.cells.parts import Row
from tests.conformance.routes import Route


@dataclass(frozen=True)
class Cell:
    """One person at one address, and what that person is told about nothing at all."""

    route: Route
    row: Row
    who: Who
    browser: Kept
    nothing: Answer

    @classmethod
    def of(cls, clinic: Clinic, route: Route, row: Row, people: Iterable[Who], browser_of: Callable[[str], Kept]) -> Iterator["Cell"]:
        """Everybody whose role has the cell at all, and one person of each role that has not."""
        roles = set[str]()
        for who in people:
            if who.role not in roles or who.scopes(*route.access):
                roles.add(who.role)
                browser = browser_of(who.name)
                yield cls(route, row, who, browser, ask(clinic, browser, route, "nowhere"))

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
            answer = ask(clinic, self.browser, self.route, record)
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
