"""Explanations that others published of a SAE's features: Neuronpedia's exports and feature JSON, and plain lists.

A file is JSON (a list of objects, an object with `explanations` or `features`, or number: text) or JSONL, also
packed with gzip. What it says of the model and the SAE is kept, so that it can be held against those loaded.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from workbench.corpus.tokenizing import sound
from workbench.errors import InputFileError
from workbench.not_utf8 import not_utf8

MOST_BYTES = 512 << 20
"""Bytes of a file when unpacked."""
LETTERS = 500
"""Letters of an explanation that are kept, as many as of a label."""
_INDEX = ("index", "feature_index", "featureIndex", "feature", "latent", "neuron")
_TEXT = ("description", "explanation", "text", "label")
_BY = ("explanationModelName", "explanation_model", "by")
_METHOD = ("typeName", "method")
_MODEL = ("modelId", "model_id", "model")
_LAYER = ("layer", "saeId", "sae_id", "source_set", "space")
_PACKED = b"\x1f\x8b"


@dataclass(frozen=True)
class Explanation:
    """One explanation as a file gives it.

    Attributes:
        index: the feature's number.
        text: what it says.
        by: the model or person that wrote it, or "".
        method: how it was made, or "".
        model: the model that the file names, or "".
        layer: the layer or SAE that it names, or "".
    """

    index: int
    text: str
    by: str
    method: str
    model: str
    layer: str


def read_explanations(content: bytes, name: str) -> list[Explanation]:
    """The explanations of a file, those without text too.

    Args:
        content: its bytes.
        name: what to call it in messages.

    Raises:
        InputFileError: it is no JSON, damaged, too large, or holds no explanation.
    """
    text = _text(content, name)
    found = [one for row, where in _objects(text, name) for one in _of_object(row, where, {})]
    if not found:
        raise InputFileError(
            f"{name} holds no explanation", "Each needs a feature's number (`index`) and a text (`description`)."
        )
    return found


def _text(content: bytes, name: str) -> str:
    raw = _unpacked(content, name) if content.startswith(_PACKED) else content
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise not_utf8(name, [raw]) from error


def _unpacked(content: bytes, name: str) -> bytes:
    """The content of a gzip file, of several members too, as far as it may be read into memory."""
    parts, size = [], 0
    while content:
        unpack = zlib.decompressobj(31)
        try:
            part = unpack.decompress(content, MOST_BYTES - size + 1)
        except zlib.error as error:
            raise InputFileError(f"{name} cannot be unpacked ({error})", "Check that the file is whole.") from error
        size += len(part)
        if size > MOST_BYTES:
            raise InputFileError(f"{name} has over {MOST_BYTES >> 20} MiB when unpacked", "Split the file.")
        if not unpack.eof:
            raise InputFileError(f"{name} ends in the middle of its packing", "Check that the file is whole.")
        parts.append(part)
        content = unpack.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _objects(text: str, name: str) -> Iterator[tuple[Any, str]]:
    """The JSON values of a file: one, or one a line."""
    try:
        yield json.loads(text), name
        return
    except RecursionError as error:
        raise InputFileError(f"{name} is nested too deeply", "Give a list of objects.") from error
    except ValueError as error:
        reason = error
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if len(lines) < 2:
        raise InputFileError(f"{name} is no JSON ({reason})", "Give JSON or JSONL.")
    for number, line in lines:
        where = f"line {number} of {name}"
        try:
            yield json.loads(line), where
        except (ValueError, RecursionError) as error:
            raise InputFileError(f"{where} is no JSON ({line.strip()[:60]!r})", "Mend or remove it.") from error


def _of_object(row: Any, where: str, around: dict[str, Any]) -> Iterator[Explanation]:
    """The explanations of a JSON value; `around` is what an object about several of them says of all."""
    if isinstance(row, list):
        for number, one in enumerate(row, start=1):
            yield from _of_object(one, f"entry {number} of {where}", around)
        return
    if not isinstance(row, dict):
        raise InputFileError(f"{where} is no object ({str(row)[:60]!r})", "Give objects with `index`, `description`.")
    for key in ("features", "explanations"):
        if isinstance(inner := row.get(key), list):
            about = {**around, **{name: value for name, value in row.items() if not isinstance(value, (list, dict))}}
            yield from _of_object(inner, f"`{key}` of {where}", about)
            return
    if row and all(name.isascii() and name.isdigit() and isinstance(value, str) for name, value in row.items()):
        for name, value in row.items():
            yield _explanation({"index": name, "text": value}, where, around)
        return
    yield _explanation(row, where, around)


def _explanation(row: dict[str, Any], where: str, around: dict[str, Any]) -> Explanation:
    if not any(name in row for name in _TEXT):
        raise InputFileError(
            f"{where} has no description (it has {', '.join(sorted(row)[:8]) or 'nothing'})",
            "Each explanation needs a text as `description`.",
        )
    number = _first(row, _INDEX) or _first(around, _INDEX)
    digits = number.rpartition("#")[2]
    if not (digits.isascii() and digits.isdigit() and len(digits) < 12):
        raise InputFileError(f"{where} has {number!r} as the feature's number", "Give it as `index`.")
    both = {**around, **row}
    text = " ".join(sound(_first(row, _TEXT)).split())
    return Explanation(
        int(digits),
        text if len(text) <= LETTERS else text[: LETTERS - 1] + "…",
        *(_short(_first(both, names)) for names in (_BY, _METHOD, _MODEL, _LAYER)),
    )


def _first(row: dict[str, Any], names: tuple[str, ...]) -> str:
    """The first of the named values that is a text or a number, as text."""
    for name in names:
        value = row.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool):
            return str(value)
    return ""


def _short(text: str) -> str:
    return sound(text)[:100]


def bound_to(explanation: Explanation, space: str, site: str, neuronpedia: str) -> str:
    """What binds an explanation to a feature space: `sae`, `layer`, `no` where the file names neither, or `` if other.

    Args:
        space: the space's name, MODEL/SITE/SAE.
        site: such as `blocks.8.hook_resid_pre`.
        neuronpedia: the SAE's id there, MODEL/LAYER-NAME, or "".
    """
    model, layer = explanation.model, explanation.layer
    if not layer:
        return "no"
    if layer == space or f"{model}/{layer}" in (space, neuronpedia):
        return "sae"
    if neuronpedia:
        known_model, _, known_layer = neuronpedia.partition("/")
        return "sae" if layer == known_layer and model in ("", known_model) else ""
    ours, theirs = re.search(r"\d+", site), re.match(r"\d+(?=\D|$)", layer) or re.search(r"(?<=blocks\.)\d+", layer)
    return "layer" if ours is not None and theirs is not None and int(ours[0]) == int(theirs[0]) else ""
