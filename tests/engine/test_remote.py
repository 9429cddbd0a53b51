"""An engine of another machine: the same protocol through ssh, here through a program that plays it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.engine import toy
from tests.engine.conftest import Place
from workbench.engine.async_client import AsyncClient
from workbench.engine.client import Client
from workbench.engine.remote import ssh_command
from workbench.engine.spawn import python_command, python_environment
from workbench.engine.streams import program_dial
from workbench.errors import EngineUnreachable, UsageError

FAKE_SSH = """#!/bin/sh
echo "Welcome to the box, whose login shell talks"
for last; do :; done
exec sh -c "$last"
"""


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs with an `ssh` that runs the remote command here, and a `workbench` for it to find."""
    stdio = " ".join(python_command("tests.engine.toy_stdio"))
    for name, text in {
        "ssh": FAKE_SSH,
        "workbench": f'#!/bin/sh\n[ "$*" = "engine --stdio" ] && exec {stdio}\n',
    }.items():
        path = tmp_path / name
        path.write_text(text)
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("PYTHONPATH", python_environment()["PYTHONPATH"])
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def test_the_shell_reaches_an_engine_through_ssh(shared: Place, box: Path) -> None:
    shared.session("afar")
    with Client(None, through=ssh_command(f"me@box:{box}/workbench")) as client:
        reply = client.request(toy.Note(text="from afar"), session="afar", sessions=shared.sessions)
        assert reply["result"]["text"] == "from afar"
        assert client.request(toy.Echo(text="again"))["result"]["text"] == "again"


def test_the_app_reaches_an_engine_through_ssh(shared: Place, box: Path) -> None:
    async def scenario() -> str:
        client = AsyncClient(program_dial(ssh_command(f"me@box:{box}/workbench", ask=False)), shared.sessions)
        reply = await client.request(toy.Echo(text="afar"), session=None)
        await client.close()
        return str(reply["result"]["text"])

    assert asyncio.run(scenario()) == "afar"


def test_a_remote_workbench_that_is_not_found_is_explained(
    box: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (box / "workbench").unlink()
    with pytest.raises(EngineUnreachable, match="there is no workbench to run on me@box") as caught:
        Client(None, through=ssh_command("me@box"), where="me@box")
    assert "neither on the login shell's PATH" in caught.value.hint
    assert "--host USER@BOX:PATH" in capfd.readouterr().err


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(EngineUnreachable, match="/no/such/program cannot be run"):
        Client(None, through=["/no/such/program"])


@pytest.mark.parametrize("host", ["", ":path", "-oProxyCommand=x", "a b"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="names no host"):
        ssh_command(host)


def test_the_remote_path_is_quoted_and_the_home_is_left_to_the_remote_shell() -> None:
    assert ssh_command("me@box:~/my venv/workbench")[-1] == "exec ~/'my venv/workbench' engine --stdio"
    assert ssh_command("me@box:/x;rm")[-1] == "exec '/x;rm' engine --stdio"
    assert "BatchMode=yes" in ssh_command("me@box", ask=False)
