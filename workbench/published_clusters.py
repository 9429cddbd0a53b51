"""Files of published feature clusters: what they hold, how their numbers count, and which clusters are known by name.

Source: the repository JoshEngels/MultiDimensionalFeatures. Its GPT-2 file is a dict from rank to features. Its
Mistral file is a list with singletons, and the numbers in the paper count the clusters of two or more alone: cluster 61
stands at position 362 of the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import InputFileError
from workbench.plain_pickle import read_plain_pickle

# More features than any SAE has: a number above is not a feature.
LARGEST = 2**31


@dataclass(frozen=True)
class PublishedClusters:
    """Clusters of two or more features, under the numbers that the paper gives them.

    Attributes:
        members: of each cluster by number, ascending.
        position: of each in the file: the key of a dict, the place in a list; the same as the number where the file
            has no singletons.
        singletons: features that are alone.
    """

    members: dict[int, tuple[int, ...]]
    position: dict[int, int]
    singletons: int


@dataclass(frozen=True)
class KnownCluster:
    """A cluster that the paper names.

    Attributes:
        name: what its features are about.
        sae: where it was found.
        number: of the cluster.
        members: its features.
        cosine: published mean cosine of its decoder directions, None where none was.
    """

    name: str
    sae: str
    number: int
    members: frozenset[int]
    cosine: float | None


GPT2 = "gpt2-small-res-jb/blocks.7.hook_resid_pre"
MISTRAL = "mistral-7b-res-wg/blocks.8.hook_resid_pre"
KNOWN = (
    KnownCluster("days", GPT2, 138, frozenset([2592, 4445, 4663, 4733, 6531, 8179, 9566, 20927, 24185]), 0.63),
    KnownCluster(
        "months", GPT2, 251,
        frozenset([3977, 4140, 5993, 7299, 9104, 9401, 10449, 11196, 12661, 14715, 17068, 17528, 19589, 21033, 22043,
                   23304]), 0.53,
    ),
    KnownCluster("years", GPT2, 212, frozenset([1052, 2753, 4427, 6382, 8314, 9576, 9606, 13551, 19734, 20349]), 0.55),
    KnownCluster("days", MISTRAL, 61, frozenset([398, 35234, 31484, 54166, 52464, 23936, 20629]), None),
    KnownCluster(
        "months", MISTRAL, 832,
        frozenset([7411, 33259, 49189, 46031, 9117, 57916, 26027, 16820, 41121, 23434, 39714, 59285, 47182, 22809,
                   17555, 52568, 8934, 16406, 63163, 15477, 54144]), None,
    ),
)  # fmt: skip


def read_published_clusters(data: bytes, name: str) -> PublishedClusters:
    """Clusters from the content of a pickle: a dict of lists of features, or a list of them. Nothing in it is executed.

    Args:
        data: the file's content.
        name: of the file, for messages.

    Raises:
        InputFileError: not such a file, a feature in two clusters, or no cluster of two features.
    """
    read = _numbered(read_plain_pickle(data, name), name)
    items = [(place, _features(features, place, name)) for place, features in read]
    seen: set[int] = set()
    members: dict[int, tuple[int, ...]] = {}
    position: dict[int, int] = {}
    keep_keys = all(len(features) > 1 for _, features in items)
    for place, features in items:
        found = tuple(sorted(features))
        if len(set(found)) < len(found) or not seen.isdisjoint(found):
            raise InputFileError(f"{name} has a feature of cluster {place} twice", "Clusters must not overlap.")
        seen.update(found)
        if len(found) > 1:
            number = place if keep_keys else len(members)
            members[number], position[number] = found, place
    if not members:
        raise InputFileError(f"{name} has no cluster of two or more features", "Is it a file of clusters?")
    return PublishedClusters(members, position, len(seen) - sum(map(len, members.values())))


def named_clusters(clusters: PublishedClusters) -> dict[int, KnownCluster]:
    """The clusters that are known by name, by number: those with exactly the members published."""
    sets = {frozenset(members): number for number, members in clusters.members.items()}
    return {sets[known.members]: known for known in KNOWN if known.members in sets}


def _numbered(value: Any, name: str) -> list[tuple[int, Any]]:
    if type(value) is dict and all(type(key) is int and key >= 0 for key in value):
        return sorted(value.items())
    if type(value) is list:
        return list(enumerate(value))
    raise InputFileError(
        f"{name} holds no clusters", "A list, or a dict from numbers, of lists of feature numbers is read."
    )


def _features(value: Any, place: int, name: str) -> Sequence[int]:
    if type(value) not in (list, tuple) or not all(type(item) is int and 0 <= item < LARGEST for item in value):
        raise InputFileError(f"cluster {place} of {name} is not a list of feature numbers", "Features count from 0.")
    features: Sequence[int] = value
    return features
