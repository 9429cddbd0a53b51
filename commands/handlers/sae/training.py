"""Carries out `sae.train` and `sae.sweep`."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.handlers.sae.gate import judge
from commands.sae import SaeSweep, SaeTrain
from workbench.errors import InputFileError
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.saes.recipe import WITH_K, WITH_L1, Recipe
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.corpus.source import Corpus
    from workbench.models.loaded import LoadedModel
    from workbench.models.site import Site
    from workbench.saes.activation_set import ActivationSet, SetRecipe


ENTRY = ("ref", "name", "digest", "site", "width", "architecture", "units")
"""What the session keeps of the features it works with."""
SWEPT_K, SWEPT_L1 = (8, 16, 32, 64), (2.0, 5.0, 10.0)
"""What a sweep compares where nothing is asked for."""
GATE_TOKENS = 4000
UNSEEN = 10_000_000
"""Document of the made corpus from which the gate reads: beyond those that training reads."""


@dataclass(frozen=True)
class _Plan:
    """What a command asks for, before anything is recorded."""

    model: LoadedModel
    site: Site
    corpus: Corpus
    activations: SetRecipe
    first: Recipe

    @property
    def device(self) -> str:
        return str(self.model.device)


def train(command: SaeTrain, lab: Lab) -> Outcome:
    """Record, train from the last checkpoint if there is one, keep the SAE, and load it into the session."""
    plan = _plan(command, lab)
    asked = _with(plan.first, command, command.k, command.k_start or command.k, command.l1)
    asked.check_k()
    if command.dry_run:
        return _dry_run(plan, [asked], lab)
    from workbench.saes.trained import taken

    source, told = _record(plan, lab)
    asked = replace(asked, rows=source.rows)
    asked.check()
    taken(lab.home, command.name, asked)
    name = command.name or f"{asked.architecture}-{asked.latents}-{asked.key[:8]}"
    folder, told_of_training = _trained(plan, source, asked, name, command.checkpoints, lab)
    story = json.loads((folder / "training.json").read_text("utf-8"))
    entry, gate = _loaded(plan, folder, lab)
    body = {"name": folder.name, **_summary(plan, asked, story), **gate["result"], "curve": story["curve"]}
    return Outcome(
        body,
        figures=_figures(story),
        sets={"sae": entry, "index": None, **gate["sets"]},
        warnings=[*told, *told_of_training, *gate["warnings"]],
        provenance={
            "corpus": {"ref": command.corpus, "digest": plan.corpus.digest, "tokens": source.rows},
            **gate["provenance"],
        },
    )


def _loaded(plan: _Plan, folder: Path, lab: Lab) -> tuple[dict[str, Any], dict[str, Any]]:
    """The state entry of the SAE, loaded as `sae load` does, and what the sanity gate says of it."""
    space = lab.models.space({"ref": str(folder), "site": "", "digest": ""}, lab.model)
    texts = plan.corpus.documents(UNSEEN if plan.corpus.endless else 0)
    return {key: space.info[key] for key in ENTRY}, judge(lab, space, plan.corpus.name, texts, GATE_TOKENS)


def sweep(command: SaeSweep, lab: Lab) -> Outcome:
    """Train every SAE of the grid; a finished one is not trained again after a kill."""
    plan = _plan(command, lab)
    grid = _grid(plan.first, command)
    for asked in grid:
        asked.check_k()
    if command.dry_run:
        return _dry_run(plan, grid, lab)
    source, told = _record(plan, lab)
    rows: list[dict[str, Any]] = []
    done: list[Path] = []
    for number, asked in enumerate(grid, start=1):
        asked = replace(asked, rows=source.rows)
        asked.check()
        work = lab.home / "saes" / ".work" / asked.key
        story = _finished(work)
        if story is None:
            story, warnings = _train_one(plan, source, asked, work, command.checkpoints, lab, f"{number}/{len(grid)}  ")
            told += [f"k {asked.k}, weight {asked.sparsity:g}: {text}" for text in warnings]
        rows.append(_row(asked, story))
        done.append(work)
    _forget(done)
    body = {**_setting(plan, source.rows, grid[0]), "rows": rows, "verdict": _verdict(rows)}
    corpus = {"ref": command.corpus, "digest": plan.corpus.digest, "tokens": source.rows}
    return Outcome(body, figures=_sweep_figures(rows, grid[0]), warnings=told, provenance={"corpus": corpus})


def _plan(command: SaeTrain | SaeSweep, lab: Lab) -> _Plan:
    from workbench.models.site import parse_site
    from workbench.saes.activation_set import SetRecipe

    model = lab.model
    site = parse_site(command.site or f"blocks.{(model.layers - 1) // 2}.hook_resid_post", model.layers)
    corpus = lab.corpus(command.corpus, command.corpus_seed)
    width = model.site_width(site)
    digest = str(model.info["digest"] or model.name)
    activations = SetRecipe(
        digest, site.name, corpus.digest, command.tokens, width, command.dtype, False, model.context
    )
    first = Recipe(
        activations.key,
        command.tokens,
        width,
        command.architecture,
        command.latents or command.expansion * width,
        k_fraction=command.k_fraction,
        aux=command.aux,
        rate=command.lr,
        batch=command.batch,
        epochs=command.epochs,
        dead_window=command.dead_window,
        winsorise=command.winsorise,
        seed=command.seed,
    )
    return _Plan(model, site, corpus, activations, first)


def _with(recipe: Recipe, command: SaeTrain | SaeSweep, k: int, k_start: int, l1: float) -> Recipe:
    """The recipe with its sparsity; what an architecture does not use stays at one value."""
    if recipe.architecture in WITH_K:
        return replace(recipe, k=k, k_start=k_start, sparsity=0.0)
    weight = l1 if recipe.architecture in WITH_L1 else command.l0
    return replace(recipe, k=1, k_start=1, k_fraction=0.0, sparsity=weight, aux=0.0)


def _grid(recipe: Recipe, command: SaeSweep) -> list[Recipe]:
    if recipe.architecture in WITH_K:
        return [
            _with(recipe, command, k, k_start, 0.0)
            for k in sorted(set(command.k or SWEPT_K))
            for k_start in (k, command.k_start)
        ]
    weights = sorted(set(command.l1 or SWEPT_L1)) if recipe.architecture in WITH_L1 else [command.l0]
    return [_with(recipe, command, 1, 1, weight) for weight in weights]


def _record(plan: _Plan, lab: Lab) -> tuple[ActivationSet, list[str]]:
    from workbench.saes.activation_set import record

    source, told = record(plan.model, plan.site, plan.corpus, plan.activations, lab.home, lab.tick)
    if source.rows < plan.activations.tokens:
        told.append(f"the corpus gives {source.rows:,} activations, not the {plan.activations.tokens:,} asked for")
    return source, told


def _trained(
    plan: _Plan, source: ActivationSet, asked: Recipe, name: str, checkpoints: int, lab: Lab
) -> tuple[Path, list[str]]:
    """The folder of the SAE: of an earlier training after the same recipe, or of one made now."""
    from workbench.saes.trained import keep, kept_as

    if kept_as(lab.home, name, asked):
        return lab.home / "saes" / name, [f"{name} was trained before after the same recipe"]
    work = lab.home / "saes" / ".work" / asked.key
    told: list[str] = []
    if _finished(work) is None:
        _, told = _train_one(plan, source, asked, work, checkpoints, lab)
    folder = keep(work / "sae", lab.home, name)
    _forget([work])
    return folder, told


def _train_one(
    plan: _Plan, source: ActivationSet, asked: Recipe, work: Path, checkpoints: int, lab: Lab, prefix: str = ""
) -> tuple[dict[str, Any], list[str]]:
    from workbench.saes.trained import write_sae
    from workbench.saes.training import train as train_sae

    def tick(done: int, total: int, text: str) -> None:
        lab.tick(done, total, prefix + text)

    found = train_sae(asked, source, work, tick, checkpoints=checkpoints, device=plan.device)
    about = {
        "model_name": plan.model.name,
        "hook_name": plan.site.name,
        "prepend_bos": _begins_with_special(plan.model),
        "context_size": plan.model.context,
        "dataset_path": plan.corpus.name,
    }
    write_sae(work / "sae", found, source, asked, about, plan.device)
    return _finished(work) or {}, found.warnings


def _finished(work: Path) -> dict[str, Any] | None:
    try:
        story: dict[str, Any] = json.loads((work / "sae" / "training.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputFileError(f"{work / 'sae' / 'training.json'} cannot be read", f"Remove {work}.") from error
    return story


def _forget(works: list[Path]) -> None:
    import shutil

    for work in works:
        shutil.rmtree(work, ignore_errors=True)


def _begins_with_special(model: LoadedModel) -> bool:
    ids = model.tokenizer("a")["input_ids"]
    return bool(ids) and ids[0] in set(model.tokenizer.all_special_ids)


def _setting(plan: _Plan, rows: int, asked: Recipe) -> dict[str, Any]:
    return {
        "site": plan.site.name,
        "architecture": asked.architecture,
        "width": asked.width,
        "latents": asked.latents,
        "corpus": plan.corpus.name,
        "activations": rows,
        "dtype": plan.activations.dtype,
        "validation_rows": replace(asked, rows=rows).validation,
        "epochs": asked.epochs,
        "rate": asked.rate,
        "dead_window": asked.dead_window,
    }


def _summary(plan: _Plan, asked: Recipe, story: dict[str, Any]) -> dict[str, Any]:
    return {
        **_setting(plan, asked.rows, asked),
        "batch": story["recipe"]["batch"],
        "winsorised": asked.winsorise,
        "stopped": story["stopped"],
        **_row(asked, story),
    }


def _row(asked: Recipe, story: dict[str, Any]) -> dict[str, Any]:
    """One trained SAE in numbers; the losses are of the validation rows, `dead` is the training's own count."""
    with_k = asked.architecture in WITH_K
    measured = story["validation"]
    return {
        "k": asked.k if with_k else None,
        "k_start": asked.k_start if with_k else None,
        "sparsity": None if with_k else asked.sparsity,
        "schedule": with_k and asked.k_start != asked.k,
        "steps": story["curve"][-1]["step"] + 1,
        "loss": round(measured["loss"], 6),
        "fvu": round(measured["fvu"], 6),
        "l0": round(measured["l0"], 4),
        "dead": story["dead"],
        "silent": measured["silent"],
    }


