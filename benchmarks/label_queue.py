"""1,000 labels through the real engine while someone uses the real app, and asking that is killed again and again.

Part of `benchmarks/labels.py`. The service is a local server that answers after half a second; the app runs in a
pseudo-terminal. A key is painted when the terminal was sent the row that the cursor stands on.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LATENCY, CONCURRENCY = 0.5, 16
FAULTS = [429, None, 529, None, None, 500, 429]
LINE = ":labels.suggest top=2000 labeller=anthropic concurrency=16 yes=true budget=100 seed={}\r"
CURSOR = "›".encode()
PACE = 0.15
"""Seconds between two keys."""
KEYS = "jkjk7jkjk5jkjk3"
"""Moves on Select, Labels and Clusters, and the ways between them; it ends where it began."""
PER_LINE = 300
"""Labels that one line asks for at the least: the demo's ranking has 330 tested features."""
LONGEST = 240.0
"""Seconds after which the row is told as it stands, whatever is still to be answered."""
REQUESTS, KILLS = 300, 10


@contextmanager
def server(**options: Any) -> Iterator[str]:
    """A local service; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.labels.server", json.dumps(options)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def told(url: str, page: str = "stats") -> dict[str, Any]:
    """What the service says of itself."""
    with urllib.request.urlopen(f"{url}/{page}") as reply:
        found: dict[str, Any] = json.load(reply)
        return found


class App:
    """The real app in a pseudo-terminal of 120 by 40."""

    def __init__(self, environment: dict[str, str]) -> None:
        pid, self.file = pty.fork()
        if pid == 0:
            os.chdir(ROOT)
            os.execve(sys.executable, [sys.executable, "-m", "commands.cli"], environment)
        self.pid = pid
        self.lines = 0
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def read(self, wanted: bytes, limit: float) -> bytes:
        """What is sent until it holds some bytes, or the time is over."""
        found, end = b"", time.perf_counter() + limit
        while wanted not in found and (left := end - time.perf_counter()) > 0:
            if select.select([self.file], [], [], left)[0]:
                found += os.read(self.file, 65536)
        return found

    def rest(self, seconds: float) -> None:
        """Take in what is sent meanwhile."""
        self.read(b"\0nothing holds this", seconds)

    def painted(self, key: str) -> float:
        """Seconds from a key to the row under the cursor; at the edge of a list, where none moves, of the way back."""
        for tried in (key, {"j": "k", "k": "j"}.get(key, key)):
            self.rest(PACE)
            begun = time.perf_counter()
            os.write(self.file, tried.encode())
            found = self.read(CURSOR, 5.0)
            if CURSOR in found:
                return time.perf_counter() - begun
        raise RuntimeError(f"{key!r} painted no row within 5 s: {strip(found)[-300:]!r}")

    def type(self, text: str) -> None:
        """Type and wait a moment."""
        os.write(self.file, text.encode())
        self.rest(1.0)

    def ask_for_labels(self) -> None:
        """Ask for labels of windows that no line before asked for."""
        self.type(LINE.format(self.lines))
        self.lines += 1

    def close(self) -> None:
        """End it, whatever it does."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.file)


