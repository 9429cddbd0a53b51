"""Every kind of terminal: few colours, many or none, light and dark, small and large, inside tmux; and its editor."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from rich.color import ColorSystem
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.keys import SCREENS
from screens.line import editor
from screens.painting.palette import LEVELS, heat
from tests.screens.on_a_pty import TRUE_COLOUR, Terminal
from tests.screens.stage import assert_fits, play, press, text_of

STYLES = re.compile(rb"\x1b\[([0-9;]*)m")
BASIC = re.compile(r"(?:^|;)(?:3[0-7]|4[0-7]|9[0-7]|10[0-7])(?:;|$)")
MODES = {
    "true colour": (TRUE_COLOUR, {"many", "basic"}),
    "256": ({"TERM": "xterm-256color"}, {"many", "basic"}),
    "16": ({"TERM": "xterm"}, {"basic"}),
    "tmux": ({"TERM": "tmux-256color", "TMUX": "/nowhere,1,0"}, {"many", "basic"}),
    "no colour": ({**TRUE_COLOUR, "NO_COLOR": "1"}, set()),
    "light": ({**TRUE_COLOUR, "WORKBENCH_THEME": "light"}, {"many", "basic"}),
}


def kinds(sent: bytes) -> set[str]:
    """Which kinds of colour a screen was sent in."""
    styles = [style.decode() for style in STYLES.findall(sent)]
    found = {"many" for style in styles if "38;5;" in style or "48;5;" in style}
    found |= {"own" for style in styles if "38;2;" in style or "48;2;" in style}
    return found | {"basic" for style in styles if BASIC.search(re.sub(r"[34]8;5;\d+", "", style))}


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_feature_in_heat_on_a_pty(mode: str) -> None:
    environment, expected = MODES[mode]
    with Terminal(100, 30, environment=environment) as terminal:
        terminal.read_until(b"example")  # the sessions are listed
        terminal.type("3")
        terminal.read_until(b"discoveries")
        terminal.type("\r")
        sent = terminal.read_until(b"heat ")
        assert kinds(sent) == expected


@pytest.mark.parametrize("dark", [True, False])
@pytest.mark.parametrize("few", [True, False])
def test_all_levels_differ_and_none_needs_colour_alone(dark: bool, few: bool) -> None:
    system = ColorSystem.STANDARD if few else ColorSystem.EIGHT_BIT
    levels = [level for level in range(-LEVELS, LEVELS + 1) if level]
    codes = {heat(level, dark, few=few)._make_ansi_codes(system) for level in levels}
    assert len(codes) == len(levels)
    signs = {(level > 0, heat(level, dark, few=few).italic) for level in levels}
    assert signs == {(True, False), (False, True)}, "the sign is told by slant as well"


def test_faint_levels_do_not_vanish_on_a_ground_of_16_colours() -> None:
    """Levels 1 and 2 colour the text and leave the ground; no text has the ground's own colour."""
    for dark in (True, False):
        for level in (-2, -1, 1, 2):
            style = heat(level, dark, few=True)
            assert style.bgcolor is None
            assert style.color is not None
            assert style.color.name not in (("black", "blue") if dark else ("white", "yellow", "bright_yellow"))


@pytest.mark.parametrize("size", [(80, 24), (300, 80)])
def test_every_screen_fits_the_smallest_and_the_largest_terminal(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        for screen in sorted(SCREENS):
            app.visit(screen)
            await pilot.pause()
            assert_fits(app)
        for key in ("p", "question_mark"):
            await press(pilot, key)
            assert_fits(app)
            await press(pilot, "escape")

    play(scenario, size=size)


def test_a_terminal_of_40_by_12_shows_the_sessions_and_cuts_no_help() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        assert "› demo" in text_of(app)
        await press(pilot, "question_mark")
        assert "…" not in "".join(text_of(app).split("\n")[1:9])
        await press(pilot, "escape", "3", "w")
        assert "definition  score: Welch's t: the\n" in text_of(app)
        app.start_tour()
        await pilot.pause()
        assert "…" not in "".join(text_of(app).split("\n")[1:9])

    play(scenario, size=(40, 12))


# --- the editor


def test_without_an_editor_e_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.delenv("VISUAL", raising=False)

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "9", "e")
        assert "no editor is set: export EDITOR=vim" in text_of(app)

    play(scenario, size=(120, 24))


@pytest.mark.parametrize(("words", "said"), [("'unclosed", "$EDITOR cannot be read"), ("x", "'x' could not be run")])
def test_an_editor_that_does_not_work_is_named(monkeypatch: pytest.MonkeyPatch, words: str, said: str) -> None:
    monkeypatch.setenv("VISUAL", words)

    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "9", "e")
        assert said in text_of(app)

    play(scenario, size=(120, 24))


@pytest.mark.slow
@pytest.mark.parametrize(("script", "said"), [
    ('head -3 "$1" > {seen}; echo "written there" > "$1"', b":session.note 'written there'"),
    ("exit 3", b"ended with 3: nothing was taken over"),
    (": > \"$1\"", b"nothing was written"),
])  # fmt: skip
def test_e_hands_the_terminal_to_the_editor_and_takes_the_note_over(tmp_path: Path, script: str, said: bytes) -> None:
    seen, program = tmp_path / "seen", tmp_path / "edit"
    program.write_text(f"#!/bin/sh\n{script.format(seen=seen)}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    with Terminal(120, 30, environment={**TRUE_COLOUR, "EDITOR": str(program)}) as terminal:
        terminal.read_until(b"example")
        terminal.type("9")
        terminal.read_until(b"copy the line")
        terminal.type("e")
        sent = terminal.read_until(said)
        assert b"\x1b[?1049l" in sent, "the app did not step aside"
        assert sent.rindex(b"\x1b[?1049h") > sent.index(b"\x1b[?1049l"), "and did not come back"
    assert not seen.exists() or editor.CUT in seen.read_text() or not seen.read_text().strip()
