"""A feature's reply as lines of text and sentences to heat: pure functions, so that they are tested alone."""

from __future__ import annotations

from typing import Any

from screens.labels.text import short_score
from screens.painting import palette
from screens.painting.text import chance, fit, in_app, number, percent, short_id, thousands, token_name, visible
from screens.widgets.heatmap import Sentence
from screens.widgets.painted import Piece

WINDOWS = {"top": "strongest", "fifths": "by fifth", "random": "random"}
"""Kinds of windows that the index keeps of a feature."""


def card_lines(shown: dict[str, Any], place: str) -> list[list[Piece]]:
    """Four lines: id, label, test, corpus; a fifth for tags and note."""
    head: list[Piece] = [
        (f" {short_id(shown['feature'])} ", palette.CURSOR),
        (f" {visible(shown['feature'])}", palette.NAME),
        (f"  {place}" if place else "", palette.DIM),
    ]
    lines = [head, _label(shown), _test(shown), _corpus(shown.get("corpus"))]
    return [*lines, remarks(shown)] if shown.get("tags") or shown.get("note") else lines


def _label(shown: dict[str, Any]) -> list[Piece]:
    label = shown.get("label")
    if not label:
        return [(" label   ", palette.DIM), ("none yet: l writes one, a suggests one", palette.PLAIN)]
    return [
        (" label   ", palette.DIM),
        (visible(label["text"]), palette.BOLD),
        (f"  ({visible(label['source'])}, {visible(label['status'])}{_scored(shown)})", palette.DIM),
    ]


def _scored(shown: dict[str, Any]) -> str:
    """The label's first score beside what another feature's label gets on the same windows."""
    score = short_score(shown.get("label_scores") or [])
    return f"; {score}" if score else ""


def _test(shown: dict[str, Any]) -> list[Piece]:
    test, ranking = shown.get("test"), shown.get("ranking")
    if not test or not ranking:
        return [(" test    ", palette.DIM), ("no ranking yet: open Stimuli (2) and press c", palette.PLAIN)]
    name = f"{visible(ranking['stimuli'])} "
    stale: list[Piece] = [(" STALE", palette.BAD)] if ranking.get("stale") else []
    if test["status"] != "ok":
        return [
            (" test    ", palette.DIM),
            (name, palette.BOLD),
            (f"undefined: {test['status']}", palette.WARN),
            *stale,
        ]
    found = test["q"] is not None and test["q"] < ranking["alpha"]
    score = ranking.get("score_name", "t")
    return [
        (" test    ", palette.DIM),
        (f"effect {number(test['effect'], sign=True)} {score} {number(test['score'], 2)} ", None),
        (f"p {chance(test['p'])} ", None),
        (f"q {chance(test['q'])}", palette.BOLD if found else palette.DIM),
        (f" fwer {chance(test['p_fwer'])} rank {thousands(test['rank'])}, {name}", None),
        *stale,
    ]


def _corpus(corpus: dict[str, Any] | None) -> list[Piece]:
    if not corpus:
        return [(" corpus  ", palette.DIM), ("not indexed yet: b runs :index.build", palette.PLAIN)]
    return [
        (" corpus  ", palette.DIM),
        *enriched(corpus),
        (f"fires on {percent(corpus['density'])} of {thousands(corpus['tokens'])} tokens", palette.PLAIN),
        (f" · max {number(corpus['maximum'])} · mean {number(corpus['mean'])} when it fires", palette.PLAIN),
    ]


def enriched(corpus: dict[str, Any]) -> list[Piece]:
    """A word where the corpus is a slice cut around phrases, whose densities are not those of the whole."""
    about = corpus.get("enriched")
    if not about:
        return []
    phrases = ", ".join(visible(str(phrase)) for phrase in about["phrases"])
    return [(f"SLICE with {fit(phrases, min(20, len(phrases)))} of {visible(str(about['of_name']))}: ", palette.WARN)]


def remarks(shown: dict[str, Any]) -> list[Piece]:
    """Tags and note of a feature, on one line."""
    tags, note = shown.get("tags") or [], str(shown.get("note") or "")
    pieces: list[Piece] = [(f" {visible(str(tag))} ", palette.BLURRED) for tag in tags]
    parts: list[Piece] = [(" tags    ", palette.DIM)] if tags else []
    for piece in pieces:
        parts += [piece, (" ", None)]
    if note:
        parts += [(" note " if tags else " note    ", palette.DIM), (visible(note), palette.PLAIN)]
    return parts


