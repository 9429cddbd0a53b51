"""Labels as tables."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, number, table, visible


def labels(result: Result, console: Console) -> None:
    """Labels with their scores, and what has none."""
    if result.get("dry_run"):
        return estimate(result, console)
    rows = [
        [
            f"#{row['index']}",
            row["text"] or f"({row['status']}) {row.get('error', '')}".strip(),
            row.get("source", result.get("labeller", "")),
            ", ".join(_said(score) for score in row.get("scores", [])),
        ]
        for row in result["labels"]
    ]
    return table(console, [("feature", True), ("label", False), ("from", False), ("scores", False)], rows)


def given(result: Result, console: Console) -> None:
    """A label of one's own: what it is now, or what was taken away."""
    before = result.get("before", "")
    if result["text"]:
        instead = f" (before: “{before}”)" if before not in ("", result["text"]) else ""
        told = f"“{result['text']}”{instead}"
    else:
        told = f"the label “{before}” is taken away" if before else "had no label, and has none now"
    console.print(Text(visible(f"{result['feature']}: {told}")))


def _said(score: Result) -> str:
    """A stored score in a few letters; offline ones say so."""
    return f"{score['scorer']} {score['protocol']} {number(score['accuracy']['value'], 2)}"


def scores(result: Result, console: Console) -> None:
    """Scores with their intervals, and the two baselines beside each."""
    if result.get("dry_run"):
        return estimate(result, console)
    by = "words alone (offline; not to be compared with a model's)" if result["scorer"] == "offline" else "asked"
    table(
        console,
        [
            ("feature", True), ("protocol", False), ("balanced accuracy", True), ("other label", True),
            ("random windows", True), ("above other", True), ("label", False),
        ],
        [_score(row) for row in result["scores"]],
        f"{len(result['scores'])} scores by {by}; silent windows: "
        f"{', '.join(sorted({row['negatives'] for row in result['scores']}))}",
    )  # fmt: skip
    return None


def _score(row: Result) -> list[str]:
    target = row["text"] if row["target"] == "label" else f"(concept) {row['text']}"
    if row["status"] != "scored":
        return [f"#{row['index']}", row["protocol"], row["status"], "", "", "", row["error"]]
    return [
        f"#{row['index']}",
        row["protocol"],
        interval(row["accuracy"]),
        number(row["other"]["accuracy"]["value"], 2),
        number(row["random"]["accuracy"]["value"], 2),
        interval(row["margin"]),
        target,
    ]


def interval(found: Result) -> str:
    """A number with its interval."""
    return f"{found['value']:.2f} [{found['low']:.2f}, {found['high']:.2f}]"


def comparison(result: Result, console: Console) -> None:
    """Suggestions of different labellers, by feature."""
    rows = [
        [f"#{row['index']}", one["source"], one["text"], one["status"], ", ".join(map(_said, one["scores"]))]
        for row in result["features"]
        for one in row["labels"]
    ]
    table(console, [("feature", True), ("from", False), ("label", False), ("status", False), ("scores", False)], rows)


def estimate(result: Result, console: Console) -> None:
    """What asking would cost."""
    console.print(
        f"about ${result['usd']:.4f} for {result['calls']:,} calls: {result.get('input_tokens', 0):,} tokens in, "
        f"{result.get('output_tokens', 0):,} out (prices of {result.get('prices', '-')}); nothing was asked",
        highlight=False,
    )


def cost(result: Result, console: Console) -> None:
    """The estimate, and what was spent."""
    rows = [
        [name, f"{part['input_tokens']:,}", f"{part['output_tokens']:,}", f"${part['usd']:.6f}"]
        for name, part in (("a label", result["label"]), ("a score", result["score"]))
    ]
    table(
        console,
        [("", False), ("tokens in", True), ("tokens out", True), ("cost", True)],
        rows,
        f"{result['model']}, prices of {result['prices']}{', in a batch' if result['batch'] else ''}",
    )
    console.print(
        f"{result['features']:,} features: about ${result['usd']:.2f}. Spent in this session: "
        f"${result['spent']['usd']:.4f} in {result['spent']['lines']} commands.",
        highlight=False,
    )


def imported(result: Result, console: Console) -> None:
    """What a file of published explanations gave."""
    named = "/".join(part for part in result["named"].values() if part) or "no SAE named"
    by = ", ".join(f"{name or 'unnamed'} {count}" for name, count in result["by"].items())
    console.print(
        Text(
            visible(
                f"{result['file']} ({named}): {result['read']} explanations of {result['features']} features; {by}"
            ),
            "bold",
        )
    )
    rows = [[f"#{row['index']}", row["text"]] for row in result["first"]]
    table(console, [("feature", True), ("explanation", False)], rows)
