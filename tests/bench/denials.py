"""Whether the time of a no tells that there is something: "not yours" beside "not there", by the same person, in turns.

That both are the same statements, tests/conformance/test_cells.py shows; here is what a stranger with a watch would see.
"""

import gc
import logging
import statistics
import time
from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.db import transaction

from audit.ledger import SYSTEM, unit
from tests.bench.measure import Figure, figure
from tests.conformance.cells.asking import ask
from tests.conformance.cells.building import build
from tests.conformance.cells.clinic import Clinic
from tests.conformance.cells.rows import name_of
from tests.conformance.routes import Route, routes

ROUNDS: Final = 120
# Who asks for what of whom.
ASKED: Final = (
    ("patient", "pia", "get api/v1/patients/<uuid:pk>/", "ned"),
    ("chart", "dr_cho", "get api/v1/patients/<uuid:pk>/resources/", "ned"),
    ("row", "dr_cho", "get api/v1/patients/<uuid:pk>/resources/<uuid:resource>/", "ned"),
    ("appointment", "viv", "get api/v1/appointments/<uuid:pk>/", "ned"),
    ("cancelling", "pia", "post api/v1/appointments/<uuid:pk>/cancel/", "ned"),
    ("visit", "dr_dee", "get api/v1/visits/<uuid:pk>/", "pia"),
    ("note", "nan", "get api/v1/notes/<uuid:pk>/", "ned"),
    ("prescription", "dr_cho", "get api/v1/prescriptions/<uuid:pk>/", "ned"),
    ("page", "dr_cho", "get visits/<uuid:visit_id>/", "ned"),
)


def figures() -> Iterator[Figure]:
    """The ratio of medians for each, and how far the farthest is from one."""
    settings.PASSWORD_HASHERS = ["tests.people.CheapArgon2id"]
    logging.getLogger("django.request").setLevel(logging.ERROR)
    known = {name_of(route): route for route in routes()}
    ratios = []
    with transaction.atomic(), unit(SYSTEM, channel="task", reason="bench"):
        clinic = build()
        for name, who, route, record in ASKED:
            ratios.append(ratio := _ratio(clinic, who, known[route], record))
            yield figure(f"denials.{name}_not_yours_to_not_there", ratio, "of the time")
        transaction.set_rollback(True)
    yield figure("denials.farthest", max(max(each, 1 / each) for each in ratios), "times", 1.1)


def _ratio(clinic: Clinic, who: str, route: Route, record: str) -> float:
    """Each goes first as often as the other."""
    taken: dict[str, list[float]] = {record: [], "nowhere": []}
    browser = clinic.browser(who)
    gc.collect()
    for turn in range(ROUNDS + 5):
        for about in (record, "nowhere") if turn % 2 else ("nowhere", record):
            began = time.perf_counter()
            answer = ask(clinic, browser, route, about)
            if turn >= 5:  # warm
                taken[about].append(time.perf_counter() - began)
            assert answer.is_no, (who, route, about, answer.status)
    return statistics.median(taken[record]) / statistics.median(taken["nowhere"])
