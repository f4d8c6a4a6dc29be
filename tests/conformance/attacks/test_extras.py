"""Fields that nobody asked for: every form of the portal, of the doors and of Django's admin is sent every field of every
model besides its own, and does what it does without them."""

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import pytest
from django.contrib import admin

from tests.conformance.attacks.test_ids import due
from tests.conformance.cells.asking import undone
from tests.conformance.cells.clinic import Clinic
from tests.conformance.cells.doors import DOORS
from tests.conformance.cells.effects import OURS, Effect, other_values, post, taken
from tests.conformance.cells.forms import ACTIONS, FORMS, MORE_OF_ROWS, PAGES, WITHOUT_EFFECT, Body, Form
from tests.conformance.cells.rows import ROWS, name_of, path_of
from tests.conformance.routes import Route, open_doors, routes
from tests.conformance.test_cells_of_the_admin import MODELS, RESOURCES, base_of, row_of

POSTED: Final = [route for route in routes() if route.method == "post" and not route.is_api and not route.route.startswith("dev/")]
MOST: Final = 150  # fields of one request


def faults(clinic: Clinic, form: Form) -> Iterator[str]:
    """Twice with what its own models and accounts have, in different words; once with every other name there is."""
    plain = send(clinic, form, {})
    if not plain.changing and form.name not in WITHOUT_EFFECT:
        yield f"{form.name}: {plain.status}, and nothing has changed"
    own = [*plain.models, *(model for model in OURS if model._meta.label in ("accounts.User", "records.Patient"))]
    for turn in (True, False):
        yield from compare(clinic, form, plain, other_values(clinic, own if turn else own[::-1], plain.facts, turn))
    every = other_values(clinic, OURS, plain.facts, turn=True)
    names = sorted(every)
    for first in range(0, len(names), MOST):
        yield from compare(clinic, form, plain, {name: every[name] for name in names[first : first + MOST]})


def compare(clinic: Clinic, form: Form, plain: Effect, extra: dict[str, Any]) -> Iterator[str]:
    more = send(clinic, form, extra)
    if (more.status, set(more.changing), more.session) != (plain.status, set(plain.changing), plain.session):
        yield f"{form.name}: {more.status} instead of {plain.status}, {set(more.changing) ^ set(plain.changing)}"
    yield from (f"{form.name}: {label}.{name} is {value}" for label, name, value in taken(extra, plain.facts, more.facts))


def send(clinic: Clinic, form: Form, extra: dict[str, Any]) -> Effect:
    with undone():
        browser, path, body = form.asked(clinic)
        for name in {*form.own.split(), *body} & set(extra):
            del extra[name]
        sent = {name: "on" if value is True else "" if value is False else value for name, value in extra.items()}
        return post(browser, path, {**sent, **body})


@pytest.mark.parametrize("name", [name_of(route) for route in POSTED])
def test_a_page_takes_what_it_asks_for(clinic: Clinic, name: str) -> None:
    route = next(route for route in POSTED if name_of(route) == name)
    who, body, own = PAGES[name] if name in PAGES else of_a_row(clinic, route)
    assert list(faults(clinic, Form(name, who, path_of(clinic, route, "pia"), body, own))) == []


def of_a_row(clinic: Clinic, route: Route) -> tuple[str, Body, str]:
    row = ROWS[name_of(route)]
    who = due(clinic, route, row)
    assert who is not None
    return who.name, lambda clinic: row.body(clinic, "pia"), MORE_OF_ROWS.get(name_of(route), "")


@pytest.mark.parametrize("form", DOORS, ids=lambda form: form.name)
def test_a_door_takes_what_it_asks_for(clinic: Clinic, form: Form) -> None:
    assert list(faults(clinic, form)) == []


NO_FORM: Final = {"", "admin/", "healthz", "readyz", "api/schema/", "audit/log/<path:name>", "inbound/script/", "dev/outbox"}
NO_FORM_EITHER: Final = {"static/<path:path>", "oauth/keys/", "sessions/", "calendars/<str:secret>.ics", "api/v1/sms/inbound/"}


def test_every_door_is_among_them() -> None:
    asked = {route for route in open_doors() if route not in {*NO_FORM, *NO_FORM_EITHER} and not route.startswith(".well-known/")}
    assert asked == {form.path for form in DOORS}


@pytest.mark.parametrize("label", RESOURCES)
def test_a_form_of_the_admin_takes_what_it_asks_for(clinic: Clinic, label: str) -> None:
    """Each that anybody of the staff is shown with a button to save it."""
    with undone():
        pk, found = row_of(clinic, label), list[str]()
        for who, page in product(("privacy", "admin"), ("add/", f"{pk}/change/")):
            path = base_of(label) + page
            if b'name="_save"' in clinic.browser(who).get(path).content:
                name = f"{label} {page.split('/')[-2]}"
                found += faults(clinic, Form(name, who, path, *FORMS[name]))
    assert found == []


def test_every_action_of_the_admins_lists_is_among_them() -> None:
    served = {label: admin.site._registry[model].actions or () for label, model in MODELS.items() if RESOURCES[label]}
    assert {f"{label} {action}" for label, actions in served.items() for action in actions} == set(ACTIONS)


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_of_the_admin_takes_what_it_asks_for(clinic: Clinic, name: str) -> None:
    label, action = name.split()
    who, row = ACTIONS[name]
    with undone():
        body = {"action": action, "_selected_action": str(row(clinic))}
        assert list(faults(clinic, Form(name, who, base_of(label), lambda clinic: body, "index select_across"))) == []
