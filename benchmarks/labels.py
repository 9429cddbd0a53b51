"""Labels: what they score on the demo, and 1,000 of them asked of a local server that speaks the Messages API.

The scores are offline: by words alone. The local server is another process on this machine, answers after 50 ms
and limits the rate now and then; it says how many calls were under way at once and what was asked twice. Two more parts
(`label_queue.py`) ask for as many through the real engine while keys are pressed in the real app, and kill the asking.

    python benchmarks/labels.py [--json] [--labels N] [--seed N] [--parts scores,asked,tokens,queue,kills]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.report import stamp  # noqa: E402

CONCURRENCY = 16


def demo_index(home: Path, seed: int) -> Any:
    """The demo's index of 200,000 tokens of the corpus that the seed makes."""
    from commands.handlers import handler_of
    from commands.line import parse_line
    from workbench.index.read import open_index
    from workbench.run import Runner
    from workbench.session.record import SessionRecord

    os.environ["WORKBENCH_HOME"] = str(home)
    runner = Runner(handler_of, home / "sessions", "a benchmark")
    runner.do(parse_line("session.new bench"), None)
    lines = ("model.load demo", "sae.load demo", "features.contrast achievement", "clusters.find")
    for line in (*lines, f"index.build tokens=200000 seed={seed}", "labels.suggest"):
        runner.do(parse_line(line), "bench")
    return open_index(home, SessionRecord(home / "sessions" / "bench").state.entries["index"].value)


