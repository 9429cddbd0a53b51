"""What stored results say about one feature: its labels, its stimulus sentences, its corpus; no model needed."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import InputFileError
from workbench.pooled import stored_pooled

if TYPE_CHECKING:
    from workbench.index.read import FeatureIndex
    from workbench.lab import Lab
    from workbench.session.log import LogLine
    from workbench.session.record import SessionRecord
    from workbench.session.state import State


def cut(text: str, most: int) -> str:
    """The beginning of a text that takes at most so many bytes in a reply; a control character takes six."""
    room = most if text[:most].isprintable() else most // 6
    return text.encode("utf-8", "replace")[:room].decode("utf-8", "ignore")


def explanations_of(record: SessionRecord, space: str) -> dict[int, list[dict[str, str]]]:
    """The imported explanations of a space's features, by number, those of the latest import first.

    Returns:
        `{"text", "by", "method", "source"}` of each

    Raises:
        InputFileError: what an import stored is gone or damaged.
    """
    imports = [entry for name, entry in record.state.under("explanations").items() if name.startswith(f"{space}#")]
    found: dict[int, list[dict[str, str]]] = {}
    for entry in sorted(imports, key=lambda entry: -entry.seq):
        path = record.artifact_path(record.line(entry.seq)) / "explanations.json"
        try:
            stamp = path.stat()
            rows = _stored_explanations(path, stamp.st_mtime_ns, stamp.st_ino)
        except (OSError, ValueError) as error:
            raise InputFileError(
                f"the explanations of log line {entry.seq} cannot be read", "Import the file again."
            ) from error
        for index, text, by, method in rows:
            found.setdefault(index, []).append(
                {"text": text, "by": by, "method": method, "source": str(entry.value["file"])}
            )
    return found


@lru_cache(maxsize=8)
def _stored_explanations(path: Path, _changed: int, _inode: int) -> list[tuple[int, str, str, str]]:
    """What one import kept; it stays in memory, because every page of a list asks for it."""
    return [(int(index), str(text), str(by), str(method)) for index, text, by, method in json.loads(path.read_text())]


def label_of(record: SessionRecord, feature: str) -> dict[str, str] | None:
    """The label of a feature, `{"text", "source", "status"}`: the session's own, else an imported one."""
    own = record.state.get(f"labels/{feature}")
    if own is not None:
        return {key: str(own[key]) for key in ("text", "source", "status")}
    space, _, number = feature.rpartition("#")
    imported = explanations_of(record, space).get(int(number))
    if not imported:
        return None
    return {"text": imported[0]["text"], "source": "imported", "status": "published"}


def scores_of(state: State, feature: str, text: str) -> list[dict[str, Any]]:
    """The scores of a label's text, one for each scorer, protocol and kind of negatives, a model's first."""
    found = [one.value for one in state.under(f"label_scores/{feature}").values() if one.value["text"] == text]
    return sorted(found, key=lambda one: (one["scorer"] == "offline", one["protocol"], one["negatives"]))


def labels_by_index(lab: Lab, space: str) -> dict[int, str]:
    """Texts of the labels of a space's features; those given in the session before imported ones."""
    start = space + "#"
    published = {index: found[0]["text"] for index, found in explanations_of(lab.record, space).items()}
    return published | {
        int(name.removeprefix(start)): str(entry.value["text"])
        for name, entry in lab.state.under("labels").items()
        if name.startswith(start) and name.removeprefix(start).isdecimal()
    }


def sentence_lines(lab: Lab, line: LogLine, index: int) -> list[dict[str, Any]]:
    """Each sentence of a ranking's stimuli with the feature's activation on each token.

    Args:
        lab: the session.
        line: the log line of the ranking.
        index: the feature's number in its space.

    Returns:
        `{"category", "tokens", "values", "pooled": the number that was tested, "masked"}` in the order of the design; a
        ranking of an older version did not keep that number, and the mean over the tokens stands for it.

    Raises:
        StorageError, InputFileError: the stored arrays are gone or damaged.
    """
    arrays = lab.arrays(line, "tokens")
    sentences = lab.stored_json(line, "sentences")
    entries = np.flatnonzero(arrays["features"] == index)
    values = np.zeros(len(arrays["pointers"]) - 1)  # (tokens,)
    values[np.searchsorted(arrays["pointers"], entries, side="right") - 1] = arrays["values"][entries]
    tested = stored_pooled(lab, line)
    pooled = None if tested is None else tested.column(index)
    found = []
    for number, sentence in enumerate(sentences):
        row = values[arrays["starts"][number] : arrays["starts"][number + 1]]
        value = (row.mean() if len(row) else 0.0) if pooled is None else pooled[number]
        masked = bool(np.isnan(value))
        found.append(
            {
                "category": sentence["category"],
                "tokens": sentence["tokens"],
                "values": [round(float(value), 4) for value in row],
                "pooled": 0.0 if masked else round(float(value), 5),
                "masked": masked,
            }
        )
    return found


def distinct(windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Windows of a fair sample, each text once, with how many times it was drawn where that is more than once."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for window in windows:
        known = found.setdefault(tuple(window["tokens"]), dict(window, times=0))
        known["times"] += 1
    return [{name: value for name, value in one.items() if name != "times" or value > 1} for one in found.values()]


def on_corpus(found: FeatureIndex, feature: int, examples: int = 20) -> dict[str, Any]:
    """What the index says of one feature; the `corpus` field of `features.show` in docs/wire.md."""
    fired, total = int(found.summary["fired"][feature]), float(found.summary["total"][feature])
    return {
        "name": found.meta["corpus"],
        "tokens": found.meta["tokens"],
        "density": found.density(feature),
        "fired": fired,
        "maximum": round(float(found.summary["maximum"][feature]), 4),
        "mean": round(total / fired, 4) if fired else 0.0,
        "histogram": found.histogram(feature),
        "examples": found.examples(feature, examples),
        "quantiles": [{**part, "examples": distinct(part["examples"])} for part in found.quantiles(feature)],
        "random": distinct(found.random(feature)),
        "moments": found.moments(feature),
        "enriched": found.store.meta["enriched"],
    }
