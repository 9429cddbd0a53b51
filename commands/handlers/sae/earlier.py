"""Features that a session had loaded before it loaded others, with the index it had of them."""

from __future__ import annotations

from typing import Any

from workbench.lab import Lab


def earlier(lab: Lab, name: str) -> tuple[dict[str, Any], dict[str, Any] | None] | None:
    """The state entries of the features of that name and of their index, as the session last had them.

    Only what was loaded with the model that is loaded now counts: another model of the same name has other features.
    """
    if not lab.has_session:
        return None
    model = lab.entry("model") or {}
    now: dict[str, Any] = {}
    found: tuple[dict[str, Any], dict[str, Any] | None] | None = None
    for line in lab.record.lines:
        if line.outcome == "ok" and line.seq not in lab.state.withdrawn:
            now |= {entry: value for entry, value in line.sets.items() if entry in ("model", "sae", "index")}
            same_model = (now.get("model") or {}).get("digest") == model.get("digest")
            if same_model and (now.get("sae") or {}).get("name") == name:
                found = now["sae"], now.get("index")
    return found
