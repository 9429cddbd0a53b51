"""The parts without a screen: heat levels, glyphs, the trail, completion, the clipboard."""

from __future__ import annotations

from pathlib import Path

import pytest

from screens import clipboard
from screens.line.completion import candidates, completed, explanation, listed
from screens.painting.glyphs import columns, signed_bar
from screens.painting.palette import LEVELS, heat, level_of
from screens.places.trail import Place, Trail
from screens.select.ranking_text import contrast_row, distrust


def test_levels_start_above_zero_and_end_at_the_maximum() -> None:
    assert [level_of(value, 8.0) for value in (0.0, 0.001, 1.0, 1.001, 8.0, 9.0, -8.0)] == [0, 1, 1, 2, 8, 8, -8]


def test_heat_differs_without_colour() -> None:
    styles = {str(heat(level, color=False)) for level in (0, 2, 5, 8)}
    assert len(styles) == 4
    assert all(heat(level, color=False).color is None for level in range(-LEVELS, LEVELS + 1))


def test_an_sae_that_was_not_looked_at_is_not_called_unsound() -> None:
    told = ["SAE not checked: it was loaded before there was a gate", "SAE gate failed: dead: 80 % are"]
    said = ["".join(text for text, _ in distrust({"passed": False, "text": text})) for text in told]
    assert said == [" · SAE not checked", " · SAE not sound"]
    assert distrust(None) == distrust({"passed": True, "text": ""}) == []


def test_zero_is_unstyled() -> None:
    assert not heat(0)


@pytest.mark.parametrize("value", [None, 0.0, 0.3, -0.3, 1.0, -1.0, 5.0])
def test_signed_bar_keeps_its_width_and_middle(value: float | None) -> None:
    shown = signed_bar(value, 1.0, 9)
    assert len(shown) == 9
    assert shown[4] == "│"
    if value:
        assert (shown[5] != " ") == (value > 0)


def test_histogram_shows_every_bin_that_counts() -> None:
    lines = columns([1000, 1, 0], 3, 4)
    assert len(lines) == 4
    assert lines[-1][1] != " "
    assert lines[-1][2] == " "


def test_trail_goes_back_and_forward_and_forgets_what_lay_forward() -> None:
    trail = Trail(Place("home"))
    trail.visit(Place("select"))
    trail.visit(Place("feature", "#1"))
    assert trail.step(-1) == Place("select")
    assert trail.step(1) == Place("feature", "#1")
    trail.step(-1)
    trail.visit(Place("labels"))
    assert trail.step(1) is None
    assert trail.step(-1) == Place("select")


@pytest.mark.parametrize("places", [None, "x", [], [["nowhere", ""]], [1, 2]])
def test_a_damaged_trail_is_ignored(places: object) -> None:
    assert Trail.from_view(places, 0, frozenset(("home",))) is None


def test_a_file_is_completed_where_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    for name in ("negation.csv", "negation-two.csv", "with blank.csv", ".hidden"):
        (tmp_path / "sets" / name).write_text("")
    line = f"stimuli.import {tmp_path}"
    assert completed(f"{line}/se", {}) == f"{line}/sets/", "a folder is gone into"
    assert completed(f"{line}/sets/n", {}) == f"{line}/sets/negation"
    assert completed(f"{line}/sets/negation.", {}) == f"{line}/sets/negation.csv "
    assert listed(f"{line}/sets/n", {}) == "negation-two.csv  negation.csv"
    assert candidates(f"{line}/sets/", {}) == [f"{tmp_path}/sets/negation-two.csv", f"{tmp_path}/sets/negation.csv"]
    assert candidates(f"{line}/sets/.", {}) == [f"{tmp_path}/sets/.hidden"]
    assert completed(f"stimuli.import file={tmp_path}/sets/negation.", {}).endswith(
        "file=" + f"{tmp_path}/sets/negation.csv "
    )
    assert candidates(f"{line}/none/x", {}) == []
    assert candidates(f"features.show {tmp_path}/se", {}) == [], "no file is read there"


def test_completion_knows_verbs_parameters_and_values() -> None:
    known = {"stimuli": ["achievement", "weekdays"]}
    assert completed("features.con", known) == "features.contrast "
    assert candidates("features.contrast we", known) == ["weekdays"]
    assert completed("features.contrast weekdays perm", known) == "features.contrast weekdays permutations="
    assert candidates("features.contrast weekdays pool=m", known) == ["pool=mean", "pool=max"]
    assert "stimuli" in explanation("features.contrast wee")
    assert explanation("corpus.import x", "box").startswith("source (paths are of box): ")
    assert explanation("stimuli.import x", "box").startswith("file (read here, sent along): ")
    assert explanation("corpus.import x") == explanation("corpus.import x", "box").replace(" (paths are of box)", "")


def test_copy_inside_tmux_goes_through_tmux(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    monkeypatch.setenv("TMUX", "/tmp/x,1,0")
    monkeypatch.setattr(clipboard, "_to_tmux", lambda text: bool(taken.append(text)) or True)
    assert clipboard.copy("abc", taken.append).endswith("via tmux")
    assert taken == ["abc"]


def test_copy_outside_tmux_goes_through_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "OSC 52" in clipboard.copy("abc", taken.append)
    assert taken == ["abc"]


@pytest.mark.parametrize(("term", "text"), [("dumb", "abc"), ("xterm", "x" * 80_000)])
def test_copy_falls_back_to_a_file(monkeypatch: pytest.MonkeyPatch, term: str, text: str) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("TERM", term)
    told = clipboard.copy(text, lambda _: pytest.fail("not for this terminal"))
    path = Path(told.rpartition(" ")[2])
    assert path.read_text() == text
    path.unlink()


def test_a_small_effect_size_is_read_in_its_narrow_column() -> None:
    row = {"feature": "m/s#7", "rank": 1, "tie": False, "effect": -0.5, "d": -0.0912, "auc": None, "score": 18.0,
           "p": None, "q": None, "p_fwer": None, "label": "", "status": "ok"}  # fmt: skip
    shown = {d: contrast_row({**row, "d": d}, 0.05, 1.0).cells[3] for d in (-0.0912, 0.04, 0.5, -3.21, 0.0, None)}
    assert list(shown.values()) == ["-0.09", "+0.04", "+0.5", "-3.2", "+0.0", "–"]
