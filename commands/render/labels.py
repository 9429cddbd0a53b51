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
            target_id(row.get("of", result.get("of")), row["index"]),
            row["text"] or f"({row['status']}) {row.get('error', '')}".strip(),
            row.get("source", result.get("labeller", "")),
            ", ".join([*(_said(score) for score in row.get("scores", [])), *_rating(row)]),
        ]
        for row in result["labels"]
    ]
    table(console, [("of", True), ("label", False), ("from", False), ("scores and ratings", False)], rows)
    _beyond(result, len(rows), console)
    return None


def _beyond(result: Result, shown: int, console: Console) -> None:
    """Rows that a reply has no room for, and what had no answer."""
    if result.get("total", shown) > shown:
        console.print(Text(f"{shown} of {result['total']:,}"))
    failed = result.get("failures", result.get("errors", 0))
    if failed:
        told = "; ".join(f"{target_id(one['of'], one['index'])} {one['error']}" for one in result.get("failed", [])[:3])
        again = "`workbench labels suggest --failed --labeller anthropic`, or r on the Labels screen, asks again"
        console.print(Text(visible(f"{failed:,} without an answer{f' ({told})' if told else ''}: {again}")))


def target_id(of: str | None, index: int) -> str:
    """What a label is of: `#417`, `cluster 3` or `quantum 5`."""
    return {"clusters": f"cluster {index}", "quanta": f"quantum {index}"}.get(of or "", f"#{index}")


def rated(result: Result, console: Console) -> None:
    """A rating, and the label that stands there."""
    against = f" against “{result['concept']}”" if result["concept"] else ""
    blind = ", blind" if result["blind"] else ""
    before = f" (before: {result['before']})" if result["before"] is not None else ""
    label = f"; its label: “{result['label']}”" if result["label"] else "; it has no label"
    console.print(Text(visible(f"{result['feature']}: {result['rating']} of 3{against}{blind}{before}{label}")))


def _rating(row: Result) -> list[str]:
    rating = row.get("rating")
    return [f"rated {rating['rating']} of 3{' blind' if rating['blind'] else ''}"] if rating else []


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
            ("of", True), ("protocol", False), ("balanced accuracy", True), ("other label", True),
            ("random windows", True), ("above other", True), ("label", False),
        ],
        [_score(row, result.get("of")) for row in result["scores"]],
        f"{len(result['scores'])} scores by {by}; silent windows: "
        f"{', '.join(sorted({row['negatives'] for row in result['scores']}))}",
    )  # fmt: skip
    _beyond(result, len(result["scores"]), console)
    return None


def _score(row: Result, of: str | None) -> list[str]:
    target = row["text"] if row["target"] == "label" else f"(concept) {row['text']}"
    if row["status"] != "scored":
        return [target_id(of, row["index"]), row["protocol"], row["status"], "", "", "", row["error"]]
    return [
        target_id(of, row["index"]),
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
        [
            target_id(result.get("of"), row["index"]),
            one["source"],
            one["text"],
            one["status"],
            ", ".join([*map(_said, one["scores"]), *_rating(row)]),
        ]
        for row in result["features"]
        for one in row["labels"]
    ]
    if not rows:
        told = "no suggestion of a labeller is stored here: `workbench labels suggest` makes some"
        console.print(Text(told))
        return
    columns = [("of", True), ("from", False), ("label", False), ("status", False), ("scores and ratings", False)]
    table(console, columns, rows)


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
        f"{result['features']:,} {result['of']}: about ${result['usd']:.2f}. Spent in this session: "
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
