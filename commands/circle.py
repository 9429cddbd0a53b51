"""Verbs about features on a circle: weekday and month arithmetic, its probe, and interventions in its plane."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.verbs import Command, InputFile, Query

Task = Literal["weekdays", "months"]
Space = Literal["auto", "with", "without"]
At = Literal["name", "last"]
Of = Literal["auto", "name", "answer"]
_TASK = "Which problems: 49 of weekdays, or 144 of months"
_PREAMBLE = "Words before each problem; auto: the published ones, unless the tokenizer has to spell them"
_SPACE = "Whether answers begin with a space; auto: as the tokenizer continues the prompt"
_OF = "Whose circle is patched; auto: at each site the one that is read better from held-out problems"
_AT = "The token looked at: the name's, or the last"
_SITE = "A site such as blocks.1.hook_resid_post; left out: the residual stream before and after every block"
_K = "Principal components that the probe may use"
_PERIOD = "Steps of a whole turn; left out: the task's. Others must divide it"


class CircleTasks(Query):
    """Ask the model every problem of the weekday and month tasks: how many it answers, and by which tokens.

    Answers are counted right by the likeliest of the names' tokens, and by the likeliest of all tokens. Chance is one
    in 7 and one in 12.
    """

    dotted = "circle.tasks"
    place = "child"
    reads = ("model",)
    positional = ("task",)

    task: Literal["both", "weekdays", "months"] = Field("both", description="Which problems")
    preamble: str = Field("auto", max_length=500, description=_PREAMBLE)
    space: Space = Field("auto", description=_SPACE)


class CircleProbe(Command):
    """Fit a linear probe from activations onto a circle, at every layer, and test it on what it has not seen.

    Two held-out R2: over problems (the same names come back with other numbers of steps), and over names, each left out
    whole. At the embedding the first says nothing: the same vectors come back.
    """

    dotted = "circle.probe"
    reads = ("model",)
    positional = ("task",)
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        "r2": (0.001, 0.0001),
        "held_out_r2": (0.001, 0.001),
        "held_out_names_r2": (0.01, 0.01),
        "angle": (0.001, 0.001),
        "error": (0.001, 0.001),
        "off": (0.001, 0.001),
        "largest": (0.001, 0.001),
        "reads": (0.001, 0.001),
    }

    task: Task = Field("weekdays", description=_TASK)
    at: At = Field("name", description=_AT)
    of: Literal["auto", "name", "offset", "answer"] = Field(
        "auto", description="What goes round: auto takes the name at its own token, and the answer at the last"
    )
    site: str = Field("", description=_SITE)
    period: int | None = Field(None, ge=1, le=1000, description=_PERIOD)
    frequency: int = Field(1, ge=1, le=50, description="Turns of the circle a period")
    k: int = Field(5, ge=1, le=100, description=_K)
    continuity: bool = Field(False, description="Also read phrases such as 'very early on Monday' at the last layer")
    preamble: str = Field("auto", max_length=500, description=_PREAMBLE)
    space: Space = Field("auto", description=_SPACE)
    seed: int = Field(0, ge=0, description="Seed of the folds")


class CirclePatch(Command):
    """Give every problem another name in the circle's plane alone, and see whether the answer follows.

    All pairs of a problem and another name, in batches. Beside the circle: the whole vector, its principal components,
    a random plane of equal norm, the mean, the circle without the rest and the rest without the circle, and the plane
    of a cluster of features: the one named, else the session's best where its held-out R2 is 0.5 or more.
    """

    dotted = "circle.patch"
    reads = ("model", "sae", "clusters")
    heavy = True
    result_revision = 2
    positional = ("task",)
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        "difference": (0.001, 0.001),
        "low": (0.001, 0.001),
        "high": (0.001, 0.001),
        "share": (0.001, 0.001),
        "random_share": (0.001, 0.001),
        "draws": (0.001, 0.001),
        "no_change": (0.001, 0.001),
        "patch_layer": (0.001, 0.001),
        "patch_circle": (0.001, 0.001),
        "random_plane": (0.001, 0.001),
        "r2": (0.001, 0.001),
        "held_out_r2": (0.001, 0.001),
    }

    task: Task = Field("weekdays", description=_TASK)
    at: At = Field("name", description=_AT)
    of: Of = Field("auto", description=_OF)
    site: str = Field("", description=_SITE)
    k: int = Field(5, ge=1, le=100, description=_K)
    draws: int = Field(3, ge=1, le=50, description="Random planes, whose effects are averaged")
    cluster: int | None = Field(
        None, ge=0, description="Number of a cluster of this session, found or imported, for its plane"
    )
    features: tuple[str, ...] = Field(
        (), description="Features whose plane is patched, in place of a cluster; firing: those active on the problems"
    )
    preamble: str = Field("auto", max_length=500, description=_PREAMBLE)
    space: Space = Field("auto", description=_SPACE)
    seed: int = Field(0, ge=0, description="Seed of the folds")


class CircleSweep(Command):
    """Put points all round and inside the circle in the place of a name, and see which name the model goes on from."""

    dotted = "circle.sweep"
    reads = ("model",)
    heavy = True
    positional = ("task",)
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        "agreement": (0.02, 0.02),
        "margin": (0.01, 0.01),
        "r2": (0.001, 0.001),
        "held_out_r2": (0.001, 0.001),
    }

    task: Task = Field("weekdays", description=_TASK)
    site: str = Field("", description="A site; left out: the residual stream after the second block, or the first")
    of: Of = Field("auto", description=_OF)
    name: str = Field("", max_length=40, description="The name in the prompts; left out: the first")
    radii: int = Field(10, ge=1, le=40, description="How many radii, from 0 on")
    step: float = Field(0.2, gt=0, le=10, description="Between two radii; the names stand at radius 1")
    angles: int = Field(56, ge=3, le=360, description="How many angles")
    k: int = Field(5, ge=1, le=100, description=_K)
    preamble: str = Field("auto", max_length=500, description=_PREAMBLE)
    space: Space = Field("auto", description=_SPACE)
    seed: int = Field(0, ge=0, description="Seed of the folds")


class CircleHeads(Command):
    """Find the layers and heads that carry the answer: each one's output is taken from another problem's run.

    The score is the share of the way that the logit difference goes to the other problem's; below 0 it goes the wrong
    way. Pairs differ in the name alone.
    """

    dotted = "circle.heads"
    reads = ("model",)
    heavy = True
    positional = ("task",)
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        "heads": (0.005, 0.005),
        "layers": (0.005, 0.005),
        "score": (0.005, 0.005),
    }

    task: Task = Field("weekdays", description=_TASK)
    at: At = Field("last", description=_AT)
    pairs: int = Field(40, ge=2, le=2000, description="How many pairs of problems, drawn of all")
    preamble: str = Field("auto", max_length=500, description=_PREAMBLE)
    space: Space = Field("auto", description=_SPACE)
    seed: int = Field(0, ge=0, description="Seed of the draw")


class CircleExplain(Command):
    """Explain the activations after a problem by groups of regressors: a ladder of R2, and maps of what is left.

    Groups, with a the name, b the steps and c the answer: constant, a, b, c, a+b (one-hots of the task's size),
    circle(a), circle2(c) ... (a turn, two turns), circle(a-b), parity(a+b), carry, tomorrow (a where b is 1), and the
    columns of a file.
    """

    dotted = "circle.explain"
    reads = ("model",)
    positional = ("task",)
    tolerance: ClassVar[dict[str, tuple[float, float]]] = {
        "r2": (0.001, 0.0001),
        "held_out_r2": (0.001, 0.001),
        "gain": (0.01, 0.001),
        "best_gain": (0.05, 0.005),
        "scale": (0.001, 0.0001),
        "strength": (0.01, 0.001),
        "noise": (0.01, 0.001),
        "colours": (0.02, 0.02),
        "explained": (0.001, 0.0001),
    }

    task: Task = Field("weekdays", description=_TASK)
    site: str = Field("", description="A site; left out: the residual stream after the last block but one")
    at: At = Field("last", description=_AT)
    groups: tuple[str, ...] = Field(
        (), description="Groups in the order they are added; left out: chosen by held-out gain"
    )
    columns: InputFile = Field(
        "", description="A CSV with one row for each problem (a, then b) and columns of your own"
    )
    components: int = Field(20, ge=1, le=200, description="Principal components that are explained")
    least_gain: float = Field(0.01, ge=0, le=1, description="Held-out R2 below which no further group is chosen")
    right_only: bool = Field(False, description="Leave out the problems that the model answers wrongly")
    preamble: str = Field("auto", max_length=500, description=_PREAMBLE)
    space: Space = Field("auto", description=_SPACE)
    seed: int = Field(0, ge=0, description="Seed of the folds")
