"""The bytes that each token id stands for, all of them in one file.

Bytes and not text: a letter outside ASCII may be spread over several tokens, and only their bytes joined are
the document again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
from typing_extensions import override

from workbench.models.vocabulary import BYTES

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")


class Pieces(Sequence[str]):
    """The text of each token id; bytes that are only a part of a character are shown as `<0xE2>`.

    Args:
        folder: where `pieces.bin` and `pieces_at.bin` are.
    """

    def __init__(self, folder: Path) -> None:
        self._at: list[int] = np.fromfile(folder / "pieces_at.bin", dtype="<i8").tolist()
        self._raw = (folder / "pieces.bin").read_bytes()
        self._texts: dict[int, str] = {}
        """Texts that were asked for; a window shows few of the tokens, an export each of them thousands of times."""

    def __len__(self) -> int:
        return len(self._at) - 1

    @overload
    def __getitem__(self, token: int) -> str: ...

    @overload
    def __getitem__(self, token: slice) -> list[str]: ...

    @override
    def __getitem__(self, token: int | slice) -> str | list[str]:
        if isinstance(token, slice):
            return [_shown(self.raw(number)) for number in range(len(self))[token]]
        known = self._texts.get(token)
        if known is None:
            known = self._texts[token] = _shown(self.raw(token))
        return known

    def raw(self, token: int) -> bytes:
        """The bytes of one token.

        Raises:
            IndexError: no such id.
        """
        if not 0 <= token < len(self):
            raise IndexError(token)
        return self._raw[self._at[token] : self._at[token + 1]]


def _shown(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(f"<0x{byte:02X}>" for byte in raw)


def write_form(pieces: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The contents of `pieces.bin` and of `pieces_at.bin`."""
    at = np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype("<i8")
    return b"".join(pieces), at.tobytes()


def vocabulary_bytes(tokenizer: Any, size: int) -> list[bytes]:
    """What each of `size` ids stands for inside a sentence, its leading space included."""
    if _is_byte_level(tokenizer):
        special = {int(token): str(text) for token, text in _added(tokenizer).items()}
        names = tokenizer.convert_ids_to_tokens(list(range(min(size, len(tokenizer)))))
        found = [_from_alphabet(name, special.get(token)) for token, name in enumerate(names)]
        return found + [b""] * (size - len(found))
    return _decoded(tokenizer, size)


def _added(tokenizer: Any) -> dict[int, Any]:
    return dict(getattr(tokenizer, "added_tokens_decoder", {}))


def _is_byte_level(tokenizer: Any) -> bool:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return backend is not None and "ByteLevel" in repr(backend.decoder)


def _from_alphabet(name: str | None, added: str | None) -> bytes:
    if name is None:
        return b""
    if added is not None or any(letter not in BYTES for letter in name):
        return (added or name).encode("utf-8", "replace")
    return bytes(BYTES[letter] for letter in name)


def _decoded(tokenizer: Any, size: int) -> list[bytes]:
    """By decoding each id after an ordinary one, so that a leading space shows."""
    anchor = tokenizer("a", add_special_tokens=False)["input_ids"][-1:]
    before = tokenizer.decode(anchor)
    known = min(size, len(tokenizer))
    texts = tokenizer.batch_decode([[*anchor, token] for token in range(known)])
    names = tokenizer.convert_ids_to_tokens(list(range(known)))
    found = []
    for text, name in zip(texts, names, strict=True):
        byte = _BYTE.fullmatch(name or "")
        part = text[len(before) :] if text.startswith(before) else text
        found.append(bytes([int(byte[1], 16)]) if byte else part.encode("utf-8", "replace"))
    return found + [b""] * (size - known)
