"""The shell front end: exit codes are an interface, stdout is data, stderr is narration."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import cli
from commands.line import parse_line
from commands.registry import VERBS, groups, in_group, lookup
from tests import tiny
from workbench import __version__
from workbench.errors import UsageError
from workbench.session import SessionRecord, catalog


class Call:
    """One shell call: its exit code and what it wrote."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


@pytest.fixture
def call(
    sessions: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Call]:
    """`call("session", "list")` in this process, with the sessions of this test, and with no engine."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> Call:
        code = cli.main([*words, "--no-engine"])
        captured = capsys.readouterr()
        return Call(code, captured.out, captured.err)

    return run


def test_a_session_from_making_it_to_its_notes(call: Any, sessions: Path) -> None:
    assert call("session", "new", "s", "--title", "A title").code == 0
    assert call("session", "note", "first words").code == 0
    shown = call("session", "show", "--json").json
    assert shown["command"] == "session.show"
    assert (shown["result"]["title"], shown["result"]["notes"]) == ("A title", "first words\n")
    assert [row["line"] for row in shown["result"]["log"]] == ["session.note 'first words'"]
    assert SessionRecord(sessions / "s").lines[0].do == "session.note"


def test_json_is_one_object_with_the_fields_of_the_contract(call: Any) -> None:
    call("session", "new", "s")
    done = call("--json", "session", "note", "x")
    assert len(done.out.splitlines()) == 1
    assert {"command", "params", "result", "artifact", "seconds", "provenance", "warnings", "session"} <= set(done.json)
    assert done.json["params"] == {"text": "x"}
    assert done.json["session"] == "s"
    assert done.json["artifact"] == "artifacts/0001-session-note"


@pytest.mark.parametrize(
    "words",
    [
        ("--json", "--session", "s", "session", "show", "--tail", "1"),
        ("session", "show", "--tail", "1", "--session", "s", "--json"),
        ("session", "--json", "show", "--session=s", "--tail=1"),
        ("session.show", "tail=1", "--json", "--session", "s"),
        ("session", "show", "tail=1", "--quiet", "--json"),
    ],
)
def test_options_before_and_after_the_verb_and_every_form_of_a_value(call: Any, words: tuple[str, ...]) -> None:
    call("session", "new", "s")
    for text in ("one", "two"):
        call("session", "note", text)
    shown = call(*words).json
    assert shown["session"] == "s"
    assert [row["seq"] for row in shown["result"]["log"]] == [2]


@pytest.mark.parametrize(
    "words", [("session", "new", "s"), ("session", "new", "--name", "s"), ("session", "new", "name=s")]
)
def test_a_positional_value_may_have_its_name(call: Any, words: tuple[str, ...], sessions: Path) -> None:
    assert call(*words).code == 0
    assert catalog.names(sessions)[-1] == "s" or "s" in catalog.names(sessions)


@pytest.mark.parametrize(
    ("words", "kind", "names", "hint"),
    [
        (("sesion", "list"), "unknown_name", "'sesion'", "session"),
        (("session", "lst"), "unknown_name", "'lst'", "list"),
        (("featurs.contrast", "x"), "unknown_name", "'featurs.contrast'", "features.contrast"),
        (("session",), "usage", "session", "new"),
        (("session", "show", "--tial", "3"), "usage", "--tial", "--help"),
        (("session", "show", "tial=3"), "unknown_name", "'tial'", "tail"),
        (("session", "show", "--tail", "many"), "usage", "'many'", "integer"),
        (("session", "show", "--tail", "9999"), "usage", "'9999'", "500"),
        (("session", "show", "--tail"), "usage", "--tail", "--help"),
        (("session", "show", "extra"), "usage", "'extra'", "tail"),
        (("session", "new", "a", "--name", "b"), "usage", "'a'", "title"),
        (("session", "new", "../x"), "usage", "'../x'", "letters"),
        (("session", "new"), "usage", "name", "name"),
        (("--session", "weekdyas", "session", "show"), "unknown_name", "'weekdyas'", "weekdays"),
        (("--frobnicate",), "usage", "--frobnicate", "--help"),
        (("--session",), "usage", "--session", "--help"),
        (("stimuli", "import", "nosuch.json"), "input_file", "nosuch.json", "path"),
        (("run", "nosuch.script"), "input_file", "nosuch.script", "path"),
        (("features", "contrast", "x", "--statistic", "welhc"), "usage", "'welhc'", "welch"),
    ],
)
def test_wrong_usage_is_exit_2_and_names_the_value(
    call: Any, sessions: Path, words: tuple[str, ...], kind: str, names: str, hint: str
) -> None:
    catalog.create("weekdays", sessions)
    before = tiny.snapshot(sessions)
    told = call(*words)
    assert told.code == 2
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert names in told.err
    error = call("--json", *words)
    assert error.code == 2
    assert list(error.json) == ["error"]
    assert error.json["error"]["kind"] == kind
    assert names in error.json["error"]["message"]
    assert hint in error.json["error"]["hint"]
    after = {name: digest for name, digest in tiny.snapshot(sessions).items() if not name.endswith(".lock")}
    assert after == before


def test_failed_work_is_exit_1(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    call("session", "new", "s")

    def broken(command: Any, lab: Any) -> Any:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("commands.handlers.session.note", broken)
    failed = call("session", "note", "x", "--json")
    assert failed.code == 1
    assert failed.json["error"]["kind"] == "failed"
    assert "session.note" in failed.json["error"]["message"]


def test_what_makes_no_sense_over_ssh_is_refused_before_it_is_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--host", "me@box", "--sessions", "here", "session", "list"]) == 2
    assert "--sessions 'here' is a folder on me@box and has no absolute path" in capsys.readouterr().err
    assert cli.main(["--host", "me@box", "--no-engine", "session", "list"]) == 2
    assert "Leave one of them out" in capsys.readouterr().err


def test_an_interrupt_is_exit_130(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(command: Any, lab: Any) -> Any:
        raise KeyboardInterrupt

    call("session", "new", "s")
    monkeypatch.setattr("commands.handlers.session.note", interrupted)
    assert call("session", "note", "x").code == 130


class _Left(io.StringIO):
    """A stdout whose reader is gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize(("words", "code"), [(("session", "list"), 0), (("session", "show", "--tail", "many"), 2)])
