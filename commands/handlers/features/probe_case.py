"""The case of one unit: what it does in each class, how well it alone decodes, and what is lost without it."""

from __future__ import annotations

from typing import Any

import numpy as np

from commands.features import FeaturesProbe
from commands.handlers.features.probe_data import ProbeData
from workbench.features.rankings import plain
from workbench.lab import Lab
from workbench.saes.ids import feature_id

CONTROLS = 5


def case_study(command: FeaturesProbe, data: ProbeData, unit: int, lab: Lab) -> dict[str, Any]:
    """Everything about one unit; `case` of `features.probe` in docs/wire.md."""
    values = data.x[:, unit].astype(np.float64)
    case: dict[str, Any] = {
        "feature": feature_id(data.space.name, unit),
        "index": unit,
        "selected": "by hand" if command.unit is not None else "on all items: its held-out numbers are optimistic",
        "classes": [
            _class(name, values[side]) for name, side in ((data.positive, data.labels), (data.against, ~data.labels))
        ],
    }
    case |= _alone(command, data, values)
    reason = _no_ablation(data, lab)
    return {**case, "ablation": None if reason else _ablation(command, data, unit, lab), "ablation_reason": reason}


def _class(name: str, values: np.ndarray) -> dict[str, Any]:
    quantiles = np.quantile(values, [0.0, 0.25, 0.5, 0.75, 1.0])
    return {
        "class": name,
        "n": len(values),
        "mean": float(values.mean()),
        "firing": float((values > 0).mean()),
        "quantiles": [float(value) for value in quantiles],
    }


def _alone(command: FeaturesProbe, data: ProbeData, values: np.ndarray) -> dict[str, Any]:
    """Held-out metrics of a decoder on this unit, and what precision and recall say of it."""
    from workbench.stats import binary_metrics
    from workbench.stats.decode import nested

    column = values[:, None]
    if not np.ptp(values):
        return {"metrics": None, "reading": "the unit does not vary on these items"}
    found = nested(
        column,
        data.labels,
        lambda _x, _y, _repeat: np.array([0]),
        groups=data.groups,
        folds=command.folds,
        seed=command.seed,
    )
    metrics = binary_metrics(data.labels, found.scores[0], groups=data.groups, seed=command.seed)
    told = {name: [plain(item.value), *(plain(end) for end in item.interval)] for name, item in metrics.items()}
    return {"metrics": told, "reading": _reading(metrics["precision"].value, metrics["recall"].value)}


def _reading(precision: float, recall: float) -> str:
    if np.isnan(precision):
        return "nothing is called positive: the unit does not decode the label"
    if precision > recall + 0.15:
        return "precise but not complete: the unit may be more specific than the label"
    if recall > precision + 0.15:
        return "complete but not precise: the unit may be more general than the label, or of several meanings"
    return "precision and recall are alike"


def _no_ablation(data: ProbeData, lab: Lab) -> str | None:
    """Why the unit cannot be silenced here, or None."""
    if data.kind != "sentences":
        return "losses by class are of whole sentences: give a stimulus set"
    if not lab.model.info.get("causal", True):
        return f"{lab.model.name} is an encoder: it predicts no next token, so that there is no loss to compare"
    if getattr(data.space, "writes", data.space.site) != data.space.site:
        return "the features are read and written at different sites"
    return None


def _ablation(command: FeaturesProbe, data: ProbeData, unit: int, lab: Lab) -> dict[str, Any]:
    """Rise of the next-token loss by class when the unit is zero on every token, beside random units that fire."""
    from workbench.models.ablation import ablation_losses

    alive = np.flatnonzero((data.x != 0).any(0) & (np.arange(data.x.shape[1]) != unit))
    rng = np.random.default_rng(command.seed)
    controls = [int(index) for index in rng.choice(alive, min(CONTROLS, alive.size), replace=False)]
    losses = ablation_losses(lab.model, data.space, data.texts, [unit, *controls], lab.tick)  # (texts, 1 + units)
    classes = []
    for name, side in ((data.positive, data.labels), (data.against, ~data.labels)):
        summed = losses[side].sum(0)
        rise = 100 * (summed[1:] - summed[0]) / summed[0]
        worse = losses[side, 1] - losses[side, 0]
        classes.append(
            {
                "class": name,
                "loss": float(summed[0]),
                "increase_percent": float(rise[0]),
                "interval": _bootstrap(losses[side, 0], worse, command.seed),
                "control_percent": [float(value) for value in rise[1:]],
            }
        )
    return {"controls": controls, "classes": classes}


def _bootstrap(before: np.ndarray, worse: np.ndarray, seed: int) -> list[float]:
    """95 % percentile interval of the rise in per cent, over sentences."""
    rows = np.random.default_rng(seed).integers(0, len(before), (1000, len(before)))
    drawn = 100 * worse[rows].sum(1) / before[rows].sum(1)
    return [float(end) for end in np.quantile(drawn, [0.025, 0.975])]
