"""RSA maps: how well the distances that each feature sees between stimuli follow a model RDM, and whether by chance.

No RDM of a feature is kept. Scores of distances come from closed forms (sum of w d = trace(X' L X), sums of d and d^2
from power sums of the centred feature); ranks and permuted scores are made for `STRATUM` features at a time.

Inference. Stimuli are permuted, never pairs: pairs share stimuli, and a permutation of pairs calls far too
much significant. p is (b + 1) / (P + 1) of the feature's own permuted scores, one-sided: a feature that the model does
not describe at all and one that contradicts it are equally uninteresting. p_fwer compares with the largest score of
all features in each permutation. q is Benjamini-Hochberg from a tail that P does not limit: each score is compared
with the permuted scores of a stratum of `STRATUM` features alike in how few pairs carry their distances, and with an
exponential continuation beyond these (`upper_tail`).

Share of label-free data sets with any q < 0.05, 200 of each kind, 400 features, 200 permutations, `corr` (the kinds are
in `null_scenarios`; standard error about 0.015 at 0.05):

    kind                          one-vs-rest  three categories  circle  graded
    Gaussian, 100 stimuli         .040         .050              .080    .060
    sparse, log-normal heights    .020         .050              .030    .045
    rectified shared templates    .035         .035              .025    .025
    Gaussian, 8 stimuli           .050         .040              .060    .040
    sparse, 12 stimuli            .070         .045              .045    .055

For two balanced categories and one number per stimulus the squared-distance score is a function of t squared alone,
mean between - mean within = (2 s_p^2 / n) (t^2 - 1): RSA says nothing there that a contrast map does not say with a
sign. It earns its place with three or more categories, graded or circular models, sets of features, and nuisances.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.stats.multiplicity import bh
from workbench.stats.orders import Orders, random_orders, stimulus_orders
from workbench.stats.rsa_description import describe_study
from workbench.stats.rsa_models import Comparison
from workbench.stats.rsa_null import ranked_block, tested
from workbench.stats.rsa_products import products
from workbench.stats.rsa_study import Study, prepared, study_of

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.intp]
Names = NDArray[np.str_]


@dataclass(frozen=True)
class RsaMap:
    """How each feature's RDM compares with a model's; every array is (features,), NaN where `status` is not ok.

    Attributes:
        score: the comparison asked for, between -1 and 1; with nuisances the partial one.
        p: one-sided permutation p (greater), (b + 1) / (P + 1).
        p_fwer: the same for the largest score of all features: controls the chance of any false discovery.
        q: Benjamini-Hochberg over the defined features; see the head of this module.
        status: `ok`, or `masked` (no stimulus seen), `too_few` (fewer than three seen, or the model does not vary on
            those seen), `constant` (all distances equal) or `explained` (the nuisances leave nothing of the feature).
        effect: slope of squared distance on the model, nuisances held, in squared activation units for one unit of
            the model; for a model of zeros and ones mean(between) - mean(within), without nuisances. NaN where the
            model does not vary.
        seen: stimuli that are not masked.
        p_tail: what q is made from.
        comparison: as asked.
        permutations: P, the orders used: fewer than asked when the design has no more.
        exhaustive: whether those were all orders, so that p is exact.
    """

    score: Floats
    p: Floats
    p_fwer: Floats
    q: Floats
    status: Names
    effect: Floats
    seen: Integers
    p_tail: Floats
    comparison: Comparison
    permutations: int
    exhaustive: bool

    @property
    def tested(self) -> int:
        """How many features are defined: the m of the multiplicity corrections."""
        return int(np.count_nonzero(self.status == "ok"))

    def discoveries(self, alpha: float = 0.05) -> int:
        """How many features have q below `alpha`."""
        return int(np.count_nonzero(self.q < alpha))


def rsa_map(
    x: ArrayLike,
    model_rdm: ArrayLike,
    *,
    comparison: Comparison = "corr",
    nuisance: Sequence[ArrayLike] = (),
    permutations: int = 1000,
    seed: int = 0,
    items: ArrayLike | None = None,
) -> RsaMap:
    """Compare the squared Euclidean distances that each feature sees with a model RDM, against permuted stimuli.

    Args:
        x: (stimuli, features), or (stimuli, features, channels) for sets of units that are compared as one; NaN =
            masked (in any channel). float64 inside; processed in blocks of features, so that the memory beyond
            `x` and the result is about 300 MB, whatever the number of features.
        model_rdm: (stimuli, stimuli) dissimilarities, symmetric; the diagonal is not looked at.
        comparison: `corr`, `cosine`, `spearman`, `rho-a`, `tau-a`, `cosine_cov` or `corr_cov` (whitened). Distances
            within 1e-10 of the largest are ties for the three that rank.
        nuisance: model RDMs to leave out of feature and model both (partial RSA); for `corr`, `cosine`, `spearman`.
            The model's stimuli are permuted and the partial score is taken anew (Legendre 2000, method 1).
        permutations: P; if the stimuli have no more other orders than that, all of them are used once.
        seed: of the random orders.
        items: (stimuli,) ids within which stimuli may be exchanged (matched pairs, blocks), or None.

    Returns:
        An `RsaMap`. Undefined features get a status and NaN, never an error. tau-a with a model of more than two
        levels is counted, about a tenth of a second for a feature at seven levels, 100 stimuli and 1,000
        permutations, and a second where all levels differ: use it on a shortlist.

    Raises:
        ValueError: shapes that do not fit, an unknown comparison, infinite activations, a model or nuisance RDM
            that is not symmetric, not of the set's size or not finite, a model that does not vary or that the
            nuisances explain whole, nuisances with a comparison that cannot leave them out.
    """
    study = study_of(x, model_rdm, comparison, nuisance, items, permutations)
    orders = stimulus_orders(study.items, permutations, np.random.default_rng(seed))
    return _map(study, orders)


def rsa_null_discoveries(
    x: ArrayLike,
    model_rdm: ArrayLike,
    *,
    comparison: Comparison = "corr",
    nuisance: Sequence[ArrayLike] = (),
    permutations: int = 1000,
    seed: int = 0,
    items: ArrayLike | None = None,
    shuffles: int = 20,
    alpha: float = 0.05,
) -> tuple[float, int]:
    """How many features the same RSA would discover if the stimuli's places in the model meant nothing.

    Each shuffle of the stimuli is judged as `rsa_map` judges their observed order, by the same rule, q below `alpha`;
    all share one pass, because the null of a shuffle is the null of the data.

    Args:
        x: as are the other arguments up to `items`, what `rsa_map` takes.
        model_rdm: as in `rsa_map`.
        comparison: as in `rsa_map`.
        nuisance: as in `rsa_map`.
        permutations: as in `rsa_map`.
        seed: as in `rsa_map`; the shuffles are other draws than the permutations.
        items: as in `rsa_map`.
        shuffles: how many.
        alpha: the bound on q.

    Returns:
        The median and the largest number of discoveries over the shuffles.

    Raises:
        ValueError: as `rsa_map`, and when `shuffles` is below 1.
    """
    if shuffles < 1:
        raise ValueError(f"shuffles must be at least 1, got {shuffles}")
    study = study_of(x, model_rdm, comparison, nuisance, items, permutations)
    orders = stimulus_orders(study.items, permutations, np.random.default_rng(seed))
    drawn = random_orders(study.items, shuffles, np.random.default_rng([seed, 1]))
    tail = tested(study, describe_study(study), orders, drawn).tail
    counts = [int(np.count_nonzero(bh(row) < alpha)) for row in tail]
    return float(np.median(counts)), max(counts)


def rsa_draws(
    x: ArrayLike,
    model_rdm: ArrayLike,
    *,
    comparison: Comparison = "corr",
    nuisance: Sequence[ArrayLike] = (),
    permutations: int = 1000,
    seed: int = 0,
    items: ArrayLike | None = None,
) -> tuple[float, Floats]:
    """The score of one feature, and its scores under the permutations that `rsa_map` compares it with.

    Args:
        x: (stimuli,) or (stimuli, channels) of the feature or set; the other arguments are those of `rsa_map`.

    Returns:
        The score and (P,) permuted scores in the order of the draws; NaN and none where the feature is undefined.

    Raises:
        ValueError: as `rsa_map`.
    """
    one = np.asarray(x)
    one = one[:, None, None] if one.ndim == 1 else one[:, None, :]
    study = study_of(one, model_rdm, comparison, nuisance, items, permutations)
    orders = stimulus_orders(study.items, permutations, np.random.default_rng(seed))
    about = describe_study(study)
    seen = about.patterns[about.pattern[0]]
    model = prepared(study, seen) if about.status[0] == "ok" else None
    if model is None:
        return float("nan"), np.zeros(0)
    columns, block, _ = ranked_block(study, about, np.zeros(1, dtype=np.intp), seen, model)
    if not columns.size:
        return float("nan"), np.zeros(0)
    scores = products(model, orders.among(seen), 1, study.x.shape[2]).scores(block)[:, 0]
    return float(about.score[0]), scores.astype(np.float64)


def _map(study: Study, orders: Orders) -> RsaMap:
    about = describe_study(study)
    identity = np.arange(study.x.shape[0])[None]
    found = tested(study, about, orders, identity)
    ok = about.status == "ok"
    count = orders.rows.shape[0]
    p_fwer = np.full(ok.shape, np.nan)
    below = np.searchsorted(np.sort(found.largest), found.observed[ok] - found.tie, side="left")
    p_fwer[ok] = (count - below + 1) / (count + 1)
    return RsaMap(
        score=np.where(ok, about.score, np.nan),
        p=found.p,
        p_fwer=p_fwer,
        q=bh(found.tail[0]),
        status=about.status,
        effect=np.where(ok, about.effect, np.nan),
        seen=about.seen,
        p_tail=found.tail[0],
        comparison=study.comparison,
        permutations=count,
        exhaustive=orders.exhaustive,
    )
