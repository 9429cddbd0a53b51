"""Records what the real engine answers on the demo session, for the screens' tests.

Run `python -m tests.transcripts.record_demo`.

Carried out in this process; the numbers are those of the embedded model. `engine.jobs` is about the broker
and written by hand here, in the shape of docs/wire.md.
"""

from __future__ import annotations

import asyncio
import json
import math
import tempfile
from pathlib import Path
from typing import Any

from commands.handlers import handler_of
from commands.line import parse_line
from workbench.engine.fake import Recorder
from workbench.run import Runner
from workbench.verbs import Verb

HERE = Path(__file__).parent
SESSION = "demo"

SETUP = (
    "session.new demo title='The demo'",
    "model.load demo",
    "sae.load demo",
    "features.contrast achievement",
    "index.build demo tokens=20000 examples=6",
    "labels.suggest",
    "labels.score each=4",
    "clusters.find",
    "clusters.rank points=200 bins=5 draws=2 tested=1",
)
QUERIES = (
    "session.list",
    "session.show tail=500",
    "stimuli.list",
    "stimuli.show achievement",
    "stimuli.show months",
    "stimuli.show null",
    "stimuli.show two-by-two",
    "stimuli.show weekdays",
    "stimuli.check achievement",
    "stimuli.check months",
    "stimuli.check null",
    "stimuli.check two-by-two",
    "stimuli.check weekdays",
    "features.list limit=100",
    "features.list limit=100 offset=100",
    "features.list limit=100 direction=positive",
    "features.list limit=100 direction=negative",
    "features.list limit=100 sort=effect",
    "features.list limit=100 filter=nosuchlabel",
    "clusters.list limit=100",
    "clusters.list limit=100 sort=cosine",
    "clusters.list limit=100 sort=irreducibility",
    "clusters.list limit=100 sort=label",
    "clusters.show 0",
    "clusters.planes 0",
    "labels.show",
    "labels.show filter=nosuchlabel",
    "index.info",
    "features.activate 'The team won the race.'",
    "features.diff 'The team won the race.' 'The team lost the race.'",
)
POINTS = 3
"""Points of a cluster whose contexts are recorded."""
SHOWN = 3
"""Features of the head of the ranking whose pages are recorded."""


class InProcess:
    """The real handlers behind the interface that the screens use."""

    on_event = None
    state = "connected"

    def __init__(self, sessions: Path) -> None:
        self.runner = Runner(handler_of, sessions)

    async def request(
        self, verb: Verb, *, session: str | None, progress: Any = None, detach: bool = False, fresh: bool = False
    ) -> dict[str, Any]:
        wanted = None if verb.dotted == "session.new" else session
        return self.runner.do(verb, wanted, progress=progress, fresh=fresh)

    async def watch(self, session: str | None) -> None: ...

    async def save_view(self, session: str, view: dict[str, Any]) -> None: ...

    async def close(self) -> None: ...


async def record(sessions: Path, setup: tuple[str, ...] = SETUP) -> list[dict[str, Any]]:
    """Set the session up, ask everything the screens ask, and give the exchanges."""
    recorder = Recorder(InProcess(sessions))
    for line in setup:
        await recorder.request(parse_line(line), session=SESSION)
    ranking = recorder.exchanges[3]["reply"]["result"]["rows"]
    top = ranking[0]["feature"]
    await recorder.request(parse_line(f"labels.set '{top}' 'things that went well'"), session=SESSION)
    for row in ranking[:SHOWN]:
        await recorder.request(parse_line(f"features.show '{row['feature']}'"), session=SESSION)
    await recorder.request(parse_line(f"features.neighbours '{top}'"), session=SESSION)
    await recorder.request(parse_line(f"features.why '{top}'"), session=SESSION)
    await recorder.request(parse_line(f"steer.clamp '{top}' stimuli=achievement strength=1"), session=SESSION)
    for line in QUERIES:
        await recorder.request(parse_line(line), session=SESSION)
    await walked(recorder)
    return [portable(exchange, sessions) for exchange in recorder.exchanges] + [jobs()]


async def walked(recorder: Recorder) -> None:
    """The first points of the cluster's planes, in the order in which the keys walk them, and the page written."""
    planes = next(one["reply"]["result"] for one in recorder.exchanges if one["do"] == "clusters.planes")
    angle = [math.atan2(row[1], row[0]) for row in planes["scores"]]
    order = sorted(range(len(angle)), key=lambda at: (angle[at], at))
    for step in range(POINTS):
        place = planes["places"][order[(order.index(0) + step) % len(order)]]
        await recorder.request(parse_line(f"clusters.point 0 {place}"), session=SESSION)
    await recorder.request(parse_line("clusters.export 0"), session=SESSION)


def portable(exchange: dict[str, Any], sessions: Path) -> dict[str, Any]:
    """The exchange without this machine's folders."""
    text = json.dumps(exchange, ensure_ascii=False).replace(str(sessions), "/home/ada/sessions")
    found: dict[str, Any] = json.loads(text)
    return found


def jobs() -> dict[str, Any]:
    """A reply to `engine.jobs` with one job of each kind."""
    plain = {"session": "demo", "detached": False, "error": None, "text": "", "done": 0, "total": 0}
    reply = {
        "jobs": [
            {**plain, "job": "j3", "do": "index.build", "line": "index.build tokens=2000000", "state": "running",
             "done": 420, "total": 1000, "text": "batch 420", "seconds": 65.2, "detached": True},
            {**plain, "job": "j4", "do": "features.contrast", "line": "features.contrast months", "state": "waiting",
             "seconds": 1.0},
            {**plain, "job": "j2", "do": "index.build", "line": "index.build", "state": "failed", "seconds": 2.0,
             "error": {"kind": "engine_died", "message": "the model process ended", "hint": "Repeat."}},
            {**plain, "job": "j1", "do": "index.build", "line": "index.build", "state": "done", "done": 100,
             "total": 100, "seconds": 12.5},
        ]
    }  # fmt: skip
    body = {"command": "engine.jobs", "params": {}, "result": reply, "figures": [], "artifact": None}
    body |= {"seconds": 0.001, "provenance": {}, "warnings": [], "session": None}
    return {"do": "engine.jobs", "params": {}, "session": None, "reply": body, "progress": []}


def main() -> None:
    """Write demo.json beside this file, one exchange a line."""
    with tempfile.TemporaryDirectory() as folder:
        exchanges = asyncio.run(record(Path(folder)))
    lines = ",\n".join(json.dumps(exchange, ensure_ascii=False) for exchange in exchanges)
    (HERE / "demo.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
