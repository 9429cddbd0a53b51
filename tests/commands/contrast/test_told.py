"""What is said of contrasts: tables, reports, warnings, errors, and that all of it replays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands.render import as_lines, render
from tests import tiny
from workbench.errors import UsageError

pytestmark = pytest.mark.slow


def test_rsa_of_an_interaction_does_not_call_its_halves_categories(crossed: Any) -> None:
    note = crossed("features.rsa cross model=two-by-two factor=interaction permutations=50")["result"]["note"]
    assert "two categories" not in note
    assert "4 categories into two halves" in note


def test_all_of_it_replays(pairs: Any) -> None:
    pairs("features.contrast pairs statistic=paired permutations=50")
    pairs("features.contrast pairs window=peak width=3 map=position permutations=50 fdr=by")
    pairs("features.replicate seed=3")
    result = pairs("replay check=true")["result"]
    assert result["equal"]
    assert result["recomputed"] == result["total"]


def test_tables_show_effect_sizes_maps_and_nulls(crossed: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for line, wanted in (
        (
            "features.contrast cross against=lose-cat permutations=50 map=position",
            ("auc", "rate", "d ", "t by position"),
        ),
        ("features.map", ("t by position", "sentences")),
        ("features.why 3", ("score:", "from:", ":features.contrast cross")),
        ("features.replicate seed=2", ("rank correlation", "held", "hypergeometric")),
        ("features.contrast cross design=factorial permutations=50", ("outcome x animal:", "outcome:", "animal:")),
    ):
        reply = crossed(line)
        json.dumps(reply)
        render(reply)
        shown = capsys.readouterr().out
        for text in wanted:
            assert text in shown, (line, text)


def test_the_report_tells_windows_factors_maps_and_replications(crossed: Any, tmp_path: Path) -> None:
    crossed("features.contrast cross against=lose-cat window=first width=3 map=position permutations=50 fdr=by")
    crossed("features.replicate seed=2")
    crossed("features.contrast cross factor=animal permutations=50")
    for ending in ("md", "html"):
        out = tmp_path / f"report.{ending}"
        crossed(f"report out={out}")
        text = out.read_text("utf-8")
        for wanted in (
            "its first 3 tokens", "Benjamini-Yekutieli", "within each level of the other factor", "max-T over all",
            "What held a second time", "Two crossed factors", "features.why", "Student tail",
        ):  # fmt: skip
            assert wanted in text, (ending, wanted)


def test_a_small_design_is_told_with_the_numbers_of_its_labellings(loaded: Any, tmp_path: Path) -> None:
    sides = {"good": tiny.GOOD[:2], "bad": tiny.BAD[:2]}
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'few.json', sides)}")
    reply = loaded("features.contrast few permutations=1000")
    said = "6 labellings, 3 different ones (mirror images give the same |t|)"
    assert any(said in told for told in reply["warnings"])
    assert any(said in told for told in loaded("stimuli.check few")["result"]["warnings"])
    assert (reply["result"]["relabellings"], reply["result"]["exhaustive"]) == (5, True)
    assert "all 5 relabellings" in as_lines(reply, 120)[0]
    feature = next(row["feature"] for row in reply["result"]["rows"])
    assert any("mirror image" in line for line in as_lines(loaded(f"features.why {feature}"), 120))
    assert "all 5 relabellings" in as_lines(loaded("features.list"), 120)[0]


def test_a_sample_of_labellings_is_called_permutations(wins: Any) -> None:
    reply = wins("features.contrast wins permutations=20")
    assert "20 permutations" in as_lines(reply, 120)[0]


def test_words_that_the_model_does_not_know_are_told(loaded: Any, tmp_path: Path) -> None:
    strange = {"good": ["zqxjk vwfpl brtnm", "kjhgf mnbvc xzlkj"], "bad": ["qwrtp sdfgh zxcvb", "plmkn bvcxz gfdsa"]}
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'strange.json', strange)}")
    told = "the model knows none of the words of these sentences"
    assert any(told in said for said in loaded("features.contrast strange permutations=20")["warnings"])
    for line in ("activate 'zqxjk vwfpl'", "diff 'zqxjk vwfpl' 'kjhgf mnbvc'", "common strange:good"):
        assert any(told in said for said in loaded(f"features.{line}")["warnings"]), line


def test_one_unknown_word_of_a_few_is_told_of_a_sentence_of_ones_own(loaded: Any) -> None:
    said = "does not know 25% of the words"
    for line in ("activate 'the zqxjk cat won'", "diff 'the zqxjk cat won' 'the kjhgf cat won'"):
        assert any(said in told for told in loaded(f"features.{line}")["warnings"]), line


def test_known_words_need_no_warning(wins: Any) -> None:
    for line in ("contrast wins permutations=20", "activate 'the cat won'", "common wins:good"):
        assert not any("the model" in said for said in wins(f"features.{line}")["warnings"]), line


def test_a_report_into_no_folder_is_refused(wins: Any, tmp_path: Path) -> None:
    wins("features.contrast wins permutations=20")
    with pytest.raises(UsageError, match="there is no folder"):
        wins(f"report out={tmp_path / 'nowhere' / 'x.html'}")
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "stimuli.edit wins replace=x text=",
            "needs a --text that is not empty. Give --text NEW, or take the sentence out",
        ),
        ("stimuli.edit wins text=x", "--text is what --replace SENTENCE becomes"),
        ("index.build nosuch", r"unknown corpus 'nosuch'. Known: demo"),
    ],
)
def test_errors_say_the_mend(wins: Any, line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        wins(line)


def test_columns_without_numbers_are_not_shown_and_pairs_show_d_z(
    crossed: Any, pairs: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    render(crossed("features.contrast cross permutations=50 design=factorial"))
    head = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("rank"))
    assert "auc" not in head
    assert "rate" not in head
    reply = pairs("features.contrast pairs statistic=paired permutations=50")
    row = reply["result"]["rows"][0]
    whole = reply["result"]["pairs"]["whole"]
    assert row["d_z"] == pytest.approx(row["score"] / np.sqrt(whole), rel=1e-6)
    render(reply)
    head = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("rank"))
    assert "d_z" in head
    assert "auc" in head


def test_a_q_below_its_p_is_explained(wins: Any, capsys: pytest.CaptureFixture[str]) -> None:
    reply = wins("features.contrast wins permutations=50")
    render(reply)
    below = any(row["q"] < row["p"] for row in reply["result"]["rows"][:20])
    assert ("q below p: p counts" in capsys.readouterr().out) == below
    assert below, "50 permutations cannot reach what the pooled tail says of the strongest"
