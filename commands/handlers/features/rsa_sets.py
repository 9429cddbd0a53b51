"""Sets of units that are compared as one: neighbourhoods, inputs, clusters, layers, positions, a region of interest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from commands.features import FeaturesContrast, FeaturesRsa
from commands.handlers.clusters.sets import ClusterSet
from commands.handlers.features.readings import Reading, read_sentences
from commands.handlers.features.rsa_models import ModelDesign
from workbench.errors import UsageError
from workbench.lab import Lab


@dataclass(frozen=True)
class UnitSets:
    """Sets of units on the same sentences.

    Attributes:
        values: (sentences, sets, units); a set with fewer units has zeros, which add no distance.
        rows: what each set is: `name`, `size` and more; empty for rankings of features.
    """

    values: np.ndarray
    rows: list[dict[str, Any]]


def as_contrast(command: FeaturesRsa, **changes: Any) -> FeaturesContrast:
    """How the sentences are read, in the words of the verb that reads them alike."""
    fields = {name: getattr(command, name) for name in ("stimuli", "sae", "site", "window", "width", "pool")}
    return FeaturesContrast(**{**fields, **changes})


def neighbourhoods(command: FeaturesRsa, reading: Reading) -> UnitSets:
    """Each feature with those of nearest decoder direction: a searchlight over features."""
    if reading.space.info["units"] != "latents":
        raise UsageError("raw units have no decoder directions", "Use --over features, or the latents of an SAE.")
    nearest = _nearest(reading.space.directions().numpy(), command.neighbours)  # (features, neighbours)
    _room(len(reading.pooled), *nearest.shape)
    return UnitSets(reading.pooled[:, nearest], [])


def _nearest(directions: np.ndarray, count: int) -> np.ndarray:
    """(features, count) the features of largest decoder cosine, each itself first."""
    units = directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
    count = min(count, len(units))
    found = np.empty((len(units), count), dtype=np.intp)
    for start in range(0, len(units), 1024):
        cosines = units[start : start + 1024] @ units.T  # (features here, features)
        here = np.arange(len(cosines))
        cosines[here, start + here] = np.inf
        found[start : start + 1024] = np.argsort(-cosines, axis=1, kind="stable")[:, :count]
    return found


def inputs(command: FeaturesRsa, lab: Lab, design: ModelDesign, reading: Reading) -> UnitSets:
    """The site's own units that each latent's decoder direction weighs most."""
    if reading.space.info["units"] != "latents":
        raise UsageError("raw units have no inputs", "Use --over features, or the latents of an SAE.")
    directions = reading.space.directions().numpy()  # (features, units)
    if command.inputs > directions.shape[1]:
        raise UsageError(
            f"--inputs {command.inputs} are more than the site's {directions.shape[1]} units", "Ask for fewer."
        )
    site = str(reading.space.site)
    raw = read_sentences(as_contrast(command, sae="raw", site=_site_name(reading)), lab, design.stimuli)
    if raw.pooled.shape[1] != directions.shape[1]:
        raise UsageError(f"the directions do not lie in the units of {site}", "Use --over features.")
    strongest = np.argsort(-np.abs(directions), axis=1, kind="stable")[:, : command.inputs]
    _room(len(raw.pooled), *strongest.shape)
    return UnitSets(raw.pooled[:, strongest], [])


def _site_name(reading: Reading) -> str:
    return str(reading.space.site.name)


def clusters(lab: Lab, reading: Reading) -> UnitSets:
    """The session's latest clusters, each as one set."""
    found = ClusterSet(lab)
    if found.space != reading.space.name:
        raise UsageError("the latest clusters are of other features", "Run `workbench clusters find` again.")
    sizes = found.sizes
    if not len(sizes):
        raise UsageError("the latest clusters.find found none", "Find some with a smaller --tau.")
    members = np.split(found.members, np.cumsum(sizes)[:-1])
    _room(len(reading.pooled), len(sizes), int(sizes.max()))
    values = np.zeros((len(reading.pooled), len(sizes), int(sizes.max())), dtype=np.float32)
    for number, features in enumerate(members):
        values[:, number, : len(features)] = reading.pooled[:, features]
    values[np.isnan(reading.pooled).all(axis=1)] = np.nan
    rows = [
        {"name": f"cluster {number}", "size": len(features), "features": [int(one) for one in features[:12]]}
        for number, features in enumerate(members)
    ]
    return UnitSets(values, rows)


