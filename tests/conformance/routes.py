"""Every address that the server answers, with what it declares: what the access tests walk over."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.urls import URLPattern, URLResolver, get_resolver

from telehealth.accounts.access import Action, Resource
from telehealth.portal.pages import Page
from telehealth.rest.faces import METHODS, OPEN, Face

NOBODY = UUID("00000000-0000-7000-8000-000000000bad")
SAMPLES = {"uuid": str(NOBODY), "int": "1", "slug": "x", "str": "x", "path": "x"}


@dataclass(frozen=True)
class Route:
    """One address and one method of it."""

    route: str
    method: str
    view: Any
    access: tuple[Action, Resource]

    @property
    def path(self) -> str:
        """The address with something in each of its gaps that leads to nothing."""
        text = self.route
        while "<" in text:
            before, _, rest = text.partition("<")
            gap, _, after = rest.partition(">")
            text = before + SAMPLES[gap.split(":")[0] if ":" in gap else "str"] + after
        return "/" + text

    @property
    def is_api(self) -> bool:
        return self.route.startswith("api/")


def flat(patterns: list[URLPattern | URLResolver] | None = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each route with its view; Django's admin is one entry, for it has tests of its own."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if route == "admin/":
            yield route, None
        elif isinstance(pattern, URLResolver):
            yield from flat(pattern.url_patterns, route)
        else:
            yield route, getattr(pattern.callback, "view_class", getattr(pattern.callback, "cls", pattern.callback))


def declares(view: Any) -> bool:
    return isinstance(view, type) and issubclass(view, Face | Page)


@cache
def routes() -> tuple[Route, ...]:
    """The declared ones, method by method; a face that is open to strangers is not among them."""
    return tuple(
        Route(route, method, view, access)
        for route, view in flat()
        if declares(view)
        for method in METHODS
        if (access := view.access_of(method)) is not None and access != OPEN
    )


def open_doors() -> set[str]:
    """Every other route."""
    declared = {route.route for route in routes()}
    return {route for route, _ in flat() if route not in declared}
