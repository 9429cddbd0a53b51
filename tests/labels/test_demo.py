"""On the demo, labels of planted features score above another feature's label, and labels of null features do not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands.handlers import handler_of
from commands.line import parse_line
from workbench import demo
from workbench.index.read import FeatureIndex, open_index
from workbench.labels import offline
from workbench.labels.drawing import Draw
from workbench.labels.null import NullIndex
from workbench.labels.offline_scorer import OfflineScorer
from workbench.labels.scoring import Job, WordScorer, prepare, score
from workbench.run import Runner
from workbench.session.record import SessionRecord

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
CONCEPTS = json.loads((demo.HERE / "manifest.json").read_text())["measured"]["concepts"]
NAMES = {
    "weekday": {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"},
    "month": {"months", "June", "August", "September", "October", "November", "is october"},
    "achievement": {"won", "celebrated", "victory", "a victory", "proud", "success"},
    "failure": {"lost", "regretted", "wept", "ashamed", "cried", "failed"},
    "food": {"bowl", "cup", "sweet", "tea", "ate", "bread"},
    "counting": {"Count", "numbers", "fourteen", "fifteen"},
    "quote": {'"'},
    "code": {"=", "[", "if", ";"},
    "repeated": {"Again", "before", "As", "came"},
    "place": {"road", "leads", "near", "harbour", "church"},
}


class Work:
    """A session on the demo, with an index."""

    def __init__(self, home: Path, sessions: Path) -> None:
        self._runner, self._home, self._sessions = Runner(handler_of, sessions, "a test"), home, sessions
        self._runner.do(parse_line("session.new job"), None)
        for line in ("model.load demo", "sae.load demo", "index.build tokens=200000"):
            self.do(line)

    def do(self, line: str) -> dict[str, Any]:
        result: dict[str, Any] = self._runner.do(parse_line(line), "job")["result"]
        return result

    def index(self) -> FeatureIndex:
        found = open_index(self._home, SessionRecord(self._sessions / "job").state.entries["index"].value)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        patch.setenv("WORKBENCH_HOME", str(home))
        yield Work(home, tmp_path_factory.mktemp("sessions"))


def test_labels_of_planted_features_name_their_concept(work: Work) -> None:
    rows = work.do("labels.suggest " + " ".join(str(one["latent"]) for one in CONCEPTS.values()))["labels"]
    for (concept, _), row in zip(CONCEPTS.items(), rows, strict=True):
        named = set(row["text"].split(" · "))
        assert named & NAMES[concept], f"{concept}: {row['text']}"
        assert not named & {"the", "and", "of", "a", "was", "felt", "."}, f"{concept}: {row['text']}"


def test_planted_features_score_above_another_features_label(work: Work) -> None:
    scores = work.do("labels.score")["scores"]
    assert len(scores) == len(CONCEPTS)
    for row in scores:
        assert row["margin"]["low"] > 0, row
        assert row["accuracy"]["low"] > row["other"]["accuracy"]["value"], row
        assert 0.35 < row["random"]["accuracy"]["value"] < 0.65, row


def test_null_features_do_not(work: Work) -> None:
    """A fair test says yes to one null in forty; of ten, three would be a fault of the method."""
    index = work.index()
    draw = Draw(NullIndex(index, seed=5))
    scorer = WordScorer(OfflineScorer(draw.reference()))
    jobs = []
    for number in np.flatnonzero(index.summary["fired"] > 500)[:10].tolist():
        found = offline.suggest(draw.explain(number, offline.TOP, offline.EACH))
        text = "days · Monday" if found is None else found.text
        jobs.append(Job(number, text, "label", "detection", "random", (-1, "bowl · cup")))
    rows = score([prepare(job, draw, 20) for job in jobs], scorer)
    assert all(row["status"] == "scored" for row in rows)
    assert sum(row["margin"]["low"] > 0 for row in rows) <= 2
    assert np.mean([row["accuracy"]["value"] for row in rows]) == pytest.approx(0.5, abs=0.04)
