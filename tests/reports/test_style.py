"""The page's colours: every text that stands on a colour reaches 4.5 to 1, light and dark."""

from __future__ import annotations

import re
from importlib import resources

import pytest

STYLE = resources.files("workbench.reports").joinpath("page.css").read_text("utf-8")


def palette(scheme: str) -> dict[str, str]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light if scheme == "light" else dark))


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_contrast(scheme: str) -> None:
    colours = palette(scheme)
    pairs = [("ink", ground) for ground in ("paper", "wash", "warn", *(f"h{step}" for step in range(1, 9)))]
    pairs += [(text, ground) for text in ("soft", "link") for ground in ("paper", "wash", "warn")]
    low = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}
    assert min(low.values()) >= 4.5, {pair: round(value, 2) for pair, value in low.items() if value < 4.5}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_stand_out_from_the_paper(scheme: str) -> None:
    colours = palette(scheme)
    assert min(contrast(colours[name], colours["paper"]) for name in ("mark", "second", "third", "weight")) >= 3


def test_underlines_grow_with_heat() -> None:
    widths = [int(found) for found in re.findall(r"mark\.f\d \{[^}]*border-bottom-width: (\d)px", STYLE)]
    assert widths == sorted(widths) and widths[-1] > widths[0] > 1


def test_the_sheet_loads_nothing() -> None:
    assert "url(" not in STYLE and "@import" not in STYLE
