"""The doctor: what is here, what is missing, and how often the tests cry wolf."""

from __future__ import annotations

import shutil
import socket
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from commands import cli
from commands.render import render
from tests.reports.example import add
from workbench import checkup, demo
from workbench.engine.address import engine_address
from workbench.errors import UsageError
from workbench.session import Session, catalog
from workbench.verbs import Outcome


def checks(reply: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in reply["result"]["checks"]}


def test_it_needs_no_session_and_finds_this_installation_whole(do: Any) -> None:
    reply = do("doctor", None)
    assert reply["result"]["healthy"], reply["warnings"]
    found = checks(reply)
    assert found["torch"]["found"] == metadata.version("torch")
    assert found["demo model"]["state"] == found["demo sae"]["state"] == "ok"


def test_changed_shipped_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("model", "sae"):
        shutil.copytree(demo.HERE / name, tmp_path / name)
    shutil.copy(demo.HERE / "manifest.json", tmp_path)
    (tmp_path / "sae" / "cfg.json").write_text("{}")
    (tmp_path / "model" / "config.json").unlink()
    monkeypatch.setattr(demo, "HERE", tmp_path)
    found = {check.name: check for check in checkup.shipped_files()}
    assert found["demo sae"].state == found["demo model"].state == "broken"
    assert "sae/cfg.json" in found["demo sae"].found
    assert "model/config.json" in found["demo model"].found


def test_missing_and_unfit_packages_come_with_their_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["torch>=99", "no-such-package>=1", 'no-such-extra>=1; extra == "minilm"', 'ruff; extra == "dev"']
    monkeypatch.setattr(metadata, "requires", lambda name: needed)
    found = {check.name: check for check in checkup.packages()}
    assert {name: check.state for name, check in found.items()} == {
        "torch": "broken", "no-such-package": "missing", "no-such-extra": "optional",
    }  # fmt: skip
    assert found["torch"].mend == "`pip install 'torch>=99'`"


def test_the_cards_of_a_machine_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\necho "NVIDIA A100, 81920, 40960, 550.54"\necho "[N/A], odd"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert [(check.name, check.found) for check in checkup.cards()] == [
        ("GPU 0", "NVIDIA A100, 40.0 of 80.0 GiB free, driver 550.54"),
        ("GPU 1", "[N/A], odd"),
    ]
    program.write_text("#!/bin/sh\necho 'cannot talk to the driver'\nexit 9\n")
    (failed,) = checkup.cards()
    assert (failed.state, failed.found) == ("optional", "nvidia-smi failed: cannot talk to the driver")
    program.unlink()
    assert list(checkup.cards()) == []


def test_models_of_the_hub_that_are_here_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert checkup.hub_cache().found == f"no model yet, in {tmp_path}"
    for number in range(9):
        (tmp_path / f"models--org--m{number}").mkdir()
    (tmp_path / "datasets--org--d").mkdir()
    assert checkup.hub_cache().found.startswith("org/m0, org/m1")
    assert checkup.hub_cache().found.endswith(f"org/m7 and 1 more, in {tmp_path}")


def test_a_folder_that_cannot_be_made_is_broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkup.folder("cache", tmp_path / "not" / "yet").state == "ok"
    monkeypatch.setattr(checkup.os, "access", lambda path, mode: False)
    found = checkup.folder("cache", tmp_path)
    assert found.state == "broken"
    assert "WORKBENCH_HOME" in found.mend


def test_an_engine_that_was_killed_and_a_folder_that_is_open_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "r"
    monkeypatch.setenv("WORKBENCH_RUNTIME", str(folder))
    assert "none runs; the first command" in checkup.engine().found
    with socket.socket(socket.AF_UNIX) as link:
        link.bind(str(engine_address().socket))
        link.listen()
        assert checkup.engine().found.startswith("runs (")
    assert "left its socket" in checkup.engine().found
    folder.chmod(0o755)
    found = checkup.engine()
    assert found.state == "broken"
    assert "mode 0755" in found.found
    assert f"chmod 700 {folder}" in found.mend


def test_a_model_or_sae_that_the_session_lacks_now_is_named(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").touch()
    path = catalog.create("mine", tmp_path)
    entries = {"model": {"ref": str(tmp_path / "model")}, "sae": {"ref": str(tmp_path / "sae")}}
    with Session(path, "test") as session:
        add(session, "model.load", lambda lab: Outcome({}, sets=entries))
    found = {check.name: check for check in checkup.referenced(path)}
    assert {name: check.state for name, check in found.items()} == {"model of mine": "ok", "sae of mine": "broken"}
    assert "sae load FOLDER" in found["sae of mine"].mend
    (tmp_path / "sae").mkdir()
    assert "has no weights" in {check.name: check for check in checkup.referenced(path)}["sae of mine"].found
    (path / "session.json").write_text("{")
    assert [check.state for check in checkup.referenced(path)] == ["broken"]


@pytest.mark.parametrize(("version", "card", "state"), [("2.9+cpu", True, "optional"), ("2.9+cpu", False, "ok"),
                                                       ("2.9+cu130", True, "ok")])  # fmt: skip
def test_a_gpu_that_torch_cannot_use_is_said(
    version: str, card: bool, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup.metadata, "version", lambda name: version)
    monkeypatch.setattr(checkup.shutil, "which", lambda name: "/bin/it" if card or name != "nvidia-smi" else None)
    found = {check.name: check for check in checkup.tools()}["torch build"]
    assert found.state == state
    assert ("CUDA" in found.mend) == (state == "optional")


@pytest.mark.parametrize(("answer", "state"), [("500\n", "optional"), ("10\n", "ok"), ("", None)])
def test_a_tmux_that_holds_esc_back_is_said(
    answer: str, state: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmux = tmp_path / "tmux"
    tmux.write_text(f"#!/bin/sh\nprintf '{answer}'\n" if answer else "#!/bin/sh\nexit 1\n")
    tmux.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = {check.name: check.state for check in checkup.tools()}
    assert found.get("tmux escape-time") == state


def test_no_secret_is_shown(do: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-very-secret")
    assert "sk-very-secret" not in str(do("doctor", None))


def test_calibration_measures_and_repeats(do: Any, capsys: pytest.CaptureFixture[str]) -> None:
    line = "doctor calibrate=true seeds=6 features=40 permutations=50 tests=welch tests=rate scenarios=gaussian"
    progress: list[tuple[int, int, str]] = []
    reply = do(line, None, progress=lambda done, total, text: progress.append((done, total, text)))
    rows = reply["result"]["rows"]
    assert [(row["test"], row["scenario"]) for row in rows] == [("welch", "gaussian"), ("rate", "gaussian")]
    assert reply["result"]["intervals"] == 6
    for row in rows:
        for kind in ("any_q", "any_fwer", "p"):
            assert 0 <= row[kind]["low"] <= row[kind]["rate"] <= row[kind]["high"] <= 1
    assert progress[-1][:2] == (11, 12)
    assert do(line, None)["result"] == reply["result"]
    render(reply)
    shown = capsys.readouterr().out
    assert "welch" in shown
    assert "chance alone" in shown


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("doctor calibrate=true tests=nope", "unknown test 'nope'"),
        ("doctor calibrate=true scenarios=nope", "unknown scenario 'nope'"),
        ("doctor tests=welch", "are for --calibrate"),
        ("doctor calibrate=true seeds=100000", "seeds"),
    ],
)
def test_what_it_does_not_know_it_refuses(do: Any, line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        do(line, None)


def test_the_shell_prints_a_table(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--no-engine", "doctor"]) == 0
    assert "everything needed is here" in capsys.readouterr().out
