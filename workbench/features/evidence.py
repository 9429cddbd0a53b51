"""What stored results say about one feature: its labels, its stimulus sentences, its corpus; no model needed."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import InputFileError
from workbench.features.pooled import stored_pooled
from workbench.kept import Kept

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
    found: dict[int, list[dict[str, str]]] = {}
    for imported in _imports(record, space):
        for index in imported.rows:
            found.setdefault(index, []).extend(imported.told(index))
    return found


def explanations_of_one(record: SessionRecord, feature: str) -> list[dict[str, str]]:
    """The imported explanations of one feature, as `explanations_of` has them; those of others are not looked at."""
    space, _, number = feature.rpartition("#")
    return [told for imported in _imports(record, space) for told in imported.told(int(number))]


@dataclass(frozen=True)
class _Import:
    """What one import of explanations kept.

    Attributes:
        rows: (text, by whom, method) of each explanation, by the feature's number.
        first: the text of each feature's first one.
        file: where they were read from.
    """

    rows: dict[int, list[tuple[str, str, str]]]
    first: dict[int, str]
    file: str

    def told(self, index: int) -> list[dict[str, str]]:
        """What it says of a feature."""
        rows = self.rows.get(index, ())
        return [{"text": text, "by": by, "method": method, "source": self.file} for text, by, method in rows]


def _imports(record: SessionRecord, space: str) -> list[_Import]:
    """The imports of explanations of a space, the latest first."""
    entries = [entry for name, entry in record.state.under("explanations").items() if name.startswith(f"{space}#")]
    found = []
    for entry in sorted(entries, key=lambda entry: -entry.seq):
        path = record.artifact_path(record.line(entry.seq)) / "explanations.json"
        try:
            stamp = path.stat()
            rows, first = _stored_explanations(path, stamp.st_mtime_ns, stamp.st_ino)
        except (OSError, ValueError) as error:
            raise InputFileError(
                f"the explanations of log line {entry.seq} cannot be read", "Import the file again."
            ) from error
        found.append(_Import(rows, first, str(entry.value["file"])))
    return found


@lru_cache(maxsize=8)
def _stored_explanations(
    path: Path, _changed: int, _inode: int
) -> tuple[dict[int, list[tuple[str, str, str]]], dict[int, str]]:
    """What one import kept, and each feature's first text; in memory, because every page of a list asks for it."""
    rows: dict[int, list[tuple[str, str, str]]] = {}
    for index, text, by, method in json.loads(path.read_text()):
        rows.setdefault(int(index), []).append((str(text), str(by), str(method)))
    return rows, {index: told[0][0] for index, told in rows.items()}


def label_of(record: SessionRecord, feature: str) -> dict[str, str] | None:
    """The label of a feature, `{"text", "source", "status"}`: the session's own, else an imported one."""
    own = record.state.get(f"labels/{feature}")
    if own is not None:
        return {key: str(own[key]) for key in ("text", "source", "status")}
    imported = explanations_of_one(record, feature)
    if not imported:
        return None
    return {"text": imported[0]["text"], "source": "imported", "status": "published"}


def scores_of(state: State, feature: str, text: str) -> list[dict[str, Any]]:
    """The scores of a label's text, one for each scorer, protocol and kind of negatives, a model's first."""
    found = [one.value for one in state.under(f"label_scores/{feature}").values() if one.value["text"] == text]
    return sorted(found, key=lambda one: (one["scorer"] == "offline", one["protocol"], one["negatives"]))


def labels_by_index(lab: Lab, space: str) -> Mapping[int, str]:
    """Texts of the labels of a space's features; those given in the session before imported ones.

    Nothing is copied: a page of a list looks up its own features among as many labels as an SAE has features.
    """
    start = space + "#"
    own = {
        int(name.removeprefix(start)): str(entry.value["text"])
        for name, entry in lab.state.under("labels").items()
        if name.startswith(start) and name.removeprefix(start).isdecimal()
    }
    return ChainMap(own, *(imported.first for imported in _imports(lab.record, space)))


def labelled_with(labels: Mapping[int, str], wanted: str) -> set[int]:
    """Features of which the label contains a text in lower case."""
    found: set[int] = set()
    layers = labels.maps if isinstance(labels, ChainMap) else [labels]
    for layer in reversed(layers):  # looked up one by one, as many labels as an SAE has features take ten times longer
        telling = {index for index, text in layer.items() if wanted in text.casefold()}
        found = (found - layer.keys()) | telling
    return found


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
    lab.uses.add(line.seq)
    path = lab.record.artifact_path(line) / "tokens.safetensors"
    known = _SENTENCES.get(path, lambda: _Sentences(lab, line))
    values = known.values(index)
    pooled = None if known.pooled is None else known.pooled.column(index)
    found = []
    for number, sentence in enumerate(known.sentences):
        row = values[known.starts[number] : known.starts[number + 1]]
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


class _Sentences:
    """The sentences of a ranking with every feature's activations on their tokens, to be asked feature by feature."""

    def __init__(self, lab: Lab, line: LogLine) -> None:
        arrays = lab.arrays(line, "tokens")
        self.sentences: list[dict[str, Any]] = lab.stored_json(line, "sentences")
        self.pooled = stored_pooled(lab, line)
        self.starts: list[int] = arrays["starts"].tolist()
        order = np.argsort(arrays["features"], kind="stable")
        self._features = arrays["features"][order]
        self._values = arrays["values"][order]
        self._tokens = np.repeat(np.arange(len(arrays["pointers"]) - 1), np.diff(arrays["pointers"]))[order]
        self._total = len(arrays["pointers"]) - 1

    def values(self, feature: int) -> np.ndarray:
        """(tokens,) the activations of a feature, one sentence after the other."""
        low, high = np.searchsorted(self._features, [feature, feature + 1])
        values = np.zeros(self._total)
        values[self._tokens[low:high]] = self._values[low:high]
        return values


_SENTENCES = Kept[_Sentences](2)


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
