"""Paging goes by the last row seen: nothing twice, nothing skipped, and a cursor fits only the list that gave it."""

from typing import Any

import pytest

from tests.rest.conftest import Ask
from tests.rest.world import make


def walk(ask: Ask, address: str, **headers: str) -> list[list[int]]:
    pages = []
    following: Any = address
    while following:
        reply = ask("get", following, **headers).json()
        pages.append([row["number"] for row in reply["results"]])
        following = reply["next"] and reply["next"].removeprefix("/api/v1/")
    return pages


def test_pages_follow_the_order_and_end(ask: Ask) -> None:
    for number in (101, 102, 103, 104, 105):
        make(number)

    assert walk(ask, "things/?limit=2") == [[105, 104], [103, 102], [101]]
    assert walk(ask, "things/?limit=5") == [[105, 104, 103, 102, 101]]
    assert walk(ask, "things/?limit=2", Order="status") == [[101, 102], [103, 104], [105]]


def test_equal_values_are_told_apart_by_id(ask: Ask) -> None:
    for number in (101, 200, 200, 200, 300):
        make(number)

    assert walk(ask, "things/?limit=2", Order="status") == [[101, 200], [200, 200], [300]]
    assert walk(ask, "things/?limit=2", Order="-status") == [[300, 200], [200, 200], [101]]


def test_rows_that_come_in_between_neither_repeat_nor_hide_others(ask: Ask) -> None:
    for number in (101, 102, 103):
        make(number)
    first = ask("get", "things/?limit=2").json()
    make(104)

    second = ask("get", first["next"].removeprefix("/api/v1/")).json()
    assert [row["number"] for row in second["results"]] == [101]


def test_filters_stay_on_the_next_page(ask: Ask) -> None:
    for number in (101, 200, 200, 200):
        make(number)

    assert walk(ask, "things/?number=200&limit=2") == [[200, 200], [200]]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=101", "limit=-1", "limit=ten", "limit=٣", "limit=", "number=x", "numer=2", "number=1&number=2"]
)
def test_a_bad_query_is_a_400(ask: Ask, query: str) -> None:
    assert (ask("get", f"things/?{query}").status_code) == 400


def test_a_cursor_is_only_good_for_its_own_list(ask: Ask) -> None:
    for number in (101, 102):
        make(number)
    cursor = ask("get", "things/?limit=1").json()["next"].split("cursor=")[1]

    assert ask("get", f"things/?cursor={cursor}").status_code == 200
    assert ask("get", f"things/?cursor={cursor}", Order="status").json()["code"] == "cursor_invalid"
    for forged in (cursor[:-1], "x" + cursor, "%00", "e30"):
        assert ask("get", f"things/?cursor={forged}").json()["code"] == "cursor_invalid"
