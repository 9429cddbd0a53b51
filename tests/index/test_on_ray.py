"""An index built by the processes of a Ray cluster, one of them killed, has the bytes of one built by a loop."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from tests.index.conftest import EXAMPLES, build, documents, make_store
from workbench.errors import Cancelled, InputFileError, MismatchError, UsageError, error_from_dict
from workbench.index import on_ray, shards
from workbench.index.build import building_of
from workbench.index.on_ray import Task

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("default")]
PORT_TRIES = 50


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def head() -> Iterator[tuple[str, int]]:
    """Address of a cluster with room for two workers, and the process at its head."""
    if find_spec("ray") is None:
        tiny.required("Ray is not installed (extra `ray`)")
    port, folder = free_port(), tempfile.mkdtemp(prefix="wb-ray-", dir="/tmp")
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    os.environ |= token  # read when Ray is imported, which is once
    command = [
        sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus", "2",
        "--node-ip-address", "127.0.0.1", "--port", str(free_port()), "--ray-client-server-port", str(port),
        "--include-dashboard", "false", "--temp-dir", folder, "--object-store-memory", "100000000",
        "--disable-usage-stats",
    ]  # fmt: skip
    with Path(folder, "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            wait_for(port, process, Path(folder, "log"))
            yield f"ray://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait(30)
            shutil.rmtree(folder, ignore_errors=True)
            for name in token:
                os.environ.pop(name)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail(f"no cluster: {log.read_text('utf-8', 'replace')[-2000:]}")


def workers_below(pid: int) -> set[int]:
    """Processes of the cluster in which a worker of ours lives."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            names[int(folder.name)] = folder.joinpath("cmdline").read_text("utf-8", "replace")
        except (OSError, ValueError):
            continue

    def below(one: int) -> bool:
        while one in parents and one != pid:
            one = parents[one]
        return one == pid

    return {one for one, name in names.items() if name.startswith("ray::ShardWorker") and below(one)}


