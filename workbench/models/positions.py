"""Which tokens of a prompt an intervention changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.models.tokens import TokenizedText

_PLACES = re.compile(r"-?\d+(,-?\d+)*", re.ASCII)


def chosen_tokens(positions: str, text: TokenizedText) -> list[bool]:
    """For each id of the text, special tokens included, whether it is chosen.

    Args:
        positions: `all` text tokens, the `last`, their numbers from 0 such as `0,3,-1` (BOS is not counted), or
            a stretch of the text whose tokens are meant wherever it stands; in double quotes where it could be
            read as one of the others.

    Raises:
        UsageError: the text has no such token.
    """
    places = [place for place, keep in enumerate(text.is_text) if keep]
    wanted = positions.strip()
    if wanted == "all":
        return list(text.is_text)
    if wanted == "last":
        chosen = {places[-1]}
    elif _PLACES.fullmatch(wanted):
        chosen = {_place(int(number), places, text) for number in wanted.split(",")}
    else:
        chosen = _stretches(wanted[1:-1] if re.fullmatch('".+"', wanted) else wanted, places, text)
    return [place in chosen for place in range(len(text.ids))]


def _place(number: int, places: list[int], text: TokenizedText) -> int:
    if not -len(places) <= number < len(places):
        raise UsageError(
            f"position {number} is not in {_text(text)!r}", f"Its tokens are numbered 0 to {len(places) - 1}."
        )
    return places[number]


def _stretches(wanted: str, places: list[int], text: TokenizedText) -> set[int]:
    """Places of the runs of tokens that spell the words, spaces around them aside."""
    found: set[int] = set()
    for first in range(len(places)):
        for last in range(first + 1, len(places) + 1):
            run = "".join(text.pieces[place] for place in places[first:last])
            if run.strip() == wanted.strip() and text.pieces[places[first]].strip():
                found.update(places[first:last])
            if len(run.strip()) >= len(wanted.strip()):
                break
    if not wanted.strip() or not found:
        shown = " ".join(f"{place}:{piece.strip()}" for place, piece in enumerate(text.text_pieces))
        raise UsageError(f"no token {wanted!r} in {_text(text)!r}", f"Its tokens are {shown[:200]}.")
    return found


def _text(text: TokenizedText) -> str:
    return "".join(text.text_pieces)[:60]
