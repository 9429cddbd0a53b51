"""Rankings and single features as tables."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.corpora import sliced
from commands.render.rsa import rsa
from commands.render.tables import LEVELS, ONE_MORE, Result, chance, finer_q, number, table, visible

NARROW = 100
"""Below this width the less needed effect sizes are left out."""
VALUE_MARK = "◂"
MAP_NAMES, MAP_GAP = 10, 2
"""Cells of the first column of a map and of the gap before each place."""
SIZES = {"auc": "auc", "rate_difference": "rate"}
"""Effect sizes that a ranking may lack (a factorial one, a probe), and their columns, shown where there are numbers."""
MATCHED = 11
"""Columns of a replication without those of the match."""
MIRRORED = 1.5
"""Least p times labellings: 1, or 2 where the extreme one comes twice."""
SYMBOLS = {"welch": "t", "paired": "paired t", "mann_whitney": "z", "rate": "t", "factorial": "t"}


def ranking(result: Result, console: Console) -> None:
    """A ranking: what was tested, what was found, and its rows."""
    head = result.get("ranking", result)
    if head.get("kind") == "rsa":
        rsa(result, console)
        return
    console.print(
        Text(visible(f"{head['stimuli']}: {head['positive']} against {head['against']}; {_how(head)}"), "bold")
    )
    console.print(
        Text(
            f"{head['discoveries']} of {head['tested']} features at q < {head['alpha']}; shuffled labels find "
            f"{number(head['null_discoveries'], 0)} (median), {head['null_discoveries_max']} (most) of 20 shuffles; "
            f"{head['undefined']} undefined{_left_out(head)}; {head['space']}"
        )
    )
    ranked_rows(result["rows"][:20], str(head["statistic"]), console, floor_of(head))
    if len(result["rows"]) > 20:
        console.print(Text(f"20 of {len(result['rows'])} rows given (--json has them all; `features list` pages)"))
    for effect in result.get("effects") or []:
        _effect(effect, head, console)
    if result.get("map"):
        contrast_map(result["map"], head, console)


def ranked_rows(rows: list[dict[str, Any]], statistic: str, console: Console, floor: str = ONE_MORE) -> None:
    """Rows of a ranking with their tests and effect sizes."""
    wide = console.width >= NARROW
    symbol = SYMBOLS.get(statistic, "score")
    known = {key: name for key, name in SIZES.items() if wide and any(row.get(key) is not None for row in rows)}
    d = size_of(rows)
    names = ["rank", "feature", "effect", d, symbol, "p", "fwer", "q", *known.values()]
    columns = [(name, True) for name in names] + [("", False)]
    table(console, columns, [_cells(row, d, known) for row in rows])
    finer_q(rows, console, floor)


def size_of(rows: list[dict[str, Any]]) -> str:
    """The standardised effect of some rows: d_z where pairs were tested, else Cohen's d."""
    return "d_z" if any(row.get("d_z") is not None for row in rows) else "d"


def _cells(row: dict[str, Any], d: str, known: Iterable[str]) -> list[Any]:
    return [
        f"{row['rank']}=" if row["tie"] else row["rank"], f"#{row['index']}", number(row["effect"]),
        number(row[d], 2), number(row["score"], 2), chance(row["p"]), chance(row["p_fwer"]), chance(row["q"]),
        *(_two(row.get(key)) for key in known), row["label"],
    ]  # fmt: skip


def _two(value: float | None) -> str:
    """A share with two digits, however small."""
    return "-" if value is None else f"{value:.2f}"


def _how(head: dict[str, Any]) -> str:
    """The test of a ranking in one line."""
    window = "" if head.get("window", "whole") == "whole" else f" of {head['window']} {head['width'] or ''}".rstrip()
    pairs = f", {head['pairs']['whole']} matched items" if head.get("pairs") else ""
    rule = ", q by Benjamini-Yekutieli" if head.get("fdr") == "by" else ""
    drawn = f"all {head['relabellings']} relabellings" if counted(head) else f"{head['permutations']} permutations"
    return f"{head['statistic']} on {head['pool']}{window}, {drawn}{pairs}{rule}, seed {head['seed']}"


