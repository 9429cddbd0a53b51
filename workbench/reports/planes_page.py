"""A cluster's principal planes as one offline page to explore, and as a figure on its own.

Points are marked by letters, so that colour is never needed; hovering or the arrow keys show a point's context and
feature values. The page's data is JSON that the script reads, and every text goes into the page as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

from workbench.reports.lettering import label, text
from workbench.reports.text import number, visible_token

MARKS = "abcdefghij"
"""The letter of each token of the legend; `·` is any other."""
INKS = ("#0b4f96", "#b3261e", "#166534", "#7b3f00", "#6d28d9", "#0e7490", "#a21caf", "#854d0e", "#334155", "#be185d")
"""Their colours, those of the page: a help beside the letters, which say the same."""
SIDE, GAP, EDGE = 300, 24, 12


def planes_page(body: dict[str, Any], contexts: Sequence[dict[str, Any]], colour: str) -> str:
    """The page of one cluster.

    Args:
        body: the result of `clusters.planes`.
        contexts: of each point: `tokens`, `peak`, `document`, `features`.
        colour: `current` or `next`.
    """
    style, script = _resource("planes_page.css"), _resource("planes_page.js")
    data = {
        "colour": colour,
        "scores": body["scores"],
        "current": _shown_legend(body["current"]),
        "next": _shown_legend(body["next"]),
        "planes": [{"axes": plane["axes"], "text": plane_text(body, plane)} for plane in body["planes"]],
        "contexts": [{**one, "tokens": [visible_token(token) for token in one["tokens"]]} for one in contexts],
        "labels": {str(item["index"]): visible_token(item["label"]) for item in body["features"] if item["label"]},
    }
    # inside a script element only `<` can end it or open a comment
    packed = json.dumps(data, ensure_ascii=True, allow_nan=False).replace("<", "\\u003c")
    title = text(f"Cluster {body['cluster']}" + (f" ({body['name']})" if body["name"] else ""))
    policy = f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f'<p class="soft">{text(about(body))}</p>\n'
        '<div class="layout"><main><div class="planes" id="planes"></div></main>\n'
        '<aside><p><label>Marked by the <select id="colour"><option value="current">current token</option>'
        '<option value="next">next token</option></select></label></p>\n'
        '<ul class="legend" id="legend"></ul>\n<h2>Context</h2><p class="soft" id="where"></p>\n'
        '<div class="context" id="context" aria-live="polite"></div>\n<h2>Features active there</h2>'
        '<table><tbody id="values"></tbody></table></aside></div>\n'
        f'<h2>Decoder cosines</h2>\n<div class="cosines">{_cosines(body)}</div>\n'
        '<p class="soft">Written by feature-workbench. This file is whole: it loads nothing.</p>\n'
        f'<script type="application/json" id="data">{packed}</script>\n<script>{script}</script>\n</body>\n</html>\n'
    )


def about(body: dict[str, Any]) -> str:
    """What the points are, in one sentence with its numbers."""
    return (
        f"{body['size']} features of {body['space']}; {body['points']:,} of the {body['active']:,} tokens on which one "
        f"of them is above {body['threshold']:g}, a uniform sample (seed {body['seed']}). Singular values "
        f"{', '.join(number(value) for value in body['singular_values'])}."
    )


def plane_text(body: dict[str, Any], plane: dict[str, Any]) -> str:
    """What stands over a plane: its share of the variance and both indices, with what they depend on."""
    first, second = plane["axes"]
    share = body["explained"][first - 1] + body["explained"][second - 1]
    head = f"Components {first}-{second}: {100 * share:.1f} % of the variance"
    if plane["status"] != "ok":
        return f"{head}; no indices ({plane['status']}: {plane['points']} points, {plane['bins']} bins a side)"
    return (
        f"{head}; S {plane['separability']:.2f} bits, M {plane['mixture']:.2f} "
        f"({plane['points']} points, {plane['bins']} bins, eps {body['eps']:g})"
    )


def planes_svg(body: dict[str, Any], colour: str) -> str:
    """All planes side by side, two in a row, with the legend: a figure that needs no colour."""
    groups = body[colour]["groups"]
    rows = -(-len(body["planes"]) // 2)
    width, height = 2 * SIDE + GAP, rows * (SIDE + 40) + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" font-family="system-ui, sans-serif" font-size="11" fill="#1b1e22">'
        f'<title>{text(plane_title(body))}</title><rect width="{width}" height="{height}" fill="#ffffff"/>'
    ]
    for place, plane in enumerate(body["planes"]):
        left, top = (place % 2) * (SIDE + GAP), place // 2 * (SIDE + 40)
        parts.append(_plane(body, plane, groups, left, top))
    parts += _svg_legend(body[colour], rows * (SIDE + 40) + 18)
    return "".join([*parts, "</svg>\n"])


def plane_title(body: dict[str, Any]) -> str:
    """The figure's title."""
    return f"Principal planes of cluster {body['cluster']}: {body['size']} features, {body['points']} points"


