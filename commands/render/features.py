"""Rankings and single features as tables."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from commands.render.tables import LEVELS, Result, chance, number, table, visible


def ranking(result: Result, console: Console) -> None:
    """A ranking: what was tested, what was found, and its rows."""
    head = result.get("ranking", result)
    console.print(
        Text(
            visible(
                f"{head['stimuli']}: {head['positive']} against {head['against']}; "
                f"{head['statistic']} on {head['pool']}, {head['permutations']} permutations, seed {head['seed']}"
            ),
            "bold",
        )
    )
    console.print(
        Text(
            f"{head['discoveries']} of {head['tested']} features at q < {head['alpha']}; shuffled labels find "
            f"{number(head['null_discoveries'], 0)} (median), {head['null_discoveries_max']} (most) of 20 shuffles; "
            f"{head['undefined']} undefined"
        )
    )
    rows = [
        [row["rank"], f"#{row['index']}", number(row["effect"]), number(row["score"], 2), chance(row["p"]),
         chance(row["p_fwer"]), chance(row["q"]), row["label"] + (" (tie)" if row["tie"] else "")]
        for row in result["rows"][:20]
    ]  # fmt: skip
    columns = [
        ("rank", True),
        ("feature", True),
        ("effect", True),
        ("t", True),
        ("p", True),
        ("fwer", True),
        ("q", True),
        ("", False),
    ]
    table(console, columns, rows)
    if len(result["rows"]) > 20:
        console.print(Text(f"20 of {len(result['rows'])} rows given (--json has them all; `features list` pages)"))


def heat(tokens: list[str], values: list[float], maximum: float) -> Text:
    """Tokens with the strong ones emphasised, and the value after the strongest one."""
    text = Text()
    peak = max(range(len(values)), key=values.__getitem__, default=-1)
    for place, (token, value) in enumerate(zip(tokens, values, strict=True)):
        level = 0 if value <= 0 or maximum <= 0 else min(5, 1 + int(4.999 * value / maximum))
        body = visible(token)
        stripped = body.lstrip(" ")
        text.append(" " * (len(body) - len(stripped)))
        text.append(stripped, LEVELS[level])
        if place == peak and value > 0:
            text.append(f"[{value:.2f}]", "dim")
    return text


def feature(result: Result, console: Console) -> None:
    """One feature: test, label, tokens, corpus and logits."""
    label = f"  “{visible(result['label']['text'])}” ({result['label']['source']})" if result["label"] else ""
    console.print(Text(f"{result['feature']}{label}", "bold"))
    if (test := result["test"]) is not None:
        where = f"log line {result['ranking']['seq']}"
        if test["status"] != "ok":
            console.print(Text(f"  {result['ranking']['stimuli']}: not tested, {test['status']} ({where})"))
        else:
            console.print(
                Text(
                    f"  {result['ranking']['stimuli']}: effect {number(test['effect'])}, t {number(test['score'], 2)}, "
                    f"p {chance(test['p'])}, q {chance(test['q'])} (rank {test['rank']}, {where})"
                )
            )
    if (corpus := result["corpus"]) is not None:
        share = 100 * corpus["density"]
        most = number(corpus["maximum"], 2)
        console.print(Text(f"  active on {share:.2f} % of {corpus['tokens']:,} corpus tokens, at most {most}"))
        for example in corpus["examples"][:5]:
            console.print(
                Text("    ").append_text(heat(example["tokens"], example["values"], corpus["maximum"])), soft_wrap=True
            )
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