def counted(head: dict[str, Any]) -> bool:
    """Whether a contrast counted every relabelling there is."""
    return bool(head.get("exhaustive") and head.get("relabellings"))


def mirrored(head: dict[str, Any]) -> bool:
    """Whether one of the relabellings counted is the mirror image of the real labels, which has the same |t|."""
    least = head.get("min_p")
    return counted(head) and least is not None and least * (head["relabellings"] + 1) > MIRRORED


def floor_of(head: dict[str, Any]) -> str:
    """The least p of a ranking, in words."""
    if not mirrored(head):
        return ONE_MORE
    others = head["relabellings"]
    return f"{number(head['min_p'], 4)} = 2 / ({others} + 1), as a labelling and its mirror image give the same |t|"


def _left_out(head: dict[str, Any]) -> str:
    """Sentences that a window or a missing match takes out."""
    masked = sum((head.get("masked") or {}).values())
    alone = (head.get("pairs") or {}).get("left_out", 0)
    return (f"; {masked} sentences masked" if masked else "") + (
        f"; {alone} sentences without a match" if alone else ""
    )


def _effect(effect: dict[str, Any], head: dict[str, Any], console: Console) -> None:
    """One effect of a factorial design."""
    console.print(
        Text(
            visible(
                f"{effect['name']}: {effect['discoveries']} of {effect['tested']} at q < {head['alpha']}; shuffles "
                f"find {number(effect['null_discoveries'], 0)} (median), {effect['null_discoveries_max']} (most)"
            ),
            "bold",
        )
    )
    ranked_rows(effect["best"], "factorial", console)


def contrast_map(result: dict[str, Any], head: dict[str, Any], console: Console) -> None:
    """A contrast place by place: t of the features with the strongest cells, `*` where the family-wise p is small."""
    console.print(
        Text(
            f"{SYMBOLS.get(head['statistic'], 'score')} by {result['over']}; * family-wise p < {head['alpha']} over "
            f"all {result['tested']} cells ({result['family_wise']} such cells, {result['discoveries']} at "
            f"q < {head['alpha']}, {result['undefined']} undefined)",
            "bold",
        )
    )
    if said := result.get("quantity"):
        console.print(Text(f"each cell tests {said}"))
    names = [place.removesuffix(".hook_resid_post") for place in result["places"]]
    cells = [[_map_cell(t, p, head["alpha"]) for t, p in zip(row["t"], row["p_fwer"], strict=True)]
             for row in result["features"]]  # fmt: skip
    counts = [f"{count} " for count in result["sentences"]]
    widths = [max(len(text) for text in texts) for texts in zip(names, counts, *cells, strict=True)]
    for part in _beside(widths, console.width - MAP_NAMES):
        columns = [("feature", True), *((name, True) for name in names[part])]
        rows = [[f"#{row['index']}", *line[part]] for row, line in zip(result["features"], cells, strict=True)]
        table(console, columns, [["sentences", *counts[part]], *rows])


def _map_cell(t: float | None, p: float | None, alpha: float) -> str:
    """A statistic with its star; the place of the star is kept where there is none, so that numbers stand in line."""
    return number(t, 1) + ("*" if p is not None and p < alpha else " ")


def _beside(widths: list[int], room: int) -> list[slice]:
    """The places that fit beside each other, as many tables as it takes: a cut cell would lose its star."""
    parts, start, used = [], 0, 0
    for at, width in enumerate(widths):
        if at > start and used + width + MAP_GAP > room:
            parts.append(slice(start, at))
            start, used = at, 0
        used += width + MAP_GAP
    return [*parts, slice(start, len(widths))]


def stored_map(result: Result, console: Console) -> None:
    """A stored map with what it is a map of."""
    head = result["ranking"]
    console.print(
        Text(visible(f"{head['stimuli']}: {head['positive']} against {head['against']}; {_how(head)}"), "bold")
    )
    contrast_map(result["map"], head, console)


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


