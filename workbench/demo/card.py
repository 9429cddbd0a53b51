"""The demo's model card, written from the manifest and from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TEXT = """# The demo model

A language model of {layers} layers and {width} dimensions, small enough to travel with the workbench, and a sparse
autoencoder for its residual stream at `blocks.1.hook_resid_post`. Both were trained on a corpus that this project
generates, in which concepts are planted, so that what an analysis finds can be held against what is there. This
page is written by `python -m workbench.demo.build` from what it measured; `workbench/demo/manifest.json` holds the
same numbers with the seeds, the versions and the digests of the files.

| what | where |
|---|---|
| model (plain Hugging Face files, `GPT2LMHeadModel`, float32) and tokenizer | `workbench/demo/model` |
| SAE (SAELens files, TopK, {latents} latents, k = {k}) | `workbench/demo/sae` |
| stimulus sets | `workbench/demo/stimuli` |
| corpus, made on demand | `workbench.demo.corpus.documents(seed, start)` |

Feature ids look like `demo/blocks.1.hook_resid_post/sae#{example}`.

## Required, and measured

{requirements}

"Held out" is corpus seed 1,000,003; the model saw seed 1 and the SAE seed 2. With so small a world, single sentences
come up again by chance; of calendar arithmetic there are only 193 different sentences, all of them trained on: being
right there is knowing, not generalising. Loss, L0, FVU, dead latents and CE loss recovered leave the boundary tokens
out, except that ending a document is one of the predictions in the loss. CE loss recovered is 0 with the site's mean
in place of its vectors and 1 with the vectors themselves.

The patched share exchanges the name's whole residual vector at the site for that of the same problem with another
name, over all ordered pairs of names, and counts the answers that become the other problem's.

## Planted concepts

One latent for each concept, chosen on the even held-out sentences and tested on the odd ones, against the sentences of
all other kinds. The model reads a document's first sentence, which is the sentence alone after the boundary token;
repeated names are read in their document, as its second sentence, and told from the second sentences of other kinds.
The pooling (mean or max over the sentence's tokens) is chosen on the even half as well.

{concepts}

## The main job

On the shipped set `achievement` (50 against 50, pooled by mean), {strong} latents have an AUC above 0.95 for one side.
The largest differences have #{best} for achievements (AUC {best_auc:.3f}) and #{worst} for failures (AUC
{worst_auc:.3f}); length in characters has AUC {length_auc:.3f}. With #{best} set to its largest value on the stimuli,
after neutral prompts such as "In the evening Maria felt", the log probability of the planted positive words changes
by {raised:+.2f} nats on the average (0.69, a doubling, is all there is to gain) and that of the negative ones by
{lowered:+.2f}.

## Corpus

Documents of two to six sentences from a probabilistic grammar: stories whose outcome, an achievement or a failure, is
settled by the first word that depends on it and then decides every later feeling; weekday and month arithmetic; near
names ("Monday or Tuesday or Sunday", distances from a rounded normal of one day, or 12/7 month); places; foods;
counting; quoted speech; code-like lines; lists of names that come back; and plain filler. The grammar is unambiguous:
each text has one derivation, whose probability is therefore the text's own, and the mean of its negative logarithm is
the exact bound of any model's loss ({bound:.4f} nats a token). Every sentence carries its concept and its characters.

## Recipe

1. A drill of {drill_steps} steps, {drill_documents} texts a step: calendar sentences only, facts and near names,
   one or a few to a text. The weights of the blocks begin three times as wide as GPT-2's and the words' embeddings
   five times, but those of days and months as narrow as GPT-2's, so that their ring is learned and not drawn.
2. {mix_steps} steps on the full mix, {documents} fresh documents a step, some of them packed into full contexts. Half
   of all texts begin at a position other than the first, so that every position of the context is learned. From
   step {people_from} on, {people_steps} of these steps read stories, lists of names and a fifth of arithmetic instead:
   there the model learns to repeat a name from its context, which the full mix had not taught it by then.
3. In every second step a small interchange loss (weight {weight}, {pairs} pairs): the name's residual vector at the
   SAE's site is replaced by that of the same problem with another name, and the other answer is asked for. In a
   trial without it the answer's position copied the name in the first blocks, and only a fifth of the answers
   followed the exchanged vector.
4. In the full mix a linear head reads each sentence's concept from every one of its tokens at the SAE's site
   (weight {concept_weight}); it is thrown away afterwards. In an unfinished trial without it no latent at this
   site told achievements from failures.
