"""Model RDMs of a stimulus set: which sentences, and how unlike they should be."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from commands.features import FeaturesRsa
from commands.handlers.features.designs import two_factors
from workbench.errors import InputFileError, UnknownNameError, UsageError
from workbench.lab import Lab
from workbench.stats import (
    categorical_rdm,
    consistency_rdm,
    cyclic_rdm,
    discriminative_rdm,
    factorial_rdms,
    graded_rdm,
    length_rdm,
    overlap_rdm,
)
from workbench.stimuli.sets import Stimulus, StimulusSet
from workbench.uploads import utf8_text

WORD = re.compile(r"\w+")
BOUND = 5
"""Correlation of two RDMs, times the sentences, above which they are said to go together; labels alone give about 1."""
NEEDS_CLASS = ("one-vs-rest", "discriminative", "consistency")


@dataclass(frozen=True)
class ModelDesign:
    """Sentences and the model of their dissimilarities.

    Attributes:
        said: the model in words.
        stimuli: the sentences taken.
        rdm: (sentences, sentences).
        positive: the category that the model or the region of interest is about, or "".
        labels: (sentences,) whether a sentence is of it.
        classes: the two classes where the model only tells two apart, else None.
    """

    said: str
    stimuli: tuple[Stimulus, ...]
    rdm: np.ndarray
    positive: str
    labels: np.ndarray
    classes: np.ndarray | None

    @property
    def balanced(self) -> bool:
        """Whether the model tells two classes of equal size apart."""
        return self.classes is not None and 2 * int(self.classes.sum()) == len(self.classes)


def model_design(command: FeaturesRsa, lab: Lab) -> ModelDesign:
    """The model RDM that a command asks for.

    Raises:
        UsageError: a model that the set has no categories, factors or positive class for.
        UnknownNameError: no such category or factor.
        InputFileError: a custom matrix that is none, not symmetric, or not of the set's size.
    """
    found = lab.stimuli(command.stimuli)
    positive = command.positive or found.positive
    if positive and positive not in found.counts:
        raise UnknownNameError.among(f"category of {found.name!r}", positive, found.counts)
    if not positive and (command.model in NEEDS_CLASS or command.over == "roi"):
        raise UsageError(
            f"stimulus set {found.name!r} names no positive category",
            f"Add --positive with one of: {', '.join(found.counts)}.",
        )
    if bool(command.matrix) != (command.model == "custom"):
        raise UsageError("a custom model is a matrix", "Give both --model custom and --matrix FILE, or neither.")
    said, stimuli, rdm, classes = _MAKERS[command.model](command, found, positive, lab)
    labels = np.array([one.category == positive for one in stimuli])
    if np.ptp(rdm[np.triu_indices(len(stimuli), 1)]) == 0:
        raise UsageError(f"the model {said} is the same for all pairs of sentences", "Choose another model or set.")
    return ModelDesign(said, stimuli, rdm, positive, labels, classes)


Made = tuple[str, tuple[Stimulus, ...], np.ndarray, np.ndarray | None]


def _categorical(_command: FeaturesRsa, found: StimulusSet, _positive: str, _lab: Lab) -> Made:
    names = [one.category for one in found.included]
    if len(set(names)) < 2:
        raise UsageError(f"stimulus set {found.name!r} has one category", "A categorical model needs two.")
    two = np.array([name == names[0] for name in names]) if len(set(names)) == 2 else None
    return f"{len(set(names))} categories", found.included, categorical_rdm(names), two


def _class(command: FeaturesRsa, found: StimulusSet, positive: str, _lab: Lab) -> Made:
    labels = np.array([one.category == positive for one in found.included])
    try:
        if command.model == "one-vs-rest":
            return f"{positive} against the rest", found.included, categorical_rdm(labels.tolist(), one=True), labels
        if command.model == "discriminative":
            said = f"{positive} alike and unlike the rest"
            return said, found.included, discriminative_rdm(labels), None
        return f"{positive} more alike than the rest", found.included, consistency_rdm(labels), None
    except ValueError as error:
        raise UsageError(f"{command.model} of {positive!r}: {error}", "Choose another --positive or set.") from error


def _ordered(command: FeaturesRsa, found: StimulusSet, _positive: str, _lab: Lab) -> Made:
    order = list(command.order or found.counts)
    for name in order:
        if name not in found.counts:
            raise UnknownNameError.among(f"category of {found.name!r}", name, found.counts)
    if len(set(order)) != len(order) or len(order) < 3:
        raise UsageError(
            f"{command.model} needs three or more different categories in order, got {', '.join(order)}",
            "Name them with --order, or use --model categorical.",
        )
    stimuli = tuple(one for one in found.included if one.category in order)
    places = np.array([order.index(one.category) for one in stimuli])
    listed = " > ".join(order) if len(order) <= 4 else f"{order[0]} > {order[1]} > … > {order[-1]}"
    if command.model == "graded":
        return f"graded {listed}", stimuli, graded_rdm(places), None
    return f"circle {listed}", stimuli, cyclic_rdm(places, len(order)), None


def _factorial(command: FeaturesRsa, found: StimulusSet, positive: str, _lab: Lab) -> Made:
    design = two_factors(found, (), positive)
    rdms = factorial_rdms(design.a.tolist(), design.b.tolist())
    if command.factor == "interaction":
        return design.interaction, design.stimuli, rdms.interaction, design.a ^ design.b
    if command.factor not in design.names:
        raise UnknownNameError.among(f"factor of {found.name!r}", command.factor, [*design.names, "interaction"])
    place = design.names.index(command.factor)
    return command.factor, design.stimuli, rdms[place], (design.a, design.b)[place]


def _custom(command: FeaturesRsa, found: StimulusSet, _positive: str, lab: Lab) -> Made:
    from workbench.stats.rdm import checked_rdm

    path = lab.record.path / command.matrix
    name = path.name.partition("-")[2] or path.name
    try:
        rdm = checked_rdm(_read_matrix(path, name), len(found.included), name)
    except ValueError as error:
        raise InputFileError(
            str(error), f"It needs one row and column for each sentence in the order of `stimuli show {found.name}`."
        ) from error
    return f"custom {name}", found.included, rdm, None


_MAKERS: dict[str, Callable[[FeaturesRsa, StimulusSet, str, Lab], Made]] = {
    "categorical": _categorical,
    "one-vs-rest": _class,
    "discriminative": _class,
    "consistency": _class,
    "graded": _ordered,
    "cyclic": _ordered,
    "two-by-two": _factorial,
    "custom": _custom,
}


def _read_matrix(path: Path, name: str) -> np.ndarray:
    """Rows of numbers from JSON or CSV; a first row or column of names in a CSV is left out."""
    try:
        text = utf8_text(path.read_bytes(), name)
    except OSError as error:
        raise InputFileError(f"{name} cannot be read ({error.strerror})", "Give the file again.") from error
    try:
        rows = json.loads(text) if text.lstrip().startswith("[") else _csv_rows(text)
        return np.array(rows, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise InputFileError(f"{name} is no matrix of numbers ({error})", "Give a CSV or JSON file.") from error


def _csv_rows(text: str) -> list[list[float]]:
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if rows and not all(map(_is_number, rows[0][1:])):
        rows = rows[1:]
    if rows and not any(_is_number(row[0]) for row in rows):
        rows = [row[1:] for row in rows]
    return [[float(cell) for cell in row] for row in rows]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class Nuisances:
    """What is to be left out of the comparison.

    Attributes:
        names: those that vary over the sentences.
        rdms: their RDMs, each (sentences, sentences).
        constant: those that are the same for every pair of sentences, of which nothing can be left out.
    """

    names: list[str]
    rdms: list[np.ndarray]
    constant: list[str]


def nuisance_rdms(command: FeaturesRsa, stimuli: Sequence[Stimulus], lengths: Sequence[int]) -> Nuisances:
    """The RDMs to leave out, in the order asked for.

    Args:
        command: with `nuisance`.
        stimuli: the sentences.
        lengths: their tokens.

    Raises:
        UsageError: one is named twice, a nuisance column that some sentence lacks, or a comparison that leaves
            nothing out.
    """
    from workbench.stats.rsa_models import PARTIAL

    for name in command.nuisance:
        if command.nuisance.count(name) > 1:
            raise UsageError(f"--nuisance {name} is given {command.nuisance.count(name)} times", "Give it once.")
    if command.nuisance and command.comparison not in PARTIAL:
        raise UsageError(
            f"nuisances cannot be left out of {command.comparison}", f"Choose --comparison {', '.join(PARTIAL)}."
        )
    made = {name: _nuisance(name, stimuli, lengths) for name in command.nuisance}
    varied = {name: rdm for name, rdm in made.items() if np.ptp(rdm[np.triu_indices(len(rdm), 1)]) > 0}
    return Nuisances([*varied], [*varied.values()], [name for name in made if name not in varied])


def bound_warning(model: np.ndarray, nuisances: Nuisances) -> list[str]:
    """Nuisances that go with the model: permuted sentences break that bond, so that some of the confound stays."""
    pairs = np.triu_indices(len(model), 1)
    found = []
    for name, rdm in zip(nuisances.names, nuisances.rdms, strict=True):
        r = float(np.corrcoef(model[pairs], rdm[pairs])[0, 1])
        if abs(r) > BOUND / len(model):
            found.append(
                f"{name} goes with the model (correlation {r:.2f}): leaving it out weakens the confound and does not "
                "remove it. Level the set: `workbench stimuli check` says how far its sides differ"
            )
    return found


def _nuisance(name: str, stimuli: Sequence[Stimulus], lengths: Sequence[int]) -> np.ndarray:
    if name == "length":
        return length_rdm(lengths)
    if name == "lexical":
        return overlap_rdm([set(WORD.findall(one.text.casefold())) for one in stimuli])
    values = [dict(one.nuisances).get(name) for one in stimuli]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        raise UsageError(
            f"{len(values) - len(known)} of {len(values)} sentences have no nuisance {name!r}",
            "Name `length`, `lexical`, or a column that every sentence has.",
        )
    return graded_rdm(known)


def items_of(stimuli: Sequence[Stimulus], name: str) -> np.ndarray:
    """(sentences,) codes of matched sentences; one without an item is an item of its own.

    Raises:
        UsageError: no two sentences share an item.
    """
    names = [one.item or f"\0{place}" for place, one in enumerate(stimuli)]
    codes: np.ndarray = np.unique(names, return_inverse=True)[1]
    if np.bincount(codes).max() < 2:
        raise UsageError(
            f"stimulus set {name!r} has no matched items",
            "Give its sentences a column `item` that the two of a pair share, or leave --pairs out.",
        )
    return codes
