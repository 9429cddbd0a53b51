"""Replies as tables for people: rich on stdout, plain where it is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

Result = dict[str, Any]
LEVELS = ("", "dim", "", "bold", "bold underline", "bold reverse")
"""Styles of heat levels 0 to 5: never colour alone, so that it survives a pipe, a light theme and a print."""


def render(reply: dict[str, Any]) -> None:
    """Print a reply."""
    piped = None if sys.stdout.isatty() else 120
    console = Console(highlight=False, markup=False, emoji=False, width=piped)
    if gate := reply["provenance"].get("gate"):
        console.print(Text(visible(gate["text"]), "dim" if gate["passed"] else "bold"))
    draw = _DRAWERS.get(reply["command"], _generic)
    draw(reply["result"], console)


def visible(text: str) -> str:
    """Text with control and direction characters made visible; tokens come from anywhere."""
    return "".join(letter if letter.isprintable() else _named(letter) for letter in text)


def _named(letter: str) -> str:
    return {"\n": "↵", "\t": "→", "\r": "␍"}.get(
        letter, f"\\x{ord(letter):02x}" if ord(letter) < 256 else f"\\u{ord(letter):04x}"
    )


def number(value: float | None, digits: int = 3) -> str:
    """A number for a table: `-` where undefined, `inf` for a separation without variance."""
    if value is None:
        return "-"
    if abs(value) > 1e300:
        return "inf" if value > 0 else "-inf"
    if value != 0 and abs(value) < 10 ** (-digits):
        return f"{value:.1e}"
    return f"{value:.{digits}f}"


def chance(value: float | None) -> str:
    """A p or q value; nothing finer than 1e-9, beyond which it is a formula's word alone."""
    return "<1e-9" if value is not None and value < 1e-9 else number(value, 4)


def _table(console: Console, columns: list[tuple[str, bool]], rows: list[list[Any]], title: str = "") -> None:
    if title:
        console.print(Text(visible(title)))  # not the table's own title, which wraps at the table's width
    table = Table(box=None, pad_edge=False)
    for name, numeric in columns:
        table.add_column(Text(name), justify="right" if numeric else "left", no_wrap=numeric, overflow="ellipsis")
    for row in rows:
        table.add_row(*[cell if isinstance(cell, Text) else Text(visible(str(cell))) for cell in row])
    console.print(table)
    console.print()


def _generic(result: Result, console: Console) -> None:
    for key, value in result.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            columns = [(name, isinstance(value[0][name], (int, float))) for name in value[0]]
            _table(console, columns, [[_cell(cell) for cell in item.values()] for item in value], key)
        elif isinstance(value, list):
            console.print(Text(f"{key}: {visible(', '.join(str(item) for item in value)) or 'none'}"))
        elif isinstance(value, dict):
            console.print(
                Text(f"{key}: " + visible(", ".join(f"{name} {_cell(item)}" for name, item in value.items())))
            )
        else:
            console.print(Text(f"{key}: {visible(_cell(value))}"))


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("message") or ", ".join(f"{name} {_cell(item)}" for name, item in value.items()))
    if isinstance(value, bool) or value is None:
        return "-" if value is None else "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)


def _sessions(result: Result, console: Console) -> None:
    rows = [
        [row["name"], row["commands"], row["model"] or "-", row["sae"] or "-", row["changed"],
         ("example" if row["example"] else "") or (f"fork of {row['forked_from']}" if row["forked_from"] else "")]
        for row in result["sessions"]
    ]  # fmt: skip
    columns = [
        ("session", False),
        ("commands", True),
        ("model", False),
        ("features", False),
        ("changed", False),
        ("", False),
    ]
    _table(console, columns, rows, f"sessions in {result['folder']}")


def _session(result: Result, console: Console) -> None:
    console.print(Text(f"{result['name']}: {visible(result['title'])}", "bold"))
    for name in ("model", "sae", "index"):
        value = result[name]
        text = (
            "none"
            if value is None
            else str(value.get("name") or f"{value.get('corpus')}, {value.get('tokens')} tokens")
        )
        console.print(Text(f"  {name:<6} {visible(text)}"))
    if gate := result["gate"]:
        console.print(Text(f"  {'':<6} {visible(gate['text'])}", "" if gate["passed"] else "bold"))
    rows = [
        [row["seq"], f":{row['line']}", row["outcome"] if not row["withdrawn"] else "withdrawn",
         "stale" if row["stale"] else "", number(row["seconds"], 2)]
        for row in result["log"]
    ]  # fmt: skip
    _table(console, [("#", True), ("command", False), ("outcome", False), ("", False), ("seconds", True)], rows)
    if result["notes"]:
        console.print(Text(visible(result["notes"].strip()).replace("↵", "\n")))


