"""Console blocks of a page: what is typed, and which parts of the output the page quotes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LEFT_OUT = "..."
NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
TOLERANCE = 0.02
"""Relative; a page is read on machines whose arithmetic differs in the last digits."""


@dataclass
class Step:
    """A command, and the lines quoted of its output."""

    command: str
    quoted: list[str] = field(default_factory=list)


def steps(page: str) -> list[Step]:
    """The commands of all console blocks, in order."""
    found: list[Step] = []
    for block in BLOCK.findall(page):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append(Step(line[2:]))
            elif line.strip() and line.strip() != LEFT_OUT:
                found[-1].quoted.append(line)
    return found


def missing(quoted: list[str], output: str) -> list[str]:
    """The quoted lines that the output does not have, each after the one before it."""
    lines, lost = output.splitlines(), []
    at = 0
    for line in quoted:
        place = next((place for place in range(at, len(lines)) if says(line, lines[place])), None)
        if place is None:
            lost.append(line)
        else:
            at = place + 1
    return lost


def says(quoted: str, shown: str) -> bool:
    """Whether a line of output is the quoted one: words alike, numbers close, a trailing `...` for any rest."""
    wanted, there = quoted.split(), shown.split()
    if wanted[-1] == LEFT_OUT:
        wanted = wanted[:-1]
        there = there[: len(wanted)]
    return len(wanted) == len(there) and all(map(_same, wanted, there))


def _same(wanted: str, there: str) -> bool:
    """Words with numbers in them differ in nothing else, and in these by little."""
    if NUMBER.sub("0", wanted) != NUMBER.sub("0", there):
        return False
    pairs = zip(NUMBER.findall(wanted), NUMBER.findall(there), strict=True)
    return all(a == b or ("." in a and _close(a, b)) for a, b in pairs)


def _close(a: str, b: str) -> bool:
    """Within the tolerance, or within two units of the last place shown."""
    places = len(a.partition("e")[0].partition(".")[2])
    one, other = (float(text.replace(",", "")) for text in (a, b))
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=2.1 * 10.0**-places)
