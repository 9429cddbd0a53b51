"""Links between the pages lead somewhere, and the commands that pages name are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from commands.registry import VERBS, groups

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ALONE = {name for name in VERBS if "." not in name}
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there), target


@pages
def test_commands_are_there(page: Path) -> None:
    for group, verb in re.findall(r"`workbench ([a-z]+) ([a-z]+)\b", page.read_text("utf-8")):
        assert group in ALONE or f"{group}.{verb}" in VERBS, f"workbench {group} {verb}"
        assert group in ALONE or group in groups()
