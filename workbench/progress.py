"""The running numbers of a job as one line of text, and back: `loss 12.3  L0 16.0`.

Progress travels as text, which the shell and the Jobs screen show as it is; a program that reads the JSON lines of
`--json` gets the numbers themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

WAITING = "waiting behind"
"""How the text of a job begins that waits for another one; it is said once, and not again until that one ends."""
_PAIR = re.compile(r"(?:^|  )([A-Za-z][A-Za-z0-9/_]*) (-?\d[\d.]*(?:e[+-]?\d+)?)(?=  |$)")


def numbers_text(numbers: Mapping[str, float | int]) -> str:
    """Names and numbers in one line, two spaces between pairs; floats with four digits."""
    return "  ".join(f"{name} {value if isinstance(value, int) else f'{value:.4g}'}" for name, value in numbers.items())


def read_numbers(text: str) -> dict[str, float]:
    """The numbers of a line that `numbers_text` wrote; what else stands in it is passed over."""
    return {name: float(value) for name, value in _PAIR.findall(text)}
