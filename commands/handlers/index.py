"""Carries out `index.*`."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from commands.handlers.corpus import enriched_warning
from commands.index import IndexBuild, IndexImport, IndexInfo
from workbench.corpus.source import DEMO
from workbench.digests import value_digest
from workbench.errors import InputFileError, UnknownNameError, UsageError
from workbench.index.read import FORMAT, FeatureIndex, open_index
from workbench.lab import Lab
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.corpus.importing import ImportRecipe
    from workbench.corpus.store import TokenStore
    from workbench.corpus.tokenizing import StoreTokenizer
    from workbench.index.making import Elsewhere

SMALL = 10_000
"""Tokens below which an index is of too little text to go by."""
_SHOWN = ("corpus", "tokens", "documents", "features", "alive", "mean_l0", "digest")


def build(command: IndexBuild, lab: Lab) -> Outcome:
    """Build the index, or find the same one in the cache."""
    from workbench.index.build import build_index

    model, space = lab.model, lab.space
    if command.dry_run:
        return _dry_run(command, lab)
    store = _store(command, lab)
    key, about = _identity(command, lab, store)
    meta = _known(lab, key)
    if meta is None:
        meta = build_index(
            model,
            space,
            store,
            lab.home / "index" / key,
            tokens=command.tokens,
            examples=command.examples,
            about=about,
            tick=lab.tick,
            elsewhere=_elsewhere(command, lab, store) if command.on else None,
        )
    return _outcome(lab, key, meta, store, {"ref": command.corpus, "seed": command.seed, "tokens": meta["tokens"]})


def _elsewhere(command: IndexBuild, lab: Lab, store: TokenStore) -> Elsewhere:
    """The cluster, told what to load."""
    import torch

    from workbench.index.on_ray import Task, on_ray

    task = Task(
        model={**lab.at_hand("model", lab.entry("model") or {}), "digest": lab.model.info["digest"]},
        sae={**lab.at_hand("sae", lab.entry("sae") or {}), "digest": lab.space.info["digest"]},
        home=str(lab.home.absolute()),
        store=store.digest,
        total=min(command.tokens, len(store.tokens)),
        examples=command.examples,
        threads=torch.get_num_threads(),
        gpu=str(lab.model.info["device"]).startswith("cuda"),
    )
    return on_ray(command.on, task, lambda text: lab.tick(0, 0, text))


def _identity(command: IndexBuild, lab: Lab, store: TokenStore) -> tuple[str, dict[str, Any]]:
    """What the index rests on, and the key made of it."""
    about = {
        "format": FORMAT,
        "model": lab.model.info["digest"],
        "sae": lab.space.info["digest"] or lab.space.name,
        "corpus": command.corpus,
        "seed": command.seed,
        "asked": command.tokens,
        "examples": command.examples,
        "store": store.digest,
    }
    return value_digest(about).removeprefix("sha256:")[:32], about


def _dry_run(command: IndexBuild, lab: Lab) -> Outcome:
    """Time, memory and disk, from a few batches tried in memory."""
    from workbench.corpus.importing import known
    from workbench.corpus.source import open_corpus
    from workbench.index.estimate import estimate, first_documents

    made = known(_recipe(command), _tokenizer(lab), lab.home) if command.corpus == DEMO else _store(command, lab)
    tokens = command.tokens if made is None else min(command.tokens, len(made.tokens))
    tried = made or first_documents(open_corpus(DEMO, command.seed).documents(), _tokenizer(lab), tokens)
    built = made is not None and open_index(lab.home, {"key": _identity(command, lab, made)[0]}) is not None
    found = estimate(lab.model, lab.space, tried, tokens=tokens, examples=command.examples)
    return Outcome(
        {
            "dry_run": True,
            "corpus": command.corpus,
            "tokens": tokens,
            "features": lab.space.width,
            "seconds": round(found.seconds, 3),
            "memory_bytes": found.memory,
            "disk_bytes": found.disk,
            "built": built,
        }
    )


def _recipe(command: IndexBuild) -> ImportRecipe:
    """How the demo's corpus is made."""
    from workbench.corpus.importing import ImportRecipe
    from workbench.corpus.readers import Reading

    return ImportRecipe(Reading(DEMO, seed=command.seed), tokens=command.tokens, name=DEMO)


