"""Carries out `circle.patch`, `circle.sweep` and `circle.heads`: what moves the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.circle import CircleHeads, CirclePatch, CircleSweep
from commands.handlers.circle.probing import head, sites_of
from commands.handlers.clusters.sets import ClusterSet
from workbench.circles.explaining import task_values
from workbench.circles.forward import Predictions, predict, read_at
from workbench.circles.heads import head_scores
from workbench.circles.patching import Pairs, best_site, effect, pairs_of, patches, run_patches, share_of_layer
from workbench.circles.plane import ClusterPlane, cluster_plane, firing, written_by
from workbench.circles.sweeping import sweep as swept
from workbench.circles.tasks import Asked, ask
from workbench.errors import MismatchError, UnknownNameError, UsageError
from workbench.figures import Figure
from workbench.geometry import CircleProbe
from workbench.lab import Lab
from workbench.models.site import RESIDUAL, RESIDUAL_POST, Site, parse_site
from workbench.saes.ids import feature_index
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.saes.space import FeatureSpace

CLUSTER = "patch cluster plane"
QUANTITY = {"name": "a", "answer": "c"}
FIRING = 0.1
"""Share of the problems that a feature fires on, to be one of those that fire."""
GOOD = 0.5
"""Held-out R2 from which a plane can be called one with a circle: half of where the names stand is read from it."""


@dataclass(frozen=True)
class _Plane:
    """The plane of a cluster, and what is said of it."""

    plane: ClusterPlane
    told: dict[str, Any]


def patch(command: CirclePatch, lab: Lab) -> Outcome:
    """Every intervention at every site, over all pairs."""
    asked = ask(lab.model, command.task, command.preamble, command.space)
    pairs, sites = pairs_of(asked.task), sites_of(lab.model, command.site)
    places = asked.prompts.places(command.at)
    acts = read_at(lab.model, asked.prompts, places, sites)
    named = bool(command.features) or command.cluster is not None
    plane, note = _judged(_plane(command, lab, asked), named)
    plain = predict(lab.model, asked.prompts, range(len(places)), asked.answers)
    unchanged = Predictions(plain.answers[pairs.asked], plain.top[pairs.asked])
    rows = []
    for done, site in enumerate(sites):

        def tick(kind: str, done: int = done, site: Site = site) -> None:
            lab.tick(done, len(sites), f"{site.name}: {kind}")

        rows.append(_site(command, lab, asked, pairs, site, acts[site], plane, unchanged, tick))
    best = best_site([row for row in rows if row["status"] == "ok"])
    body = {
        **head(asked, lab),
        "at": command.at,
        "pairs": len(pairs),
        "level": 0.95,
        "cluster": None if plane is None else plane.told,
        "cluster_note": note,
        "sites": rows,
        "best": None if best is None else best["site"],
    }
    without: dict[str, Any] = {"gate": None} if plane is None else {}  # the circle and its controls need no features
    return Outcome(body, [*_shares(rows, command), *_bars(best, pairs)], provenance=without)


def _site(
    command: CirclePatch, lab: Lab, asked: Asked, pairs: Pairs, site: Site, acts: np.ndarray,
    plane: _Plane | None, unchanged: Predictions, tick: Any,
) -> dict[str, Any]:  # fmt: skip
    try:
        probes = probes_of(asked, acts, command.k, command.seed)
    except ValueError as error:
        empty = dict.fromkeys(("r2", "held_out_r2", "share", "random_share", "no_change", "patch_layer",
                               "patch_circle", "random_plane"))  # fmt: skip
        return {"site": site.name, "status": str(error), "of": None, **empty, "interventions": []}
    of = better(probes) if command.of == "auto" else command.of
    probe, labels = probes[of]
    others = {f"patch circle of the {name}": pair for name, pair in probes.items() if name != of}
    if plane is not None and len(plane.plane.basis) == acts.shape[1]:
        places = task_values(asked.task)[QUANTITY[plane.told["of"]]]
        second = CircleProbe(asked.task.period, basis=plane.plane.basis, seed=command.seed).fit(acts, places)
        others[CLUSTER] = (second, places)
    kinds = patches(acts, labels, pairs, probe, others, command.draws)
    said = run_patches(lab.model, asked, pairs, site, asked.prompts.places(command.at), kinds, tick)
    found = {kind: effect(draws, pairs) for kind, draws in {"no change": [unchanged], **said}.items()}
    return {
        "site": site.name,
        "status": "ok",
        "of": of,
        "r2": probe.r2_,
        "held_out_r2": probe.held_out_r2_,
        "share": share_of_layer(found, "patch circle"),
        "random_share": share_of_layer(found, "random plane"),
        "no_change": found["no change"]["difference"],
        "patch_layer": found["patch layer"]["difference"],
        "patch_circle": found["patch circle"]["difference"],
        "random_plane": found["random plane"]["difference"],
        "interventions": [
            {"intervention": kind, **row, "share": share_of_layer(found, kind)} for kind, row in found.items()
        ],
    }


def probes_of(asked: Asked, acts: np.ndarray, k: int, seed: int) -> dict[str, tuple[CircleProbe, np.ndarray]]:
    """A probe of the circle of the names and one of that of the answers, each with the places it was fitted on."""
    values = task_values(asked.task)
    return {
        name: (CircleProbe(asked.task.period, k, seed=seed).fit(acts, values[quantity]), values[quantity])
        for name, quantity in QUANTITY.items()
    }


def better(probes: dict[str, tuple[CircleProbe, np.ndarray]]) -> str:
    """Whose circle is read better from held-out problems."""
    return max(probes, key=lambda name: probes[name][0].held_out_r2_)


def _plane(command: CirclePatch, lab: Lab, asked: Asked) -> _Plane | None:
    """The plane of the features or the cluster named; else of the session's cluster that tells the names best."""
    wanted = bool(command.features) or command.cluster is not None
    clusters = lab.entry("clusters")
    if not wanted and not (lab.entry("sae") and clusters and clusters["space"] == lab.space.name):
        return None
    space = lab.space
    if space.site.stream not in RESIDUAL:
        raise UsageError(f"{space.site.name} is no residual stream", "The plane of a cluster is patched there alone.")
    acts = read_at(lab.model, asked.prompts, asked.prompts.places(command.at), [space.site])[space.site]
    of = better(probes_of(asked, acts, command.k, command.seed)) if command.of == "auto" else command.of
    labels = task_values(asked.task)[QUANTITY[of]]
    found = []
    for number, features in _feature_sets(command, lab, space, acts).items():
        plane = cluster_plane(written_by(space, acts, features), labels, asked.task.period)
        if plane is not None:
            found.append((plane, {"cluster": number, "features": features[:40], "size": len(features), "of": of,
                                  "site": space.site.name, "components": list(plane.components),
                                  "held_out_r2": plane.held_out_r2}))  # fmt: skip
    kept = [item for item in found if item[0].held_out_r2 > 0]  # below 0 no circle is in it
    if not kept and wanted:
        raise UsageError(
            "these features write on no plane with a circle at this task's tokens",
            "Name features that fire on the names, or --features firing.",
        )
    best = max(kept, key=lambda item: item[0].held_out_r2, default=None)
    return None if best is None else _Plane(*best)


