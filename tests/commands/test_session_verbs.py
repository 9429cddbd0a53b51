"""Sessions sent, opened for reading and compared through the public verbs; scripts; what a failed replay says."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import cli
from commands.handlers import handler_of
from commands.line import parse_line
from commands.registry import lookup
from commands.render import as_lines, render
from commands.script import parse_script
from tests import tiny
from workbench import __version__, demo
from workbench.errors import InputFileError, ReplayDiffers, UnknownNameError, UsageError
from workbench.lab import Lab
from workbench.run import Runner
from workbench.session import Session, SessionRecord
from workbench.session.comparing import paired
from workbench.session.importing import open_beside
from workbench.session.layout import SCHEMA
from workbench.session.log import LogLine
from workbench.verbs import Command

Light = Callable[..., dict[str, Any]]


@pytest.fixture
def light(sessions: Path) -> Light:
    """Carry out a line in a process without a model."""
    runner = Runner(handler_of, sessions, "a test")
    return lambda line, session=None: runner.do(parse_line(line), session)


@pytest.fixture
def copied(sessions: Path) -> Path:
    """The folder of sessions with copies of both worked examples, as sessions of the user's."""
    for name in ("achievement", "weekdays"):
        shutil.copytree(demo.sessions_dir() / name, sessions / name)
        path = sessions / name / "session.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "example": False}))
    return sessions


def said(reply: dict[str, Any], width: int = 80) -> str:
    return "\n".join(as_lines(reply, width))


def test_a_session_is_sent_and_taken_over(light: Light, copied: Path, tmp_path: Path) -> None:
    sent = light(f"session.export achievement {tmp_path / 'x.zip'}")
    assert sent["result"]["commands"] == 10
    assert sent["warnings"] == [
        "the corpus index is not on this machine and stays behind: features show no contexts over there"
    ]
    taken = light(f"session.import {tmp_path / 'x.zip'} theirs")["result"]
    assert (taken["session"], taken["files"]) == ("theirs", sent["result"]["files"])
    assert light("session.show", "theirs")["result"]["log"] == light("session.show", "achievement")["result"]["log"]
    same = light("session.compare achievement theirs")["result"]
    assert (same["same"], same["counts"]) == (True, {"same": 10})
    light("session.note 'taken back'", "theirs")
    light("session.undo", "theirs")
    assert light("session.compare achievement theirs")["result"] == same, "what was undone is compared"
    assert "10 commands" in said(sent, 300)


