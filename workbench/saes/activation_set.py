"""Activation sets: the activations of a corpus at a site, on disk in shards, recorded once and read shuffled.

A set is named by what it holds (model, site, corpus, number of tokens, number format). Its shards are written one
after the other, each whole or not at all, and each says where the reading of the corpus stood: a recording that was
killed goes on after its last shard and ends with the same bytes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from workbench.corpus.source import Corpus
from workbench.digests import value_digest
from workbench.errors import InputFileError, StorageError, UsageError, WorkbenchError, storage_error
from workbench.files import write_atomic
from workbench.models.site import Site

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel

Tick = Callable[[int, int, str], None]
FORMAT = 1
SHARD_BYTES = 32 << 20
"""Bytes of a full shard."""
BATCH = 64
"""Stretches of text read by the model at a time."""
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
META = "set.json"


@dataclass(frozen=True)
class SetRecipe:
    """All that decides what an activation set holds.

    Attributes:
        model: digest of the model's files, or its name where there is none.
        site: where the activations are read.
        corpus: digest of the corpus.
        tokens: rows wanted; a shorter corpus gives fewer.
        width: units of the site.
        dtype: number format of the rows on disk.
        special: whether special tokens (BOS, CLS, ...) are kept; SAEs are trained without.
        context: tokens of the longest stretch the model reads; longer documents are read in several.
    """

    model: str
    site: str
    corpus: str
    tokens: int
    width: int
    dtype: str = "float32"
    special: bool = False
    context: int = 0

    @property
    def key(self) -> str:
        """The name of the set's folder."""
        return value_digest({"format": FORMAT, **asdict(self)}).removeprefix("sha256:")[:32]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row on disk."""
        return self.width * DTYPES[self.dtype].itemsize

    @property
    def bytes(self) -> int:
        """Bytes of all rows on disk."""
        return self.tokens * self.row_bytes

    @property
    def shard_rows(self) -> int:
        """Rows of a full shard."""
        return max(1, SHARD_BYTES // self.row_bytes)


@dataclass(frozen=True)
class _Stretch:
    """What the model reads at once: a document, or a part of a long one."""

    document: int
    part: int
    ids: list[int]
    keep: list[bool]


@dataclass(frozen=True)
class _Place:
    """Where the reading of a corpus stands: the first stretch of a batch, and how many of its rows are stored.

    `ended` says that the last row was stored, whether or not there are as many as were asked for.
    """

    document: int = 0
    part: int = 0
    rows: int = 0
    ended: bool = False


@dataclass
class ActivationSet:
    """A whole set on disk.

    Attributes:
        folder: where it is.
        recipe: what it holds.
        shards: rows of each shard.
    """

    folder: Path
    recipe: SetRecipe
    shards: tuple[int, ...]

    @property
    def rows(self) -> int:
        """How many activations there are."""
        return sum(self.shards)

    @property
    def digest(self) -> str:
        """The digest by which a recipe names the set."""
        return self.recipe.key

    def read(self, first: int, last: int) -> Tensor:
        """Rows first..last in the order of the corpus, (rows, width) float32."""
        found, start = [], 0
        for number, rows in enumerate(self.shards):
            if start < last and first < start + rows:
                inside = slice(max(first - start, 0), min(last - start, rows))
                found.append(load_shard(self.folder, number)[inside].float())
            start += rows
        return torch.cat(found) if found else torch.zeros(0, self.recipe.width)


def record(
    model: LoadedModel, site: Site, corpus: Corpus, recipe: SetRecipe, home: Path, tick: Tick
) -> tuple[ActivationSet, list[str]]:
    """The set of a recipe: found on disk, gone on with, or recorded from the start; and what to tell of it.

    Args:
        home: `WORKBENCH_HOME`; the set goes to `activations/` in it.

    Raises:
        InputFileError: the corpus has no token to keep.
        StorageError: the disk has no room for the set, or cannot be written.
        WorkbenchError: an activation is no number, or does not fit the number format.
    """
    folder = home / "activations" / recipe.key
    if (found := open_set(folder, recipe)) is not None:
        return found, []
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    writer = _Writer(folder, recipe, *_resume(folder))
    _need_room(folder, recipe.bytes - writer.written * recipe.row_bytes)
    reading = _Reading(model, site, corpus, recipe, writer.place)
    for rows, before, taken in () if writer.full else reading.batches():
        tick(writer.rows, recipe.tokens, f"recording {recipe.site} ({recipe.bytes / 1e6:,.0f} MB on disk)")
        writer.add(rows, before, taken)
        if writer.full:
            break
    shards = writer.finish()
    if not sum(shards):
        raise InputFileError(f"the corpus {corpus.name!r} has no token", "Give a corpus with text.")
    body = {"format": FORMAT, "recipe": asdict(recipe), "shards": list(shards)}
    write_atomic(folder / META, json.dumps(body, indent=1) + "\n")
    told, model.portions.notices = model.portions.notices, []
    return ActivationSet(folder, recipe, shards), told


def open_set(folder: Path, recipe: SetRecipe) -> ActivationSet | None:
    """The set in a folder, or None where it is not whole."""
    try:
        meta = json.loads((folder / META).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    shards = tuple(int(rows) for rows in meta["shards"])
    if not all(_shard(folder, number).exists() for number in range(len(shards))):
        return None
    return ActivationSet(folder, recipe, shards)


def _shard(folder: Path, number: int) -> Path:
    return folder / f"shard-{number:05d}.safetensors"


def load_shard(folder: Path, number: int) -> Tensor:
    """Rows of a shard in their stored format.

    Raises:
        InputFileError: the shard is gone or damaged.
    """
    path = _shard(folder, number)
    try:
        with safe_open(path, framework="pt") as file:
            rows: Tensor = file.get_tensor("rows")
            return rows
    except (OSError, SafetensorError) as error:
        raise InputFileError(f"{path} cannot be read ({error})", f"Remove {folder} and repeat.") from error


def _resume(folder: Path) -> tuple[list[int], _Place]:
    """Rows of the whole shards that a killed recording left, and where it stood after the last of them."""
    _drop_temporaries(folder)
    shards: list[int] = []
    place = _Place()
    while _shard(folder, len(shards)).exists():
        try:
            with safe_open(_shard(folder, len(shards)), framework="pt") as file:
                told = file.metadata() or {}
                shards.append(int(file.get_slice("rows").get_shape()[0]))
                place = _Place(**json.loads(told["place"]))
        except (OSError, SafetensorError, KeyError, ValueError):
            break  # damaged: it and all after it are made again
    return shards, place


def _drop_temporaries(folder: Path) -> None:
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)


def _need_room(folder: Path, wanted: int) -> None:
    """Refuse at once what cannot fit, rather than after an hour.

    Raises:
        StorageError: the disk has less free space than the set needs.
    """
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise StorageError(
            f"the activations need {wanted / 1e6:,.0f} MB, {folder} has {free / 1e6:,.0f} MB free",
            "Take fewer --tokens, a shorter --dtype, or set WORKBENCH_HOME to a larger disk.",
        )


@dataclass
class _Writer:
    """Collects rows and writes them shard by shard.

    A shard ends within a batch of the reading; `place` says which, so that a later run can read that batch again.
    """

    folder: Path
    recipe: SetRecipe
    shards: list[int]
    place: _Place
    held: list[Tensor] = field(default_factory=list)
    written: int = 0
    rows: int = 0

    def __post_init__(self) -> None:
        self.written = self.rows = sum(self.shards)

    @property
    def full(self) -> bool:
        """Whether nothing more is wanted, or nothing more is there."""
        return self.rows >= self.recipe.tokens or self.place.ended

    def add(self, rows: Tensor, before: _Place, taken: int) -> None:
        """Take rows of a batch that began at `before`, of which `taken` rows were stored by an earlier run."""
        first, last = taken, min(len(rows), taken + self.recipe.tokens - self.rows)
        while first < last:
            room = self.recipe.shard_rows - (self.rows - self.written)
            piece = rows[first : min(last, first + room)]
            self.held.append(piece)
            self.rows += len(piece)
            first += len(piece)
            if self.rows - self.written == self.recipe.shard_rows:
                self._write(_Place(before.document, before.part, first))

    def _write(self, place: _Place) -> None:
        rows = torch.cat(self.held)
        target = _shard(self.folder, len(self.shards))
        write_atomic(target, save({"rows": rows}, metadata={"place": json.dumps(asdict(place))}))
        self.shards.append(len(rows))
        self.held, self.written = [], self.rows

    def finish(self) -> tuple[int, ...]:
        """Write what is left, and give the rows of each shard."""
        if self.held:
            self._write(_Place(ended=True))
        return tuple(self.shards)


@dataclass
class _Reading:
    """Reads a corpus through the model from a place on."""

    model: LoadedModel
    site: Site
    corpus: Corpus
    recipe: SetRecipe
    start: _Place

    def batches(self) -> Iterator[tuple[Tensor, _Place, int]]:
        """Rows of each batch, where the batch began, and how many of its rows are stored already."""
        stream, skip = self._stretches(), self.start.rows
        while batch := list(islice(stream, BATCH)):
            yield self._rows(batch), _Place(batch[0].document, batch[0].part), skip
            skip = 0

    def _stretches(self) -> Iterator[_Stretch]:
        texts = self.corpus.documents(self.start.document)
        number = self.start.document
        while chunk := list(islice(texts, BATCH)):
            encoded = self.model.tokenizer(chunk, return_special_tokens_mask=True)
            for ids, special in zip(encoded["input_ids"], encoded["special_tokens_mask"], strict=True):
                for part, (piece, flags) in enumerate(_cut(ids, special, self.recipe.context)):
                    if number > self.start.document or part >= self.start.part:
                        yield _Stretch(number, part, piece, [self.recipe.special or not flag for flag in flags])
                number += 1

    def _rows(self, batch: Sequence[_Stretch]) -> Tensor:
        """Activations of the kept tokens, (rows, width) in the number format of the set, on the CPU."""
        ids, mask = self.model.pad([stretch.ids for stretch in batch])
        acts = self.model.read_ids(ids, mask, self.site)  # (batch, tokens, width)
        keep = torch.zeros(mask.shape, dtype=torch.bool)
        for row, stretch in enumerate(batch):
            keep[row, : len(stretch.keep)] = torch.tensor(stretch.keep, dtype=torch.bool)
        found = acts[keep.to(acts.device)].cpu()
        rows = found.to(DTYPES[self.recipe.dtype])
        if not bool(torch.isfinite(rows).all()):
            raise _no_numbers(found, self.recipe)
        return rows.contiguous()


def _no_numbers(found: Tensor, recipe: SetRecipe) -> WorkbenchError:
    if bool(torch.isfinite(found).all()):
        largest = float(found.float().abs().max())
        return UsageError(
            f"{recipe.site} has activations of {largest:.3g}, too large for {recipe.dtype}", "Use --dtype bfloat16."
        )
    return WorkbenchError(f"the model gives NaN or infinite activations at {recipe.site}", "Load it in float32.")


def _cut(ids: Sequence[int], special: Sequence[int], context: int) -> Iterator[tuple[list[int], list[bool]]]:
    """A document's ids in stretches that fit the context, each with the special tokens in front and at the end."""
    first = next((at for at, flag in enumerate(special) if not flag), len(ids))
    last = next((at for at in range(len(ids), 0, -1) if not special[at - 1]), first)
    front, body, end = list(ids[:first]), list(ids[first:last]), list(ids[last:])
    room = max(1, context - len(front) - len(end))
    for at in range(0, len(body), room):
        inside = body[at : at + room]
        flags = [True] * len(front) + [bool(flag) for flag in special[first + at : first + at + len(inside)]]
        yield [*front, *inside, *end], [*flags, *([True] * len(end))]


def read_rows(model: LoadedModel, site: Site, corpus: Corpus, recipe: SetRecipe) -> Iterator[Tensor]:
    """Rows of one batch of texts after the other, (rows, width), as `record` would store them."""
    reading = _Reading(model, site, corpus, recipe, _Place())
    return (rows for rows, _, _ in reading.batches())