@pytest.fixture
def folders(tmp_path: Path, tiny_files: Path, tiny_model: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A store in a cache of its own, cut into many shards, and what a worker is told."""
    monkeypatch.setattr(shards, "SHARD", 40)
    store = make_store(tmp_path / "home", tiny_model, documents())
    entry = {"ref": str(tiny_files / "model"), "device": "cpu", "digest": tiny_model.info["digest"]}
    features = {"ref": str(tiny_files / "sae"), "site": ""}
    home = str(tmp_path / "home")
    return store, Task(entry, features, home, store.digest, len(store.tokens), EXAMPLES, 1)


def nothing(_text: str) -> None: ...


def test_a_worker_is_killed_and_the_index_is_that_of_the_loop(
    tmp_path: Path, tiny_model: Any, tiny_space: Any, folders: Any, head: tuple[str, int]
) -> None:
    store, task = folders
    address, pid = head
    whole = build(tmp_path / "whole", tiny_model, tiny_space, store)
    seen: set[int] = set()
    killed: set[int] = set()
    done: list[int] = []

    def tick(at: int, total: int, text: str) -> None:
        done.append(at)
        seen.update(workers_below(pid))
        if text == "reading the corpus" and len(seen) > 1 and not killed:
            killed.add(min(workers_below(pid)))
            os.kill(min(killed), signal.SIGKILL)

    elsewhere = on_ray.on_ray(address, task, nothing)
    one = build(tmp_path / "one", tiny_model, tiny_space, store, tick=tick, elsewhere=elsewhere)
    assert tiny.snapshot(one.folder) == tiny.snapshot(whole.folder)
    assert len(killed) == 1
    assert len(seen - killed) >= 1, "others went on"
    assert done == sorted(done)
    assert done[-1] == len(store.tokens)


def test_a_build_on_a_cluster_stops_and_goes_on(
    tmp_path: Path,
    tiny_model: Any,
    tiny_space: Any,
    folders: Any,
    head: tuple[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, task = folders
    workers = on_ray._workers
    monkeypatch.setattr(on_ray, "_workers", lambda ray, task, _: workers(ray, task, 1))  # one loads as well as two

    def stop(at: int, total: int, text: str) -> None:
        raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        build(
            tmp_path / "one", tiny_model, tiny_space, store, tick=stop,
            elsewhere=on_ray.on_ray(head[0], task, nothing),
        )  # fmt: skip
    assert len(list((building_of(tmp_path / "one") / "shards").glob("*.safetensors"))) == 1
    assert wait_until_none(head[1]), "the workers of a cancelled build are gone"
    one = build(tmp_path / "one", tiny_model, tiny_space, store)
    assert tiny.snapshot(one.folder) == tiny.snapshot(build(tmp_path / "two", tiny_model, tiny_space, store).folder)


def wait_until_none(pid: int) -> bool:
    for _ in range(PORT_TRIES):
        if not workers_below(pid):
            return True
        time.sleep(0.2)
    return False


def test_what_a_worker_cannot_load_is_told(tmp_path: Path, folders: Any) -> None:
    from dataclasses import replace

    _, task = folders
    for changed, kind, told in (
        (replace(task, home=str(tmp_path / "nowhere")), InputFileError, "the corpus is not in"),
        (replace(task, version="0.0.1"), MismatchError, "the workbench, this machine 0.0.1"),
        (replace(task, model={**task.model, "digest": "sha256:0"}), InputFileError, "model"),
    ):
        reply = on_ray.ShardWorker(changed).make((0, 20))
        assert isinstance(reply, dict)
        error = error_from_dict(reply)
        assert isinstance(error, kind)
        assert told in error.message
        assert socket.gethostname() in error.message


@pytest.mark.parametrize("address", ["ray://127.0.0.1:1", "ray://127.0.0.1:99999"])
def test_an_address_where_nobody_answers(
    tmp_path: Path, tiny_model: Any, tiny_space: Any, folders: Any, address: str
) -> None:
    if find_spec("ray") is None:
        tiny.required("Ray is not installed (extra `ray`)")
    store, task = folders
    with pytest.raises(UsageError, match=f"no Ray cluster at {address}"):
        build(tmp_path / "one", tiny_model, tiny_space, store, elsewhere=on_ray.on_ray(address, task, nothing))


def test_without_ray_the_extra_is_named(folders: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"feature-workbench\[ray\]"):
        on_ray.on_ray("ray://127.0.0.1:1", folders[1], nothing)


def test_the_verb_builds_on_a_cluster_of_its_own(loaded: Any, home: Path, sessions: Path, tmp_path: Path) -> None:
    if find_spec("ray") is None:
        tiny.required("Ray is not installed (extra `ray`)")
    text = tmp_path / "some.txt"
    text.write_text("\n".join(line for line in documents() if line))
    loaded(f"corpus.import {text}")
    loaded("index.build some")
    built = {path.name: tiny.snapshot(path) for path in (home / "index").iterdir()}
    assert len(built) == 1
    shutil.rmtree(home / "index")
    options = ["--on", "ray", "--session", "s", "--sessions", str(sessions), "--no-engine", "--json"]
    # a process of its own: Ray leaves processes of its cluster for the interpreter's end to wait for
    found = subprocess.run(
        [sys.executable, "-m", "commands.cli", "index", "build", "some", *options],
        capture_output=True, text=True, timeout=240, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["result"]["tokens"] > 0, "stdout is one JSON object"
    assert {path.name: tiny.snapshot(path) for path in (home / "index").iterdir()} == built


class BusyHead:
    """Ray as it is while a head cannot give a connection yet."""

    def __init__(self, refusals: int) -> None:
        self.refusals, self.asked, self.ended = refusals, 0, 0

    def init(self, **settings: Any) -> None:
        self.asked += 1
        if self.asked <= self.refusals:
            raise ConnectionAbortedError("Initialization failure from server")

    def shutdown(self) -> None:
        self.ended += 1


@pytest.mark.parametrize(("refusals", "asked"), [(0, 1), (3, 4), (9, 4)])
def test_a_busy_head_is_asked_again_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, refusals: int, asked: int
) -> None:
    monkeypatch.setattr(on_ray, "_PAUSE", 0.0)
    busy = BusyHead(refusals)
    if refusals < asked:
        on_ray._connect(busy, {})
    else:
        with pytest.raises(ConnectionAbortedError):
            on_ray._connect(busy, {})
    assert (busy.asked, busy.ended) == (asked, min(refusals, asked))


class SlowHead:
    """A connection that takes as long as it is held."""

    def __init__(self) -> None:
        self.go_on, self.undone = threading.Event(), threading.Event()

    def connect(self) -> None:
        assert self.go_on.wait(20)


def test_connecting_can_be_stopped_and_what_comes_late_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_ray, "_POLL", 0.01)
    head, told = SlowHead(), list[int]()

    def pause() -> None:
        told.append(1)
        if len(told) == 3:
            raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        on_ray._beside(head.connect, head.undone.set, pause)
    assert not head.undone.is_set()
    again: list[int] = []

    def let_go() -> None:
        again.append(1)
        head.go_on.set()

    on_ray._beside(lambda: None, lambda: None, let_go)  # waits until the one that was given up has ended
    assert head.undone.is_set()
    assert again


def test_what_connecting_raises_is_raised_and_nothing_is_undone() -> None:
    undone: list[int] = []

    def fail() -> None:
        raise ConnectionError("no")

    with pytest.raises(ConnectionError, match="no"):
        on_ray._beside(fail, lambda: undone.append(1), lambda: None)
    assert not undone


def test_a_build_tells_that_it_is_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    with (
        pytest.raises(UsageError, match=r"no Ray cluster at ray://127\.0\.0\.1:1 "),
        on_ray._cluster(BusyHead(0), "ray://127.0.0.1:1", told.append),
    ):
        pytest.fail("nobody answers there")
    assert set(told) == {"connecting to ray://127.0.0.1:1"}
