"""Every export and every transmission writes a disclosure, or says here why it discloses nothing."""

import ast
from collections.abc import Iterator

from django.conf import settings

from audit.review.basis import EXCLUDED, Basis
from telehealth.accounts.access import Action
from tests.conformance.routes import routes
from tests.conformance.source import functions, modules, names_in

DISCLOSES = {"disclose", "disclose_all"}
# Who discloses nothing, and why; whoever adds one says so here.
NOTHING_LEAVES = {
    "telehealth.outbox.channels.email": "says only that there is something to see (telehealth/outbox/texts.py)",
    "telehealth.outbox.channels.sms": "the same",
}


def steps() -> dict[str, set[str]]:
    """Function → every name that a function of that name uses."""
    found: dict[str, set[str]] = {}
    for tree in modules().values():
        for node in functions(tree):
            found.setdefault(node.name, set()).update(names_in(node))
    return found


def reaches(names: set[str], every: dict[str, set[str]]) -> bool:
    seen, open_ = set(names), set(names)
    while open_ and not seen & DISCLOSES:
        open_ = set().union(*(every.get(name, set()) for name in open_)) - seen
        seen |= open_
    return bool(seen & DISCLOSES)


def exits() -> Iterator[tuple[str, set[str]]]:
    """What carries data out: handlers of the outbox, and addresses with the table's export. With the names they use."""
    trees = modules()
    for path in settings.OUTBOX_HANDLERS.values():
        module, _, name = path.rpartition(".")
        (node,) = [each for each in functions(trees[module.replace(".", "/") + ".py"]) if each.name == name]
        yield path, {each for call in ast.walk(node) if isinstance(call, ast.Call) for each in names_in(call.func)}
    for route in routes():
        if route.access[0] == Action.EXPORT:
            tree = trees[route.view.__module__.replace(".", "/") + ".py"]
            (view,) = [each for each in ast.walk(tree) if isinstance(each, ast.ClassDef) and each.name == route.view.__name__]
            (node,) = [each for each in functions(view) if each.name == route.method]
            yield f"{route.method.upper()} {route.route}", names_in(node)


def test_whatever_leaves_is_disclosed() -> None:
    every, found = steps(), dict(exits())
    silent = {name for name, names in found.items() if not reaches(names, every)}
    assert silent - set(NOTHING_LEAVES) == set()
    assert set(NOTHING_LEAVES) - set(found) == set(), "no longer there"
    assert len(found) >= 6


def test_it_would_notice_one_that_does_not() -> None:
    assert not reaches({"send_mail"}, {"send_mail": {"socket"}, "other": {"disclose"}})
    assert reaches({"deliver"}, {"deliver": {"outgoing"}, "outgoing": {"disclose"}})


def test_a_basis_is_left_out_under_a_paragraph_of_the_rule() -> None:
    assert set(EXCLUDED) < set(Basis)
    assert {cite for cite in EXCLUDED.values() if not cite.startswith("164.528(a)(1)(")} == set()
