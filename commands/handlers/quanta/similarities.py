"""Carries out `quanta.similarity`: cost first, then the work, which can be stopped and gone on with, then a check."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.handlers.quanta import data
from commands.quanta import QuantaSimilarity
from workbench import memory
from workbench.digests import value_digest
from workbench.errors import MismatchError, UsageError, WorkbenchError
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.predictions.similarities import SimilarityFolder
    from workbench.quanta.cost import SimilarityCost
    from workbench.quanta.sample_gradients import Target

GIB = 2**30
TRIED = 4
"""Gradients made to learn how long one takes; the first is not timed."""
SHOWN_NAMES = 400
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


def similarity(command: QuantaSimilarity, lab: Lab) -> Outcome:
    """Estimate, refuse what is too much, compute or find, check some pairs exactly."""
    work = _Work.of(command, lab)
    meta = work.folder.meta()
    if command.dry_run:
        return work.estimate(built=meta is not None)
    if meta is None:
        work.refuse_too_much()
        meta = work.activations() if command.of == "activations" else work.gradients()
    mode = f"{meta['mode']}, equal votes" if command.equal else meta["mode"]
    entry = {"key": work.folder.folder.name, "of": command.of, "mode": mode, "absolute": command.absolute}
    return Outcome(
        {**work.head, **meta},
        [_figure(meta)],
        sets={data.SIMILARITY: entry, **data.cleared(data.CLUSTERS)},
        warnings=_warnings(meta),
    )


@dataclass
class _Work:
    command: QuantaSimilarity
    lab: Lab
    model: LoadedModel
    contexts: list[list[int]]
    digest: str

    @classmethod
    def of(cls, command: QuantaSimilarity, lab: Lab) -> _Work:
        """Everything the work needs.

        Raises:
            UsageError: no samples, or settings that do not go together.
            MismatchError: another model than that of the losses, an encoder, or a corpus that changed.
        """
        about = data.need(lab, data.SAMPLES, "samples", "select")
        data.unchanged(lab)
        _check(command)
        model = lab.model
        model.need_logits()
        if model.info["digest"] != about["model"]["digest"]:
            raise MismatchError(
                f"the samples were chosen by the losses of {about['model']['name']}, not of {model.name}",
                f"Load that model: `workbench model load {about['model']['ref']}`, or select again.",
            )
        contexts = data.numbering(lab).contexts(data.Samples.of(lab).number)
        if value_digest(contexts) != about["digest"]:
            raise MismatchError(
                "the corpus is not the one that the samples were chosen from: their contexts differ",
                "Take losses and samples again: `workbench quanta losses`, `workbench quanta select`.",
            )
        return cls(command, lab, model, contexts, about["digest"])

    @property
    def head(self) -> dict[str, Any]:
        """Settings, as the result tells them."""
        names = ("of", "equal", "absolute", "dtype", "seed")
        return {"samples": len(self.contexts), **{name: getattr(self.command, name) for name in names}}

    @cached_property
    def folder(self) -> SimilarityFolder:
        """Where it will lie, by all that decides the numbers and by the blocks it is made in."""
        from workbench.predictions.similarities import SimilarityFolder

        names = ("mode", "of", "include", "absolute", "dtype", "rank", "dimension", "memory", "pairs", "seed")
        settings = {name: getattr(self.command, name) for name in names}
        settings |= {"equal": True} if self.command.equal else {}
        about = {"format": 1, "samples": self.digest, "model": self.model.info["digest"], **settings}
        about["include"] = sorted(self.command.include)
        about["roles"] = {name: int(size.numel()) for name, size in self.parameters.items()}
        return SimilarityFolder.of(self.lab.home, about)

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """The chosen parameters by name.

        Raises:
            UsageError: the model has none of a role asked for.
        """
        from workbench.quanta.roles import chosen_parameters, without_vectors

        if self.command.of == "activations":
            return {}
        try:
            chosen = chosen_parameters(self.model.plain, self.command.include)
            return without_vectors(chosen) if self.command.equal else chosen
        except ValueError as error:
            hint = "Leave that role out of --include; an unembedding that is tied to the embedding has its role."
            raise UsageError(str(error), hint) from error

    # --- what it will take

    @cached_property
    def cost(self) -> SimilarityCost:
        """Cost by the sizes."""
        from workbench.quanta.cost import SimilarityCost, similarity_cost

        command, samples = self.command, len(self.contexts)
        if command.of == "activations":
            width = self.model.layers * 4 * self.model.width
            return SimilarityCost(samples, 8 * samples * (width + 3 * samples), 2.0 * samples**2 * width, width)
        shapes = [tuple(parameter.shape) for parameter in self.parameters.values()]
        return similarity_cost(
            command.mode, samples, shapes, memory=self.row_memory, itemsize=_BYTES[command.dtype], rank=command.rank,
            dimension=command.dimension or None,
        )  # fmt: skip

    @property
    def row_memory(self) -> int:
        """Bytes for the rows of exact: what the matrices leave."""
        numbers = sum(int(parameter.numel()) for parameter in self.parameters.values())
        return max(0, int(self.command.memory * GIB) - 3 * 8 * len(self.contexts) ** 2 - 8 * numbers)

    @cached_property
    def pass_seconds(self) -> float:
        """Seconds of one gradient, from a few over the range of lengths."""
        from workbench.quanta.sample_gradients import checked_contexts, sample_gradients

        if self.command.of == "activations":
            return 0.0
        by_length = sorted(self.contexts, key=len)
        places = np.linspace(0, len(by_length) - 1, TRIED).astype(int)
        tried = checked_contexts(self.model.plain, [by_length[place] for place in (places[0], *places)])
        began = 0.0
        made = sample_gradients(self.model.plain, list(self.parameters.values()), tried)
        for number, _ in enumerate(_finite(made)):
            if number == 0:
                began = time.perf_counter()
        return (time.perf_counter() - began) / TRIED

    @property
    def seconds(self) -> float:
        """Time of the whole."""
        return self.cost.seconds(self.pass_seconds)

    def estimate(self, *, built: bool) -> Outcome:
        """What it would take."""
        saved = 0 if self.command.of == "activations" else self.cost.memory
        disk = 4 * len(self.contexts) ** 2 + saved
        return Outcome(
            {
                "dry_run": True,
                **self.head,
                "mode": self.command.mode,
                "parameters": len(self.parameters),
                "count": sum(int(parameter.numel()) for parameter in self.parameters.values()),
                "passes": self.cost.passes,
                "seconds": round(self.seconds, 3),
                "memory_bytes": memory.resident() + self.cost.memory,
                "rows_bytes": self.cost.memory,
                "budget_bytes": int(self.command.memory * GIB),
                "disk_bytes": disk,
                "built": built,
            }
        )

    def refuse_too_much(self) -> None:
        """Refuse what does not fit the budgets.

        Raises:
            UsageError: more memory or time than allowed.
        """
        budget = int(self.command.memory * GIB)
        if self.cost.memory > budget:
            raise UsageError(
                f"{len(self.contexts):,} samples in mode {self.command.mode} take {self.cost.memory / GIB:.2f} GiB, "
                f"the budget is {self.command.memory:g}",
                f"Raise it (--memory {self.cost.memory / GIB * 1.05 + 0.01:.2f}), select fewer samples, or lower "
                "--rank or --dimension; exact needs room for its matrices and two rows.",
            )
        if self.seconds > 60 * self.command.minutes:
            raise UsageError(
                f"{self.cost.passes:,} passes take about {self.seconds / 60:,.0f} minutes, the budget is "
                f"{self.command.minutes:g}",
                "Raise it (--minutes), give exact more --memory for fewer passes, or select fewer samples.",
            )

    # --- the work

    def gradients(self) -> dict[str, Any]:
        """Compute, from where an interrupted run left; keep matrix and summary."""
        from workbench.predictions.similarities import Keeper
        from workbench.quanta.gradients import gradient_similarity

        command, keeper = self.command, Keeper(self.folder)
        try:
            made = gradient_similarity(
                self.model.plain, self.contexts, mode=command.mode, target=self._target, equal=command.equal,
                dtype=command.dtype, include=command.include, absolute=command.absolute, memory=self.row_memory,
                rank=command.rank,
                dimension=command.dimension or None, seed=command.seed, keep=keeper, resume=self.folder.state(),
                tick=lambda done, planned: self.lab.tick(done, max(done, planned), "gradients"),
            )  # fmt: skip
        except ValueError as error:
            keeper.save()
            raise _refused(error) from error
        except BaseException:
            keeper.save()  # stopped, or the machine ran out of something: what was done is not done twice
            raise
        meta = {
            "mode": made.mode,
            "parameters": list(made.parameters)[:SHOWN_NAMES],
            "parameter_tensors": len(made.parameters),
            "count": made.count,
            "dimension": made.dimension,
            "dimension_per_sample": round(made.dimension / len(self.contexts), 3),
            "passes": self.cost.passes,
            "bound": float(np.max(made.bound)),
            **_spread(made.matrix),
            "check": self._check(made.matrix, made.bound),
        }
        self.folder.finish(made.matrix, meta)
        return meta

    @property
    def _target(self) -> Target:
        return "logit" if self.command.of == "logits" else "loss"

    def _check(self, matrix: np.ndarray, bound: np.ndarray) -> dict[str, Any] | None:
        from workbench.quanta.checking import check_pairs, drawn_pairs

        if not self.command.pairs:
            return None
        self.lab.tick(0, 1, "checking pairs exactly")
        pairs = drawn_pairs(matrix, self.command.pairs, self.command.seed)
        found = check_pairs(
            self.model.plain, self.contexts, matrix, pairs, target=self._target, equal=self.command.equal,
            include=self.command.include, absolute=self.command.absolute,
        )  # fmt: skip
        outside = np.abs(found.difference) > bound[pairs[:, 0], pairs[:, 1]]
        return {
            "pairs": len(pairs),
            "difference": found.largest,
            "mean_difference": float(np.abs(found.difference).mean()) if len(pairs) else 0.0,
            "beyond_bound": int(outside.sum()),
        }

    def activations(self) -> dict[str, Any]:
        """The baseline."""
        from workbench.predictions.activations import activation_similarity

        matrix, dimension = activation_similarity(
            self.model, self.contexts, lambda done, planned: self.lab.tick(done, planned, "activations")
        )
        meta = {
            "mode": "exact", "parameters": [], "parameter_tensors": 0, "count": 0, "dimension": dimension,
            "dimension_per_sample": round(dimension / len(self.contexts), 3), "passes": 0, "bound": 0.0,
            **_spread(matrix), "check": None,
        }  # fmt: skip
        self.folder.finish(matrix, meta)
        return meta


def _check(command: QuantaSimilarity) -> None:
    if command.absolute and (command.mode != "exact" or command.of == "activations"):
        raise UsageError(
            f"mode {command.mode} of {command.of} keeps no signs to drop", "Absolute similarities need --mode exact."
        )
    if command.equal and command.of == "activations":
        raise UsageError("activations are of no weight matrix that could have a vote", "Leave out --equal.")


def _finite(gradients: Any) -> Any:
    """The gradients, an unfit one as our own error."""
    try:
        yield from gradients
    except ValueError as error:
        raise _refused(error) from error


def _refused(error: ValueError) -> WorkbenchError:
    hint = (
        "What was done is kept. Load the model in float32, or leave that sample out with another --skip or threshold."
    )
    return WorkbenchError(str(error), hint) if "not finite" in str(error) else UsageError(str(error))


def _spread(matrix: np.ndarray) -> dict[str, Any]:
    """What the similarities of different samples are like."""
    from workbench.predictions.spread import pair_spread

    return pair_spread(matrix)


def _figure(meta: dict[str, Any]) -> Figure:
    return Figure(
        kind="histogram", title="Cosines of pairs of samples", x_label="cosine", y_label="pairs",
        data=meta["histogram"],
    )  # fmt: skip


def _warnings(meta: dict[str, Any]) -> list[str]:
    check, found = meta["check"], []
    if check and check["beyond_bound"]:
        found.append(f"{check['beyond_bound']} of {check['pairs']} pairs checked are further off than the bound says")
    if meta["mode"] == "sketch" and meta["dimension_per_sample"] < 2:
        found.append(
            f"the sketch has {meta['dimension_per_sample']:g} numbers a sample: below 2, clusters blur; 4 are better"
        )
    return found
