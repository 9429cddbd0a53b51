"""Other users of the machine, for real: they cannot reach the engine, nor lay a trap where it starts; hostile bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.engine import toy
from tests.engine.conftest import Place
from tests.engine.test_protocol import ECHO, raw
from tests.tiny import required
from workbench.engine.client import Client
from workbench.engine.wire import hello
from workbench.errors import EngineUnreachable

STRANGER = 54321


@pytest.fixture(autouse=True)
def root(request: pytest.FixtureRequest) -> None:
    if os.geteuid() != 0 and "shared" not in request.fixturenames:
        required("becoming another user needs root")


def reach(path: Path) -> dict[str, object]:
    """What another user finds at the engine's socket."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.strange", str(STRANGER), str(path)],
        capture_output=True, text=True, check=True, timeout=90,
    )  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout)
    assert found["uid"] == STRANGER
    return found


def test_another_user_cannot_enter_the_folder(own: Place) -> None:
    pid = own.status()["pid"]
    own.root.chmod(0o755)
    assert reach(own.address.socket) == {"uid": STRANGER, "error": "PermissionError"}
    assert own.status()["pid"] == pid


def test_another_user_who_enters_the_folder_is_stopped_by_the_socket_s_mode(own: Place) -> None:
    own.status()
    path = own.address.socket
    for folder in (own.root, path.parent):
        folder.chmod(0o755)
    assert reach(path) == {"uid": STRANGER, "error": "PermissionError"}
    path.parent.chmod(0o700)


def test_another_user_who_may_connect_is_shown_the_door_by_the_kernel_s_word(own: Place) -> None:
    socket = own.address.socket
    pid = own.status()["pid"]
    for path, mode in ((own.root, 0o755), (socket.parent, 0o755), (socket, 0o666)):
        path.chmod(mode)
    found = reach(socket)
    assert found["connected"]
    assert found.get("heard", "") == ""
    socket.parent.chmod(0o700)
    assert own.status()["pid"] == pid, "the engine is another one"
    own.session("after")
    assert own.request(toy.Note(text="as before"), session="after")["result"]["text"] == "as before"


@pytest.mark.parametrize("mode", [0o755, 0o710, 0o701, 0o770, 0o707, 0o777, 0o1777])
def test_a_folder_that_others_can_enter_is_refused(own: Place, mode: int) -> None:
    folder = Path(os.environ["WORKBENCH_RUNTIME"])
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(EngineUnreachable, match=r"open to other users .mode 0\d*|open to other users") as caught:
        Client("tests.engine.toy_broker")
    assert "chmod 700" in caught.value.hint
    assert list(folder.iterdir()) == [], "something was put into it"
    folder.rmdir()


def test_a_folder_that_another_user_made_first_is_refused(own: Place) -> None:
    folder = Path(os.environ["WORKBENCH_RUNTIME"])
    folder.mkdir(mode=0o700)
    os.chown(folder, STRANGER, STRANGER)
    with pytest.raises(EngineUnreachable, match=f"belongs to user {STRANGER}, not to you .0."):
        Client("tests.engine.toy_broker")
    assert list(folder.iterdir()) == []
    folder.rmdir()


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    blocks=st.lists(
        st.binary(max_size=80)
        | st.sampled_from(
            [b"\n", b'{"id": 1, "do": "toy.echo"', b"}\n", b'{"cancel": 1}\n', b'{"watch": null', b"\xff"]
        ),
        max_size=12,
    ),
    greeted=st.booleans(),
)
def test_any_bytes_leave_the_engine_as_it_was(shared: Place, blocks: list[bytes], greeted: bool) -> None:
    with raw(shared, greet=greeted) as connection:
        for block in blocks:
            connection.say(block)
        connection.say(b"\n", *(() if greeted else (hello(),)), {**ECHO, "id": "the last one"})
        while (answer := connection.hear()).get("id") != "the last one":
            assert "error" in answer or "result" in answer or "hello" in answer
        assert answer["result"]["result"]["text"] == "still here"
