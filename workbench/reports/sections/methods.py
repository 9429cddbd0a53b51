"""The methods paragraph, written from the parameters that were used."""

from __future__ import annotations

from typing import Any

from workbench.reports.document import Block, Paragraph, Section
from workbench.reports.sections.other_methods import other_methods
from workbench.reports.source import ReportSource
from workbench.reports.text import count, listed
from workbench.session.log import LogLine
from workbench.stimuli.windows import WIDTHS

NULL_SHUFFLES = 20
_STATISTICS = {
    "welch": "Welch's t of its pooled activation",
    "mann_whitney": "the Mann-Whitney z (ties corrected) of its pooled activation",
    "rate": "Welch's t of firing (pooled activation above zero)",
    "paired": "the paired t of its pooled activation",
}
_THINGS = (
    ("model", "Model", (("architecture", ""), ("layers", "layers "), ("width", "width "), ("revision", "revision "),
                        ("dtype", ""))),
    ("sae", "features", (("architecture", ""), ("site", "at "), ("width", "width "))),
)  # fmt: skip
"""What the numbers are of, how it is called, and what of it is told, each with the word before it."""
_POOLS = {"mean": "the mean over", "max": "the largest of", "last": "the value on the last of"}


def methods_section(source: ReportSource) -> Section | None:
    """What was done, with which settings and seeds."""
    said = [text for text in (_test(source), *other_methods(source)) if text]
    blocks: list[Block] = [Paragraph((text,)) for text in said]
    return Section("Methods", "methods", [Paragraph((_material(source),)), *blocks]) if blocks else None


def _material(source: ReportSource) -> str:
    """The model, the features and the program, in a sentence that stands in front of the methods of a paper."""
    state = source.record.state
    parts = []
    for name, title, keys in _THINGS:
        if (value := state.get(name)) is not None:
            about = [f"{before}{value[key]}" for key, before in keys if value.get(key) not in (None, "")]
            parts.append(f"{title} {value.get('name') or value.get('ref', '')} ({', '.join(about)})")
    versions = list(dict.fromkeys(str(line.provenance.get("version", "")) for line in source.in_force))
    made = f"feature-workbench {listed([version for version in versions if version])}".strip()
    of = f"{listed(parts)}; computed with {made}." if parts else f"Computed with {made}."
    return f"{of} Digests stand under Provenance."


def _test(source: ReportSource) -> str:
    """What was scored, one sentence for rankings alike in all settings but the stimuli, then how it was tested."""
    settings: dict[str, list[str]] = {}
    rules: dict[str, list[str]] = {}
    for line in source.rankings:
        sides = source.read(line, lambda line: source.result(line)["categories"])
        n = f", {sides['positive']} sentences against {sides['rest']}" if sides else ""
        settings.setdefault(_settings(line), []).append(f"{line.params.get('stimuli')} (line {line.seq}{n})")
        rules.setdefault(_rule(line), []).append(f"line {line.seq}")
    said = [f"Rankings of {listed(names)}: {text}" for text, names in settings.items()]
    for text, lines in rules.items():
        said.append(text if len(rules) == 1 else f"Of {listed(lines)}: {text}")
    return " ".join(said)


def _settings(line: LogLine) -> str:
    """What of one ranking is not as in others."""
    params = line.params
    pool = _POOLS.get(str(params.get("pool")), str(params.get("pool")))
    window = _window(params)
    kept = window if window.endswith(" token") else f"{pool} {window}"  # one token is not pooled
    return (
        f"a sentence was reduced to {kept}, special tokens left out, and each feature scored by "
        f"{_scored(params)}; {count(params.get('permutations'))} permutations of {_shuffled(params)}, seed "
        f"{params.get('seed')}. {_size(params)}"
    )


def _rule(line: LogLine) -> str:
    """How p and q come from the permutations."""
    rule = "Benjamini-Yekutieli" if line.params.get("fdr") == "by" else "Benjamini-Hochberg"
    return (
        "p is two-sided from the permutations, (b + 1) / (P + 1), equal values "
        "counting as extreme; p (FWER) compares with the largest statistic of all features in the same permutations. "
        f"q is the {rule} false discovery rate over all defined features, from a tail that pools the permuted "
        "statistics of features alike in sparsity and is continued by a Student tail where they end, so that it is "
        "not limited by the number of permutations; "
        f"discoveries have q < {float(line.params.get('alpha', 0.05)):g}. The null arm repeats the whole procedure on "
        f"{NULL_SHUFFLES} shuffles of the labels."
    )


def _size(params: dict[str, Any]) -> str:
    if params.get("statistic") == "paired":
        return "d_z is the mean of the pair differences in their own standard deviations."
    return "d is the effect in pooled standard deviations."


def _window(params: dict[str, Any]) -> str:
    """The tokens that counted; a ranking of an older version took the whole sentence."""
    kind = str(params.get("window") or "whole")
    width = int(params.get("width") or 0) or WIDTHS.get(kind, 0)
    if kind == "whole":
        return "its tokens"
    if kind == "span":
        return "the tokens of its target words (sentences without any are masked)"
    if kind == "peak":
        return f"the {width} tokens around the one where the feature itself is largest"
    place = {"first": "first", "last": "last", "centre": "middle"}[kind]
    if width == 1:
        return f"its {place} token"
    return f"its {place} {width} tokens (shorter sentences are masked)"


def _factorial(params: dict[str, Any]) -> bool:
    return bool(params.get("design") == "factorial" or params.get("factor") or params.get("factors"))


def _scored(params: dict[str, Any]) -> str:
    if _factorial(params):
        effect = params.get("factor") or "interaction"
        which = "the interaction" if effect == "interaction" else f"the main effect of {effect}"
        return f"the t of {which} in the two-by-two analysis of variance, cells counted alike"
    statistic = _STATISTICS.get(str(params.get("statistic")), str(params.get("statistic")))
    return f"{statistic} between the positive class and the rest"


def _shuffled(params: dict[str, Any]) -> str:
    """What the permutations moved."""
    if _factorial(params):
        if params.get("factor") in ("", None, "interaction"):
            return "the residuals of the additive model (Freedman and Lane, 1983)"
        return "the factor's labels within each level of the other factor"
    if params.get("pairs") or params.get("statistic") == "paired":
        return "the labels within matched items"
    return "the sentence labels"
