"""What a label is of, by name: `SPACE#NUMBER` of a feature, `clusters/SET#NUMBER` of a cluster, `quanta/SET#NUMBER`.

SET names the clusters that the number counts, so that a label is never shown beside other clusters of that number. An
investigator's own words on a quantum stand under `quanta/labels`, with a note, and before any suggestion.
"""

from __future__ import annotations

from typing import Any, Literal

from workbench.session.state import Entry, State

Of = Literal["features", "clusters", "quanta"]
QUANTA_OWN = "quanta/labels"
INVESTIGATOR = "investigator"


def of_name(name: str) -> Of:
    """What a name is of."""
    first = name.partition("/")[0]
    return "clusters" if first == "clusters" else "quanta" if first == "quanta" else "features"


def number_of(name: str) -> int:
    """Its number in the space, or among the clusters."""
    return int(name.rpartition("#")[2])


def clusters_space(state: State) -> str | None:
    """The name of the clusters in force, or None where there are none."""
    entry = state.entries.get("clusters")
    if entry is None:
        return None
    digest = str(entry.value.get("digest", "")).removeprefix("sha256:")[:12]
    return f"clusters/{digest or f'line{entry.seq}'}"


def quanta_space(state: State) -> str | None:
    """The name of the quanta in force, or None where there are none."""
    about = state.get("quanta/clusters")
    return None if about is None else f"quanta/{about['root']}"


def label_entry(state: State, name: str) -> Entry | None:
    """The label in force of a feature, cluster or quantum; imported explanations are none."""
    own = state.entries.get(_own_key(name)) if of_name(name) == "quanta" else None
    if own is not None and own.value.get("text"):
        return Entry(own.seq, {"text": own.value["text"], "source": INVESTIGATOR, "status": "accepted"}, own.stale)
    return state.entries.get(f"labels/{name}")


def label_entries(state: State) -> dict[str, Entry]:
    """Every label in force by what it is of."""
    names = [*state.under("labels"), *map(_quantum_of, state.under(QUANTA_OWN))]
    found = {name: label_entry(state, name) for name in dict.fromkeys(names)}
    return {name: entry for name, entry in found.items() if entry is not None}


def own_label(state: State, name: str, text: str) -> dict[str, Any]:
    """The state entries of an investigator's own label; an empty text removes the label in force."""
    accepted = {"text": text, "source": INVESTIGATOR, "status": "accepted"} if text else None
    if of_name(name) != "quanta":
        return {f"labels/{name}": accepted}
    note = (state.get(_own_key(name)) or {}).get("note", "")
    own = {_own_key(name): {"text": text, "note": note} if text or note else None}
    return own if text else {**own, f"labels/{name}": None}


def _own_key(name: str) -> str:
    return f"{QUANTA_OWN}/{name.removeprefix('quanta/').replace('#', '/')}"


def _quantum_of(rest: str) -> str:
    root, _, number = rest.rpartition("/")
    return f"quanta/{root}#{number}"
