"""What the Quanta screen says, as lines of pieces made from replies."""

from __future__ import annotations

from math import log1p
from typing import Any

from rich.cells import cell_len

from screens.labels.text import short_score
from screens.painting import palette
from screens.painting.glyphs import bar, columns
from screens.painting.text import fit, number, thousands, visible
from screens.select.rdm import shades
from screens.widgets.lines import Column, Row
from screens.widgets.painted import Piece

OVERVIEW = (
    Column("cluster", 7, "right"),
    Column("size", 5, "right"),
    Column("cohesion", 8, "right"),
    Column("separ.", 6, "right"),
    Column("bits", 5, "right"),
    Column("answers, label"),
)
TAKEN = 38
"""Cells of a row before the answers: the cursor's place, five columns and the blanks between."""
SIDE = 38
HEAT = 18
PAIR = 37
"""Cells of each of two histograms."""
HISTOGRAM = 5
"""Lines of the histogram of losses."""


def overview_header(page: dict[str, Any], wanted: str = "") -> list[list[Piece]]:
    """Two lines on what the clusters are of; where they are filtered, by what."""
    of = f" with {visible(wanted)!r}, of the clusters" if wanted else " clusters"
    edits = f", {page['edits']} edit{'s' * (page['edits'] != 1)}" if page["edits"] else ""
    return [
        [(f"  {thousands(page['total'])}{of} of {thousands(page['samples'])} predictions", palette.BOLD),
         (f" of {visible(page['model'])} on {visible(page['corpus'])}", None)],
        [(f"  by {page['of']} ({page['mode']}), {page['affinity']} affinity{edits}; sorted by {page['sort']}", None)],
        [],
    ]  # fmt: skip


def cluster_row(item: dict[str, Any], width: int) -> Row:
    """One cluster of the list; of its answers as many as are seen whole."""
    room = width - TAKEN
    label = (visible(item["label"]), palette.NAME) if item["label"] else answers_text(item, room=room)
    cells = (str(item["cluster"]), thousands(item["size"]), number(item["cohesion"], 2), number(item["separation"], 2),
             number(item["entropy"], 2), label)  # fmt: skip
    return Row(str(item["cluster"]), cells)


def answers_text(item: dict[str, Any], most: int = 5, room: int = 0) -> str:
    """The commonest answers, all that fit into `room` cells, at least one; spaces in them are seen as dots."""
    told = [f"{visible(text).replace(' ', '·')} {count}" for text, count in item["answers"][:most]]
    while room and len(told) > 1 and cell_len("  ".join(told)) > room:
        told.pop()
    return "  ".join(told)


def cluster_header(shown: dict[str, Any]) -> list[list[Piece]]:
    """Three lines on one cluster."""
    near = shown["nearest_clusters"][:1]
    nearest = f"; nearest {near[0]['cluster']} ({number(near[0]['similarity'], 2)})" if near else ""
    name = f": {visible(shown['label'])}" if shown["label"] else ""
    score = short_score(shown.get("label_scores") or [])
    numbers = (
        f"  cohesion {number(shown['cohesion'], 2)}, separation {number(shown['separation'], 2)}, answers "
        f"{number(shown['entropy'], 2)} bits{nearest}"
    )
    return [
        [(f"  cluster {shown['cluster']}{name}", palette.BOLD),
         (f"  {thousands(shown['size'])} samples, {shown['rank']} of {thousands(shown['clusters'])} by size", None)],
        [(numbers, None), (f"; label: {score}" if score else "", palette.DIM)],
        [(f"  {visible(shown['note']) or answers_text(shown, 6)}", palette.DIM)],
    ]  # fmt: skip


def quantum_facts(item: dict[str, Any] | None) -> list[tuple[str, str]]:
    """What `w` says of a cluster of predictions, before the line that made it."""
    definition = (
        "predictions that the model makes with the same parameters; cohesion: mean cosine inside the cluster; "
        "separation: that less the mean cosine to the nearest cluster; bits: entropy of its answers"
    )
    facts = [("definition", definition)]
    if item is not None:
        numbers = (
            f"cluster {item['cluster']}: cohesion {number(item['cohesion'])}, separation {number(item['separation'])}, "
            f"answers {number(item['entropy'], 2)} bits"
        )
        facts += [("n", f"{thousands(item['size'])} predictions"), ("observed", numbers)]
    return [*facts, ("null", "none: quanta.cluster describes similarities and tests nothing")]


def side_lines(shown: dict[str, Any], width: int = SIDE) -> list[list[Piece]]:
    """Answers as bars, the nearest clusters, similarities as shades: beside each other where it is wide, else below."""
    told = [*_answer_bars(shown, min(width, SIDE)), [], *_nearest(shown)]
    heat = _heat(shown, min(width, SIDE))
    if width < 2 * SIDE - 4:
        return [*told, [], *heat]
    told += [[]] * (len(heat) - len(told))
    heat += [[]] * (len(told) - len(heat))
    return [[*_cut(left, SIDE - 2), ("  ", None), *right] for left, right in zip(told, heat, strict=True)]


