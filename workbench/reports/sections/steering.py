"""Steering: word probabilities before and after, the dose-response, and the random control beside it."""

from __future__ import annotations

from functools import partial
from typing import Any

from workbench.figures import Figure
from workbench.reports.document import Block, Chart, Code, Column, Fold, Paragraph, Section, Table
from workbench.reports.source import ReportSource
from workbench.reports.text import nats, number, several
from workbench.session.log import LogLine

AGAINST = "Against what was expected, and further than any random feature"
OPEN = 12
"""Most watched words that are shown without being asked for."""
WANTED = {"raise": "up", "lower": "down"}


def steering_section(source: ReportSource) -> Section | None:
    """A subsection for each clamp in force."""
    inner: list[Block] = []
    for line in source.lines("steer.clamp"):
        title = f"Clamping {_short(str(line.params.get('feature', '')))} (line {line.seq})"
        inner.append(Section(title, f"steering-{line.seq}", source.blocks(line, partial(_steering, source))))
    return Section("What happens when it is turned up", "steering", inner) if inner else None


def _short(feature: str) -> str:
    return "#" + feature.rpartition("#")[2]


def _steering(source: ReportSource, line: LogLine) -> list[Block]:
    result = source.result(line)
    label = source.labels(str(result["feature"]).rpartition("#")[0]).get(int(result["index"]), "")
    named = f" (“{label}”)" if label else ""
    kl = sum(item["kl"] for item in result["prompts"]) / max(len(result["prompts"]), 1)
    about = (
        f"{named} was moved {number(float(result['strength']))} of the way to {number(result['value'])} on every token "
        f"of {several(len(result['prompts']), 'prompt')}; the largest activation seen is "
        f"{number(result['reference'])}. The prediction of the next token changed by "
        f"{number(kl)} nats (mean KL divergence)."
    )
    blocks: list[Block] = [Paragraph((Code(str(result["feature"])), about))]
    # the answer first: against controls, then how it grows, then word by word
    blocks += [_control(result, kl, line), *_beyond(result), *_dose(result, line), *_words(result, line)]
    blocks.append(Fold(f"Each of {several(len(result['prompts']), 'prompt')}", _prompts(result, line)))
    return blocks


