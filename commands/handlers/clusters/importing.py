"""Carries out `clusters.import`: published clusters as the clusters of a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from commands.clusters import ClustersImport
from commands.handlers.clusters.sets import decoder_of, entry_of, keep, largest_rows
from workbench.errors import MismatchError
from workbench.lab import Lab
from workbench.published_clusters import KnownCluster, PublishedClusters, named_clusters, read_published_clusters
from workbench.verbs import Outcome

NEAR = 0.01
"""How far a measured mean cosine may be from the published one, which has two digits."""


def import_(command: ClustersImport, lab: Lab) -> Outcome:
    """Store the clusters under the paper's numbers; check the known ones where their SAE is loaded."""
    path = lab.record.path / command.file
    given = Path(command.file).name.partition("-")[2] or command.file  # uploads are kept under their digest and name
    published = read_published_clusters(path.read_bytes(), given)
    known = named_clusters(published)
    space, decoder, lengths = _features(published, known, lab)
    numbers = sorted(published.members)
    clusters = [np.array(published.members[number], dtype=np.int64) for number in numbers]
    cosines = keep(lab, clusters, decoder, lengths)
    order = {number: place for place, number in enumerate(numbers)}
    rows = [
        {"cluster": order[number], **_known_row(number, found, published, cosines[order[number]])}
        for number, found in known.items()
    ]
    body = {
        "file": given,
        "space": space,
        "directions": decoder is not None,
        "clusters": len(clusters),
        "singletons": published.singletons,
        "method": "import",
        "k": None,
        "tau": None,
        "names": {str(order[number]): found.name for number, found in known.items()},
        "numbers": None if numbers == list(range(len(numbers))) else numbers,
        "known": rows,
        "largest": sorted(largest_rows(clusters, cosines), key=lambda row: -row["size"]),
    }
    warnings = [
        f"cluster {row['cluster']} ({row['name']}) has a mean decoder cosine of {row['cosine']}, published is "
        f"{row['published']}: these are not the clusters of the loaded SAE"
        for row in rows
        if row["check"] == "differs"
    ]
    return Outcome(body, sets={"clusters": entry_of(space, clusters)}, warnings=warnings)


def _features(
    published: PublishedClusters, known: dict[int, KnownCluster], lab: Lab
) -> tuple[str, np.ndarray | None, np.ndarray | None]:
    """The features that the file is about, with their directions where they are the loaded ones."""
    theirs = next((found.sae for found in known.values()), "")
    loaded = lab.entry("sae")
    largest = max(max(members) for members in published.members.values())
    if loaded is not None and _are_theirs(published, theirs, loaded, largest):
        return str(loaded["name"]), *decoder_of(lab.space)
    if not theirs:
        width = "no SAE is loaded" if loaded is None else f"{loaded['name']} has {loaded['width']} features"
        raise MismatchError(
            f"the clusters hold feature {largest} and {width}", "Load the SAE that they were made from first."
        )
    return theirs, None, None


def _are_theirs(published: PublishedClusters, theirs: str, loaded: dict[str, Any], largest: int) -> bool:
    """Whether the loaded features are those of the file: by name, by covering all of them, or for want of a name."""
    if loaded["name"] == theirs:
        return True
    if not theirs:
        return largest < int(loaded["width"])
    covered = published.singletons + sum(len(members) for members in published.members.values())
    return covered == int(loaded["width"])


def _known_row(number: int, known: KnownCluster, published: PublishedClusters, cosine: float) -> dict[str, Any]:
    """A cluster of the paper, and whether the loaded decoder agrees that it is that one."""
    measured = None if np.isnan(cosine) else round(float(cosine), 4)
    if measured is None or known.cosine is None:
        check = "not checked" if measured is None else "nothing published"
    else:
        check = "agrees" if abs(measured - known.cosine) <= NEAR else "differs"
    return {
        "name": known.name,
        "number": number,
        "sae": known.sae,
        "position": published.position[number],
        "size": len(published.members[number]),
        "cosine": measured,
        "published": known.cosine,
        "check": check,
    }
