"""Graph clusters of any sparse similarity follow the rule of the cosine graph."""

import networkx as nx
import numpy as np
import pytest
from scipy.sparse import csr_array

from workbench.geometry import coactivation_affinity, cosine_graph_sweep, similarity_graph_sweep

SETTINGS = [(1, 0.2), (2, 0.3), (5, 0.1)]


def test_on_cosines_it_is_the_cosine_graph():
    decoder = np.random.default_rng(0).standard_normal((60, 6))
    units = decoder / np.linalg.norm(decoder, axis=1, keepdims=True)
    cosines = units @ units.T
    np.fill_diagonal(cosines, 0)
    found = similarity_graph_sweep(csr_array(cosines), SETTINGS)
    for ours, theirs in zip(found, cosine_graph_sweep(decoder, SETTINGS), strict=True):
        assert [c.tolist() for c in ours] == [c.tolist() for c in theirs]


def test_components_are_those_of_networkx():
    fires = np.random.default_rng(1).random((300, 40)) < 0.06
    similarity = coactivation_affinity(fires)
    dense = similarity.toarray()
    graph = nx.Graph()
    graph.add_nodes_from(range(40))
    for feature, row in enumerate(dense):
        for other in np.flatnonzero(row >= np.sort(row)[-2]):  # ties count
            if row[other] > 0.05:
                graph.add_edge(feature, other)
    found = similarity_graph_sweep(similarity, [(2, 0.05)])[0]
    assert {frozenset(c.tolist()) for c in found} == {frozenset(c) for c in nx.connected_components(graph)}


def test_what_is_given_may_be_read_only():
    fires = csr_array(np.eye(4))
    for part in (fires.data, fires.indices, fires.indptr):
        part.setflags(write=False)
    assert coactivation_affinity(fires).nnz == 0


@pytest.mark.parametrize(("matrix", "settings"), [
    (np.zeros((2, 3)), [(1, 0.5)]), (np.eye(3), []), (np.eye(3), [(0, 0.5)]), (np.eye(3), [(1, 1.5)]),
])  # fmt: skip
def test_bad_input_is_refused(matrix, settings):
    with pytest.raises(ValueError, match=r"similarity|settings|k must|tau"):
        similarity_graph_sweep(csr_array(matrix), settings)
