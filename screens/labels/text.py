"""What is told of a label: its scores with their baselines, its rating, and where it is from."""

from __future__ import annotations

from typing import Any

from screens import verbs

NAMES = {"clusters": "cluster", "quanta": "quantum"}
"""What one of them is called, where a label is not of a feature."""
NOTHING = {"silent": "does not fire where labels are made from", "nothing stands out": "nothing stands out"}


def nothing_suggested(verb: verbs.Verb, result: dict[str, Any]) -> str:
    """What is said where labels were asked for and none came of it; empty where one did."""
    rows = result.get("labels") or []
    if verb.dotted != "labels.suggest" or not rows or any(row["status"] not in NOTHING for row in rows):
        return ""
    if len(rows) > 1:
        return f"nothing stands out for any of the {len(rows)}: l labels one in your words"
    of, index = str(result.get("of", "")), rows[0]["index"]
    name = f"{NAMES[of]} {index}" if of in NAMES else f"#{index}"
    return f"{name}: {NOTHING[rows[0]['status']]}; l labels it in your words"


def best_score(scores: list[dict[str, Any]]) -> str:
    """The first score in a few letters: a model's before one by words alone, which says so."""
    ranked = sorted(scores, key=lambda score: (score["scorer"] == "offline", score["protocol"], score["negatives"]))
    if not ranked:
        return ""
    mark = " by words" if ranked[0]["scorer"] == "offline" else ""
    return f"{ranked[0]['accuracy']['value']:.2f}{mark}"


def score_line(score: dict[str, Any]) -> str:
    """A score with its interval, its two baselines, and how far it is above the other label."""
    own, above = score["accuracy"], score["margin"]
    beyond = f"{above['value']:+.2f} [{above['low']:+.2f}, {above['high']:+.2f}]"
    return (
        f"{score['scorer']} {score['protocol']}, {score['negatives']} windows: {own['value']:.2f} "
        f"[{own['low']:.2f}, {own['high']:.2f}]; another's label {score['other']['value']:.2f}, random windows "
        f"{score['random']['value']:.2f}; above the other {beyond}"
    )


def short_score(scores: list[dict[str, Any]]) -> str:
    """The first score beside what another's label gets on the same windows; empty where there is none."""
    if not scores:
        return ""
    first = scores[0]
    return (
        f"{first['scorer']} {first['protocol']} {first['accuracy']['value']:.2f}, another's "
        f"{first['other']['value']:.2f}"
    )


def rating_text(rating: dict[str, Any] | None) -> str:
    """An investigator's rating in words; empty where there is none."""
    if not rating:
        return ""
    against = f" against “{rating['concept']}”" if rating.get("concept") else ""
    return f"rated {rating['rating']} of 3{against}{', blind' if rating.get('blind') else ''}"


def origin(by: dict[str, Any] | None) -> list[str]:
    """Who gave a label and when, and what it used."""
    if not by:
        return []
    usage = by["usage"]
    tokens = f"{usage.get('input_tokens', 0)} tokens in, {usage.get('output_tokens', 0)} out"
    return [f"by {by['model']} on {by['date'][:10]}, {tokens}, prompt {by['prompt'].removeprefix('sha256:')[:12]}"]
