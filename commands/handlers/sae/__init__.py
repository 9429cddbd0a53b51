"""Carries out `sae.*`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commands.handlers.sae.earlier import earlier
from commands.handlers.sae.gate import check, gate
from commands.handlers.sae.training import sweep, train
from commands.sae import SaeLoad
from workbench.lab import Lab
from workbench.verbs import Outcome

if TYPE_CHECKING:
    from workbench.saes.space import FeatureSpace

__all__ = ["check", "chosen", "load", "sweep", "train"]


def load(command: SaeLoad, lab: Lab) -> Outcome:
    """Load the SAE once to know that it fits the model; the session keeps its reference and digest."""
    lab.tick(0, 1, "loading the SAE")
    model = lab.model
    space = lab.models.space({"ref": command.ref, "site": command.site, "digest": ""}, model)
    warnings = []
    if command.site and not space.info["site_given"] and command.site != space.info["site"]:
        warnings.append(f"--site is for SAEs that do not say theirs; this one reads {space.info['site']}")
    checked = gate(lab, space, command.tokens)
    return Outcome(
        {**space.info, **checked["result"]},
        figures=checked["figures"],
        sets={**chosen(space, lab), **checked["sets"]},
        warnings=warnings + checked["warnings"],
        provenance=checked["provenance"],
    )


def chosen(space: FeatureSpace, lab: Lab) -> dict[str, Any]:
    """The state entries that make a feature space the session's own, with the index that it had of these features."""
    entry = {key: space.info[key] for key in ("ref", "name", "digest", "site", "width", "architecture", "units")}
    if listed := space.info.get("neuronpedia"):
        entry["neuronpedia"] = listed
    before = earlier(lab, entry["name"])
    same = before is not None and before[0]["digest"] == entry["digest"]
    return {"sae": entry, "index": before[1] if before is not None and same else None}
