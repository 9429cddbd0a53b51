"""Verbs about how directions lie to each other: energies of Gram matrices, least energies, and matching of Grams."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.verbs import Command

Kernel = Literal["exp", "log", "riesz"]
_KERNEL = "exp of the cosine, minus log of the distance, or the distance to the power -s"
_S = "Exponent of riesz, such as 1 (Coulomb) or 4"
_RESTARTS = "Random starts of each optimisation; their spread is shown"
_ENERGIES = dict.fromkeys(("energy", "mean_cosine", "largest_cosine", "spread", "cost", "gram",
             "energy_mean", "energy_sd", "cosine_mean", "cosine_sd", "optimum", "per_pair", "weights",
             "logit_largest", "random_cost", "fit_cost", "start_cost"), (1e-3, 1e-3))  # fmt: skip


class GeometryEnergy(Command):
    """Measure how directions repel each other: their Gram matrix and energy by layer, beside nulls and known shapes.

    Directions are class means, or probes of one class against the rest, of a stimulus set at each layer; or the decoder
    directions of features, or the mean activations where each feature fires. Energies are of unit vectors over ordered
    pairs. Two nulls stand side by side: labels shuffled and everything fitted again, and each vector's coordinates
    shuffled. Only the first is one for shapes that come from the probing.
    """

    dotted = "geometry.energy"
    reads = ("model", "sae", "stimuli")
    heavy = True
    positional = ("stimuli",)
    tolerance: ClassVar[dict[str, tuple[float, float]]] = _ENERGIES

    stimuli: str = Field("", max_length=200, description="A stimulus set, whose categories are the classes")
    of: Literal["means", "probes", "decoder"] = Field("means", description="Which directions are compared")
    features: tuple[str, ...] = Field((), description="Features in place of categories: for decoder, or means")
    site: str = Field("", description="A site; left out: the residual stream before and after every block")
    pool: Literal["mean", "last"] = Field("mean", description="How the tokens of a sentence become one vector")
    similarity: Literal["cosine", "rbf"] = Field("cosine", description="Of the Gram matrix shown and matched")
    width: float = Field(10.0, gt=0, description="Width of rbf, in the vectors' own units")
    kernel: Kernel = Field("exp", description=_KERNEL)
    s: float | None = Field(None, description=_S)
    weights: Literal["uniform", "softmax"] = Field(
        "uniform", description="Importance weights; softmax fits them, with the energy in the fit and without"
    )
    share: float = Field(0.1, gt=0, le=100, description="Weight of the energy in the fit of softmax weights")
    dims: tuple[int, ...] = Field((), description="Dimensions of the abstract optima; left out: 2 to one below n")
    restarts: int = Field(3, ge=1, le=50, description=_RESTARTS)
    perturb: bool = Field(False, description="Also push the fitted vectors and let the energy settle again")
    sigmas: tuple[float, ...] = Field(
        (0.01, 0.1, 0.4), min_length=1, description="Sizes of the push, relative to the vectors"
    )
    draws: int = Field(20, ge=2, le=500, description="Draws of each null")
    ridge: float = Field(1.0, gt=0, description="Penalty of the probes")
    seed: int = Field(0, ge=0, description="Seed of everything random")

    @property
    def rests_on_features(self) -> bool:
        """Classes are directions of the model's own."""
        return bool(self.features)


class GeometryOptimum(Command):
    """Find unit vectors of least energy at each number of dimensions, beside the shapes whose energy is known."""

    dotted = "geometry.optimum"
    positional = ("n",)
    tolerance: ClassVar[dict[str, tuple[float, float]]] = _ENERGIES

    n: int = Field(ge=1, le=200, description="How many vectors, 2 or more")
    dims: tuple[int, ...] = Field((), description="Dimensions; left out: 2 to n")
    kernel: Kernel = Field("exp", description=_KERNEL)
    s: float | None = Field(None, description=_S)
    restarts: int = Field(5, ge=1, le=100, description=_RESTARTS)
    seed: int = Field(0, ge=0, description="Seed of the starts")


class GeometryMatch(Command):
    """Find the relabelling under which one Gram matrix is nearest to another, never worse than the labels as they are.

    A Gram is `latest` (of `geometry energy`), or such a line's number in the log, 12 or 12:blocks.1.hook_resid_post; or
    `simplex`, `polygon` or `optimum:3` (the least energy in 3 dimensions), of as many vectors. Exact up to 10 vectors.
    """

    dotted = "geometry.match"
    reuse: ClassVar[bool] = False  # `latest` is another line tomorrow
    positional = ("first", "second")
    tolerance: ClassVar[dict[str, tuple[float, float]]] = _ENERGIES

    first: str = Field(min_length=1, max_length=200, description="A Gram, as above")
    second: str = Field("simplex", min_length=1, max_length=200, description="The Gram that is relabelled")
    kernel: Kernel = Field("exp", description="Of an optimum")
    s: float | None = Field(None, description=_S)
    seed: int = Field(0, ge=0, description="Seed of the random orders above 10 vectors")
