"""Carries out `index.*`."""

from __future__ import annotations

from commands.index import IndexBuild, IndexInfo
from workbench.demo import corpus
from workbench.digests import value_digest
from workbench.errors import UsageError
from workbench.index.read import FORMAT, open_index
from workbench.lab import Lab
from workbench.verbs import Outcome

_SHOWN = ("corpus", "tokens", "documents", "features", "alive", "mean_l0", "digest")


def build(command: IndexBuild, lab: Lab) -> Outcome:
    """Build the index, or find the same one in the cache."""
    from workbench.index.build import build_index

    model, space = lab.model, lab.space
    about = {
        "format": FORMAT,
        "model": model.info["digest"],
        "sae": space.info["digest"] or space.name,
        "corpus": command.corpus,
        "seed": command.seed,
        "asked": command.tokens,
        "examples": command.examples,
    }
    key = value_digest(about).removeprefix("sha256:")[:32]
    found = open_index(lab.home, {"key": key})
    if command.dry_run:
        return _dry_run(command, lab, found is not None)
    meta = found.meta if found is not None else None
    if meta is None:
        texts = (document.text for document in corpus.documents(command.seed))
        meta = build_index(
            model,
            space,
            texts,
            lab.home / "index" / key,
            tokens=command.tokens,
            examples=command.examples,
            about=about,
            tick=lab.tick,
        )
    entry = {"key": key, **{name: meta[name] for name in _SHOWN}}
    return Outcome(
        # without the digest of the files: their last bits differ between machines, the counts do not
        {name: meta[name] for name in _SHOWN if name != "digest"},
        sets={"index": entry},
        provenance={"corpus": {"ref": command.corpus, "seed": command.seed, "tokens": meta["tokens"]}},
    )


def _dry_run(command: IndexBuild, lab: Lab, built: bool) -> Outcome:
    """Time, memory and disk, from a few batches tried in memory."""
    from workbench.index.estimate import estimate

    texts = (document.text for document in corpus.documents(command.seed))
    tried = estimate(lab.model, lab.space, texts, tokens=command.tokens, examples=command.examples)
    return Outcome(
        {
            "dry_run": True,
            "corpus": command.corpus,
            "tokens": command.tokens,
            "features": lab.space.width,
            "seconds": round(tried.seconds, 3),
            "memory_bytes": tried.memory,
            "disk_bytes": tried.disk,
            "built": built,
        }
    )


def info(_query: IndexInfo, lab: Lab) -> Outcome:
    """What the session's features were indexed on."""
    value = lab.entry("index")
    if value is None:
        raise UsageError("no index in this session", "Build one: `workbench index build`.")
    return Outcome({**{name: value[name] for name in _SHOWN}, "on_this_machine": lab.index() is not None})
