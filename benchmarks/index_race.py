"""The feature index against the bare pass, a brute-force oracle, and two peers, on the same tokens and weights.

    python benchmarks/index_race.py [--json] [--quick] [--peers DIR]

A random tiny GPT-2 (width 128, 4 layers) and a random TopK SAE (k 32) at block 1; documents of 128 tokens. The bare
pass reads the same tokens up to the site and encodes them, in the same batches, and keeps nothing. Every pass runs
in a process of its own, so that its peak of memory is its own; each is run several times in turns, and the ratio
is that of the medians. `cpu` is the processor time of the same runs, which a busy machine does not inflate. The wider
SAEs read a quarter of the tokens.

`--peers DIR` adds EleutherAI's delphi and SAEDashboard, each in a virtual environment of its own in that folder,
installed there first where they are not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inputs.wide_sae import CONTEXT, DOCUMENTS, VOCABULARY, make_corpus, make_files  # both beside this file
from report import bar_table

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = 20
SIZES = (2_048, 16_384, 65_536)
OPENED = 300
"""Features opened to time it."""
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def load(folder: Path, latents: int, documents: int) -> tuple[Any, Any, Any]:
    """Model, features and corpus."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sae_lens  # noqa: F401
    from workbench.corpus.tokenizing import StoreTokenizer
    from workbench.models.loading import load_model
    from workbench.saes.space import load_space

    make_files(folder, latents)
    model = load_model({"ref": str(folder / "model"), "device": "cpu"})
    space = load_space(str(folder / f"sae-{latents}"), "", model)
    store = make_corpus(folder, documents, StoreTokenizer(model.tokenizer, VOCABULARY))
    warm = next(_batches(model, space, store))
    space.encode(warm[:256])
    return model, space, store


def _batches(model: Any, space: Any, store: Any) -> Any:
    from workbench.index.reading import counted
    from workbench.index.shards import batches, shard_bounds, stretches

    for bound in shard_bounds(store, len(store.tokens)):
        for batch in batches(list(stretches(store, *bound, model.context))):
            yield counted(model, space, store, batch)[0]


