"""Records what the real engine answers about probes, comparisons, replications, RSA over sets and 2x2 rankings.

Run `python -m tests.transcripts.record_selection`. The commands are small: their numbers are those of the embedded
model, on few permutations, folds and sentences.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from commands.line import parse_line
from tests.transcripts.record_demo import HERE, SESSION, InProcess, jobs, portable
from workbench.engine.fake import Recorder

SETUP = (
    "session.new demo title='Selection'",
    "model.load demo",
    "sae.load demo",
    "features.contrast achievement permutations=200 top=5 map=position shown=3",
    "features.contrast two-by-two design=factorial permutations=200 top=5",
    "features.rsa achievement over=layer permutations=100",
    "features.probe achievement most=4 exact=2 prefilter=10 permutations=200 top=3 "
    'sweep=\'["mean_difference","random"]\'',
    'features.compare achievement methods=\'["contrast","random"]\' repeats=2 shuffles=3 sentences=300 windows=2',
    "features.replicate ranking=3 seed=3 top=4",
    "clusters.find",
)
CONTRAST, FACTORIAL, RSA, PROBE, COMPARE, REPLICATE, CLUSTERS = range(3, 10)
"""Log lines of the commands: `session.new` has none."""
QUERIES = (
    "session.list",
    "session.show tail=500",
    "stimuli.list",
    *(f"session.result {line}" for line in (CONTRAST, RSA, PROBE, COMPARE, REPLICATE, CLUSTERS)),
    f"features.map ranking={CONTRAST}",
    "clusters.list limit=100",
    "clusters.show 0",
)
RANKINGS = (
    "features.list limit=100",
    f"features.list limit=100 ranking={FACTORIAL}",
    f"features.list limit=100 ranking={FACTORIAL} effect=outcome",
    f"features.list limit=100 ranking={FACTORIAL} effect=topic",
    f"features.list limit=100 ranking={FACTORIAL} effect='outcome x topic'",
)
KEPT = 8
"""Rows that are kept of each page of a ranking: a page of a hundred has nothing more to show."""


async def record(sessions: Path) -> list[dict[str, Any]]:
    """Set the session up, ask what the screens ask, and give the exchanges."""
    recorder = Recorder(InProcess(sessions))
    for line in SETUP:
        await recorder.request(parse_line(line), session=SESSION)
    for line in (*QUERIES, *RANKINGS):
        await recorder.request(parse_line(line), session=SESSION)
    held = recorder.exchanges[8]["reply"]["result"]["rows"][0]["feature"]
    await recorder.request(parse_line(f"features.why '{held}' ranking={CONTRAST}"), session=SESSION)
    main = next(one for one in reversed(recorder.exchanges) if one["params"].get("effect") == "outcome")
    first = main["reply"]["result"]["rows"][0]["feature"]
    await recorder.request(parse_line(f"features.why '{first}' ranking={FACTORIAL} effect=outcome"), session=SESSION)
    await recorder.request(parse_line(f"features.show '{first}' ranking={FACTORIAL} effect=outcome"), session=SESSION)
    return [portable(_short(exchange), sessions) for exchange in recorder.exchanges] + [jobs()]


def _short(exchange: dict[str, Any]) -> dict[str, Any]:
    """The exchange without what no screen test looks at."""
    result = exchange["reply"]["result"]
    if exchange["do"] == "features.list":
        result["rows"] = result["rows"][:KEPT]
        result["total"] = len(result["rows"])
    if exchange["do"] == "features.show":
        result["stimuli"]["lines"] = result["stimuli"]["lines"][:3]
    return exchange


def main() -> None:
    """Write selection.json beside this file, one exchange a line."""
    with tempfile.TemporaryDirectory() as folder:
        exchanges = asyncio.run(record(Path(folder)))
    lines = ",\n".join(json.dumps(exchange, ensure_ascii=False) for exchange in exchanges)
    (HERE / "selection.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
