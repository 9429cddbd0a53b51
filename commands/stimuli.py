"""Verbs about concept stimulus sets."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.verbs import Command, InputFile, NameOrFile, Query


class StimuliImport(Command):
    """Read a stimulus set from a JSON, JSON lines, CSV or TSV file into the session."""

    dotted = "stimuli.import"
    positional = ("file",)
    reads = ("model",)

    file: InputFile = Field(
        description="JSON {category: [sentences]}, or .jsonl, .csv or .tsv with category and text; all may have id, "
        "item (matched pair), fold, target or span_start and span_end, include, factor:NAME, nuisance:NAME. The long "
        'form of JSON is {"categories": {}, "positive": "", "description": "", "factors": {category: {factor: level}}, '
        '"steering": {"prompts": [], "raise": [], "lower": []}}: prompts to steer on, and words that the concept makes '
        "likelier or unlikelier after them"
    )
    to: str = Field("", description="Name of the set (default: the file's name)")
    positive: str = Field("", description="The category that carries the concept (default: the file's, else the first)")
    factor: tuple[str, ...] = Field(
        (), description="Names for the factors that the categories' names cross (a_x, a_y, b_x, b_y), in their order"
    )


class StimuliNew(Command):
    """Make a stimulus set from typed sentences, or an empty one of two categories to fill later."""

    dotted = "stimuli.new"
    positional = ("name",)
    reads = ("model", "stimuli")
    reuse = False

    name: str = Field(description="Name of the set: letters, digits, '.', '_', '-'")
    category: tuple[str, ...] = Field((), description="Names of the categories; repeat for each (concept, other)")
    first: tuple[str, ...] = Field((), description="Sentences of the first category; repeat for several")
    second: tuple[str, ...] = Field((), description="Sentences of the second category; repeat for several")
    positive: str = Field("", description="The category that carries the concept (default: the first)")
    description: str = Field("", description="What the set is about")


class StimuliEdit(Command):
    """Change a stimulus set: sentences, what is used, pairs, folds, targets, the positive category, steering prompts.

    A sentence is named by its text, its id, or a beginning that no other sentence has. The session keeps the new
    version; earlier results keep the sentences that they were made with.
    """

    dotted = "stimuli.edit"
    positional = ("set",)
    reads = ("model", "stimuli")
    reuse = False

    set: str = Field(description="Name of the set; of a shipped one the session gets its own version")
    add: tuple[str, ...] = Field((), description="Sentences to add to --category; repeat for several")
    category: str = Field("", description="The category to add to; a new name makes a new category")
    remove: tuple[str, ...] = Field((), description="Sentences to remove")
    replace: str = Field("", description="The sentence to rewrite as --text; its columns stay")
    text: str = Field("", description="What --replace becomes")
    exclude: tuple[str, ...] = Field((), description="Sentences to keep but not to use")
    include: tuple[str, ...] = Field((), description="Excluded sentences to use again")
    of: tuple[str, ...] = Field((), description="Sentences whose --id, --item, --fold or --target is set or cleared")
    id: str = Field("", description="A name for the sentence --of")
    item: str = Field("", description="What the sentences --of share as a matched pair")
    fold: str = Field("", description="The fold of the sentences --of")
    target: str = Field("", description="The target words, which stand in each sentence --of once")
    clear: Literal["", "id", "item", "fold", "target"] = Field(
        "", description="Take this column from the sentences --of"
    )
    positive: str = Field("", description="The category that carries the concept")
    pairs: Literal["", "order", "none"] = Field("", description="Pair the sentences by their order, or unpair them")
    level: str = Field("", description="Exchange used for excluded sentences until this measure of `check` is level")
    prompt: tuple[str, ...] = Field((), description="Texts to steer on; repeat for several")
    raises: tuple[str, ...] = Field((), description="Words that the concept should make likelier after the prompts")
    lowers: tuple[str, ...] = Field((), description="Words that the concept should make unlikelier after the prompts")
    description: str = Field("", description="What the set is about")


WORD_LISTS = (
    "adjectives, aloft, beasts, birds, blamed, calls, cities, compared, cooked, cooks, days, defeat, "
    "digits, distant, dreadful, drinks, effort, fell, fish, flew, foods, glad, greeted, grieved, held, "
    "how, judges, kin, lost, made, marks, meals, men, moments, months, names, near, numbers, occasions, "
    "offsets, places, praised, ran, rejoiced, remarks, requests, sad, said, seasons, skies, spans, "
    "spices, splendid, streets, success, swam, tastes, things, travelled, variables, waters, weather, "
    "with_legs, women, won, workers"
)
"""The demo's word lists, which slots may name; told in the help, where the lexicon itself is not imported."""


class StimuliDraft(Command):
    """Propose matched pairs for a concept, from templates or from a language model, and check the design at once.

    A template has {slots}, alike in both sentences, and one <concept|other> in which they differ.
    """

    dotted = "stimuli.draft"
    positional = ("name",)
    reads = ("model", "sae", "stimuli")
    reuse = False

    name: str = Field(description="Name of the set: letters, digits, '.', '_', '-'")
    concept: str = Field("", description="What the first sentences are about; `outcome` has templates of its own")
    other: str = Field("", description="What the second sentences are about (default: the same without the concept)")
    by: Literal["", "templates", "model"] = Field(
        "", description="Who proposes (default: templates where there are any, else a language model)"
    )
    template: tuple[str, ...] = Field(
        (), description="Such as 'The {kin} <won|lost> the {race|exam}.'; repeat for several"
    )
    slot: tuple[str, ...] = Field(
        (), description=f"Words of a slot: NAME=WORD,WORD; a slot may also name a word list of the demo: {WORD_LISTS}"
    )
    model: str = Field("claude-haiku-5-5", description="The language model to ask; its key is in ANTHROPIC_API_KEY")
    category: tuple[str, ...] = Field((), description="Names of the two categories (concept, other)")
    pairs: int = Field(40, ge=2, le=500, description="Pairs to use")
    spare: int = Field(
        20, ge=0, le=500, description="Further pairs, kept but not used, to exchange for confounded ones"
    )
    seed: int = Field(0, ge=0, description="Seed of the templates' draws")

    @property
    def rests_on_features(self) -> bool:
        """Never: sentences are read with the model."""
        return False


class StimuliList(Query):
    """List the stimulus sets: this session's and the shipped ones."""

    dotted = "stimuli.list"


class StimuliShow(Query):
    """Show a stimulus set: its categories, counts and sentences."""

    dotted = "stimuli.show"
    positional = ("set",)

    set: str = Field(description="Name of the set")
    offset: int = Field(0, ge=0, description="First sentence to show")
    limit: int = Field(200, ge=1, le=1000, description="How many sentences to show")


class StimuliCheck(Query):
    """Check a stimulus set: balance, repeats, pairs, confounds as classifiers, reachable p and detectable effects."""

    dotted = "stimuli.check"
    reads = ("model", "sae")
    positional = ("set",)

    set: str = Field(description="Name of the set")
    positive: str = Field("", description="The category to set against the others (default: the set's own)")
    corpus: NameOrFile = Field(
        "", description="Corpus in which words are counted: `demo`, a .txt or a .jsonl file (default: the demo model's)"
    )
    seed: int = Field(0, ge=0, description="Seed of the folds of held-out accuracies")

    @property
    def rests_on_features(self) -> bool:
        """Never: sentences are read with the model."""
        return False
