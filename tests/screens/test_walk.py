"""Every screen on the recorded demo session, at three sizes: the facts that must be readable, and goldens."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.painting.text import chance, number, short_id
from screens.select.ranking_text import COLUMNS
from tests.screens.stage import assert_fits, assert_golden, play, press, reply_to, text_of, type_line

SIZES = ((80, 24), (120, 40), (200, 60))
ranking = reply_to("features.list", offset=0, direction="both", sort="score", filter="")
first = ranking["rows"][0]
shown = reply_to("features.show", feature=first["feature"])


def has(app: WorkbenchApp, *facts: str) -> None:
    text = text_of(app)
    for fact in facts:
        assert fact in text, f"{fact!r} is not readable in\n{text}"


def hint_line(app: WorkbenchApp) -> str:
    return text_of(app).split("\n")[-1]


@pytest.mark.parametrize("size", SIZES)
def test_home(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        has(app, "1 Home", "9 Log", "› demo", "demo/blocks.1.hook_resid_post/sae", "connected")
        assert hint_line(app).startswith("enter open  n new session  d demo")
        assert_fits(app)
        assert_golden(app, "home")

    play(scenario, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_stimuli(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "2")
        sentence = reply_to("stimuli.show", set="achievement")["rows"][0]["text"]
        has(app, "› achievement", "positive: achievement", "1 of 100", sentence[:40])
        assert "c contrast" in hint_line(app)
        assert_fits(app)
        assert_golden(app, "stimuli")

    play(scenario, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_select(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3")
        row = next(line for line in text_of(app).split("\n") if line.startswith("› "))
        for fact in (short_id(first["feature"]), number(first["effect"], sign=True), chance(first["p"]),
                     chance(first["q"]), chance(first["p_fwer"])):  # fmt: skip
            assert fact in row
        head = ranking["ranking"]
        has(
            app, f"{head['discoveries']} discoveries", f"max {head['null_discoveries_max']}", f"1 of {ranking['total']}"
        )
        has(app, "achievement against all others", "1,000 permutations")
        assert hint_line(app).startswith("enter feature  l label  s steer")
        assert ("-log10 q" in text_of(app)) == (size[0] >= 120)
        fixed = sum(column.width for column in COLUMNS) + len(COLUMNS) - 1 + 2
        assert size[0] < 120 or app.query_one("#ranking").size.width - fixed >= 24  # for the labels
        assert_fits(app)
        assert_golden(app, "select")

    play(scenario, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_feature(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter")
        test, corpus = shown["test"], shown["corpus"]
        has(app, shown["feature"], f"q {chance(test['q'])}", f"effect {number(test['effect'], sign=True)}")
        has(app, f"rank {test['rank']}", f"max {number(corpus['maximum'])}", "promotes", "suppresses", "log count")
        line = shown["stimuli"]["lines"][0]
        peak = max(line["values"])
        has(app, f"{number(peak)} · heat ", f"of {number(shown['stimuli']['maximum'])}")
        assert hint_line(app).startswith("J K next, previous  tab pane  l label  T tag  n note  s steer")
        assert_fits(app)
        assert_golden(app, "feature")
        await press(pilot, "v", "tab")
        example = corpus["examples"][0]
        has(app, f"doc {example['document']}", f"{number(max(example['values']))} · heat")
        assert_fits(app)
        assert_golden(app, "feature-corpus")

    play(scenario, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_steering(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "s")
        has(app, "stimuli=achievement strength=1")
        await press(pilot, "enter")
        steered = reply_to("steer.clamp")
        has(app, "control", "strength 0.50", "up", "down", "KL", f"clamped to {number(steered['value'])}")
        assert_fits(app)
        assert_golden(app, "steering")

    play(scenario, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_clusters(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "5")
        listed = reply_to("clusters.list")
        has(app, f"{listed['total']} clusters", "nearest by decoder cosine")
        assert_fits(app)
        assert_golden(app, "clusters")
        await press(pilot, "enter")
        has(app, "cluster 0:", short_id(reply_to("clusters.show")["features"][0]["feature"]), "density")
        assert_golden(app, "cluster")
        await press(pilot, "escape")
        has(app, f"{listed['total']} clusters")

    play(scenario, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_labels(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "7")
        has(app, "things that went well", "investigator", "by words")
        assert "a suggest" in hint_line(app)
        assert_fits(app)
        assert_golden(app, "labels")

    play(scenario, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_jobs(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "8")
        has(app, "running", "42%", "waiting", "failed", "done", ":index.build tokens=2000000")
        assert hint_line(app).startswith("x cancel")
        assert_fits(app)
        assert_golden(app, "jobs")

    play(scenario, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_log(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "9")
        has(app, ":model.load demo", ":sae.load demo", ":features.contrast achievement", ":clusters.find")
        assert "y copy the line" in hint_line(app)
        assert_fits(app)

    play(scenario, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_command_list_and_help(size: tuple[int, int]) -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "p")
        has(app, "session.new", "model.load", "Choose the language model")
        assert_golden(app, "commands")
        await press(pilot, "slash")
        await type_line(pilot, "replay")
        has(app, "replay")
        await press(pilot, "escape", "3", "question_mark")
        has(app, "Select", "family-wise", "esc back")
        assert_fits(app)

    play(scenario, size=size)