def _judged(found: _Plane | None, named: bool) -> tuple[_Plane | None, str]:
    """The plane that is patched, and what must be said of it: one that nobody named and that is no circle is not."""
    if found is None or found.plane.held_out_r2 >= GOOD:
        return found, ""
    told = found.told
    which = "the features named" if told["cluster"] is None else f"cluster {told['cluster']}"
    fit = (
        f"the best plane of {which} is components {'-'.join(map(str, told['components']))}, where the circle of the "
        f"{told['of']} has a held-out R2 of {found.plane.held_out_r2:.3f}, below {GOOD:g}"
    )
    if named:
        return found, f"{fit}: it hardly holds that circle, and its patch mostly takes the rest away"
    return None, f"no cluster of the session was patched: {fit}. --cluster {told['cluster']} patches it all the same"


def _feature_sets(command: CirclePatch, lab: Lab, space: FeatureSpace, acts: np.ndarray) -> dict[int | None, list[int]]:
    """The features named, those that fire on a tenth of the problems or more, or clusters by their number."""
    if not command.features:
        return _clusters(command.cluster, lab)
    if command.features == ("firing",):
        return {None: [int(index) for index in np.flatnonzero(firing(space, acts) >= FIRING)]}
    return {None: [feature_index(feature, space.name, space.width) for feature in command.features]}


def _clusters(number: int | None, lab: Lab) -> dict[int | None, list[int]]:
    """Members of one cluster of the session, or of all.

    Raises:
        UsageError: there are no clusters.
        MismatchError: they are of other features than those loaded.
        UnknownNameError: there is no cluster of that number.
    """
    found = ClusterSet(lab)  # the latest, whether found or imported
    if found.space != lab.space.name:
        raise MismatchError(
            f"the clusters are of {found.space}, loaded is {lab.space.name}", "Load that SAE, or find clusters again."
        )
    if number is not None:
        return {number: found.cluster(number).members.tolist()}
    return {at: found.of(at).tolist() for at in range(len(found.sizes))}


def _shares(rows: list[dict[str, Any]], command: CirclePatch) -> list[Figure]:
    kept = [row for row in rows if row["status"] == "ok"]
    series = {
        "patch layer": [row["no_change"] - row["patch_layer"] for row in kept],
        "patch circle": [row["no_change"] - row["patch_circle"] for row in kept],
        "random plane": [row["no_change"] - row["random_plane"] for row in kept],
    }
    title = f"How far each patch moves the logit difference, by site ({command.task})"
    data = {"x": [rows.index(row) for row in kept], "series": series}
    return [Figure(kind="curve", title=title, x_label="site (0: the first)", y_label="logits moved", data=data)]