def _dry_run(plan: _Plan, grid: list[Recipe], lab: Lab) -> Outcome:
    """Time, memory and disk of the whole, from a few batches tried in memory."""
    from workbench.saes.activation_set import open_set
    from workbench.saes.estimate import estimate

    recorded = open_set(lab.home / "activations" / plan.activations.key, plan.activations)
    rows = recorded.rows if recorded else plan.activations.tokens
    tried = []
    for number, asked in enumerate(grid):
        lab.tick(number, len(grid), "trying a few batches")
        asked = replace(asked, rows=rows)
        tried.append(estimate(plan.model, plan.site, plan.corpus, plan.activations, asked, bool(recorded), plan.device))
    training = sum(item.seconds - item.recording for item in tried)
    return Outcome(
        {
            "dry_run": True,
            **_setting(plan, rows, grid[0]),
            "trainings": len(grid),
            "steps": replace(grid[0], rows=rows).steps,
            "seconds": round(training + tried[0].recording, 3),
            "memory_bytes": max(item.memory for item in tried),
            "disk_bytes": max(item.disk for item in tried),
            "recorded": recorded is not None,
        }
    )


def _figures(story: dict[str, Any]) -> list[Figure]:
    curve = story["curve"]
    x = [point["tokens"] for point in curve]

    def drawn(title: str, label: str, names: tuple[str, ...]) -> Figure:
        series = {name: [point[name] for point in curve] for name in names}
        return Figure(kind="curve", title=title, x_label="tokens", y_label=label, data={"x": x, "series": series})

    counts = ("l0", "k") if curve[-1]["k"] is not None else ("l0",)
    return [
        drawn("Training: loss", "loss of the batch", ("loss",)),
        drawn("Training: unexplained variance", "FVU of the batch", ("fvu",)),
        drawn("Training: latents a token", "latents", counts),
        drawn("Training: dead latents", "latents", ("dead",)),
    ]


