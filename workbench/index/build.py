"""One pass over a corpus for all features: non-zeros on disk, exact counts, histograms, top windows, logits.

The pass holds one batch of documents in memory; what grows with the corpus is appended to files.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from safetensors.numpy import save

from workbench.digests import file_digest, value_digest
from workbench.errors import InputFileError, UsageError, storage_error
from workbench.files import write_atomic
from workbench.index.read import ARRAYS, EDGES, FORMAT, HISTOGRAM_BINS
from workbench.models.vocabulary import token_texts

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace

Tick = Callable[[int, int, str], None]
SHOWN_LOGITS = 10
BATCH = 64
LOGITS_AT_ONCE = 512
"""Features whose direct logits are held at once."""


@dataclass
class Totals:
    """Running exact statistics of every feature."""

    features: int
    examples: int
    fired: np.ndarray = field(init=False)
    total: np.ndarray = field(init=False)
    maximum: np.ndarray = field(init=False)
    histogram: np.ndarray = field(init=False)
    best: np.ndarray = field(init=False)
    document: np.ndarray = field(init=False)
    position: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.fired = np.zeros(self.features, dtype=np.int64)
        self.total = np.zeros(self.features, dtype=np.float64)
        self.maximum = np.zeros(self.features, dtype=np.float32)
        self.histogram = np.zeros((self.features, HISTOGRAM_BINS), dtype=np.int64)
        self.best = np.zeros((self.examples, self.features), dtype=np.float32)
        self.document = np.full((self.examples, self.features), -1, dtype=np.int64)
        self.position = np.zeros((self.examples, self.features), dtype=np.int64)

    @property
    def bytes(self) -> int:
        """Bytes of all of them."""
        return sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))

    def add_entries(self, features: np.ndarray, values: np.ndarray) -> None:
        """Count the non-zeros of one batch: both (entries,)."""
        size = self.features
        self.fired += np.bincount(features, minlength=size)
        self.total += np.bincount(features, weights=values, minlength=size)
        np.maximum.at(self.maximum, features, values)
        bins = np.clip(np.searchsorted(EDGES, values, side="right") - 1, 0, HISTOGRAM_BINS - 1)
        flat = features.astype(np.int64) * HISTOGRAM_BINS + bins
        self.histogram += np.bincount(flat, minlength=size * HISTOGRAM_BINS).reshape(size, HISTOGRAM_BINS)

    def add_peaks(self, values: np.ndarray, positions: np.ndarray, documents: np.ndarray) -> None:
        """Keep the strongest documents of each feature: values, positions (batch, features), documents (batch,).

        One window for each document, so that one repetitive document cannot fill the list. Ties keep the
        earlier document, so that the result does not depend on how the corpus is cut into batches.
        """
        rows = np.broadcast_to(documents[:, None], values.shape)
        values = np.concatenate([self.best, values])  # (examples + batch, features)
        rows = np.concatenate([self.document, rows])
        positions = np.concatenate([self.position, positions])
        order = np.argsort(-values, axis=0, kind="stable")[: self.examples]
        self.best = np.take_along_axis(values, order, axis=0)
        self.document = np.where(self.best > 0, np.take_along_axis(rows, order, axis=0), -1)
        self.position = np.take_along_axis(positions, order, axis=0)


class Files(Protocol):
    """What takes the arrays that grow with the corpus."""

    def append(self, name: str, values: np.ndarray) -> None:
        """Add to one array."""


class _Files:
    """The arrays that grow with the corpus, appended batch by batch."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # unbuffered: what does not fit on the disk shows when it is written, not when the file is closed
        self._open = {name: (folder / f"{name}.bin").open("wb", buffering=0) for name in ARRAYS}

    def append(self, name: str, values: np.ndarray) -> None:
        """Add to one array; its type is fixed."""
        rest = memoryview(np.ascontiguousarray(values, dtype=ARRAYS[name]).tobytes())
        try:
            while rest:
                rest = rest[self._open[name].write(rest) :]
        except OSError as error:
            raise storage_error(self._folder, error) from error

    def close(self) -> None:
        """Finish all files."""
        for file in self._open.values():
            file.close()


