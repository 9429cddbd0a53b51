"""What living in the terminal app costs: bytes a key sends, time to a settled screen, a slow link, memory.

The real app runs in a pseudo-terminal on the recorded engine, its ranking made 100,000 features long, so that what
is measured is the app and not a model. `cpu_ms` is the app's processor time for the same keys, which a busy machine
does not inflate.

    python benchmarks/terminal.py [--keys 100] [--json]
"""

from __future__ import annotations

import argparse
import os
import select
import statistics
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.front_end import SHELL, first_frame, own_folders, shell_call  # noqa: E402
from benchmarks.report import bar_below, bar_lines, machine_load, stamp, tell  # noqa: E402
from tests.screens.on_a_pty import TRUE_COLOUR, Terminal  # noqa: E402

SIZES = ((80, 24), (120, 40), (200, 60), (300, 80))
CELLS = 120 * 40
"""Cells of the terminal that the bars were set for; larger ones may send more in proportion."""
STEP, SCREEN = 5_000, 15_000
"""Bytes allowed for a cursor step or a letter, and for a page, a screen change or the command list, at 120x40."""
ROWS = 100_000
LINK = 100_000
"""Bytes a second of the slow link."""
RATE = 20
"""Keys a second of a held key."""
HELD = 60
"""Keys that are held on the slow link."""
NAMES = ("", "home", "stimuli", "select", "feature", "clusters", "quanta", "labels", "jobs", "log")
FILTERED = (("1", "d"), ("2", "m"), ("8", "l"), ("9", "f"))
"""Screens that filter what they have at hand, each with a letter of some of their rows."""
PAGE_DOWN, RIGHT, ESCAPE, BACKSPACE = "\x1b[6~", "\x1b[C", "\x1b", "\x7f"


def walk(terminal: Terminal) -> dict[str, int]:
    """Bytes sent for each kind of key, through all screens; names of steps and letters begin with `step`."""
    terminal.read(rest=3.0)
    counts = {}
    for digit in "2345678912":
        counts[f"screen {NAMES[int(digit)]}"] = terminal.press(digit)
        counts[f"step on {NAMES[int(digit)]}"] = terminal.press("j")
    for name, keys in (("page", PAGE_DOWN), ("last of 100,000", "G"), ("list of commands", "p")):
        terminal.press("3")
        counts[f"screen: {name}"] = terminal.press(keys)
    terminal.press(ESCAPE)
    terminal.press("3")
    terminal.press("g")
    counts["screen: feature opened"] = terminal.press("\r")
    counts["screen: digits"] = terminal.press("v")
    counts["screen: page of heat"] = terminal.press(PAGE_DOWN)
    counts["step: token"] = terminal.press(RIGHT)
    counts["screen: help"] = terminal.press("?")
    terminal.press(ESCAPE)
    terminal.press("3")
    counts["step: / opens the filter"] = terminal.press("/")
    for letter in "419":
        counts[f"step: filter, letter {letter}"] = terminal.press(letter)
    counts["screen: filter kept"] = terminal.press("\r")
    counts["screen: filter dropped"] = terminal.press(ESCAPE)
    for screen, letter in FILTERED:
        terminal.press(screen)
        terminal.press("/")
        counts[f"step: filter on {NAMES[int(screen)]}"] = terminal.press(letter)
        terminal.press(ESCAPE)
    terminal.press("3")
    counts["step: : opens the line"] = terminal.press(":")
    counts["step: a letter on the line"] = terminal.press("f")
    counts["step: tab completes"] = terminal.press("\t")
    terminal.press(ESCAPE)
    return counts


def allowed(name: str, width: int, height: int) -> int:
    """Bytes that a key may send on a terminal of this size."""
    return round((SCREEN if name.startswith("screen") else STEP) * max(1.0, width * height / CELLS))