def test_an_export_without_a_place_is_refused(light: Light, copied: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        light(f"session.export achievement {tmp_path / 'none' / 'x.zip'}")
    with pytest.raises(UnknownNameError):
        light(f"session.export nobody {tmp_path / 'x.zip'}")


def test_words_in_the_wrong_place_are_told_where_they_go(light: Light, copied: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a place") as caught:
        light(f"session.export {tmp_path / 'x.zip'}", "achievement")
    assert f"`workbench session export --out {tmp_path / 'x.zip'}`" in caught.value.hint
    with pytest.raises(UsageError, match="does not take 'q2'") as caught:
        light("session.fork q1 q2 upto=2", "achievement")
    assert "--session SESSION" in caught.value.hint


def test_what_differs_between_two_sessions(light: Light, copied: Path) -> None:
    light("session.fork variant upto=8", "achievement")
    light("session.note 'more thought'", "variant")
    with Session(copied / "variant", "a test") as session:  # as if ranked again with another level and seed
        line = next(line for line in session.lines if line.seq == 5)
        path = session.artifact_path(line) / "result.json"
        body = json.loads(path.read_text())
        body["result"]["rows"][0]["score"] += 1.0
        body["result"]["tested"] -= 1
        path.write_text(json.dumps(body))
        changed = {"params": {**line.params, "alpha": 0.01}, "digest": "sha256:other"}
        lines = [line.model_copy(update=changed) if line.seq == 5 else line for line in session.lines]
        (copied / "variant" / "log.jsonl").write_text(
            "".join(line.model_dump_json(exclude_defaults=True) + "\n" for line in lines)
        )
    reply = light("session.compare achievement variant")
    result = reply["result"]
    assert not result["same"]
    assert result["counts"] == {"only first": 1, "same": 7, "settings": 2}
    row = next(row for row in result["lines"] if row["first"] and row["first"]["seq"] == 5)
    assert row["settings"] == [{"field": "alpha", "first": 0.05, "second": 0.01}]
    assert row["differing"] == 2
    top = body["result"]["rows"][0]
    assert {item["field"] for item in row["numbers"]} == {"result.tested", f"result.rows[{top['feature']}].score"}
    assert [row["do"] for row in result["lines"] if row["what"] == "only first"] == ["clusters.find"]
    text = said(reply)
    assert "the sessions differ: 1 only in A, 7 the same, 2 other settings" in text
    assert "alpha: 0.05 -> 0.01" in text
    assert all(len(line) <= 80 for line in text.split("\n"))
    mirrored = light("session.compare variant achievement")["result"]
    assert mirrored["counts"] == {"only second": 1, "same": 7, "settings": 2}


def test_two_investigations_that_share_nothing_but_their_model(light: Light, copied: Path) -> None:
    result = light("session.compare achievement weekdays")["result"]
    loads = [row["what"] for row in result["lines"] if row["do"] in ("model.load", "sae.load")]
    assert loads == ["same", "same"]
    first = {row["first"]["seq"] for row in result["lines"] if row["first"]}
    second = {row["second"]["seq"] for row in result["lines"] if row["second"]}
    assert (len(first), len(second)) == (10, 8), "a command is missing or stands twice"


def test_a_command_is_compared_with_the_one_most_like_it() -> None:
    """Not with the first of its set: another seed is nearer than a design without pairs."""

    def subject(line: LogLine) -> tuple[Any, ...]:
        return (line.params["stimuli"],)

    def line(seq: int, **params: Any) -> LogLine:
        return LogLine(seq=seq, utc="", do="features.contrast", params={"stimuli": "s", "seed": 0, **params})

    first = [line(1, pairs=False, top=8), line(2, pairs=True, top=8), line(3, pairs=True, seed=7)]
    nearest = [(one.seq, other.seq) for one, other in paired(first, [line(1, pairs=True, seed=5, top=4)], subject)
               if one and other]  # fmt: skip
    assert nearest == [(2, 1)]
    equal = paired(first, [line(1, pairs=True, seed=7)], subject)
    assert [(one.seq, other.seq) for one, other in equal if one and other] == [(3, 1)]
    only = paired(first[:1], [line(1, pairs=True, pool="max")], subject)
    assert [(one.seq, other.seq) for one, other in only if one and other] == [(1, 1)], "nothing nearer"


def test_a_session_is_not_compared_with_itself(light: Light, copied: Path) -> None:
    with pytest.raises(UsageError, match="with itself"):
        light("session.compare weekdays", "weekdays")


def test_a_session_open_for_reading_answers_and_never_changes(light: Light, copied: Path, tmp_path: Path) -> None:
    light(f"session.export achievement {tmp_path / 'x.zip'}")
    folder = open_beside(tmp_path / "x.zip", tmp_path / "home").path
    reading = Runner(handler_of, folder.parent, "a test")
    before = tiny.snapshot(folder)

    def ask(line: str) -> dict[str, Any]:
        result: dict[str, Any] = reading.do(parse_line(line), folder.name)["result"]
        return result

    assert ask("session.show")["opened"] == str(tmp_path / "x.zip")
    assert [row["name"] for row in ask("session.list")["sessions"] if row["opened"]] == ["achievement"]
    ranked = ask("features.list")
    assert ask(f"features.show {ranked['rows'][0]['feature']}")["test"]["rank"] == 1
    for line in ("session.note x", "features.contrast achievement", "session.undo"):
        with pytest.raises(UsageError, match="'achievement' is open for reading") as caught:
            ask(line)
        assert "workbench session import x.zip makes it one of yours" in caught.value.hint
    for line in ("session.new x", "session.fork x", f"session.import {tmp_path / 'x.zip'} y"):
        with pytest.raises(UsageError, match="open for reading"):
            ask(line)
    assert tiny.snapshot(folder) == before


@pytest.mark.slow
def test_the_index_comes_along_and_is_used_where_there_is_none(
    loaded: Any, light: Light, sessions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded("index.build demo tokens=1000 examples=2")
    here = light("features.show 3", "s")["result"]["corpus"]
    assert here["examples"]
    sent = light(f"session.export s {tmp_path / 'x.zip'}")
    assert sent["result"]["index"]
    assert light(f"session.export s {tmp_path / 'y.zip'} index=false")["result"]["index"] is False
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "elsewhere"))
    light(f"session.import {tmp_path / 'x.zip'} with")
    light(f"session.import {tmp_path / 'y.zip'} without")
    assert light("features.show 3", "with")["result"]["corpus"] == here
    assert light("features.show 3", "without")["result"]["corpus"] is None
    assert light("features.neighbours 3", "with")["result"]
    light("session.fork again", "with")
    assert light("features.show 3", "again")["result"]["corpus"] == here
    light(f"session.export with {tmp_path / 'z.zip'}")
    light(f"session.import {tmp_path / 'z.zip'} further")
    assert light("features.show 3", "further")["result"]["corpus"] == here
    assert not (tmp_path / "elsewhere" / "index").exists(), "a colleague's index went among this user's own"


@pytest.mark.parametrize("key", ["../../etc", "/etc", "", "..", None, 3, "0" * 200, "a/b"])
def test_a_session_whose_index_is_a_path_has_none(light: Light, copied: Path, key: Any) -> None:
    record = SessionRecord(copied / "achievement")
    entry = {**record.state.get("index"), "key": key}
    assert Lab(record, sessions=copied).open_index(entry) is None


# -- scripts -------------------------------------------------------------------------------------------------------


def lines(text: str, **variables: str) -> list[str]:
    return [verb.dotted + " " + str(getattr(verb, "text", "")) for verb in parse_script(text, variables)]


def test_the_value_of_a_variable_stays_one_word() -> None:
    value = """two words; it's #1 "q" top=3 ${X}"""
    assert lines("session.note ${X}\nsession.note 'a ${X}'", X=value) == [
        f"session.note {value}",
        f"session.note a {value}",
    ]
    assert lines("session.note ${X:-nobody at all}") == ["session.note nobody at all"]


def test_a_variable_that_no_line_has_is_refused() -> None:
    with pytest.raises(UsageError, match="no line of script has the variable 'SETT'") as caught:
        lines("session.note ${SET:-x} # ${SETT}", SETT="y")
    assert "Its variables: SET." in caught.value.hint
    with pytest.raises(UsageError, match="'SET' is not set") as caught:
        lines("session.note ${SET}", set="y")
    assert "Given: set." in caught.value.hint


@pytest.mark.parametrize("line", ["features contrast achievement", "workbench features contrast a", "workbench report"])
def test_a_command_of_the_shell_is_told_how_it_is_written_in_a_line(line: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse_line(line)
    assert f"written {'report' if 'report' in line else 'features.contrast'}." in caught.value.hint


def test_comments_end_a_line_and_leave_texts_and_feature_ids_alone() -> None:
    script = """
      # the whole line
    session.note one  # after it
    session.note 'a # b'   #c
    session.note demo/x#417
    session.note "it's # x" # 'y
    """
    assert lines(script) == [
        "session.note one",
        "session.note a # b",
        "session.note demo/x#417",
        "session.note it's # x",
    ]


def test_variables_may_have_a_value_of_their_own() -> None:
    script = "session.note '${WHO:-nobody at all} and ${WHO}'"
    assert lines(script, WHO="me") == ["session.note me and me"]
    assert lines("session.note '${WHO:-nobody at all}'") == ["session.note nobody at all"]
    assert lines("session.note 'x${WHO:-}'") == ["session.note x"]
    with pytest.raises(UsageError, match="variable 'WHO' is not set"):
        lines(script)


def dry(script: str, sessions: Path, tmp_path: Path, *more: str) -> int:
    (tmp_path / "work.wb").write_text(script)
    words = ["--no-engine", "--sessions", str(sessions), "--session", "achievement", "run", str(tmp_path / "work.wb")]
    return cli.main([*words, *more, "--dry-run"])


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("features.contrast ${SET}", "stimulus set 'nosuch'"),
        ("stimuli.show ${SET}", "stimulus set 'nosuch'"),
        ("features.common stimuli=${SET}:wins", "stimulus set 'nosuch'"),
        ("session.new fresh\nsession.compare ${SET}", "session 'nosuch'"),
        ("features.contrast ${SET}\nstimuli.new ${SET} category=a category=b", "stimulus set 'nosuch'"),
    ],
)
def test_a_dry_run_finds_names_that_nothing_has(
    line: str, what: str, copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dry(line, copied, tmp_path, "SET=nosuch") == 2
    assert f"unknown {what}" in capsys.readouterr().err
    assert dry(line.replace("session.compare", "report"), copied, tmp_path, "SET=achievement") == 0


def test_a_dry_run_knows_what_the_script_itself_makes(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "theirs.json").write_text("{}")
    script = f"""
    stimuli.new mine category=a category=b
    features.contrast mine
    stimuli.import {tmp_path}/theirs.json
    features.rsa theirs
    session.fork copy
    session.compare copy weekdays
    session.import x.zip got
    features.contrast whatever
    report got
    """
    assert dry(script, copied, tmp_path) == 0
    assert "features.contrast mine" in capsys.readouterr().out
    assert dry("session.import x.zip\nreport theirs", copied, tmp_path) == 0  # it may be the name that it was sent with
    assert dry("session.import x.zip ours\nreport theirs", copied, tmp_path) == 2
    assert dry(script + "\nsession.new fresh\nfeatures.contrast mine", copied, tmp_path) == 2
    assert cli.main(["--no-engine", "--sessions", str(copied), "--session", "gone", "run", str(tmp_path / "work.wb"),
                     "--dry-run"]) == 2  # fmt: skip


def test_a_dry_run_misses_a_file_that_nothing_writes(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f"stimuli.import {tmp_path}/${{FILE:-none.csv}} to=mine"
    assert dry(line, copied, tmp_path) == 2
    assert f"to=mine: there is no file {tmp_path}/none.csv" in capsys.readouterr().err
    assert dry(f"features.export {tmp_path}/none.csv\n{line}", copied, tmp_path) == 0, "a line above writes it"
    (tmp_path / "some.csv").write_text("category,text\n")
    assert dry(line, copied, tmp_path, "FILE=some.csv") == 0


# -- a replay that differs -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_failed_check_says_which_numbers_differ_and_how(loaded: Any, sessions: Path, tmp_path: Path) -> None:
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    made = loaded("features.contrast wins permutations=50 top=5")
    path = sessions / "s" / made["artifact"] / "result.json"
    body = json.loads(path.read_text())
    top = body["result"]["rows"][0]
    was, top["score"] = top["score"], top["score"] * 0.5
    body["result"]["tested"] += 1
    path.write_text(json.dumps(body))
    with pytest.raises(ReplayDiffers) as caught:
        loaded("replay check=true")
    told = caught.value.message.split("\n")
    assert told[0] == f"2 recorded numbers of 's' differ, in 1 of {made['seq']} commands"
    assert told[1] == f"  line {made['seq']} :features.contrast wins permutations=50 top=5: 2"
    assert any(line.startswith(f"    rows[{top['feature']}].score: recorded ") and "100 %)" in line for line in told)
    assert f"recorded {top['score']:.9g}, now {was:.9g}"[:30] in caught.value.message
    tested = body["result"]["tested"]
    assert f"    tested: recorded {tested}, now {tested - 1} ({-100 / tested:+.3g} %)" in told
    reply = loaded("replay")
    assert not reply["result"]["equal"]
    assert told[2] in said(reply, 160).split("\n")


def test_what_cannot_be_computed_here_is_not_called_a_number_that_differs(
    loaded: Any, sessions: Path, tiny_files: Path
) -> None:
    log = sessions / "s" / "log.jsonl"
    log.write_text(log.read_text().replace(f'"{tiny_files / "model"}"', '"/nowhere/model"'))
    with pytest.raises(ReplayDiffers) as caught:
        loaded("replay s check=true")
    missing = "no model folder '/nowhere/model'"
    assert caught.value.message.split("\n") == [
        "2 of 2 commands of 's' could not be computed again here",
        f"  lines 1, 2: {missing}",
    ]
    assert "`workbench replay s --check --at /nowhere/model=FOLDER`" in caught.value.hint
    assert "a link will do" in caught.value.hint
    told = said(loaded("replay s"), 160)
    assert f"line 1 :model.load /nowhere/model device=cpu could not be computed again: {missing}" in told
    assert told.startswith("0 of 2 recomputed; 2 could not be computed again\n")


def test_a_replay_says_which_line_it_is_at(loaded: Any, sessions: Path, model_cache: Any) -> None:
    loaded("index.build tokens=1000 examples=2")
    said: list[tuple[int, int, str]] = []
    lab = Lab(
        SessionRecord(sessions / "s"), sessions=sessions, models=model_cache, progress=lambda *one: said.append(one)
    )
    verb = parse_line("replay check=true")
    handler_of(type(verb))(verb, lab)
    assert {(done, total) for done, total, _ in said} == {(0, 3), (1, 3), (2, 3)}
    assert any(text.startswith("line 3 of 3 index.build: ") and "replaying" not in text for _, _, text in said)


def test_a_replay_finds_a_corpus_that_another_session_imported(loaded: Any, tmp_path: Path) -> None:
    text = tmp_path / "own.txt"
    text.write_text("".join(f"a b c d e f g h {number}\n" for number in range(300)))
    loaded("session.new other", None)
    loaded(f"model.load {loaded('session.show')['result']['model']['ref']} device=cpu", "other")
    loaded(f"corpus.import {text} name=lent", "other")
    loaded("index.build lent tokens=1000 examples=2")
    found = loaded("replay s check=true")["result"]
    assert (found["recomputed"], found["recorded"], found["equal"]) == (3, [], True)


# -- secrets -------------------------------------------------------------------------------------------------------

SECRETS = {"ANTHROPIC_API_KEY": "sk-ant-not-for-a-file", "HF_TOKEN": "hf_not_for_a_file", "OTHER_KEY": "none-of-ours"}


@pytest.mark.slow
def test_no_secret_of_the_environment_is_in_any_file(
    loaded: Any, light: Light, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    loaded("features.contrast wins permutations=20 top=5")
    loaded("index.build demo tokens=1000 examples=2")
    loaded("labels.suggest")
    with pytest.raises(UsageError):
        loaded("labels.suggest labeller=nobody")
    loaded("session.note 'a note'")
    light(f"session.export s {tmp_path / 'x'}")
    light(f"report out={tmp_path / 'r.html'}", "s")
    light(f"report out={tmp_path / 'r.md'}", "s")
    with pytest.raises(UsageError, match=r"r\.pdf has no ending that says its form"):
        light(f"report out={tmp_path / 'r.pdf'}", "s")
    assert not (tmp_path / "r.pdf").exists()
    light(f"report out={tmp_path / 'r.txt'} format=md", "s")  # said in so many words
    loaded("doctor", None)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 40
    for path in files:
        found = path.read_bytes()
        assert not [name for name, value in SECRETS.items() if value.encode() in found], path


def rewritten(session: Path, seq: int, **provenance: Any) -> None:
    """The log of a session with another provenance of one line."""
    log = session / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if line.get("seq") == seq:
            line["provenance"].update(provenance)
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_numbers_of_an_older_revision_are_told_wherever_they_stand(light: Light, copied: Path, tmp_path: Path) -> None:
    for line in light("session.show", "weekdays")["result"]["log"]:
        verb = lookup(line["do"])
        assert issubclass(verb, Command)
        rewritten(copied / "weekdays", line["seq"], command_revision=verb.result_revision)
    now = lookup("features.contrast").result_revision  # type: ignore[attr-defined]
    assert not any("older" in row for row in light("session.show", "weekdays")["result"]["log"])
    plain = tmp_path / "plain.md"
    light(f"report weekdays out={plain}")
    assert "lder revision" not in plain.read_text()
    rewritten(copied / "weekdays", 5, command_revision=0)
    shown = light("session.show", "weekdays")
    rows = shown["result"]["log"]
    assert [row["seq"] for row in rows if row.get("older")] == [5]
    told = f"revision 0 of features.contrast computed these numbers, and revision {now} gives others on purpose"
    again = ": for those run the line again, :features.contrast weekdays positive=Monday"
    assert f"line 5: {told}{again}" in said(shown, 400)
    stored = light("session.result 5", "weekdays")
    assert stored["result"]["warnings"][0].startswith(told)
    assert [one.get("older", "")[:10] for one in shown["result"]["rankings"]] == ["", "revision 0"]
    out = tmp_path / "r.md"
    light(f"report weekdays out={out}")
    text = out.read_text()
    for place in ("# Summary", "weekdays (line 5)\n"):  # before the numbers themselves
        assert told in text[text.index(place) :][:600]
    assert f"{told}{again}"[:90] in text[text.index("# Warnings") :]
    rewritten(copied / "weekdays", 5, command_revision=99)
    assert "of a newer workbench" in light("session.show", "weekdays")["result"]["log"][4]["older"]


def test_the_gate_is_told_only_where_features_carried_the_numbers(
    loaded: Any, sessions: Path, tiny_files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def gate(line: str) -> str | None:
        found = loaded(line)
        render(found)
        told = "SAE gate" in capsys.readouterr().out or "SAE not checked" in str(found["provenance"])
        assert told == bool(found["provenance"].get("gate"))
        return (found["provenance"].get("gate") or {}).get("text")

    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    own = gate("features.activate text=won")
    assert own == gate("features.contrast wins permutations=20")
    assert own == gate("features.replicate seed=3")
    tiny.make_sae(tmp_path / "other", seed=9)
    assert gate(f"features.activate text=won sae={tmp_path / 'other'}") == (
        "SAE not checked: it was named for this question only"
    )
    none = (
        "features.activate text=won sae=raw", "labels.cost",
        "features.tags", "features.contrast wins sae=raw permutations=20",
    )  # fmt: skip
    assert [gate(line) for line in none] == [None] * len(none)
    rewritten(sessions / "s", 3, gate={"passed": True, "text": "SAE gate passed"})  # as earlier versions noted it
    assert gate("session.result 3") is None


def test_an_import_says_which_lines_a_newer_workbench_wrote(light: Light, copied: Path, tmp_path: Path) -> None:
    light(f"session.export weekdays {tmp_path / 'same.zip'}")
    assert light(f"session.import {tmp_path / 'same.zip'} same")["warnings"] == []
    log = copied / "weekdays" / "log.jsonl"
    rewritten(copied / "weekdays", 5, version="12.0.1")
    rewritten(copied / "weekdays", 8, version="0.0.9")
    text = log.read_text().replace('"do": "clusters.find"', '"do": "circle.spin"')
    log.write_text(text.replace('"seq": 6,', '"seq": 6, "mood": "fine",'))
    light(f"session.export weekdays {tmp_path / 'new.zip'}")
    found = light(f"session.import {tmp_path / 'new.zip'} theirs")
    assert found["warnings"] == [
        f"line 5 of the log was written by workbench 12.0.1, and this is {__version__}: what it does not know there is "
        "kept and not shown. Update the workbench to see it",
        "line 7: this workbench has no command circle.spin, and takes its results as recorded",
    ]
    assert (copied / "theirs" / "log.jsonl").read_bytes() == log.read_bytes()  # nothing of it is lost


def _linked(session: Path) -> None:
    artifact = session / "artifacts" / "0005-features-contrast"
    artifact.rename(session.parent.parent / "outside")
    artifact.symlink_to(session.parent.parent / "outside")


def _edited(session: Path, name: str, old: str, new: str) -> None:
    path = session / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def _folder_at(path: Path) -> None:
    path.unlink()
    path.mkdir()  # root may read every file, and no folder as one


CONTRAST = "artifacts/0005-features-contrast"
DAMAGE: dict[str, tuple[Callable[[Path], Any], str, bool]] = {
    "a result gone": (lambda one: shutil.rmtree(one / CONTRAST), f"{CONTRAST}/result.json", True),
    "a result of another shape": (
        lambda one: (one / CONTRAST / "result.json").write_text('{"result": "x", "figures": [], "warnings": []}'),
        f"{CONTRAST}/result.json", True,
    ),
    "a link that leads away": (_linked, f"{CONTRAST}, the artifact of line 5, is a link that leads outside", True),
    "notes that cannot be read": (lambda one: _folder_at(one / "notes.md"), "notes.md cannot be read", True),
    "parameters of no command": (
        lambda one: _edited(one, "log.jsonl", '"permutations": 1000', '"permutations": "many"'), "", True
    ),
    "a view of garbage": (lambda one: (one / "view.json").write_bytes(b"\xff\x00"), "", True),
    "a clock that went back": (lambda one: _edited(one, "log.jsonl", '"utc": "2026', '"utc": "1990'), "", True),
    "a log that cannot be read": (lambda one: _folder_at(one / "log.jsonl"), "log.jsonl cannot be read", False),
    "session.json of a newer form": (
        lambda one: _edited(one, "session.json", f'"schema": {SCHEMA}', f'"schema": {SCHEMA + 1}'),
        "session.json) was written by", False
    ),
}  # fmt: skip
"""How a session is damaged, what is said of it, and whether it can be read all the same."""


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_session_is_shown_as_far_as_it_goes(light: Light, copied: Path, tmp_path: Path, what: str) -> None:
    break_it, told, readable = DAMAGE[what]
    break_it(copied / "weekdays")
    assert {"weekdays", "achievement"} <= {one["name"] for one in light("session.list")["result"]["sessions"]}
    if not readable:
        for line in ("session.show", f"report weekdays out={tmp_path / 'r.md'}"):
            with pytest.raises(InputFileError, match=re.escape(told)):
                light(line, "weekdays")
        return
    shown = light("session.show", "weekdays")
    assert len(shown["result"]["log"]) == 8
    assert told in " ".join(shown["warnings"])
    light(f"report weekdays out={tmp_path / 'r.md'}")
    text = (tmp_path / "r.md").read_text().replace("\\", "")
    assert told in text
    assert "# Commands and replay" in text


def test_a_replay_goes_on_past_damage_and_names_it(loaded: Any, sessions: Path, tmp_path: Path) -> None:
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    loaded("features.contrast wins permutations=20")
    loaded("features.maxact wins")
    artifact = sessions / "s" / "artifacts" / "0004-features-contrast"
    (artifact / "ranking.safetensors").rename(tmp_path / "kept")
    with pytest.raises(ReplayDiffers, match=r"0004-features-contrast/ranking.safetensors: recorded missing"):
        loaded("replay s check=true")
    (tmp_path / "kept").rename(artifact / "ranking.safetensors")
    artifact.rename(tmp_path / "away")
    artifact.symlink_to(tmp_path / "away")
    with pytest.raises(ReplayDiffers) as caught:
        loaded("replay s check=true")
    assert f"{artifact}, the artifact of line 4, is a link" in caught.value.message
    assert "1 of 5 commands" in caught.value.message
    assert "workbench-replay-" not in caught.value.message


def test_results_whose_log_lines_are_gone_are_set_aside(light: Light, copied: Path) -> None:
    log = copied / "weekdays" / "log.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:-2]) + lines[-2][:50])
    before = tiny.snapshot(copied / "weekdays" / "artifacts" / "0007-clusters-find")
    light("session.note on", "weekdays")
    assert tiny.snapshot(copied / "weekdays" / "lost" / "0007-clusters-find") == before
