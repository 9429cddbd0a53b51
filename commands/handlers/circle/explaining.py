"""Carries out `circle.explain`: a ladder of regressors, and what each rung leaves."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from commands.circle import CircleExplain
from commands.handlers.circle.probing import head
from workbench.circles.explaining import candidate_names, groups_of, task_values
from workbench.circles.forward import predict, read_at
from workbench.circles.tasks import Asked, ask
from workbench.errors import InputFileError, UsageError
from workbench.figures import Figure, above_noise
from workbench.geometry import explain_by_regression, residual_map, suggest_groups
from workbench.lab import Lab
from workbench.models.site import RESIDUAL_POST, Site, parse_site
from workbench.uploads import utf8_text
from workbench.verbs import Outcome

FOLDS = 7
MAPS = 6
"""Most pictures of what is left; a ladder longer than that shows its first rungs and its last."""
ROUNDING = 1e-9


def explain(command: CircleExplain, lab: Lab) -> Outcome:
    """Scores of the leading components, the groups in order or by held-out gain, and residual maps on one scale."""
    asked = ask(lab.model, command.task, command.preamble, command.space)
    layers = lab.model.layers
    site = parse_site(command.site, layers) if command.site else Site(max(0, layers - 2), RESIDUAL_POST)
    lab.tick(0, 3, f"reading {len(asked.task.problems)} problems")
    acts = read_at(lab.model, asked.prompts, asked.prompts.places(command.at), [site])[site]
    kept = _kept(command, lab, asked)
    scores, explained = _scores(acts[kept], command.components, site)
    custom = _custom(command, lab, asked)
    lab.tick(1, 3, "choosing groups")
    names = list(command.groups) or candidate_names(asked.task, custom)
    groups = [(name, columns[kept]) for name, columns in groups_of(names, asked.task, custom)]
    told: dict[str, Any] = {"chosen_by": "hand", "rejected": {}}
    if not command.groups:
        suggestion = suggest_groups(
            scores, groups, least_gain=command.least_gain, folds=min(FOLDS, len(scores)), seed=command.seed
        )
        if not suggestion.names:
            raise UsageError(
                f"no group gains {command.least_gain:g} of held-out R2 at {site.name}", "Lower --least-gain."
            )
        by_name = dict(groups)
        groups = [(name, by_name[name]) for name in suggestion.names]
        told = {"chosen_by": "held-out gain", "rejected": dict(sorted(suggestion.rejected.items(),
                key=lambda item: -item[1]))}  # fmt: skip
    found = explain_by_regression(scores, groups)
    held = _held_out(scores, groups, command.seed)
    rungs = [
        {"group": name, "r2": float(found.r2[at]), "held_out_r2": held[at], "rank": int(found.rank[at]),
         "gain": held[at] - (held[at - 1] if at else 0.0)}
        for at, name in enumerate(found.names)
    ]  # fmt: skip
    lab.tick(2, 3, "drawing what is left")
    maps = _maps(asked, kept, scores, found, command)
    body = {**head(asked, lab), "site": site.name, "at": command.at, "components": scores.shape[1],
            "explained": explained, "rows": len(scores), **told, "rungs": rungs,
            "maps": maps}  # fmt: skip
    lab.save("scores", scores=scores, kept=kept.astype(np.int64), residual=found.residual)
    return Outcome(body, [_ladder(rungs, site), *(_picture(one, asked) for one in maps)])


def _kept(command: CircleExplain, lab: Lab, asked: Asked) -> np.ndarray:
    problems = asked.task.problems
    if not command.right_only:
        return np.arange(len(problems))
    said = predict(lab.model, asked.prompts, range(len(problems)), asked.answers).answers.argmax(axis=1)
    kept = np.flatnonzero(said == [problem.target for problem in problems])
    if len(kept) < 2 * FOLDS:
        raise UsageError(f"the model answers {len(kept)} problems rightly", "Leave --right-only out.")
    return kept


def _scores(acts: np.ndarray, components: int, site: Site) -> tuple[np.ndarray, float]:
    """(problems, components) principal scores, and the share of the spread they hold."""
    mean = acts.mean(axis=0)
    left, spread, _ = np.linalg.svd(acts - mean, full_matrices=False)
    if not spread[0] > ROUNDING * max(float(np.abs(acts).max()), 1e-300):
        raise UsageError(
            f"all problems look the same at {site.name}: there is nothing to explain", "Choose a later --site."
        )
    kept = min(components, int((spread > ROUNDING * spread[0]).sum()))
    return left[:, :kept] * spread[:kept], float(np.square(spread[:kept]).sum() / np.square(spread).sum())


def _held_out(scores: np.ndarray, groups: list[tuple[str, np.ndarray]], seed: int) -> list[float]:
    """Held-out R2 after each rung, on the folds of the suggestion."""
    fold = np.random.default_rng(seed).permutation(len(scores)) % min(FOLDS, len(scores))
    ladder, columns = [], np.empty((len(scores), 0))
    for _, more in groups:
        columns = np.hstack([columns, more])
        error = 0.0
        for number in range(int(fold.max()) + 1):
            held = fold == number
            fitted = np.linalg.lstsq(columns[~held], scores[~held], rcond=ROUNDING)[0]
            error += float(np.square(scores[held] - columns[held] @ fitted).sum())
        ladder.append(1 - error / float(np.square(scores).sum()))
    return ladder


def _custom(command: CircleExplain, lab: Lab, asked: Asked) -> dict[str, np.ndarray]:
    """Columns of the investigator's file, each a group of its own."""
    if not command.columns:
        return {}
    path = lab.record.path / command.columns
    text = utf8_text(path.read_bytes(), path.name.partition("-")[2])
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    size = len(asked.task.problems)
    if len(rows) != size + 1:
        raise InputFileError(
            f"the file of columns has {max(len(rows) - 1, 0)} rows below its names, the task has {size} problems",
            "Give one row for each problem, in the order of a, then b.",
        )
    try:
        values = np.array([[float(cell) for cell in row] for row in rows[1:]], dtype=np.float64)
    except ValueError as error:
        raise InputFileError(f"the file of columns holds what is no number ({error})", "Mend that cell.") from error
    if values.shape != (size, len(rows[0])) or not np.isfinite(values).all():
        raise InputFileError("rows of the file of columns differ in length, or hold NaN", "Mend them.")
    return {name.strip(): values[:, [at]] for at, name in enumerate(rows[0])}