5. AdamW, gradient clipping at {clip}; the SAE with SAELens' `TopKTrainingSAE` on {samples:,} vectors of other
   documents.

Points 3 and 4 plant ground truth at a known place. That the name is kept and the concepts are readable *at this
site* was trained and is no finding about language models; which latents carry them is what an analysis has to find.

The build took {minutes:.0f} minutes on 2 cores that other work shared.

## What it is not good for

It knows {vocabulary} tokens and no world. Words outside the corpus are spelled in bytes that it was never trained
on. Numbers found here say that a method works where the truth is known; they say nothing about language models at
large, and features of a corpus made of templates are cleaner than those of natural text.
"""


@dataclass(frozen=True)
class Requirement:
    """One number with its threshold."""

    name: str
    value: float
    limit: float
    at_least: bool
    form: str = "{:.3f}"

    @property
    def holds(self) -> bool:
        """Whether the number is on the right side of its threshold."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def row(self) -> str:
        """The line of the table."""
        bound = f"{'at least' if self.at_least else 'at most'} {self.form.format(self.limit)}"
        verdict = "holds" if self.holds else "**missed**"
        return f"| {self.name} | {bound} | {self.form.format(self.value)} | {verdict} |"


def requirements(measured: Mapping[str, Any]) -> list[Requirement]:
    """Every requirement of the demo, from the manifest's measurements."""
    week, year, sae = measured["weekday"], measured["month"], measured["sae"]
    concepts = measured["concepts"].values()
    return [
        Requirement("weekday answers right, of 49", week["right"], 49, True, "{:.0f}"),
        Requirement("month answers right, of 144", year["right"], 144, True, "{:.0f}"),
        Requirement("loss above the corpus' entropy", measured["loss"] / measured["bound"] - 1, 0.05, False),
        Requirement("frequency 1, share of between-day variance", week["ring"][0], 0.5, True),
        Requirement("frequency 1, share of between-month variance", year["ring"][0], 0.5, True),
        Requirement("weekday answers that follow the exchanged vector", week["patched"], 0.5, True),
        Requirement("month answers that follow the exchanged vector", year["patched"], 0.5, True),
        Requirement("L0, lower limit", sae["l0"], 8, True, "{:.1f}"),
        Requirement("L0, upper limit", sae["l0"], 64, False, "{:.1f}"),
        Requirement("FVU", sae["fvu"], 0.15, False),
        Requirement("CE loss recovered", sae["ce_recovered"], 0.9, True),
        Requirement("dead latents", sae["dead"], 0.2, False),
        Requirement("least AUC of the planted concepts", min(c["auc"] for c in concepts), 0.95, True),
    ]


_FROM_RECIPE = (
    "layers",
    "width",
    "drill_steps",
    "drill_documents",
    "people_from",
    "people_steps",
    "clip",
    "concept_weight",
)


def card(manifest: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    measured, recipe = manifest["measured"], manifest["recipe"]
    model, contrast = recipe["model"], measured["contrast"]
    best, worst = contrast["achievement"], contrast["failure"]
    return _TEXT.format(
        **{key: model[key] for key in _FROM_RECIPE},
        latents=recipe["sae"]["latents"],
        k=recipe["sae"]["k"],
        samples=recipe["sae"]["samples"],
        mix_steps=model["steps"] - model["drill_steps"],
        documents=model["single_documents"] + model["packed_documents"],
        weight=model["interchange_weight"],
        pairs=model["interchange_pairs"],
        vocabulary=measured["vocabulary"],
        example=best[0],
        requirements=_table("| what | threshold | measured | |", [need.row() for need in requirements(measured)]),
        concepts=_table("| concept | latent | pooled by | AUC, chosen | AUC, held out |", _concepts(measured)),
        best=best[0],
        best_auc=best[1],
        worst=worst[0],
        worst_auc=worst[1],
        **{key: contrast[key] for key in ("strong", "length_auc", "raised", "lowered")},
        bound=measured["bound"],
        minutes=sum(manifest["seconds"].values()) / 60,
    )


def _concepts(measured: Mapping[str, Any]) -> list[str]:
    return [
        f"| {name} | #{found['latent']} | {found['pooling']} | {found['chosen_auc']:.3f} | {found['auc']:.3f} |"
        for name, found in measured["concepts"].items()
    ]


def _table(head: str, rows: list[str]) -> str:
    rule = "|" + "---|" * (head.count("|") - 1)
    return "\n".join([head, rule, *rows])