def queue_row(home: Path, labels: int) -> dict[str, Any]:
    """Labels asked for in the app until the service has answered so many, with keys pressed all the while."""
    with (
        tempfile.TemporaryDirectory(prefix="wb") as run,
        server(latency=LATENCY, faults=[*FAULTS, *[None] * 200, *FAULTS]) as url,
    ):
        environment = {
            **os.environ, "WORKBENCH_HOME": str(home), "WORKBENCH_SESSIONS": str(home / "sessions"),
            "WORKBENCH_RUNTIME": run, "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "test-key",
            "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        app = App(environment)
        try:
            app.read(b"hook_resid_post/sae", 60.0)  # the session is read
            app.rest(3.0)
            for screen in "573":
                app.type(screen)
            app.rest(2.0)
            idle = pressed(app, lambda count: count < 60)
            begun = time.perf_counter()
            app.ask_for_labels()
            busy = pressed(app, lambda _: time.perf_counter() - begun < LONGEST and running(app, url, labels))
            seconds = time.perf_counter() - begun
            return {"kind": "queue", "labels": labels, **measured(told(url), seconds), "idle_ms": milliseconds(idle),
                    "busy_ms": milliseconds(busy)}  # fmt: skip
        finally:
            app.close()
            subprocess.run(
                [sys.executable, "-m", "commands.cli", "engine", "stop"], env=environment, cwd=ROOT, capture_output=True
            )


def running(app: App, url: str, labels: int) -> bool:
    """Whether labels are still wanted; asks for more of them, from other windows, where the queue is about to end."""
    stats = told(url)
    if stats["answered"] >= labels:
        return False
    if stats["answered"] >= 0.9 * app.lines * PER_LINE:
        app.ask_for_labels()
    return True


def pressed(app: App, more: Any) -> list[float]:
    """Seconds to the paint of each key, as long as there is more to do; a look at the service is between two keys."""
    found: list[float] = []
    app.type("3")
    while more(len(found)):
        found += [app.painted(key) for key in KEYS]
    return found


def milliseconds(times: list[float]) -> dict[str, float]:
    """Median, p95 and worst."""
    ordered = sorted(times)
    return {
        "keys": len(ordered),
        "p50": round(1e3 * statistics.median(ordered), 1),
        "p95": round(1e3 * ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 1),
        "worst": round(1e3 * ordered[-1], 1),
    }


def measured(stats: dict[str, Any], seconds: float) -> dict[str, Any]:
    """What the service saw."""
    return {
        "answered": stats["answered"], "seconds": round(seconds, 1), "calls": stats["calls"],
        "repeated": stats["repeated"], "peak": stats["peak"], "limit": CONCURRENCY,
        "mean_under_way": round(stats["busy"] / max(stats["asking"], 1e-9), 2),
    }  # fmt: skip


# --- kills

KILLED = """
import sys
from pathlib import Path
from tests.labels.conftest import asking, requests
asking(Path(sys.argv[1]), concurrency=8).ask(requests({count}))
"""


def kill_row(seed: int = 0) -> dict[str, Any]:
    """Asking killed at random moments and begun again until all is answered; which stored replies were asked again."""
    from tests.labels.conftest import requests
    from workbench.labels.replies import Replies

    wanted, generator = requests(REQUESTS), random.Random(seed)
    with tempfile.TemporaryDirectory() as folder, server(latency=0.05) as url:
        replies, again, kills = Replies(Path(folder)), 0, 0
        environment = {
            **os.environ,
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "test-key",
            "PYTHONPATH": str(ROOT),
        }
        while (missing := [one for one in wanted if replies.get(one.key) is None]) or not kills:
            stored = {one.prompt for one in wanted} - {one.prompt for one in missing}
            before = told(url, "counts")
            answered = told(url)["answered"]
            process = subprocess.Popen(
                [sys.executable, "-c", KILLED.format(count=REQUESTS), folder], env=environment, cwd=ROOT
            )
            if kills < KILLS:
                while told(url)["answered"] == answered and process.poll() is None:
                    time.sleep(0.01)
                time.sleep(generator.uniform(0, 0.3))
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait()
            after = told(url, "counts")
            again += sum(after[prompt] - before[prompt] for prompt in stored)
        stats = told(url)
        return {
            "kind": "kills", "kills": kills, "requests": REQUESTS, "answered": stats["answered"],
            "stored_asked_again": again, "lost_on_their_way": stats["answered"] - REQUESTS,
            "most_on_their_way": 8 * kills,
        }  # fmt: skip


def bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What has to hold of the rows of this file that are there."""
    found = []
    for row in rows:
        if row["kind"] == "queue":
            share = row["mean_under_way"] / row["limit"]
            found += [
                ("calls under way on the average, of the limit", round(share, 3), 0.85, share >= 0.85),
                (
                    "key to paint while labels are asked, p95 in ms",
                    row["busy_ms"]["p95"],
                    50,
                    row["busy_ms"]["p95"] < 50,
                ),
                ("labels answered of those wanted", row["answered"], row["labels"], row["answered"] >= row["labels"]),
                ("labels asked twice in the engine", row["repeated"], 0, row["repeated"] == 0),
            ]
        elif row["kind"] == "kills":
            found.append(
                ("stored replies asked again after kills", row["stored_asked_again"], 0, not row["stored_asked_again"])
            )
    return [{"name": name, "value": value, "limit": limit, "holds": bool(holds)} for name, value, limit, holds in found]


def strip(text: bytes) -> str:
    """What was sent, without its escapes, for a look at what went wrong."""
    return re.sub(rb"\x1b\[[0-9;?<>=]*[ -/]*[@-~]", b"", text).decode("utf-8", "replace")
