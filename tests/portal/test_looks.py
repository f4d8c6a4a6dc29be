"""The design tokens hold the contrast that they promise, in the light and in the dark (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from pathlib import Path

import pytest

from telehealth import portal

TOKENS = (Path(portal.__file__).parent / "static/portal/tokens.css").read_text()
TEXT = [
    ("ink", "paper"), ("ink", "card"), ("ink", "sunken"), ("ink-soft", "paper"), ("ink-soft", "card"), ("ink-soft", "sunken"),
    ("on-brand", "brand"), ("on-brand", "brand-strong"), ("brand-strong", "card"), ("brand-strong", "paper"),
    ("brand-strong", "brand-soft"),
    ("danger-strong", "card"), ("danger-strong", "danger-soft"), ("ink", "danger-soft"), ("ink", "info-soft"), ("ink", "good-soft"),
    ("ink", "warn-soft"), ("warn", "warn-soft"), ("good", "good-soft"), ("info", "info-soft"), ("on-stage", "stage"),
]  # fmt: skip
SHAPES = [("line-strong", "card"), ("line-strong", "paper"), ("focus", "card"), ("focus", "paper"), ("brand", "card"), ("danger", "card")]


def colours(scheme: str) -> dict[str, str]:
    light, _, dark = TOKENS.partition("@media")
    found = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light))
    return found | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", dark)) if scheme == "dark" else found


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_shapes_stand_out(scheme: str) -> None:
    colour = colours(scheme)
    faint = [
        (one, other, round(ratio, 2))
        for pairs, least in ((TEXT, 4.5), (SHAPES, 3.0))
        for one, other in pairs
        if (ratio := contrast(colour[one], colour[other])) < least
    ]
    assert faint == []


def test_the_measure_itself() -> None:
    assert round(contrast("#000000", "#ffffff"), 1) == 21.0
    assert contrast("#777777", "#ffffff") < 4.5 < contrast("#767676", "#ffffff")
