"""Building a feature index: one pass over a corpus, shard by shard, for all features of an SAE or site.

A shard is stored once it was read, with its digest; a build that was killed or found the disk full goes on with
the shards that are missing or damaged, and ends with the same bytes.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from workbench.corpus.store import TokenStore
from workbench.digests import file_digest, value_digest
from workbench.errors import InputFileError, storage_error
from workbench.files import write_atomic
from workbench.index import entries
from workbench.index.dense import write_dense
from workbench.index.finish import finish
from workbench.index.making import SHARDS, Elsewhere, ShardMaker, Tick, make_missing, shard_path
from workbench.index.read import FORMAT, META
from workbench.index.shards import shard_bounds

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace

SHOWN_LOGITS = 10
LOGITS_AT_ONCE = 512
"""Features whose direct logits are held at once."""


def build_index(
    model: LoadedModel,
    space: FeatureSpace,
    store: TokenStore,
    folder: Path,
    *,
    tokens: int,
    examples: int,
    about: dict[str, Any],
    tick: Tick,
    elsewhere: Elsewhere | None = None,
) -> dict[str, Any]:
    """Index the first `tokens` tokens of a store and return the index's metadata.

    Args:
        folder: where the index goes; made whole or not at all. What is built so far stands beside it in
            `.building` and is gone on with.
        about: what the index rests on (corpus, seed, digests), kept in its metadata.
        elsewhere: makes the missing shards on other machines; without it they are made here, one by one.

    Raises:
        InputFileError: the corpus is empty.
        MismatchError: the store was made with another tokenizer.
        StorageError: the disk is full; what was read is kept.
    """
    bounds = shard_bounds(store, tokens)
    if not bounds:
        raise InputFileError("the corpus has no text", "Give a corpus with at least one document.")
    building = building_of(folder)
    try:
        (building / SHARDS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    total = bounds[-1][1]
    maker = ShardMaker(model, space, store, total, examples)
    make_missing(maker, building, bounds, elsewhere, tick)
    if maker.sparse:
        counts = write_sparse(model, space, store, building, len(bounds), examples, tick)
    else:
        tick(total, total, "writing the index")
        paths = [shard_path(building, number) for number in range(len(bounds))]
        counts = write_dense(space, store, building, paths, total, examples)
    return seal_and_keep(folder, space, store, bounds, {**about, **counts})


def seal_and_keep(
    folder: Path, space: FeatureSpace, store: TokenStore, bounds: list[tuple[int, int]], about: dict[str, Any]
) -> dict[str, Any]:
    """Write the metadata of what stands in `.building`, and put it in its place.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    building = building_of(folder)
    meta = _seal(building, space, store, bounds, about)
    try:
        shutil.rmtree(building / SHARDS)
        shutil.rmtree(folder, ignore_errors=True)
        building.rename(folder)
    except OSError as error:
        raise storage_error(folder, error) from error
    return meta


def building_of(folder: Path) -> Path:
    """Where an index is while it is built."""
    return folder.with_name(folder.name + ".building")


def write_sparse(
    model: LoadedModel,
    space: FeatureSpace,
    store: TokenStore,
    building: Path,
    shards: int,
    examples: int,
    tick: Tick,
) -> dict[str, Any]:
    """Write the index of stored shards, and give its counts."""
    parts = [entries.read(shard_path(building, number)) for number in range(shards)]
    total = max(part.last for part in parts)
    summary = finish(
        parts,
        store,
        building,
        features=space.width,
        examples=examples,
        extra=logits(model, space),
        tick=lambda done, features: tick(total, total, f"writing the index: {done:,} of {features:,} features"),
    )
    write_directions(space, building)
    fired = summary.arrays["fired"]
    return {"kind": "sparse", "entries": int(fired.sum()), "alive": int((fired > 0).sum())}


def _seal(
    building: Path, space: FeatureSpace, store: TokenStore, bounds: list[tuple[int, int]], about: dict[str, Any]
) -> dict[str, Any]:
    """Write the metadata: what was counted, and the digest of every file."""
    tokens = bounds[-1][1]
    opened = sum(int(np.isin(store.tokens[first:last], store.special).sum()) for first, last in bounds)
    files = sorted(path for path in building.iterdir() if path.is_file() and path.name != META)
    digests = {path.name: file_digest(path) for path in files if not path.name.startswith(".")}
    meta = {
        "format": FORMAT,
        **about,
        "store": store.digest,
        "special": store.special,
        "tokens": tokens,
        "documents": int(store.document_of(np.array([tokens - 1]))[0]) + 1,
        "opened": opened,
        "features": space.width,
        "space": space.name,
        "mean_l0": round(about["entries"] / max(tokens - opened, 1), 3),
        "files": digests,
        "digest": value_digest(digests),
    }
    write_atomic(building / META, json.dumps(meta, indent=1))
    return meta


def logits(model: LoadedModel, space: FeatureSpace) -> dict[str, np.ndarray]:
    """Tokens that each feature's direction makes likelier and unlikelier when read off directly.

    The direct path only: direction times unembedding, centred over the vocabulary; the final layer norm's
    scale, which differs by token, is left out.
    """
    head = model.plain.get_output_embeddings() if model.info.get("causal", True) else None
    if head is None or head.weight.shape[1] != space.directions().shape[1]:
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


def write_directions(space: FeatureSpace, building: Path) -> None:
    """Keep the decoder's unit vectors in half precision, so that neighbours are found without the model.

    Raises:
        StorageError: the disk is full or cannot be written.
    """
    found = space.directions()
    units = found / found.norm(dim=1, keepdim=True).clamp_min(1e-12)
    write_atomic(building / "directions.bin", units.half().numpy().tobytes())