def layers(lab: Lab, design: ModelDesign, reading: Reading) -> UnitSets:
    """All units of the same stream at every layer, each layer as one set."""
    import torch

    from workbench.models.site import Site
    from workbench.stimuli.activations import lay_window, pool_tokens, window_values

    model, stream = lab.model, reading.space.site.stream
    sites = [Site(layer, stream) for layer in range(model.layers)]
    laid = lay_window(reading.window, reading.texts, [one.span for one in design.stimuli])
    found: list[np.ndarray] = []
    for layer, site in enumerate(sites):
        lab.tick(layer, len(sites), f"reading {site.name}")
        rows = []
        for text, acts, places in zip(reading.texts, model.read(reading.texts, site), laid, strict=True):
            kept = acts[torch.tensor(text.is_text, device=acts.device)].float().cpu()  # (tokens, units)
            pooled = torch.full(kept.shape[1:], torch.nan)
            if places is not None:
                pooled = pool_tokens(window_values(kept, reading.window, places), "mean")
            rows.append(pooled.numpy())
        found.append(np.stack(rows))  # (sentences, units)
    values = np.stack(found, axis=1)  # (sentences, layers, units)
    return UnitSets(values, [{"name": site.name, "size": values.shape[2]} for site in sites])


def positions(reading: Reading) -> UnitSets:
    """All features at each place of the window, each place as one set."""
    values = reading.features.positions
    assert values is not None  # read with by_position
    names = reading.window.names(values.shape[1])
    return UnitSets(values, [{"name": name, "size": values.shape[2]} for name in names])


@dataclass(frozen=True)
class Half:
    """One half of the sentences on which a region of interest is tested, chosen on the other.

    Attributes:
        rows: (sentences here,) which sentences of the design.
        features: (members,) chosen on the other half.
    """

    rows: np.ndarray
    features: np.ndarray


def split_regions(command: FeaturesRsa, design: ModelDesign, reading: Reading) -> list[Half]:
    """Two halves of every category; on each, the region that a contrast chose on the other.

    Raises:
        UsageError: too few sentences for two halves.
    """
    from workbench.stats import contrast_map

    half = _halves([one.category for one in design.stimuli], command.seed)
    found = []
    for chosen in (False, True):
        on, off = np.flatnonzero(half == chosen), np.flatnonzero(half != chosen)
        labels = design.labels[off]
        if min(int(labels.sum()), int((~labels).sum())) < 2:
            raise UsageError("too few sentences for two halves", "A region of interest needs four of each class.")
        contrast = contrast_map(reading.pooled[off], labels, permutations=20, seed=command.seed)
        ranked = np.flatnonzero(contrast.status == "ok")
        if ranked.size < 2:
            raise UsageError("fewer than two features vary on these sentences", "Choose another set or window.")
        best = ranked[np.argsort(-np.abs(contrast.t[ranked]), kind="stable")]
        found.append(Half(on, best[: command.members]))
    return found


def _halves(categories: list[str], seed: int) -> np.ndarray:
    """(sentences,) bool: half of each category, drawn at random; of an odd one the first half gets one more."""
    rng = np.random.default_rng([seed, 2])
    second = np.zeros(len(categories), dtype=bool)
    names = np.array(categories)
    for name in dict.fromkeys(categories):
        members = rng.permutation(np.flatnonzero(names == name))
        second[members[(len(members) + 1) // 2 :]] = True
    return second


def _room(sentences: int, sets: int, units: int) -> None:
    from workbench.stimuli.activations import MOST_ENTRIES

    if (entries := sentences * sets * units) > MOST_ENTRIES:
        raise UsageError(
            f"{sentences} sentences x {sets} sets x {units} units are {entries:,} numbers",
            f"At most {MOST_ENTRIES:,}: ask for fewer neighbours or inputs.",
        )
