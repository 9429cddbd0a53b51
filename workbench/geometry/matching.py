"""The relabelling under which one Gram matrix is nearest to another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

# Size up to which the answer is proven to be the best.
EXACT = 10
# Partial assignments that are extended at a time.
CHUNK = 4096
# Random starts of the local search above that size.
STARTS = 20


@dataclass(frozen=True)
class GramMatch:
    """A relabelling of one matrix.

    Attributes:
        permutation: (n,) p, so that b[p][:, p] is near a: row i of a goes with row p[i] of b.
        cost: Frobenius norm of a - b[p][:, p].
        exact: whether no permutation has a lower cost.
    """

    permutation: Integers
    cost: float
    exact: bool


def match_gram(a: ArrayLike, b: ArrayLike, *, seed: int = 0) -> GramMatch:
    """Find the permutation p that makes b[p][:, p] nearest to a in Frobenius norm.

    Up to 10 rows by branch and bound over all permutations; above, the best of local searches by swaps of two, from
    the labels as they are, from rows sorted alike and from 20 random orders. Never worse than b as it is.

    Args:
        a: (n, n).
        b: (n, n).
        seed: of the random orders.

    Raises:
        ValueError: not square, not of one size, or not finite.
    """
    first, second = (np.asarray(matrix, dtype=np.float64) for matrix in (a, b))
    if first.ndim != 2 or first.shape[0] != first.shape[1] or first.shape != second.shape or not first.size:
        raise ValueError(f"two (n, n) matrices of one size are needed, got {first.shape} and {second.shape}")
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise ValueError("matrices must be finite, but one holds NaN or infinity")
    n = len(first)
    order = _best_by_swaps(first, second, seed)
    if n <= EXACT:
        order = _exact(first, second, order)
    return GramMatch(order, relabelled_cost(first, second, order), n <= EXACT)


def relabelled_cost(a: Floats, b: Floats, order: Integers) -> float:
    """Frobenius norm of a - b[order][:, order]."""
    return float(np.linalg.norm(a - b[np.ix_(order, order)]))


def _best_by_swaps(a: Floats, b: Floats, seed: int) -> Integers:
    rng, n = np.random.default_rng(seed), len(a)
    alike = np.empty(n, dtype=np.intp)
    alike[_signature_order(a)] = _signature_order(b)
    starts = [np.arange(n), alike, *(rng.permutation(n) for _ in range(STARTS))]
    found = [_swapped(a, b, start) for start in starts]
    return min(found, key=lambda order: relabelled_cost(a, b, order))


def _signature_order(matrix: Floats) -> Integers:
    """Rows by their diagonal, then their sorted entries, signs kept: the same for relabelled matrices."""
    keys = np.column_stack([np.diagonal(matrix), np.sort(matrix, axis=1)])
    return np.asarray(np.lexsort(np.round(keys, 9).T[::-1]), dtype=np.intp)


def _swapped(a: Floats, b: Floats, start: Integers) -> Integers:
    """The best swap of two, again and again while it lowers the cost."""
    order = start.copy()
    while True:
        gain = _swap_gains(a, b[np.ix_(order, order)])
        i, j = np.unravel_index(int(gain.argmin()), gain.shape)
        if gain[i, j] >= -1e-12 * max(1.0, float(np.square(a).sum())):
            return order
        order[[i, j]] = order[[j, i]]


def _swap_gains(a: Floats, b: Floats) -> Floats:
    """(n, n) what exchanging rows and columns i and j of b adds to |a - b|^2.

    The cost is constant - 2 sum(a * b), so that only the inner product of the two counts.
    """
    inner = a @ b.T + a.T @ b  # [i, j]: row and column i of a against row and column j of b
    own = np.diagonal(inner)
    gain = own[:, None] + own[None, :] - inner - inner.T
    # the entries where the two rows and columns cross are moved too: put right what the products counted
    da, db = np.diagonal(a), np.diagonal(b)
    for m, w in ((a, b), (a.T, b.T)):
        gain -= m * w + m.T * w.T + da[:, None] * db[:, None] + da[None, :] * db[None, :]
        gain += m * db[None, :] + m.T * db[:, None] + da[:, None] * w.T + da[None, :] * w
    direct = _crossing(a, b)
    return 2 * (gain + direct)


def _crossing(a: Floats, b: Floats) -> Floats:
    """(n, n) what the four entries (i, i), (i, j), (j, i), (j, j) lose of sum(a * b) in a swap of i and j."""
    da, db = np.diagonal(a), np.diagonal(b)
    before = da[:, None] * db[:, None] + da[None, :] * db[None, :] + a * b + a.T * b.T
    after = da[:, None] * db[None, :] + da[None, :] * db[:, None] + a * b.T + a.T * b
    return before - after


def _exact(a: Floats, b: Floats, best: Integers) -> Integers:
    """Branch and bound: rows of a in turn, every free row of b tried, whole chunks of partial assignments at a time.

    The bound on what is to come: each row that is left costs at least its cheapest free partner against the rows
    already placed.
    """
    n = len(a)
    least = relabelled_cost(a, b, best) ** 2
    slack = 1e-12 * max(1.0, float(np.square(a).sum()))
    if _sorted_bound(a, b) >= least - slack:
        return best
    own = np.square(np.diagonal(a)[:, None] - np.diagonal(b)[None, :])  # (row of a, row of b)
    stack = [(np.empty((1, 0), dtype=np.intp), np.zeros(1), np.broadcast_to(own, (1, n, n)))]
    while stack:
        orders, cost, to_come = stack.pop()
        placed = orders.shape[1]
        if placed == n:
            i = int(cost.argmin())
            if cost[i] < least - slack:
                least, best = float(cost[i]), orders[i]
            continue
        children = _children(a, b, orders, cost, to_come, placed, least - slack)
        chunks = range(0, len(children[0]), CHUNK)
        # cheapest last: it is taken up first, and a good answer cuts the rest
        stack += [tuple(part[start : start + CHUNK] for part in children) for start in reversed(chunks)]  # type: ignore[misc]
    return best


def _sorted_bound(a: Floats, b: Floats) -> float:
    """Least squared distance if diagonal and other entries could be matched freely, each in sorted order.

    It closes the case of many equal entries, where a search would visit every one of the equal permutations.
    """
    off = ~np.eye(len(a), dtype=bool)
    pairs = ((np.diagonal(a), np.diagonal(b)), (a[off], b[off]))
    return float(sum(np.square(np.sort(x) - np.sort(y)).sum() for x, y in pairs))


def _children(
    a: Floats, b: Floats, orders: Integers, cost: Floats, to_come: Floats, row: int, limit: float
) -> tuple[Integers, Floats, Floats]:
    """Every extension by a partner of `row` whose bound is below `limit`, cheapest first.

    `to_come` is (assignments, rows of a, rows of b): what each pair would add against the rows placed, infinite
    where the row of b is taken.
    """
    reached = cost[:, None] + to_come[:, row]  # (assignments, n)
    parent, partner = np.nonzero(reached < limit)
    total = reached[parent, partner]
    following = to_come[parent] + np.square(a[None, :, row, None] - b.T[partner][:, None, :])
    following += np.square(a[None, row, :, None] - b[partner][:, None, :])
    following[np.arange(len(partner)), :, partner] = np.inf
    bound = total + following[:, row + 1 :].min(axis=2).sum(axis=1)
    kept = np.flatnonzero(bound < limit)
    kept = kept[np.argsort(bound[kept], kind="stable")]
    extended = np.column_stack([orders[parent[kept]], partner[kept]])
    return extended, total[kept], following[kept]
