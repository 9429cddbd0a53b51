"""Quanta of the demo model against the tasks that its corpus was made of: purity, ARI, and what chance gives.

Every token of the demo's corpus has a known task: the slot of the grammar that wrote it (the answer of a weekday sum,
the next number of a count), or the sentence pattern whose fixed words it is of. As many predictions of low loss are
taken of each task; gradients, activations and answers are clustered alike. Controls: the clusters dealt out to other
samples (what the same sizes give by chance), gradients whose coordinates are permuted sample by sample, the answer
token alone, and the unembedding of the answer, which knows no context. What is compared was chosen on the documents of
seed 12; the table is of those of seed 11.

    python benchmarks/quanta_truth.py [--each 40] [--clusters 16 32 96] [--seed 11] [--json]
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter
from typing import Any

import numpy as np

from benchmarks.report import bar_lines, stamp, tell
from workbench import demo
from workbench.demo import corpus
from workbench.demo.sentences import _PATTERNS
from workbench.geometry import adjusted_rand_index, angular_affinity, spectral_embedding
from workbench.models.loading import load_model
from workbench.predictions.activations import activation_similarity
from workbench.quanta import present_trigram, purity
from workbench.quanta.gradients import gradient_similarity

THRESHOLD = 0.1
PLANTED = {
    "weekday/day_sum": "weekday sum", "month/month_sum": "month sum", "counting/run_up": "count up",
    "counting/run_down": "count down", "code/same_mark": "closing mark", "weekday/ from ": "weekday ' from '",
    "month/ from ": "month ' from '", "weekday/ is ": "weekday ' is '", "month/ is ": "month ' is '",
    "near_day/ or ": "near day ' or '", "near_month/ or ": "near month ' or '", "names/ and ": "list ' and '",
    "outcome/ felt ": "' felt '", "place/ lives in ": "' lives in '", "food/ and a cup of ": "' and a cup of '",
    "code/ = [": "' = ['",
}  # fmt: skip
SHUFFLES = 20


def parts_of(text: str, concept: str) -> list[tuple[str, int, int]]:
    """Slots and fixed words of a sentence with their characters, by the first pattern of its kind that fits."""
    kind = "outcome" if concept in ("achievement", "failure") else concept
    for _, pattern in _PATTERNS[kind]:
        pieces = re.split(r"\{(\w+)\}", pattern)
        names = [piece for at, piece in enumerate(pieces) if piece or at % 2]
        slots = [at % 2 for at, piece in enumerate(pieces) if piece or at % 2]
        whole = "".join("(.+?)" if slot else f"({re.escape(name)})" for name, slot in zip(names, slots, strict=True))
        if match := re.fullmatch(whole, text):
            return [(f"{kind}/{name}", *match.span(at)) for at, name in enumerate(names, 1)]
    return []


def tasks_of(document: corpus.Document, offsets: list[tuple[int, int]]) -> list[str]:
    """The task of each token, "" where it is of none."""
    spans = []
    for sentence in document.sentences:
        for name, start, end in parts_of(document.text[sentence.start : sentence.end], sentence.concept):
            spans.append((name, sentence.start + start, sentence.start + end))
    found = []
    for start, end in offsets:
        middle = (start + (document.text[start:end][:1] == " ") + end) / 2
        found.append(next((name for name, first, last in spans if first <= middle < last), ""))
    return found


def draw(model: Any, each: int, seed: int) -> tuple[list[list[int]], list[str]]:
    """As many low-loss contexts of each planted task, in the order of the corpus; not those that copying explains."""
    import torch

    contexts: list[list[int]] = []
    tasks: list[str] = []
    have: Counter[str] = Counter()
    for number, document in enumerate(corpus.documents(seed)):
        if number >= 6000 or all(have[task] >= each for task in PLANTED.values()):
            break
        encoded = model.tokenizer(document.text, return_offsets_mapping=True)
        ids, named = encoded["input_ids"], tasks_of(document, encoded["offset_mapping"])
        wanted = [at for at in range(1, len(ids)) if have[PLANTED.get(named[at], "")] < each and named[at] in PLANTED]
        if not wanted or len(ids) > model.context:
            continue
        with torch.no_grad():
            logits = model.plain(torch.tensor([ids])).logits[0]
        nats = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="none").numpy()
        copied = present_trigram(ids)
        for at in wanted:
            task = PLANTED[named[at]]
            if nats[at - 1] < THRESHOLD and not copied[at - 1] and have[task] < each:
                contexts.append(ids[: at + 1])
                tasks.append(task)
                have[task] += 1
    return contexts, tasks


def own_clusters(labels: np.ndarray, tasks: np.ndarray, wanted: str) -> float:
    """Share of a task's samples in clusters of which at least nine in ten are of that task."""
    inside = tasks == wanted
    return (
        float(np.mean([np.mean(inside[labels == label]) >= 0.9 for label in labels[inside]])) if inside.any() else 0.0
    )


