"""The Feature screen on a wide SAE: from a key to the painted page, the engine's part of it, searching and exporting.

    python benchmarks/feature_screen.py [--latents 65536] [--presses 150] [--json]

The real engine and the real app, in a pseudo-terminal of 120 by 40, on a session in which every feature is indexed on a
corpus, ranked by a contrast and has an imported label. `J` goes to the next feature: pressed once the page rests, and
held (30 a second, as keyboards repeat). A press is settled with the last byte that the app sends for it; of a held key
it is the time until the page of that very press stands there, and `shown` the share of presses whose page was painted.
`cpu` is the processor time of the app and of the engine, which a busy machine does not inflate. Search and export run
in processes of their own (`--no-engine`), so that time and peak of memory are theirs, start included.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import re
import select
import statistics
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from front_end import ESCAPES, SHELL, own_folders, stop_engine  # these are beside this file
from inputs.wide_sae import CONTEXT, VOCABULARY, word
from report import bar_table, machine_load, stamp, tell

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
SIZE = (120, 40)
SESSION = "wide"
DOCUMENTS, SENTENCES = 256, 40
REPEAT = 1 / 30
"""Seconds between two presses of a held key."""
REST = 0.12
"""Seconds without a byte after which the page is settled."""
PLACE = re.compile(rb"([\d,]+) of [\d,]+ in Select")
TICK = os.sysconf("SC_CLK_TCK")
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def workbench(*words: str) -> dict[str, Any]:
    """The result of one call of the shell."""
    done = subprocess.run(
        [*SHELL, *words, "--session", SESSION, "--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(
            f"workbench {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr[-800:]}"
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def make_session(folder: Path, latents: int) -> None:
    """A session with everything that the Feature screen can show."""
    import numpy as np

    # in a process of its own: the peak of what is started from a large one is never below that one's size
    making = "import sys, pathlib; from inputs.wide_sae import make_files; "
    making += "make_files(pathlib.Path(sys.argv[1]), int(sys.argv[2]))"
    subprocess.run([sys.executable, "-c", making, str(folder), str(latents)], cwd=Path(__file__).parent, check=True)
    ids = np.load(folder / "tokens.npy")[:DOCUMENTS, 1:] - 1
    texts = [" " + " ".join(word(number) for number in row) for row in ids.tolist()]
    _write(folder / "texts.jsonl", [{"text": text} for text in texts])
    sets = {name: [" " + " ".join(text.split()[:12]) for text in texts[at::2][:SENTENCES]]
            for at, name in enumerate(("one", "other"))}  # fmt: skip
    (folder / "halves.json").write_text(json.dumps(sets))
    told = [{"index": number, "description": f"words like {word(number % VOCABULARY)} in text {number % 97}"}
            for number in range(latents)]  # fmt: skip
    _write(folder / "told.jsonl", told)
    for line in (
        ["session", "new", SESSION],
        ["model", "load", str(folder / "model")],
        ["sae", "load", str(folder / f"sae-{latents}")],
        ["corpus", "import", str(folder / "texts.jsonl"), "--name", "texts"],
        ["index", "build", "texts", "--tokens", str(DOCUMENTS * CONTEXT)],
        ["stimuli", "import", str(folder / "halves.json")],
        ["features", "contrast", "halves", "--permutations", "200"],
        ["labels", "import", str(folder / "told.jsonl"), "--unbound"],
    ):
        workbench(*line)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


class Screen:
    """The app in a pseudo-terminal: keys in, painted bytes out, each piece with the time it came."""

    def __init__(self) -> None:
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.environ.update(TERM="xterm-256color", COLUMNS=str(SIZE[0]), LINES=str(SIZE[1]))
            os.execv(sys.executable, [*SHELL, "--session", SESSION])
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))

    def press(self, keys: str) -> float:
        """When some keys were pressed."""
        now = time.perf_counter()
        os.write(self.file, keys.encode())
        return now

    def pieces(self, rest: float, limit: float = 30.0, first: float = 0.0) -> Iterator[tuple[float, bytes]]:
        """What is painted, and when, until nothing came for so long; `first` is how long to wait for the first."""
        end, wait = time.perf_counter() + limit, first or rest
        while time.perf_counter() < end and select.select([self.file], [], [], wait)[0]:
            try:
                piece = os.read(self.file, 1 << 16)
            except OSError:  # the app has ended
                return
            yield time.perf_counter(), piece
            wait = rest

    def settle(self, rest: float = REST, first: float = 0.0) -> tuple[float, bytes]:
        """When the last byte came, and all of them."""
        found = list(self.pieces(rest, first=first))
        return (found[-1][0] if found else 0.0), b"".join(piece for _, piece in found)

    def wait(self, text: bytes, limit: float = 60.0) -> None:
        """Read until a text is painted."""
        said, end = b"", time.perf_counter() + limit
        while text not in ESCAPES.sub(b"", said):
            if time.perf_counter() > end:
                raise RuntimeError(f"{text!r} did not appear: {ESCAPES.sub(b'', said)[-2000:]!r}")
            said += b"".join(piece for _, piece in self.pieces(0.1, 1.0))

    def end(self) -> None:
        """Quit the app."""
        self.press("\x11")
        self.settle(0.5)
        os.waitpid(self.pid, 0)
        os.close(self.file)


@contextmanager
def feature_screen() -> Iterator[Screen]:
    """The app on the first feature of the ranking."""
    screen = Screen()
    try:
        screen.wait(b"connected")
        screen.press("4")
        screen.wait(b" of ")
        screen.settle(1.0)
        yield screen
    finally:
        screen.end()


def place_of(said: bytes) -> int:
    """The place in the ranking of the last page that was painted, 0 where none was."""
    found = PLACE.findall(ESCAPES.sub(b"", said))
    return int(found[-1].replace(b",", b"")) if found else 0


def processor(pid: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def broker_pid() -> int:
    """The engine's process."""
    done = subprocess.run([*SHELL, "engine", "status", "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
    return int(json.loads(done.stdout)["result"]["pid"])


def single_presses(screen: Screen, presses: int) -> dict[str, Any]:
    """`J` once the page rests, again and again."""
    broker, times, sent = broker_pid(), [], []
    app_cpu, engine_cpu = processor(screen.pid), processor(broker)
    _, last = screen.settle()
    before = place_of(last)
    for _ in range(presses):
        pressed = screen.press("J")
        settled, said = screen.settle(first=10.0)
        place = place_of(said)
        if before and place != before + 1:
            raise RuntimeError(f"after place {before} the page shows place {place}")
        before = place
        times.append(settled - pressed)
        sent.append(len(said))
    return {
        **_row("J, single presses", times), "bytes": round(statistics.mean(sent)),
        "app_cpu_s": round((processor(screen.pid) - app_cpu) / presses, 5),
        "engine_cpu_s": round((processor(broker) - engine_cpu) / presses, 5),
    }  # fmt: skip


def held_key(screen: Screen, presses: int) -> dict[str, Any]:
    """`J` as a keyboard repeats it: how long after its press each page stands there."""
    screen.press("J")
    first = place_of(screen.settle(first=10.0)[1])
    broker, pressed, painted = broker_pid(), list[float](), dict[int, float]()
    app_cpu, engine_cpu = processor(screen.pid), processor(broker)

    def read(until: float) -> None:
        while (left := until - time.perf_counter()) > 0:
            for now, piece in screen.pieces(left, left):
                if place := place_of(piece):
                    painted.setdefault(place, now)

    began = time.perf_counter()
    for number in range(presses):
        read(began + number * REPEAT)
        pressed.append(screen.press("J"))
    read(time.perf_counter() + 1.0)
    times = [painted[first + at] - when for at, when in enumerate(pressed, start=1) if first + at in painted]
    gaps = [later - earlier for earlier, later in pairwise(sorted(painted.values()))]
    if first + presses not in painted:
        raise RuntimeError(f"the last of {presses} presses was not painted: {sorted(painted)[-3:]}")
    return {
        **_row("J, held", times), "shown": round(len(times) / presses, 3),
        "longest_gap_s": round(max(gaps), 4), "last_s": round(times[-1], 4),
        "app_cpu_s": round((processor(screen.pid) - app_cpu) / presses, 5),
        "engine_cpu_s": round((processor(broker) - engine_cpu) / presses, 5),
    }  # fmt: skip


def engine_part(latents: int, asked: int) -> dict[str, Any]:
    """The same page by the same question on an open connection, features at random."""
    import random

    from commands.features import FeaturesShow
    from commands.shell.connect import BROKER_MODULE
    from workbench.engine.client import Client

    broker, times, draw = broker_pid(), [], random.Random(0)
    with Client(BROKER_MODULE) as client:
        sessions = Path(os.environ["WORKBENCH_SESSIONS"])
        for number in range(asked + 3):
            if number == 3:  # what is read once was read
                cpu = processor(broker)
            began = time.perf_counter()
            client.request(FeaturesShow(feature=str(draw.randrange(latents))), session=SESSION, sessions=sessions)
            times.append(time.perf_counter() - began)
    row = _row("the engine's part, a feature at random", times[3:])
    return {**row, "engine_cpu_s": round((processor(broker) - cpu) / asked, 5)}


def _row(name: str, times: list[float]) -> dict[str, Any]:
    ordered = sorted(times)
    return {
        "name": name,
        "p50_s": round(statistics.median(ordered), 5),
        "p95_s": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 5),
        "max_s": round(ordered[-1], 5),
        "runs": len(ordered),
    }


ALONE: dict[str, list[str]] = {
    "start alone": ["features", "tags"],
    "search, all places": ["features", "search", word(7)],
    "search, like words": ["features", "search", "whhf texts"],
    "search, labels": ["features", "search", "wh in text", "--where", "label"],
    "search, windows": ["features", "search", "wa wb", "--where", "window"],
    "export, csv": ["features", "export", "OUT.csv"],
    "export, parquet": ["features", "export", "OUT.parquet"],
    "export, jsonl, 20 windows": ["features", "export", "OUT.jsonl"],
    "export, Neuronpedia, 20 windows": ["features", "export", "OUT.json"],
}
"""Calls of the shell that are timed in a process of their own."""


def alone(folder: Path, name: str, words: list[str]) -> dict[str, Any]:
    """Wall and processor seconds and peak of memory of one call without the engine."""
    out = [str(folder / word) if word.startswith("OUT") else word for word in words]
    with (folder / "said").open("wb") as said:
        began = time.perf_counter()
        call = subprocess.Popen(
            [*SHELL, *out, "--session", SESSION, "--no-engine", "--json"], cwd=ROOT, stdout=said, stderr=said
        )
        _, status, used = os.wait4(call.pid, 0)
        call.returncode = os.waitstatus_to_exitcode(status)
    if call.returncode != 0:
        raise RuntimeError(f"{name} ended with {call.returncode}: {(folder / 'said').read_text()[-800:]}")
    size = sum(path.stat().st_size for path in folder.glob("OUT.*"))
    for path in folder.glob("OUT.*"):
        path.unlink()
    wall, cpu, peak = time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
    row = {"name": name, "seconds": round(wall, 3), "cpu_s": round(cpu, 3), "peak_bytes": peak}
    return {**row, "file_bytes": size} if size else row


def measure(folder: Path, latents: int, presses: int) -> dict[str, Any]:
    """All rows and bars."""
    make_session(folder, latents)
    rows = [engine_part(latents, presses)]
    with feature_screen() as screen:
        single_presses(screen, 5)  # what is read for the first time
        rows += [single_presses(screen, presses), held_key(screen, presses)]
    stop_engine()
    rows += [alone(folder, name, words) for name, words in ALONE.items()]
    of = {row["name"]: row for row in rows}
    start = of["start alone"]
    bars = [
        _bar("p95 seconds from J to the settled page", of["J, single presses"]["p95_s"], 0.03),
        _bar("p95 seconds of a page while J is held", of["J, held"]["p95_s"], 0.06),
        _bar("p95 seconds of the engine's part", of["the engine's part, a feature at random"]["p95_s"], 0.01),
    ]
    for name, row in of.items():
        if name.startswith(("search", "export")):
            seconds = 4 if name.startswith("search") else 60
            bars.append(_bar(f"{name}, processor seconds over the start", row["cpu_s"] - start["cpu_s"], seconds))
            more = (row["peak_bytes"] - start["peak_bytes"]) / 1e6
            bars.append(_bar(f"{name}, peak MB over the start", more, 250))
    return {"rows": rows, "bars": bars}


def _bar(name: str, value: float, limit: float) -> dict[str, Any]:
    return {"name": name, "value": round(value, 4), "limit": limit, "holds": value <= limit}


def as_table(found: dict[str, Any]) -> str:
    """The same as Markdown."""
    lines = [f"Machine: {found['machine']}, {found['date']}, {found['latents']:,} latents", ""]
    scales = {"p50 ms": ("p50_s", 1e3), "p95 ms": ("p95_s", 1e3), "max ms": ("max_s", 1e3), "shown": ("shown", 1),
              "app cpu ms": ("app_cpu_s", 1e3), "engine cpu ms": ("engine_cpu_s", 1e3), "bytes": ("bytes", 1),
              "seconds": ("seconds", 1), "cpu s": ("cpu_s", 1), "peak MB": ("peak_bytes", 1e-6),
              "file MB": ("file_bytes", 1e-6)}  # fmt: skip
    lines += ["| " + " | ".join(["name", *scales]) + " |", "|" + "---|" * (len(scales) + 1)]
    for row in found["rows"]:
        cells = [f"{row[key] * scale:.4g}" if key in row else "" for key, scale in scales.values()]
        lines.append("| " + " | ".join([row["name"], *cells]) + " |")
    return "\n".join([*lines, "", *bar_table(found["bars"])])


def main() -> int:
    """Measure in folders of its own and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--latents", type=int, default=65_536)
    parser.add_argument("--presses", type=int, default=150)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with own_folders() as root:
        found = measure(root, options.latents, options.presses)
    report = {**stamp(machine_load()), "latents": options.latents, **found}
    return tell(report, as_table, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