def _bars(best: dict[str, Any] | None, pairs: Pairs) -> list[Figure]:
    if best is None:
        return []
    found = best["interventions"]
    data = {"names": [row["intervention"] for row in found], "values": [row["difference"] for row in found],
            "low": [row["low"] for row in found], "high": [row["high"] for row in found]}  # fmt: skip
    title = f"Interventions at {best['site']}: logit of the old answer less that of the new"
    note = f"Mean over {len(pairs):,} pairs with its 95 % interval; below 0 the answer follows."
    return [Figure(kind="bars", title=title, x_label="logits", note=note, data=data)]


def sweep(command: CircleSweep, lab: Lab) -> Outcome:
    """Points on every radius and angle at one site, for one name and every number of steps."""
    asked = ask(lab.model, command.task, command.preamble, command.space)
    names = list(asked.task.names)
    if command.name and command.name not in names:
        raise UnknownNameError.among("name", command.name, names)
    site = parse_site(command.site, lab.model.layers) if command.site else Site(
        min(1, lab.model.layers - 1), RESIDUAL_POST)  # fmt: skip
    places = asked.prompts.places("name")
    acts = read_at(lab.model, asked.prompts, places, [site])[site]
    try:
        probes = probes_of(asked, acts, command.k, command.seed)
    except ValueError as error:
        raise UsageError(f"no circle at {site.name}: {error}", "Choose another --site.") from error
    of = better(probes) if command.of == "auto" else command.of
    probe, _ = probes[of]
    chosen = [at for at, problem in enumerate(asked.task.problems) if names[problem.a] == (command.name or names[0])]
    radii = np.array([command.step * at for at in range(command.radii)], dtype=np.float64)
    found = swept(lab.model, asked, probe, site, places, chosen, radii, command.angles, of, lab.tick)
    agreement, majority = found.agreement(), found.majority()
    lab.save("sweep", names=found.names.astype(np.int64), margin=found.margin.astype(np.float32), radii=radii)
    body = {
        **head(asked, lab),
        "site": site.name,
        "of": of,
        "name": command.name or names[0],
        "r2": probe.r2_,
        "held_out_r2": probe.held_out_r2_,
        "radii": [round(float(radius), 6) for radius in radii],
        "angles": command.angles,
        "points": len(chosen) * len(radii) * command.angles,
        "agreement": [float(value) for value in agreement],
        "chance": 1 / asked.task.period,
        "margin": [float(value) for value in found.margin.mean(axis=(0, 2))],
        "sectors": majority.tolist(),
        "nearest": found.nearest.tolist(),
    }
    title = f"The name that the answers stand for, around the circle's middle at {site.name}"
    data = {"names": names, "radii": body["radii"], "values": body["sectors"]}
    note = f"Most frequent over {len(chosen)} numbers of steps; the names themselves stand at radius 1."
    return Outcome(body, [Figure(kind="sectors", title=title, note=note, data=data)])


def heads(command: CircleHeads, lab: Lab) -> Outcome:
    """Layers and heads by how far each one's output alone moves the answer to the other problem's."""
    asked = ask(lab.model, command.task, command.preamble, command.space)
    pairs = pairs_of(asked.task)
    drawn = np.random.default_rng(command.seed).permutation(len(pairs))[: command.pairs]
    found = head_scores(
        lab.model, asked, [(int(pairs.asked[at]), int(pairs.clean[at])) for at in drawn], command.at, lab.tick
    )
    layers = [f"block {layer}" for layer in range(lab.model.layers)]
    order = np.argsort(-np.abs(found.heads), axis=None, kind="stable")[:20]
    top = [divmod(int(place), found.heads.shape[1]) for place in order]
    body = {
        **head(asked, lab),
        "at": command.at,
        "pairs": found.pairs,
        "streams": list(found.streams),
        "layers": found.layers.tolist(),
        "heads": found.heads.tolist(),
        "top": [{"layer": layer, "head": number, "score": float(found.heads[layer, number])} for layer, number in top],
    }
    what = "the name's token" if command.at == "name" else "the last token"
    by_head = {"rows": layers, "columns": [f"h{n}" for n in range(found.heads.shape[1])], "values": body["heads"]}
    by_layer = {"rows": list(found.streams), "columns": [f"b{n}" for n in range(lab.model.layers)],
                "values": body["layers"]}  # fmt: skip
    return Outcome(body, [
        Figure(kind="matrix", title=f"Share of the way to the other answer, by head at {what}", data=by_head),
        Figure(kind="matrix", title=f"The same by stream and block at {what}", data=by_layer),
    ])  # fmt: skip