def _store(command: IndexBuild, lab: Lab) -> TokenStore:
    """The token store of the corpus, made first where it is the demo's."""
    from workbench.corpus.importing import import_corpus
    from workbench.corpus.store import names, open_name

    tokenizer = _tokenizer(lab)
    if command.corpus == DEMO:
        return import_corpus(_recipe(command), tokenizer, lab.home, lab.tick)
    if command.corpus not in (known := names(lab.home)):
        hint = "Import another: `workbench corpus import FILE`."
        raise UnknownNameError.among("corpus", command.corpus, [DEMO, *known], hint)
    store = open_name(lab.home, command.corpus)
    store.need_tokenizer(tokenizer.digest, lab.model.name)
    return store


def _tokenizer(lab: Lab) -> StoreTokenizer:
    from workbench.corpus.tokenizing import StoreTokenizer

    return StoreTokenizer(lab.model.tokenizer, int(lab.model.info["vocabulary"]))


def _known(lab: Lab, key: str) -> dict[str, Any] | None:
    """The metadata of the index of that key, if it is here and whole; a damaged one is removed."""
    found = open_index(lab.home, {"key": key})
    if found is None:
        return None
    try:
        found.check()
    except InputFileError:
        shutil.rmtree(found.folder, ignore_errors=True)
        return None
    return found.meta


def _outcome(lab: Lab, key: str, meta: dict[str, Any], store: TokenStore, provenance: dict[str, Any]) -> Outcome:
    entry = {"key": key, **{name: meta[name] for name in _SHOWN}, "store": store.digest}
    return Outcome(
        # without the digest of the files: their last bits differ between machines, the counts do not
        {name: meta[name] for name in _SHOWN if name != "digest"},
        sets={"index": entry},
        warnings=[
            *_other_corpus(lab, str(meta["corpus"])),
            *_demo_corpus(lab, str(meta["corpus"])),
            *([enriched_warning(store)] if store.meta["enriched"] else []),
            *_small_warning(int(meta["tokens"])),
        ],
        provenance={"corpus": provenance},
    )


def _demo_corpus(lab: Lab, corpus: str) -> list[str]:
    """That the first index of a model of one's own is of the demo's sentences, which a bare `index build` reads."""
    if corpus != DEMO or lab.entry("index") is not None or lab.model.info["ref"] == "demo":
        return []
    return [
        f"no corpus was named, or {DEMO!r}: the index is of the made sentences of the demo's corpus. For text of your "
        "own: `workbench corpus import FILE`, then `workbench index build NAME`"
    ]


def _other_corpus(lab: Lab, corpus: str) -> list[str]:
    """That the session's index is of another corpus from now on: a bare `index build` reads the demo's."""
    before = str((lab.entry("index") or {}).get("corpus", corpus))
    if before == corpus:
        return []
    back = (
        f"`workbench index build {before}` takes it up again" if before != DEMO else "`workbench index build` goes back"
    )
    return [f"the session's index was of corpus {before!r} and is of {corpus!r} from now on: {back}"]


def _small_warning(tokens: int) -> list[str]:
    """What so few tokens cannot tell; by the rule of three, what never came may still come 3 in n times."""
    if tokens >= SMALL:
        return []
    times, most = max(round(tokens / 1000), 1), 300 / tokens
    return [
        f"a small corpus: of {tokens:,} tokens a feature that fires once in a thousand is seen about {times} times, "
        f"and one never seen may still fire on {most:.2g} % of tokens. Take densities, quantiles and neighbours as "
        "hints, or index more text"
    ]


def import_(command: IndexImport, lab: Lab) -> Outcome:
    """Read the arrays, and make their tokens a corpus and their non-zeros an index."""
    from workbench.index.occurrences import Occurrences, import_occurrences

    source = Occurrences.open(lab.source(command.file), command.file)
    space = lab.space
    store, key, meta = import_occurrences(
        source,
        lab.model,
        space,
        _tokenizer(lab),
        lab.home,
        name=command.name or source.name,
        context=command.context,
        examples=command.examples,
        tick=lab.tick,
    )
    return _outcome(lab, key, meta, store, {"ref": command.file, "digest": source.digest, "tokens": meta["tokens"]})


def info(_query: IndexInfo, lab: Lab) -> Outcome:
    """What the session's features were indexed on."""
    value = lab.entry("index")
    if value is None:
        raise UsageError("no index in this session", "Build one: `workbench index build`.")
    found: FeatureIndex | None = lab.index()
    about = {name: found.meta[name] for name in ("kind", "entries")} if found else {}
    enriched = found.store.meta["enriched"] if found else None
    shown = {name: value[name] for name in _SHOWN}
    return Outcome({**shown, **about, "enriched": enriched, "on_this_machine": found is not None})