def corpus_facts(corpus: dict[str, Any] | None) -> list[tuple[str, str]]:
    """What `w` says of the corpus pane, before it says where the test's numbers come from."""
    if not corpus:
        return []
    told = f"of {thousands(corpus['tokens'])} tokens of {visible(str(corpus['name']))}, as :index.build read them"
    spread = "bars: counts of its activations above zero, on a logarithmic scale"
    counted = f"{thousands(corpus['fired'])} of them make it fire ({percent(corpus['density'])})"
    return [("corpus", f"density, mean and maximum {told}; {counted}; {spread}"), ("", "the test, on the stimuli:")]


def stimulus_sentences(stimuli: dict[str, Any] | None) -> list[Sentence]:
    """The stimulus sentences, strongest first, with their category."""
    if not stimuli:
        return []
    return [
        Sentence(line["category"], tuple(line["tokens"]), tuple(line["values"]), line["pooled"])
        for line in stimuli["lines"]
    ]


def corpus_sentences(corpus: dict[str, Any] | None, which: str) -> list[Sentence]:
    """Windows of the corpus: the strongest (`top`), a fair sample of each fifth of the activations, or of all."""
    if not corpus:
        return []
    if which == "top":
        return [_window(f"doc {example['document']}", example) for example in corpus["examples"]]
    if which == "random":
        return [_window(f"doc {one['document']}", one, peak=True) for one in corpus.get("random") or []]
    return [
        _window(f"{number(row['low'], 2)}–{number(row['high'], 2)}", example, peak=True)
        for row in corpus.get("quantiles") or []
        for example in row["examples"]
    ]


def beside(left: dict[str, Any] | None, right: dict[str, Any] | None) -> tuple[list[Sentence], list[Sentence]]:
    """The stimulus sentences of two features line by line: the same one on both sides, in the first one's order."""
    first, second = stimulus_sentences(left), stimulus_sentences(right)
    if not (left and right) or left["name"] != right["name"]:
        return first, second
    of_text = {(one.title, one.tokens): one for one in second}
    paired = [of_text.get((one.title, one.tokens)) for one in first]
    absent = Sentence("–", (), (), None)
    return first, [one or absent for one in paired]


def pair_lines(shown: dict[str, Any], which: str) -> list[list[Piece]]:
    """What stands over a feature's side of a pair: id, label, corpus, which sentences."""
    head: list[Piece] = [
        (f" {short_id(shown['feature'])} ", palette.CURSOR),
        (f" {visible(shown['feature'])}", palette.NAME),
    ]
    corpus, stimuli = shown.get("corpus"), shown.get("stimuli")
    names = {
        "stimuli": f"stimuli: {visible(stimuli['name'])}" if stimuli else "stimuli",
        **{key: f"corpus, {text}" for key, text in WINDOWS.items()},
    }
    unlabelled: list[Piece] = [(" label   ", palette.DIM), ("none yet", palette.PLAIN)]  # no key writes one here
    label = _label(shown) if shown.get("label") else unlabelled
    return [head, label, _corpus(corpus), [(f" {names[which]}", palette.BOLD)]]


def _window(title: str, example: dict[str, Any], peak: bool = False) -> Sentence:
    """A window by its largest activation, or by that of the token it is about."""
    values = example["values"]
    value = values[example["peak"]] if peak else max(values, default=0.0)
    return Sentence(title, tuple(example["tokens"]), tuple(values), value)


def missing_text(missing: list[str]) -> str:
    """What is missing and which `:` line fills it."""
    return "\n".join(in_app(sentence) for sentence in missing)


def logit_lines(logits: dict[str, list[list[Any]]] | None, width: int, height: int) -> list[list[Piece]]:
    """Promoted and suppressed tokens: beside each other where the width allows, else below each other."""
    if not logits:
        return []
    if width < 24 or height < 3:
        return []
    if width < 60 and height >= 12:
        half = (height - 1) // 2
        return [
            *_column(logits["top"], width, half, "promotes"),
            [],
            *_column(logits["bottom"], width, half, "suppresses"),
        ]
    half = width // 2
    left = _column(logits["top"], half, height, "promotes")
    right = _column(logits["bottom"], half, height, "suppresses")
    return [left[y] + right[y] for y in range(min(len(left), len(right)))]


def _column(pairs: list[list[Any]], width: int, height: int, title: str) -> list[list[Piece]]:
    lines: list[list[Piece]] = [[(fit(title, width), palette.DIM)]]
    for token, value in pairs[: height - 1]:
        shown = fit(token_name(str(token)), width - 10)
        lines.append([(f"{number(value, 2, sign=True):>7} ", None), (shown + "  ", palette.BOLD)])
    return lines
