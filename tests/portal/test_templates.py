"""Every template of the portal, read as text: what must be nowhere, and what must be everywhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("audit", "consults", "prescribing", "scheduling", "telehealth")
ASKED_BY_GET = {  # a kind of visit, a provider and a day; ids, codes and times
    "scheduling/templates/scheduling/booking.html": 1,
    "scheduling/templates/scheduling/calendar_grid.html": 1,
    "audit/review/templates/admin/audit/entry/filters.html": 1,
}


def templates() -> list[Path]:
    return [path for package in PACKAGES for path in sorted((ROOT / package).glob("**/templates/**/*.html"))]


@pytest.mark.parametrize("path", templates(), ids=lambda path: path.name)
def test_a_template_keeps_the_rules(path: Path) -> None:
    text, name = path.read_text(), str(path.relative_to(ROOT))

    assert not re.search(r"\sstyle=|\son[a-z]+=|javascript:", text)
    assert all('nonce="{{ request.csp_nonce }}"' in script for script in re.findall(r"<script[^>]*>", text))
    by_get = [form for form in re.findall(r"<form[^>]*>", text) if 'method="post"' not in form]
    assert len(by_get) == ASKED_BY_GET.get(name, 0), "what is typed into it would stand in an address"
    assert len(re.findall(r'<form[^>]*method="post"', text)) <= text.count("csrf_token")
