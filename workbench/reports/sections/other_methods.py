"""The methods of everything beside the contrasts: a sentence or two for each kind of line in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.reports.source import ReportSource
from workbench.reports.text import count, listed
from workbench.session.log import LogLine

Lines = list[LogLine]


def other_methods(source: ReportSource) -> list[str]:
    """A paragraph for each kind of analysis that the session holds, with the parameters that were used."""
    told = [(source.lines(*verbs), say) for verbs, say in _SAYERS]
    return [say if isinstance(say, str) else say(lines) for lines, say in told if lines]


def _used(lines: Lines, name: str) -> str:
    """The values of a parameter over the lines, in words."""
    values = dict.fromkeys(str(line.params.get(name, "")) for line in lines)
    return listed([value for value in values if value]) or "its default"


def _numbers(lines: Lines, name: str) -> str:
    return listed(list(dict.fromkeys(count(float(line.params.get(name) or 0)) for line in lines)))


def _any(lines: Lines, name: str) -> bool:
    return any(line.params.get(name) for line in lines)


def _rsa(lines: Lines) -> str:
    left = " Nuisance distances were left out of feature and model both." if _any(lines, "nuisance") else ""
    within = ", within items" if _any(lines, "pairs") else ""
    return (
        f"RSA compares the squared Euclidean distances that a feature, or a set of units, sees between sentences with "
        f"a model of them ({_used(lines, 'model')}) by {_used(lines, 'comparison')}.{left} p is one-sided, from "
        f"{_numbers(lines, 'permutations')} permutations of the sentences{within}, never of pairs; p (FWER) by the "
        f"largest score, q by Benjamini and Hochberg from a pooled tail that an exponential continues. Seed "
        f"{_used(lines, 'seed')}."
    )


def _probe(lines: Lines) -> str:
    return (
        f"Probes are balanced L2 logistic regressions (C = 1) on the few features that an order puts first, chosen, "
        f"standardised and fitted inside each of {_numbers(lines, 'folds')} folds; matched sentences and tokens of one "
        f"document share a fold. Intervals of accuracies are Wilson's, of other metrics bootstrap percentiles. The "
        f"exact best subset is by ridge objective among the {_numbers(lines, 'prefilter')} features of largest F, its "
        "gap proven."
    )


_COMPARE = (
    "Ways of selecting features were compared on the same folds by the corrected resampled t (Nadeau and Bengio, "
    "2003), Holm-corrected, and by sign flips over items."
)


_REPLICATE = (
    "A discovery counts as gone where the 95 % interval of its second standardised effect (noncentral t) excludes "
    "the first effect, and as not powered where it holds it."
)


_INDEX = (
    "Corpus statistics are exact counts from one pass; windows are the strongest of each document, repeats left out."
)


def _suggest(lines: Lines) -> str:
    said = (
        "Offline labels name the words that stand out in a feature's windows against windows drawn from the corpus "
        "(smoothed log odds less two standard errors); they describe words and are no explanation."
    )
    if any(line.params.get("labeller") != "offline" for line in lines):
        said += " Labels of a language model were asked for with the prompt and the model that their lines record."
    return said


_SCORE = (
    "Scores of labels are balanced accuracies on windows of documents that no labeller saw, beside another "
    "feature's label and random windows, intervals by Zou and Donner (2008); offline scores compare words and are "
    "not those of a language model."
)


def _steer(lines: Lines) -> str:
    return (
        "Steering adds strength times a step of the feature's decoder direction (set: value - activation) at the "
        f"chosen tokens ({_used(lines, 'positions')}); the controls add the directions of {_numbers(lines, 'draws')} "
        f"random features that fire, and a random direction, scaled to the same norm (seed {_used(lines, 'seed')}). "
        "Changes are of natural log probabilities of the next token. An effect is beyond control where no random "
        "feature moves as far in the expected direction: a look, not a test."
    )


def _find(lines: Lines) -> str:
    params: dict[str, Any] = lines[-1].params  # the section shows the latest
    if lines[-1].do == "clusters.import":
        return "Clusters were taken over from a file as they stand; cosines are of the decoder directions loaded here."
    by = {
        "coactivation": "the Jaccard overlap of the tokens on which features fire",
        "both": "the larger of decoder cosine and Jaccard overlap of firing",
        "activation": "the cosine of activations over tokens",
    }.get(str(params.get("method")), "decoder cosine")
    if params.get("consensus") or params.get("method") == "activation":
        return (
            f"Clusters are a vote of runs of k-means on halves of the documents, by {by}; their number is the one on "
            f"which disjoint halves agree best (seed {params.get('seed')})."
        )
    if params.get("method") == "spectral" or params.get("n_clusters"):
        return (
            f"Clusters are spectral (k-means on the leading eigenvectors of the affinity {params.get('affinity')}, "
            f"seed {params.get('seed')}), by {by}."
        )
    return (
        f"Clusters are the connected components of the graph in which each feature proposes its {params.get('k')} "
        f"nearest by {by}, edges above {params.get('tau')}."
    )


def _rank(lines: Lines) -> str:
    return (
        "Clusters were ranked by the mean of (1 - M) S over planes of neighbouring principal components of their "
        "points, S the separability index in bits (bias corrected) and M the mixture index, beside nulls "
        f"({_used(lines, 'null')}; {_numbers(lines, 'draws')} draws)."
    )


_CIRCLE = (
    "Circle probes are linear maps from principal components to points on a circle; patches put another name's "
    "point into the plane and leave the rest, beside a random plane of the same size."
)


_ENERGY = "Energies are sums of a kernel over ordered pairs of unit vectors; least energies are the best of restarts."


def _quanta(lines: Lines) -> str:
    return (
        "Quanta are spectral clusters of predictions by the cosine of the gradients of their losses in the model's "
        f"inner parameters ({_used(lines, 'mode')}); repeated trigrams are left out as the filter says."
    )


_SAYERS: tuple[tuple[tuple[str, ...], Callable[[Lines], str] | str], ...] = (
    (("features.rsa",), _rsa),
    (("features.probe",), _probe),
    (("features.compare",), _COMPARE),
    (("features.replicate",), _REPLICATE),
    (("index.build",), _INDEX),
    (("labels.suggest",), _suggest),
    (("labels.score",), _SCORE),
    (("steer.clamp",), _steer),
    (("clusters.find", "clusters.import"), _find),
    (("clusters.rank",), _rank),
    (("circle.probe", "circle.patch", "circle.sweep"), _CIRCLE),
    (("geometry.energy", "geometry.optimum"), _ENERGY),
    (("quanta.similarity",), _quanta),
)
"""Verbs, and what is said of their lines, in the order of the report."""