def _verdict(rows: list[dict[str, Any]]) -> str:
    """Whether the schedule leaves fewer latents dead, said plainly."""
    by_k: dict[int, dict[bool, int]] = {}
    for row in rows:
        if row["k"] is not None:
            by_k.setdefault(row["k"], {})[row["schedule"]] = row["dead"]
    pairs = [(found[True], found[False]) for found in by_k.values() if len(found) == 2]
    if not pairs:
        return ""
    fewer, more = sum(a < b for a, b in pairs), sum(a > b for a, b in pairs)
    return (
        f"with the K schedule {fewer} of {len(pairs)} values of k leave fewer latents dead, {more} more, "
        f"{len(pairs) - fewer - more} as many"
    )


def _sweep_figures(rows: list[dict[str, Any]], asked: Recipe) -> list[Figure]:
    if asked.architecture not in WITH_K:
        x, label = [row["sparsity"] for row in rows], "penalty"
        parts = {"": rows}
    else:
        x, label = sorted({row["k"] for row in rows}), "k"
        parts = {"schedule": [], "fixed k": []}
        for row in rows:
            parts["schedule" if row["schedule"] else "fixed k"].append(row)
    figures = []
    for name, title in (("loss", "validation loss"), ("dead", "dead latents"), ("fvu", "validation FVU")):
        series = {
            part or title: [row[name] for row in sorted(found, key=lambda row: row["k"] or row["sparsity"])]
            for part, found in parts.items()
            if len(found) == len(x)
        }
        data = {"x": x, "series": series}
        figures.append(Figure(kind="curve", title=f"Sweep: {title}", x_label=label, y_label=title, data=data))
    columns = list(rows[0])
    table = {"columns": columns, "rows": [[row[name] for name in columns] for row in rows]}
    return [*figures, Figure(kind="table", title="Sweep", data=table)]
