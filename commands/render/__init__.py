"""Replies as tables for people: rich on stdout, plain where it is no terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from commands.render.tables import Result, cell, table, visible
from commands.shell.terminal import visible_lines


class _Page(Console):
    """stdout, on which nothing that anyone wrote acts on the terminal, and that a reader may leave."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Show control characters: a stored result, its names included, may be anyone's."""
        for segment in super().render(renderable, options):
            hostile = not (segment.control or segment.text.isprintable())
            yield Segment(visible_lines(segment.text), segment.style) if hostile else segment

    def on_broken_pipe(self) -> None:
        """A reader that leaves (`| head`) ends the call as `--json` does, and not as work that failed."""
        raise BrokenPipeError


def render(reply: dict[str, Any], *, warned: bool = False) -> None:
    """Print a reply; `warned` where its warnings were told before."""
    piped = None if sys.stdout.isatty() else 120
    console = _Page(highlight=False, markup=False, emoji=False, width=piped)
    gate = reply["provenance"].get("gate")
    if gate and not (warned and _is_gate(reply) and not gate["passed"]):
        # numbers of a gate that was passed stand in `sae check`; a failure is told in full
        console.print(Text("SAE gate: passed", "dim") if gate["passed"] else Text(visible(gate["text"]), "bold"))
    _drawer(reply["command"])(reply["result"], console)


def _is_gate(reply: dict[str, Any]) -> bool:
    """Whether the reply's own warnings are what the gate found."""
    return str(reply["command"]).startswith("sae.")


def as_lines(reply: dict[str, Any], width: int) -> list[str]:
    """A reply's tables and pictures as lines without colour, for a screen: the shell and the app say the same."""
    page = io.StringIO()
    console = _Page(file=page, highlight=False, markup=False, emoji=False, width=width, color_system=None)
    _drawer(reply["command"])(reply["result"], console)
    return [line.rstrip() for line in page.getvalue().splitlines()]


def has_drawer(command: str) -> bool:
    """Whether a command's result has tables or pictures of its own, beside its values."""
    return command in _DRAWERS


def _drawer(command: str) -> Callable[[Result, Console], None]:
    if command == "session.result":
        return _stored
    if command not in _DRAWERS:
        return _generic
    module, _, name = _DRAWERS[command].partition(".")
    draw: Callable[[Result, Console], None] = getattr(import_module(f"commands.render.{module}"), name)
    return draw


def _stored(result: Result, console: Console) -> None:
    """A stored result: the line that gave it, then the table of its own command."""
    marks = "".join(f" ({mark})" for mark in ("withdrawn", "stale") if result[mark])
    console.print(Text(visible(f"log line {result['seq']}, {result['utc']}{marks}: {result['line']}"), "bold"))
    for warning in result["warnings"]:
        console.print(Text(visible(f"! {warning}")))
    try:
        with console.capture() as drawn:
            _drawer(result["do"])(result["result"], console)
    except KeyError:  # a result of an older version lacks what today's table shows
        _generic(result["result"], console)
    else:
        console.file.write(drawn.get())


def _generic(result: Result, console: Console) -> None:
    for key, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            columns = [(name, isinstance(value[0][name], (int, float))) for name in value[0]]
            table(console, columns, [[cell(entry) for entry in item.values()] for item in value], key)
        elif isinstance(value, list):
            console.print(Text(f"{key}: {visible(', '.join(str(item) for item in value)) or 'none'}"))
        elif isinstance(value, dict):
            console.print(Text(f"{key}: " + visible(", ".join(f"{name} {cell(item)}" for name, item in value.items()))))
        else:
            console.print(Text(f"{key}: {visible(cell(value))}"))


_DRAWERS: dict[str, str] = {
    "sae.load": "saes.sae",
    "sae.check": "saes.sae",
    "session.list": "sessions.sessions",
    "session.show": "sessions.session",
    "sae.train": "saes.trained",
    "sae.sweep": "saes.sweep",
    "index.build": "index.built",
    "model.generate": "steering.generated",
    "stimuli.list": "stimuli.stimulus_sets",
    "stimuli.show": "stimuli.stimulus_set",
    "stimuli.import": "stimuli.stimulus_set",
    "stimuli.new": "stimuli.stimulus_set",
    "stimuli.edit": "stimuli.stimulus_set",
    "stimuli.draft": "stimuli.drafted",
    "stimuli.check": "stimuli.design",
    "corpus.import": "corpora.imported",
    "corpus.list": "corpora.corpora",
    "corpus.find": "corpora.found",
    "features.contrast": "rankings.ranking",
    "features.rsa": "rsa.rsa",
    "features.rdm": "rsa.rdm",
    "features.maxact": "probing.ranking",
    "features.probe": "probing.probe",
    "features.compare": "probing.comparison",
    "features.list": "probing.any_ranking",
    "features.show": "features.feature",
    "features.why": "why.why",
    "features.map": "rankings.stored_map",
    "features.replicate": "replication.replication",
    "features.neighbours": "features.neighbours",
    "features.activate": "own_text.activations",
    "features.diff": "own_text.pair",
    "features.common": "own_text.in_common",
    "features.search": "own_text.hits",
    "features.tag": "marks.tagged",
    "features.note": "marks.noted",
    "features.tags": "marks.marks",
    "features.export": "marks.exported",
    "steer.clamp": "steering.steer",
    "labels.suggest": "labels.labels",
    "labels.set": "labels.given",
    "labels.rate": "labels.rated",
    "labels.show": "labels.labels",
    "labels.score": "labels.scores",
    "labels.compare": "labels.comparison",
    "labels.cost": "labels.cost",
    "labels.import": "labels.imported",
    "clusters.find": "clusters.clusters",
    "clusters.list": "clusters.clusters",
    "clusters.show": "clusters.cluster",
    "clusters.import": "clusters.imported",
    "clusters.rank": "clusters.ranked",
    "clusters.planes": "clusters.planes",
    "clusters.point": "clusters.point",
    "clusters.demo": "clusters.shapes",
    "circle.tasks": "circle.tasks",
    "circle.probe": "circle.probe",
    "circle.patch": "circle.patch",
    "circle.sweep": "circle.sweep",
    "circle.heads": "circle.heads",
    "circle.explain": "circle.explain",
    "geometry.energy": "geometry.energy",
    "geometry.optimum": "geometry.optimum",
    "geometry.match": "geometry.match",
    "quanta.losses": "quanta.losses",
    "quanta.counts": "quanta.counts",
    "quanta.select": "quanta.counts",
    "quanta.similarity": "quanta.similarity",
    "quanta.cluster": "quanta.clustered",
    "quanta.split": "quanta.clustered",
    "quanta.merge": "quanta.clustered",
    "quanta.list": "quanta.listed",
    "quanta.show": "quanta.one",
    "quanta.export": "quanta.written",
    "quanta.stimuli": "stimuli.stimulus_set",
    "session.export": "sessions.exported",
    "session.import": "sessions.imported",
    "session.compare": "sessions.compared",
    "replay": "sessions.replay",
    "doctor": "doctor.doctor",
}
"""Module and function that draw a command's result; imported when it is drawn."""
