"""The check of a stimulus set in lines: a word on it for the Stimuli screen, all of it for its own view."""

from __future__ import annotations

from typing import Any

from screens.painting.text import chance, in_app, number, percent, visible, wrapped


def summary(check: dict[str, Any]) -> str:
    """How many warnings there are, then the warnings, one a line."""
    warnings = [visible(in_app(warning)) for warning in check["warnings"]]
    if not warnings:
        return f"check: no warning; effects from d = {number(check['design'].get('effect'), 2)} can be found"
    count = f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}"
    return "\n".join([f"check: {count} (C shows all): {warnings[0]}", *(f"- {told}" for told in warnings[1:])])


def check_rows(check: dict[str, Any], width: int) -> list[tuple[str, str]]:
    """The whole check as (what, how it is)."""
    rows = _told("warning", check["warnings"] or ["none"], width)
    rows += _told("swap", [f"{' / '.join(swap['out'])} for {' / '.join(swap['into'])}: AUC {number(swap['auc'], 2)}"
                           for swap in check["swaps"]], width)  # fmt: skip
    rows += [("sentences", ", ".join(f"{name} {count}" for name, count in check["categories"].items()))]
    rows += [("pairs", f"{check['pairs']['status']}, {check['pairs']['pairs']} whole")]
    rows += [(row["measure"], _classifier(row)) for row in check["confounds"]]
    if bag := check["bag_of_words"]:
        rows.append(("all words", f"accuracy {number(bag['accuracy'], 2)} of {bag['side']}, p {chance(bag['p'])}"))
    rows += [
        (f"word {row['word']}", f"{percent(row['share'])} of {row['side']}, {percent(row['share_rest'])} of the rest, "
         f"q {chance(row['q'])}")
        for row in check["words"][:8]
    ]  # fmt: skip
    rows += [("near repeat", " / ".join(row["texts"])) for row in check["repeats"]]
    return [(visible(name), visible(text)) for name, text in rows + _reach(check["design"])]


def _told(name: str, texts: list[str], width: int) -> list[tuple[str, str]]:
    return [
        (name if at == 0 else "", line)
        for text in texts
        for at, line in enumerate(wrapped(visible(in_app(text)), max(width, 20)))
    ]


def _classifier(row: dict[str, Any]) -> str:
    if row["status"] == "too_few":
        return "too few known"
    return (
        f"AUC {number(row['auc'], 2)}, accuracy {number(row['accuracy'], 2)} of {row['side']} "
        f"({number(row['mean'], 2)} against {number(row['mean_rest'], 2)}), p {chance(row['p'])}"
    )


def _reach(design: dict[str, Any]) -> list[tuple[str, str]]:
    if design["status"] != "ok":
        return [("design", "nothing can be tested")]
    rows = [
        ("smallest p", chance(design["smallest_p"])),
        ("detectable d", f"{number(design['effect'], 2)} at {percent(design['power'])} power, alpha {design['alpha']}"),
    ]
    if design["effect_paired"] is not None:
        rows.append(
            ("within pairs", f"p {chance(design['smallest_p_paired'])}, d_z {number(design['effect_paired'], 2)}")
        )
    if design["features"]:
        rows.append((f"of {design['features']} features", f"d {number(design['effect_of_features'], 2)}"))
    return rows