def test_a_reader_that_leaves_changes_no_exit_code(
    sessions: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, form: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "stdout", _Left())
    assert cli.main([*words, *form, "--no-engine"]) == code
    sys.stdout.close()


@pytest.mark.parametrize(
    ("command", "result", "code"),
    [("replay", {"equal": False}, 1), ("replay", {"equal": True}, 0), ("quanta.similarity", {"equal": False}, 0)],
)
def test_only_a_replay_that_differs_is_exit_1(
    monkeypatch: pytest.MonkeyPatch, command: str, result: dict[str, Any], code: int
) -> None:
    reply = {"command": command, "result": result, "warnings": [], "provenance": {}}
    monkeypatch.setattr("commands.shell.execute.Executor.do", lambda self, verb: reply)
    words = ["replay", "s"] if command == "replay" else ["quanta", "similarity"]
    assert cli.main([*words, "--json", "--no-engine"]) == code


def test_no_session_at_all_says_how_to_make_one(call: Any) -> None:
    told = call("session", "note", "x")
    assert told.code == 2
    assert "session new" in told.err


def test_another_writer_is_named(call: Any, sessions: Path) -> None:
    from workbench.session import Session

    call("session", "new", "s")
    with Session(sessions / "s", "the engine"):
        told = call("session", "note", "x")
    assert told.code == 2
    assert "the engine" in told.err


def test_help_names_every_verb_and_needs_no_session(call: Any) -> None:
    told = call("--help")
    assert told.code == 0
    for name in VERBS:
        group, _, verb = name.partition(".")
        of_group = told.out.partition(f"\n  {group} ")[2].partition("\n\n")[0]
        assert of_group and verb in of_group
    assert max(map(len, told.out.splitlines())) <= 80