def measured(labels: np.ndarray, tasks: np.ndarray) -> dict[str, Any]:
    """Agreement with the tasks, and that of the same clusters dealt out to other samples."""
    rng = np.random.default_rng(0)
    dealt = [rng.permutation(labels) for _ in range(SHUFFLES)]
    return {
        "purity": purity(labels, tasks),
        "ari": adjusted_rand_index(labels, tasks),
        "purity_shuffled": float(np.mean([purity(one, tasks) for one in dealt])),
        "ari_shuffled": float(np.mean([adjusted_rand_index(one, tasks) for one in dealt])),
        "weekday_own": own_clusters(labels, tasks, "weekday sum"),
        "month_own": own_clusters(labels, tasks, "month sum"),
    }


def permuted(model: Any, contexts: list[list[int]]) -> np.ndarray:
    """Cosines of gradients whose coordinates are permuted, each sample's by a permutation of its own."""
    import torch

    from workbench.quanta.roles import chosen_parameters
    from workbench.quanta.sample_gradients import checked_contexts, sample_gradients

    rng, rows = np.random.default_rng(0), []
    parameters = list(chosen_parameters(model).values())
    for gradient in sample_gradients(model, parameters, checked_contexts(model, contexts)):
        flat = torch.cat([part.reshape(-1) for part in gradient]).numpy()
        rows.append(rng.permutation(flat / np.linalg.norm(flat)))
    stacked = np.stack(rows)
    cosines: np.ndarray = (stacked @ stacked.T).astype(np.float64)
    return np.asarray((cosines + cosines.T) / 2)


def of_answers(model: Any, contexts: list[list[int]]) -> np.ndarray:
    """Cosines of the unembeddings of the answers."""
    weight = model.get_output_embeddings().weight.detach().double().numpy()
    rows = weight[[context[-1] for context in contexts]]
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(np.clip(rows @ rows.T, -1, 1))


def similarities(model: Any, contexts: list[list[int]]) -> dict[str, np.ndarray]:
    """Cosines of all kinds."""
    plain = model.plain
    return {
        "gradients": gradient_similarity(plain, contexts).matrix,
        "gradients, equal votes": gradient_similarity(plain, contexts, equal=True).matrix,
        "|gradients|": gradient_similarity(plain, contexts, absolute=True).matrix,
        "logits": gradient_similarity(plain, contexts, target="logit").matrix,
        "logits, equal votes": gradient_similarity(plain, contexts, target="logit", equal=True).matrix,
        "gradients, permuted": permuted(plain, contexts),
        "activations": activation_similarity(model, contexts, lambda *_: None)[0],
        "answer's unembedding": of_answers(plain, contexts),
    }


def measure(each: int, clusters: list[int], seed: int) -> dict[str, Any]:
    """All rows and bars."""
    model = load_model({"ref": "demo", "device": "cpu"})
    contexts, names = draw(model, each, seed)
    tasks, answers = np.array(names), np.array([context[-1] for context in contexts])
    started = time.perf_counter()
    found = similarities(model, contexts)
    gradients, seconds = found["gradients"], time.perf_counter() - started
    rows = []
    kinds = {name: np.maximum(cosines, 0) for name, cosines in found.items()}
    kinds |= {"gradients, squared": np.square(kinds["gradients"]), "gradients, angular": angular_affinity(gradients)}
    for name, affinity in kinds.items():
        embedding = spectral_embedding(affinity, max(clusters) + 1)
        rows += [
            {"name": name, "clusters": number, **measured(embedding.clusters(number), tasks)} for number in clusters
        ]
    kind = np.unique(answers, return_inverse=True)[1]
    rows.append({"name": "answer token alone", "clusters": int(kind.max()) + 1, **measured(kind, tasks)})
    same = tasks[:, None] == tasks[None, :]
    apart = ~np.eye(len(tasks), dtype=bool)
    return {
        "rows": rows,
        "bars": bars(rows),
        "tasks": by_task(found, tasks, answers),
        "samples": len(contexts),
        "seconds": seconds,
        "cosine_same_task": float(gradients[same & apart].mean()),
        "cosine_other_task": float(gradients[~same].mean()),
    }


