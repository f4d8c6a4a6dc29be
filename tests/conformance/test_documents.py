"""What the documents mention is there: a page that names what is gone sends its reader astray."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

from consults.protocol.codes import Close, Error
from tests.conformance.routes import flat
from tests.conformance.source import PACKAGES, ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
FOLDERS = (*PACKAGES, "tests", "requirements", "deploy", "docs")
SOURCES = {".py", ".html", ".js", ".css", ".sql", ".in", ".toml"}
ELSEWHERE = {"GenericRelation", "RTCIceCandidate", "model_to_dict", "dumpdata"}  # names of others
PARTLY = ("may_", "unreadable_")  # what follows is put together
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def spans(page: Path) -> list[str]:
    """What stands in backticks within the lines; blocks of code are left out."""
    found: list[str] = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE))
    return found


@cache
def words() -> frozenset[str]:
    """Every word of the code, of the tests, and of what builds and deploys them."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in SOURCES]
    named = [path for path in files if path != Path(__file__)]
    return frozenset(word for path in [*named, ROOT / "pyproject.toml", ROOT / "Makefile"] for word in re.findall(r"\w+", path.read_text()))


def paths(page: Path) -> Iterator[str]:
    """Files and folders of ours that a page names."""
    for span in spans(page):
        name = span.partition("::")[0].rstrip("/")
        ours = name.partition("/")[0] in FOLDERS and re.fullmatch(r"[\w.-]+(/[\w.-]+)+", name)
        if ours or re.fullmatch(r"[\w-]+\.(md|toml)", name):
            yield name
    yield from re.findall(r"\]\(([^)#:]+)\)", page.read_text())


@every_page
def test_files_that_a_page_names_exist(page: Path) -> None:
    assert [name for name in paths(page) if not (ROOT / name).exists() and not (page.parent / name).exists()] == []


@every_page
def test_tests_that_a_page_names_exist(page: Path) -> None:
    """`…::test_x` is in the file that was named last."""
    module, missing = "", []
    for span in spans(page):
        file, found, name = span.partition("::")
        module = file if file.startswith("tests/") else module
        if found and not re.search(rf"^(async )?def {name}\(", (ROOT / module).read_text(), re.MULTILINE):
            missing.append(f"{module}::{name}")
    assert missing == []


@every_page
def test_commands_that_a_page_names_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+)(?=[ a-z-]*:)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)) - targets == set()
    assert set(re.findall(r"manage\.py ([a-z_]+)", page.read_text())) - set(get_commands()) == set()


@every_page
def test_names_that_a_page_mentions_occur_in_the_code(page: Path) -> None:
    """Settings, classes, functions, columns, codes: whatever is spelled as a program spells it."""
    named = {word.removesuffix("_FILE") for span in spans(page) if "/" not in span for word in re.findall(r"[A-Za-z]\w*", span)}
    spelled = {word for word in named if "_" in word or re.search(r"[a-z][A-Z]", word)}
    assert {word for word in spelled - words() if not word.startswith(PARTLY)} - ELSEWHERE == set()


def shape(route: str) -> str:
    """An address with its gaps made equal: `<uuid:pk>`, `{id}`, `<visit id>`."""
    return re.sub(r"<[^>]*>|{[^}]*}", "*", route).strip("/")


@every_page
def test_addresses_that_a_page_names_are_answered(page: Path) -> None:
    """`POST /api/v1/…`, or without that prefix as the tables of one subject say it; a folder of addresses will do."""
    served = {shape(route) for route, _ in flat()}
    below = {route.rsplit("/", cut)[0] for route in served for cut in range(1, route.count("/") + 1)}
    asked = (re.match(r"(?:GET |POST |PUT |PATCH |DELETE |(?=/))(/?[a-z.][^ ?`]*/)(?= |\?|$)", span) for span in spans(page))
    named = {shape(match[1]) for match in asked if match and not match[1].startswith(("/ws/", "/var/"))}
    assert {name for name in named if not {name, f"api/v1/{name}"} & (served | below)} == set()


def test_the_codes_of_signalling_are_the_documented_ones() -> None:
    page = (ROOT / "docs" / "signalling.md").read_text()
    table, errors = page.partition("## Close codes")[2], page.partition("Error codes: ")[2].partition("\n\n")[0]
    assert {int(code) for code in re.findall(r"^\| (\d{4}) \|", table, re.MULTILINE)} == {int(code) for code in Close}
    assert {str(code) for code in Error} <= set(re.findall(r"`([a-z_]+)`", errors))