def _words(result: dict[str, Any], line: LogLine) -> list[Block]:
    """Words over all prompts: arithmetic means of the probabilities, means of the log ratios."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for prompt in result["prompts"]:
        for word in prompt["words"]:
            found.setdefault((_named(word), str(word["group"])), []).append(word)
    rows = [_word_row(word, group, seen) for (word, group), seen in found.items()]
    columns = [
        Column("Word"), Column("Expected"), Column("P before", True), Column("P after", True),
        Column("Change (nats)", True), Column("Prompts as expected", True),
    ]  # fmt: skip
    caption = f"Watched words before and after clamping #{result['index']}, means over the prompts"
    table = Table(caption, columns, rows, line.seq)
    return [] if not rows else [table] if len(rows) <= OPEN else [Fold(f"All {len(rows)} watched words", [table])]


def _named(word: dict[str, Any]) -> str:
    """A watched word, with the token that stands for it where it has several."""
    several_tokens = word.get("pieces", 1) > 1
    return f"{word['word']} (its first token {word['token']!r})" if several_tokens else str(word["word"])


def _word_row(word: str, group: str, seen: list[dict[str, Any]]) -> tuple[str, ...]:
    def mean(key: str) -> float:
        return float(sum(item[key] for item in seen)) / len(seen)

    sign = 1 if group == "raise" else -1
    as_expected = sum(item["log_ratio"] * sign > 0 for item in seen)
    faint = all(item.get("faint") for item in seen)
    numbers = (number(mean("before")), number(mean("after")), nats(mean("log_ratio")))
    return word, WANTED.get(group, group), *numbers, "too unlikely" if faint else f"{as_expected} of {len(seen)}"


def _control(result: dict[str, Any], kl: float, line: LogLine) -> Table:
    control = result["control"]
    feature = (f"#{result['index']}", nats(result["raised"]), nats(result["lowered"]), number(kl))
    random = (
        str(control.get("what") or control.get("feature") or "random control"),
        nats(control["raised"]), nats(control["lowered"]), number(control["kl"]),
    )  # fmt: skip
    columns = [
        Column("What was added"), Column("Expected up (nats)", True), Column("Expected down (nats)", True),
        Column("KL (nats)", True),
    ]  # fmt: skip
    rows = [feature, *_random_rows(result), random]
    return Table(f"#{result['index']} against controls at strength {number(result['strength'])}", columns,
                 rows, line.seq)  # fmt: skip


def _random_rows(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """The least and the most that random features of equal norm do, number by number."""
    draws = (result.get("random_features") or {}).get("draws") or []
    rows: list[tuple[str, ...]] = []
    for name, pick in (("least", min), ("most", max)) if draws else ():
        found = {key: [draw[key] for draw in draws if draw[key] is not None] for key in ("raised", "lowered", "kl")}
        ends = {key: pick(values) if values else None for key, values in found.items()}
        what = f"{several(len(draws), 'random feature')} of equal norm, {name}"
        rows.append((what, nats(ends["raised"]), nats(ends["lowered"]), number(ends["kl"])))
    return rows


def _beyond(result: dict[str, Any]) -> list[Block]:
    """Which of the effects no random feature has as well."""
    names = {"raised": "the words expected up", "lowered": "the words expected down", "kl": "the prediction (KL)"}
    told, against = result.get("beyond") or {}, turned_round(result)
    groups = [
        ("Beyond control", [names[key] for key, outside in told.items() if outside]),
        (AGAINST, [names[key] for key in against]),
        ("Not beyond control", [names[key] for key, outside in told.items() if not outside and key not in against]),
    ]
    text = ". ".join(f"{words}: {', '.join(found)}" for words, found in groups if found)
    return [Paragraph((text + ".",))] if text else []


def turned_round(result: dict[str, Any]) -> list[str]:
    """The words, `raised` or `lowered`, that moved the other way than expected, further than with any random feature.

    A feature of the other side does that: it is an effect, though not the one that the words were chosen for.
    """
    draws = (result.get("random_features") or {}).get("draws") or []
    found = []
    for key, sign in (("raised", 1), ("lowered", -1)):
        others = [sign * draw[key] for draw in draws if draw[key] is not None]
        if others and result[key] is not None and sign * result[key] < min(others):
            found.append(key)
    return found


def _dose(result: dict[str, Any], line: LogLine) -> list[Block]:
    dose = result["dose"]
    series = {"expected up": "raised", "expected down": "lowered", "KL divergence": "kl"}
    known = {name: key for name, key in series.items() if all(item[key] is not None for item in dose)}
    figure = Figure(
        kind="curve",
        title=f"Dose-response of #{result['index']}",
        x_label="strength",
        y_label="nats",
        data={
            "x": [item["strength"] for item in dose],
            "series": {name: [item[key] for item in dose] for name, key in known.items()},
            **({"band": band} if (band := _band(dose, known)) else {}),
        },
    )
    draws = (result.get("random_features") or {}).get("draws") or []
    bands = f" Bands: least and most that {several(len(draws), 'random feature')} of equal norm do, no interval."
    caption = (
        f"Dose-response of #{result['index']}: mean change of log probability of the watched words, and KL divergence, "
        f"over {several(len(result['prompts']), 'prompt')}.{bands if 'band' in figure.data else ''}"
    )
    return [Chart(figure, line.seq, caption)] if dose else []


def _band(dose: list[dict[str, Any]], known: dict[str, str]) -> dict[str, list[list[float]]]:
    """Least and most that random features do at each strength, by series; empty where none were drawn."""
    controls = [item.get("control") or {} for item in dose]
    return {
        name: [[control[key][0], control[key][2]] for control in controls]
        for name, key in known.items()
        if all(control.get(key) for control in controls)
    }


def _prompts(result: dict[str, Any], line: LogLine) -> list[Block]:
    blocks: list[Block] = []
    for prompt in result["prompts"]:
        moved = [*zip(prompt["up"], prompt["down"], strict=False)]
        rows = [((Code(str(up[0])),), _change(up), (Code(str(down[0])),), _change(down)) for up, down in moved]
        same = "; the logits are bit-identical" if prompt["identical"] else ""
        about = (
            f": KL {number(prompt['kl'])} nats, largest change of a logit {number(prompt['max_logit_change'])}{same}."
        )
        blocks.append(Paragraph((Code(str(prompt["prompt"])), about)))
        columns = [Column("Gained most"), Column("P", True), Column("Lost most"), Column("P", True)]
        blocks.append(Table(f"Next token after “{prompt['prompt']}”", columns, rows, line.seq))
        blocks += [
            Paragraph((f"Continued {when}: ", Code(str(prompt[f"text_{key}"]))))
            for when, key in (("without the clamp", "before"), ("with it", "after"))
            if prompt.get(f"text_{key}")
        ]
    return blocks


def _change(moved: list[Any]) -> str:
    return f"{number(moved[1])} → {number(moved[2])}"
