"""Text inside a drawing."""

from __future__ import annotations

from html import escape

from workbench.reports.text import visible


def text(value: object) -> str:
    """A text that no SVG or HTML reader takes for markup."""
    return escape(visible(str(value)))


def label(x: float, y: float, shown: str, anchor: str = "middle", kind: str = "ink", extra: str = "") -> str:
    """A `<text>` element; `anchor` is `start`, `middle` or `end`, `kind` its class, `extra` further attributes."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}"{extra}>{text(shown)}</text>'