def _sets(result: Result, console: Console) -> None:
    rows = [
        [row["name"], row["origin"], sum(row["categories"].values()), len(row["categories"]), row["positive"] or "-",
         row["description"]]
        for row in result["sets"]
    ]  # fmt: skip
    columns = [
        ("set", False),
        ("origin", False),
        ("sentences", True),
        ("categories", True),
        ("positive", False),
        ("", False),
    ]
    _table(console, columns, rows)


def _set(result: Result, console: Console) -> None:
    counts = ", ".join(f"{name} {count}" for name, count in result["categories"].items())
    console.print(Text(visible(f"{result['name']}: {counts}; positive: {result['positive'] or 'none'}"), "bold"))
    rows = [[row["category"], row["text"]] for row in result["rows"]]
    _table(console, [("category", False), ("sentence", False)], rows)
    if result["offset"] + len(rows) < result["total"]:
        console.print(Text(f"{len(rows)} of {result['total']} (--offset, --limit)"))


def _ranking(result: Result, console: Console) -> None:
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
    _table(console, columns, rows)
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


def _feature(result: Result, console: Console) -> None:
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


def _steer(result: Result, console: Console) -> None:
    where = "" if result["positions"] == "all" else f", at positions {visible(result['positions'])}"
    of = f" (mean of {visible(result['mean_of'])})" if result["mean_of"] else ""
    for item in result["features"]:
        seen = f" (largest seen {number(item['reference'], 2)})" if result["mode"] in ("set", "add") else ""
        head = (
            f"{visible(item['feature'])} {result['mode']} {number(item['value'], 2)}{seen if item['reference'] else ''}"
        )
        console.print(Text(f"{head}{of}, strength {result['strength']:g}{where}", "bold"))
    _dose(result, console)
    _steered_words(result["prompts"], console)
    for prompt in result["prompts"]:
        same = ", no bit changed" if prompt["identical"] else ""
        changed = f"moved by {number(prompt['relative_norm'], 2)} of |x|"
        console.print(Text(f"{visible(prompt['prompt'])}  (KL {number(prompt['kl'])} nats, {changed}{same})"))
        pairs = zip(prompt["tokens"], prompt["kl_by_position"], strict=True)
        curve = " ".join(f"{visible(token).strip()}[{number(value, 2)}]" for token, value in pairs)
        console.print(Text(f"  KL:      {curve}"), soft_wrap=True)
        if "text_after" in prompt:
            console.print(Text(f"  plain:   {visible(prompt['text_before'])}", "dim"))
            console.print(Text(f"  changed: {visible(prompt['text_after'])}"))
    console.print()


def _dose(result: Result, console: Console) -> None:
    """The dose-response with what random features of equal norm do, from the least to the most, and a direction."""
    rows = []
    for item in result["dose"]:
        cells = [number(item["strength"], 2)]
        for key in ("raised", "lowered", "kl"):
            band = (item["control"] or {}).get(key)
            cells += [number(item[key]), f"{number(band[0], 2)} to {number(band[2], 2)}" if band else "-"]
        rows.append(cells)
    control = result["control"]
    alone = [number(control[key]) for key in ("raised", "lowered", "kl")]
    rows.append(["direction", "", alone[0], "", alone[1], "", alone[2]])
    names = ("strength", "expected up", "random", "expected down", "random", "KL", "random")
    draws = len((result["random_features"] or {}).get("draws", []))
    title = (
        f"mean change of log probability (nats); random: {draws} random features that fire, scaled to the same norm; "
        f"direction: a random direction of that norm at strength {result['strength']:g}"
    )
    _table(console, [(name, True) for name in names], rows, title)


