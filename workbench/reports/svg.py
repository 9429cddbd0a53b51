"""Figures as SVG: whatever is drawn, from the description that terminal and CSV use.

Every drawing is readable without colour: groups and series differ by shape and dash, heat by number or by the
weight of a stroke. Colours are classes that the page's style sheet sets; a drawing on its own is black on white.
"""

from __future__ import annotations

from collections.abc import Callable

from workbench.figures import Figure
from workbench.reports.circles import bars, colours, sectors
from workbench.reports.describe import describe
from workbench.reports.lettering import text
from workbench.reports.matrix import matrix
from workbench.reports.plots import Drawing, curve, histogram, scatter
from workbench.reports.sheet import WIDE
from workbench.reports.token_lines import token_lines

DRAWINGS: dict[str, Callable[[Figure, int], Drawing]] = {
    "scatter": scatter,
    "curve": curve,
    "histogram": histogram,
    "matrix": matrix,
    "bars": bars,
    "sectors": sectors,
    "colours": colours,
    "tokens": token_lines,
}


def figure_svg(figure: Figure, anchor: str = "figure", width: int = WIDE) -> str:
    """One figure as an `<svg>` element with a title and a description, every text escaped.

    Args:
        figure: of a kind in `DRAWINGS`.
        anchor: prefix of the element ids, unique on the page.
        width: what there is room for; a drawing of fixed size may take less or more.

    Raises:
        ValueError: a figure of another kind; tables are text, not drawings.
    """
    if figure.kind not in DRAWINGS:
        raise ValueError(f"a figure of kind {figure.kind!r} has no drawing")
    body, wide, height = DRAWINGS[figure.kind](figure, width)
    title, about = f"{anchor}-title", f"{anchor}-about"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {height}" width="{wide}" height="{height}" '
        f'role="img" aria-labelledby="{title} {about}" font-family="system-ui, sans-serif" font-size="12" '
        f'fill="currentColor"><title id="{title}">{text(figure.title)}</title>'
        f'<desc id="{about}">{text(describe(figure))}</desc>{body}</svg>'
    )
