"""`clusters.*` on the tiny model, in this process: what the verbs say is what the library says."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from commands.clusters import ClustersRank
from commands.handlers.clusters.ranking import _warnings
from commands.handlers.clusters.reconstruction import ring_fit
from commands.handlers.clusters.voting import _halves
from tests import tiny
from workbench.errors import MismatchError, UnknownNameError, UsageError
from workbench.geometry import affinity, cosine_graph_clusters, spectral_clusters
from workbench.index.coactivation import Firing
from workbench.published_clusters import GPT2, KNOWN, MISTRAL

pytestmark = pytest.mark.slow
FOLDER = Path(os.environ.get("WORKBENCH_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "clusters"


@pytest.fixture
def indexed(loaded: Any) -> Any:
    loaded("index.build demo tokens=2000 examples=2")
    return loaded


def members_of(do: Any, count: int) -> list[list[int]]:
    return [sorted(row["index"] for row in do(f"clusters.show {at}")["result"]["features"]) for at in range(count)]


def test_the_graph_is_as_it_was_and_says_how_stable_it_is(loaded: Any, tiny_space: Any) -> None:
    result = loaded("clusters.find tau=0.2")["result"]
    expected = [c.tolist() for c in cosine_graph_clusters(tiny_space.directions().numpy(), 2, 0.2) if len(c) > 1]
    assert members_of(loaded, len(expected)) == expected
    assert [item["setting"] for item in result["stability"]] == ["k 1", "k 3", "tau 0.15", "tau 0.25"]
    assert result["singletons"] == tiny.LATENTS - sum(map(len, expected))


@pytest.mark.parametrize(("name", "library"), [("positive", "clipped"), ("squared", "squared"), ("angular", "angular")])
def test_spectral_clusters_are_the_librarys(loaded: Any, tiny_space: Any, name: str, library: Any) -> None:
    result = loaded(f"clusters.find method=spectral affinity={name} n_clusters=4 n_clusters=6 seed=2")["result"]
    assert [row["n_clusters"] for row in result["sweep"]] == [4, 6]
    assert result["n_clusters"] == 4
    decoder = tiny_space.directions().numpy()
    labels = spectral_clusters(affinity(decoder, library), 4, seed=2)
    expected = {frozenset(np.flatnonzero(labels == label).tolist()) for label in range(4)}
    found = {frozenset(members) for members in members_of(loaded, result["clusters"])}
    assert found == {members for members in expected if len(members) > 1}
    seeds = [item["setting"] for item in result["sweep"][0]["stability"]]
    assert seeds == ["seed 3", "seed 4", "seed 5", "n_clusters 3", "n_clusters 5"]


def test_clusters_are_found_by_number_member_and_label(loaded: Any) -> None:
    loaded("clusters.find tau=0.2")
    listed = loaded("clusters.list")["result"]["clusters"]
    first, last = listed[0], listed[-1]
    member = int(last["features"][0])
    loaded(f"labels.set {member} 'Winning a Race'")
    loaded("labels.set 0 'the largest of all' of=clusters")

    def found(text: str) -> list[int]:
        result = loaded(f"clusters.list filter='{text}'")["result"]
        assert result["count"] == len(listed)
        assert result["total"] == len(result["clusters"])
        return [row["cluster"] for row in result["clusters"]]

    assert found("winning a r") == [last["cluster"]]
    assert found("LARGEST") == [0] == [first["cluster"]]
    assert found(f"#{member}") == [
        row["cluster"] for row in listed if str(member) in str(row["cluster"]) or member in row["features"]
    ]
    assert found("nothing like it") == []
    assert found("#") == [row["cluster"] for row in listed]


@pytest.mark.parametrize("line", [
    "method=coactivation tau=0.1", "method=coactivation n_clusters=5 above=0.3", "method=both tau=0.2",
])  # fmt: skip
def test_by_firing_together_and_again_the_same(indexed: Any, line: str) -> None:
    first = indexed(f"clusters.find {line}")["result"]
    again = indexed(f"clusters.find {line}", fresh=True)["result"]
    assert first == again
    assert first["tokens"] > 0
    assert sum(row["size"] for row in indexed("clusters.list")["result"]["clusters"]) + first["singletons"] == 48


@pytest.mark.parametrize("line", ["method=activation consensus=20", "method=both consensus=20"])
def test_the_number_of_clusters_is_voted_on_and_again_the_same(indexed: Any, line: str) -> None:
    reply = indexed(f"clusters.find {line}")
    result = reply["result"]
    assert indexed(f"clusters.find {line}", fresh=True)["result"] == result
    vote, curve = result["consensus"], result["curve"]
    assert [row["n_clusters"] for row in curve] == list(range(vote["least"], vote["most"] + 1))
    best = max(curve, key=lambda row: row["ari"])
    enough = [row["n_clusters"] for row in curve if row["ari"] >= best["ari"] - best["error"] - 1e-3]
    assert vote["chosen"] in enough
    assert vote["chosen"] == result["n_clusters"] == result["clusters"] + result["singletons"] - result["isolated"]
    listed = indexed("clusters.list")["result"]
    assert [row["returns"] for row in listed["clusters"]] == result["returns"]
    assert all(0 < value <= 1 for value in result["returns"])
    assert any("unstable" in warning for warning in reply["warnings"]) == (vote["agreement"] < 0.5)


def test_a_document_is_whole_in_one_half_and_every_split_is_another() -> None:
    document = np.repeat([3, 5, 6, 9, 11], [4, 1, 3, 2, 5])  # of each token of the sample
    index: Any = SimpleNamespace(store=SimpleNamespace(document_of=lambda places: document[places]))
    splits = _halves(index, Firing(None, np.arange(document.size), False), seed=1)
    for first, second in splits:
        assert sorted([*first, *second]) == list(range(document.size))
        assert not set(document[first]) & set(document[second])
        assert {len(set(document[first])), len(set(document[second]))} == {2, 3}
    assert len({tuple(first) for first, _ in splits}) > 1


@pytest.mark.parametrize(("line", "why"), [
    ("method=activation", "needs the corpus index"), ("method=activation above=0.2", "needs the corpus index"),
    ("method=both consensus=1", "no vote"),
    ("consensus=9", "chooses the number"), ("method=both consensus=9 n_clusters=4", "chooses the number"),
    ("method=coactivation", "needs the corpus index"), ("method=spectral n_clusters=49", "between 2 and the 48"),
    ("n_clusters=4", "is for spectral"),
])  # fmt: skip
def test_what_cannot_be_found_says_why(loaded: Any, line: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        loaded(f"clusters.find {line}")


@pytest.fixture
def spectral(indexed: Any) -> Any:
    indexed("clusters.find method=spectral affinity=positive n_clusters=5")
    return indexed


def test_clusters_are_ranked_by_the_mean_of_their_planes_and_the_first_has_nulls(spectral: Any) -> None:
    with pytest.raises(UsageError, match="not ranked"):
        spectral("clusters.list sort=irreducibility")
    ranked = spectral("clusters.rank points=300 bins=5 draws=3 tested=1")["result"]
    scores = [row["score"] for row in ranked["rows"]]
    assert scores == sorted(scores, reverse=True)
    assert all(np.isfinite(score) for score in scores)
    assert ranked["ranked"] + sum(ranked["without"].values()) == len(spectral("clusters.list")["result"]["clusters"])
    first, second = ranked["rows"][:2]
    planes = [plane for plane in first["planes"] if plane["status"] == "ok"]
    assert first["score"] == pytest.approx(np.mean([p["score"] for p in planes]), abs=1e-4)
    assert first["legacy_score"] == pytest.approx(first["score"] * len(planes) / (len(planes) + 1), abs=1e-4)
    assert first["null"]["draws"] == 3
    for name in ("documents", "words"):
        low, high = first["null"][f"{name}_interval"]
        assert low <= first["null"]["score"] <= high
    assert second["null"] is None
    listed = spectral("clusters.list sort=irreducibility")["result"]
    assert [row["cluster"] for row in listed["clusters"]][: len(scores)] == [row["cluster"] for row in ranked["rows"]]
    cosines = [row["cosine"] for row in spectral("clusters.list sort=cosine")["result"]["clusters"]]
    assert cosines == sorted(cosines, reverse=True)


def test_clusters_by_ring_are_in_another_order_with_the_same_ranks(spectral: Any) -> None:
    ranked = spectral("clusters.rank points=300 bins=5 tested=0")["result"]
    rings = spectral("clusters.rank points=300 bins=5 tested=0 by=ring")["result"]
    z = [row["ring"]["z"] for row in rings["rows"]]
    assert z == sorted(z, reverse=True)
    assert len(z) == rings["ringed"] == sum(row["ring"]["status"] == "ok" for row in rings["rows"])
    assert {row["cluster"]: row["rank"] for row in rings["rows"]}.items() <= {
        row["cluster"]: row["rank"] for row in ranked["rows"]
    }.items()
    by_ring = spectral("clusters.list sort=ring")["result"]["clusters"]
    assert [row["cluster"] for row in by_ring][: len(z)] == [row["cluster"] for row in rings["rows"]]
    assert {row["status"] for row in spectral("clusters.rank bins=5 tested=0 least=1000")["result"]["rows"]} == {"ok"}
    with pytest.raises(UsageError, match="tested for a ring"):
        spectral("clusters.list sort=ring")


def test_planes_points_and_page_of_a_cluster_agree(spectral: Any, tmp_path: Path) -> None:
    number = spectral("clusters.rank points=300 bins=5 tested=0")["result"]["rows"][0]["cluster"]
    told = spectral(f"clusters.planes {number} points=50 bins=5")["result"]
    assert len(told["scores"]) == len(told["places"]) == told["points"] == 50
    assert sum(count for _, count in told["current"]["tokens"]) + told["current"]["others"] == 50
    assert told["current"]["groups"].count(-1) == told["current"]["others"]
    point = spectral(f"clusters.point {number} {told['places'][0]}")["result"]
    groups, tokens = told["current"]["groups"], told["current"]["tokens"]
    if groups[0] >= 0:
        assert point["tokens"][point["peak"]] == tokens[groups[0]][0]
    assert point["features"]
    assert point["values"][point["peak"]] == pytest.approx(sum(value for _, value in point["features"]), abs=1e-3)
    out = tmp_path / "planes.html"
    assert spectral(f"clusters.export {number} points=20 out={out}")["result"]["points"] == 20
    assert out.read_text("utf-8").startswith("<!doctype html>")
    for name in ("planes.png", "planes"):
        with pytest.raises(UsageError, match=f"{name} has no ending that says its form"):
            spectral(f"clusters.export {number} points=20 out={tmp_path / name}")
        assert not (tmp_path / name).exists()


def test_the_points_are_what_the_members_write(indexed: Any, tiny_space: Any) -> None:
    """Scores and singular values, from the decoder and the activations themselves."""
    indexed("clusters.find method=spectral affinity=positive n_clusters=6")
    told = indexed("clusters.planes 0 points=1000")["result"]
    members = sorted(row["index"] for row in indexed("clusters.show 0")["result"]["features"])
    decoder = tiny_space.directions().double().numpy()
    writes = np.zeros((told["points"], decoder.shape[1]))
    for row, place in enumerate(told["places"][:40]):
        for feature, value in indexed(f"clusters.point 0 {place}")["result"]["features"]:
            assert feature in members
            writes[row] += value * decoder[feature]
    gaps = np.linalg.norm(writes[:40, None] - writes[None, :40], axis=-1)
    scores = np.array(told["scores"])[:40]
    seen = np.linalg.norm(scores[:, None] - scores[None], axis=-1)
    assert (seen <= gaps + 0.02).all()  # five components of the same points: never further apart
    kept = sum(value**2 for value in told["singular_values"])
    assert np.square(np.array(told["scores"])).sum() == pytest.approx(kept, rel=1e-2)


def test_silent_clusters_and_few_points_have_a_status(indexed: Any) -> None:
    indexed("clusters.find method=spectral affinity=positive n_clusters=5")
    silent = indexed("clusters.planes 0 threshold=100000")["result"]
    assert (silent["status"], silent["points"], silent["planes"]) == ("silent", 0, [])
    few = indexed("clusters.planes 0 points=60")["result"]
    assert {plane["status"] for plane in few["planes"]} == {"too_few"}
    ranked = indexed("clusters.rank points=100 bins=100 tested=3")["result"]
    assert ranked["rows"] == []
    assert ranked["without"] == {"too_few": len(ranked["unranked"])}
    with pytest.raises(UsageError, match="no plane to draw"):
        indexed("clusters.export 0 threshold=100000")
    with pytest.raises(UnknownNameError, match="no cluster 99"):
        indexed("clusters.planes 99")


def test_import_of_a_small_file_counts_as_the_paper_does(loaded: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.pkl"
    path.write_bytes(pickle.dumps([[4], [7, 5], [9], [1, 2, 3]]))
    result = loaded(f"clusters.import {path}")["result"]
    assert (result["clusters"], result["singletons"], result["known"], result["directions"]) == (2, 2, [], True)
    assert members_of(loaded, 2) == [[5, 7], [1, 2, 3]]
    assert [row["cluster"] for row in loaded("clusters.list")["result"]["clusters"]] == [1, 0]
    path.write_bytes(pickle.dumps([[4, 4000]]))
    with pytest.raises(MismatchError, match="feature 4000"):
        loaded(f"clusters.import {path}")


@pytest.mark.parametrize(("right", "check"), [(True, "agrees"), (False, "differs")])
def test_known_clusters_are_checked_where_the_sae_is_loaded(
    loaded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, right: bool, check: str
) -> None:
    from commands.handlers.clusters import importing as cluster_import

    days = next(known for known in KNOWN if known.sae == GPT2 and known.name == "days")
    members = sorted(days.members)
    axis = np.ones(max(members) + 1)
    decoder = np.zeros((len(axis), 40))
    rest = np.eye(40)[: len(members)]
    share = days.cosine if right and days.cosine is not None else 0.2
    decoder[members] = np.sqrt(1 - share) * rest + np.sqrt(share) * np.eye(40)[39]  # pairwise cosines of `share`
    monkeypatch.setattr(cluster_import, "decoder_of", lambda _: (decoder, axis))
    monkeypatch.setattr(cluster_import, "_are_theirs", lambda *_: True)
    path = tmp_path / "days.pkl"
    path.write_bytes(pickle.dumps({0: members}))
    reply = loaded(f"clusters.import {path}")
    row = reply["result"]["known"][0]
    assert (row["name"], row["check"], row["cosine"]) == ("days", check, pytest.approx(share, abs=1e-4))
    assert len(reply["warnings"]) == (0 if right else 1)


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the published cluster files are not here")
@pytest.mark.parametrize(("file", "sae", "days", "position"), [
    ("gpt-2_layer_7_clusters_spectral_n1000.pkl", GPT2, 138, 138),
    ("mistral_layer_8_clusters_cutoff_0.5.pkl", MISTRAL, 61, 362),
])  # fmt: skip
def test_the_published_files_have_their_known_clusters_where_they_were_published(
    loaded: Any, file: str, sae: str, days: int, position: int
) -> None:
    result = loaded(f"clusters.import {FOLDER / file}")["result"]
    row = next(row for row in result["known"] if row["name"] == "days")
    assert (row["cluster"], row["position"], row["sae"], row["check"]) == (days, position, sae, "not checked")
    assert result["space"] == sae
    assert loaded(f"clusters.show {days}")["result"]["name"] == "days"
    with pytest.raises(UsageError, match="was not loaded"):
        loaded(f"clusters.planes {days}")


def test_a_ring_is_told_from_a_line_and_from_another_order() -> None:
    angle = 2 * np.pi * np.arange(7) / 7
    ring = np.stack([3 * np.cos(angle), np.sin(angle)], axis=1) + np.array([5, 1])
    assert ring_fit(ring) == pytest.approx((1.0, 1 / 3))
    assert ring_fit(ring[[0, 2, 4, 6, 1, 3, 5]])[0] < 0.01  # steps of two are another frequency
    assert ring_fit(np.outer(np.arange(7.0), [1, 0]))[1] == pytest.approx(0, abs=1e-9)


def test_a_ranking_is_not_taken_from_other_clusters_of_the_same_number(indexed: Any) -> None:
    ranked = []
    for name in ("positive", "squared"):
        count = indexed(f"clusters.find method=spectral affinity={name} n_clusters=4 seed=2")["result"]["clusters"]
        members = members_of(indexed, count)
        reply = indexed("clusters.rank points=300 bins=5 draws=2 tested=1")
        ranked.append((count, members, reply.get("reused")))
    assert ranked[0][0] == ranked[1][0]
    assert ranked[0][1] != ranked[1][1]
    assert ranked[1][2] is None


@pytest.mark.parametrize(("points", "said"), [([900, 1000], "1 cluster has fewer"), ([9, 8], "2 clusters have fewer")])
def test_the_warning_of_few_points_counts_in_words(points: list[int], said: str) -> None:
    rows: dict[int, dict[str, Any]] = {at: {"status": "ok", "points": size} for at, size in enumerate(points)}
    assert _warnings(ClustersRank(points=1000), rows)[0].startswith(f"{said} than 1000 points")