def by_task(found: dict[str, np.ndarray], tasks: np.ndarray, answers: np.ndarray) -> dict[str, Any]:
    """Mean cosines inside each task, to the other tasks, and inside it where the answer is the same token.

    Args:
        found: (samples, samples) cosines of each kind.
        tasks: (samples,) name of the task of each.
        answers: (samples,) token id that each predicts.
    """
    apart = ~np.eye(len(tasks), dtype=bool)
    about: dict[str, Any] = {}
    for task, count in Counter(tasks.tolist()).items():
        here = tasks == task
        inside = np.ix_(here, here)
        alike = apart[inside] & (answers[here][:, None] == answers[here][None, :])
        about[task] = {"samples": count}
        for name in ("gradients", "logits, equal votes"):
            cosines = found[name]
            about[task][name] = {
                "within": float(cosines[inside][apart[inside]].mean()),
                "across": float(cosines[here][:, ~here].mean()),
                "same_answer": float(cosines[inside][alike].mean()) if alike.any() else None,
            }
    return about


def bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What must hold: gradients tell tasks apart, permuted ones do not, the sums are clusters of their own."""
    best = max((row for row in rows if row["name"].startswith("gradients")), key=lambda row: row["ari"])
    chance = round(max(row["ari"] for row in rows if row["name"] == "gradients, permuted"), 3)
    own = [min(row["weekday_own"], row["month_own"]) for row in rows if row["name"] == "logits, equal votes"]
    return [
        {"name": "best ARI of gradients over shuffled", "value": round(best["ari"] - best["ari_shuffled"], 3),
         "limit": 0.3, "holds": best["ari"] - best["ari_shuffled"] >= 0.3},
        {"name": "ARI of gradients with permuted coordinates, at most", "value": chance, "limit": 0.05,
         "holds": chance <= 0.05},
        {"name": "weekday and month sums in clusters of their own by logits with equal votes, at every number",
         "value": round(min(own), 3), "limit": 0.8, "holds": min(own) >= 0.8},
    ]  # fmt: skip


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    lines = [
        "# Quanta against known tasks", "",
        f"{report['machine']}, {report['date']}; {report['samples']} samples, all in {report['seconds']:.0f} s; "
        f"mean cosine within a task {report['cosine_same_task']:.3f}, between tasks {report['cosine_other_task']:.3f}",
        "", "```",
        f"{'':22} {'k':>4} {'purity':>7} {'(dealt)':>7} {'ARI':>6} {'(dealt)':>7} {'weekdays':>9} {'months':>7}",
    ]  # fmt: skip
    lines += [
        f"{row['name']:22} {row['clusters']:4} {row['purity']:7.3f} {row['purity_shuffled']:7.3f} {row['ari']:6.3f} "
        f"{row['ari_shuffled']:7.3f} {row['weekday_own']:9.2f} {row['month_own']:7.2f}"
        for row in report["rows"]
    ]
    for name in ("gradients", "logits, equal votes"):
        lines += ["", f"{name:22} {'samples':>8} {'within':>7} {'across':>7}   within, same answer"]
        lines += [
            f"{task:22} {told['samples']:8} {told[name]['within']:7.3f} {told[name]['across']:7.3f}   "
            f"{'–' if told[name]['same_answer'] is None else format(told[name]['same_answer'], '.3f')}"
            for task, told in report["tasks"].items()
        ]
    lines += bar_lines(report["bars"])
    return "\n".join([*lines, "```"])


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--each", type=int, default=40, help="samples of each task")
    parser.add_argument("--clusters", type=int, nargs="+", default=[16, 32, 96])
    parser.add_argument("--seed", type=int, default=11, help="of the documents that the samples are drawn from")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    demo.model_dir()
    report = {**stamp(), **measure(options.each, options.clusters, options.seed)}
    return tell(report, table, as_json=options.json)


if __name__ == "__main__":
    raise SystemExit(main())
