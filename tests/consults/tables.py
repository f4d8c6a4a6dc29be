"""The tables of docs/visit-states.md, written from the machines."""

from collections.abc import Iterable

from consults.states import APPOINTMENT, ENCOUNTER, MEANS, WAITING, Event


def means() -> str:
    rows = [[w, *(" ".join(sorted(part)) for part in both)] for w, both in MEANS.items()]
    return table(["waiting", "Encounter.status", "Appointment.status"], rows)


def events() -> str:
    machines = (WAITING, ENCOUNTER, APPOINTMENT)
    rows = [[event, *(cell(machine[event].items()) for machine in machines)] for event in Event]
    return table(["event", "waiting", "Encounter.status", "Appointment.status"], rows)


def cell(steps: Iterable[tuple[str, str]]) -> str:
    by_target: dict[str, list[str]] = {}
    for before, after in steps:
        by_target.setdefault("-" if before == after else after, []).append(before)
    return "; ".join(f"{', '.join(befores)} → {after}" for after, befores in by_target.items()).replace("→ –", "-")


def table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def filled(page: str) -> str:
    for name, text in (("means", means()), ("events", events())):
        start, _, rest = page.partition(f"<!-- table: {name} -->\n")
        _, _, end = rest.partition("<!-- end -->")
        page = f"{start}<!-- table: {name} -->\n{text}\n<!-- end -->{end}"
    return page
