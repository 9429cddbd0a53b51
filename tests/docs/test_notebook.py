"""The code of docs/notebook.md is carried out in its order, and gives what the commands give."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands.handlers import handler_of
from commands.shell.execute import Executor
from workbench.run import Runner
from workbench.uploads import read_uploads

PAGE = (Path(__file__).parents[2] / "docs" / "notebook.md").read_text("utf-8")
pytestmark = pytest.mark.slow


def test_the_pages_code_does_what_it_says(
    sessions: Path, model_cache: Any, one_thread: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = Runner(handler_of, sessions, "a test", model_cache)
    monkeypatch.setenv("WORKBENCH_SESSIONS", str(sessions))
    monkeypatch.setattr(
        Executor, "do", lambda self, verb: runner.do(verb, self.session_name(verb), files=read_uploads(verb))
    )  # in this process: the engine's own tests are elsewhere
    found: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(block, found)
    rows = found["rows"]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    assert 459 in [row["index"] for row in rows]
    for row in rows:
        assert found["again"].t[row["index"]] == pytest.approx(row["score"], rel=1e-4)
    assert found["latents"].shape == (len(found["text"].ids), 512)
    assert found["strongest"].values.shape[1] == 3
    plain = found["model"].logits(found["text"].ids)
    assert not np.allclose(found["logits"].detach().numpy(), plain.detach().numpy(), atol=1e-2)
