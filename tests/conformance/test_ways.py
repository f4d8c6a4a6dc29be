"""Every way to plaintext has a test: each that `docs/audit.md` names exists, and asserts something."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.conformance.source import ROOT, functions

PAGE = (ROOT / "docs/audit.md").read_text()


def rows() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Way → the tests that its row names."""
    section = PAGE.partition("## Every way to plaintext")[2].partition("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 3 and cells[2] != "Test":
            named = re.findall(r"`([\w/.]+)::(\w+)`", cells[2])
            yield f"{cells[0]}: {cells[1]}", named


WAYS = dict(rows())


def test_the_tables_are_read() -> None:
    assert len(WAYS) > 30
    wanted = "ORM attribute|serializer|template|admin|form|shell|command|Celery|WebSocket|stream|export|`values()`|pickle|deepcopy|dumpdata"
    missing = [way for way in wanted.split("|") if not any(way in told for told in WAYS)]
    assert missing == []


@pytest.mark.parametrize("way", WAYS)
def test_each_way_has_its_test(way: str) -> None:
    assert WAYS[way], "the row names no test"
    for place, name in WAYS[way]:
        tree = ast.parse((ROOT / place).read_text())
        (found,) = [node for node in functions(tree) if node.name == name]
        assert any(isinstance(node, ast.Assert | ast.With) for node in ast.walk(found)), f"{place}::{name} asserts nothing"