def scores(index: Any) -> list[dict[str, Any]]:
    """Offline scores of the planted features' labels, and of as many features that mean nothing."""
    import numpy as np

    from workbench import demo
    from workbench.labels import offline
    from workbench.labels.drawing import Draw
    from workbench.labels.null import NullIndex
    from workbench.labels.offline_scorer import OfflineScorer
    from workbench.labels.scoring import Job, WordScorer, prepare, score

    concepts = json.loads((demo.HERE / "manifest.json").read_text())["measured"]["concepts"]
    planted = {name: int(one["latent"]) for name, one in concepts.items()}
    rest = [n for n in np.flatnonzero(index.summary["fired"] > 500).tolist() if n not in planted.values()]
    kinds = [("planted", Draw(index), planted), ("null", Draw(NullIndex(index, 5)), {f"#{n}": n for n in rest[:10]})]
    rows = []
    for kind, draw, features in kinds:
        found = {n: offline.suggest(draw.explain(n, offline.TOP, offline.EACH)) for n in features.values()}
        texts = {n: "-" if one is None else one.text for n, one in found.items()}
        order = list(texts)
        scorer = WordScorer(OfflineScorer(draw.reference()))
        for protocol in ("detection", "fuzzing"):
            for negatives in ("random", "neighbours", "hard") if kind == "planted" else ("random",):
                jobs = []
                for place, n in enumerate(order):
                    other = order[(place + len(order) // 2) % len(order)]
                    jobs.append(Job(n, texts[n], "label", protocol, negatives, (other, texts[other])))
                names = list(features)
                for name, row in zip(names, score([prepare(job, draw, 20) for job in jobs], scorer), strict=True):
                    rows.append({"kind": kind, "feature": name, **row})
    return rows


def asked(index: Any, home: Path, labels: int) -> dict[str, Any]:
    """Ask for labels of all features and again after a kill; the server counts."""
    from workbench.labels.budget import Budget, price_of
    from workbench.labels.drawing import Draw
    from workbench.labels.prompts import to_explain
    from workbench.labels.replies import Replies
    from workbench.labels.service import Asking, make_client

    options = {"latency": 0.05, "faults": [429, 529, 429, 529, 500]}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.labels.server", json.dumps(options)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{process.stdout.readline().strip()}"
        os.environ |= {"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "test-key"}
        draws = [Draw(index, seed) for seed in range(-(-labels // 400))]
        alive = [n for n in range(int(index.meta["features"])) if index.summary["fired"][n] > 50]
        requests = {}
        for draw in draws:  # the same features from other windows, until there are as many prompts as labels
            for n in alive:
                request = to_explain("claude-haiku-5-5", draw.explain(n), index.logits(n))
                requests[request.key] = request
        chosen = list(requests.values())[:labels]
        client = make_client()
        price = price_of("claude-haiku-5-5", home)
        asking = Asking(client, Replies(home), Budget(price, 100.0), concurrency=CONCURRENCY, tick=lambda *_: None)
        begun = time.perf_counter()
        answers = asking.ask(chosen)
        seconds = time.perf_counter() - begun
        asking.ask(chosen)
        client.close()
        with urllib.request.urlopen(f"{url}/stats") as reply:
            stats = json.load(reply)
        usage = [answer.usage for answer in answers if hasattr(answer, "usage")]
        return {
            "kind": "asked", "labels": len(chosen), "answered": len(usage), "seconds": round(seconds, 2),
            "peak": stats["peak"], "concurrency": CONCURRENCY, "calls": stats["calls"], "repeated": stats["repeated"],
            "ideal_seconds": round(len(chosen) * 0.05 / CONCURRENCY, 2),
            "input_tokens_a_label": round(sum(one["input_tokens"] for one in usage) / max(len(usage), 1)),
            "output_tokens_a_label": round(sum(one["output_tokens"] for one in usage) / max(len(usage), 1)),
        }  # fmt: skip
    finally:
        process.kill()
        process.wait()


def score_tokens(index: Any) -> dict[str, Any]:
    """Input tokens of a model's score, baselines included, counted at 3.5 letters a token."""
    from workbench.labels.asked_scorer import AskedScorer
    from workbench.labels.budget import LETTERS_A_TOKEN
    from workbench.labels.drawing import Draw
    from workbench.labels.replies import Replies
    from workbench.labels.scoring import Job, prepare

    draw, tokens = Draw(index), {}
    scorer = AskedScorer("claude-haiku-5-5", lambda _: [], Replies(Path(tempfile.gettempdir()) / "none"))
    for protocol in ("detection", "fuzzing", "rubric"):
        job = Job(
            459, "a label of ten words or so, as they are given", "label", protocol, "random", (1, "another label")
        )
        requests = scorer.requests(prepare(job, draw, 5).asks())
        tokens[protocol] = round(sum(one.letters for one in requests) / LETTERS_A_TOKEN)
    return {"kind": "score", "input_tokens": tokens}


def measure(parts: set[str], chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of the parts asked for; what the app needs is made first, by the same commands."""
    from benchmarks import label_queue

    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if parts - {"kills"}:
            index = demo_index(home, chosen.seed)
        if "queue" in parts:
            rows.append(label_queue.queue_row(home, chosen.labels))
        if "scores" in parts:
            rows += scores(index)
        if "asked" in parts:
            rows.append(asked(index, home, chosen.labels))
        if "tokens" in parts:
            rows.append(score_tokens(index))
        if "kills" in parts:
            rows.append(label_queue.kill_row(chosen.seed))
    return rows


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true")
    options.add_argument("--labels", type=int, default=1000)
    options.add_argument("--seed", type=int, default=0, help="seed of the corpus that is made")
    options.add_argument("--parts", default="scores,asked,tokens,queue,kills", help="which parts to measure")
    chosen = options.parse_args()
    rows = measure(set(chosen.parts.split(",")), chosen)
    found = {
        **stamp(),
        "rows": rows,
        "bars": bars(rows),
    }
    if chosen.json:
        print(json.dumps(found))
        return
    for row in rows:
        if "accuracy" in row:
            a, m = row["accuracy"], row["margin"]
            print(
                f"| {row['kind']} | {row['feature']} | {row['protocol']} | {row['negatives']} | {a['value']:.2f} "
                f"[{a['low']:.2f}, {a['high']:.2f}] | {row['other']['accuracy']['value']:.2f} | "
                f"{row['random']['accuracy']['value']:.2f} | {m['value']:+.2f} [{m['low']:+.2f}, {m['high']:+.2f}] |"
            )
        else:
            print(row)
    for bar in found["bars"]:
        print(bar)


def bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What has to hold."""
    from benchmarks import label_queue

    own = [row for row in rows if row["kind"] == "planted" and row["negatives"] == "random" and "margin" in row]
    null = [row for row in rows if row["kind"] == "null" and row["protocol"] == "detection" and "margin" in row]
    found = []
    if own:
        least = min(row["margin"]["low"] for row in own)
        nulls = sum(row["margin"]["low"] > 0 for row in null)
        found.append(_bar("least lower limit of a planted label's margin", least, 0.0, least > 0))
        found.append(_bar("null features of 10 with a margin above 0", nulls, 2, nulls <= 2))
    for live in [row for row in rows if row["kind"] == "asked"]:
        full, answered = live["peak"] == live["concurrency"], live["labels"] == live["answered"]
        found.append(_bar("calls at once, of the limit", live["peak"] / live["concurrency"], 1.0, full))
        found.append(_bar("stored replies asked again", live["repeated"], 0, live["repeated"] == 0))
        found.append(_bar("labels without an answer", live["labels"] - live["answered"], 0, answered))
    for tokens in [row for row in rows if row["kind"] == "score"]:
        most = max(tokens["input_tokens"].values())
        found.append(_bar("input tokens of a score", most, 12_000, most <= 12_000))
    return found + label_queue.bars(rows)


def _bar(name: str, value: float, limit: float, holds: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "limit": limit, "holds": bool(holds)}


if __name__ == "__main__":
    main()