def byte_rows(width: int, height: int) -> list[dict[str, Any]]:
    """One row a kind of key, the idle seconds after them, and the memory of the app that walked."""
    with Terminal(width, height, rows=ROWS) as terminal:
        counts = walk(terminal)
        idle = len(terminal.read(timeout=5.0, rest=5.0))
        memory = terminal.memory()
    size = f"{width}x{height}"
    rows = [{"name": name, "size": size, "bytes": count, "limit": allowed(name, width, height)}
            for name, count in counts.items()]  # fmt: skip
    return [*rows, {"name": "5 s at rest", "size": size, "bytes": idle, "limit": 0},
            {"name": "memory", "size": size, "mb": round(memory / 1e6, 1)}]  # fmt: skip


def byte_bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each size, the key that comes nearest to what it may send, as a share of it; and rest."""
    made = []
    for size in dict.fromkeys(row["size"] for row in rows):
        of_size = [row for row in rows if row["size"] == size and row.get("limit")]
        for kind in ("step", "screen"):
            most = max((row for row in of_size if row["name"].startswith(kind)), key=lambda row: row["bytes"])
            name = f"most bytes at {size} ({most['name']})"
            made.append(
                {"name": name, "value": most["bytes"], "limit": most["limit"], "holds": most["bytes"] <= most["limit"]}
            )
        idle = next(row["bytes"] for row in rows if row["size"] == size and row["name"] == "5 s at rest")
        made.append({"name": f"bytes at rest at {size}", "value": idle, "limit": 0, "holds": idle == 0})
    return made


def paint_row(name: str, keys: list[str], terminal: Terminal) -> dict[str, Any]:
    """From each key to the last byte of its answer; keys that change nothing are left out."""
    before = terminal.cpu_seconds()
    answers = [terminal.answer(key, timeout=2.0, rest=0.12) for key in keys]
    cpu = terminal.cpu_seconds() - before
    times = sorted(answer.seconds for answer in answers if answer.size)
    if len(times) < len(keys) // 2:
        raise RuntimeError(f"{name}: only {len(times)} of {len(keys)} keys were answered")
    return {
        "name": name,
        "keys": len(times),
        "median_ms": round(statistics.median(times) * 1000, 1),
        "p95_ms": round(times[int(0.95 * (len(times) - 1))] * 1000, 1),
        "cpu_ms": round(cpu / len(keys) * 1000, 1),
    }


def paint_rows(keys: int) -> list[dict[str, Any]]:
    """Steps, pages and jumps on the long list, then on the heatmap."""
    with Terminal(120, 40, rows=ROWS) as terminal:
        terminal.read(rest=2.0)
        terminal.press("3")
        rows = [
            paint_row("list: cursor step", ["j"] * keys, terminal),
            paint_row("list: page", [PAGE_DOWN] * keys, terminal),
            paint_row("list: last, first", ["G", "g"] * (keys // 4), terminal),
        ]
        terminal.press("/")
        letters = paint_row("list: filter letter", ["4", "1", BACKSPACE, BACKSPACE] * (keys // 4), terminal)
        terminal.press(ESCAPE)
        rows.append(letters)
        terminal.press("g")
        terminal.press("\r")
        there_and_back = (["j"] * 5 + ["k"] * 5) * (keys // 10 or 1)
        return [
            *rows,
            paint_row("heatmap: sentence", there_and_back, terminal),
            paint_row("heatmap: token", [RIGHT, RIGHT, "\x1b[D", "\x1b[D"] * (keys // 4), terminal),
            paint_row("heatmap: page", [PAGE_DOWN, "\x1b[5~"] * (keys // 4), terminal),
        ]


def held_row(name: str, way: list[str], key: str) -> dict[str, Any]:
    """A key held on a slow link: how long after the last press the screen settles, and what was sent in all."""
    with Terminal(120, 40, rows=ROWS) as terminal:
        terminal.read(rest=2.0)
        for keys in way:
            terminal.press(keys)
        started = last_press = last_byte = time.perf_counter()
        pressed = sent = 0
        while True:
            now = time.perf_counter()
            if pressed < HELD and now >= started + pressed / RATE:
                terminal.type(key)
                pressed, last_press = pressed + 1, time.perf_counter()
            if sent <= (now - started) * LINK and select.select([terminal.file], [], [], 0.005)[0]:
                sent += len(os.read(terminal.file, LINK // 200))
                last_byte = time.perf_counter()
            elif sent > (now - started) * LINK:
                time.sleep(0.002)
            if pressed == HELD and now > max(last_press, last_byte) + 1.0:
                return {"name": name, "bytes": sent, "settled_s": round(max(0.0, last_byte - last_press), 3)}


def held_rows() -> list[dict[str, Any]]:
    """Held keys on the long list and the heatmap."""
    return [
        held_row("j held on the list, 100 KB/s", ["3"], "j"),
        held_row("J held on the feature, 100 KB/s", ["3", "\r"], "J"),
        held_row("token key held on the heatmap, 100 KB/s", ["3", "\r"], RIGHT),
    ]


def real_rows(runs: int) -> list[dict[str, Any]]:
    """The program as users start it, on an engine of its own: first frame, and memory with a session open."""
    shell_call(["session", "new", "terminal"])
    first_frame()  # compiles what it imports
    frames = [first_frame() for _ in range(runs)]
    with Terminal(120, 40, environment=TRUE_COLOUR, program=[*SHELL, "--session", "terminal"]) as terminal:
        terminal.read(rest=2.0)
        for digit in "234567891":
            terminal.press(digit)
        memory = terminal.memory()
    return [
        {"name": "first frame", "median_s": round(statistics.median(frames), 3), "max_s": round(max(frames), 3)},
        {"name": "memory of the real program, every screen seen", "mb": round(memory / 1e6, 1)},
    ]


def measure(keys: int, runs: int) -> dict[str, Any]:
    """All rows and bars."""
    sent = [row for width, height in SIZES for row in byte_rows(width, height)]
    paints, held, real = paint_rows(keys), held_rows(), real_rows(runs)
    memory = max(row["mb"] for row in [*sent, *real] if "mb" in row)
    bars = [
        *byte_bars([row for row in sent if "bytes" in row]),
        *(bar_below(f"key to settled paint, p95 ms: {row['name']}", row["p95_ms"], 50) for row in paints),
        *(bar_below(f"settled after the last key, s: {row['name']}", row["settled_s"], 0.5) for row in held),
        bar_below("first frame, s", real[0]["median_s"], 0.6),
        bar_below("memory of the app, MB", memory, 120),
    ]
    return {"rows": [*sent, *paints, *held, *real], "bars": bars}


def main() -> int:
    """Measure in folders of its own and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--keys", type=int, default=100)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with own_folders():
        report = measure(options.keys, options.runs)
    return tell({**stamp(machine_load()), **report}, table, as_json=options.json)


def table(report: dict[str, Any]) -> str:
    """The report as text: bytes a key, one column a terminal size; then times, links, memory and the bars."""
    lines = [f"{report['machine']}, {report['date']}", ""]
    sizes = list(dict.fromkeys(row["size"] for row in report["rows"] if "size" in row))
    lines.append(f"{'bytes':32}" + "".join(f"{size:>9}" for size in sizes))
    sent = {(row["name"], row["size"]): row["bytes"] for row in report["rows"] if "size" in row and "bytes" in row}
    names = dict.fromkeys(name for name, _ in sent)
    lines += [f"{name:32}" + "".join(f"{sent[name, size]:>9,}" for size in sizes) for name in names]
    lines.append("")
    for row in report["rows"]:
        if "bytes" not in row or "size" not in row:
            shown = "  ".join(f"{key} {value}" for key, value in row.items() if key != "name")
            lines.append(f"{row['name']:46} {shown}")
    return "\n".join([*lines, "", *bar_lines(report["bars"])])


if __name__ == "__main__":
    sys.exit(main())
