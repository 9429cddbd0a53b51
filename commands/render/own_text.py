"""Features on sentences of one's own as tables: activations, minimal pairs, what sentences share."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.features import heat
from commands.render.tables import Result, number, percent, table, visible


def activations(result: Result, console: Console) -> None:
    """The strongest features of a sentence, each with its tokens, and those of each token."""
    console.print(
        Text(visible(f"{result['space']}: {result['active']} features on {len(result['tokens'])} tokens"), "bold")
    )
    columns = [("feature", True), ("max", True), ("mean", True), ("density", True), ("bits", True), ("", False)]
    rows = [
        [
            f"#{row['index']}", number(row["maximum"], 2), number(row["mean"], 2), percent(row["density"]),
            number(row["surprise"], 1),
            _with_label(row, heat(result["tokens"], row["values"], row["maximum"], row["at"])),
        ]
        for row in result["features"]
    ]  # fmt: skip
    table(console, columns, rows)
    labels = result["labels"]
    rows = [
        [
            row["token"], row["active"],
            "  ".join(f"#{index} {number(value, 2)}{_label(labels, index)}" for index, value in row["features"]),
        ]
        for row in result["by_token"]
    ]  # fmt: skip
    table(console, [("token", False), ("active", True), ("strongest", False)], rows)


def _with_label(row: dict[str, Any], tokens: Text) -> Text:
    return Text(f"{visible(row['label'])}  ", "dim").append_text(tokens) if row["label"] else tokens


def _label(labels: dict[str, str], index: int) -> str:
    found = labels.get(str(index))
    return f" ({found})" if found else ""


def pair(result: Result, console: Console) -> None:
    """A minimal pair in columns, and the features that differ."""
    console.print(
        Text(
            visible(
                f"{result['space']}: {result['differing']} features differ; only in a {result['only_a']}, only in b "
                f"{result['only_b']}, in both {result['shared']}"
            ),
            "bold",
        )
    )
    if result["identical"]:
        console.print(Text("the token ids of both are the same"))
    columns = [("", True), ("a", False), ("b", False), ("", False), ("distance", True)]
    rows = [
        [at, _token(column["token_a"]), _token(column["token_b"]), "" if column["same"] else "≠",
         number(column["distance"], 2)]
        for at, column in enumerate(result["columns"])
    ]  # fmt: skip
    table(console, columns, rows)
    columns = [("feature", True), ("change", True), ("at", True), ("max a", True), ("max b", True),
               ("only", False), ("density", True), ("", False)]  # fmt: skip
    rows = [
        [f"#{row['index']}", f"{row['change']:+.3f}", row["at"], number(row["maximum_a"], 2),
         number(row["maximum_b"], 2), row["only"], percent(row["density"]), row["label"]]
        for row in result["features"]
    ]  # fmt: skip
    table(console, columns, rows)


def _token(token: str | None) -> str:
    return "·" if token is None else token


def in_common(result: Result, console: Console) -> None:
    """The features that sentences share, with what a random text would have."""
    controls = f", in at most {result['allowed']} of {result['controls']} controls ({result['control_source']})"
    line = (
        f"{result['total']} of {result['active']} active features are above {result['threshold']:g} in at least "
        f"{result['needed']} of {result['sentences']} sentences ({result['source']})"
    )
    console.print(Text(visible(line + (controls if result["controls"] else ", without controls")), "bold"))
    columns = [("feature", True), ("sentences", True), ("controls", True), ("mean", True), ("there", True),
               ("density", True), ("by chance", True), ("", False)]  # fmt: skip
    rows = [
        [f"#{row['index']}", f"{row['count']}/{result['sentences']}",
         f"{row['control_count']}/{result['controls']}" if result["controls"] else "-", number(row["mean"], 2),
         number(row["control_mean"], 2), percent(row["density"]), percent(row["expected"]), row["label"]]
        for row in result["rows"]
    ]  # fmt: skip
    table(console, columns, rows)


def hits(result: Result, console: Console) -> None:
    """What a search found, each feature with where it answers."""
    what = f"“{result['query']}”" if result["query"] else f"the sentence “{result['by_sentence']}”"
    console.print(Text(visible(f"{result['space']}: {result['total']} features for {what}"), "bold"))
    unit = score_name(result)
    columns = [("feature", True), (unit, True), ("density", True), ("where", False), ("label", False)]
    rows = [
        [
            f"#{row['index']}",
            number(row["score"], 2),
            percent(row["density"]),
            where_found(row["matches"]),
            row["label"],
        ]
        for row in result["hits"]
    ]
    table(console, columns, rows)
    for row in result["hits"]:
        window = next((match["window"] for match in row["matches"] if match["window"]), None)
        if window is not None:
            line = Text(f"  #{row['index']:<6}").append_text(
                heat(window["tokens"], window["values"], max(window["values"], default=0.0))
            )
            console.print(line, soft_wrap=True)
    for sentence in result["missing"]:
        console.print(Text(f"  missing: {sentence}"))


def score_name(result: Result) -> str:
    """What the score of a hit is: of words a likeness, of a sentence bits of surprise, its size without an index."""
    if not result["by_sentence"]:
        return "likeness"
    return "activation" if result["missing"] else "bits"


def where_found(matches: list[dict[str, Any]]) -> str:
    """Where a feature answers a search, best first."""
    told = []
    for match in matches:
        share = "" if match["share"] is None else f" {100 * match['share']:.0f} %"
        value = f" {number(match['value'], 2)}" if "value" in match else ""
        like = "" if match["exact"] or match["where"] == "sentence" else "~"
        told.append(f"{match['where']} {like}{match['text'].strip()}{value}{share}")
    return "; ".join(told)
