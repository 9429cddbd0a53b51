"""Verbs that carry an investigation outside: replay, report, scripts, the demo."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from workbench.verbs import FoldersInPlace, InputFile, NameOrFile, OutputFile, Query


class Demo(Query):
    """Run the main job on the embedded model, print its tables and write the report."""

    dotted = "demo"
    place = "front"

    out: OutputFile = Field("demo-report.html", description="Where the HTML report goes")


class Open(Query):
    """Open the app on a session that a colleague exported; it needs no model, and nothing of yours changes."""

    dotted = "open"
    place = "front"
    positional = ("file",)

    file: NameOrFile = Field(min_length=1, description="The exported archive or folder")


class Run(Query):
    """Run a script of commands, one on each line."""

    dotted = "run"
    place = "front"
    positional = ("script", "variables")

    script: InputFile = Field(
        description="File with lines such as `features.contrast stimuli=achievement`; - reads standard input"
    )
    variables: tuple[str, ...] = Field((), description="NAME=VALUE for ${NAME} in the script")
    dry_run: bool = Field(
        False, description="Check the script and the sets and sessions it names, show its commands, run nothing"
    )


class Replay(Query):
    """Compute a session again from its log, never from stored results.

    A model, an SAE or a file of text that lies elsewhere than the log says is named with
    `--at /home/a/models/m=/data/m`, and must have the recorded digest.
    """

    dotted = "replay"
    place = "child"
    heavy = True
    positional = ("target",)

    target: str = Field("", description="Session to replay (default: the current one)")
    check: bool = Field(False, description="Compare with the recorded numbers and fail on a difference")
    at: FoldersInPlace = Field(
        (), description="RECORDED=HERE: read the model, SAE or file that the log has at RECORDED from HERE"
    )
    max_seconds: float = Field(60.0, gt=0, description="Take longer commands from the record")


class Report(Query):
    """Write a session as a report that a colleague can read and replay."""

    dotted = "report"
    positional = ("target",)

    target: str = Field("", description="Session to report (default: the current one)")
    format: Literal["html", "md"] | None = Field(
        None, description="One offline HTML file, or Markdown (default: by the ending of --out, else html)"
    )
    out: OutputFile = Field("", description="File to write (default: report-SESSION.html or .md here)")
    figures: OutputFile = Field(
        "", description="Folder for every figure as SVG with its data as CSV, and every table as LaTeX and CSV"
    )


class Spec(Query):
    """Print the JSON Schema of every verb."""

    dotted = "spec"
    place = "front"
