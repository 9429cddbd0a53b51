"""Carries out `sae.*`."""

from __future__ import annotations

from commands.handlers.sae_training import sweep, train
from commands.sae import SaeLoad
from workbench.lab import Lab
from workbench.verbs import Outcome

__all__ = ["load", "sweep", "train"]


def load(command: SaeLoad, lab: Lab) -> Outcome:
    """Load the SAE once to know that it fits the model; the session keeps its reference and digest."""
    lab.tick(0, 1, "loading the SAE")
    model = lab.model
    space = lab.models.space({"ref": command.ref, "site": command.site, "digest": ""}, model)
    warnings = []
    if command.site and space.info["units"] == "latents" and command.site != space.info["site"]:
        warnings.append(f"--site is for raw units; this SAE reads {space.info['site']}")
    entry = {key: space.info[key] for key in ("ref", "name", "digest", "site", "width", "architecture", "units")}
    return Outcome(dict(space.info), sets={"sae": entry, "index": None}, warnings=warnings)
