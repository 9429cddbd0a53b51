"""The weekday and month tasks for any model: prompts, where their names stand, and the tokens of their answers.

Source: Engels et al. (2024), "Not all language model features are linear", section 5. Their code scored the answers
without a leading space, which in byte-level vocabularies is another token than the one that continues the text; here
the tokenizer is asked, and what it said is part of every result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from workbench.demo.lexicon import DAYS, MONTHS
from workbench.demo.tasks import Problem, month_problems, weekday_problems
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.models.tokens import TokenizedText

TaskName = Literal["weekdays", "months"]
Space = Literal["auto", "with", "without"]
SPELLED = 2.0
"""Tokens a word above which a tokenizer is said to spell a text instead of knowing its words."""


@dataclass(frozen=True)
class Task:
    """Names in a circle, and the problems on them.

    Attributes:
        names: in their order; the period is how many there are.
        problems: in the order of a, then b.
        preamble: the published words before each problem.
    """

    names: tuple[str, ...]
    problems: tuple[Problem, ...]
    preamble: str

    @property
    def period(self) -> int:
        """Steps of a whole turn."""
        return len(self.names)


TASKS: dict[TaskName, Task] = {
    "weekdays": Task(tuple(DAYS), weekday_problems(), "Let's do some days of the week math."),
    "months": Task(tuple(MONTHS), month_problems(), "Let's do some calendar math."),
}


@dataclass(frozen=True)
class Prompts:
    """Texts as a model reads them, each with the place of its name.

    Attributes:
        texts: tokens of each.
        name_at: place of the last token of each text's name.
    """

    texts: tuple[TokenizedText, ...]
    name_at: tuple[int, ...]

    @property
    def last_at(self) -> tuple[int, ...]:
        """Place of each text's last token."""
        return tuple(max(at for at, keep in enumerate(text.is_text) if keep) for text in self.texts)

    def places(self, at: str) -> tuple[int, ...]:
        """Where to look: at the `name`, or at the `last` token."""
        return self.name_at if at == "name" else self.last_at


@dataclass(frozen=True)
class Asked:
    """A task as one model reads it.

    Attributes:
        preamble: what stands before each problem.
        prompts: of the problems.
        answers: the token of each name.
        pieces: their texts.
        space: whether they begin with a space.
    """

    task: Task
    preamble: str
    prompts: Prompts
    answers: tuple[int, ...]
    pieces: tuple[str, ...]
    space: bool


def ask(model: LoadedModel, name: TaskName, preamble: str = "auto", space: Space = "auto") -> Asked:
    """A task's prompts and answers as a model's tokenizer has them.

    Args:
        preamble: words before each problem; `auto` takes the published ones unless the tokenizer has to spell them.
        space: whether answers begin with a space; `auto` takes what continues the prompt in the tokenizer's own way.

    Raises:
        UsageError: the names are not single tokens, or not all different ones.
    """
    task = TASKS[name]
    said = _preamble(model, task) if preamble == "auto" else preamble.strip()
    texts = [f"{said} {problem.prompt}".strip() for problem in task.problems]
    prompts = read_prompts(model, texts, [task.names[problem.a] for problem in task.problems])
    answers = answer_tokens(model, texts[0], task.names, space)
    pieces = tuple(_piece(model, token) for token in answers)
    return Asked(task, said, prompts, answers, pieces, all(piece.startswith(" ") for piece in pieces))


def _preamble(model: LoadedModel, task: Task) -> str:
    tokens = sum(model.tokenize(task.preamble).is_text)
    return task.preamble if tokens <= SPELLED * len(task.preamble.split()) else ""


def read_prompts(model: LoadedModel, texts: Sequence[str], names: Sequence[str]) -> Prompts:
    """Texts as tokens, with the place of the last token of the last mention of each one's name.

    Raises:
        UsageError: a text without its name.
    """
    tokenized = [model.tokenize(text) for text in texts]
    places = [_place(read, text, name) for read, text, name in zip(tokenized, texts, names, strict=True)]
    return Prompts(tuple(tokenized), tuple(places))


def _place(read: TokenizedText, text: str, name: str) -> int:
    end = text.rfind(name) + len(name)
    if end < len(name):
        raise UsageError(f"no {name!r} in {text!r}", "The name's token is where the circle is read.")
    passed = 0
    for at, (piece, keep) in enumerate(zip(read.pieces, read.is_text, strict=True)):
        passed += len(piece) if keep else 0
        if keep and passed >= end:
            return at
    raise UsageError(f"the tokens of {text!r} end before {name!r}", "Use another tokenizer or another prompt.")


def answer_tokens(model: LoadedModel, prompt: str, names: Sequence[str], space: Space = "auto") -> tuple[int, ...]:
    """The one token of each name after a prompt.

    Raises:
        UsageError: a name is several tokens, or two names share theirs.
    """
    spaced = [_following(model, prompt, f" {name}") for name in names]
    bare = [_ids(model, name) for name in names]
    wanted = {"with": [spaced], "without": [bare], "auto": [spaced, bare]}[space]
    for found in wanted:
        tokens = tuple(ids[0] for ids in found if len(ids) == 1)
        if len(tokens) == len(set(tokens)) == len(names):
            return tokens
    name, ids = next(((n, i) for n, i in zip(names, wanted[-1], strict=True) if len(i) != 1), (names[0], []))
    raise UsageError(
        f"the answers are not one token each: {name!r} takes {len(ids)} in this tokenizer",
        "The task needs a model whose vocabulary holds every name; try --space with or --space without.",
    )


def _following(model: LoadedModel, prompt: str, more: str) -> list[int]:
    """Ids of what is added to a prompt; none where adding it changes the prompt's own tokens."""
    before, after = _ids(model, prompt), _ids(model, prompt + more)
    return after[len(before) :] if after[: len(before)] == before else []


def _ids(model: LoadedModel, text: str) -> list[int]:
    read = model.tokenize(text)
    return [token for token, keep in zip(read.ids, read.is_text, strict=True) if keep]


def _piece(model: LoadedModel, token: int) -> str:
    from workbench.models.vocabulary import token_texts

    return token_texts(model.tokenizer, [token])[0]
