"""How long a front end lets its user wait: the shell's help, lists and queries, and the app's first frame.

Wall times are medians of interleaved runs; `cpu` is the processor time of the same runs, which a busy
machine does not inflate. Everything runs in folders of its own, with an engine of its own. Bytecode is kept, as on any
user's machine, in such a folder too: where PYTHONDONTWRITEBYTECODE is set, every call would compile the program anew.

    python benchmarks/engine_latency.py [--runs 15] [--json]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.front_end import first_frame, own_folders, shell_call  # noqa: E402
from benchmarks.report import bar_below, bar_lines, machine_load, stamp, tell  # noqa: E402

HEAVY = ("numpy", "torch", "scipy", "sklearn", "transformers", "transformer_lens", "sae_lens", "datasets")
FRONT_ENDS = ("commands.cli", "commands.registry", "workbench.engine.client", "workbench.engine.async_client")
APP = "screens.app"


def shell_rows(runs: int) -> list[dict[str, Any]]:
    """The shell calls in turns, so that a busy moment hits them all; `over_help_s` is the median over the rounds."""
    calls = {
        "workbench --help": ["--help"],
        "workbench session list": ["session", "list"],
        "query on a warm engine": ["session", "show", "--session", "latency", "--json"],
        "query on a warm engine, as tables": ["session", "show", "--session", "latency"],
        "engine status": ["engine", "status", "--json"],
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for arguments in calls.values():
        shell_call(arguments)  # compiles what it imports
    for _ in range(runs):
        for name, arguments in calls.items():
            taken[name].append(shell_call(arguments))
    rows = [_row(name, times) for name, times in taken.items()]
    for row in rows:
        beside = zip(taken[row["name"]], taken["workbench --help"], strict=True)
        row["over_help_s"] = round(statistics.median(one[0] - help_call[0] for one, help_call in beside), 4)
    return rows


def _row(name: str, times: list[tuple[float, float]]) -> dict[str, Any]:
    walls = [wall for wall, _ in times]
    return {
        "name": name,
        "median_s": round(statistics.median(walls), 4),
        "min_s": round(min(walls), 4),
        "max_s": round(max(walls), 4),
        "cpu_s": round(statistics.median(cpu for _, cpu in times), 4),
        "runs": len(times),
    }


def round_trip_row(runs: int) -> dict[str, Any]:
    """A broker query on an open connection: what one key press in the app costs before drawing."""
    from commands.session import SessionShow
    from commands.shell.connect import BROKER_MODULE
    from workbench.engine.client import Client

    times = []
    with Client(BROKER_MODULE) as client:
        for _ in range(runs * 4):
            started, cpu = time.perf_counter(), time.process_time()
            client.request(SessionShow(), session="latency", sessions=Path(os.environ["WORKBENCH_SESSIONS"]))
            times.append((time.perf_counter() - started, time.process_time() - cpu))
    return _row("query on an open connection", times)


def start_row() -> dict[str, Any]:
    """From no engine at all to the first answer."""
    shell_call(["engine", "stop"])
    return _row("engine started from nothing", [shell_call(["session", "note", "hello", "--session", "latency"])])


def first_frame_row(runs: int) -> dict[str, Any]:
    """From the command to a screen with text on it, through a pseudo-terminal of 120 by 40."""
    if find_spec(APP) is None:
        return {"name": "app, first frame", "median_s": None, "status": f"{APP} does not exist yet"}
    first_frame()  # compiles what it imports
    return _row("app, first frame", [(first_frame(), 0.0) for _ in range(max(3, runs // 3))])


def heavy_modules() -> list[str]:
    """Heavy modules that a front end imports, as `front end: module`."""
    found = []
    for front in [*FRONT_ENDS, *([APP] if find_spec(APP) else [])]:
        code = f"import sys, {front}; print(*{{name.split('.')[0] for name in sys.modules}})"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        found += [f"{front}: {name}" for name in sorted(set(done.stdout.split()) & set(HEAVY))]
    return found


def bars(rows: list[dict[str, Any]], heavy: list[str]) -> list[dict[str, Any]]:
    """The promises, each with the value that was measured."""
    median = {row["name"]: row["median_s"] for row in rows}
    made = [
        bar_below("workbench --help, s", median["workbench --help"], 0.25),
        bar_below("workbench session list, s", median["workbench session list"], 0.3),
        bar_below(
            "query on a warm engine over --help, s",
            next(row["over_help_s"] for row in rows if row["name"] == "query on a warm engine"),
            0.05,
        ),
        {"name": "heavy modules in front ends", "value": len(heavy), "limit": 0, "holds": not heavy},
    ]
    if median["app, first frame"] is not None:
        made.append(bar_below("app, first frame, s", median["app, first frame"], 0.6))
    return made


def measure(runs: int) -> dict[str, Any]:
    """All rows and bars, on a session made for it."""
    shell_call(["session", "new", "latency"])
    for number in range(3):
        shell_call(["session", "note", f"note {number}", "--session", "latency"])
    rows = [*shell_rows(runs), round_trip_row(runs), first_frame_row(runs), start_row()]
    heavy = heavy_modules()
    return {"rows": rows, "bars": bars(rows, heavy), "heavy": heavy}


def main() -> int:
    """Measure in folders of its own and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with own_folders():
        report = measure(options.runs)
    return tell({**stamp(machine_load()), **report}, table, as_json=options.json)


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    lines = [f"{report['machine']}, {report['date']}"]
    for row in report["rows"]:
        if row["median_s"] is None:
            lines.append(f"{row['name']:36} {row['status']}")
        else:
            lines.append(
                f"{row['name']:36} median {row['median_s']:7.3f}  min {row['min_s']:7.3f}  cpu {row['cpu_s']:7.3f}"
            )
    lines += bar_lines(report["bars"])
    return "\n".join([*lines, *(f"heavy: {name}" for name in report["heavy"])])


if __name__ == "__main__":
    sys.exit(main())
