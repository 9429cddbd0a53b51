"""Reading the rating that a language model gives."""

from __future__ import annotations

import re

# not beside a letter, digit or underscore; no part of a decimal, a fraction or a negative number
_ALONE = re.compile(r"(?<![\w/-])(?<!\d[.,])[0-3](?![\w/])(?![.,]\d)")


def parse_rating(reply: str) -> int | None:
    """The rating 0 to 3 in a reply, or None where it does not give exactly one.

    A rating is a digit that stands alone: no part of a word, of a larger number, of a decimal or a fraction, and not
    negative. Two of them, even the same twice, are no answer: nothing says which is meant.
    """
    found = _ALONE.findall(reply)
    return int(found[0]) if len(found) == 1 else None
