"""Quanta as tables: losses, counts, similarities, clusters, one cluster."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, cost, number, table, visible

BARS = " ▁▂▃▄▅▆▇█"


def _say(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(Text(visible(line)))


def losses(result: Result, console: Console) -> None:
    """The losses of each model side by side."""
    columns = [
        ("model", False), ("mean nats", True), ("bits", True), ("median nats", True), ("bits", True),
        *((f"< {below['nats']:g} nats", True) for below in result["models"][0]["below"]), ("no number", True),
    ]  # fmt: skip
    rows = [
        [
            row["name"], number(row["mean"]), number(row["mean_bits"]), number(row["median"]),
            number(row["median_bits"]), *(f"{below['predictions']:,}" for below in row["below"]),
            f"{row['not_finite']:,}",
        ]
        for row in result["models"]
    ]  # fmt: skip
    title = (
        f"losses of {result['predictions']:,} predictions in {result['documents']:,} documents of {result['corpus']}, "
        f"{result['context']} tokens of each at most"
    )
    table(console, columns, rows, title)


def counts(result: Result, console: Console) -> None:
    """What each condition leaves, and the histogram."""
    nats = "" if result["unit"] == "nats" else f" ({result['threshold_nats']:.4g} nats)"
    high = f", and high in {result['high']}" if result["high"] else ""
    _say(
        console,
        f"{result['predictions']:>12,} predictions of {result['model']}",
        f"{result['below']:>12,} below {result['threshold']:g} {result['unit']}{nats}",
        f"{result['repeated']:>12,} of them repeat (filter {result['filter']}), {result['special']:,} are special",
        f"{result['left']:>12,} left{high}",
        f"{result['found']:>12,} with one in {result['skip']:,} taken; {result['n']:,} wanted",
    )
    if "samples" in result:
        _say(console, f"{result['samples']:>12,} samples taken")
    shown = result["histogram"]
    _say(console, "", "losses in nats, counts on a log scale; below: those left")
    for name in ("counts", "kept"):
        _say(console, f"  {shown['edges'][1]:g} {bars(shown[name])} {shown['edges'][-1]:g}")


def bars(values: list[int]) -> str:
    """Counts as one line of bars, on a log scale."""
    from math import log1p

    most = log1p(max(values, default=0)) or 1.0
    return "".join(BARS[round(log1p(value) / most * (len(BARS) - 1))] for value in values)


def similarity(result: Result, console: Console) -> None:
    """What was compared and how exactly."""
    if result.get("dry_run"):
        here = " (made already: it would be taken as it is)" if result["built"] else ""
        what = (
            f"similarities of {result['samples']:,} samples by {result['of']}, mode {result['mode']}, "
            f"{result['count']:,} numbers in {result['parameters']} parameters, {result['passes']:,} passes{here}"
        )
        cost(result, what, console)
        return
    kept = f", {result['dimension']:,} numbers kept a sample" if result["mode"] != "exact" else ""
    if result["mode"] == "sketch":
        kept += f" ({result['dimension_per_sample']:g} x the samples)"
    _say(
        console,
        f"similarities of {result['samples']:,} samples by {'|gradients|' if result['absolute'] else result['of']}, "
        f"mode {result['mode']}: {result['count']:,} numbers in {result['parameter_tensors']} parameters, "
        f"{result['passes']:,} passes{kept}",
        f"cosines of pairs: mean {number(result['mean'])}, 5 % {number(result['q05'])}, median "
        f"{number(result['median'])}, 95 % {number(result['q95'])}, largest {number(result['largest'])}",
        f"bound {result['bound']:.2g}",
    )
    if check := result["check"]:
        _say(
            console,
            f"checked exactly: {check['pairs']} pairs, largest difference {check['difference']:.2g}, mean "
            f"{check['mean_difference']:.2g}, {check['beyond_bound']} beyond the bound",
        )


def clustered(result: Result, console: Console) -> None:
    """The largest clusters, then how far they are to be trusted."""
    shown, total = len(result["largest"]), result["clusters"]
    _clusters(result["largest"], console, f"{total} clusters of {result['samples']:,} samples")
    if shown < total:
        _say(console, f"the {shown} largest of {total}: `workbench quanta list` has all")
    if "stability" not in result:
        return
    said = ", ".join(f"{row['setting']} {number(row['ari'], 2)}" for row in result["stability"])
    _say(console, f"agreement (ARI) with other settings: {said or 'none asked for'}")
    envelope = result["envelope"]
    if envelope["slope"] is not None:
        low, high = envelope["interval"]
        _say(
            console,
            f"rank-frequency slope {number(envelope['slope'], 2)} over ranks {envelope['ranks'][0]} to "
            f"{envelope['ranks'][1]}; all that may be said: between {number(low, 2)} and {number(high, 2)}",
        )


def listed(result: Result, console: Console) -> None:
    """A page of the clusters."""
    about = f"{result['total']} clusters of {result['samples']:,} predictions of {result['model']}, by {result['sort']}"
    _clusters(result["clusters"], console, about)
    _page(console, len(result["clusters"]), result["offset"], result["total"])


def _page(console: Console, shown: int, offset: int, total: int) -> None:
    """Where not all is shown, which part it is, and what shows more."""
    if shown < total:
        part = f"{offset + 1} to {offset + shown}" if offset else str(shown)
        _say(console, f"{part} of {total:,} (--offset, --limit)")


def _clusters(rows: list[dict[str, Any]], console: Console, title: str) -> None:
    columns = [
        ("cluster", True), ("rank", True), ("size", True), ("cohesion", True), ("separation", True), ("nearest", True),
        ("bits", True), ("answers", False), ("label", False),
    ]  # fmt: skip
    cells = [
        [
            row["cluster"], row["rank"], row["size"], number(row["cohesion"], 2), number(row["separation"], 2),
            "-" if row["nearest"] is None else row["nearest"], number(row["entropy"], 2), answers(row), row["label"],
        ]
        for row in rows
    ]  # fmt: skip
    table(console, columns, cells, title)


def answers(row: dict[str, Any]) -> str:
    """The commonest answers with their counts; a space in one is a dot, as in the app, since spaces part them."""
    return "  ".join(f"{str(text).replace(' ', '·')} {count}" for text, count in row["answers"][:5])


def one(result: Result, console: Console) -> None:
    """A cluster's samples, each on a line, its answer in brackets."""
    _clusters([result], console, f"cluster {result['cluster']}, {result['rank']} of {result['clusters']} by size")
    if result["note"]:
        _say(console, result["note"], "")
    if result["samples"]:
        console.print(Text(f"{'document':>8} {'loss, nats':>10}  context [answer]", "bold"))
    for sample in result["samples"]:
        loss, cut = f"{sample['loss']:.2g}", "…" if sample["cut"] else ""
        line = Text(f"{sample['document']:>8} {loss:>10}  {cut}", "dim")
        line.append(visible("".join(sample["before"])), "none")
        line.append(f"[{visible(sample['answer'])}]", "bold reverse")
        line.append(visible("".join(sample["after"])), "dim")
        console.print(line)
    _page(console, len(result["samples"]), result["offset"], result["size"])
    console.print()
    nearest = [
        [row["cluster"], row["size"], number(row["similarity"], 2), answers(row), row["label"]]
        for row in result["nearest_clusters"]
    ]
    columns = [("cluster", True), ("size", True), ("similarity", True), ("answers", False), ("label", False)]
    table(console, columns, nearest, "nearest clusters, by the mean cosine between their samples")


def written(result: Result, console: Console) -> None:
    """Where the file is."""
    _say(console, f"{result['path']}: {result['clusters']} clusters, {result['written']:,} samples, "
                  f"{result['bytes']:,} bytes")  # fmt: skip
