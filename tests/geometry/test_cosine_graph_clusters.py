import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.geometry import clusters as module
from workbench.geometry import cosine_graph_clusters, cosine_graph_sweep


def as_sets(clusters):
    return [set(c.tolist()) for c in clusters]


def at(*degrees):
    angle = np.radians(degrees)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def reference(decoder, k, tau):
    """Edge by edge, as the definition reads; for directions without ties."""
    unit = decoder / np.linalg.norm(decoder, axis=1, keepdims=True)
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(unit)))
    for i, row in enumerate(unit @ unit.T):
        row[i] = -2
        graph.add_edges_from((i, int(j)) for j in np.argsort(-row)[:k] if row[j] > tau)
    return {frozenset(c) for c in networkx.connected_components(graph)}


def test_two_arcs_and_a_loner():
    decoder = at(0, 10, 20, 90, 100, 200) * np.array([[1], [5], [0.1], [1], [2], [1]])
    assert as_sets(cosine_graph_clusters(decoder)) == [{0, 1, 2}, {3, 4}, {5}]


def test_largest_first_then_by_index_singletons_last_as_arrays_of_one():
    found = cosine_graph_clusters(at(300, 0, 91, 5, 95, 180))
    assert [c.tolist() for c in found] == [[1, 3], [2, 4], [0], [5]]
    assert all(c.dtype.kind == "i" for c in found)


def test_the_k_nearest_of_either_end_make_an_edge():
    # 30 is nearest to 22, which has nearer neighbours: the edge comes from 30's side alone
    decoder = at(18, 20, 22, 35)
    assert as_sets(cosine_graph_clusters(decoder, k=1)) == [{0, 1, 2, 3}]
    # two tight pairs, 25 degrees apart: k = 1 keeps them apart, k = 2 joins them
    pairs = at(0, 1, 26, 27.5)
    assert as_sets(cosine_graph_clusters(pairs, k=1)) == [{0, 1}, {2, 3}]
    assert as_sets(cosine_graph_clusters(pairs, k=2)) == [{0, 1, 2, 3}]


def test_tau_is_strict_up_to_rounding():
    assert len(cosine_graph_clusters(at(0, 60), tau=0.5)) == 2
    assert len(cosine_graph_clusters(at(0, 59.999), tau=0.5)) == 1
    assert len(cosine_graph_clusters(at(0, 0), tau=1.0)) == 2


def test_opposite_directions_are_far():
    assert len(cosine_graph_clusters(at(0, 180))) == 2


@pytest.mark.parametrize("tau", [0.5, -1.0])
def test_a_zero_direction_stays_alone(tau):
    decoder = np.concatenate([np.zeros((2, 2)), at(0, 5)])
    assert as_sets(cosine_graph_clusters(decoder, tau=tau)) == [{2, 3}, {0}, {1}]


def test_ties_all_count():
    # a hub with four equally near, mutually far neighbours: k = 1 of the hub ties four ways
    decoder = np.concatenate([np.full((1, 4), 0.5), 0.5 + np.eye(4)])
    assert as_sets(cosine_graph_clusters(decoder, k=1, tau=0.8)) == [{0, 1, 2, 3, 4}]


def test_many_copies_are_one_cluster():
    decoder = np.repeat(np.random.default_rng(0).standard_normal((1, 7)), 600, axis=0)
    found = cosine_graph_clusters(decoder)
    assert [c.size for c in found] == [600]


def test_tight_blocks_are_recovered():
    rng = np.random.default_rng(0)
    centres = np.linalg.qr(rng.standard_normal((64, 20)))[0].T  # (20, 64) orthonormal
    decoder = np.repeat(centres, 8, axis=0) + 0.03 * rng.standard_normal((160, 64))
    found = cosine_graph_clusters(decoder, k=4)
    assert sorted(map(tuple, as_sets(found))) == sorted(tuple(range(8 * i, 8 * i + 8)) for i in range(20))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 40), st.integers(1, 4), st.sampled_from([-0.2, 0.2, 0.5, 0.8]))
def test_agrees_with_the_definition_in_any_blocks(seed, n, k, tau):
    decoder = np.random.default_rng(seed).standard_normal((n, 3))
    expected = reference(decoder, k, tau)
    entries = module.ENTRIES
    try:
        for module.ENTRIES in (entries, 7 * n):
            found = cosine_graph_clusters(decoder, k, tau)
            assert {frozenset(s) for s in as_sets(found)} == expected
            assert [c.size for c in found] == sorted((c.size for c in found), reverse=True)
    finally:
        module.ENTRIES = entries


def test_extreme_lengths_keep_their_direction():
    decoder = at(0, 5, 90) * np.array([[1e-300], [1e300], [5e-324]])
    assert as_sets(cosine_graph_clusters(decoder)) == [{0, 1}, {2}]


def test_no_features_make_no_clusters():
    assert cosine_graph_clusters(np.zeros((0, 3))) == []


@pytest.mark.parametrize(
    ("decoder", "options", "said"),
    [
        (np.ones(3), {}, r"\(3,\)"),
        (np.array([[1.0], [np.nan]]), {}, "feature 1"),
        (np.ones((2, 2)), {"k": 0}, "0"),
        (np.ones((2, 2)), {"tau": 1.5}, "1.5"),
    ],
)
def test_errors_name_the_value(decoder, options, said):
    with pytest.raises(ValueError, match=said):
        cosine_graph_clusters(decoder, **options)


@pytest.mark.parametrize(("k", "tau"), [(1, 0.5), (2, 0.5), (3, -1.0), (4, 0.9)])
def test_pairs_and_whole_rows_give_the_same_clusters(monkeypatch, k, tau):
    decoder = np.random.default_rng(5).standard_normal((300, 6))
    decoder[17] = 0
    decoder[40:60] = decoder[40]  # ties
    by_pairs = as_sets(cosine_graph_clusters(decoder, k, tau))
    monkeypatch.setattr(module, "PAIRS", 10)
    assert as_sets(cosine_graph_clusters(decoder, k, tau)) == by_pairs


def test_cosines_next_to_tau_are_those_of_float64():
    # float32 cannot tell these two cosines from 0.5
    close = np.degrees(np.arccos(0.5 + 1e-9)), np.degrees(np.arccos(0.5 - 1e-9))
    assert len(cosine_graph_clusters(at(0, close[0]))) == 1
    assert len(cosine_graph_clusters(at(0, close[1]))) == 2


def test_a_sweep_is_each_setting_alone():
    decoder = np.random.default_rng(2).standard_normal((200, 5))
    settings_ = [(1, 0.9), (2, 0.5), (4, 0.7)]
    for (k, tau), found in zip(settings_, cosine_graph_sweep(decoder, settings_), strict=True):
        assert as_sets(found) == as_sets(cosine_graph_clusters(decoder, k, tau))
    with pytest.raises(ValueError, match="empty"):
        cosine_graph_sweep(decoder, [])
