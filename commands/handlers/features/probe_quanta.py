"""Clusters of predictions as labels of a probe: what features do on the token from which a member is predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from commands.features import FeaturesContrast, FeaturesProbe
from commands.handlers.features.probe_data import ProbeData
from commands.handlers.features.readings import ranking_space
from commands.handlers.quanta import data
from workbench.errors import MismatchError, UsageError
from workbench.lab import Lab

if TYPE_CHECKING:
    from workbench.saes.space import FeatureSpace

LEAST = 5
"""Samples of a class, at least; the folds ask for more."""
BATCH = 16


def quanta_data(command: FeaturesProbe, lab: Lab) -> ProbeData:
    """Members of the clusters against the other samples; those of one document share a fold.

    Raises:
        UsageError: no clusters, or too few samples of a class.
        UnknownNameError: no cluster of that number.
        MismatchError: the loaded model is not the one that the samples were chosen by.
    """
    clustering = data.Clustering.of(lab)
    _need_model(lab)
    inside, outside = _classes(command, clustering)
    rng = np.random.default_rng(command.seed)
    half = command.tokens // 2
    drawn = [side if side.size <= most else rng.permutation(side)[:most]
             for side, most in ((inside, half), (outside, command.tokens - half))]  # fmt: skip
    samples = np.sort(np.concatenate(drawn))
    documents, groups = np.unique(clustering.samples.document[samples], return_inverse=True)
    name = f"samples of {_named(command.quanta)}"
    space, sets = ranking_space(FeaturesContrast(stimuli=name, sae=command.sae, site=command.site), lab)
    contexts = data.numbering(lab).contexts(clustering.samples.number[samples])
    return ProbeData(
        name=name,
        positive=_named(command.quanta),
        against=f"cluster {command.against}" if command.against else "other samples",
        kind="tokens",
        space=space,
        x=_activations(lab, space, contexts),
        labels=np.isin(samples, inside),
        groups=groups if documents.size < samples.size else None,  # nothing belongs together where each is alone
        texts=[],
        masked=0,
        about={"documents": int(documents.size), "found": {"positive": int(inside.size), "rest": int(outside.size)}},
        sets=sets,
        warnings=[],
        provenance={"quanta": {"clusters": clustering.about["root"], "digest": data.need(
            lab, data.SAMPLES, "samples", "select")["digest"]}},
    )  # fmt: skip


def _need_model(lab: Lab) -> None:
    chosen_by = data.need(lab, data.SAMPLES, "samples", "select")["model"]
    if lab.model.info["digest"] != chosen_by["digest"]:
        raise MismatchError(
            f"the clusters are of predictions of {chosen_by['name']}, the loaded model is {lab.model.name}",
            f"Load that model: `workbench model load {chosen_by['ref']}`.",
        )


def _classes(command: FeaturesProbe, clustering: data.Clustering) -> tuple[np.ndarray, np.ndarray]:
    """Samples of the clusters, and those that they are set against."""
    members = np.unique(np.concatenate([clustering.members(number) for number in command.quanta]))
    if command.against:
        if not command.against.isdigit():
            raise UsageError(f"--against {command.against} is no cluster's number", "Give one of `quanta list`.")
        others = clustering.members(int(command.against))
        if np.intersect1d(members, others).size:
            raise UsageError(f"cluster {command.against} cannot be on both sides", "Name two different ones.")
    else:
        others = np.setdiff1d(np.arange(len(clustering.labels)), members)
    for name, side in ((_named(command.quanta), members), ("the other side", others)):
        if side.size < LEAST:
            raise UsageError(
                f"{name} has {side.size} samples, a probe takes {LEAST} of each class",
                "Name larger clusters, or several: `--quanta 3 --quanta 8`.",
            )
    return members, others


def _named(clusters: tuple[int, ...]) -> str:
    numbers = [str(number) for number in dict.fromkeys(clusters)]
    return f"cluster{'s' if len(numbers) > 1 else ''} {', '.join(numbers)}"


def _activations(lab: Lab, space: FeatureSpace, contexts: list[list[int]]) -> np.ndarray:
    """(samples, features) on the last token before each answer, float32."""
    found = np.zeros((len(contexts), space.width), dtype=np.float32)
    order = sorted(range(len(contexts)), key=lambda number: len(contexts[number]))
    for start in range(0, len(order), BATCH):
        lab.tick(start, len(order), "reading contexts")
        batch = order[start : start + BATCH]
        ids, mask = lab.model.pad([contexts[number][:-1] for number in batch])
        acts = lab.model.read_ids(ids, mask, space.site)  # (batch, tokens, units)
        last = acts[range(len(batch)), [len(contexts[number]) - 2 for number in batch]]
        found[batch] = space.encode(last).cpu().numpy()
    return found