def _steered_words(prompts: list[dict[str, Any]], console: Console) -> None:
    """Probabilities of the watched words, averaged over the prompts."""
    rows = []
    for place, word in enumerate(prompts[0]["words"]):
        if word not in _first_of_each_group(prompts[0]["words"]):
            continue
        before = sum(prompt["words"][place]["before"] for prompt in prompts) / len(prompts)
        after = sum(prompt["words"][place]["after"] for prompt in prompts) / len(prompts)
        ratio = f"x{after / before:.2f}" if before > 0 else "-"
        expected = "up" if word["group"] == "raise" else "down"
        rows.append([word["word"], expected, f"{before:.4f}", f"{after:.4f}", ratio])
    if rows:
        columns = [("word", False), ("expected", False), ("before", True), ("after", True), ("ratio", True)]
        title = f"probability of the next token, mean of {len(prompts)} prompts (six words a side; --json has all)"
        _table(console, columns, rows, title)


def _first_of_each_group(words: list[dict[str, Any]], count: int = 6) -> list[dict[str, Any]]:
    """The first words of each group: enough to see which way the prediction moved."""
    groups = list(dict.fromkeys(word["group"] for word in words))
    return [word for group in groups for word in [item for item in words if item["group"] == group][:count]]


def _generated(result: Result, console: Console) -> None:
    console.print(Text(visible(result["prompt"]), "dim").append(visible(result["text"]), "not dim"), soft_wrap=True)
    if result["ended"]:
        console.print(Text(f"(ended by itself after {len(result['tokens'])} tokens)", "dim"))


def _labels(result: Result, console: Console) -> None:
    rows = [
        [f"#{row['index']}", row["text"] or f"({row['status']})", row.get("source", result.get("labeller", ""))]
        for row in result["labels"]
    ]
    _table(console, [("feature", True), ("label", False), ("from", False)], rows)


def _clusters(result: Result, console: Console) -> None:
    clusters = result["largest"] if "largest" in result else result["clusters"]
    rows = [
        [
            item["cluster"],
            item["size"],
            number(item["cosine"], 2),
            " ".join(f"#{feature}" for feature in item["features"][:8]),
            "; ".join(item.get("labels", [])),
        ]
        for item in clusters[:20]
    ]
    settings = f"k {result['k']}, tau {result['tau']}"
    title = f"clusters of decoder directions ({settings}); {result['singletons']} features stand alone"
    _table(
        console, [("#", True), ("size", True), ("cosine", True), ("features", False), ("labels", False)], rows, title
    )


def _cost(result: Result, console: Console) -> None:
    trainings = f"{result['trainings']} trainings of" if result["trainings"] > 1 else "a training of"
    sets = "recorded already" if result["recorded"] else "to be recorded first"
    lines = [
        f"{trainings} {result['steps']:,} steps: {result['architecture']}, {result['latents']} latents at "
        f"{result['site']}, {result['activations']:,} activations of {visible(result['corpus'])} ({sets})",
        f"  time    {result['seconds']:,.0f} s",
        f"  memory  {result['memory_bytes'] / 1e6:,.0f} MB at most, the model and its libraries included",
        f"  disk    {result['disk_bytes'] / 1e6:,.0f} MB",
        "Nothing was done (--dry-run).",
    ]
    for line in lines:
        console.print(Text(line))


