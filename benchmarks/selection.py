"""What selecting features costs: RSA maps and contrast maps of many features, against the usual library's loop.

Times are the best of the runs, on two threads; a ratio compares two things measured here, one after the other. Nothing
is read or written; memory is measured in a process of its own.

    python benchmarks/selection.py [--runs 2] [--features 16384] [--json]

The race against rsatoolbox needs the extra `oracle`; without it those rows say so and their bars are left out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
THREADS = "2"
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = THREADS
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402 - after the number of threads is set

from benchmarks.report import bar_lines, machine_load, stamp, tell  # noqa: E402

STIMULI, PERMUTATIONS = 100, 1000
RACED, SHORTLIST, MANY = 512, 512, 1_000_000
GIB = 1024**3


def best(run: Callable[[], Any], runs: int) -> tuple[float, float, Any]:
    """Least wall and processor seconds of several runs, and what the last gave."""
    walls, cpus, found = [], [], None
    for _ in range(runs):
        wall, cpu = time.perf_counter(), time.process_time()
        found = run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus), found


def activations(features: int, seed: int = 0) -> np.ndarray:
    """(stimuli, features) float32: half dense, half silent on most stimuli, as latents are."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((STIMULI, features), dtype=np.float32)
    x[:, ::2] = np.maximum(x[:, ::2] - 0.8, 0)
    return x


def models() -> dict[str, np.ndarray]:
    """One model of few eigenvalues, and one with as many as there are stimuli."""
    from workbench.stats import categorical_rdm

    rng = np.random.default_rng(1)
    any_matrix = rng.random((STIMULI, STIMULI))
    return {
        "five categories": categorical_rdm((np.arange(STIMULI) % 5).tolist()),
        "any matrix": any_matrix + any_matrix.T,
    }


def row(name: str, wall: float, cpu: float, **more: Any) -> dict[str, Any]:
    """One line of the table."""
    return {"name": name, "seconds": round(wall, 3), "cpu_s": round(cpu, 3), **more}


def bar(name: str, value: float, limit: float, *, least: bool = False) -> dict[str, Any]:
    """A promise with the value that was measured; `least` where more is better."""
    return {"name": name, "value": value, "limit": limit, "holds": value >= limit if least else value <= limit}


