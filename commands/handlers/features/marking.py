"""Carries out `features.tag`, `features.note` and `features.tags`."""

from __future__ import annotations

from typing import Any

from commands.features import FeaturesNote, FeaturesTag, FeaturesTags
from workbench.errors import UnknownNameError, UsageError
from workbench.features.evidence import cut, labels_by_index
from workbench.features.marks import note_entry, notes_by_feature, tag_entry, tagged, taggings, tags_by_feature
from workbench.lab import Lab
from workbench.saes.ids import feature_id, feature_index
from workbench.session.state import State
from workbench.verbs import Outcome

LETTERS, NOTE = 120, 400
"""Bytes of a label and of a note in a list; `features show` has them whole."""


def loaded_space(lab: Lab) -> dict[str, Any]:
    """The state entry of the loaded features.

    Raises:
        UsageError: there are none.
    """
    space: dict[str, Any] | None = lab.entry("sae")
    if space is None:
        raise UsageError("no SAE is loaded in this session", "Load one first: `workbench sae load demo`.")
    return space


def known_tag(state: State, tag: str) -> set[str]:
    """The ids of the features with a tag.

    Raises:
        UnknownNameError: no feature has it.
    """
    found = tagged(state, tag)
    if not found:
        known = {name for name, _, _ in taggings(state)}
        raise UnknownNameError.among("tag", tag, known, f"Put it on a feature: `workbench features tag ID '{tag}'`.")
    return found


def tag(command: FeaturesTag, lab: Lab) -> Outcome:
    """Tag features, or take a tag off; features that are already so are left alone."""
    space, name = loaded_space(lab), command.tag.strip()
    parts = [part.strip() for part in command.feature.split(",") if part.strip()]
    if not parts:
        raise UsageError("no feature is named", "Give an id or a number: `workbench features tag 417 winning`.")
    numbers = [feature_index(part, space["name"], space["width"]) for part in parts]
    features = list(dict.fromkeys(feature_id(space["name"], number) for number in numbers))
    had = tagged(lab.state, name)
    if command.remove and not had & set(features):
        raise UnknownNameError.among(f"tag of {', '.join(parts)}", name, {tag for tag, _, _ in taggings(lab.state)})
    changed = [feature for feature in features if (feature in had) == command.remove]
    value = None if command.remove else {"tag": name}
    now = had - set(changed) if command.remove else had | set(changed)
    body = {"tag": name, "removed": command.remove, "features": changed, "count": len(now)}
    warnings = [] if changed else [f"all of them have the tag {name!r} already"]
    return Outcome(body, sets={tag_entry(name, feature): value for feature in changed}, warnings=warnings)


def note(command: FeaturesNote, lab: Lab) -> Outcome:
    """Keep the note, or remove it."""
    space = loaded_space(lab)
    number = feature_index(command.feature, space["name"], space["width"])
    name, text = feature_id(space["name"], number), command.text.strip()
    value = {"text": text} if text else None
    return Outcome({"feature": name, "index": number, "text": text}, sets={note_entry(name): value})


def tags(query: FeaturesTags, lab: Lab) -> Outcome:
    """All tags, and the features that have one or a note."""
    state = lab.state
    wanted = known_tag(state, query.tag) if query.tag else None
    by_feature, notes = tags_by_feature(state), notes_by_feature(state)
    counts: dict[str, int] = {}
    for name, _, _ in taggings(state):
        counts[name] = counts.get(name, 0) + 1
    parts = {feature: feature.rpartition("#") for feature in {*by_feature, *notes}}
    order = sorted(
        (feature for feature in parts if wanted is None or feature in wanted),
        key=lambda feature: (parts[feature][0], int(parts[feature][2])),
    )
    labels = {space: labels_by_index(lab, space) for space in {space for space, _, _ in parts.values()}}
    stale = _stale(state)
    rows = [
        {
            "feature": feature,
            "index": int(parts[feature][2]),
            "space": parts[feature][0],
            "label": cut(labels[parts[feature][0]].get(int(parts[feature][2]), ""), LETTERS),
            "tags": by_feature.get(feature, []),
            "note": cut(notes.get(feature, ""), NOTE),
            "stale": feature in stale,
        }
        for feature in order[query.offset : query.offset + query.limit]
    ]
    listed = [{"tag": name, "features": counts[name]} for name in sorted(counts, key=lambda tag: (tag.casefold(), tag))]
    return Outcome({"tags": listed, "features": rows, "offset": query.offset, "total": len(order)})


def _stale(state: State) -> set[str]:
    """Features whose tag or note rests on a line that was taken back."""
    noted = {feature for feature, entry in state.under("feature-notes").items() if entry.stale}
    return noted | {feature for _, feature, entry in taggings(state) if entry.stale}
