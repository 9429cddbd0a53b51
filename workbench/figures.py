"""Figure descriptions: what a result looks like, said once for the terminal, the report and the CSV."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["table", "curve", "histogram", "scatter", "matrix", "tokens", "text", "bars", "sectors", "colours"]


class Figure(BaseModel):
    """One figure or table of a result; `data` holds plain lists, its keys depend on `kind`.

    table:     columns [str], rows [[cell]]
    curve:     x [n], series {name: [n]}, band {name: [n] of [low, ..., high]} or absent,
               zero: False where the axis of values need not begin at 0
    histogram: edges [n+1], counts [n]
    scatter:   x [n], y [n], names [n] or None, groups [n] or None, level {"y", "name"} or absent
    matrix:    rows [str], columns [str], values [[float]]
    tokens:    lines [{"title", "tokens" [t], "values" [t]}], maximum
    text:      text
    bars:      names [str], values [n], low [n], high [n]
    sectors:   names [str], radii [r], values [r][angle] (indices of names)
    colours:   rows [str], columns [str], values [row][column] ([red, green, blue] in 0 to 1, or None), scale
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    kind: Kind
    title: str
    x_label: str = ""
    y_label: str = ""
    note: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


def pixel_mark(cell: list[float]) -> str:
    """A cell of `colours` without its colour: the strongest component and its ninths of full, such as R9 or b3.

    Capital letters are above 0, small ones below; a dot is less than a ninth of anything.
    """
    place = max(range(3), key=lambda at: abs(cell[at] - 0.5))
    ninths = round(18 * abs(cell[place] - 0.5))
    return f"{'RGB'[place] if cell[place] > 0.5 else 'rgb'[place]}{ninths}" if ninths else "·"


def pixel_ink(cell: list[float]) -> str:
    """`black` or `white`, whichever is read better on a cell of `colours` (relative luminance, as WCAG 2 has it)."""
    light = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in cell]
    luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2]
    return "black" if luminance > 0.179 else "white"


def above_noise(strength: list[float], noise: list[float]) -> str:
    """Which of the three components of a map are stronger than noise of its shape would be."""
    found = [name for name, have, need in zip("RGB", strength, noise, strict=True) if have > need > 0]
    return f"{' '.join(found) or 'none'} above it"