def build_index(
    model: LoadedModel,
    space: FeatureSpace,
    documents: Iterable[str],
    folder: Path,
    *,
    tokens: int,
    examples: int,
    about: dict[str, Any],
    tick: Tick,
) -> dict[str, Any]:
    """Index the first `tokens` tokens of the documents and return the index's metadata.

    Args:
        folder: where the index goes; made whole or not at all.
        about: what the index rests on (corpus, seed, digests), kept in its metadata.

    Raises:
        UsageError: the features are raw units, which are dense.
        InputFileError: the corpus is empty.
        StorageError: the disk is full.
    """
    need_latents(space)
    building = folder.with_name(folder.name + ".building")
    shutil.rmtree(building, ignore_errors=True)
    try:
        building.mkdir(parents=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    try:
        meta = _fill(model, space, documents, building, tokens, examples, about, tick)
        shutil.rmtree(folder, ignore_errors=True)
        building.rename(folder)
    except OSError as error:
        raise storage_error(folder, error) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return meta


def need_latents(space: FeatureSpace) -> None:
    """Refuse raw units.

    Raises:
        UsageError: they are dense.
    """
    if space.info["units"] != "latents":
        raise UsageError("raw units cannot be indexed (every unit is active on every token)", "Load an SAE first.")


def _fill(
    model: LoadedModel,
    space: FeatureSpace,
    documents: Iterable[str],
    folder: Path,
    tokens: int,
    examples: int,
    about: dict[str, Any],
    tick: Tick,
) -> dict[str, Any]:
    totals = Totals(space.width, examples)
    files = _Files(folder)
    seen, number, entries, special = 0, 0, 0, 0
    opening = set(model.tokenizer.all_special_ids)
    try:
        files.append("starts", np.array([0]))
        files.append("pointers", np.array([0]))
        for texts in batches(documents):
            if seen >= tokens:
                break
            tick(min(seen, tokens), tokens, "reading the corpus")
            ids = [row[: model.context] for row in model.tokenizer(texts)["input_ids"]]
            ids = cut(ids, tokens - seen)
            lengths, added = add_batch(model, space, ids, number, entries, totals, files)
            files.append("tokens", np.concatenate([np.array(row) for row in ids]))
            files.append("starts", seen + np.cumsum(lengths))
            seen, number, entries = seen + int(lengths.sum()), number + len(ids), entries + added
            special += sum(len(row) > 0 and row[0] in opening for row in ids)
    finally:
        files.close()
    if seen == 0:
        raise InputFileError("the corpus has no text", "Give a corpus with at least one document.")
    tick(tokens, tokens, "writing the index")
    counts = {"tokens": seen, "documents": number, "entries": entries, "opened": special}
    return _finish(model, space, totals, folder, {**about, **counts})


def batches(documents: Iterable[str]) -> Iterator[list[str]]:
    """The documents, as many together as are read at once."""
    stream = iter(documents)
    while batch := list(islice(stream, BATCH)):
        yield batch


def cut(ids: list[list[int]], budget: int) -> list[list[int]]:
    """The documents that fit into the token budget; the last one is cut."""
    kept: list[list[int]] = []
    for row in ids:
        if budget <= 0:
            break
        kept.append(row[:budget])
        budget -= len(kept[-1])
    return kept


def add_batch(
    model: LoadedModel,
    space: FeatureSpace,
    ids: list[list[int]],
    first: int,
    entries: int,
    totals: Totals,
    files: Files,
) -> tuple[np.ndarray, int]:
    """Read a batch of documents: the lengths of their ids (batch,), and how many non-zeros they have."""
    padded, mask = model.pad(ids)
    encoded = space.encode(model.read_ids(padded, mask, space.site)).cpu()  # (batch, tokens, features)
    keep = mask.cpu().bool() & ~_special(model, padded.cpu())
    encoded *= keep[:, :, None]
    peaks, positions = encoded.max(dim=1)  # (batch, features) each
    totals.add_peaks(peaks.numpy(), positions.numpy(), np.arange(first, first + len(ids)))
    flat = encoded[mask.cpu().bool()]  # (tokens of the batch, features), padding out
    rows, columns = torch.nonzero(flat, as_tuple=True)
    values = flat[rows, columns].numpy()
    features = columns.numpy()
    totals.add_entries(features, values)
    files.append("features", features)
    files.append("values", values)
    files.append("pointers", entries + np.cumsum(torch.bincount(rows, minlength=flat.shape[0]).numpy()))
    return np.array([len(row) for row in ids], dtype=np.int64), len(values)


def _special(model: LoadedModel, ids: Tensor) -> Tensor:
    special = torch.tensor(sorted(model.tokenizer.all_special_ids), dtype=ids.dtype)
    return torch.isin(ids, special)


def _finish(
    model: LoadedModel, space: FeatureSpace, totals: Totals, folder: Path, about: dict[str, Any]
) -> dict[str, Any]:
    write_atomic(
        folder / "summary.safetensors",
        save(
            {
                "fired": totals.fired,
                "total": totals.total,
                "maximum": totals.maximum,
                "histogram": totals.histogram,
                "best": np.ascontiguousarray(totals.best.T),  # (features, examples)
                "document": np.ascontiguousarray(totals.document.T),
                "position": np.ascontiguousarray(totals.position.T),
                **_logits(model, space),
            }
        ),
    )
    pieces = token_texts(model.tokenizer, range(int(model.info["vocabulary"])))
    write_atomic(folder / "pieces.json", json.dumps(pieces, ensure_ascii=True))
    meta = {
        "format": FORMAT,
        **about,
        "features": space.width,
        "space": space.name,
        "alive": int((totals.fired > 0).sum()),
        "mean_l0": round(float(totals.fired.sum()) / max(about["tokens"] - about["opened"], 1), 3),
        "digest": value_digest({path.name: file_digest(path) for path in sorted(folder.iterdir())}),
    }
    write_atomic(folder / "meta.json", json.dumps(meta, indent=1))
    return meta


def _logits(model: LoadedModel, space: FeatureSpace) -> dict[str, np.ndarray]:
    """Tokens that each feature's direction makes likelier and unlikelier when read off directly.

    The direct path only: direction times unembedding, centred over the vocabulary; the final layer norm's
    scale, which differs by token, is left out.
    """
    head = model.plain.get_output_embeddings() if model.info.get("causal", True) else None
    if head is None:
        return {}
    unembed = head.weight.detach().float().cpu()  # (vocabulary, units)
    unembed = unembed - unembed.mean(dim=0)
    kinds: dict[str, list[Tensor]] = {"up_ids": [], "up_values": [], "down_ids": [], "down_values": []}
    for directions in torch.split(space.directions(), LOGITS_AT_ONCE):
        scores = directions @ unembed.T  # (features, vocabulary)
        up, down = scores.topk(SHOWN_LOGITS), (-scores).topk(SHOWN_LOGITS)
        for name, part in zip(kinds, (up.indices, up.values, down.indices, -down.values), strict=True):
            kinds[name].append(part)
    return {name: torch.cat(parts).numpy() for name, parts in kinds.items()}
