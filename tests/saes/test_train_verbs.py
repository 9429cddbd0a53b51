"""`sae train` and `sae sweep` in a session: what is kept, reused, refused, estimated, and said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.peak import run_alone
from workbench.errors import UsageError

pytestmark = pytest.mark.slow
SMALL = "tokens=1200 batch=64 latents=48 k=4 checkpoints=2 dead_window=300 lr=0.003"


@pytest.fixture
def with_model(do: Any, tiny_files: Path) -> Any:
    do("session.new s", None)
    do(f"model.load {tiny_files / 'model'} device=cpu")
    return do


def kept(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "saes").iterdir() if not path.name.startswith("."))


def test_an_sae_is_trained_kept_and_loaded(with_model: Any, home: Path) -> None:
    reply = with_model(f"sae.train {SMALL} k_start=12 name=mine epochs=2")
    result = reply["result"]
    assert (result["name"], result["site"], result["k"], result["k_start"]) == ("mine", tiny.SITE, 4, 12)
    assert result["steps"] == result["curve"][-1]["step"] + 1 == (1200 - 60) * 2 // 64
    assert result["l0"] <= 4
    assert kept(home) == ["mine"]
    assert list((home / "saes" / ".work").iterdir()) == []
    shown = with_model("session.show")["result"]
    assert shown["sae"]["name"] == f"model/{tiny.SITE}/mine"
    assert with_model("index.build tokens=1000")["result"]["features"] == 48
    config = json.loads((home / "saes" / "mine" / "cfg.json").read_text())
    assert config["metadata"]["hook_name"] == tiny.SITE
    assert config["metadata"]["prepend_bos"] is True


def test_what_the_gate_says_is_in_the_result_and_warned_of(with_model: Any) -> None:
    reply = with_model(f"sae.train {SMALL}")
    gate = reply["result"]["gate"]
    assert gate["numbers"]["tokens"] > 0
    assert gate["passed"] == (not gate["alarms"])
    for alarm in gate["alarms"]:
        assert any(alarm["message"] in warning for warning in reply["warnings"])


def test_the_same_recipe_is_not_trained_twice(with_model: Any, home: Path) -> None:
    first = with_model(f"sae.train {SMALL}")
    before = tiny.snapshot(home / "saes")
    again = with_model(f"sae.train {SMALL}")
    assert again["result"] == first["result"]
    assert any("trained before" in text for text in again["warnings"])
    assert tiny.snapshot(home / "saes") == before


def test_a_name_that_is_taken_is_refused_before_training(with_model: Any, home: Path) -> None:
    with_model(f"sae.train {SMALL} name=mine")
    before = tiny.snapshot(home / "saes" / "mine")
    with pytest.raises(UsageError, match="'mine' already"):
        with_model(f"sae.train {SMALL} name=mine seed=1")
    assert tiny.snapshot(home / "saes" / "mine") == before


def test_an_sae_of_other_bits_is_never_replaced(with_model: Any, home: Path) -> None:
    from workbench.saes.trained import keep

    with_model(f"sae.train {SMALL} name=mine")
    before = tiny.snapshot(home / "saes" / "mine")
    other = tiny.make_sae(home / "saes" / ".work" / "x" / "sae")
    beside = keep(other, home, "mine")
    assert beside.name.startswith("mine-")
    assert tiny.snapshot(home / "saes" / "mine") == before


def test_replay_trains_again_in_a_cache_of_its_own(with_model: Any, home: Path) -> None:
    with_model(f"sae.train {SMALL}")
    before = tiny.snapshot(home / "saes")
    result = with_model("replay s")["result"]
    assert (result["recomputed"], result["equal"]) == (2, True)
    assert tiny.snapshot(home / "saes") == before


def test_a_corpus_of_ones_own(with_model: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("\n".join(["the cat won the prize today", "a dog lost again"] * 60))
    reply = with_model(f"sae.train corpus={path} tokens=5000 batch=64 latents=48 k=4")
    assert reply["result"]["corpus"] == "mine"
    assert reply["result"]["activations"] == 60 * (6 + 4)
    assert any("gives 600 activations, not the 5,000" in text for text in reply["warnings"])


def test_a_corpus_shorter_than_a_batch_leaves_the_session_as_it_was(with_model: Any, tmp_path: Path) -> None:
    path = tmp_path / "short.txt"
    path.write_text("the cat won\n")
    with pytest.raises(UsageError, match="less than one batch of 64"):
        with_model(f"sae.train corpus={path} tokens=5000 batch=64 latents=48 k=4")
    shown = with_model("session.show")["result"]
    assert shown["sae"] is None
    assert [row["do"] for row in shown["log"]] == ["model.load"]


@pytest.mark.parametrize("verb", ["sae.train", "sae.sweep"])
def test_a_dry_run_says_the_cost_and_does_nothing(with_model: Any, home: Path, sessions: Path, verb: str) -> None:
    before = tiny.snapshot(home) if home.exists() else {}
    log = (sessions / "s" / "log.jsonl").read_bytes()
    result = with_model(f"{verb} {SMALL} k_start=12 dry_run=true")["result"]
    assert result["seconds"] > 0
    assert result["memory_bytes"] > 50e6
    assert result["disk_bytes"] >= 1200 * tiny.WIDTH * 4
    assert result["trainings"] == (1 if verb == "sae.train" else 2)
    assert (tiny.snapshot(home) if home.exists() else {}) == before
    assert (sessions / "s" / "log.jsonl").read_bytes() == log


def test_a_dry_run_refuses_what_the_run_would_refuse(with_model: Any) -> None:
    with pytest.raises(UsageError, match="less than one batch"):
        with_model("sae.train tokens=1000 batch=1024 dry_run=true")


@pytest.mark.parametrize("verb", ["sae.train tokens=2000 k=999", "sae.sweep tokens=2000 k=4 k_start=999 latents=48"])
def test_a_k_that_does_not_fit_is_refused_before_anything_is_recorded(with_model: Any, home: Path, verb: str) -> None:
    with pytest.raises(UsageError, match="is 999, the SAE has"):
        with_model(verb)
    assert not (home / "activations").exists()


LARGER = "--tokens 8000 --latents 1024 --site " + tiny.SITE


@pytest.mark.parametrize("line", [f"sae train --k 16 {LARGER}", f"sae sweep --k 16 --k-start 64 {LARGER}"])
def test_the_stated_memory_is_kept_within_a_fifth(with_model: Any, sessions: Path, line: str) -> None:
    stated = run_alone("s", sessions, *line.split(), "--dry-run")[0]["memory_bytes"]
    peak = run_alone("s", sessions, *line.split())[1]
    assert peak <= 1.2 * stated
    assert stated <= 1.2 * peak


def test_a_sweep_compares_k_with_and_without_the_schedule(with_model: Any, home: Path) -> None:
    options = SMALL.replace(" k=4", "")
    reply = with_model(f"sae.sweep {options} k=2 k=6 k_start=12")
    rows = reply["result"]["rows"]
    assert [(row["k"], row["schedule"]) for row in rows] == [(2, False), (2, True), (6, False), (6, True)]
    assert all(row["l0"] <= row["k"] for row in rows)
    assert rows[2]["loss"] < rows[0]["loss"], "more latents explain more"
    assert "2 values of k" in reply["result"]["verdict"]
    assert kept(home) == []
    assert list((home / "saes" / ".work").iterdir()) == []
    alone = with_model(f"sae.train {options} k=6 k_start=12")["result"]
    assert {name: alone[name] for name in rows[3]} == rows[3]


def test_a_sweep_over_the_penalty(with_model: Any) -> None:
    reply = with_model(f"sae.sweep {SMALL.replace(' k=4', '')} architecture=standard l1=0.1 l1=20 epochs=4")
    rows = reply["result"]["rows"]
    assert [row["sparsity"] for row in rows] == [0.1, 20.0]
    assert rows[0]["l0"] > rows[1]["l0"]
    assert reply["result"]["verdict"] == ""


def test_a_killed_sweep_does_not_repeat_what_was_done(
    with_model: Any, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"sae.sweep {SMALL.replace(' k=4', '')} k=2 k=6 k_start=12"
    from workbench.saes import training

    begun: list[tuple[int, int]] = []
    train = training.train

    def counted(recipe: Any, *given: Any, **named: Any) -> Any:
        begun.append((recipe.k, recipe.k_start))
        if len(begun) == 3:
            raise KeyboardInterrupt
        return train(recipe, *given, **named)

    monkeypatch.setattr(training, "train", counted)
    with pytest.raises(KeyboardInterrupt):
        with_model(line)
    assert len(with_model(line)["result"]["rows"]) == 4
    assert begun == [(2, 2), (2, 12), (6, 6), (6, 6), (6, 12)]


def test_json_progress_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    from commands.shell.execute import JsonProgress
    from workbench.progress import numbers_text

    JsonProgress()(3, 10, numbers_text({"loss": 12.3456, "L0": 16.0, "dead": 3, "tokens/s": 14200}) + "  ▁▂")
    told = json.loads(capsys.readouterr().err)["progress"]
    assert (told["done"], told["total"]) == (3, 10)
    assert told["numbers"] == {"loss": 12.35, "L0": 16.0, "dead": 3.0, "tokens/s": 14200.0}


def test_the_mend_for_an_sae_that_was_trained_here_is_more_training(with_model: Any, home: Path) -> None:
    from workbench.saes import verdict
    from workbench.saes.space import trained_here

    with_model(f"sae.train {SMALL} name=mine")
    assert [trained_here({"ref": ref}) for ref in ("mine", str(home / "saes" / "mine"), "demo")] == [True, True, False]
    alarm = {"name": "decoder_norm", "message": "all have length 1", "hint": "Get the original."}
    found = {"checked": True, "passed": False, "alarms": [alarm]}
    assert verdict.warnings(found)[0].endswith("Get the original.")
    assert "Train it longer" in verdict.warnings(found, trained_here=True)[0]
