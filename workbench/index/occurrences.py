"""Published occurrence arrays as an index: what a model and an SAE did on a corpus, recorded by somebody else.

The four arrays are those of Engels et al., "Not All Language Model Features Are One-Dimensionally Linear"
(2024): for each non-zero its activation (`sparse_sae_values`), its feature (`sparse_sae_indices`) and its place
in the corpus (`all_token_indices`), and the token at each place (`all_tokens`). They are read from the archive in
blocks, as plain numbers: an array of Python objects is refused, never unpickled.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy

from workbench.corpus.store import BUILDING, STARTS, TOKENS, TokenStore, corpora, find_recipe, give_name, keep_store
from workbench.digests import file_digest, value_digest
from workbench.errors import InputFileError, MismatchError, storage_error
from workbench.index import entries
from workbench.index.build import building_of, seal_and_keep, write_sparse
from workbench.index.making import SHARDS, shard_path
from workbench.index.read import FORMAT, open_index
from workbench.index.shards import shard_bounds

if TYPE_CHECKING:
    from workbench.corpus.tokenizing import StoreTokenizer
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace

VALUES, FEATURES, PLACES, CORPUS = "sparse_sae_values", "sparse_sae_indices", "all_token_indices", "all_tokens"
BLOCK = 1 << 20
"""Numbers read at a time."""


@dataclass(frozen=True)
class Occurrences:
    """An archive of occurrence arrays.

    Attributes:
        path: the `.npz` file.
        digest: of its bytes.
        lengths: of each array.
        named: the path by which the user named the file, where it lies elsewhere now.
    """

    path: Path
    digest: str
    lengths: dict[str, int]
    named: str = ""

    @property
    def name(self) -> str:
        """What to call its corpus."""
        return Path(self.named or self.path).stem[:64].strip("-._") or "occurrences"

    @classmethod
    def open(cls, file: str, named: str = "") -> Occurrences:
        """Look at the headers.

        Raises:
            InputFileError: the file is no such archive, or its arrays do not fit together.
        """
        path = Path(file).expanduser()
        try:
            digest = file_digest(path)
        except OSError as error:
            raise InputFileError(f"{path} cannot be read ({error.strerror})", "Check the path.") from error
        lengths = {name: _length(path, name) for name in (VALUES, FEATURES, PLACES, CORPUS)}
        if len({lengths[name] for name in (VALUES, FEATURES, PLACES)}) != 1:
            raise InputFileError(f"{path} has arrays of unequal length ({lengths})", "Get a sound copy of it.")
        return cls(path, digest, lengths, named)

    def blocks(self, *names: str) -> Iterator[tuple[np.ndarray, ...]]:
        """Blocks of arrays side by side.

        Raises:
            InputFileError: an array ends early.
        """
        with zipfile.ZipFile(self.path) as archive:
            files = [archive.open(f"{name}.npy") for name in names]
            try:
                kinds = [_header(file, self.path, name)[0] for file, name in zip(files, names, strict=True)]
                left = self.lengths[names[0]]
                while left:
                    size = min(left, BLOCK)
                    yield tuple(_numbers(*parts, size, self.path) for parts in zip(files, kinds, names, strict=True))
                    left -= size
            except (OSError, zipfile.BadZipFile) as error:
                raise InputFileError(f"{self.path} is damaged ({error})", "Get a sound copy of it.") from error
            finally:
                for file in files:
                    file.close()


def _length(path: Path, name: str) -> int:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
            return _header(file, path, name)[1]
    except KeyError as error:
        raise InputFileError(
            f"{path} has no array {name!r}", f"It needs {VALUES}, {FEATURES}, {PLACES}, {CORPUS}."
        ) from error
    except (OSError, zipfile.BadZipFile) as error:
        raise InputFileError(f"{path} is no .npz archive ({error})", "Save it with numpy.savez.") from error


def _header(file: IO[bytes], path: Path, name: str) -> tuple[np.dtype[Any], int]:
    try:
        version = npy.read_magic(file)
        shape, _, kind = npy.read_array_header_1_0(file) if version == (1, 0) else npy.read_array_header_2_0(file)
    except ValueError as error:
        raise InputFileError(f"{name} in {path} is no array ({error})", "Get a sound copy of it.") from error
    if kind.hasobject or kind.kind not in "iuf":
        raise InputFileError(f"{name} in {path} holds {kind}, not numbers", "Save it again as numbers.")
    length = 1
    for size in shape:
        length *= int(size)
    return kind, length


def _numbers(file: IO[bytes], kind: np.dtype[Any], name: str, size: int, path: Path) -> np.ndarray:
    raw = file.read(size * kind.itemsize)
    if len(raw) != size * kind.itemsize:
        raise InputFileError(f"{name} in {path} ends early", "Get a sound copy of it.")
    return np.frombuffer(raw, dtype=kind)


def import_occurrences(
    source: Occurrences,
    model: LoadedModel,
    space: FeatureSpace,
    tokenizer: StoreTokenizer,
    home: Path,
    *,
    name: str,
    context: int,
    examples: int,
    tick: Callable[[int, int, str], None],
) -> tuple[TokenStore, str, dict[str, Any]]:
    """The corpus and the index of an archive: found in the cache, or made.

    Args:
        context: tokens of a document; 0 for documents that begin at the tokenizer's BOS.

    Returns:
        The store, the key of the index, its metadata.

    Raises:
        InputFileError: arrays that contradict each other; the message says where.
        MismatchError: a token or a feature that the loaded model or SAE does not have.
        StorageError: the disk is full or cannot be written.
    """
    store = _corpus(source, tokenizer, home, name, context)
    give_name(home, name, store.digest)
    about = {
        "format": FORMAT,
        "model": model.info["digest"],
        "sae": space.info["digest"] or space.name,
        "corpus": name,
        "imported": source.digest,
        "store": store.digest,
        "asked": source.lengths[CORPUS],
        "examples": examples,
    }
    key = value_digest(about).removeprefix("sha256:")[:32]
    if (found := open_index(home, {"key": key})) is not None:
        return store, key, found.meta
    folder = home / "index" / key
    building = building_of(folder)
    try:
        (building / SHARDS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    bounds = shard_bounds(store, len(store.tokens))
    try:
        _shards(source, space, bounds, building, tick)
        counts = write_sparse(model, space, store, building, len(bounds), examples, tick)
        meta = seal_and_keep(folder, space, store, bounds, {**about, **counts})
    except InputFileError:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return store, key, meta


def _corpus(source: Occurrences, tokenizer: StoreTokenizer, home: Path, name: str, context: int) -> TokenStore:
    recipe = value_digest({"occurrences": source.digest, "tokenizer": tokenizer.digest, "context": context})[7:39]
    if (found := find_recipe(home, recipe)) is not None:
        return found
    folder = corpora(home) / BUILDING / recipe
    special = np.array(tokenizer.special)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        starts, seen = [0], 0
        with (folder / TOKENS).open("wb") as file:
            for (block,) in source.blocks(CORPUS):
                _known(block, tokenizer.size, "token", CORPUS, source)
                file.write(block.astype("<i4").tobytes())
                begins = seen + np.flatnonzero(np.isin(block, special)) if not context else ()
                starts += [int(place) for place in begins if place]
                seen += len(block)
        starts = [*(starts if not context else range(0, seen, context)), seen]
        (folder / STARTS).write_bytes(np.array(starts, "<i8").tobytes())
    except OSError as error:
        raise storage_error(folder, error) from error
    meta = {
        "name": name,
        **{"documents": len(starts) - 1, "tokens": seen, "empty": 0, "cut": 0, "repaired": 0},
        "tokenizer": tokenizer.digest,
        "special": tokenizer.special,
        "max_tokens": 0,
        "source": {"ref": source.path.name, "occurrences": source.digest},
        "recipes": [recipe],
        "enriched": None,
    }
    if not seen:
        raise InputFileError(f"{source.path} has no tokens", "Get a whole copy of it.")
    return keep_store(home, folder, tokenizer.pieces, meta)


def _known(block: np.ndarray, size: int, what: str, name: str, source: Occurrences) -> None:
    wrong = (block < 0) | (block >= size)
    if wrong.any():
        raise MismatchError(
            f"{name} in {source.path} has {what} {block[wrong][0]}, the loaded one has {size}",
            "Load the model and SAE with which it was made.",
        )


def _shards(
    source: Occurrences,
    space: FeatureSpace,
    bounds: list[tuple[int, int]],
    building: Path,
    tick: Callable[[int, int, str], None],
) -> None:
    """Cut the occurrences, which stand in the order of the corpus, into shards."""
    number, held, last = 0, _none(), -1
    total = source.lengths[CORPUS]
    for values, features, places in source.blocks(VALUES, FEATURES, PLACES):
        tick(max(last, 0), total, "reading the occurrences")
        kept = values != 0  # the arrays are padded with zeros at the end
        values, features, places = values[kept], features[kept], places[kept].astype(np.int64)
        _known(features, space.width, "feature", FEATURES, source)
        _known(places, total, "place", PLACES, source)
        if not np.isfinite(values).all():
            raise InputFileError(f"{VALUES} in {source.path} has NaN or infinite numbers", "Get a sound copy of it.")
        if len(places) and (places[0] < last or (np.diff(places) < 0).any()):
            raise InputFileError(f"{PLACES} in {source.path} is not ascending", "Sort the three arrays by it.")
        last = int(places[-1]) if len(places) else last
        held = tuple(np.concatenate(pair) for pair in zip(held, (places, features, values), strict=True))
        while number < len(bounds) - 1 and last >= bounds[number][1]:
            held = _write_shard(held, bounds[number], shard_path(building, number), space.width)
            number += 1
    for rest in range(number, len(bounds)):
        held = _write_shard(held, bounds[rest], shard_path(building, rest), space.width)


def _none() -> tuple[np.ndarray, ...]:
    return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float64)


def _write_shard(
    held: tuple[np.ndarray, ...], bound: tuple[int, int], path: Path, width: int
) -> tuple[np.ndarray, ...]:
    """Store the occurrences of one shard and give back what lies beyond it."""
    cut = int(np.searchsorted(held[0], bound[1]))
    places, features, values = (array[:cut] for array in held)
    made = entries.entries_of(
        *bound, width, (places - bound[0]).astype(np.int32), features.astype(np.int32), values.astype(np.float32)
    )
    entries.write(path, made)
    return tuple(array[cut:] for array in held)
