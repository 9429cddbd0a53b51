"""Verbs about labels of features, of clusters of them, and of quanta."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from workbench.verbs import Command, InputFile, Query, Verb

Of = Literal["features", "clusters", "quanta"]
OF = "What is meant by the numbers: features, the latest clusters, or quanta"


class _Asking(Verb):
    """What labelling and scoring with a language model share."""

    model: str = Field("claude-haiku-5-5", description="The language model to ask; its key is in ANTHROPIC_API_KEY")
    budget: float = Field(5.0, gt=0, le=10_000, description="Dollars that are never passed; asking stops before")
    yes: bool = Field(False, description="Ask although the estimate is above a dollar")
    concurrency: int = Field(8, ge=1, le=64, description="Calls at once")
    batch: bool = Field(False, description="Ask through a message batch: half the price, up to a day")
    retry: bool = Field(False, description="Ask again where a stored reply was of no use")
    failed: bool = Field(False, description="All that this model gave no answer of use for before, asked again")
    seed: int = Field(0, ge=0, description="Seed of the windows that are drawn")
    dry_run: bool = Field(False, description="Say what it would cost, and ask nobody")


class LabelsSuggest(_Asking, Command):
    """Suggest labels for features, clusters or quanta from the windows they fire in.

    The offline labeller names the words that stand out against windows drawn from the corpus, and needs no key. A
    language model sees such windows with activations, and the tokens that the feature makes likelier. A cluster is
    active where any of its members is; a quantum's windows end with the tokens it predicts. Every reply is
    stored before it is used, and is never asked for twice.
    """

    dotted = "labels.suggest"
    place = "child"
    heavy = True
    reads = ("model", "sae", "index", "labels", "ranking", "clusters", "quanta/clusters", "label_errors")
    positional = ("features",)
    result_revision: ClassVar[int] = 2

    features: tuple[str, ...] = Field(
        (),
        description="Ids or numbers, also 417,459 (default: the ranking's top, or the largest clusters or quanta)",
    )
    of: Of = Field("features", description=OF)
    top: int = Field(10, ge=1, le=100_000, description="How many, when none is named")
    labeller: Literal["offline", "anthropic"] = Field(
        "offline", description="`offline` compares words and needs no key; `anthropic` asks a language model"
    )

    @property
    def rests_on_features(self) -> bool:
        """Quanta rest on losses."""
        return self.of != "quanta"


class LabelsScore(_Asking, Command):
    """Measure how well labels tell windows where a feature, cluster or quantum is active from others.

    The windows are of documents that no labeller saw. Beside each score stand two baselines: a label of another feature
    on the same windows, and the label itself with random windows where the active ones stood. An answer that
    is missing or broken gives the status `error` and no score.
    """

    dotted = "labels.score"
    result_revision: ClassVar[int] = 2
    place = "child"
    heavy = True
    reads = ("model", "sae", "index", "labels", "clusters", "quanta/clusters", "quanta/labels", "label_errors")
    positional = ("features",)

    features: tuple[str, ...] = Field((), description="Ids or numbers (default: all that have a label)")
    of: Of = Field("features", description=OF)
    protocol: tuple[Literal["detection", "fuzzing", "rubric"], ...] = Field(
        (), description="Does it fire here (detection, the default), are the marks right, or a rating from 0 to 3"
    )
    negatives: Literal["random", "neighbours", "hard"] = Field(
        "random", description="Silent windows: any, those of similar features, or those with the same tokens"
    )
    concept: str = Field("", max_length=500, description="Also score this text as if it were the label")
    scorer: Literal["offline", "anthropic"] = Field(
        "offline", description="`offline` compares words and needs no key; `anthropic` asks a language model"
    )
    each: int = Field(0, ge=0, le=100, description="Active windows of each fifth (default: 20 offline, 5 asked)")

    @property
    def rests_on_features(self) -> bool:
        """Quanta rest on losses."""
        return self.of != "quanta"


class LabelsAccept(Command):
    """Accept the label that was suggested for a feature, cluster or quantum."""

    dotted = "labels.accept"
    place = "broker"
    positional = ("feature",)
    reuse = False

    feature: str = Field(description="Feature id, or its number in the loaded SAE")
    of: Of = Field("features", description=OF)
    source: str = Field("", description="Take the suggestion of this labeller or model (default: the label in force)")


class LabelsReject(Command):
    """Reject the label that was suggested; the same text is not put in force again."""

    dotted = "labels.reject"
    place = "broker"
    positional = ("feature",)
    reuse = False

    feature: str = Field(description="Feature id, or its number in the loaded SAE")
    of: Of = Field("features", description=OF)


class LabelsRate(Command):
    """Rate from 0 to 3 how well what a feature does fits a concept, best before its label was read.

    0 it has nothing to do with the concept, 1 vaguely, 2 nearly, 3 cleanly; the rubric that a language model is asked
    by. The Labels screen asks for it in blind mode, in which labels and scores are hidden until the rating is given.
    """

    dotted = "labels.rate"
    place = "broker"
    positional = ("feature", "rating")
    reuse = False

    feature: str = Field(description="Feature id, or its number in the loaded SAE")
    rating: int = Field(ge=0, le=3, description="0 has nothing to do with it, 3 cleanly is it")
    of: Of = Field("features", description=OF)
    concept: str = Field("", max_length=500, description="What it is held against (default: being about one thing)")
    blind: bool = Field(False, description="Whether label and scores were hidden from the one who rates")


class LabelsCompare(Query):
    """Put the suggestions of different labellers side by side, with their scores."""

    dotted = "labels.compare"
    positional = ("features",)

    features: tuple[str, ...] = Field((), description="Ids or numbers (default: all with suggestions)")
    of: Of = Field("features", description=OF)


class LabelsCost(Query):
    """Say what labelling and scoring would cost, and what was spent in this session."""

    dotted = "labels.cost"
    reads = ("sae", "index", "clusters", "quanta/clusters")
    positional = ("features",)

    features: int | None = Field(
        None,
        ge=1,
        le=1_000_000,
        description="How many (default: 100 features, or all the clusters or quanta there are)",
    )
    of: Of = Field("features", description="What is priced: features, the latest clusters, or quanta")
    model: str = Field("claude-haiku-5-5", description="The language model")
    protocols: int = Field(1, ge=0, le=3, description="Protocols of scoring, 0 for labels alone")
    each: int = Field(5, ge=1, le=100, description="Active windows of each fifth")
    batch: bool = Field(False, description="Through a message batch")

    @property
    def rests_on_features(self) -> bool:
        """Never: it counts what is paid."""
        return False


class LabelsSet(Command):
    """Give a feature, cluster or quantum a label in your own words; an empty text removes it."""

    dotted = "labels.set"
    place = "broker"
    positional = ("feature", "text")
    reuse = False

    feature: str = Field(description="Feature id, or its number in the loaded SAE")
    text: str = Field(max_length=500, description="The label")
    of: Of = Field("features", description=OF)


class LabelsShow(Query):
    """List the labels given so far, and what a language model gave no label or score for."""

    dotted = "labels.show"
    reads = ("sae",)

    filter: str = Field("", description="Only labels whose text or feature contains this")
    of: Literal["all", "features", "clusters", "quanta"] = Field("all", description="Only labels of these")
    offset: int = Field(0, ge=0, description="First label to show")
    limit: int = Field(150, ge=1, le=300, description="How many labels to show")

    @property
    def rests_on_features(self) -> bool:
        """Quanta rest on losses."""
        return self.of != "quanta"


class LabelsImport(Command):
    """Take over published explanations, for example a Neuronpedia export, as labels of the loaded features.

    A file that names another SAE or layer than the loaded one is refused. Labels given in the session come first.
    """

    dotted = "labels.import"
    place = "broker"
    reads = ("sae",)
    positional = ("file",)
    reuse = False

    file: InputFile = Field(description="JSON or JSONL (also .gz) with a feature's number and its description")
    unbound: bool = Field(False, description="Take them although the file names another SAE or layer")

    @property
    def rests_on_features(self) -> bool:
        """Never: the texts are somebody else's."""
        return False
