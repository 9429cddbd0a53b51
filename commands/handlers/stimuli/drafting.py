"""Carries out `stimuli.draft`: pairs from templates or from a language model, with the check of their design."""

from __future__ import annotations

from typing import Any

from commands.handlers.stimuli.sets import CATEGORIES, check_lengths, free_name, kept, measured, rows_of
from commands.stimuli import StimuliDraft
from workbench.errors import UsageError, WorkbenchError
from workbench.lab import Lab
from workbench.stimuli import proposing
from workbench.stimuli.sets import Stimulus, StimulusSet
from workbench.stimuli.templates import BUILT_IN, Pair, draft_pairs, lexicon_slots, read_slots
from workbench.verbs import Outcome

SHOWN = 20
"""Sentences of a draft that its reply shows."""


def draft(command: StimuliDraft, lab: Lab) -> Outcome:
    """Propose, keep the first pairs in use and the others as spare ones, and check the design."""
    from workbench.stimuli.check import check_design

    free_name(command.name, lab)
    categories = _categories(command)
    proposal = None
    if _by_templates(command):
        pairs = _from_templates(command)
    else:
        proposal = _from_model(command, lab)
        pairs = proposal.pairs
    found = _as_set(command, categories, pairs)
    check_lengths(found, found.name, lab)
    measures, sources = measured(found, lab)
    features = int((lab.entry("sae") or {}).get("width", 0))
    check = {**check_design(found, measures, features=features, seed=command.seed), "sources": sources}
    came = _of_proposal(command, proposal) if proposal else _of_templates(command, pairs)
    outcome = kept(found, lab, [*came, *check["warnings"]])
    outcome.result |= {
        "together": _together(found),
        "by": proposal.record["model"] if proposal else "templates",
        "spare": max(0, len(pairs) - command.pairs),
        "check": check,
        "proposal": {**proposal.record, "refused": proposal.refused} if proposal else None,
    }
    if proposal:
        lab.save_json("proposal", proposal.exchanges)
        outcome.provenance["language_model"] = proposal.record
    return outcome


def _together(found: StimulusSet) -> list[dict[str, Any]]:
    """The first sentences pair by pair, where a page of the set would show those of one side alone."""
    one, other = (rows_of([one for one in found.everything if one.category == name]) for name in found.names)
    return [row for pair in zip(one, other, strict=True) for row in pair][:SHOWN]


def _categories(command: StimuliDraft) -> tuple[str, str]:
    names = command.category or CATEGORIES
    if len(names) != 2 or names[0] == names[1] or not all(name.strip() for name in names):
        raise UsageError(f"a draft has two different categories, not {', '.join(names)}", "Give --category twice.")
    return names[0], names[1]


def _by_templates(command: StimuliDraft) -> bool:
    known = bool(command.template) or command.concept in BUILT_IN
    if command.by == "templates" and not known:
        raise UsageError(
            f"there is no template for {command.concept!r}",
            f"Give --template 'The {{kin}} <won|lost>.', or a concept with its own: {', '.join(BUILT_IN)}.",
        )
    return command.by == "templates" or (command.by == "" and known)


def _from_templates(command: StimuliDraft) -> list[Pair]:
    slots = {**lexicon_slots(), **read_slots(command.slot)}
    templates = command.template or BUILT_IN[command.concept]
    return draft_pairs(templates, slots, command.pairs + command.spare, command.seed)


def _from_model(command: StimuliDraft, lab: Lab) -> proposing.Proposal:
    if not command.concept.strip():
        raise UsageError(
            "a language model needs to know what the pairs are about", "Give --concept TEXT, or --template."
        )
    client = proposing.make_client()
    other = command.other or f"the same without this: {command.concept}"
    found = proposing.propose(client, command.model, command.concept, other, command.pairs + command.spare, lab.tick)
    if len(found.pairs) < 2:
        raise WorkbenchError(
            f"the language model proposed {len(found.pairs)} fit pairs ({found.refused} were not)", "Repeat."
        )
    return found


def _as_set(command: StimuliDraft, categories: tuple[str, str], pairs: list[Pair]) -> StimulusSet:
    stimuli = [
        Stimulus(pair.texts[side], category, item=str(number), span=pair.spans[side], include=number <= command.pairs)
        for side, category in enumerate(categories)
        for number, pair in enumerate(pairs, start=1)
    ]
    about = (
        f"Drafted: {command.concept} against {command.other or 'the same without'}." if command.concept else "Drafted."
    )
    return StimulusSet(command.name, tuple(stimuli), categories[0], about, declared=categories)


def _of_templates(command: StimuliDraft, pairs: list[Pair]) -> list[str]:
    asked = command.pairs + command.spare
    if len(pairs) == asked:
        return []
    return [
        f"the templates gave {len(pairs)} different pairs of the {asked} asked for (--pairs {command.pairs}, --spare "
        f"{command.spare}): add templates or words for more"
    ]


def _of_proposal(command: StimuliDraft, proposal: proposing.Proposal) -> list[str]:
    told = ["a language model wrote these sentences: read them before believing anything about them"]
    asked = command.pairs + command.spare
    if len(proposal.pairs) < asked:
        told.append(f"{len(proposal.pairs)} of {asked} pairs came")
    if proposal.refused:
        told.append(f"{proposal.refused} proposed pairs were empty, alike or repeated, and left out")
    return told
