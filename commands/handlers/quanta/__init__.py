"""Carries out `quanta.*`: losses and samples; the other verbs are in the modules beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from commands.handlers.corpus import enriched_warning
from commands.handlers.quanta import data
from commands.handlers.quanta.clusters import cluster, label, merge, split
from commands.handlers.quanta.reading import export, list_, show, stimuli
from commands.handlers.quanta.similarities import similarity
from commands.quanta import QuantaCounts, QuantaLosses, QuantaSelect
from workbench.digests import value_digest
from workbench.errors import MismatchError, UsageError
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.quanta import NATS_PER_BIT, select_predictions
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.corpus.store import TokenStore
    from workbench.predictions.losses import Losses

__all__ = [
    "cluster", "counts", "export", "label", "list_", "losses", "merge", "select", "show", "similarity", "split",
    "stimuli",
]  # fmt: skip


def losses(command: QuantaLosses, lab: Lab) -> Outcome:
    """Take them model by model, each from the cache where it is known."""
    from workbench.predictions.histogram import loss_histogram
    from workbench.predictions.losses import Losses
    from workbench.predictions.numbering import Numbering

    lab.model.need_logits()
    store = _store(command, lab)
    entries = _models(command, lab, store)
    context = command.context or min(int(entry["context"]) for entry in entries)
    numbering = Numbering.of(store, context, command.tokens)
    kept = Losses(lab.home, numbering)
    rows, figures = [], []
    for entry in entries:
        model = lab.models.model(entry)
        kept.take(model, lab.tick)
        nats = kept.read(str(entry["digest"]))
        rows.append({"ref": entry["ref"], "name": entry["name"], "digest": entry["digest"], **_summary(nats)})
        figures.append(_figure(f"Loss of {entry['name']}", loss_histogram(nats), str(entry["digest"])))
    kept.take_filters(lab.tick)
    about = {"corpus": command.corpus, "store": store.digest, "context": context, "documents": numbering.documents}
    body = {**about, "predictions": len(numbering.index), "models": rows}
    kept_of = [{key: entry[key] for key in ("ref", "name", "digest", "revision")} for entry in entries]
    sets = {data.LOSSES: {**about, "predictions": body["predictions"], "models": kept_of}}
    return Outcome(
        body,
        figures,
        sets={**sets, **data.cleared(data.SAMPLES, data.SIMILARITY, data.CLUSTERS)},
        warnings=_warnings(rows, store),
        provenance={"corpus": {"ref": command.corpus, "digest": store.digest, "tokens": int(store.meta["tokens"])}},
    )


def _store(command: QuantaLosses, lab: Lab) -> TokenStore:
    """The token store of the corpus, made first where it is the demo's."""
    from workbench.corpus import store as stores
    from workbench.corpus.importing import ImportRecipe, import_corpus
    from workbench.corpus.readers import Reading
    from workbench.corpus.source import DEMO
    from workbench.corpus.tokenizing import StoreTokenizer

    tokenizer = StoreTokenizer(lab.model.tokenizer, int(lab.model.info["vocabulary"]))
    if command.corpus == DEMO and DEMO not in stores.names(lab.home):
        recipe = ImportRecipe(Reading(DEMO, seed=command.seed), tokens=command.tokens, name=DEMO)
        return import_corpus(recipe, tokenizer, lab.home, lab.tick)
    store = stores.open_name(lab.home, command.corpus)
    store.need_tokenizer(tokenizer.digest, lab.model.name)
    return store


def _models(command: QuantaLosses, lab: Lab, store: TokenStore) -> list[dict[str, Any]]:
    """The loaded model's entry and those of the others, each loaded once to know that it fits."""
    from workbench.corpus.tokenizing import StoreTokenizer

    found = [dict(lab.entry("model") or {})]
    found[0]["context"] = lab.model.context
    placing = {key: found[0][key] for key in ("device", "device_map", "dtype") if key in found[0]}
    for named in command.models:
        ref, _, revision = named.partition("@")
        model = lab.models.model({"ref": ref, "revision": revision, **placing})
        model.need_logits()
        tokenizer = StoreTokenizer(model.tokenizer, int(model.info["vocabulary"]))
        store.need_tokenizer(tokenizer.digest, model.name)  # losses side by side are of the same tokens
        found.append({**{key: model.info[key] for key in ("ref", "name", "digest", "revision", "context")}, **placing})
    digests = [entry["digest"] for entry in found]
    if len(set(digests)) < len(digests):
        raise UsageError("the same model is named twice", "Name other weights: REF or REF@REVISION.")
    return _named_apart(found)


