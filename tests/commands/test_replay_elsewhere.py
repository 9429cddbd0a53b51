"""A replay where models, SAEs and corpora lie elsewhere than where the log has them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from commands.handlers.replay.places import Places
from commands.line import parse_line
from commands.render import as_lines
from tests import tiny
from workbench import demo
from workbench.digests import folder_digest
from workbench.errors import InputFileError, MismatchError, ReplayDiffers, UnknownNameError, UsageError
from workbench.lab import Lab
from workbench.session.log import LogLine
from workbench.uploads import absolute_paths

RECORDED = "/home/a/models"


@pytest.fixture
def moved(loaded: Any, sessions: Path, tiny_files: Path) -> Any:
    """`loaded`, with a session whose log has its model and its SAE below a folder that is not here."""
    log = sessions / "s" / "log.jsonl"
    log.write_text(log.read_text().replace(f"{tiny_files}/", f"{RECORDED}/"))
    artifacts = (sessions / "s" / "artifacts").glob("*/result.json")
    for path in artifacts:
        path.write_text(path.read_text().replace(f"{tiny_files}/", f"{RECORDED}/"))
    return loaded


def equal(reply: dict[str, Any]) -> bool:
    found = reply["result"]
    return (found["recomputed"], found["recorded"], found["equal"]) == (2, [], True)


def test_a_replay_reads_files_where_it_is_told(moved: Any, tiny_files: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_files / "model", tmp_path / "other=name")  # another name, and a sign in it
    at = f"at=/home/a/models/model={tmp_path / 'other=name'} at=/home/a/models/sae/={tiny_files / 'sae'}"
    reply = moved(f"replay s check=true {at}")
    assert equal(reply)
    assert [(one["what"], one["here"], one["found"]) for one in reply["result"]["elsewhere"]] == [
        ("model", str(tmp_path / "other=name"), "--at"),
        ("SAE", str(tiny_files / "sae"), "--at"),
    ]
    told = "\n".join(as_lines(reply, 400))
    assert f"the model /home/a/models/model was read from {tmp_path / 'other=name'}, the same files (--at)" in told
    with pytest.raises(ReplayDiffers, match="no model folder '/home/a/models/model'") as caught:
        moved("replay s check=true")  # the next one knows nothing of it
    both = "--at /home/a/models/model=FOLDER --at /home/a/models/sae=FOLDER"
    assert f"`workbench replay s --check {both}`" in caught.value.hint


def test_a_folder_above_stands_for_all_below_it(moved: Any, tiny_files: Path) -> None:
    assert equal(moved(f"replay s check=true at=/home/a/models={tiny_files}"))


def test_other_files_are_refused_by_both_digests(moved: Any, tmp_path: Path, tiny_files: Path) -> None:
    was = moved("session.show")["result"]["model"]["digest"]
    other = tiny.make_model(tmp_path / "other", seed=5)
    with pytest.raises(MismatchError) as caught:
        moved(f"replay s at=/home/a/models/model={other}")
    assert f"{was[:19]} when it was recorded, {other} has sha256:" in caught.value.message
    with pytest.raises(MismatchError, match="holds no SAE"):
        moved(f"replay s at=/home/a/models/sae={other}")


def test_a_pair_must_name_what_the_log_has(moved: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no pair"):
        moved(f"replay s at={tmp_path}")
    with pytest.raises(UnknownNameError, match="no model, no SAE and no source at '/home/b'") as caught:
        moved(f"replay s at=/home/b={tmp_path}")
    assert "/home/a/models/model, /home/a/models/sae" in caught.value.hint
    with pytest.raises(InputFileError, match="there is no folder and no file"):
        moved(f"replay s at=/home/a/models={tmp_path / 'none'}")
    with pytest.raises(MismatchError, match="nothing of what the session has below /home/a"):
        moved(f"replay s at=/home/a={tmp_path}")


def test_the_same_files_are_found_where_this_home_knows_them(
    moved: Any, home: Path, tmp_path: Path, tiny_files: Path
) -> None:
    shutil.copytree(tiny_files / "model", tmp_path / "mine")
    shutil.copytree(tiny_files / "sae", home / "saes" / "sae-12345678")
    tiny.make_sae(home / "saes" / "sae", seed=9)  # of that name, and another one
    moved("session.new other", None)
    moved(f"model.load {tmp_path / 'mine'} device=cpu", "other")
    reply = moved("replay s check=true")
    assert equal(reply)
    assert [(one["here"], one["found"]) for one in reply["result"]["elsewhere"]] == [
        (str(tmp_path / "mine"), "session 'other' names it"),
        (str(home / "saes" / "sae-12345678"), "trained here"),
    ]
    (tmp_path / "mine" / "config.json").write_text("{}")  # what the log says of a folder is not what it holds
    with pytest.raises(ReplayDiffers, match="no model folder"):
        moved("replay s check=true")


def looked_for(sessions: Path, entry: str, ref: str, digest: str) -> list[tuple[str, str]]:
    """Where a replay would read what a log has at `ref`, and how this home knows it."""
    line = LogLine(seq=1, utc="", do="model.load", params={}, sets={entry: {"ref": ref, "digest": digest, "name": "m"}})
    lab = Lab(None, sessions=sessions)
    places = Places(SimpleNamespace(name="s", lines=[line]), (), lab, sessions / "again")  # type: ignore[arg-type]
    places.settle(line)
    return [(one["here"], one["found"]) for one in places.used]


def test_copies_of_the_demo_and_snapshots_of_the_hub_are_known(
    sessions: Path, tiny_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = folder_digest(demo.model_dir())
    assert looked_for(sessions, "model", "/home/a/m", digest) == [(str(demo.model_dir()), "comes with the workbench")]
    digest = folder_digest(demo.sae_dir())
    assert looked_for(sessions, "sae", "/home/a/s", digest) == [(str(demo.sae_dir()), "comes with the workbench")]
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    tail, digest = "models--x--tiny/snapshots/0a1b", folder_digest(tiny_files / "model")
    assert looked_for(sessions, "model", f"/home/a/hub/{tail}", digest) == []
    shutil.copytree(tiny_files / "model", tmp_path / "hub" / tail)
    here = (str(tmp_path / "hub" / tail), "in the Hugging Face cache")
    assert looked_for(sessions, "model", f"/home/a/hub/{tail}", digest) == [here]
    assert looked_for(sessions, "model", f"/home/a/hub/{tail}", "sha256:0") == []
    assert looked_for(sessions, "model", str(tiny_files / "model"), digest) == []  # it is where the log has it


def test_paths_of_pairs_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here=1").mkdir()
    monkeypatch.chdir(tmp_path)
    found = absolute_paths(parse_line("replay s at=/home/a=b/m=here=1 at=/home/a=none"))
    assert found.params()["at"] == [f"/home/a=b/m={tmp_path / 'here=1'}", "/home/a=none"]


def test_corpora_that_came_along_are_read_by_their_content(
    loaded: Any, sessions: Path, home: Path, tmp_path: Path
) -> None:
    text = tmp_path / "own.txt"
    text.write_text("".join(f"the cat {number} won the game today\n" for number in range(300)))
    loaded(f"corpus.import {text} name=c")
    loaded("index.build c tokens=1000 examples=2")
    loaded("sae.check c tokens=500")
    loaded("features.probe predicate=won corpus=c tokens=200 permutations=20 exact=0 most=1 folds=2")
    loaded(f"session.export s out={tmp_path / 'x.zip'}", None)
    shutil.rmtree(home)
    text.unlink()
    loaded(f"session.import {tmp_path / 'x.zip'} theirs", None)
    found = loaded("replay theirs check=true")["result"]
    assert found["recorded"] == [
        {"seq": 3, "do": "corpus.import", "reason": f"{text} is not here; the corpus that it became is, by its content"}
    ]
    assert (found["total"], found["recomputed"], found["equal"]) == (6, 5, True)
    carried = next((sessions / "theirs" / "stores" / "corpora").glob("*/tokens.bin"))
    carried.write_bytes(carried.read_bytes()[::-1])
    with pytest.raises(ReplayDiffers, match=r"lines 4, 5, 6: the corpus in .* is damaged"):
        loaded("replay theirs check=true")


def test_every_path_that_a_command_names_can_lie_elsewhere(
    loaded: Any, sessions: Path, home: Path, tiny_files: Path, tmp_path: Path
) -> None:
    then, now = tmp_path / "then", tmp_path / "now"
    tiny.make_sae(then / "second", seed=9)
    text = then / "texts" / "own.txt"
    text.parent.mkdir()
    text.write_text("".join(f"the cat {number} won the game today\n" for number in range(300)))
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    loaded("features.contrast wins permutations=20")
    loaded(f"features.replicate sae={then / 'second'}")
    loaded(f"sae.check {text} tokens=500")
    loaded(f"features.probe predicate=won corpus={text} tokens=200 permutations=20 exact=0 most=1 folds=2 case=false")
    loaded(f"corpus.import {text.parent} name=folder")
    loaded(f"corpus.import {text}")
    loaded("quanta.losses own tokens=500")
    then.rename(now)
    shutil.rmtree(home)
    with pytest.raises(ReplayDiffers) as caught:
        loaded("replay s check=true")
    assert f"--at {then / 'second'}=FOLDER" in caught.value.hint
    assert f"--at {text}=HERE" in caught.value.hint
    reply = loaded(f"replay s check=true at={then}={now}")["result"]
    assert (reply["recomputed"], reply["recorded"], reply["equal"]) == (10, [], True)
    assert [(one["what"], one["here"]) for one in reply["elsewhere"]] == [
        ("SAE", str(now / "second")),
        ("source", str(now / "texts" / "own.txt")),
        ("source", str(now / "texts")),
    ]
    other = tmp_path / "other.txt"
    other.write_text("another text\n")
    with pytest.raises(MismatchError, match=r"the source '.*own.txt' was sha256:.* has sha256:"):
        loaded(f"replay s at={text}={other}")
    shutil.copy(text_now := now / "texts" / "own.txt", tmp_path / "renamed.txt")
    own = f"at={text}={tmp_path / 'renamed.txt'} at={text.parent}={text_now.parent}"
    assert loaded(f"replay s check=true {own} at={then / 'second'}={now / 'second'}")["result"]["equal"]


def test_a_log_without_digests_is_replayed_in_place(loaded: Any, sessions: Path, tmp_path: Path) -> None:
    tiny.make_sae(tmp_path / "second", seed=9)
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    loaded("features.contrast wins permutations=20")
    loaded(f"features.replicate sae={tmp_path / 'second'}")
    log = sessions / "s" / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    del lines[-1]["provenance"]["second_features"]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert loaded("replay s check=true")["result"]["recomputed"] == 5


def test_folders_in_a_list_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    found = absolute_paths(parse_line("quanta.losses models=mine models=org/name@main"))
    assert found.params()["models"] == [str(tmp_path / "mine"), "org/name@main"]