def _maps(
    asked: Asked, kept: np.ndarray, scores: np.ndarray, found: Any, command: CircleExplain
) -> list[dict[str, Any]]:
    """What is left after the constant, and after each rung, all on the scale of the first picture."""
    values = task_values(asked.task)
    a, b = values["a"][kept], values["b"][kept] - 1
    left = [("all of it", scores)]
    left += [(f"after {name}", rest) for name, rest in zip(found.names, found.residuals, strict=True)
             if name != "constant"]  # fmt: skip
    if len(left) > MAPS:
        left = [*left[: MAPS - 1], left[-1]]
    scale, maps = None, []
    for title, rest in left:
        one = residual_map(rest, a, b, scale=scale, seed=command.seed)
        scale = one.scale if scale is None else scale
        colours = [[None if np.isnan(cell).any() else [round(float(v), 3) for v in cell] for cell in row]
                   for row in one.colours]  # fmt: skip
        maps.append({"title": title, "scale": one.scale, "strength": one.strength.tolist(),
                     "noise": one.noise.tolist(), "colours": colours})  # fmt: skip
    return maps


def _ladder(rungs: list[dict[str, Any]], site: Site) -> Figure:
    series = {"training": [rung["r2"] for rung in rungs], "held out": [rung["held_out_r2"] for rung in rungs]}
    names = ", ".join(f"{at + 1} {rung['group']}" for at, rung in enumerate(rungs))
    data = {"x": list(range(1, len(rungs) + 1)), "series": series}
    return Figure(kind="curve", title=f"Explained by regression at {site.name}", x_label="groups", y_label="R²",
                  note=f"Groups: {names}.", data=data)  # fmt: skip


def _picture(one: dict[str, Any], asked: Asked) -> Figure:
    strength, noise = (", ".join(f"{value:.2g}" for value in one[key]) for key in ("strength", "noise"))
    note = (
        f"Red, green and blue are the three leading components, each with its largest entry positive; R G B above 0, "
        f"r g b below, 9 and full colour {one['scale']:.3g}, grey 0. Strengths {strength}, of noise {noise}: "
        f"{above_noise(one['strength'], one['noise'])}."
    )
    columns = [str(b + 1) for b in range(len(one["colours"][0]))]
    rows = list(asked.task.names)[: len(one["colours"])]
    data = {"rows": rows, "columns": columns, "values": one["colours"], "scale": one["scale"]}
    return Figure(kind="colours", title=f"What is left: {one['title']}", x_label="steps", y_label="name", note=note,
                  data=data)  # fmt: skip
