"""Carries out `labels.import`."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from commands.handlers.features.marking import loaded_space
from commands.labels import LabelsImport
from workbench.digests import file_digest
from workbench.errors import InputFileError, MismatchError
from workbench.lab import Lab
from workbench.labels.published import Explanation, bound_to, read_explanations
from workbench.saes.ids import feature_id
from workbench.verbs import Outcome

_UPLOADED = re.compile(r"^[0-9a-f]{12}-")
FIRST = 10


def import_(command: LabelsImport, lab: Lab) -> Outcome:
    """Keep the explanations of a file that are of the loaded features."""
    space = loaded_space(lab)
    path = lab.record.path / command.file
    name = _UPLOADED.sub("", Path(command.file).name)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputFileError(f"{name} cannot be read ({error.strerror})", "Import the file again.") from error
    every = read_explanations(content, name)
    ours, bound, warnings = _ours(every, space, name, command.unbound)
    kept = [one for one in ours if one.text and one.index < int(space["width"])]
    beyond = sum(one.index >= int(space["width"]) for one in ours)
    if not kept:
        raise MismatchError(
            f"{name} explains no feature of {space['name']}, which has {space['width']}",
            "Load the SAE that the file is of: `workbench sae load`.",
        )
    if beyond:
        warnings.append(f"{beyond} of {len(ours)} are of numbers that this SAE does not have: left out")
    kept.sort(key=lambda one: one.index)  # those of one feature stay in the order of the file
    lab.save_json("explanations", [[one.index, one.text, one.by, one.method] for one in kept])
    digest = file_digest(path)
    features = {one.index for one in kept}
    body = {
        "file": name,
        "read": len(kept),
        "features": len(features),
        "beyond": beyond,
        "empty": sum(not one.text for one in ours),
        "bound": bound,
        "named": {"model": kept[0].model, "layer": kept[0].layer},
        "by": dict(Counter(one.by for one in kept).most_common(20)),
        "first": [
            {"feature": feature_id(space["name"], one.index), "index": one.index, "text": one.text}
            for one in kept[:FIRST]
        ],
    }
    value = {"space": space["name"], "file": name, "digest": digest, "features": len(features), "bound": bound}
    entry = f"explanations/{space['name']}#{digest.removeprefix('sha256:')[:12]}"
    return Outcome(body, sets={entry: value}, warnings=warnings, provenance={"file": {"ref": name, "digest": digest}})


def _ours(
    every: list[Explanation], space: dict[str, Any], name: str, unbound: bool
) -> tuple[list[Explanation], str, list[str]]:
    """The explanations of the loaded features, what binds them, and what has to be said of that.

    Raises:
        MismatchError: the file names other features only.
    """
    listed = str(space.get("neuronpedia", ""))
    bounds = [bound_to(one, space["name"], space["site"], listed) for one in every]
    named = sorted({f"{one.model}/{one.layer}".strip("/") for one in every if one.layer})
    if not any(bounds):
        if not unbound:
            raise MismatchError(
                f"{name} is of {', '.join(named[:3])}, the loaded features are {listed or space['name']}",
                "Load that SAE, or take them all the same with --unbound.",
            )
        return every, "no", [f"taken as they are: the file is of {', '.join(named[:3])}, not of {space['name']}"]
    best = next(bound for bound in ("sae", "layer", "no") if bound in bounds)
    ours = [one for one, bound in zip(every, bounds, strict=True) if bound == best]
    warnings = []
    if left := len(every) - len(ours):
        warnings.append(f"{left} of {len(every)} explanations are of other features than the loaded ones: left out")
    if best == "layer":
        warnings.append(
            f"the file is of {named[0]}; only the layer could be compared, since this SAE's files name no id"
        )
    elif best == "no":
        warnings.append("the file names no layer or SAE: that its numbers are of the loaded features is taken on trust")
    return ours, best, warnings