def _plane(body: dict[str, Any], plane: dict[str, Any], groups: Sequence[int], left: int, top: int) -> str:
    first, second = (axis - 1 for axis in plane["axes"])
    points = [(row[first], row[second]) for row in body["scores"]]
    reach = max([1e-9, *(abs(value) for pair in points for value in pair)])
    scale = (SIDE / 2 - EDGE) / reach
    parts = [
        f'<g transform="translate({left} {top})"><rect y="34" width="{SIDE}" height="{SIDE}" fill="none" '
        f'stroke="#d9dde2"/>{label(0, 14, _head(body, plane), "start")}{label(0, 28, _tail(plane), "start")}'
    ]
    parts.append('<g font-size="10" text-anchor="middle">')
    for group in sorted(set(groups)):  # the others first, below the letters
        here = [pair for pair, one in zip(points, groups, strict=True) if one == group]
        mark, shade = ("·", 'fill-opacity="0.45"') if group < 0 else (MARKS[group], f'fill="{INKS[group]}"')
        across, down = SIDE / 2, 34 + SIDE / 2 + 3
        drawn = (f'<text x="{across + x * scale:.1f}" y="{down - y * scale:.1f}">{mark}</text>' for x, y in here)
        parts.append(f"<g {shade}>{''.join(drawn)}</g>")
    return "".join([*parts, "</g></g>"])


def _head(body: dict[str, Any], plane: dict[str, Any]) -> str:
    first, second = plane["axes"]
    share = body["explained"][first - 1] + body["explained"][second - 1]
    return f"components {first}-{second}, {100 * share:.1f} % of the variance"


def _tail(plane: dict[str, Any]) -> str:
    if plane["status"] != "ok":
        return f"no indices ({plane['status']})"
    return (
        f"S {plane['separability']:.2f} bits, M {plane['mixture']:.2f}; {plane['points']} points, {plane['bins']} bins"
    )


def _svg_legend(told: dict[str, Any], top: int) -> list[str]:
    entries = [f"{mark} {visible_token(token)}" for mark, (token, _) in zip(MARKS, told["tokens"], strict=False)]
    lines, line = [], ""
    for entry in [*entries, "· any other"]:
        if line and len(line) + len(entry) > 88:
            lines.append(line)
            line = ""
        line += ("   " if line else "") + entry
    return [label(0, top + 16 * at, shown, "start") for at, shown in enumerate([*lines, line])]


def _shown_legend(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "tokens": [[visible_token(token), count] for token, count in told["tokens"]]}


def _cosines(body: dict[str, Any]) -> str:
    from workbench.figures import Figure
    from workbench.reports.svg import figure_svg

    names = [f"#{item['index']}" for item in body["features"]][:16]
    values = [row[: len(names)] for row in body["matrix"][: len(names)]]
    if not values:
        return "<p>No directions are at hand.</p>"
    title = f"Cosines of the decoder directions of {len(names)} of {body['size']} features"
    return figure_svg(Figure(kind="matrix", title=title, data={"rows": names, "columns": names, "values": values}))


def _resource(name: str) -> str:
    return resources.files("workbench.reports").joinpath(name).read_text("utf-8")


def _digest(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
