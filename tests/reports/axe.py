"""axe-core, which looks a page over for what keeps people from reading it; fetched by npm, run in the browser."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.reports.chromium import Chromium

HERE = Path(__file__).parents[2] / ".tools" / "node_modules" / "axe-core" / "axe.min.js"
FETCH = "npm install --prefix .tools --no-save axe-core"
SEVERE = ("serious", "critical")


def axe_source() -> str:
    """The script; a test without it is skipped, or fails where nothing may be missing."""
    if HERE.exists():
        return HERE.read_text("utf-8")
    message = f"axe-core is not here ({FETCH})"
    if os.environ.get("WORKBENCH_REQUIRE_ALL") == "1":
        pytest.fail(message)
    pytest.skip(message)


def violations(browser: Chromium, source: str) -> list[dict[str, Any]]:
    """What axe-core finds on the open page: rule, how bad, and where."""
    browser.evaluate(f"{source};0")
    run = "axe.run(document, {resultTypes: ['violations']}).then(found => JSON.stringify(found.violations))"
    found = json.loads(browser.evaluate(run))
    return [
        {"rule": one["id"], "impact": one["impact"], "where": [node["html"][:200] for node in one["nodes"][:3]]}
        for one in found
    ]