def run_bare(folder: Path, latents: int, documents: int) -> dict[str, Any]:
    """Forward and encode, nothing kept."""
    from workbench import memory
    from workbench.index.reading import CELLS

    model, space, store = load(folder, latents, documents)
    memory.forget_peak()
    began, cpu, step, total = time.perf_counter(), time.process_time(), max(1, CELLS // latents), 0
    for acts in _batches(model, space, store):
        for low in range(0, len(acts), step):
            total += len(space.encode(acts[low : low + step]))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    return {"seconds": seconds, "cpu_s": cpu, "tokens": total, "peak_bytes": memory.peak()}


def run_index(folder: Path, latents: int, documents: int) -> dict[str, Any]:
    """The whole index: every artefact that the workbench shows."""
    from workbench import memory
    from workbench.index.build import build_index

    model, space, store = load(folder, latents, documents)
    target = folder / "index" / f"{latents}-{documents}"
    shutil.rmtree(target, ignore_errors=True)
    memory.forget_peak()
    began, cpu = time.perf_counter(), time.process_time()
    meta = build_index(
        model, space, store, target, tokens=len(store.tokens), examples=EXAMPLES, about={"corpus": "race"},
        tick=lambda *_: None,
    )  # fmt: skip
    seconds, cpu, peak = time.perf_counter() - began, time.process_time() - cpu, memory.peak()
    size = sum(path.stat().st_size for path in target.iterdir())
    return {
        "seconds": seconds, "cpu_s": cpu, "tokens": meta["tokens"], "peak_bytes": peak, "disk_bytes": size,
        "alive": meta["alive"],
    }  # fmt: skip


def run_open(folder: Path, latents: int, documents: int) -> dict[str, Any]:
    """Seconds to open one feature after the other, as `features.show` does in the engine."""
    import numpy as np

    from workbench.features.evidence import on_corpus
    from workbench.index.read import open_index

    target = folder / "index" / f"{latents}-{documents}"
    began = time.perf_counter()
    found = open_index(folder, {"key": target.name})
    if found is None:
        raise RuntimeError(f"no index in {target}")
    first = _shown(found, 0, on_corpus)
    first_seconds = time.perf_counter() - began
    chosen = np.random.default_rng(0).choice(latents, OPENED, replace=False)
    times, cpus = [], []
    for feature in chosen.tolist():
        began, cpu = time.perf_counter(), time.process_time()
        opened = open_index(folder, {"key": target.name})
        _shown(opened, feature, on_corpus)
        times.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
    return {
        "seconds": first_seconds, "p50_s": float(np.quantile(times, 0.5)), "p95_s": float(np.quantile(times, 0.95)),
        "p95_cpu_s": float(np.quantile(cpus, 0.95)),
        "windows": len(first["examples"]),
    }  # fmt: skip


def _shown(found: Any, feature: int, on_corpus: Any) -> dict[str, Any]:
    body: dict[str, Any] = on_corpus(found, feature)
    found.logits(feature)
    return body


def run_oracle(folder: Path, latents: int, documents: int) -> dict[str, Any]:
    """Recall of the top windows against dense activations: every document's peak, sorted, features one by one."""
    import numpy as np
    import torch

    from workbench.corpus.store import open_digest
    from workbench.index.read import FeatureIndex

    model, space, store = load(folder, latents, documents)
    target = folder / "index" / f"{latents}-{documents}"
    meta = json.loads((target / "meta.json").read_text())
    index = FeatureIndex(target, open_digest(folder, meta["store"]))
    ids = torch.from_numpy(np.asarray(store.tokens).reshape(documents, CONTEXT).astype(np.int64))
    peaks = np.zeros((documents, latents), np.float32)
    for low in range(0, documents, 16):
        with torch.no_grad():
            out = model.plain(input_ids=ids[low : low + 16], output_hidden_states=True)
        acts = space.encode(out.hidden_states[2]).numpy()
        acts[:, 0] = 0  # BOS
        peaks[low : low + 16] = acts.max(axis=1)
    hits = wanted = 0
    for feature in range(latents):
        column = peaks[:, feature]
        count = min(EXAMPLES, int((column > 0).sum()))
        if not count:
            continue
        last = np.sort(column)[::-1][count - 1]
        kept = index.summary["document"][feature]
        # of documents equal up to the last bit either may be kept
        hits += int((column[kept[kept >= 0]] >= last * (1 - 1e-5)).sum())
        wanted += count
    return {"seconds": 0.0, "recall": hits / max(wanted, 1), "windows": wanted}


RUNS = {"bare": run_bare, "index": run_index, "open": run_open, "oracle": run_oracle}


def in_own_process(name: str, folder: Path, latents: int, documents: int) -> dict[str, Any]:
    """One pass in a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", name, str(folder), str(latents), str(documents)],
        cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{name} at {latents} ended with {done.returncode}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def in_turns(folder: Path, latents: int, documents: int, runs: int) -> dict[str, dict[str, Any]]:
    """Medians of the bare pass and of the index, run in turns so that a busy moment hits both."""
    taken: dict[str, list[dict[str, Any]]] = {"bare": [], "index": []}
    for _ in range(runs):
        for name, found in taken.items():
            found.append(in_own_process(name, folder, latents, documents))
    return {name: _median(found) for name, found in taken.items()}


def _median(found: list[dict[str, Any]]) -> dict[str, Any]:
    middle = {name: statistics.median(item[name] for item in found) for name in ("seconds", "cpu_s")}
    return {**found[-1], **middle, "all_seconds": [round(item["seconds"], 3) for item in found]}


def race(folder: Path, quick: bool, peers: Path | None) -> dict[str, Any]:
    """All rows and bars."""
    documents, runs = (128, 1) if quick else (DOCUMENTS, 3)
    rows, bars = [], []
    for latents in SIZES[:1] if quick else SIZES:
        read = documents if latents == SIZES[0] else documents // 4
        found = in_turns(folder, latents, read, runs if latents == SIZES[0] else 1)
        opened = in_own_process("open", folder, latents, read)
        ratios = {key: found["index"][key] / found["bare"][key] for key in ("seconds", "cpu_s")}
        for name, item in found.items():
            rows.append(_row(name, latents, read, item))
        rows.append({"name": "open a feature", "latents": latents, **{k: round(v, 5) for k, v in opened.items()}})
        if latents == SIZES[0]:
            bars.append(_bar("index / (forward and encode), 2048 latents", ratios["seconds"], 1.5))
            bars.append(_bar("the same in processor time", ratios["cpu_s"], 1.5))
            recall = in_own_process("oracle", folder, latents, documents)["recall"]
            bars.append({"name": "recall@20 of top windows", "value": recall, "limit": 1.0, "holds": recall >= 1.0})
        if latents == SIZES[-1]:
            bars.append(_bar("p95 seconds to open a feature in the engine, 65536 latents", opened["p95_s"], 0.005))
    if not quick:
        longer = in_own_process("index", folder, SIZES[0], 4 * documents)
        rows.append(_row("index, corpus 4 times as long", SIZES[0], 4 * documents, longer))
        same = next(row for row in rows if row["name"] == "index")
        bars.append(_bar("peak memory, 4 times the corpus", longer["peak_bytes"] / same["peak_bytes"], 1.25))
    if peers is not None:
        from peers.index import install, peer_rows  # beside this file

        install(peers)
        more, limits = peer_rows(folder, peers, documents, next(row for row in rows if row["name"] == "index"))
        rows += more
        bars += limits
    machine = {"platform": platform.platform(), "cpus": os.cpu_count(), "threads": os.environ["OMP_NUM_THREADS"]}
    return {"machine": machine, "date": datetime.now(UTC).isoformat(timespec="seconds"), "rows": rows, "bars": bars}


def _row(name: str, latents: int, documents: int, item: dict[str, Any]) -> dict[str, Any]:
    shown = {key: round(value, 3) if key == "cpu_s" else value for key, value in item.items() if key != "seconds"}
    per_second = round(documents * CONTEXT / item["seconds"])
    return {
        "name": name,
        "latents": latents,
        "seconds": round(item["seconds"], 3),
        "tokens_a_second": per_second,
        **shown,
    }


def _bar(name: str, value: float, limit: float) -> dict[str, Any]:
    return {"name": name, "value": round(value, 5), "limit": limit, "holds": value <= limit}


def as_table(found: dict[str, Any]) -> str:
    """The same as Markdown."""
    lines = [f"Machine: {found['machine']}, {found['date']}", ""]
    columns = ["name", "latents", "seconds", "cpu_s", "tokens_a_second", "peak MB", "disk MB", "p50 ms", "p95 ms"]
    lines += ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in found["rows"]:
        scaled = [
            *(str(row.get(key, "")) for key in columns[:5]),
            *(f"{row[key] / 1e6:.0f}" if key in row else "" for key in ("peak_bytes", "disk_bytes")),
            *(f"{1e3 * row[key]:.2f}" if key in row else "" for key in ("p50_s", "p95_s")),
        ]
        lines.append("| " + " | ".join(scaled) + " |")
    return "\n".join([*lines, "", *bar_table(found["bars"])])


def main() -> None:
    """Run the race, or one pass of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="the smallest size on an eighth of the tokens, once")
    parser.add_argument("--peers", type=Path, help="folder for the peers' virtual environments")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        name, folder, latents, documents = chosen.one
        print(json.dumps(RUNS[name](Path(folder), int(latents), int(documents))))
        return
    with tempfile.TemporaryDirectory(prefix="index-race-") as scratch:
        found = race(Path(scratch), chosen.quick, chosen.peers)
    print(json.dumps(found) if chosen.json else as_table(found))


if __name__ == "__main__":
    main()
