"""Clusters of large decoders: time, memory and agreement, on synthetic decoders with planted clusters; circle patches.

Each row is measured in a process of its own, so that peaks of memory do not add up. `wall_s` is what a user waits on
this machine as it was; `cpu_s` is the processor time of the same work, which a busy machine inflates less.

    python benchmarks/geometry.py [--scale 1.0] [--json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.report import bar_lines, machine_load, stamp, tell  # noqa: E402

WITHIN = 0.4
"""Mean cosine of two members of one planted cluster."""
DENSE = ("squared", "angular")
"""Dense affinities that the sparse route is compared with; the second is the published one."""
SHARE = 0.8
"""Share of the latents that belong to a planted cluster; the rest point anywhere."""


def planted_decoder(latents: int, width: int, clusters: int, seed: int) -> tuple[Any, Any]:
    """Directions (latents, width) in float32 and their cluster, -1 for those that point anywhere."""
    rng = np.random.default_rng(seed)
    cluster = np.full(latents, -1)
    members = int(SHARE * latents)
    cluster[:members] = np.arange(members) % clusters
    decoder = rng.standard_normal((latents, width), dtype=np.float32)
    decoder /= np.linalg.norm(decoder, axis=1, keepdims=True)
    middle = rng.standard_normal((clusters, width), dtype=np.float32)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    decoder[:members] *= np.sqrt(1 - WITHIN)
    decoder[:members] += np.sqrt(WITHIN) * middle[cluster[:members]]
    order = rng.permutation(latents)
    return decoder[order], cluster[order]


def spectral_row(scale: float) -> dict[str, Any]:
    """24,576 x 768 into 1,000 spectral clusters by a sparse graph."""
    from workbench.geometry import adjusted_rand_index, affinity, spectral_embedding

    latents, clusters = int(24_576 * scale), max(2, int(1000 * scale))
    decoder, planted = planted_decoder(latents, 768, clusters, seed=0)
    with _Watch() as graph_watch:
        similarity = affinity(decoder, "knn", k=10)
    with _Watch() as eigen_watch:
        embedding = spectral_embedding(similarity, clusters)
    with _Watch() as means_watch:
        labels = embedding.clusters(clusters)
    known = planted >= 0
    return {
        "name": f"spectral, {latents} x 768 to {clusters} clusters, sparse graph",
        "wall_s": round(graph_watch.wall + eigen_watch.wall + means_watch.wall, 2),
        "cpu_s": round(graph_watch.cpu + eigen_watch.cpu + means_watch.cpu, 2),
        "parts_s": [round(watch.wall, 2) for watch in (graph_watch, eigen_watch, means_watch)],
        "residual": float(f"{embedding.residual:.2g}"),
        "ari_planted": round(adjusted_rand_index(labels[known], planted[known]), 4),
    }


def agreement_row(scale: float) -> dict[str, Any]:
    """A sixth of the clusters of the same decoder, and of what points anywhere: the sparse route against dense ones."""
    from workbench.geometry import adjusted_rand_index, affinity, spectral, spectral_embedding

    whole, cluster = planted_decoder(int(24_576 * scale), 768, max(2, int(1000 * scale)), seed=0)
    clusters = max(2, int(1000 * scale) // 6)
    members, others = np.flatnonzero((cluster >= 0) & (cluster < clusters)), np.flatnonzero(cluster < 0)
    latents = int(4096 * scale)
    subset = np.sort(np.concatenate([members, others[: latents - members.size]]))
    decoder, planted = whole[subset], cluster[subset]
    known = planted >= 0
    exact = {name: spectral_embedding(affinity(decoder, name), clusters).clusters(clusters) for name in DENSE}
    similarity = affinity(decoder, "knn", k=10)
    exact["knn"] = spectral_embedding(similarity, clusters).clusters(clusters)
    spectral.DENSE = 0  # the route of large decoders
    with _Watch() as watch:
        sparse = spectral_embedding(similarity, clusters).clusters(clusters)
    return {
        "name": f"spectral, subset of {latents}, sparse iteration against dense",
        "wall_s": round(watch.wall, 2),
        "cpu_s": round(watch.cpu, 2),
        "ari_planted": round(adjusted_rand_index(sparse[known], planted[known]), 4),
        **{f"ari_dense_{name}": round(adjusted_rand_index(sparse, other), 4) for name, other in exact.items()},
        **{
            f"ari_dense_{name}_members": round(adjusted_rand_index(sparse[known], other[known]), 4)
            for name, other in exact.items()
        },
    }


def graph_row(scale: float) -> dict[str, Any]:
    """65,536 x 1,024 into the components of the cosine graph."""
    from workbench.geometry import adjusted_rand_index, cosine_graph_clusters, partition

    latents, clusters = int(65_536 * scale), max(2, int(2600 * scale))
    decoder, planted = planted_decoder(latents, 1024, clusters, seed=2)
    with _Watch() as watch:
        found = cosine_graph_clusters(decoder, k=4, tau=0.3)
    known = planted >= 0
    return {
        "name": f"cosine graph, {latents} x 1024, k 4, tau 0.3",
        "wall_s": round(watch.wall, 2),
        "cpu_s": round(watch.cpu, 2),
        "components": len(found),
        "ari_planted": round(adjusted_rand_index(partition(found, latents)[known], planted[known]), 4),
    }


PAIRS = 10_000_000
"""Pairs of a token and a feature active on it, of the index that a cluster is reconstructed from."""
MEMBERS = 16


def made_index(folder: Path, pairs: int) -> None:
    """An index of 24,576 features on a corpus without text: 50 features on a token, some of them much rarer."""
    from workbench.index.read import FORMAT

    features, active = 24_576, 50
    tokens = pairs // active
    rng = np.random.default_rng(0)
    weight = 1 / np.arange(1, features + 1) ** 0.7
    fired = rng.choice(features, size=tokens * active, p=weight / weight.sum()).astype(np.int32)
    key = np.unique(np.repeat(np.arange(tokens, dtype=np.int64), active) * features + fired)
    place, feature = key // features, (key % features).astype("<i4")
    values = rng.gamma(2.0, 1.0, len(key)).astype("<f4")
    by_feature = np.argsort(feature, kind="stable")
    arrays = {
        "pointers": np.concatenate([[0], np.cumsum(np.bincount(place, minlength=tokens))]).astype("<i8"),
        "features": feature,
        "offsets": np.concatenate([[0], np.cumsum(np.bincount(feature, minlength=features))]).astype("<i8"),
        "at": place[by_feature].astype("<u4"),
        "values": values[by_feature],
    }
    for name, array in arrays.items():
        array.tofile(folder / f"{name}.bin")
    meta = {"format": FORMAT, "kind": "sparse", "features": features, "tokens": tokens, "entries": len(key)}
    (folder / "meta.json").write_text(json.dumps(meta))


def reconstruction_row(scale: float) -> dict[str, Any]:
    """The 16 busiest features of an index of 10^7 pairs: their tokens, activations and principal planes.

    The index is written by another process, so that the peak is that of opening it and reconstructing.
    """
    with tempfile.TemporaryDirectory() as folder:
        call = [sys.executable, __file__, "--write-index", folder, "--scale", str(scale)]
        subprocess.run(call, cwd=ROOT, check=True)
        return _reconstructed(Path(folder))


def _reconstructed(folder: Path) -> dict[str, Any]:
    from typing import cast

    from workbench import memory
    from workbench.corpus.store import TokenStore
    from workbench.geometry import reconstruction_planes
    from workbench.index.read import FeatureIndex
    from workbench.index.reconstruction import cluster_activity

    writes = np.random.default_rng(1).standard_normal((MEMBERS, 768))
    before = memory.peak()
    with _Watch() as watch:
        index = FeatureIndex(folder, cast("TokenStore", None))  # no token's text is asked for
        members = np.argsort(-np.diff(index.arrays["offsets"]), kind="stable")[:MEMBERS].tolist()
        activity = cluster_activity(index, members, most=20_000)
        planes = reconstruction_planes(activity.activations, writes)
    return {
        "name": f"reconstruction, {MEMBERS} busiest of 24,576 features, {index.meta['entries']} pairs",
        "wall_s": round(watch.wall, 3),
        "cpu_s": round(watch.cpu, 3),
        "active": activity.active,
        "points": len(planes.scores),
        "grown_mb": round((memory.peak() - before) / 1e6, 1),
    }


def circle_row(scale: float) -> dict[str, Any]:
    """Every intervention on all 294 weekday pairs at one site of the demo: in batches, and one forward a pair."""
    from workbench.circles.explaining import task_values
    from workbench.circles.forward import Change, predict, read_at
    from workbench.circles.patching import pairs_of, patches, run_patches
    from workbench.circles.tasks import ask
    from workbench.geometry import CircleProbe
    from workbench.models.loading import load_model
    from workbench.models.site import Site

    model, site = load_model({"ref": "demo", "device": "cpu"}), Site(1, "hook_resid_post")
    asked = ask(model, "weekdays")
    places, pairs = asked.prompts.name_at, pairs_of(asked.task)
    acts, labels = read_at(model, asked.prompts, places, [site])[site], task_values(asked.task)["c"]
    probe = CircleProbe(asked.task.period).fit(acts, labels)
    kinds = patches(acts, labels, pairs, probe, {}, draws=1)
    run_patches(model, asked, pairs, site, places, {"patch layer": kinds["patch layer"]}, lambda _: None)  # warm
    with _Watch() as batched:
        said = run_patches(model, asked, pairs, site, places, kinds, lambda _: None)
    chosen = range(0, len(pairs), max(1, round(1 / scale)))
    forwards, worst = 0, 0.0
    with _Watch() as single:
        for kind, (make, *_) in kinds.items():
            vectors = make()
            for pair in chosen:
                number = int(pairs.asked[pair])
                row = number if len(vectors) == len(places) else pair
                change = Change(site, [places[number]], vectors[row : row + 1])
                alone = predict(model, asked.prompts, [number], asked.answers, change)
                worst = max(worst, float(np.abs(alone.answers[0] - said[kind][0].answers[pair]).max()))
                forwards += 1
    each = single.wall / forwards
    return {
        "name": f"circle patches, {len(kinds)} interventions x {len(pairs)} weekday pairs on the demo, one site",
        "wall_s": round(batched.wall, 3),
        "cpu_s": round(batched.cpu, 3),
        "one_forward_ms": round(1000 * each, 2),
        "one_by_one_s": round(each * len(kinds) * len(pairs), 2),
        "ratio": round(each * len(kinds) * len(pairs) / batched.wall, 1),
        "largest_difference": float(f"{worst:.2g}"),
    }


ROWS: dict[str, Callable[[float], dict[str, Any]]] = {
    "spectral": spectral_row,
    "agreement": agreement_row,
    "graph": graph_row,
    "reconstruction": reconstruction_row,
    "circle": circle_row,
}


class _Watch:
    """Wall and processor seconds of a `with` block."""

    def __enter__(self) -> _Watch:
        self.began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall, self.cpu = time.perf_counter() - self.began[0], time.process_time() - self.began[1]


def measured(name: str, scale: float) -> dict[str, Any]:
    """One row, from a process of its own."""
    call = [sys.executable, __file__, "--row", name, "--scale", str(scale)]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the row {name} ended with {done.returncode}: {done.stderr[-500:]}")
    row: dict[str, Any] = json.loads(done.stdout)
    return row


def one_row(name: str, scale: float) -> dict[str, Any]:
    """A row with the peak of this process beside it, the decoder included."""
    from workbench import memory

    row = ROWS[name](scale)
    return {**row, "peak_gb": round(memory.peak() / 1e9, 3)}


def bars(rows: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The promises, each with the value that was measured."""
    limits = [
        ("spectral clusters of 24,576 x 768, s", rows["spectral"]["wall_s"], 300),
        ("graph clusters of 65,536 x 1,024, s", rows["graph"]["wall_s"], 120),
        ("graph clusters of 65,536 x 1,024, GB", rows["graph"]["peak_gb"], 2),
        ("reconstruction of 16 features from 10^7 pairs, s", rows["reconstruction"]["wall_s"], 1),
        (
            "reconstruction of 16 features from 10^7 pairs, MB, libraries included",
            round(1000 * rows["reconstruction"]["peak_gb"]),
            200,
        ),
    ]
    found = [{"name": name, "value": value, "limit": limit, "holds": value < limit} for name, value, limit in limits]
    ratio = rows["circle"]["ratio"]
    faster = {"name": "circle patches against one forward per pair, times as fast", "value": ratio, "limit": 20}
    return [*found, {**faster, "holds": ratio >= 20}]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--scale", type=float, default=1.0, help="share of the sizes, for a quick look")
    parser.add_argument("--row", choices=list(ROWS), help=argparse.SUPPRESS)
    parser.add_argument("--write-index", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--only", nargs="*", choices=list(ROWS), help="only these rows, without bars")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.write_index:
        made_index(options.write_index, int(PAIRS * options.scale))
        return 0
    if options.row:
        print(json.dumps(one_row(options.row, options.scale)))
        return 0
    before = machine_load()
    rows = {name: measured(name, options.scale) for name in options.only or ROWS}
    report = {
        **stamp(before),
        "rows": list(rows.values()),
        "bars": bars(rows) if options.scale == 1 and not options.only else [],
    }
    return tell(report, table, as_json=options.json)


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    lines = [f"{report['machine']}, {report['date']}"]
    for row in report["rows"]:
        rest = ", ".join(f"{key} {value}" for key, value in row.items() if key not in ("name", "wall_s", "cpu_s"))
        lines += [f"{row['name']:60} {row['wall_s']:8.2f} s  cpu {row['cpu_s']:8.2f} s", f"    {rest}"]
    lines += bar_lines(report["bars"])
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
