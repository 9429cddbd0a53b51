"""Records what the real engine answers about quanta of the demo, for the tests of the Quanta screen.

Run `python -m tests.transcripts.record_quanta`. A transcript of its own: it needs neither SAE nor index.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

from commands.line import parse_line
from tests.transcripts.record_demo import SESSION, InProcess, jobs, portable
from workbench.engine.fake import Recorder
from workbench.errors import UsageError

HERE = Path(__file__).parent
LINES = (
    "session.new demo title='Quanta of the demo'",
    "model.load demo",
    "quanta.counts",  # no losses yet: an error, recorded too
    "quanta.losses demo tokens=12000",
    "quanta.list limit=500",
    "quanta.counts",
    "quanta.counts threshold=0.2",
    "quanta.counts threshold=0.2 filter=present-bigram",
    "quanta.counts threshold=0.2 filter=present-bigram skip=2",
    "quanta.select n=90 skip=20",
    "quanta.similarity mode=factored rank=4 pairs=20",
    "quanta.cluster n_clusters=6 sweep=3 sweep=12 seeds=1",
    "quanta.label 1 'things that stop'",
    "session.list",
    "session.show tail=500",
    "quanta.list limit=500",
    "quanta.list limit=500 sort=cohesion",
    "quanta.list limit=500 filter=stop",
    *(f"quanta.show {cluster} limit=40" for cluster in range(6)),
    "quanta.show 1 limit=40 before=100",
)


async def record(sessions: Path) -> list[dict[str, Any]]:
    """Take losses, samples, similarities and clusters, and ask everything that the screen asks."""
    recorder = Recorder(InProcess(sessions))
    for line in LINES:
        with contextlib.suppress(UsageError):  # recorded as what it is
            await recorder.request(parse_line(line), session=SESSION)
    return [portable(exchange, sessions) for exchange in recorder.exchanges] + [jobs()]


def main() -> None:
    """Write quanta.json beside this file, one exchange a line."""
    with tempfile.TemporaryDirectory() as folder:
        exchanges = asyncio.run(record(Path(folder)))
    lines = ",\n".join(json.dumps(exchange, ensure_ascii=False) for exchange in exchanges)
    (HERE / "quanta.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
