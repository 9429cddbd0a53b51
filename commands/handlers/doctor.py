"""Carries out `doctor`."""

from __future__ import annotations

from typing import Any

from commands.doctor import Doctor
from workbench.checkup import checkup, referenced
from workbench.errors import UsageError
from workbench.figures import Figure
from workbench.lab import Lab
from workbench.session import catalog
from workbench.verbs import Outcome


def doctor(query: Doctor, lab: Lab) -> Outcome:
    """Look at the installation; measure the tests where that is asked for."""
    if query.calibrate:
        return _calibrate(query, lab)
    if query.tests or query.scenarios:
        raise UsageError("--tests and --scenarios are for --calibrate", "Add --calibrate.")
    checks = checkup(lab.home, lab.sessions)
    if (name := catalog.latest(lab.sessions)) is not None:
        checks += referenced(catalog.find(name, lab.sessions))
    wrong = [check for check in checks if check.state in ("missing", "broken")]
    return Outcome(
        {"healthy": not wrong, "checks": [check.as_dict() for check in checks]},
        warnings=[f"{check.name}: {check.found}. {check.mend}" for check in wrong],
    )


def _calibrate(query: Doctor, lab: Lab) -> Outcome:
    from workbench.stats.calibration import USUAL, Calibration, Rate, calibrate

    try:
        measured = calibrate(
            tests=query.tests,
            scenarios=query.scenarios or USUAL,
            seeds=query.seeds,
            features=query.features,
            permutations=query.permutations,
            alpha=query.alpha,
            seed=query.seed,
            tick=lab.tick,
        )
        found = list(measured)
    except ValueError as error:
        raise UsageError(str(error), "See `workbench doctor --help`.") from error

    def told(rate: Rate) -> dict[str, Any]:
        shown = {name: round(getattr(rate, name), 5) for name in ("rate", "low", "high")}
        return {**shown, "above": rate.above(query.alpha)}

    def row(one: Calibration) -> dict[str, Any]:
        rates = {name: told(getattr(one, name)) for name in ("any_q", "any_fwer", "p")}
        return {"test": one.test, "scenario": one.scenario, **rates, "holds": one.holds(query.alpha)}

    settings = {name: getattr(query, name) for name in ("seeds", "features", "permutations", "alpha", "seed")}
    rows = [row(one) for one in found]
    above = sum(row[name]["above"] for row in rows for name in ("any_q", "any_fwer", "p"))
    intervals = 3 * len(rows)
    body = {**settings, "rows": rows, "intervals": intervals, "above": above, "above_by_chance": intervals * 0.025}
    return Outcome(body, figures=[_figure(rows, query.alpha)])


def _figure(rows: list[dict[str, Any]], alpha: float) -> Figure:
    return Figure(
        kind="table",
        title="False-positive rates on simulated nulls, with 95 % intervals",
        note=f"promised: {alpha:g}",
        data={
            "columns": ["test", "null", "any q", "low", "high", "any fwer", "low", "high", "p", "low", "high"],
            "rows": [
                [row["test"], row["scenario"]]
                + [row[kind][end] for kind in ("any_q", "any_fwer", "p") for end in ("rate", "low", "high")]
                for row in rows
            ],
        },
    )
