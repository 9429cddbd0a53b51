"""The ways in which `clusters find` joins features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.clusters import ClustersFind
from workbench.errors import UsageError
from workbench.lab import Lab

if TYPE_CHECKING:
    from workbench.geometry import Stability

AFFINITIES = {"angular": "angular", "positive": "clipped", "squared": "squared", "knn": "knn"}
"""Names of the library by those of the command."""
SEEDS = 3
"""Other seeds that spectral clusters are compared with."""


@dataclass
class Joined:
    """Features in groups.

    Attributes:
        groups: members of each, single features included.
        stability: `{"setting", "ari"}` of neighbouring settings and other seeds.
        sweep: a row for each number of clusters tried.
        about: what else the result says.
    """

    groups: list[np.ndarray]
    stability: list[dict[str, Any]]
    sweep: list[dict[str, Any]] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def joined(command: ClustersFind, lab: Lab, decoder: np.ndarray) -> Joined:
    """The groups that a command asks for."""
    if command.method == "graph":
        return _graph(command, decoder)
    lab.tick(0, 3, "measuring similarities")
    similarity, about = _similarity(command, lab, decoder)
    if command.method == "spectral" or command.n_clusters:
        found = _spectral(command, lab, similarity)
    else:
        found = _similarity_graph(command, similarity)
    found.about = {**about, **found.about}
    return found


def _graph(command: ClustersFind, decoder: np.ndarray) -> Joined:
    from workbench.geometry import cosine_graph_sweep, neighbouring_settings, sweep_stability

    if command.n_clusters:
        raise UsageError("--n-clusters is for spectral clusters", "Add --method spectral, or leave it out.")
    settings = neighbouring_settings(command.k, command.tau)
    sweep = cosine_graph_sweep(decoder, settings)
    return Joined(sweep[0], _stable(sweep_stability(sweep, settings, len(decoder))))


def _similarity_graph(command: ClustersFind, similarity: Any) -> Joined:
    from workbench.geometry import neighbouring_settings, similarity_graph_sweep, sweep_stability

    settings = neighbouring_settings(command.k, command.tau)
    sweep = similarity_graph_sweep(similarity, settings)
    return Joined(sweep[0], _stable(sweep_stability(sweep, settings, similarity.shape[0])))


def _similarity(command: ClustersFind, lab: Lab, decoder: np.ndarray) -> tuple[Any, dict[str, Any]]:
    """What features are joined by, and what to say of it."""
    from workbench.geometry import affinity, coactivation_affinity, nearest_neighbour_affinity
    from workbench.index.coactivation import firing

    if command.method == "spectral":
        try:
            return affinity(decoder, AFFINITIES[command.affinity], k=command.neighbours), {}  # type: ignore[arg-type]
        except ValueError as error:
            raise UsageError(str(error), "Take --affinity knn.") from error
    index = lab.index()
    if index is None:
        raise UsageError("co-activation needs the corpus index", "Build it first: `workbench index build`.")
    found = firing(index, above=command.above, seed=command.seed)
    together = coactivation_affinity(found.active)
    about = {"tokens": found.tokens, "all_tokens": found.whole, "above": command.above}
    if command.method == "both":
        together = together.maximum(nearest_neighbour_affinity(decoder, command.neighbours))
    return together, about


def _spectral(command: ClustersFind, lab: Lab, similarity: Any) -> Joined:
    from workbench.geometry import spectral_embedding

    features = int(similarity.shape[0])
    counts = command.n_clusters or (max(2, features // 25),)
    if bad := [count for count in counts if not 2 <= count <= features]:
        raise UsageError(f"--n-clusters {bad[0]} is not between 2 and the {features} features", "Give another number.")
    lab.tick(1, 3, "eigenvectors")
    embedding = spectral_embedding(similarity, min(features, max(counts) + 1), seed=command.seed)
    rows, first = [], np.zeros(0, dtype=np.intp)
    for done, count in enumerate(counts):
        lab.tick(done, len(counts), f"{count} clusters")
        labels = embedding.clusters(count, seed=command.seed)
        first = labels if done == 0 else first
        rows.append(_sweep_row(command, embedding, count, labels))
    about = {
        "eigengap": embedding.eigengap(),
        "parts": embedding.parts,
        "residual": float(f"{embedding.residual:.2g}"),
        "isolated": int(embedding.isolated.sum()),
    }
    warnings = []
    if not embedding.converged:
        warnings.append(f"the eigenvectors have not converged (residual {embedding.residual:.2g})")
    if embedding.parts > counts[0]:
        warnings.append(
            f"the similarity has {embedding.parts} separate parts, more than {counts[0]} clusters: which of them are "
            "put together is arbitrary"
        )
    return Joined(_groups(first, embedding.isolated), rows[0]["stability"], rows, about, warnings)


def _sweep_row(command: ClustersFind, embedding: Any, count: int, labels: np.ndarray) -> dict[str, Any]:
    from workbench.geometry import spectral_stability

    others = [command.seed + 1 + step for step in range(SEEDS)]
    stability = spectral_stability(embedding, count, seeds=others, seed=command.seed)
    sizes = np.sort(np.bincount(labels))[::-1]
    return {
        "n_clusters": count,
        "found": len(sizes),
        "largest_size": int(sizes[0]),
        "median_size": float(np.median(sizes)),
        "alone": int((sizes == 1).sum()),
        "stability": _stable(stability),
    }


def _groups(labels: np.ndarray, isolated: np.ndarray) -> list[np.ndarray]:
    """Largest first, equal sizes by their smallest member; what is similar to nothing is alone, not a cluster."""
    groups = [np.flatnonzero((labels == label) & ~isolated) for label in range(int(labels.max()) + 1)]
    groups += [np.array([feature]) for feature in np.flatnonzero(isolated)]
    return sorted((group for group in groups if len(group)), key=lambda group: (-len(group), int(group[0])))


def _stable(stability: Stability) -> list[dict[str, Any]]:
    pairs: Sequence[tuple[str, Any]] = list(zip(stability.settings, stability.ari, strict=True))
    return [{"setting": setting, "ari": round(float(ari), 4)} for setting, ari in pairs]
