"""Steering and generation as tables."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from commands.render.tables import Result, number, percent, table, token_name, visible


def steer(result: Result, console: Console) -> None:
    """What the intervention did, beside its controls."""
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
        curve = " ".join(f"{token_name(token).strip()}[{number(value, 2)}]" for token, value in pairs)
        console.print(Text(f"  KL:      {curve}"), soft_wrap=True)
        for name, moved in (("up", prompt.get("up", [])), ("down", prompt.get("down", []))):
            if moved and not prompt["identical"]:
                console.print(Text(f"  {name + ':':<8} {_moved(moved)}"), soft_wrap=True)
        if "text_after" in prompt:
            console.print(Text(f"  plain:   {visible(prompt['text_before'])}", "dim"))
            console.print(Text(f"  changed: {visible(prompt['text_after'])}"))
    console.print()


def _moved(moved: list[tuple[str, float, float]], count: int = 5) -> str:
    """The next tokens whose probability moved most: with no watched words they are all that a clamp says."""
    return ", ".join(
        f"{token_name(token).strip()} {percent(before)} to {percent(after)}" for token, before, after in moved[:count]
    )


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
    table(console, [(name, True) for name in names], rows, title)


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
        rows.append([word["word"], expected, number(before, 4), number(after, 4), ratio, _note(word)])
    if rows:
        columns = [
            ("word", False),
            ("expected", False),
            ("before", True),
            ("after", True),
            ("ratio", True),
            ("", False),
        ]
        title = f"probability of the next token, mean of {len(prompts)} prompts (six words a side; --json has all)"
        table(console, columns, rows, title)


def _note(word: dict[str, Any]) -> str:
    """What a reader must know of a watched word; results of older versions say nothing."""
    parts = [f"its first token {word['token']!r}"] if word.get("pieces", 1) > 1 else []
    return ", ".join([*parts, "too unlikely to count"] if word.get("faint") else parts)


def _first_of_each_group(words: list[dict[str, Any]], count: int = 6) -> list[dict[str, Any]]:
    """The first words of each group: enough to see which way the prediction moved."""
    groups = list(dict.fromkeys(word["group"] for word in words))
    return [word for group in groups for word in [item for item in words if item["group"] == group][:count]]


def generated(result: Result, console: Console) -> None:
    """A prompt and what the model wrote after it."""
    console.print(Text(visible(result["prompt"]), "dim").append(visible(result["text"]), "not dim"), soft_wrap=True)
    if result["ended"]:
        console.print(Text(f"(ended by itself after {len(result['tokens'])} tokens)", "dim"))