def _named_apart(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Models of one name (several checkpoints) are told apart by revision, else by digest."""
    names = [str(entry["name"]) for entry in entries]
    for entry in entries:
        if names.count(str(entry["name"])) > 1:
            mark = entry.get("revision") or str(entry["digest"]).removeprefix("sha256:")[:8]
            entry["name"] = f"{entry['name']}@{mark}"
    return entries


def _summary(nats: np.ndarray) -> dict[str, Any]:
    known = nats[np.isfinite(nats)].astype(np.float64)
    mean = float(known.mean()) if known.size else None
    median = float(np.median(known)) if known.size else None
    return {
        "mean": mean,
        "median": median,
        "mean_bits": None if mean is None else mean / NATS_PER_BIT,
        "median_bits": None if median is None else median / NATS_PER_BIT,
        "below": [{"nats": limit, "predictions": int((known < limit).sum())} for limit in (0.1, 0.5, 1.0)],
        "not_finite": int(nats.size - known.size),
    }


def _figure(title: str, histogram: dict[str, Any], note: str = "") -> Figure:
    shown = {key: histogram[key] for key in ("edges", "counts")}
    return Figure(kind="histogram", title=title, x_label="nats", y_label="predictions", note=note, data=shown)


def _warnings(rows: list[dict[str, Any]], store: TokenStore) -> list[str]:
    found = [
        f"{row['not_finite']:,} losses of {row['name']} are no numbers; no sample is taken there"
        for row in rows
        if row["not_finite"]
    ]
    return [*found, *([enriched_warning(store)] if store.meta["enriched"] else [])]


def select(command: QuantaSelect, lab: Lab) -> Outcome:
    """Low loss, not dropped by the filter, every so manieth, at most n."""
    data.unchanged(lab)
    considered = _Considered.of(command, lab)
    try:
        chosen = considered.chosen(command, command.n)
    except ValueError as error:
        raise UsageError(str(error), "Raise the threshold, lower --n or --skip, or take more of the corpus.") from error
    numbering = considered.losses.numbering
    documents, positions = numbering.index.locate(chosen)
    answers = considered.answers[chosen].astype(np.int64)
    pieces = numbering.store.pieces
    lab.save(
        "samples", number=chosen, document=documents, position=positions, answer=answers,
        loss=considered.nats[chosen].astype(np.float32),
    )  # fmt: skip
    lab.save_json("answers", {str(token): pieces[token] for token in sorted({int(token) for token in answers})})
    digest = value_digest(numbering.contexts(chosen))
    body = {**considered.counts(command), "samples": int(chosen.size), "digest": digest}
    entry = {"samples": int(chosen.size), "digest": digest, "model": considered.model}
    figure = _figure("Losses", body["histogram"])
    return Outcome(
        body, [figure], sets={data.SAMPLES: entry, **data.cleared(data.SIMILARITY, data.CLUSTERS)},
        warnings=considered.warnings,
    )  # fmt: skip


def counts(query: QuantaCounts, lab: Lab) -> Outcome:
    """What `select` would find, step by step; nothing is taken."""
    return Outcome(_Considered.of(query, lab).counts(query))


class _Considered:
    """Losses, filter and answers of a selection."""

    def __init__(self, losses: Losses, model: dict[str, Any], nats: np.ndarray, drop: np.ndarray) -> None:
        self.losses, self.model, self.nats, self.drop = losses, model, nats, drop
        self.answers = losses.numbering.answers()
        self.special = np.isin(self.answers, losses.numbering.store.special)
        self.high: np.ndarray | None = None
        self.high_name = ""
        self.models: list[str] = []
        store = losses.numbering.store
        self.warnings = [enriched_warning(store)] if store.meta["enriched"] else []

    @classmethod
    def of(cls, asked: QuantaSelect | QuantaCounts, lab: Lab) -> _Considered:
        """Read what the selection asks for.

        Raises:
            UsageError: no losses; a model whose losses were not taken; the same one low and high.
        """
        about = data.need(lab, data.LOSSES, "losses", "losses")
        kept = data.losses(lab)
        model = data.of_model(about, asked.model)
        found = cls(kept, model, kept.read(model["digest"]), kept.dropped(asked.filter))
        found.models = [str(entry["name"]) for entry in about["models"]]
        if asked.high:
            other = data.of_model(about, asked.high)
            if other["digest"] == model["digest"]:
                raise MismatchError(
                    f"{other['name']} cannot be low here and high there",
                    "Name two models whose losses were taken: `workbench quanta losses --models OTHER`.",
                )
            found.high, found.high_name = kept.read(other["digest"]), str(other["name"])
        return found

    def chosen(self, asked: QuantaSelect | QuantaCounts, count: int | None) -> np.ndarray:
        """Numbers of the predictions taken.

        Raises:
            ValueError: fewer than `count`.
        """
        return select_predictions(
            self.nats, self.drop | self.special, threshold=asked.threshold, unit=asked.unit, skip=asked.skip,
            count=count, high=self.high, high_threshold=asked.high_threshold,
        )  # fmt: skip

    def counts(self, asked: QuantaSelect | QuantaCounts) -> dict[str, Any]:
        """What each condition leaves."""
        from workbench.predictions.histogram import loss_histogram

        limit = asked.threshold * (NATS_PER_BIT if asked.unit == "bits" else 1.0)
        low = self.nats < limit
        kept = left = low & ~self.drop & ~self.special
        high = None
        if self.high is not None:
            kept = left & (self.high > asked.high_threshold * (NATS_PER_BIT if asked.unit == "bits" else 1.0))
            high = loss_histogram(self.high[left], kept[left])
        found = self.chosen(asked, None)
        return {
            "model": self.model["name"],
            "models": self.models,
            "high": self.high_name,
            "high_threshold": asked.high_threshold if self.high is not None else None,
            "threshold": asked.threshold,
            "unit": asked.unit,
            "threshold_nats": limit,
            "filter": asked.filter,
            "skip": asked.skip,
            "n": asked.n,
            "predictions": int(self.nats.size),
            "below": int(low.sum()),
            "repeated": int((low & self.drop).sum()),
            "special": int((low & self.special).sum()),
            "left": int(kept.sum()),
            "found": int(found.size),
            "histogram": loss_histogram(self.nats, kept),
            "high_histogram": high,
        }
