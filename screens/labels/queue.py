"""The queue of the Labels screen: what is being asked, how fast, what is left and spent, and what had no answer."""

from __future__ import annotations

from typing import Any

from screens import verbs
from screens.painting import palette
from screens.painting.glyphs import bar
from screens.painting.text import in_app, thousands, visible
from screens.widgets.painted import Piece, TextLines

ASKING = ("labels.suggest", "labels.score")
BAR = 20
OPEN = ("running", "waiting")


class LabelQueue(TextLines):
    """Two lines while labels are made or scored, or while some have no answer; else none."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.jobs: dict[str, dict[str, Any]] = {}
        self.failed: dict[str, Any] = {}

    def on_mount(self) -> None:
        """Nothing is asked yet."""
        self.display = False

    def forget(self) -> None:
        """Another session: neither what is asked for it nor what it did not get answered is of this one."""
        self.jobs, self.failed = {}, {}
        self._tell()

    def take_jobs(self, jobs: list[dict[str, Any]], session: str | None) -> None:
        """The engine's jobs, of which those count that make labels in this session."""
        self.jobs = {}
        for job in jobs:
            self.take_job(job, session)
        self._tell()

    def take_job(self, job: dict[str, Any], session: str | None) -> None:
        """A job began, went on or ended."""
        if job.get("do") not in ASKING or job.get("session") != session:
            return
        if job["state"] in OPEN:
            self.jobs[job["job"]] = {**self.jobs.get(job["job"], {}), **job}
        else:
            self.jobs.pop(job["job"], None)
        self._tell()

    def take_failures(self, listed: dict[str, Any]) -> None:
        """What `labels.show` says is without an answer."""
        self.failed = {name: listed.get(name) for name in ("failed", "failures", "failed_groups")}
        self._tell()

    @property
    def running(self) -> str:
        """The job that runs, or else waits first; an empty text where there is none."""
        order = sorted(self.jobs.values(), key=lambda job: (job["state"] != "running", _number(job)))
        return str(order[0]["job"]) if order else ""

    def retries(self) -> list[verbs.Verb]:
        """The verbs that ask again for all that has no answer."""
        return [_retry(group) for group in self.failed.get("failed_groups") or []]

    def _tell(self) -> None:
        lines = queue_lines(self.jobs.get(self.running), len(self.jobs) - 1, self.failed)
        shown = bool(lines)
        self.styles.height = max(1, len(lines))
        if self.display != shown:
            self.display = shown
        self.show(lines)


def queue_lines(job: dict[str, Any] | None, others: int, failed: dict[str, Any]) -> list[list[Piece]]:
    """The job at work with its progress, and below how many have no answer, the first of them in words.

    Args:
        job: as `engine.jobs` tells it, or None.
        others: jobs that wait for it.
        failed: `failed` and `failures` of `labels.show`.
    """
    lines: list[list[Piece]] = []
    if job is not None:
        done, total = int(job.get("done") or 0), int(job.get("total") or 0)
        share = f"{bar(done / total, BAR)} {thousands(done)} of {thousands(total)}" if total else job["state"]
        more = f" · {others} more wait{'s' * (others == 1)}" if others else ""
        lines.append([(f"  {share}", palette.GOOD), (f"{more}  x cancels", palette.DIM)])
        lines.append([(f"  {visible(str(job.get('text') or job['state']))}", None)])
    if count := failed.get("failures") or 0:
        first = (failed.get("failed") or [{}])[0]
        told = f"{label_id(first)}: {in_app(visible(str(first.get('error', ''))))}" if first.get("error") else ""
        have = "has" if count == 1 else "have"
        lines.append([(f"  {thousands(count)} {have} no answer: r asks again", palette.WARN), (f"  {told}", None)])
    return lines


def label_id(item: dict[str, Any]) -> str:
    """What a label is of, in a few letters: `#417` of a feature, `c3` of a cluster, `q3` of a quantum."""
    mark = {"clusters": "c", "quanta": "q"}.get(str(item.get("of", "")), "#")
    return f"{mark}{item['index']}"


def _retry(group: dict[str, Any]) -> verbs.Verb:
    asked = {"of": group["of"], "model": group["model"], "failed": True}
    if group["what"] == "suggest":
        return verbs.LabelsSuggest(labeller="anthropic", **asked)
    protocol = (group["protocol"],)
    return verbs.LabelsScore(scorer="anthropic", protocol=protocol, negatives=group["negatives"], **asked)


def _number(job: dict[str, Any]) -> int:
    name = str(job["job"])
    return int(name[1:]) if name[1:].isdigit() else 0
