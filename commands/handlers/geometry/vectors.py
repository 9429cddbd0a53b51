"""The directions whose geometry is measured: class means, probes, decoder rows, and means where a feature fires."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from commands.geometry import GeometryEnergy
from commands.handlers.circle.probing import sites_of
from workbench.errors import UsageError
from workbench.geometry.gram_nulls import probe_directions
from workbench.lab import Lab
from workbench.models.site import Site
from workbench.saes.ids import feature_index

LEAST = 3
MOST = 60
BATCH = 64


@dataclass(frozen=True)
class Directions:
    """Directions at one place.

    Attributes:
        place: the site's name.
        names: of the vectors.
        vectors: (n, width).
        shuffled: gives the vectors of labels shuffled by a seed; None where there are no labels.
    """

    place: str
    names: tuple[str, ...]
    vectors: np.ndarray
    shuffled: Callable[[int], np.ndarray] | None


def read_directions(command: GeometryEnergy, lab: Lab) -> list[Directions]:
    """The directions asked for, one set for each site.

    Raises:
        UsageError: nothing or too much to compare, or a combination without meaning.
    """
    if command.of == "decoder":
        return [_decoder(command, lab)]
    if not command.stimuli:
        raise UsageError("no stimulus set", f"`--of {command.of}` reads sentences: name a set, such as weekdays.")
    if command.features:
        if command.of == "probes":
            raise UsageError(
                "features are not classes of which each token has one",
                "Use --of means or --of decoder with --features.",
            )
        return _feature_means(command, lab)
    return _classes(command, lab)


def _checked(names: tuple[str, ...]) -> tuple[str, ...]:
    if not LEAST <= len(names) <= MOST:
        raise UsageError(f"{len(names)} directions", f"From {LEAST} to {MOST} are compared.")
    return names


def _decoder(command: GeometryEnergy, lab: Lab) -> Directions:
    if not command.features:
        raise UsageError("no features", "`--of decoder` compares features: --features 18 --features 30 ...")
    space = lab.space
    numbers = [feature_index(feature, space.name, space.width) for feature in command.features]
    names = _checked(tuple(f"#{number}" for number in numbers))
    return Directions(space.name, names, space.directions()[numbers].double().cpu().numpy(), None)


def _classes(command: GeometryEnergy, lab: Lab) -> list[Directions]:
    stimuli = lab.stimuli(command.stimuli)
    names = _checked(tuple(stimuli.names))
    kept = stimuli.included
    labels = np.array([names.index(one.category) for one in kept])
    sites = sites_of(lab.model, command.site)
    pooled = _pooled([one.text for one in kept], sites, command.pool, lab)

    def vectors(x: np.ndarray, classes: np.ndarray) -> np.ndarray:
        if command.of == "probes":
            return probe_directions(x, classes, ridge=command.ridge)
        means = np.stack([x[classes == place].mean(axis=0) for place in range(len(names))])
        return np.asarray(means - means.mean(axis=0))  # the mean vector: one number a layer would leave an offset

    def shuffler(x: np.ndarray) -> Callable[[int], np.ndarray]:
        return lambda seed: vectors(x, np.random.default_rng([command.seed, seed]).permutation(labels))

    return [Directions(site.name, names, vectors(x, labels), shuffler(x)) for site, x in pooled.items()]


def _pooled(texts: list[str], sites: list[Site], pool: str, lab: Lab) -> dict[Site, np.ndarray]:
    """(sentences, width) at each site, over the tokens of the text."""
    found: dict[Site, list[np.ndarray]] = {site: [] for site in sites}
    for acts, keep in _read(texts, sites, lab):
        for site, rows in acts.items():
            chosen = rows[keep]
            found[site].append(chosen[-1] if pool == "last" else chosen.mean(axis=0))
    return {site: np.stack(rows) for site, rows in found.items()}


def _read(texts: list[str], sites: list[Site], lab: Lab) -> list[tuple[dict[Site, np.ndarray], np.ndarray]]:
    """(tokens, width) of each text at each site, and which tokens are text."""
    tokenized = [lab.model.tokenize(text) for text in texts]
    found = []
    for start in range(0, len(texts), BATCH):
        lab.tick(start, len(texts), "reading sentences")
        part = tokenized[start : start + BATCH]
        ids, mask = lab.model.pad([text.ids for text in part])
        acts = {site: tensor.double().cpu().numpy() for site, tensor in lab.model.read_sites(ids, mask, sites).items()}
        for row, text in enumerate(part):
            here = {site: tensor[row, : len(text.ids)] for site, tensor in acts.items()}
            found.append((here, np.array(text.is_text)))
    return found


def _feature_means(command: GeometryEnergy, lab: Lab) -> list[Directions]:
    """The mean activation at each site over the tokens on which each feature fires, less the mean of all of them."""
    import torch

    space = lab.space
    numbers = [feature_index(feature, space.name, space.width) for feature in command.features]
    names = _checked(tuple(f"#{number}" for number in numbers))
    sites = sites_of(lab.model, command.site)
    wanted = list(dict.fromkeys([*sites, space.site]))
    read = _read([one.text for one in lab.stimuli(command.stimuli).included], wanted, lab)
    own = np.concatenate([acts[space.site][keep] for acts, keep in read])
    with torch.no_grad():
        fires = (space.encode(torch.tensor(own, dtype=torch.float32))[:, numbers] > 0).cpu().numpy()
    silent = [name for name, on in zip(names, fires.T, strict=True) if not on.any()]
    if silent:
        raise UsageError(f"{', '.join(silent)} never fires on {command.stimuli}", "Leave it out, or use another set.")
    found = []
    for site in sites:
        x = np.concatenate([acts[site][keep] for acts, keep in read])  # (tokens, width)
        means = np.stack([x[on].mean(axis=0) for on in fires.T])
        found.append(Directions(site.name, names, means - means.mean(axis=0), _firing_shuffler(command, x, fires)))
    return found


def _firing_shuffler(command: GeometryEnergy, x: np.ndarray, fires: np.ndarray) -> Callable[[int], np.ndarray]:
    def shuffled(seed: int) -> np.ndarray:
        order = np.random.default_rng([command.seed, seed]).permutation(len(x))
        means = np.stack([x[order][on].mean(axis=0) for on in fires.T])
        return np.asarray(means - means.mean(axis=0))

    return shuffled
