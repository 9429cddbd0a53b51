"""Kill the app, the engine and its model process at random moments, many times: nothing that was announced is lost.

Each round works in a session and kills, with SIGKILL, one of: the broker or the model process after a random delay; the
front end after one; the broker in the middle of its n-th write to the disk, half a log line included. Afterwards every
reply that a front end got must stand in the log with its artifact's digest, no line may be there without its whole
result, and the next command must work.

    python benchmarks/kills.py [--rounds 1000] [--real 30] [--seed 0] [--json] [--checkpoint FOLDER]

`--rounds` are of toy commands, whose model process loads no torch; `--real` are of the workbench's own on the embedded
model. Every round has a seed of its own. With `--checkpoint` a run that was interrupted goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.report import bar_lines, stamp, tell
from workbench.digests import folder_digest
from workbench.engine.client import Client
from workbench.engine.spawn import python_command, python_environment
from workbench.errors import EngineDied, EngineUnreachable, WorkbenchError
from workbench.files import write_atomic
from workbench.session import SessionRecord, catalog
from workbench.verbs import Verb

ROOT = Path(__file__).resolve().parents[1]
MakeVerb = Callable[[random.Random], Verb]
SESSION_ROUNDS = 25
"""Rounds of one session: reading the log of a thousand would be most of the work."""
POINTS = 40
"""Steps of writing among which the one to die at is drawn: those of about five commands."""
MOST_COMMANDS = 2000
"""Commands of a round, after which the kill is taken for lost."""
VARIABLE = "WORKBENCH_TEST_DIES_AT"


@dataclass
class Campaign:
    """Rounds of work and kills.

    Args:
        broker_module: starts the engine.
        status: the verb that says which processes there are.
        verbs: make the commands of a round.
        sessions: the folder of sessions.
        who: what is killed: `broker`, `child`, `app` and `write`.
        dying_module: starts an engine that dies while it writes.
        front_module: a front end that works until it is killed.
    """

    broker_module: str
    status: Verb
    verbs: Sequence[MakeVerb]
    sessions: Path
    who: Sequence[str] = ("broker", "child")
    dying_module: str = ""
    front_module: str = ""
    name: str = ""
    acknowledged: dict[int, tuple[str, str]] = field(default_factory=dict)
    """What the front ends of the present session were told: command and artifact by log line."""
    checked: int = 0
    """The last log line that was compared with its artifact."""
    kills: dict[str, int] = field(default_factory=dict)
    interrupted: int = 0
    replies: int = 0
    torn: int = 0
    recoveries: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def round(self, number: int, seed: int, span: float) -> None:
        """Work until something is killed, then check that work goes on and that nothing is lost."""
        generator = random.Random(f"{seed}/{number}")
        self._take_session(number)
        who = generator.choice(self.who)
        before = len(self.faults)
        if who == "app":
            self._kill_front(generator, span)
        elif who == "write":
            self._kill_while_writing(generator)
        else:
            self._kill_engine(who, generator, span)
        self._note_torn_line()
        self._recover(generator)
        self._check()
        self.faults[before:] = [f"round {number} ({who}): {fault}" for fault in self.faults[before:]]

    def _take_session(self, number: int) -> None:
        name = f"killed-{number // SESSION_ROUNDS}"
        if name == self.name:
            return
        if self.name:
            self._check_whole()
        if name not in catalog.names(self.sessions):
            catalog.create(name, self.sessions)
        self.name, self.acknowledged, self.checked = name, {}, 0

    # -- kills -----------------------------------------------------------------------------------------------------

    def _kill_engine(self, who: str, generator: random.Random, span: float) -> None:
        with Client(self.broker_module) as client:
            self._do(client, generator)
            status = client.request(self.status)["result"]
            pid = status["child"]["pid"] if who == "child" and status["child"] else status["pid"]
            self._count("broker" if pid == status["pid"] else "child")
            killer = threading.Timer(generator.uniform(0, span), _kill, (pid,))
            killer.start()
            self._work_until(client, generator, lambda: not killer.is_alive())
            killer.join()

    def _kill_front(self, generator: random.Random, span: float) -> None:
        """A front end of its own process, killed while it works; what it was told is what it printed."""
        Client(self.broker_module).close()  # the engine is not the front end's child
        command = python_command(self.front_module, str(self.sessions), self.name, str(generator.randrange(10**9)))
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=python_environment(), text=True) as front:
            if front.stdout is None or front.stdout.readline() != "ready\n":
                self.faults.append("the front end did not start")
                front.kill()
                return
            time.sleep(generator.uniform(0, span))
            front.kill()
            self._count("app")
            for line in front.stdout.read().split("\n")[:-1]:
                seq, do, artifact = line.split(" ")
                self._told(int(seq), do, artifact)

    def _kill_while_writing(self, generator: random.Random) -> None:
        self.end()
        line = generator.random() < 0.3
        os.environ[VARIABLE] = f"line {generator.randrange(1, 6)}" if line else str(generator.randrange(1, POINTS + 1))
        try:
            with Client(self.dying_module) as client:
                self._count("write")
                self._work_until(client, generator, lambda: False)
        except EngineUnreachable:  # it died as it came: making its folder is a write as well
            self.interrupted += 1
        finally:
            del os.environ[VARIABLE]

    def _work_until(self, client: Client, generator: random.Random, over: Callable[[], bool]) -> None:
        for _ in range(MOST_COMMANDS):
            last = over()
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
        self.faults.append(f"nothing was killed within {MOST_COMMANDS} commands")

    def _count(self, who: str) -> None:
        self.kills[who] = self.kills.get(who, 0) + 1

    def _do(self, client: Client, generator: random.Random) -> None:
        verb = generator.choice(self.verbs)(generator)
        reply = client.request(verb, session=self.name, sessions=self.sessions)
        self._told(reply["seq"], reply["command"], reply["artifact"])

    def _told(self, seq: int, do: str, artifact: str) -> None:
        self.acknowledged[seq] = (do, artifact)
        self.replies += 1

    # -- checks ----------------------------------------------------------------------------------------------------

    def _note_torn_line(self) -> None:
        raw = (self.sessions / self.name / "log.jsonl").read_bytes() if self._has_log() else b"\n"
        self.torn += not raw.endswith(b"\n")

    def _has_log(self) -> bool:
        return (self.sessions / self.name / "log.jsonl").exists()

    def _recover(self, generator: random.Random) -> None:
        started = time.perf_counter()
        try:
            with Client(self.broker_module) as client:
                self._do(client, generator)
        except WorkbenchError as error:
            self.faults.append(f"the command after a kill failed: {error.kind}: {error}")
        self.recoveries.append(time.perf_counter() - started)

    def _check(self) -> None:
        """Compare what is new in the log with what was told and with the disk."""
        record = SessionRecord(self.sessions / self.name)
        lines = {line.seq: line for line in record.lines}
        for seq, told in self.acknowledged.items():
            if seq > self.checked and (seq not in lines or (lines[seq].do, lines[seq].artifact) != told):
                self.faults.append(f"line {seq} ({told[0]}) was announced and is not in the log")
        for line in record.lines:
            whole = not line.artifact or folder_digest(record.artifact_path(line)) == line.digest
            if line.seq > self.checked and not whole:
                self.faults.append(f"the artifact of line {line.seq} is not what was logged")
        view = record.path / "view.json"
        if view.exists() and not record.view():
            self.faults.append("the view is half written")
        self.checked = max(lines, default=0)

    def _check_whole(self) -> None:
        """Everything of the session again, from its first line."""
        self.checked = 0
        self._check()

    def end(self) -> None:
        """Kill what is left."""
        try:
            with Client(None) as client:
                _kill(int(client.engine["pid"]))
        except EngineUnreachable:
            return

    # -- a run that goes on later ----------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """What a later process needs to go on."""
        names = ("name", "checked", "kills", "interrupted", "replies", "torn", "recoveries", "faults")
        return {**{name: getattr(self, name) for name in names}, "acknowledged": list(self.acknowledged.items())}

    def take(self, state: dict[str, Any]) -> None:
        """Go on from what an earlier process left."""
        for name, value in state.items():
            setattr(self, name, value)
        self.acknowledged = {int(seq): (told[0], told[1]) for seq, told in state["acknowledged"]}


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it was gone already


def run(
    campaign: Campaign, rounds: int, seed: int, span: float, *, kind: str = "toy", checkpoint: Path | None = None
) -> dict[str, Any]:
    """Carry a campaign out, from where its checkpoint says; gives the table and its bars."""
    campaign.sessions.mkdir(parents=True, exist_ok=True)
    first, spent = 0, 0.0
    if checkpoint is not None and checkpoint.exists():
        saved = json.loads(checkpoint.read_text())
        if saved["seed"] != seed:
            raise SystemExit(f"{checkpoint} is of seed {saved['seed']}, not {seed}: name another folder")
        first, spent = int(saved["rounds"]), float(saved["seconds"])
        campaign.take(saved["state"])
    started = time.perf_counter()
    try:
        for number in range(first, rounds):
            campaign.round(number, seed, span)
            if checkpoint is not None:
                seconds = spent + time.perf_counter() - started
                saved = {"seed": seed, "rounds": number + 1, "seconds": seconds, "state": campaign.state()}
                write_atomic(checkpoint, json.dumps(saved))
        if campaign.name:
            campaign._check_whole()
    finally:
        campaign.end()
    return _report(campaign, rounds, seed, spent + time.perf_counter() - started, kind)


def _report(campaign: Campaign, rounds: int, seed: int, seconds: float, kind: str) -> dict[str, Any]:
    recoveries = sorted(campaign.recoveries)
    row = {
        "commands": kind,
        "rounds": rounds,
        "seed": seed,
        "kills": dict(sorted(campaign.kills.items())),
        "commands_interrupted": campaign.interrupted,
        "torn_log_lines": campaign.torn,
        "replies_checked": campaign.replies,
        "recovery_median_s": round(recoveries[len(recoveries) // 2], 3),
        "recovery_max_s": round(recoveries[-1], 3),
        "seconds": round(seconds, 1),
    }
    faults = len(campaign.faults)
    name = f"results lost, half written, or commands failed after a kill ({kind})"
    return {
        "rows": [row],
        "bars": [{"name": name, "value": faults, "limit": 0, "holds": faults == 0}],
        "faults": campaign.faults[:20],
    }


def toy_campaign(sessions: Path) -> Campaign:
    """A campaign of toy commands: the same engine and sessions, a model process without torch."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))  # the toy engine lives beside the tests
    from tests.engine import toy

    return Campaign(
        "tests.engine.toy_broker",
        toy.Status(),
        [
            lambda generator: toy.Note(text=str(generator.random())),
            lambda generator: toy.Work(steps=generator.randrange(6), seed=generator.randrange(10**9)),
        ],
        sessions,
        ("app", "broker", "child", "write"),
        "tests.engine.toy_broker_dying",
        "tests.engine.toy_front",
    )


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
    """Run both campaigns in folders of their own and print what came of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=1000, help="of toy commands")
    parser.add_argument("--real", type=int, default=30, help="of the workbench's own commands")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--span", type=float, default=0.3, help="longest delay before a kill, seconds")
    parser.add_argument("--real-span", type=float, default=1.5)
    parser.add_argument("--checkpoint", type=Path, help="a folder to go on from; removed by hand")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="wb-"))  # short: a socket path has 100 bytes
    work = options.checkpoint.absolute() if options.checkpoint else scratch
    os.environ["WORKBENCH_HOME"], os.environ["WORKBENCH_RUNTIME"] = str(scratch / "home"), str(scratch / "run")
    try:
        report = _both(options, work)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return tell({**stamp(), **report}, table, as_json=options.json)


def _both(options: argparse.Namespace, work: Path) -> dict[str, Any]:
    report: dict[str, Any] = {"rows": [], "bars": [], "faults": []}
    for kind, make, rounds, span in (
        ("toy", toy_campaign, options.rounds, options.span),
        ("workbench", workbench_campaign, options.real, options.real_span),
    ):
        if rounds:
            checkpoint = work / f"{kind}.json" if options.checkpoint else None
            found = run(make(work / kind), rounds, options.seed, span, kind=kind, checkpoint=checkpoint)
            report = {name: report[name] + found[name] for name in report}
    return report


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    lines = []
    for row in report["rows"]:
        for name, value in row.items():
            told = ", ".join(f"{number} {who}" for who, number in value.items()) if isinstance(value, dict) else value
            lines.append(f"{name:22} {told}")
        lines.append("")
    return "\n".join([*lines, *bar_lines(report["bars"]), *(f"  {fault}" for fault in report["faults"])])


if __name__ == "__main__":
    sys.exit(main())
