"""Clusters that many runs of k-means on resampled data agree on, their number chosen by how well it replicates.

Each run cuts the leading eigenvectors of one half of the data into another number of clusters, from another start; what
share of the runs puts two points together is the similarity of an average-linkage tree. Source: Fred and Jain (2005),
"Combining multiple clusterings using evidence accumulation", whose range of numbers is used. The tree is cut at the
number at which trees of disjoint halves of the data agree best, by the rule of one standard error (Breiman et al.,
1984).
"""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.geometry.spectral import SpectralEmbedding, by_first_appearance
from workbench.geometry.stability import adjusted_rand_index

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# Points at most: their pairs are held three times over, 2.7 GB.
MOST = 16_384
# A cluster comes back where it overlaps the best match by this Jaccard index; below the second it is not to be trusted.
RECURRENT, DOUBTFUL = 0.75, 0.6


@dataclass(frozen=True)
class Consensus:
    """What runs of k-means agree on.

    Attributes:
        tree: (m - 1, 4) average linkage of the m points that are not isolated, as scipy's; the distance of a pair is
            the share of runs that part it.
        numbers: (runs,) of clusters that each run was asked for.
        isolated: (n,) points that are similar to nothing: each is alone.
    """

    tree: Floats
    numbers: tuple[int, ...]
    isolated: NDArray[np.bool_]

    def divided(self, n_clusters: int) -> Integers:
        """(n,) labels of the tree cut into a number of clusters, isolated points not counted among them.

        Raises:
            ValueError: more clusters than points that are not isolated, or none.
        """
        if not 1 <= n_clusters <= len(self.tree) + 1:
            raise ValueError(f"n_clusters must be 1 to {len(self.tree) + 1}, got {n_clusters}")
        return self._after(len(self.tree) + 1 - n_clusters)

    def _after(self, merges: int) -> Integers:
        """(n,) labels after the first merges of the tree."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        points = len(self.tree) + 1
        node = np.repeat(points + np.arange(merges), 2)  # a merge is a node of its own, joined to its two parts
        part = self.tree[:merges, :2].astype(np.intp).ravel()
        graph = coo_array((np.ones(node.size), (node, part)), shape=(points + merges,) * 2)
        label = np.empty(self.isolated.size, dtype=np.intp)
        label[~self.isolated] = connected_components(graph, directed=False)[1][:points]
        label[self.isolated] = points + merges + np.arange(np.count_nonzero(self.isolated))
        return by_first_appearance(label)


def consensus_range(points: int) -> tuple[int, int]:
    """The numbers of clusters that runs are drawn between: half and twice the square root of the points, 2 at least."""
    root = float(np.sqrt(points))
    return max(2, round(root / 2)), max(2, min(points, round(2 * root)))


def consensus_clusters(
    embeddings: Sequence[SpectralEmbedding], *, runs: int = 100, least: int = 0, most: int = 0, seed: int = 0
) -> Consensus:
    """Runs of k-means in turn on embeddings of the same points, each with its own start and number of clusters.

    With one embedding the runs agree on what k-means does alone: noise that the embedding holds divides all of them
    alike. With embeddings of resampled data a division has to come back in the resamples as well.

    Args:
        embeddings: one, or one for each resample; each with at least `most` vectors.
        runs: how many in all.
        least: smallest number of clusters drawn; 0 for `consensus_range` of the points that are not isolated.
        most: largest.
        seed: of the numbers and the starts.

    Raises:
        ValueError: no embedding, fewer than 2 runs, fewer than 2 points that are similar to any, a range that an
            embedding does not have, or more than 16,384 points.
    """
    if not embeddings or runs < 2:
        raise ValueError(f"a consensus needs an embedding and at least 2 runs, got {len(embeddings)} and {runs}")
    isolated = np.all([each.isolated for each in embeddings], axis=0)
    n = int(np.count_nonzero(~isolated))
    if n < 2:
        raise ValueError(f"{n} points are similar to another: there is nothing to group")
    if n > MOST:
        raise ValueError(f"a consensus of {n} points needs {10 * n * n / 1e9:.0f} GB; name a number of clusters")
    low, high = consensus_range(n)
    low, high = least or low, most or high
    vectors = min(n, *(each.points.shape[1] for each in embeddings))
    if not 2 <= low <= high <= vectors:
        raise ValueError(f"{low} to {high} clusters are not within 2 to {vectors}, the points and vectors")
    rng = np.random.default_rng(seed)
    numbers = tuple(int(number) for number in rng.integers(low, high + 1, runs))
    together = np.zeros((n, n), dtype=np.uint16)
    for turn, number in enumerate(numbers):
        each, start = embeddings[turn % len(embeddings)], int(rng.integers(2**31))
        _count(together, each.points[~isolated, :number], each.isolated[~isolated], number, start)
    return Consensus(_tree(together, runs), numbers, isolated)


def _count(together: NDArray[np.uint16], points: Floats, alone: NDArray[np.bool_], number: int, seed: int) -> None:
    """Add one run to the counts of pairs; points that this embedding knows nothing of are with no other."""
    known = np.flatnonzero(~alone)
    if not known.size:
        return
    labels = _run(points[known], min(number, known.size), seed)
    for label in range(number):
        members = known[labels == label]
        together[np.ix_(members, members)] += 1


def _run(points: Floats, number: int, seed: int) -> Integers:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than clusters
        return np.asarray(KMeans(number, n_init=1, random_state=seed).fit_predict(points), dtype=np.intp)


def _tree(together: NDArray[np.uint16], runs: int) -> Floats:
    """Average linkage of the shares of runs that part each pair."""
    from scipy.cluster.hierarchy import linkage

    n = len(together)
    apart = np.concatenate([1 - together[row, row + 1 :] / runs for row in range(n - 1)])
    return np.asarray(linkage(apart, "average"))


def number_curve(first: Consensus, second: Consensus, numbers: Sequence[int]) -> Floats:
    """(numbers,) adjusted Rand index of two consensuses over the same points, both cut into each number of clusters."""
    return np.array([adjusted_rand_index(first.divided(number), second.divided(number)) for number in numbers])


def steadiest_number(numbers: Sequence[int], curves: ArrayLike) -> int:
    """The largest number of clusters whose mean agreement is within one standard error of the best mean.

    Args:
        numbers: of clusters, ascending.
        curves: (splits, numbers) agreement of the two halves of each split.

    Raises:
        ValueError: shapes that do not fit, or fewer than 2 splits.
    """
    found = np.asarray(curves, dtype=np.float64)
    if found.ndim != 2 or len(found) < 2 or found.shape[1] != len(numbers):
        raise ValueError(f"curves must be (splits, {len(numbers)}) with at least 2 splits, got shape {found.shape}")
    mean, error = found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(len(found))
    best = int(mean.argmax())
    return int(numbers[int(np.flatnonzero(mean >= mean[best] - error[best] - 1e-9)[-1])])


@dataclass(frozen=True)
class Replicated:
    """Clusters whose number was chosen by agreement between halves of the data.

    Attributes:
        labels: (n,) of the consensus of all halves, cut into `chosen` clusters.
        chosen: the number of clusters, isolated points not counted.
        numbers: those compared.
        curves: (splits, numbers) adjusted Rand index of the two halves of each split, each with a tree of its own.
        halves: (n,) labels of each half's own tree at the number chosen.
        consensus: of all halves.
    """

    labels: Integers
    chosen: int
    numbers: tuple[int, ...]
    curves: Floats
    halves: tuple[Integers, ...]
    consensus: Consensus

    @property
    def agreement(self) -> float:
        """Mean adjusted Rand index of disjoint halves at the number chosen; 0 is what chance gives."""
        return float(self.curves[:, self.numbers.index(self.chosen)].mean())


def replicated_clusters(
    splits: Sequence[tuple[SpectralEmbedding, SpectralEmbedding]], *, runs: int = 100, seed: int = 0
) -> Replicated:
    """Clusters by consensus, cut where disjoint halves of the data agree best; no number is given.

    Args:
        splits: embeddings of the two halves of each division of the data, with `consensus_range(n)[1]` vectors or more.
        runs: of k-means for the consensus; half as many for each half.
        seed: of all runs.

    Raises:
        ValueError: fewer than 2 splits, or as `consensus_clusters`.
    """
    if len(splits) < 2:
        raise ValueError(f"the number of clusters is chosen over at least 2 splits of the data, got {len(splits)}")
    every = [embedding for split in splits for embedding in split]
    together = consensus_clusters(every, runs=runs, seed=seed)
    low, high = consensus_range(len(together.tree) + 1)
    seeds = np.random.default_rng(seed).integers(2**31, size=len(every))
    trees = [consensus_clusters([each], runs=max(2, runs // 2), least=low, most=high, seed=int(start))
             for each, start in zip(every, seeds, strict=True)]  # fmt: skip
    numbers = tuple(range(low, high + 1))
    curves = np.array(
        [number_curve(first, second, numbers) for first, second in zip(trees[::2], trees[1::2], strict=True)]
    )
    chosen = steadiest_number(numbers, curves)
    halves = tuple(tree.divided(chosen) for tree in trees)
    return Replicated(together.divided(chosen), chosen, numbers, curves, halves, together)


def recurrence(clusters: Iterable[ArrayLike], others: Sequence[ArrayLike]) -> Floats:
    """(clusters,) how well each comes back in other partitions of the same points.

    The mean over partitions of the Jaccard overlap with the best match (Hennig, 2007, "Cluster-wise assessment of
    cluster stability": 0.75 and above is stable, below 0.6 not to be trusted).

    Args:
        clusters: members of each.
        others: (n,) labels of each partition.

    Raises:
        ValueError: no partition to compare with.
    """
    if not others:
        raise ValueError("recurrence needs at least one other partition")
    groups = []
    for labels in others:
        value = np.asarray(labels)
        groups.append((value, np.bincount(value)))
    found = []
    for cluster in clusters:
        members = np.asarray(cluster, dtype=np.intp)
        found.append(np.mean([_best(members, labels, sizes) for labels, sizes in groups]))
    return np.array(found)


def _best(members: Integers, labels: Integers, sizes: Integers) -> float:
    """Largest Jaccard overlap of some points with a group of a partition."""
    there, shared = np.unique(labels[members], return_counts=True)
    return float((shared / (members.size + sizes[there] - shared)).max(initial=0))