def _trained(result: Result, console: Console) -> None:
    if result.get("dry_run"):
        _cost(result, console)
        return
    console.print(Text(f"{visible(result['name'])}: {_kind(result)}", "bold"))
    lines = [
        f"  site         {result['site']}, {result['width']} units",
        f"  trained on   {result['activations'] - result['validation_rows']:,} activations of "
        f"{visible(result['corpus'])}, {result['steps']} steps of {result['batch']}",
        f"  validation   FVU {number(result['fvu'])}, loss {number(result['loss'])}, L0 {number(result['l0'], 1)} "
        f"on {result['validation_rows']:,}",
        f"  dead         {result['dead']} of {result['latents']} latents in the last "
        f"{result['dead_window']:,} tokens of training",
    ]
    gate = result["gate"]
    lines.append(f"  sanity gate  {'passed' if gate['passed'] else ', '.join(item['name'] for item in gate['alarms'])}")
    if result["stopped"]:
        lines.append(f"  {result['stopped']}")
    for line in lines:
        console.print(Text(line))
    curve = result["curve"]
    picked = [curve[at * (len(curve) - 1) // 9] for at in range(10)] if len(curve) > 10 else curve
    rows = [
        [point["step"], number(point["loss"]), number(point["fvu"]), number(point["l0"], 1), point["dead"],
         "-" if point["k"] is None else point["k"]]
        for point in picked
    ]  # fmt: skip
    _table(console, [(name, True) for name in ("step", "loss", "FVU", "L0", "dead", "k")], rows)


def _kind(result: Result) -> str:
    if result["k"] is None:
        return f"{result['architecture']}, {result['latents']} latents, penalty {number(result['sparsity'])}"
    start = f" from {result['k_start']}" if result["schedule"] else ""
    return f"{result['architecture']}, {result['latents']} latents, k {result['k']}{start}"


def _sweep(result: Result, console: Console) -> None:
    if result.get("dry_run"):
        _cost(result, console)
        return
    rows = [
        [row["k"] if row["k"] is not None else number(row["sparsity"]),
         f"from {row['k_start']}" if row["schedule"] else "fixed" if row["k"] is not None else "",
         number(row["loss"]), number(row["fvu"], 4), number(row["l0"], 1), row["dead"], row["silent"]]
        for row in result["rows"]
    ]  # fmt: skip
    first = "k" if result["rows"][0]["k"] is not None else "penalty"
    columns = [(first, True), ("schedule", False), ("validation loss", True), ("FVU", True), ("L0", True)]
    title = (
        f"{result['architecture']}, {result['latents']} latents at {result['site']}, {result['activations']:,} tokens"
    )
    _table(console, [*columns, ("dead", True), ("silent", True)], rows, title)
    told = f"dead: silent for the last {result['dead_window']:,} tokens of training; silent: on all validation rows"
    console.print(Text(told, "dim"))
    if result["verdict"]:
        console.print(Text(result["verdict"]))


def _sae(result: Result, console: Console) -> None:
    if "name" in result:
        console.print(Text(f"{visible(result['name'])}: {result['width']} {result['units']}", "bold"))
    gate = result["gate"]
    if gate is None or not gate["checked"]:
        return
    numbers = gate["numbers"]
    norms, bos = numbers["decoder_norm"], numbers.get("bos")
    rows = [
        ["FVU", number(numbers["fvu"], 4), "variance unexplained"],
        ["L0", number(numbers["l0"], 1), "latents active on a token"],
        ["dead", number(100 * numbers["dead"], 1) + " %", f"never fired on {numbers['tokens']:,} tokens"],
        ["CE recovered", number(gate["ce"], 4), "1: nothing lost, 0: no better than the mean"],
        ["shrinkage", number(numbers["shrinkage"]), "size of the reconstruction, 1 is right"],
        ["decoder norms", number(norms["median"]), f"{number(norms['min'])} to {number(norms['max'])}"],
        ["input scale", number(numbers["scale"]["best"], 2), "fits best, 1 is right"],
    ]
    rows += [["FVU", number(layer["fvu"], 4), f"at {layer['site']}"] for layer in numbers["layers"]]
    if bos is not None:
        rows.append(["FVU", number(bos["fvu_other"], 4), f"{'without' if bos['read'] else 'with'} BOS"])
    _table(console, [("", False), ("", True), ("", False)], rows, f"measured on the corpus {gate['corpus']}")
    for item in gate["skipped"]:
        console.print(Text(f"  not measured: {visible(item['name'])} ({visible(item['reason'])})"))


def _replay(result: Result, console: Console) -> None:
    for item in result["recorded"]:
        console.print(Text(f"  line {item['seq']} {item['do']}: from the record ({item['reason']})"))
    for item in result["differences"]:
        console.print(
            Text(
                visible(f"  line {item['seq']} {item['field']}: recorded {item['recorded']}, now {item['recomputed']}")
            )
        )
    verdict = "all equal" if result["equal"] else f"{len(result['differences'])} differences"
    console.print(Text(f"{result['recomputed']} of {result['total']} recomputed, {verdict}", "bold"))


_DRAWERS: dict[str, Callable[[Result, Console], None]] = {
    "sae.load": _sae,
    "sae.check": _sae,
    "session.list": _sessions,
    "session.show": _session,
    "sae.train": _trained,
    "sae.sweep": _sweep,
    "model.generate": _generated,
    "stimuli.list": _sets,
    "stimuli.show": _set,
    "stimuli.import": _set,
    "features.contrast": _ranking,
    "features.list": _ranking,
    "features.show": _feature,
    "steer.clamp": _steer,
    "labels.suggest": _labels,
    "labels.show": _labels,
    "clusters.find": _clusters,
    "clusters.list": _clusters,
    "replay": _replay,
}
