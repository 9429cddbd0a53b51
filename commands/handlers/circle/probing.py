"""Carries out `circle.probe`: how well each layer is read as a circle, on what was seen and what was not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from commands.circle import CircleProbe as CircleProbeCommand
from workbench.circles.explaining import task_values
from workbench.circles.forward import predict, read_at
from workbench.circles.tasks import Asked, ask, read_prompts
from workbench.errors import UsageError
from workbench.figures import Figure
from workbench.geometry import CircleProbe
from workbench.lab import Lab
from workbench.models.site import RESIDUAL_POST, RESIDUAL_PRE, Site, parse_site
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel

QUANTITY = {"name": "a", "offset": "b", "answer": "c"}
PHRASES = ("late on {}", "very early on {}", "very late on {}", "in the morning on {}", "in the evening on {}")
"""Published phrases, and one whose words small vocabularies have."""


def probe(command: CircleProbeCommand, lab: Lab) -> Outcome:
    """Fit at every site asked for; the accuracy of the task stands beside it."""
    asked = ask(lab.model, command.task, command.preamble, command.space)
    period = checked_period(command.period, asked)
    of = {"name": "name", "last": "answer"}[command.at] if command.of == "auto" else command.of
    labels = task_values(asked.task)[QUANTITY[of]]
    sites = sites_of(lab.model, command.site)
    lab.tick(0, 2, f"reading {len(labels)} problems")
    acts = read_at(lab.model, asked.prompts, asked.prompts.places(command.at), sites)
    lab.tick(1, 2, "fitting")
    fitted = {site: _fit(command, acts[site], labels, period) for site in sites}
    rows = [_row(site, acts[site], labels, fitted[site], command, period) for site in sites]
    body = {**head(asked, lab), "at": command.at, "of": of, "period": period, "frequency": command.frequency,
            "k": command.k, "sites": rows}  # fmt: skip
    figures = [_curve(rows, of, command)]
    best = max((row for row in rows if row["status"] == "ok"), key=lambda row: row["held_out_r2"], default=None)
    body["best"] = best["site"] if best else None
    if best:
        at_best = parse_site(best["site"], lab.model.layers)
        found = fitted[at_best]
        assert isinstance(found, CircleProbe)  # its status is ok
        points = found.read(acts[at_best])
        figures.append(_scatter(points, labels, asked, of, best))
        body["points"] = [[round(float(v), 4) for v in point] for point in points]
        body["labels"] = [int(label) for label in labels]
    body["continuity"] = _continuity(asked, lab, sites, fitted, period) if command.continuity else []
    lab.save("probe", **{f"acts_{place}": acts[site].astype(np.float32) for place, site in enumerate(sites)},
             labels=labels.astype(np.int64))  # fmt: skip
    return Outcome(body, figures)


def checked_period(period: int | None, asked: Asked) -> int:
    """The period asked for, or the task's.

    Raises:
        UsageError: the names have no such period.
    """
    own = asked.task.period
    if period is None:
        return own
    if own % period or period < 3:
        allowed = ", ".join(str(n) for n in range(3, own + 1) if own % n == 0)
        raise UsageError(
            f"the {own} names have no period of {period}",
            f"Periods of {own} names that make a circle: {allowed}. For more turns use --frequency.",
        )
    return period


def sites_of(model: LoadedModel, name: str) -> list[Site]:
    """The site named, or the residual stream before the first block and after each."""
    if name:
        return [parse_site(name, model.layers)]
    return [Site(0, RESIDUAL_PRE), *(Site(layer, RESIDUAL_POST) for layer in range(model.layers))]


def head(asked: Asked, lab: Lab) -> dict[str, Any]:
    """What every result on a task begins with: the task as asked, and how much of it the model knows."""
    from workbench.models.vocabulary import token_texts

    problems = asked.task.problems
    said = predict(lab.model, asked.prompts, range(len(problems)), asked.answers)
    right = int((said.answers.argmax(axis=1) == np.array([problem.target for problem in problems])).sum())
    return {
        "prompt": f"{asked.preamble} {problems[0].prompt}".strip(),
        "answers": token_texts(lab.model.tokenizer, asked.answers),
        "leading_space": asked.space,
        "names": list(asked.task.names),
        "right": right,
        "problems": len(problems),
    }


def _fit(command: CircleProbeCommand, acts: np.ndarray, labels: np.ndarray, period: int) -> CircleProbe | str:
    """The probe, or why there is none."""
    try:
        return CircleProbe(period, command.k, command.frequency, seed=command.seed).fit(acts, labels)
    except ValueError as error:
        return str(error)


def _row(
    site: Site, acts: np.ndarray, labels: np.ndarray, found: CircleProbe | str, command: CircleProbeCommand, period: int
) -> dict[str, Any]:
    if isinstance(found, str):
        if "no circle" in found or "needs 3" in found:
            raise UsageError(found, f"Frequencies at period {period} go up to {(period - 1) // 2}.")
        nothing = dict.fromkeys(("r2", "held_out_r2", "held_out_names_r2", "error"))
        return {"site": site.name, "status": found, "k": 0, "distinct": 1, **nothing}
    apart = CircleProbe(period, command.k, command.frequency, folds=len(np.unique(labels)), seed=command.seed)
    turn = period / command.frequency
    off = (found.read_angle(acts) - labels) % turn
    return {
        "site": site.name,
        "status": "ok",
        "k": found.k_,
        "distinct": len(np.unique(np.round(acts, 4), axis=0)),
        "r2": found.r2_,
        "held_out_r2": found.held_out_r2_,
        "held_out_names_r2": apart.fit(acts, labels, groups=labels).held_out_r2_,
        "error": float(np.minimum(off, turn - off).mean()),
    }


def _continuity(
    asked: Asked, lab: Lab, sites: Sequence[Site], fitted: dict[Site, CircleProbe | str], period: int
) -> list[dict[str, Any]]:
    """Where phrases around a name stand on the circle of the bare names, at the last site that has one."""
    known = [site for site in sites if not isinstance(fitted[site], str)]
    if not known:
        return []
    site, names = known[-1], asked.task.names
    bare = read_prompts(lab.model, list(names), list(names))
    acts = read_at(lab.model, bare, bare.name_at, [site])[site]
    try:
        circle = CircleProbe(period, 5).fit(acts, np.arange(len(names)))
    except ValueError as error:
        raise UsageError(f"the bare names make no circle at {site.name}: {error}", "Choose another --site.") from error
    rows = []
    for phrase in ("{}", *PHRASES):
        texts = [phrase.format(name) for name in names]
        prompts = read_prompts(lab.model, texts, list(names))
        angles = circle.read_angle(read_at(lab.model, prompts, prompts.name_at, [site])[site])
        off = (angles - np.arange(len(names)) + period / 2) % period - period / 2
        spelled = max(sum(text.is_text) for text in prompts.texts) > 2.0 * len(texts[0].split())
        rows.append({"phrase": phrase, "site": site.name, "reads": [round(float(angle), 4) for angle in angles],
                     "error": float(off.mean()), "off": float(np.abs(off).mean()), "largest": float(np.abs(off).max()),
                     "spelled": spelled})  # fmt: skip
    return rows


def _curve(rows: list[dict[str, Any]], of: str, command: CircleProbeCommand) -> Figure:
    kept = [row for row in rows if row["status"] == "ok"]
    series = {
        "training": [row["r2"] for row in kept],
        "held out": [max(row["held_out_r2"], -1.0) for row in kept],
        "held out, whole names": [max(row["held_out_names_r2"], -1.0) for row in kept],
    }
    places = [rows.index(row) for row in kept]
    title = f"Circle probe of the {of} at the {'name' if command.at == 'name' else 'last token'} ({command.task})"
    note = "Sites in order; values below -1 are drawn at -1."
    return Figure(kind="curve", title=title, x_label="site (0: the first)", y_label="R²", note=note,
                  data={"x": places, "series": series})  # fmt: skip


def _scatter(points: np.ndarray, labels: np.ndarray, asked: Asked, of: str, best: dict[str, Any]) -> Figure:
    names = [asked.task.names[int(label) % asked.task.period] if of != "offset" else str(label) for label in labels]
    data = {"x": points[:, 0].round(4).tolist(), "y": points[:, 1].round(4).tolist(), "names": names, "groups": names}
    title = f"Where the problems are read, {best['site']} (held-out R² {best['held_out_r2']:.3f})"
    return Figure(kind="scatter", title=title, x_label="cosine", y_label="sine", data=data)
