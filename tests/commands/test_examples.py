"""The scripts that the shipped sessions are made by."""

from __future__ import annotations

import pytest

from commands.examples import TITLES, _parsed
from workbench import demo


@pytest.mark.parametrize("name", TITLES)
def test_each_line_of_an_examples_script_is_read_alone_with_what_is_known_by_then(name: str) -> None:
    lines = (demo.HERE / "examples" / f"{name}.script").read_text("utf-8").splitlines()
    known = {"TOP": "demo/blocks.1.hook_resid_post/sae#1", "BOTTOM": "demo/blocks.1.hook_resid_post/sae#2"}
    verbs = [verb.dotted for line in lines for verb in _parsed(line, known)]
    assert verbs[:2] == ["model.load", "sae.load"]
    assert "features.contrast" in verbs
