"""Kill the engine at random moments, many times, and check that nothing that was announced is ever lost.

Each round sends short and long commands to one session and kills, with SIGKILL, the broker or the model
process after a random delay. Afterwards every reply that a front end got must stand in the log with its
artifact's digest, and the next command must work.

    python benchmarks/kills.py [--rounds 100] [--seed 0] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.digests import folder_digest
from workbench.engine.client import Client
from workbench.errors import EngineDied, EngineUnreachable, WorkbenchError
from workbench.session import SessionRecord, catalog
from workbench.verbs import Verb

MakeVerb = Callable[[random.Random], Verb]


@dataclass
class Campaign:
    """Rounds of work and kills on one session.

    Args:
        broker_module: starts the engine.
        status: the verb that says which processes there are.
        verbs: make the commands of a round.
        sessions: the folder of sessions.
        name: the session.
    """

    broker_module: str
    status: Verb
    verbs: Sequence[MakeVerb]
    sessions: Path
    name: str = "killed"
    acknowledged: dict[int, tuple[str, str]] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=lambda: {"broker": 0, "child": 0})
    interrupted: int = 0
    recoveries: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def round(self, generator: random.Random, span: float) -> None:
        """Work until a process is killed, then check that work goes on and that nothing is lost."""
        who = generator.choice(["broker", "child"])
        with self._client() as client:
            self._do(client, generator)
            status = client.request(self.status)["result"]
            pid = status["child"]["pid"] if who == "child" and status["child"] else status["pid"]
            self.kills["child" if pid != status["pid"] else "broker"] += 1
            killer = threading.Timer(generator.uniform(0, span), os.kill, (pid, signal.SIGKILL))
            killer.start()
            self._work_until_killed(client, generator, killer)
            killer.join()
        self._recover(generator)
        self._check()

    def _client(self) -> Client:
        return Client(self.broker_module)

    def _do(self, client: Client, generator: random.Random) -> None:
        verb = generator.choice(self.verbs)(generator)
        reply = client.request(verb, session=self.name, sessions=self.sessions)
        self.acknowledged[reply["seq"]] = (reply["command"], reply["artifact"])

    def _work_until_killed(self, client: Client, generator: random.Random, killer: threading.Timer) -> None:
        while True:
            last = not killer.is_alive()
            try:
                self._do(client, generator)
            except (EngineDied, EngineUnreachable):
                self.interrupted += 1
                return
            except WorkbenchError as error:
                self.faults.append(f"a kill looked like {error.kind}: {error}")
                return
            if last:
                return

    def _recover(self, generator: random.Random) -> None:
        started = time.perf_counter()
        try:
            with self._client() as client:
                self._do(client, generator)
        except WorkbenchError as error:
            self.faults.append(f"the command after a kill failed: {error.kind}: {error}")
        self.recoveries.append(time.perf_counter() - started)

    def _check(self) -> None:
        record = SessionRecord(self.sessions / self.name)
        lines = {line.seq: line for line in record.lines}
        for seq, (verb, artifact) in self.acknowledged.items():
            line = lines.get(seq)
            if line is None or (line.do, line.artifact) != (verb, artifact):
                self.faults.append(f"line {seq} ({verb}) was announced and is not in the log")
            elif folder_digest(record.artifact_path(line)) != line.digest:
                self.faults.append(f"the artifact of line {seq} is not what was logged")

    def end(self) -> None:
        """Kill what is left."""
        try:
            with Client(None) as client:
                os.kill(client.engine["pid"], signal.SIGKILL)
        except EngineUnreachable:
            return


def run(campaign: Campaign, rounds: int, seed: int, span: float) -> dict[str, Any]:
    """Carry a campaign out; gives the table and its bars."""
    generator = random.Random(seed)
    catalog.create(campaign.name, campaign.sessions)
    started = time.perf_counter()
    try:
        for _ in range(rounds):
            campaign.round(generator, span)
    finally:
        campaign.end()
    recoveries = sorted(campaign.recoveries)
    row = {
        "rounds": rounds,
        "seed": seed,
        "kills": campaign.kills,
        "commands_interrupted": campaign.interrupted,
        "replies_checked": len(campaign.acknowledged),
        "recovery_median_s": round(recoveries[len(recoveries) // 2], 3),
        "recovery_max_s": round(recoveries[-1], 3),
        "seconds": round(time.perf_counter() - started, 1),
    }
    faults = len(campaign.faults)
    bar = {"name": "results lost or commands failed after a kill", "value": faults, "limit": 0, "holds": faults == 0}
    return {"rows": [row], "bars": [bar], "faults": campaign.faults[:20]}


def workbench_campaign(sessions: Path) -> Campaign:
    """A campaign of the workbench's own commands on the embedded model."""
    from commands.engine import EngineStatus
    from commands.model import ModelLoad
    from commands.session import SessionNote

    return Campaign(
        "commands.broker_main",
        EngineStatus(),
        [
            lambda generator: SessionNote(text=f"note {generator.random()}"),
            lambda generator: ModelLoad(ref="demo", dtype=generator.choice(["float32", "bfloat16"])),
        ],
        sessions,
    )


def main() -> int:
    """Run the campaign in folders of its own and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--span", type=float, default=1.5, help="longest delay before a kill, seconds")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="wb-"))
    os.environ["WORKBENCH_HOME"], os.environ["WORKBENCH_RUNTIME"] = str(root / "home"), str(root / "run")
    try:
        report = run(workbench_campaign(root), options.rounds, options.seed, options.span)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    report = {"machine": platform.platform(), "date": datetime.now(UTC).strftime("%Y-%m-%d"), **report}
    if options.json:
        print(json.dumps(report))
    else:
        for name, value in report["rows"][0].items():
            print(f"{name:22} {value}")
        for bar in report["bars"]:
            print(f"{'holds' if bar['holds'] else 'FAILS'}: {bar['name']}: {bar['value']} (limit {bar['limit']})")
        for fault in report["faults"]:
            print(f"  {fault}")
    return 0 if all(bar["holds"] for bar in report["bars"]) else 1


if __name__ == "__main__":
    sys.exit(main())