@pytest.mark.parametrize("group", groups())
def test_help_of_a_group_says_what_each_of_its_verbs_does(call: Any, group: str) -> None:
    told = call(group, "--help")
    assert told.code == 0
    words = " ".join(told.out.split())
    for verb in in_group(group):
        assert lookup(f"{group}.{verb}").summary() in words
    assert max(map(len, told.out.splitlines())) <= 80


def test_help_of_a_verb_shows_its_parameters(call: Any) -> None:
    told = call("features", "contrast", "--help")
    assert told.code == 0
    for name in ("--stimuli", "--permutations", "--against", "default: 1000"):
        assert name in told.out


def test_version_is_the_packages(call: Any) -> None:
    assert call("--version").out == f"workbench {__version__}\n"


def test_spec_lists_every_verb_as_json_schema(call: Any) -> None:
    told = call("spec", "--json").json
    assert list(told) == list(VERBS)
    assert told["features.contrast"]["parameters"]["properties"]["permutations"]["minimum"] == 20
    assert told["features.contrast"]["parameters"]["required"] == ["stimuli"]


def test_texts_that_are_no_text_of_a_terminal(call: Any) -> None:
    call("session", "new", "s")
    assert call("session", "note", "\x1b[31m[bold]red[/bold] \u202e 😀").code == 0
    told = call("session", "show")
    assert "\x1b[31m" not in told.out
    assert "\u202e" not in told.out


def test_quiet_says_nothing_on_stderr(call: Any) -> None:
    call("session", "new", "s")
    assert call("session", "note", "x", "--quiet").err == ""


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "do.script"
        path.write_text(text, "utf-8")
        return str(path)

    return write


def test_a_script_runs_its_lines_in_the_session_it_makes(call: Any, script: Any, sessions: Path) -> None:
    path = script("# a comment\n\nsession.new ${NAME}\n  session.note 'in ${NAME} # kept'\nsession.note ${WHAT}\n")
    done = call("run", path, "NAME=s", "WHAT=two=2", "--json")
    assert done.code == 0
    assert [reply["command"] for reply in done.json["result"]["commands"]] == [
        "session.new",
        "session.note",
        "session.note",
    ]
    assert done.json["session"] == "s"
    assert SessionRecord(sessions / "s").notes() == "in s # kept\ntwo=2\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("session.new s\n\nsession.nte x\n", ("line 3", "'session.nte'")),
        ("# fine\nsession.note ${WHAT}\n", ("line 2", "'WHAT'")),
        ("session.note 'open\n", ("line 1", "open")),
        ("session.show tial=3\n", ("line 1", "'tial'")),
        ("run other.script\n", ("line 1", "run")),
        ("# nothing\n", ("no command",)),
        ("", ("do.script",)),
    ],
)
def test_a_wrong_script_runs_nothing_and_names_the_line(
    call: Any, script: Any, sessions: Path, text: str, names: tuple[str, ...]
) -> None:
    told = call("run", script(text))
    assert told.code == 2
    for name in names:
        assert name in told.err
    assert list(sessions.iterdir()) == []


def test_a_script_stops_at_the_first_line_that_fails(call: Any, script: Any, sessions: Path) -> None:
    told = call("run", script("session.new s\nsession.undo 7\nsession.note x\n"))
    assert told.code == 2
    assert "7" in told.err
    assert SessionRecord(sessions / "s").lines == []


def test_a_dry_run_shows_the_lines_and_does_nothing(call: Any, script: Any, sessions: Path) -> None:
    path = script("session.new ${NAME}\nsession.note text='a b'\n")
    done = call("run", path, "NAME=s", "--dry-run")
    assert (done.code, done.out) == (0, "session.new s\nsession.note 'a b'\n")
    assert call("run", path, "NAME=s", "--dry-run", "--json").json["lines"] == done.out.splitlines()
    assert list(sessions.iterdir()) == []


