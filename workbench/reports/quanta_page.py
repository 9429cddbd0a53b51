"""All clusters of predictions as one HTML file, which works from the disk and asks nothing of the network."""

from __future__ import annotations

import html
import json
from importlib.resources import files
from typing import Any

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'">
<style>
{style}</style></head><body>
<h1>{title}</h1>
<div class="bar"><select id="cluster" aria-label="cluster"></select>
<input id="search" type="search" placeholder="search (/)" aria-label="search"> <span id="count"></span>
<span class="end">← → between clusters</span></div>
<p class="facts" id="facts"></p><p class="note" id="note"></p><div id="samples"></div>
<script type="application/json" id="data">{data}</script>
<script>
{script}</script></body></html>
"""


def quanta_page(title: str, clusters: list[dict[str, Any]]) -> str:
    """The page.

    Args:
        title: what the clusters are of.
        clusters: as `quanta.show` tells them, each with all its `samples`; the page shows them in this order.
    """
    here = files("workbench.reports")
    return _PAGE.format(
        title=html.escape(title),
        style=here.joinpath("quanta_page.css").read_text("utf-8"),
        script=here.joinpath("quanta_page.js").read_text("utf-8"),
        data=_inert(clusters),
    )


def _inert(value: Any) -> str:
    """JSON that no HTML parser sees anything in: tokens are third-party text."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