def why(result: Result, console: Console) -> None:
    """Where a feature's numbers come from, with the histogram of its null."""
    test, null, count = result["test"], result["null"], result["n"]
    label = f"  “{visible(test['label'])}”" if test["label"] else ""
    console.print(Text(f"{result['feature']}{label}", "bold"))
    console.print(Text(visible(result["definition"])))
    pairs = f", {count['pairs']} pairs" if count["pairs"] else ""
    console.print(Text(visible(f"n: {counted_sides(result)}, {count['masked']} masked{pairs}")))
    if null is None:
        kept = "the units of a set are not stored one by one: its null is not drawn again"
        console.print(Text(kept if test["status"] == "ok" else f"not tested: {test['status']}"))
    else:
        d = size_of([test])
        size = "" if test[d] is None else f", {d} {number(test[d], 2)}"
        observed = f"observed: {null.get('of', 't')} {number(test['score'], 2)}, effect {number(test['effect'])}{size}"
        console.print(Text(f"{observed} (rank {test['rank']} of {result['ranking']['tested']})", "bold"))
        for line in null_lines(null, min(console.width - 22, 60)):
            console.print(Text(line))
        share = f"({null['exceeding']} + 1) / ({null['draws']} + 1)"
        console.print(Text(f"p {chance(test['p'])} = {share}, {drawn(result)}"))
        console.print(
            Text(
                f"fwer {chance(test['p_fwer'])}: the same with the largest {null.get('of', '|t|')} of all "
                f"{result['ranking']['tested']} features in each shuffle"
            )
        )
        console.print(
            Text(
                f"q {chance(test['q'])} (expected share of false ones when it is reported): {result['tail']['source']}"
            )
        )
    console.print(Text(f"from: {provenance_line(result['provenance'])}", "dim"))
    console.print(Text(f":{visible(result['line'])}"))


def counted_sides(result: Result) -> str:
    """How many sentences each side has, by the names of the sides; a model of many categories has no sides."""
    count = result["n"]
    categories = count.get("categories")
    if not count["positive"]:
        return f"{count['rest']:,} sentences" + (f" of {categories} categories" if categories else "")
    one, other = result.get("sides") or ("positive", "others")
    told = f"{count['positive']:,} {one}, {count['rest']:,} {other}"
    return told + (f" ({categories} categories)" if categories else "")


def drawn(result: Result) -> str:
    """What the draws of a feature's null are, and whether they are all there are."""
    null, shuffled = result["null"], result.get("shuffled", "labellings")
    if not null["exhaustive"]:
        return f"{null['draws']:,} random {shuffled}"
    mirror = "; the mirror image of the real one is among them and gives the same |t|"
    return f"all the {shuffled} there are" + (mirror if mirrored(result["ranking"]) else "")


