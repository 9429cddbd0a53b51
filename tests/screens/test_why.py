"""`w` says where a number comes from, over the screen, and goes away with esc."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from screens.app import WorkbenchApp
from screens.overlays.why import why_cells
from screens.widgets.lines import cell_text
from tests.screens.stage import assert_fits, play, press, recorded, reply_to, text_of, type_line
from workbench.engine.fake import FakeEngine

TOP = reply_to("features.list", offset=0, direction="both", sort="score", filter="")["rows"][0]["feature"]
EDGES, COUNTS = [0.0, 1.0, 2.0, 3.0, 4.0], [60, 30, 9, 1]


def answer(**changes: Any) -> dict[str, Any]:
    """A result of `features.why`, in the shape of docs/wire.md."""
    null = {"edges": EDGES, "counts": COUNTS, "infinite": 0, "observed": 2.5, "largest": 3.9, "draws": 100,
            "exceeding": 4, "exhaustive": False, "p": 5 / 101}  # fmt: skip
    test = {"rank": 2, "feature": TOP, "index": 7, "score": -2.5, "effect": -0.2, "d": -0.5, "p": 5 / 101,
            "p_fwer": 0.9, "q": 0.2, "auc": 0.31, "rate_difference": -0.4, "status": "ok", "label": "x\x1b[31m",
            "tie": False}  # fmt: skip
    body = {
        "feature": TOP, "index": 7, "ranking": {"tested": 330}, "test": test, "definition": "score: Welch's t " * 12,
        "n": {"positive": 50, "rest": 49, "masked": 1, "pairs": None}, "null": null,
        "tail": {"source": "900 of 33,000 draws are as large: 0.027"}, "line": "features.contrast achievement",
        "provenance": {"model": {"ref": "demo", "digest": "sha256:" + "a" * 64}, "seed": 0, "version": "0.1.0"},
    }  # fmt: skip
    return {**body, **changes}


def engine() -> FakeEngine:
    known = [exchange for exchange in recorded() if exchange["do"] != "features.why"]
    params = {"feature": TOP, "ranking": None, "bins": 40}
    reply = {"command": "features.why", "params": params, "result": answer(), "artifact": None, "seconds": 0.1,
             "provenance": {}, "warnings": [], "session": "demo", "figures": []}  # fmt: skip
    return FakeEngine([*known, {"do": "features.why", "params": params, "session": "demo", "reply": reply}])


def test_w_shows_the_null_over_select_and_esc_goes_back() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "w")
        shown = text_of(app)
        assert "(4 + 1) / (100 + 1)" in shown
        assert "◄ here" in shown
        assert "50 positive, 49 others, 1 masked" in shown
        assert ":features.contrast achievement" in shown
        assert_fits(app)
        assert app.page.copyable() == ":features.contrast achievement"
        await press(pilot, "escape")
        assert app.over == ""
        assert app.trail.here.screen == "select"

    for size in ((80, 24), (120, 40), (200, 60)):
        play(scenario, size=size, engine=engine())


def test_w_on_a_feature_and_a_line_do_the_same() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "3", "enter", "w")
        assert app.over == "why"
        await press(pilot, "escape")
        assert app.trail.here.screen == "feature"
        await press(pilot, "colon")
        await type_line(pilot, f"features.why '{TOP}'")
        assert app.over == "why"

    play(scenario, engine=engine())


def test_w_says_where_it_works() -> None:
    async def scenario(app: WorkbenchApp, pilot: Pilot[None]) -> None:
        await press(pilot, "1", "w")
        assert "where a number comes from" in text_of(app)

    play(scenario, engine=engine())


def told(**changes: Any) -> str:
    return "\n".join(f"{cell_text(name)} {cell_text(text)}" for name, text in why_cells(answer(**changes), 60))


def test_bars_are_as_long_as_their_counts_and_one_has_the_arrow() -> None:
    bars = [line for line in told().split("\n") if line.startswith("|t|")]
    assert [int(line.split()[2]) for line in bars] == COUNTS
    assert [line.count("█") for line in bars] == sorted((line.count("█") for line in bars), reverse=True)
    assert [line.endswith("◄ here") for line in bars] == [False, False, True, False]


def test_what_lies_beyond_every_shuffle_is_said() -> None:
    null = {**answer()["null"], "observed": 31.99}
    assert "here, beyond every shuffle" in told(null=null)


def test_an_undefined_feature_has_a_reason_instead_of_numbers() -> None:
    test = {**answer()["test"], "status": "constant", "score": None}
    shown = told(test=test, null=None, tail=None)
    assert "constant" in shown
    assert "|t|" not in shown


def test_a_model_of_many_categories_has_no_positives_and_sides_have_their_names() -> None:
    many = told(n={"positive": 0, "rest": 49, "masked": 0, "pairs": None}, sides=["sentences", "others"])
    assert "n 49 sentences, 0 masked" in many
    assert "positive" not in many
    assert "n 50 of food, 49 others, 1 masked" in told(sides=["of food", "others"])


def test_a_null_of_all_there_are_says_of_what_and_that_the_mirror_image_is_one_of_them() -> None:
    null = {**answer()["null"], "draws": 19, "exceeding": 1, "exhaustive": True}
    even = {"tested": 330, "exhaustive": True, "relabellings": 19, "min_p": 0.1}
    alike = " ".join(told(null=null, ranking=even).split())
    assert "all the labellings there are; the mirror image of the real one is among them" in alike
    assert "mirror" not in told(null=null, ranking={**even, "relabellings": 9})
    assert "100 random orders of the sentences" in " ".join(told(shuffled="orders of the sentences").split())


def test_the_sentences_of_an_rsa_have_their_number_of_categories() -> None:
    count = {"positive": 0, "rest": 49, "masked": 0, "pairs": None, "categories": 7}
    assert "n 49 sentences of 7 categories, 0 masked" in told(n=count)
    assert "n 50 of food, 49 others (7 categories)" in told(n={**count, "positive": 50}, sides=["of food", "others"])


def test_a_number_of_a_query_says_that_nothing_of_it_is_kept() -> None:
    assert "from the session as it is now" in told(provenance={})
    assert "seed 0" in told()


def test_hostile_labels_stay_text() -> None:
    assert "\x1b" not in told()
