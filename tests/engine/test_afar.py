"""What is said of a machine behind ssh: on which one a file was looked for, and why it was not reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine import toy
from workbench import __version__
from workbench.engine.afar import not_here, not_there, other_protocol, side, unreachable
from workbench.engine.wire import Lines, ProtocolError, hello_in
from workbench.errors import EngineDied, InputFileError, UnknownNameError, UsageError
from workbench.verbs import InputFile, NameOrFile, OutputFile, Query

LOST = InputFileError("there is no file x", "Check the path; it is relative to where you are.")


class Uses(Query):
    """Name files."""

    dotted = "toy.uses"

    corpus: NameOrFile = "demo"
    file: InputFile = ""
    out: OutputFile = ""
    top: int = 3


@pytest.mark.parametrize(
    ("said", "what", "mend"),
    [
        ("Host key verification failed.", "does not know the host key of me@box", "`ssh me@box`"),
        (
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            "the host key of me@box is not the one",
            "ssh-keygen -R",
        ),
        ("me@box: Permission denied (publickey,password).", "me@box did not let this user in", "ssh-add"),
        ("ssh: Could not resolve hostname box: Name or service not known", "no machine is known", "~/.ssh/config"),
        ("ssh: connect to host box port 22: Connection refused", "me@box cannot be reached", "Is it on"),
        ("ssh: connect to host box port 22: Operation timed out", "me@box cannot be reached", "Is it on"),
        ("bash: line 1: exec: 22: not found", "there is no workbench to run on me@box", "A port goes into"),
        ("error: unknown option '--stdio'.", "the workbench on me@box cannot carry", "up to date"),
        ("This account is currently not available.", "lets this user in, but run no commands", "login shell"),
    ],
)
def test_what_ssh_says_is_named_quoted_and_mended(said: str, what: str, mend: str) -> None:
    error = unreachable("me@box", f"motd\n{said}\n", 255)
    assert what in error.message
    assert mend in error.hint
    assert said.splitlines()[-1] in error.hint


def test_an_end_that_nobody_explained_is_told_with_its_status() -> None:
    error = unreachable("me@box", "\n", 3)
    assert error.message == "the link to me@box ended before the engine answered (exit status 3)"
    assert error.hint.endswith("Nothing came back.")
    assert len(unreachable("me@box", "x" * 5000).hint) < 600


def test_a_file_that_is_read_here_was_looked_for_here() -> None:
    assert "on this machine, not on me@box" in not_here(LOST, "me@box").hint
    other = UsageError("bad")
    assert not_here(other, "me@box") is other


def test_what_the_box_reads_was_looked_for_there(tmp_path: Path) -> None:
    far = not_there(LOST, Uses(corpus="/data/x"), "me@box")
    assert far.hint == "Check the path. It was looked for on me@box, not here."
    assert "by its absolute path there" in not_there(LOST, Uses(corpus="x"), "me@box").hint
    (tmp_path / "a b").write_text("here")
    here = not_there(LOST, Uses(corpus=str(tmp_path / "a b")), "me@box")
    assert f"(`scp -r '{tmp_path}/a b' me@box:`)" in here.hint
    assert "here first, then on me@box" in not_there(LOST, toy.Read(file="x"), "me@box").hint


def test_what_is_wrong_in_a_file_from_here_is_not_put_on_the_box() -> None:
    assert not_there(LOST, Uses(file="my.json"), "me@box") is LOST
    died = EngineDied("gone")
    assert not_there(died, Uses(corpus="/x"), "me@box") is died
    assert "on me@box, not here" in not_there(UnknownNameError("unknown set"), Uses(), "me@box").hint


def test_another_version_may_be_why_it_refused() -> None:
    told = not_there(UnknownNameError("unknown command"), Uses(), "me@box", "0.0.9")
    assert f"me@box has workbench 0.0.9, this machine {__version__}." in told.hint
    error = other_protocol(ProtocolError("the other side says hello 2"), "me@box")
    assert error.message == "me@box says hello 2"


def test_prompts_say_on_which_machine_a_path_is() -> None:
    sides = [side(Uses, field, "box") for field in ("corpus", "file", "out", "top")]
    assert sides == ["paths are of box", "read here, sent along", "written here", ""]
    assert side(toy.Read, "file", "box") == "sent from here, or a path on box"


def test_a_hello_is_found_behind_what_a_login_shell_prints() -> None:
    lines = Lines().feed(b'Welcome\n{not json\nno end of line> {"hello":1,"version":"1"}\n{"id":1}\n')
    found, said = hello_in(lines)
    assert found == [b'{"hello":1,"version":"1"}', b'{"id":1}']
    assert said == "Welcome\n{not json"
    assert hello_in(Lines().feed(b"only words\n")) == ([], "only words")
