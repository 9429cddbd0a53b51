"""A contrast at every place of the window, or at every layer: maps of position x feature and layer x feature."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.features import FeaturesContrast, FeaturesMap
from commands.handlers.features.designs import Design
from commands.handlers.features.readings import Reading
from commands.handlers.features.stored_rankings import ranking_header, ranking_line, ranking_lines
from workbench.errors import UsageError
from workbench.features.evidence import labels_by_index
from workbench.features.rankings import plain
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.saes.ids import feature_id, feature_index
from workbench.session.log import LogLine
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.stats import ContrastMap


def quantity(over: str, space: str) -> str:
    """Which number of a sentence the cells of a map test, in words."""
    if over == "layer" and not space.endswith("/raw"):
        return (
            "the stream of each layer along the decoder direction, x.d / |d|^2, without threshold, at the features' "
            "own layer too: not the activations that the ranking tests"
        )
    return f"the activations at each {over} alone"


def contrast_map_over(
    command: FeaturesContrast, lab: Lab, design: Design, reading: Reading, settings: dict[str, Any]
) -> tuple[dict[str, Any], list[Figure]]:
    """Test every feature in every cell; the family-wise p is over all cells of all features, drawn or not.

    So the features that are drawn, those with the strongest cells, may be chosen by the same numbers.
    """
    from workbench.stats import contrast_map

    names, x = _cells(command, lab, design, reading)
    sentences, places, width = x.shape
    lab.tick(0, 1, f"testing {places} x {width} cells")
    flat = np.where(np.isfinite(x), x, np.nan).reshape(sentences, places * width)
    result = contrast_map(flat, design.labels, **settings)
    table = _tables(result, places, width)
    lab.save("map", **{name: array.astype(np.float32) for name, array in table.items()})
    shown = _strongest(table["t"], command.shown)
    labels = labels_by_index(lab, reading.space.name)
    seen = (~np.isnan(x).all(axis=2)).sum(axis=0)  # (places,)
    body = {
        "over": command.map,
        "quantity": quantity(command.map, reading.space.name),
        "places": names,
        "sentences": [int(count) for count in seen],
        "tested": result.tested,
        "undefined": int(places * width - result.tested),
        "discoveries": result.discoveries(command.alpha),
        "family_wise": int((table["p_fwer"] < command.alpha).sum()),
        "features": [_row(int(index), table, reading.space.name, labels) for index in shown],
    }
    return {"map": body}, [_figure(command, design, body)]


def map_(query: FeaturesMap, lab: Lab) -> Outcome:
    """Read the stored cells of some features, or of those with the strongest ones."""
    line = _mapped(query, lab)
    header = ranking_header(lab, line)
    table, stored = lab.arrays(line, "map"), lab.stored(line)["map"]
    width = table["t"].shape[1]
    if query.features:
        shown = [feature_index(name, header["space"], width, "ranking's") for name in query.features]
    else:
        shown = [int(index) for index in _strongest(table["t"], query.shown)]
    labels = labels_by_index(lab, header["space"])
    body = {
        **stored,
        "quantity": quantity(stored["over"], header["space"]),  # maps of an older version do not say it
        "features": [_row(index, table, header["space"], labels) for index in shown],
    }
    gate = {"gate": header["gate"]}  # none for raw units, whatever is loaded now
    return Outcome({"ranking": header, "map": body}, provenance=gate)


def _mapped(query: FeaturesMap, lab: Lab) -> LogLine:
    """The log line of the ranking that is asked for, or of the latest that has a map."""
    hint = "Make one: `workbench features contrast achievement --map position`."
    if query.ranking is not None:
        line = ranking_line(lab, query.ranking)
        if not lab.stored(line).get("map"):
            raise UsageError(f"log line {line.seq} has no map", hint)
        return line
    lines = [line for line in ranking_lines(lab) if line.params.get("map")]
    if not lines:
        raise UsageError("no contrast map in this session", hint)
    return max(lines, key=lambda line: line.seq)


def _cells(command: FeaturesContrast, lab: Lab, design: Design, reading: Reading) -> tuple[list[str], np.ndarray]:
    """Names of the places, and (sentences, places, features)."""
    from workbench.stimuli.layers import layer_features

    if command.map == "layer":
        return layer_features(
            lab.model, reading.space, reading.texts, command.pool, lab.tick,
            window=reading.window, spans=[one.span for one in design.stimuli],
        )  # fmt: skip
    positions = reading.features.positions
    assert positions is not None  # read_sentences was asked for them
    return reading.window.names(positions.shape[1]), positions


def _tables(result: ContrastMap, places: int, width: int) -> dict[str, np.ndarray]:
    numbers = {"t": result.t, "effect": result.effect, "p_fwer": result.p_fwer, "q": result.q}
    return {name: array.reshape(places, width) for name, array in numbers.items()}


def _strongest(t: np.ndarray, count: int) -> np.ndarray:
    """Features by the largest |t| of their cells, undefined cells left out."""
    best = np.where(np.isnan(t), -1.0, np.abs(t)).max(axis=0)  # (places, features) -> (features,)
    order = np.lexsort((np.arange(best.size), -best))
    found: np.ndarray = order[best[order] >= 0][:count]
    return found


def _row(index: int, table: dict[str, np.ndarray], space: str, labels: Mapping[int, str]) -> dict[str, Any]:
    numbers = {name: [plain(value) for value in array[:, index]] for name, array in table.items()}
    return {"feature": feature_id(space, index), "index": index, "label": labels.get(index, ""), **numbers}


def _drawn(rows: list[dict[str, Any]]) -> list[list[float]]:
    """t of each cell; 0 where undefined, and as large as the largest number where a separation has no variance."""
    sizes = [abs(value) for row in rows for value in row["t"] if value is not None]
    most = max((size for size in sizes if size < sys.float_info.max), default=1.0)
    return [[0.0 if value is None else min(max(value, -most), most) for value in row["t"]] for row in rows]


def _figure(command: FeaturesContrast, design: Design, body: dict[str, Any]) -> Figure:
    rows = body["features"]
    return Figure(
        kind="matrix",
        title=f"{command.stimuli}: {design.positive} by {command.map}, t of {command.statistic}",
        x_label=command.map,
        y_label="feature",
        note=(
            f"{body['tested']:,} cells tested, {body['family_wise']} with family-wise p < {command.alpha:g} (max-T "
            "over all of them, also those of features not drawn); an empty cell is drawn as 0. "
            f"Each cell tests {body['quantity']}"
        ),
        data={
            "rows": [f"#{row['index']}" for row in rows],
            "columns": body["places"],
            "values": [[round(value, 4) for value in row] for row in _drawn(rows)],
        },
    )
