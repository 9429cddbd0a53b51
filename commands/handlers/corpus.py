"""Carries out `corpus.*`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from commands.corpus import CorpusFind, CorpusImport, CorpusList
from workbench.corpus import store as stores
from workbench.corpus.readers import HUB, Reading
from workbench.corpus.source import DEMO
from workbench.errors import UsageError
from workbench.lab import Lab
from workbench.verbs import Outcome

_SHOWN = ("name", "documents", "tokens", "empty", "cut", "repaired", "max_tokens", "digest", "enriched")


def import_(command: CorpusImport, lab: Lab) -> Outcome:
    """Import it, or find the same content in the cache."""
    from workbench.corpus.importing import ImportRecipe, import_corpus
    from workbench.corpus.tokenizing import StoreTokenizer

    model = lab.model
    reading = Reading(
        lab.source(command.source), command.field, command.split, command.subset, command.revision, command.seed,
        command.undecodable,
    )  # fmt: skip
    name = stores.checked_name(command.name or _name_of(reading, command.source))
    recipe = ImportRecipe(reading, command.max_tokens, command.tokens, name)
    tokenizer = StoreTokenizer(model.tokenizer, int(model.info["vocabulary"]))
    store = import_corpus(recipe, tokenizer, lab.home, lab.tick)
    stores.give_name(lab.home, name, store.digest)
    body = {**_told(store), "name": name}
    read = {"ref": command.source, "digest": store.digest, "tokens": store.meta["tokens"]}
    if digest := reading.source_digest:  # by it a replay finds the files elsewhere
        read["source_digest"] = digest
    return Outcome(
        body,
        sets={f"corpora/{name}": {"name": name, "digest": store.digest, "tokens": store.meta["tokens"]}},
        warnings=_warnings(store),
        provenance={"corpus": read},
    )


def _name_of(reading: Reading, source: str) -> str:
    """A name made of the source's, as the user named it."""
    if source == DEMO:
        return DEMO
    ref = source.removeprefix(HUB).rstrip("/")
    base = Path(ref).name if reading.kind != "datasets" else ref.rpartition("/")[2]
    while base.endswith((".gz", ".zst", ".txt", ".jsonl", ".parquet")):
        base = base.rpartition(".")[0]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", base).strip("-._")[:64] or "corpus"


def _told(store: stores.TokenStore) -> dict[str, Any]:
    return {key: store.meta[key] for key in _SHOWN}


def _warnings(store: stores.TokenStore) -> list[str]:
    found = []
    if store.meta["repaired"]:
        found.append(
            f"{store.meta['repaired']:,} documents had half a surrogate pair, which no text can have: now U+FFFD"
        )
    if store.meta["empty"]:
        found.append(f"{store.meta['empty']:,} documents are empty; they keep their numbers")
    return found


def list_(_query: CorpusList, lab: Lab) -> Outcome:
    """Every named store, the demo's in any case."""
    rows = []
    for name in stores.names(lab.home):
        store = stores.open_name(lab.home, name)
        rows.append({**_told(store), "name": name})
    made = {"name": DEMO, "documents": None, "tokens": None, "digest": "", "enriched": None}
    if not any(row["name"] == DEMO for row in rows):
        rows.insert(0, {**dict.fromkeys(_SHOWN), **made})
    return Outcome({"folder": str(stores.corpora(lab.home)), "corpora": rows})


def find(query: CorpusFind, lab: Lab) -> Outcome:
    """Count, show the first places, and cut a slice where one is asked for."""
    from workbench.corpus.finding import cut_slice
    from workbench.corpus.finding import find as find_phrases

    store = _store(query.corpus, lab)
    found = find_phrases(store, query.phrase, query.lines, lab.tick)
    documents, tokens = int(store.meta["documents"]), int(store.meta["tokens"])
    body: dict[str, Any] = {
        "corpus": query.corpus or store.meta["name"],
        "phrases": [{"phrase": text, "occurrences": n} for text, n in zip(query.phrase, found.each, strict=True)],
        "documents": len(found.documents),
        "of_documents": documents,
        "occurrences": found.occurrences,
        "tokens": found.tokens,
        "of_tokens": tokens,
        "density": found.tokens / max(tokens, 1),
        "lines": found.first,
        "slice": None,
    }
    if query.cut:
        cut = cut_slice(store, query.phrase, found.documents, query.cut, lab.home)
        stores.give_name(lab.home, query.cut, cut.digest)
        body["slice"] = {**_told(cut), "name": query.cut}
    enriched = store.meta["enriched"]
    return Outcome(body, warnings=[enriched_warning(store)] if enriched else [])


def enriched_warning(store: stores.TokenStore) -> str:
    """What must be said of every number that rests on a slice."""
    about = store.meta["enriched"]
    return (
        f"{store.meta['name']!r} is a slice of {about['of_name']!r} with the documents that have "
        f"{' or '.join(repr(phrase) for phrase in about['phrases'])} ({100 * about['share']:.3g} % of them): "
        "densities on it are not those of the whole"
    )


def _store(name: str, lab: Lab) -> stores.TokenStore:
    known = stores.names(lab.home)
    if name and (name in known or name != DEMO):
        return stores.open_name(lab.home, name)
    indexed = (lab.entry("index") or {}).get("store") if lab.has_session else None
    store = stores.open_digest(lab.home, indexed) if indexed else None
    if store is None and (index := lab.index() if lab.has_session else None) is not None:
        store = index.store  # it came along with an exported session
    if store is not None and name in ("", store.meta["name"]):
        return store
    if name == DEMO:
        raise UsageError(
            "the demo's corpus has no end, and no part of it is here",
            "Take some: `corpus import demo --tokens 200000`.",
        )
    if len(known) != 1:
        raise UsageError(
            "which corpus?" if known else "no corpus is on this machine",
            f"Add --corpus: {', '.join(known)}." if known else "Import one: `workbench corpus import FILE`.",
        )
    return stores.open_name(lab.home, known[0])
