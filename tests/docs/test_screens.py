"""The how-to of the screens names no key that the app has not, and its pictures are of the app and ask for nothing."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widget import Widget

from screens.app import WorkbenchApp
from screens.keymap import display
from screens.keys import ACTIONS, BINDINGS, TABS
from screens.overlays.help import EVERYWHERE
from screens.pages.page import Page
from screens.picture import PICTURES, offline
from tests.screens.stage import play, press, settle

DOCS = Path(__file__).parents[2] / "docs"
SECTIONS = {
    part.partition("\n")[0]: part.partition("\n")[2]
    for part in re.split(r"^## ", (DOCS / "screens.md").read_text("utf-8"), flags=re.MULTILINE)[1:]
}


STAGES = ("OVER", "INSIDE", "CHOOSING", "PAIRED")
"""What the foot of a page with several parts may name, by part."""


def keys_of(section: str) -> set[str]:
    return {key for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for key in re.findall(r"`(.+?)`", row)}


def bound(bindings: list[object]) -> set[str]:
    return {display(key) for one in bindings if isinstance(one, Binding) for key in one.key.split(",")}


def answered(page: Page) -> set[str]:
    """Keys that the page or a widget in it takes, or that its foot names."""
    widgets: list[Widget] = [page, *page.query("*")]
    taken = {
        key for widget in widgets for kind in type(widget).__mro__ for key in bound(vars(kind).get("BINDINGS", []))
    }
    told = [*page.hints, *(hint for name in STAGES for hint in getattr(page, name, ()))]
    hints = {key for keys, _ in told for key in keys.split()}
    return taken | hints | {ACTIONS[name] for name in page.acts()}


@pytest.fixture(scope="module")
def app_keys() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """By screen: the keys that it answers, and those that its foot names."""
    taken: dict[str, set[str]] = {}
    hinted: dict[str, set[str]] = {}

    async def look(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, *"23459")
        for page in app.pages:
            taken[page.title] = answered(page)
            hinted[page.title] = {key for keys, _ in page.hints for key in keys.split()}

    play(look)
    return taken, hinted


@pytest.fixture
def by_screen(app_keys: tuple[dict[str, set[str]], dict[str, set[str]]]) -> dict[str, set[str]]:
    return app_keys[0]


@pytest.fixture
def at_the_foot(app_keys: tuple[dict[str, set[str]], dict[str, set[str]]]) -> dict[str, set[str]]:
    return app_keys[1]


@pytest.mark.parametrize("place", range(1, 10))
def test_every_screen_has_its_section_without_a_stale_key(place: int, by_screen: dict[str, set[str]]) -> None:
    name = TABS[place - 1]
    named = keys_of(SECTIONS[f"{place} {name}"])
    everywhere = {key for keys, _ in EVERYWHERE for key in keys.split()}
    assert named
    assert named <= by_screen[name] | everywhere


@pytest.mark.parametrize("place", range(1, 10))
def test_every_key_at_the_foot_is_told(place: int, at_the_foot: dict[str, set[str]]) -> None:
    name = TABS[place - 1]
    told = keys_of(SECTIONS[f"{place} {name}"]) | keys_of(SECTIONS["Everywhere"])
    assert at_the_foot[name] <= told


def test_the_keys_of_everywhere_are_the_app_s(by_screen: dict[str, set[str]]) -> None:
    assert keys_of(SECTIONS["Everywhere"]) - {"…", "tab", "up"} <= bound(BINDINGS) | by_screen["Home"]


def test_a_key_that_nothing_takes_would_be_found(by_screen: dict[str, set[str]]) -> None:
    assert not {"Z", "W"} & by_screen["Select"]


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_small_drawings_that_ask_for_nothing(name: str) -> None:
    path = DOCS / "pictures" / f"{name}.svg"
    text = path.read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert len(text) < 150_000
    assert "url(http" not in text and "@import" not in text
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg", "style", "defs", "clipPath", "rect", "text", "g", "circle",
    }  # fmt: skip
    assert "achievement" in "".join(root.itertext())


def test_a_picture_loses_its_fonts() -> None:
    assert offline("<style>@font-face {\n src: url('https://x/y');\n}\n.a { fill: red }</style>") == (
        "<style>\n.a { fill: red }</style>"
    )


def test_hostile_text_in_a_picture_is_text() -> None:
    found: list[str] = []

    async def look(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        app.notify("<script>alert(2)</script>", markup=False)
        await settle(pilot)
        found.append(app.export_screenshot(title="<script>alert(1)</script>"))

    play(look)
    root = ElementTree.fromstring(found[0])
    assert not [element for element in root.iter() if element.tag.endswith("script")]
