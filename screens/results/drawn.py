"""Results without a layout of their own: the tables and pictures that the shell prints, with what their numbers are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice

from commands.render import as_lines, has_drawer
from screens.painting import palette
from screens.painting.text import visible, wrapped
from screens.results.tables import Result, Told, View
from screens.widgets.lines import Row

WIDER, WIDEST = (96, 116, 136), 156
"""Widths at which a table is tried whose cells are cut on the screen."""
MOST = 2000
"""Lines that are shown of one result."""
TITLES = {
    "circle.probe": "circle probe",
    "circle.patch": "patches of the circle",
    "circle.sweep": "around the circle's middle",
    "circle.heads": "layers and heads",
    "circle.explain": "explanation by regression",
    "geometry.energy": "energy of directions",
    "geometry.optimum": "least energies",
    "geometry.match": "match of two Gram matrices",
}
DEFINITIONS = {
    "clusters.find": "cosine: mean over all pairs of the members' decoder directions; ARI: agreement of two "
    "clusterings beyond chance, 1 for the same; returns: mean Jaccard overlap of a cluster with "
    "its best match among clusters of one half of the documents, 0.75 and above is stable, below "
    "0.6 not to be trusted",
    "clusters.rank": "S: least mutual information, in bits, of a plane's two coordinates over all turns; M: "
    "largest share of points in a narrow band around a line; score: mean of (1 - M) S over "
    "planes. p: (b + 1) / (draws + 1), b draws of the null being as large. Ring test: kurtosis of "
    "the words' mean points, 4 on an ellipse, against as many words spread evenly over a disc; "
    "intervals leave out tenths of the documents or words",
    "clusters.demo": "S: least mutual information, in bits, of a cloud's two coordinates over all turns; M: "
    "largest share of points in a narrow band around a line; null: Gaussians of the same "
    "covariance; p: (b + 1) / (draws + 1)",
    "clusters.import": "cosine: mean over all pairs of the members' decoder directions, held against the published one "
    "where that SAE is loaded",
    "circle.probe": "R2: 1 - squared error / squared distance of the circle's points from their mean, of a "
    "least-squares probe on principal components; held out: mean, components and probe fitted without the problems (or "
    "names) read",
    "circle.patch": "mean over all pairs of logit[answer before] - logit[answer wanted]; below 0 the answer follows. A "
    "share is of what replacing the whole vector does; what takes all but the mean away has about a half",
    "circle.sweep": "the likeliest name after a point of the probe's plane is put in the place of the name; read so: "
    "the share that is the name of the nearest angle",
    "circle.heads": "(patched - unchanged) / (the other problem's run - unchanged) of the logit difference, mean over "
    "pairs; below 0 the component moves the answer the wrong way",
    "circle.explain": "R2: 1 - mean(residual^2) / mean(scores^2) of principal scores, groups added one after another; "
    "maps: three leading components of what is left, signs fixed, one scale for all, beside the level of noise",
    "geometry.energy": "sum of the kernel over ordered pairs of unit vectors (exp with the diagonal). Labels "
    "shuffled and fitted again is the null of a shape that comes from the probing; coordinates shuffled is not",
    "geometry.optimum": "the least energy found from several starts; spread is the highest less the lowest of them; "
    "known: the closed form of the shape that is the least there",
    "geometry.match": "Frobenius distance of the first Gram from the second with its labels permuted",
}


def views() -> dict[str, Callable[[Result, int], View]]:
    """The view of each command."""
    return {command: partial(view, command) for command in TITLES}


def view(command: str, result: Result, width: int) -> View:
    """What the shell prints of a result, line by line."""
    rows = [Row(f"line:{at}", (visible(line),)) for at, line in enumerate(lines_of(command, result, width))]
    told = f"a number of the stored result of {command}; docs/wire.md says what each is"
    head = ((f"  {TITLES.get(command, command)}", palette.BOLD),)
    return View(head, tuple(rows), {}, {}, Told((("definition", DEFINITIONS.get(command, told)),)))


def lines_of(command: str, result: Result, width: int) -> list[str]:
    """The shell's tables and pictures; none for a command without them, and for a result too old to fill them."""
    if not has_drawer(command):
        return []
    try:
        drawn = _whole(command, result, max(40, width - 4))
    except (KeyError, TypeError):  # stored by an older version, without a field: its values are shown instead
        return []
    fitted = (part for line in drawn for part in _prose_wrapped(line, width - 4))
    return list(islice(fitted, MOST))


def _whole(command: str, result: Result, width: int) -> list[str]:
    """Drawn so wide that no cell is cut: a row may then end beyond the screen, but its first numbers are whole."""
    reply = {"command": command, "result": result}
    widest = as_lines(reply, max(width, WIDEST))
    for room in (width, *(room for room in WIDER if room > width)):
        drawn = as_lines(reply, room)
        if _cuts(drawn) <= _cuts(widest):
            return drawn
    return widest


def _cuts(lines: list[str]) -> int:
    return sum(line.count("…") for line in lines)


def _prose_wrapped(line: str, width: int) -> list[str]:
    """A sentence goes on below; the row of a table, which has gaps, does not."""
    return wrapped(line, width) if len(line) > width and "  " not in line.strip() else [line]
