"""Where the engine listens: private folders only, and no two installations or homes at one address."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench import __version__
from workbench.engine import address, peer
from workbench.errors import EngineUnreachable


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(prefix="wb-"))
    folder = root / "run"
    monkeypatch.setenv("WORKBENCH_RUNTIME", str(folder))
    monkeypatch.setenv("WORKBENCH_HOME", str(folder.parent / "home"))
    yield folder
    shutil.rmtree(root)


def test_the_folder_is_made_private(run: Path) -> None:
    found = address.engine_address()
    assert found.socket.parent == run
    assert run.stat().st_mode & 0o777 == 0o700
    assert len(os.fsencode(found.socket)) < address.PATH_LIMIT


def test_version_and_protocol_are_in_the_name(run: Path) -> None:
    assert address.engine_address().socket.name.startswith(f"{__version__}-{address.PROTOCOL}-")


def test_another_home_is_another_address(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = address.engine_address()
    monkeypatch.setenv("WORKBENCH_HOME", "/elsewhere")
    assert address.engine_address() != first


def test_a_folder_open_to_others_is_refused(run: Path) -> None:
    run.mkdir(mode=0o755)
    with pytest.raises(EngineUnreachable, match=r"open to other users.*0755.*chmod 700"):
        address.engine_address()


def test_a_folder_of_another_user_is_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run.mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    with pytest.raises(EngineUnreachable, match="belongs to user"):
        address.engine_address()


def test_a_link_in_place_of_the_folder_is_refused(run: Path) -> None:
    (run.parent / "real").mkdir(mode=0o700)
    run.symlink_to(run.parent / "real")
    with pytest.raises(EngineUnreachable, match="not a folder"):
        address.engine_address()


def test_a_folder_that_cannot_be_made_is_named(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run.parent.joinpath("file").write_text("")
    monkeypatch.setenv("WORKBENCH_RUNTIME", str(run.parent / "file" / "run"))
    with pytest.raises(EngineUnreachable, match="cannot be made"):
        address.engine_address()


def test_a_long_path_is_refused(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_RUNTIME", str(run / ("x" * 90)))
    with pytest.raises(EngineUnreachable, match="shorter path"):
        address.engine_address()


def test_the_user_s_runtime_folder_comes_before_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBENCH_RUNTIME", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert address.runtime_folder() == Path("/run/user/7/feature-workbench")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert address.runtime_folder() == Path(tempfile.gettempdir()) / f"feature-workbench-{os.getuid()}"


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the platform does not tell the peer's user")
def test_the_peer_s_user_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer.peer_uid(ours) == os.getuid()
        assert peer.is_own_user(ours)
        monkeypatch.setattr(os, "getuid", lambda: 4242)
        assert not peer.is_own_user(ours)


def test_where_the_kernel_cannot_say_the_folder_is_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "SO_PEERCRED", raising=False)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert peer.is_own_user(ours)