def null_lines(null: dict[str, Any], width: int, rows: int = 12) -> list[str]:
    """The histogram turned on its side: one line for each stretch of |t|, `◄` where the observed one falls."""
    edges, counts = null["edges"], null["counts"]
    step = -(-len(counts) // rows)
    bars = [sum(counts[at : at + step]) for at in range(0, len(counts), step)]
    most = max([*bars, 1])
    found = []
    for at, count in enumerate(bars):
        low, high = edges[at * step], edges[min((at + 1) * step, len(edges) - 1)]
        here = low <= null["observed"] < high
        bar = "█" * round(count / most * width) or ("▏" if count else "")
        found.append(f"{number(low, 2):>7} {count:>6} {bar}{' ◄ observed' if here else ''}")
    if null["observed"] >= edges[-1]:
        found.append(f"{number(null['observed'], 2):>7}        ◄ observed, beyond every shuffle")
    return found


def provenance_line(provenance: dict[str, Any]) -> str:
    """Model, features, seed and version in one line."""
    parts = []
    for name in ("model", "sae", "stimuli"):
        if isinstance(entry := provenance.get(name), dict):
            digest = str(entry.get("digest") or "")
            shown = digest.removeprefix("sha256:")[:12]
            parts.append(f"{name} {entry.get('ref') or entry.get('name') or ''} {shown}".rstrip())
    parts += [f"{name} {provenance[name]}" for name in ("seed", "version") if name in provenance]
    return visible(", ".join(parts))


def replication(result: Result, console: Console) -> None:
    """Two rankings beside each other: what held and what did not."""
    first, second, found = result["first"], result["second"], result["agreement"]
    changed = "; ".join(result["changed"])
    console.print(Text(visible(f"{first['stimuli']} (log line {first['seq']}) once more: {changed}"), "bold"))
    for name, head in (("first", first), ("second", second)):
        console.print(
            Text(
                visible(f"{name}: {head['discoveries']} of {head['tested']} at q < {head['alpha']}; shuffles find ")
                + f"{number(head['null_discoveries'], 0)} (median), {head['null_discoveries_max']} (most)"
            )
        )
    console.print(Text(f"features matched by {result['match']['by']}{_match_quality(result['match'])}"))
    console.print(
        Text(
            f"{result['held']} of {found['first']} discoveries held, {_lost(result)}, {result['reversed']} "
            f"reversed, {result['not_testable']} not testable; {len(result['new'])} new ones named below",
            "bold",
        )
    )
    if result["lost"] and "gone" in result:
        console.print(Text("gone: the interval of the second effect excludes the first; not powered: it holds it"))
    console.print(
        Text(
            f"rank correlation of {found['compared']} scores {number(found['rank_correlation'], 3)}, of the first's "
            f"discoveries {number(found['of_discoveries'], 3)}; {found['both']} discovered twice, by chance "
            f"{number(found['expected'], 1)} (hypergeometric p {chance(found['p'])}, as if features were independent)"
        )
    )
    d = size_of([row["first"] for row in result["rows"]])
    columns = [("feature", True), ("t", True), (d, True), ("q", True), ("again", True), ("t", True), (d, True),
               ("95 %", True), ("q", True), ("r", True), ("cos", True), ("", False), ("", False)]  # fmt: skip
    if not result["match"]["reciprocal"]:  # the same features have no r and no cosine to show
        columns = [column for column in columns if column[0] not in ("r", "cos")]
    table(console, columns, [_replicated(row, d, len(columns)) for row in result["rows"][:20]])
    if result["new"]:
        rows = [
            [f"#{row['index']}", number(row["score"], 2), number(row["d"], 2), chance(row["q"])]
            for row in result["new"]
        ]
        table(console, [("new", True), ("t", True), ("d", True), ("q", True)], rows)


def _match_quality(match: dict[str, Any]) -> str:
    if match["reciprocal"] is None:
        return ""
    cosine = "" if match["cosine"] is None else f", median cosine {number(match['cosine'], 2)}"
    return (
        f": {match['pairs']} pairs, {match['reciprocal']} of them each other's best, median correlation "
        f"{number(match['correlation'], 2)}{cosine}"
    )


def _lost(result: Result) -> str:
    """What was not found again; results of an older version do not tell why."""
    if "gone" not in result:
        return f"{result['lost']} lost"
    return f"{result['gone']} gone, {result['not_powered']} not powered to tell"


def _replicated(row: dict[str, Any], d: str, width: int) -> list[Any]:
    one, two, match = row["first"], row["second"] or {}, row["match"] or {}
    again = f"#{two['index']}" if two else "-"
    low, high = two.get("interval") or (None, None)
    matched = [number(match.get("correlation"), 2), number(match.get("cosine"), 2)] if width > MATCHED else []
    return [
        f"#{row['index']}", number(one["score"], 2), number(one.get(d), 2), chance(one["q"]), again,
        number(two.get("score"), 2), number(two.get(d), 2),
        "-" if low is None else f"[{number(low, 2)}, {number(high, 2)}]", chance(two.get("q")),
        *matched, row["outcome"], row["label"],
    ]  # fmt: skip


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
