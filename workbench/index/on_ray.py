"""Making the shards of an index on a Ray cluster: many processes, on this machine or on others.

A worker is told what to load, never given it: paths and digests travel, each worker loads model and features once, and
the bytes of a shard come back. What a worker was at when it died is made again by another; a shard is a function of
its inputs, so that the index does not depend on who made what. A cluster runs the code of whoever reaches its ports
and has its token: the one that is started here gets a token of its own, unless `RAY_AUTH_MODE` says what it gets.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from workbench import __version__
from workbench.errors import EngineDied, InputFileError, MismatchError, UsageError, WorkbenchError, error_from_dict

if TYPE_CHECKING:
    from workbench.index.making import Bounds, Elsewhere, ShardMaker

Pause = Callable[[str], None]
HERE = "ray"
"""The cluster that is started for one build, on this machine."""
_REMOTE = "ray://"
_LIVES = 3
"""How often a worker that died is started again, and a shard tried again."""
_POLL = 0.5
"""Seconds between two looks at whether the work was cancelled."""
_REACH = 10
"""Seconds to wait for an address."""
_TRIES, _PAUSE = 4, 5.0
"""How often to ask a head that answers for a connection, and the seconds between: a busy one fails at first."""


@dataclass(frozen=True)
class Task:
    """What a worker needs to know to make shards.

    Attributes:
        model: the session's entry of the model, with its digest.
        sae: the session's entry of the features, with its digest.
        home: the folder of the caches, where workers find the token store.
        store: digest of the token store.
        total: tokens of the corpus that are indexed.
        examples: top windows kept of each feature.
        threads: of a worker; the last bit of a product may depend on it.
        gpu: whether each worker needs a GPU of its own.
        version: of the workbench.
    """

    model: dict[str, Any]
    sae: dict[str, Any]
    home: str
    store: str
    total: int
    examples: int
    threads: int
    gpu: bool = False
    version: str = __version__


class ShardWorker:
    """One process of the cluster; it loads on first need, so that what goes wrong can be told."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._maker: ShardMaker | None = None

    def make(self, bounds: Bounds) -> bytes | dict[str, str]:
        """The bytes of a shard, or the error that a person should read."""
        try:
            if self._maker is None:
                self._maker = _load(self._task)
            return self._maker.make(bounds, _silent)
        except WorkbenchError as error:
            told = error.as_dict()
            return {**told, "message": f"{told['message']} (on {socket.gethostname()})"}


def _silent(_done: int) -> None: ...


def _load(task: Task) -> ShardMaker:
    import torch

    from workbench.corpus.store import open_digest
    from workbench.index.making import ShardMaker
    from workbench.models.cache import ModelCache

    if task.version != __version__:
        raise MismatchError(
            f"a worker has version {__version__} of the workbench, this machine {task.version}",
            "Install the same version everywhere.",
        )
    torch.set_num_threads(task.threads)
    store = open_digest(Path(task.home), task.store)
    if store is None:
        raise InputFileError(
            f"the corpus is not in {task.home}",
            "Put WORKBENCH_HOME on a disk that all machines of the cluster see under this path.",
        )
    models = ModelCache()
    model = models.model(task.model)
    return ShardMaker(model, models.space(task.sae, model), store, task.total, task.examples)


def on_ray(address: str, task: Task, pause: Pause) -> Elsewhere:
    """What makes shards on the cluster at an address.

    Args:
        address: `ray` for one on this machine, made for the build, or `ray://HOST:PORT`.
        pause: told twice a second what is waited for, while connecting and while nothing came; may raise to stop.

    Raises:
        UsageError: Ray is not installed, or nobody answers at the address.
    """
    ray = _ray(address)

    def make(wanted: Sequence[tuple[int, Bounds]], tick: Callable[[int], None]) -> Iterator[tuple[int, bytes]]:
        with _cluster(ray, address, pause):
            workers = _workers(ray, task, len(wanted))
            try:
                yield from _made(ray, workers, wanted, tick, pause)
            finally:
                for worker in workers:
                    ray.kill(worker)

    return make


