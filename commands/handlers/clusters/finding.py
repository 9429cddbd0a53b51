"""The ways in which `clusters find` joins features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.clusters import ClustersFind
from workbench.errors import UsageError
from workbench.figures import Figure
from workbench.lab import Lab

if TYPE_CHECKING:
    from workbench.geometry import Stability
    from workbench.index.coactivation import Firing
    from workbench.index.read import FeatureIndex

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
        figures: of how the number of clusters was chosen.
        returns: of clusters of two or more, how well each comes back in halves of the documents.
    """

    groups: list[np.ndarray]
    stability: list[dict[str, Any]]
    sweep: list[dict[str, Any]] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)


def joined(command: ClustersFind, lab: Lab, decoder: np.ndarray) -> Joined:
    """The groups that a command asks for."""
    if command.consensus and (command.method in ("graph", "spectral") or command.n_clusters):
        raise UsageError(
            "--consensus chooses the number of clusters from the documents of the index",
            "Take --method activation, coactivation or both, and leave --n-clusters out.",
        )
    if command.consensus == 1:
        raise UsageError("--consensus 1 is no vote", "Give 2 runs or more; 100 are a good number.")
    if command.method == "graph":
        return _graph(command, decoder)
    lab.tick(0, 3, "measuring similarities")
    if command.consensus or (command.method == "activation" and not command.n_clusters):
        return _consensus(command, lab, decoder)
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
    from workbench.geometry import affinity

    if command.method == "spectral":
        try:
            return affinity(decoder, AFFINITIES[command.affinity], k=command.neighbours), {}  # type: ignore[arg-type]
        except ValueError as error:
            raise UsageError(str(error), "Take --affinity knn.") from error
    found, about = _fired(command, _index(lab))
    return _together(command, decoder)(found.active), about


def _index(lab: Lab) -> FeatureIndex:
    index = lab.index()
    if index is None:
        raise UsageError("co-activation needs the corpus index", "Build it first: `workbench index build`.")
    return index


def _fired(command: ClustersFind, index: FeatureIndex) -> tuple[Firing, dict[str, Any]]:
    """Where features fire, or how strongly for `activation`."""
    from workbench.index.coactivation import firing

    strength = command.method == "activation"
    if strength and command.above:
        raise UsageError("--above is for coactivation: activation has no threshold", "Leave --above out.")
    found = firing(index, above=command.above, seed=command.seed, strength=strength)
    return found, {"tokens": found.tokens, "all_tokens": found.whole, "above": command.above}


def _together(command: ClustersFind, decoder: np.ndarray) -> Callable[[Any], Any]:
    """The similarity of features, from a matrix of where they fire."""
    from workbench.geometry import activation_affinity, coactivation_affinity, nearest_neighbour_affinity

    if command.method == "activation":
        return activation_affinity
    if command.method == "coactivation":
        return coactivation_affinity
    near = nearest_neighbour_affinity(decoder, command.neighbours)
    return lambda active: coactivation_affinity(active).maximum(near)


def _consensus(command: ClustersFind, lab: Lab, decoder: np.ndarray) -> Joined:
    """Clusters by the vote of runs on halves of the documents, and their agreement with one cluster fewer and more."""
    from commands.handlers.clusters.voting import returns, voted
    from workbench.geometry import adjusted_rand_index

    index = _index(lab)
    fired, about = _fired(command, index)
    found, told, figures, warnings = voted(command, lab, index, fired, _together(command, decoder))
    groups = _groups(found.labels, found.consensus.isolated)
    stability = [{"setting": "halves of the documents", "ari": told["consensus"]["agreement"]}]
    for number in (found.chosen - 1, found.chosen + 1):
        if 2 <= number <= len(found.consensus.tree) + 1:
            ari = adjusted_rand_index(found.labels, found.consensus.divided(number))
            stability.append({"setting": f"n_clusters {number}", "ari": round(ari, 4)})
    about = {**about, **told, "isolated": int(found.consensus.isolated.sum())}
    back = returns(found, [group for group in groups if len(group) > 1])
    return Joined(groups, stability, about=about, warnings=warnings, figures=figures, returns=back)


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
