"""What an entry of the ledger costs."""

from collections.abc import Iterator

from audit.ledger import SYSTEM, uuid7
from audit.ledger.units import unit
from tests.bench.measure import Figure, figure, interleaved


def figures() -> Iterator[Figure]:
    yield from _units()


def _units() -> Iterator[Figure]:
    def empty() -> None:
        with unit(SYSTEM, channel="task"):
            pass

    def opening() -> None:
        with unit(SYSTEM, channel="task") as current:
            current.open(uuid7(), "Patient", uuid7(), "family")

    rates = interleaved({"empty": empty, "opening": opening})
    yield figure("audit.unit_without_openings", rates["empty"], "per second")
    yield figure("audit.opening_committed", rates["opening"], "per second")