def _ray(address: str) -> Any:
    """The package, with its settings made: it reads them when it is imported.

    Raises:
        UsageError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    if address == HERE and "RAY_AUTH_MODE" not in os.environ:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    os.environ.setdefault("RAY_CLIENT_MAX_CONNECTION_TIMEOUT_S", "60")
    os.environ.setdefault("RAY_CLIENT_INITIAL_CONNECTION_TIMEOUT_S", "60")  # a busy head starts a server first
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import ray
    except ImportError as error:
        raise UsageError(
            f"Ray is not installed ({error})", "`pip install 'feature-workbench[ray]'`, or leave --on out."
        ) from error
    return ray


@contextmanager
def _cluster(ray: Any, address: str, pause: Pause) -> Iterator[None]:
    """A connection, ended at the end, and with it the cluster where it was made for this."""
    if address.startswith(_REMOTE):
        settings: dict[str, Any] = {"address": address}
        waiting = f"connecting to {address}"
    else:
        settings = {"address": "local", "include_dashboard": False}
        settings |= {"log_to_driver": False, "configure_logging": False}
        waiting = "starting a cluster here"

    def connect() -> None:
        if address.startswith(_REMOTE):
            _reach(address)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _connect(ray, settings)

    try:
        if address.startswith(_REMOTE):
            _beside(connect, ray.shutdown, lambda: pause(waiting))
        else:  # the processes of a cluster end with the thread that started them
            pause(waiting)
            connect()
    except WorkbenchError:
        raise
    except Exception as error:  # Ray raises whatever its parts do
        raise _unreachable(address, f"{type(error).__name__}: {str(error).strip()[:200]}") from error
    try:
        yield
    finally:
        ray.shutdown()


_CONNECTING = Lock()
"""Held while Ray connects, which it does once at a time; a connection that was given up holds it to its end."""


def _beside(connect: Callable[[], None], undo: Callable[[], None], pause: Callable[[], None]) -> None:
    """Connect in a thread of its own, so that waiting for it can be stopped: Ray itself cannot be.

    Raises:
        Exception: whatever `connect` or `pause` raise; after the latter a connection that comes late is ended.
    """
    ended, given_up, deciding = Event(), Event(), Lock()
    raised: list[Exception] = []

    def run() -> None:
        try:
            connect()
        except Exception as error:  # raised again by whoever waits
            raised.append(error)
        try:
            with deciding:
                ended.set()
                if given_up.is_set() and not raised:
                    undo()
        finally:
            _CONNECTING.release()  # whatever ending it did: others wait for it

    pause()
    while not _CONNECTING.acquire(timeout=_POLL):
        pause()
    Thread(target=run, name="connecting", daemon=True).start()
    try:
        while not ended.wait(_POLL):
            pause()
    except BaseException:
        with deciding:
            given_up.set()
            if ended.is_set() and not raised:
                undo()
        raise
    if raised:
        raise raised[0]


def _connect(ray: Any, settings: dict[str, Any]) -> None:
    for left in reversed(range(_TRIES)):
        try:
            ray.init(**settings)
            return
        except ConnectionError:
            ray.shutdown()
            if not left:
                raise
            time.sleep(_PAUSE)


def _reach(address: str) -> None:
    """Knock at the door first: Ray itself tries for minutes."""
    host, _, port = address.removeprefix(_REMOTE).rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH).close()
    except (OSError, ValueError, OverflowError) as error:
        raise _unreachable(address, str(error)) from error


def _unreachable(address: str, reason: str) -> UsageError:
    hint = "Start one there (`ray start --head --ray-client-server-port 10001`); if it asks for a token, set "
    hint += "RAY_AUTH_MODE=token and RAY_AUTH_TOKEN."
    return UsageError(f"no Ray cluster at {address} ({reason})", hint if address != HERE else "Leave --on out.")


def _workers(ray: Any, task: Task, most: int) -> list[Any]:
    """As many workers as the cluster has room for, but no more than there are shards."""
    offers = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    cpus = min(task.threads, max([1, *(int(offer.get("CPU", 0)) for offer in offers)]))
    room = sum(int(offer.get("CPU", 0) // cpus) for offer in offers)
    if task.gpu:
        room = min(room, sum(int(offer.get("GPU", 0)) for offer in offers))
    kind = ray.remote(
        num_cpus=cpus, num_gpus=1 if task.gpu else 0, max_restarts=_LIVES, max_task_retries=_LIVES, max_concurrency=1
    )(ShardWorker)
    return [kind.remote(task) for _ in range(max(1, min(room, most)))]


def _made(
    ray: Any,
    workers: Sequence[Any],
    wanted: Sequence[tuple[int, Bounds]],
    tick: Callable[[int], None],
    pause: Pause,
) -> Iterator[tuple[int, bytes]]:
    """Shards as they come; each worker has one under way."""
    left, done = deque(wanted), 0
    under_way: dict[Any, tuple[int, Bounds, Any]] = {}

    def give(worker: Any) -> None:
        if left:
            number, bounds = left.popleft()
            under_way[worker.make.remote(bounds)] = (number, bounds, worker)

    for worker in workers:
        give(worker)
    while under_way:
        ready, _ = ray.wait(list(under_way), num_returns=1, timeout=_POLL)
        if not ready:
            pause("reading the corpus on the cluster")
        for found in ready:
            number, (first, last), worker = under_way.pop(found)
            raw = _got(ray, found)
            give(worker)
            yield number, raw
            done += last - first
            tick(done)


def _got(ray: Any, found: Any) -> bytes:
    try:
        raw = ray.get(found)
    except ray.exceptions.RayActorError as error:
        raise EngineDied(
            f"a worker of the cluster died {_LIVES + 1} times ({_first_line(error)})",
            "See the memory of its machine. Shards made so far are kept: repeat to go on.",
        ) from error
    except ray.exceptions.RayError as error:
        raise WorkbenchError(
            f"the cluster could not make a shard ({_first_line(error)})",
            "The same version of the workbench must be installed on all its machines.",
        ) from error
    if isinstance(raw, dict):
        raise error_from_dict(raw)
    return bytes(raw)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:200]
