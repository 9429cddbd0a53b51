"""Figure descriptions: what a result looks like, said once for the terminal, the report and the CSV."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["table", "curve", "histogram", "scatter", "matrix", "tokens", "text", "bars", "sectors", "colours"]


class Figure(BaseModel):
    """One figure or table of a result; `data` holds plain lists, its keys depend on `kind`.

    table:     columns [str], rows [[cell]]
    curve:     x [n], series {name: [n]}, band {name: [n] of [low, ..., high]} or absent
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
