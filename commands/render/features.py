"""One feature: its label, its test, its tokens and what lies near it, as lines and tables."""

from __future__ import annotations

import math
from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.corpora import sliced
from commands.render.tables import LEVELS, Result, chance, number, table, visible

VALUE_MARK = "◂"


def heat(tokens: list[str], values: list[float], maximum: float, at: int | None = None) -> Text:
    """Tokens with the strong ones emphasised, and the value after the one that was drawn (`at`), else the strongest.

    A token that was drawn is marked whatever its value's sign. The mark stands for nothing
    else: brackets are text too, and a token that holds the mark is spelled out.
    """
    text = Text()
    peak = max(range(len(values)), key=values.__getitem__, default=-1) if at is None else at
    for place, (token, value) in enumerate(zip(tokens, values, strict=True)):
        level = 0 if value <= 0 or maximum <= 0 else min(5, 1 + int(4.999 * value / maximum))
        body = visible(token).replace(VALUE_MARK, "\\u25c2")
        stripped = body.lstrip(" ")
        text.append(" " * (len(body) - len(stripped)))
        text.append(stripped, LEVELS[level])
        if place == peak and (value > 0 or (at is not None and value)):
            text.append(f" {VALUE_MARK}{value:.2f}", "dim")
    return text


def feature(result: Result, console: Console) -> None:
    """One feature: test, label, tokens, corpus and logits."""
    _named(result, console)
    if result["test"] is not None:
        _tested(result["test"], result["ranking"], console)
    if result["corpus"] is not None:
        _in_corpus(result["corpus"], console)
    if (stimuli := result["stimuli"]) is not None:
        for line in stimuli["lines"][:6]:
            text = Text(f"    {visible(line['category'])}: ", "dim")
            console.print(text.append_text(heat(line["tokens"], line["values"], stimuli["maximum"])), soft_wrap=True)
    if (logits := result["logits"]) is not None:
        for name in ("top", "bottom"):
            words = ", ".join(visible(str(token)).strip() or "␣" for token, _ in logits[name])
            console.print(Text(f"  {name} logits: {words}"))
    for sentence in result["missing"]:
        console.print(Text(f"  missing: {sentence}"))
    console.print()


def _named(result: Result, console: Console) -> None:
    """What a feature is called, here and by others."""
    label = f"  “{visible(result['label']['text'])}” ({result['label']['source']})" if result["label"] else ""
    console.print(Text(f"{result['feature']}{label}", "bold"))
    for score in result["label_scores"]:
        told = f"{number(score['accuracy']['value'], 2)}, another feature's label {number(score['other']['value'], 2)}"
        negatives = f"against {score['negatives']} windows"
        console.print(Text(visible(f"  label scored by {score['scorer']}, {score['protocol']} {negatives}: {told}")))
    if result["tags"]:
        console.print(Text(visible(f"  tags: {', '.join(result['tags'])}")))
    if result["note"]:
        console.print(Text(visible(f"  note: {result['note']}")))
    for told in result["explanations"]:
        by = " ".join(part for part in (told["by"], told["method"], told["source"]) if part)
        console.print(Text(visible(f"  published: {told['text']} ({by})")))
    if result["link"]:
        console.print(Text(f"  {result['link']}"))


def _tested(test: dict[str, Any], ranking: dict[str, Any], console: Console) -> None:
    """A feature's place in the ranking, or why it has none."""
    where = f"log line {ranking['seq']}"
    if test["status"] != "ok":
        console.print(Text(f"  {ranking['stimuli']}: not tested, {test['status']} ({where})"))
        return
    console.print(
        Text(
            f"  {ranking['stimuli']}: effect {number(test['effect'])}, {ranking.get('score_name', 't')} "
            f"{number(test['score'], 2)}, p {chance(test['p'])}, q {chance(test['q'])} (rank {test['rank']}, {where})"
        )
    )


def _in_corpus(corpus: dict[str, Any], console: Console) -> None:
    """How often and on what a feature fires in the corpus."""
    share = 100 * corpus["density"]
    most = number(corpus["maximum"], 2)
    console.print(Text(f"  active on {share:.2f} % of {corpus['tokens']:,} corpus tokens, at most {most}"))
    if corpus.get("enriched"):
        told = f"  on a {sliced(corpus['enriched'])}: such a density is not that of the whole"
        console.print(Text(visible(told), "bold"))
    for bar in activation_lines(corpus.get("histogram"), min(console.width - 24, 40)):
        console.print(Text(bar, "dim"))
    for example in corpus["examples"][:5]:
        shown = heat(example["tokens"], example["values"], corpus["maximum"])
        console.print(Text("    ").append_text(shown), soft_wrap=True)
    for row in corpus["quantiles"]:
        between = f"{number(row['low'], 2)} and {number(row['high'], 2)}"
        console.print(Text(f"    a fair sample between {between}:", "dim"))
        for example in row["examples"][:1]:
            shown = heat(example["tokens"], example["values"], corpus["maximum"], example["peak"])
            times = f"  (drawn {example['times']} times)" if example.get("times") else ""
            console.print(Text("    ").append_text(shown).append(times, "dim"), soft_wrap=True)


def activation_lines(histogram: dict[str, Any] | None, width: int, rows: int = 8) -> list[str]:
    """The activations above 0 turned on their side, bars on a logarithmic scale as in the app."""
    counts = (histogram or {}).get("counts") or []
    if histogram is None or not sum(counts):
        return []
    edges, step = histogram["edges"], -(-len(counts) // rows)
    bars = [(edges[at], sum(counts[at : at + step])) for at in range(0, len(counts), step)]
    most = math.log1p(max(count for _, count in bars))
    lines = ["    activations above 0: from, tokens (the bars are on a log scale)"]
    for low, count in bars:
        lines.append(f"    {number(low, 2):>7} {count:>9,} {'█' * round(math.log1p(count) / most * width)}".rstrip())
    return lines


def neighbours(result: Result, console: Console) -> None:
    """The nearest features, by direction and by firing together."""
    near = [
        [f"#{row['index']}", number(row["cosine"]), f"{100 * row['density']:.3g} %", row["label"]]
        for row in result["cosine"]
    ]
    columns = [("feature", True), ("cosine", True), ("density", True), ("", False)]
    table(console, columns, near, f"{result['feature']}: nearest decoder directions")
    together = [
        [f"#{row['index']}", number(row["phi"]), f"{100 * row['share']:.3g} %", number(row["lift"], 1), row["label"]]
        for row in result["coactive"]
    ]
    title = f"firing on the same tokens ({result['tokens']:,} of its {result['fired']:,} looked at)"
    columns = [("feature", True), ("correlation", True), ("of its tokens", True), ("times chance", True), ("", False)]
    table(console, columns, together, title)