def _cut(pieces: list[Piece], width: int) -> list[Piece]:
    """Pieces in exactly `width` cells."""
    found: list[Piece] = []
    for text, style in pieces:
        part = fit(text, min(cell_len(text), width))
        found.append((part, style))
        width -= cell_len(part)
    return [*found, (" " * width, None)]


def _answer_bars(shown: dict[str, Any], width: int) -> list[list[Piece]]:
    most = max((count for _, count in shown["answers"]), default=1)
    lines: list[list[Piece]] = [[("answers", palette.DIM)]]
    for text, count in shown["answers"][:10]:
        name = fit(visible(text).replace(" ", "·"), 12)
        lines.append([(name, palette.NAME), (f"{count:5} ", None), (bar(count / most, width - 20), None)])
    return lines


def _nearest(shown: dict[str, Any]) -> list[list[Piece]]:
    lines: list[list[Piece]] = [[("nearest clusters", palette.DIM)]]
    for other in shown["nearest_clusters"]:
        said = visible(other["label"]) or answers_text(other, 2)
        near = "–" if other["similarity"] is None else f"{round(other['similarity'], 2) + 0.0:.2f}"  # no -0.00
        lines.append([(f"{other['cluster']:4} {near:>5} ", None), (said, palette.NAME)])
    return lines


def _heat(shown: dict[str, Any], width: int) -> list[list[Piece]]:
    lines: list[list[Piece]] = [[(_heat_title(shown), palette.DIM)]]
    if shown["matrix"]:
        step = max(1, -(-len(shown["matrix"]) // HEAT))
        few = [row[::step] for row in shown["matrix"][::step]]
        lines += [[(row, None)] for row in shades(few, 2 if 2 * len(few) <= width else 1)]
    return lines


def _heat_title(shown: dict[str, Any]) -> str:
    if not shown["matrix"]:
        return "similarities are not on this machine"
    values = [value for at, row in enumerate(shown["matrix"]) for value in row[:at]]
    if not values:
        return "similarities: one member"
    return f"similarities {number(min(values), 2)} to {number(max(values), 2)}"


def counts_lines(counts: dict[str, Any], width: int) -> list[list[Piece]]:
    """What a selection would find, over a histogram of the losses; of a pair of models, one of each."""
    lines = _conditions(counts)
    own = _losses_of(counts["histogram"], "losses in nats, log counts; dim all, bold those left", width)
    if not counts["high_histogram"]:
        return [*lines, [], *own]
    own = _losses_of(counts["histogram"], f"in {visible(counts['model'])}; dim all, bold left", 0)
    there = _losses_of(counts["high_histogram"], f"in {visible(counts['high'])}, of what is low", 0)
    beside = [[*_cut(left, PAIR), ("  ", None), *_cut(right, PAIR)] for left, right in zip(own, there, strict=True)]
    return [*lines, [], *beside]


def _conditions(counts: dict[str, Any]) -> list[list[Piece]]:
    """A line for each condition, with what it leaves."""
    short = counts["found"] < counts["n"]
    left: list[Piece] = [(f"{thousands(counts['left']):>12} left", None)]
    if counts["high"]:
        left += [(", above ", None), (f"{counts['high_threshold']:g} {counts['unit']}", palette.KEY),
                 (f" in {visible(counts['high'])}", None)]  # fmt: skip
    return [
        [(f"{thousands(counts['predictions']):>12} predictions of {visible(counts['model'])}", None)],
        [(f"{thousands(counts['below']):>12} below ", None), (f"{counts['threshold']:g} {counts['unit']}", palette.KEY),
         ("" if counts["unit"] == "nats" else f"  ({counts['threshold_nats']:.4g} nats)", palette.DIM)],
        [(f"{thousands(counts['repeated']):>12} of them repeat  ", None), (counts["filter"], palette.KEY)],
        left,
        [(f"{thousands(counts['found']):>12} with one in ", None), (thousands(counts["skip"]), palette.KEY),
         (" taken, ", None), (f"{thousands(counts['n'])} wanted", palette.BAD if short else palette.GOOD)],
    ]  # fmt: skip


def _losses_of(shown: dict[str, Any], title: str, width: int) -> list[list[Piece]]:
    """A title, the columns and their axis."""
    room = max(len(shown["counts"]), min(width - 4, 2 * len(shown["counts"])))
    axis: list[Piece] = [(fit(f"{shown['edges'][1]:g}", room - 6) + f"{shown['edges'][-1]:g}", palette.DIM)]
    return [[(title, palette.DIM)], *_histogram(shown["counts"], shown["kept"], room), axis]


def _histogram(counts: list[int], kept: list[int], room: int) -> list[list[Piece]]:
    """Columns of the counts, bold as high as some are kept; without colour the bold still differs from the dim."""
    drawn = columns(list(map(float, counts)), room, HISTOGRAM)
    top = max(log1p(count) for count in counts) or 1.0
    stretch = max(1, room // len(counts))
    levels = [log1p(count) / top * HISTOGRAM for count in kept for _ in range(stretch)]
    lines: list[list[Piece]] = []
    for row, text in enumerate(drawn):
        floor = HISTOGRAM - 1 - row
        inside = [at < len(levels) and levels[at] > floor for at in range(len(text))]
        lines.append([(sign, palette.KEY if here else palette.DIM) for sign, here in zip(text, inside, strict=True)])
    return lines