def map_rows(features: int, runs: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Maps of all features with permutations, max-T and q."""
    from workbench.stats import contrast_map, rsa_map

    x, rows, bars = activations(features), [], []
    positive = np.arange(STIMULI) % 2 == 0
    wall, cpu, _ = best(lambda: contrast_map(x, positive, permutations=PERMUTATIONS), runs)
    rows.append(row("contrast, welch, max-T", wall, cpu, features=features))
    bars.append(bar("contrast, welch, max-T, s", round(wall, 3), 2.5))
    for model, rdm in models().items():
        for comparison, limit in (("corr", 4), ("cosine", 4), ("spearman", 12), ("rho-a", 12)):
            run = lambda rdm=rdm, comparison=comparison: rsa_map(  # noqa: E731
                x, rdm, comparison=comparison, permutations=PERMUTATIONS
            )
            wall, cpu, _ = best(run, runs)
            name = f"rsa, {comparison}, {model}"
            rows.append(row(name, wall, cpu, features=features))
            bars.append(bar(f"{name}, s", round(wall, 3), limit))
    return rows, bars


def counted_rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Kendall's tau-a of a shortlist: linear in the ranks for two levels, counted for more."""
    from workbench.stats import categorical_rdm, graded_rdm, rsa_map

    rows = []
    kinds = {
        "two categories": (SHORTLIST, categorical_rdm((np.arange(STIMULI) % 2).tolist())),
        "seven steps": (SHORTLIST // 8, graded_rdm(np.arange(STIMULI) % 7)),
    }
    for name, (features, rdm) in kinds.items():
        x = activations(features)
        run = lambda x=x, rdm=rdm: rsa_map(x, rdm, comparison="tau-a", permutations=PERMUTATIONS)  # noqa: E731
        wall, cpu, _ = best(run, 1)
        rows.append(row(f"rsa, tau-a, {name}", wall, cpu, features=features))
    scaled = round(rows[1]["seconds"] * 8, 3)
    return rows, [
        bar(f"tau-a, two categories, shortlist of {SHORTLIST}, s", rows[0]["seconds"], 12),
        bar(f"tau-a, seven steps, shortlist of {SHORTLIST}, scaled from {SHORTLIST // 8}, s", scaled, 12),
    ]


def race_rows(features: int, runs: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """rsatoolbox's loop over features, each RDM with a stimulus descriptor, no permutations; ours with all features."""
    if find_spec("rsatoolbox") is None:
        return [{"name": "rsatoolbox, per feature", "seconds": None, "status": "not installed (extra `oracle`)"}], []
    from workbench.stats import rsa_map

    x, rdm = activations(features), models()["any matrix"]
    loop(x[:, :2], rdm, "corr")  # its import is not what is measured
    rows, bars = [], []
    for comparison in ("corr", "cosine"):
        wall, cpu, scores = best(lambda c=comparison: loop(x[:, :RACED], rdm, c), 1)
        scaled = wall * features / RACED
        name = f"rsatoolbox, {comparison}, scaled from {RACED} features"
        rows.append(row(name, scaled, cpu * features / RACED, features=features))
        run = lambda c=comparison: rsa_map(x, rdm, comparison=c, permutations=0)  # noqa: E731
        ours, our_cpu, found = best(run, 3 * runs)  # short: a busy moment would be all of it
        rows.append(row(f"rsa, {comparison}, scores alone", ours, our_cpu, features=features))
        error = float(np.nanmax(np.abs(found.score[:RACED] - scores)))
        bars.append(bar(f"{comparison}: times faster than the loop", round(scaled / ours, 1), 200, least=True))
        bars.append(bar(f"{comparison}: largest difference of a score", error, 1e-10))
    return rows, bars


def loop(x: np.ndarray, rdm: np.ndarray, comparison: str) -> np.ndarray:
    """One RDM and one comparison for each feature, as rsatoolbox's users write it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from rsatoolbox.data import Dataset
        from rsatoolbox.rdm import RDMs, calc_rdm, compare

        model = RDMs(np.asarray(rdm)[None])
        names = {"stimulus": [f"s{place:03d}" for place in range(len(x))]}
        scores = []
        for column in x.T.astype(np.float64):
            data = Dataset(column[:, None], obs_descriptors=names)
            scores.append(compare(calc_rdm(data, method="euclidean", descriptor="stimulus"), model, comparison)[0, 0])
    return np.array(scores)


def memory_row() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Peak memory of a million features, from a file on disk, in a process of its own."""
    code = f"""
import json, resource, sys, tempfile, time
sys.path.insert(0, {str(ROOT)!r})
import numpy as np  # noqa: E402 - after the number of threads is set
from workbench.stats import categorical_rdm, rsa_map
with tempfile.NamedTemporaryFile() as file:
    x = np.memmap(file.name, dtype=np.float16, mode="w+", shape=({STIMULI}, {MANY}))
    rng = np.random.default_rng(0)
    for start in range(0, {MANY}, 50_000):
        x[:, start : start + 50_000] = rng.standard_normal(({STIMULI}, 50_000), dtype=np.float32)
    x.flush()
    started = time.perf_counter()
    found = rsa_map(x, categorical_rdm((np.arange({STIMULI}) % 2).tolist()), permutations=100)
    seconds = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([seconds, peak, found.tested]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, peak, tested = json.loads(done.stdout)
    one = {"name": "rsa, corr, a million features, 100 permutations", "seconds": round(seconds, 3), "features": tested}
    return [{**one, "peak_bytes": peak}], [bar("peak memory of a million features, GiB", round(peak / GIB, 3), 2)]


def measure(features: int, runs: int) -> dict[str, Any]:
    """All rows and bars."""
    rows: list[dict[str, Any]] = []
    bars: list[dict[str, Any]] = []
    for part in (lambda: map_rows(features, runs), lambda: race_rows(features, runs), counted_rows, memory_row):
        found = part()
        rows += found[0]
        bars += found[1]
    return {"rows": rows, "bars": bars}


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--features", type=int, default=16_384)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    before = machine_load("load before")
    report = measure(options.features, options.runs)
    head = stamp(f"{THREADS} threads", before)
    setting = {"stimuli": STIMULI, "permutations": PERMUTATIONS}
    report = {**head, **setting, **report}
    return tell(report, table, as_json=options.json)


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    setting = f"{report['stimuli']} stimuli, {report['permutations']} permutations"
    lines = [f"{report['machine']}, {report['date']}", setting, ""]
    for one in report["rows"]:
        if one["seconds"] is None:
            lines.append(f"{one['name']:50} {one['status']}")
            continue
        cpu = f"  cpu {one['cpu_s']:8.3f}" if "cpu_s" in one else ""
        lines.append(f"{one['name']:50} {one['seconds']:9.3f} s{cpu}  {one['features']:>9,} features")
    lines += ["", *bar_lines(report["bars"])]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