def test_a_script_comes_from_standard_input(call: Any, sessions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"session.new piped\n")))
    done = call("run", "-")
    assert (done.code, [path.name for path in sessions.iterdir()]) == (0, ["piped"])


def test_a_script_that_is_no_text_is_refused(call: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.script"
    path.write_bytes(b"session.list\n\xff")
    told = call("run", str(path))
    assert told.code == 2
    assert "is not UTF-8 text: line 2" in told.err


@pytest.mark.parametrize("pair", ["NAME", "1X=3", "=3", "A B=3"])
def test_a_word_that_sets_no_variable_is_named(call: Any, script: Any, pair: str) -> None:
    told = call("run", script("session.new s\n"), pair)
    assert told.code == 2
    assert repr(pair) in told.err


def test_an_undone_note_leaves_the_notes_and_comes_back_with_them(call: Any) -> None:
    call("session", "new", "s")
    call("session", "note", "stays")
    call("session", "note", "goes")
    notes = lambda: call("session", "show", "--json").json["result"]["notes"]  # noqa: E731
    call("session", "undo")
    assert notes() == "stays\n"
    call("session", "undo", "3")
    assert notes() == "stays\ngoes\n"


def test_the_shell_says_which_session_comes_next(call: Any) -> None:
    call("session", "new", "s")
    assert "now work in 't'" in call("session", "fork", "t").err


def test_the_words_that_a_parameter_takes_stand_in_its_help(call: Any) -> None:
    assert "--statistic welch|paired|mann_whitney|rate" in call("features", "contrast", "--help").out


def test_a_default_of_several_words_is_told_in_words(call: Any) -> None:
    said = " ".join(call("features", "compare", "--help").out.split())
    assert "(default: maxact, rsa_discriminative, rsa_categorical, contrast, random)" in said


def test_a_demo_without_a_place_for_its_report_is_refused_before_the_work(
    call: Any, sessions: Path, tmp_path: Path
) -> None:
    found = call("demo", "--out", str(tmp_path / "nowhere" / "x.html"))
    assert found.code == 2
    assert "there is no folder" in found.err
    assert not (sessions / "demo").exists()


def test_a_report_takes_its_form_from_the_ending(call: Any, tmp_path: Path) -> None:
    call("session", "new", "s")
    call("session", "note", "words")
    for name, start in (("r.md", "# "), ("r.html", "<!doctype html>"), ("r", "<!doctype html>")):
        assert call("report", "--out", str(tmp_path / name)).code == 0
        assert (tmp_path / name).read_text().startswith(start), name


def test_a_refused_file_is_called_by_the_name_it_has_for_its_owner(call: Any, tmp_path: Path) -> None:
    call("session", "new", "s")
    (tmp_path / "bad.json").write_text("{")
    refused = call("stimuli", "import", str(tmp_path / "bad.json"))
    assert refused.code == 2
    assert "error: bad.json is not JSON" in refused.err


@pytest.mark.parametrize("line", ["features.contrast x window=first width=0", "features.probe x ridge=0"])
def test_a_typed_zero_is_not_taken_for_not_given(line: str) -> None:
    with pytest.raises(UsageError, match=r"(width|ridge) is 0"):
        parse_line(line)
    assert parse_line("features.contrast x window=first").params()["width"] == 0, "the log keeps it as before"


def test_an_unknown_option_is_told_with_the_verbs_that_have_it() -> None:
    with pytest.raises(UsageError, match=r"unknown option of stimuli edit '--order'.*an option of `features rsa`"):
        cli.parse_verb(lookup("stimuli.edit"), ["achievement", "--order", "a,b"])


def test_what_the_gate_found_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"passed": False, "text": "SAE not checked: --tokens 0 left it out"}
    reply = {
        "command": "sae.load",
        "result": {"gate": None},
        "provenance": {"gate": found},
        "warnings": [found["text"]],
    }
    for quiet in (False, True):
        cli.show_reply(reply, as_json=False, quiet=quiet)
        told = capsys.readouterr()
        assert (told.out + told.err).count("SAE not checked") == 1
