"""Every code that a caller may get is explained on some page."""

from collections.abc import Iterator

from telehealth.core.errors import DomainError
from tests.conformance.source import ROOT

KINDS = {"error", "conflict"}  # what the facts are subclasses of; no reply ever says only that


def codes(of: type[DomainError] = DomainError) -> Iterator[str]:
    for each in of.__subclasses__():
        if each.__module__.split(".")[0] != "tests":
            yield each.code
            yield from codes(each)


def test_each_code_is_on_a_page() -> None:
    pages = "\n".join(page.read_text() for page in (ROOT / "docs").rglob("*.md"))
    found = set(codes()) - KINDS
    assert sorted(code for code in found if f"`{code}`" not in pages) == []
    assert len(found) > 40
