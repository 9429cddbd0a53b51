"""Published cluster files are read without executing them, and their numbers are those of the paper."""

import io
import os
import pickle
import pickletools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputFileError
from workbench.plain_pickle import read_plain_pickle
from workbench.published_clusters import GPT2, KNOWN, MISTRAL, named_clusters, read_published_clusters

FOLDER = Path(os.environ.get("WORKBENCH_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data")) / "clusters"

leaves = st.integers(-(2**70), 2**70) | st.text(max_size=5)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=4)
        | st.lists(inner, max_size=5).map(tuple)
    ),
    max_leaves=20,
)


@given(values, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_values_are_read_as_python_reads_them(value, protocol):
    assert read_plain_pickle(pickle.dumps(value, protocol), "a.pkl") == value


class _Runs:
    def __reduce__(self):
        return (print, ("executed",))


@pytest.mark.parametrize(
    "value", [_Runs(), [1, _Runs()], len, Path("x"), 1.5, None, True, b"x", {1, 2}, object(), bytearray(b"a"), 1j]
)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_anything_else_is_refused_and_nothing_is_executed(value, protocol, capsys):
    with pytest.raises(InputFileError):
        read_plain_pickle(pickle.dumps(value, protocol), "a.pkl")
    assert capsys.readouterr().out == ""


@given(st.binary(max_size=60))
def test_bytes_that_are_no_pickle_are_refused_not_crashed_on(data):
    try:
        value = read_plain_pickle(data, "a.pkl")
    except InputFileError as error:
        assert "a.pkl" in str(error)
    else:
        assert type(value) in (int, str, list, dict, tuple)


def test_every_instruction_is_either_plain_or_refused():
    whole = pickle.dumps({1: [2, (3, 4)], "a": "b"})
    for cut in range(len(whole) - 1):
        with pytest.raises(InputFileError):
            read_plain_pickle(whole[:cut], "a.pkl")
    for opcode in pickletools.opcodes:
        if opcode.name in ("GLOBAL", "STACK_GLOBAL", "REDUCE", "INST", "OBJ", "NEWOBJ", "BUILD", "EXT1", "PERSID"):
            data = io.BytesIO(b"\x80\x04]" + opcode.code.encode("latin-1") + b"os\nsystem\n.").getvalue()
            with pytest.raises(InputFileError):
                read_plain_pickle(data, "a.pkl")


def test_a_list_that_holds_itself_is_no_cluster():
    endless: list = [1]
    endless.append(endless)
    with pytest.raises(InputFileError, match="cluster 0"):
        read_published_clusters(pickle.dumps(endless), "a.pkl")


def test_numbers_count_clusters_of_two_or_more_and_positions_are_kept():
    found = read_published_clusters(pickle.dumps([[5], [3, 1], [2], [9, 8, 7]]), "a.pkl")
    assert found.members == {0: (1, 3), 1: (7, 8, 9)}
    assert found.position == {0: 1, 1: 3}
    assert found.singletons == 2


def test_keys_of_a_dict_without_singletons_are_the_numbers():
    found = read_published_clusters(pickle.dumps({7: [3, 1], 2: (4, 5)}), "a.pkl")
    assert found.members == {2: (4, 5), 7: (1, 3)}
    assert found.position == {2: 2, 7: 7}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([[1, 2], [2, 3]], "twice"),
        ([[1, 1]], "twice"),
        ([[1], [2]], "no cluster of two"),
        ([], "no cluster of two"),
        ([[1, -2]], "cluster 0 of a.pkl"),
        ([[1, "2"]], "cluster 0"),
        ([[1, 2**40]], "cluster 0"),
        ({"a": [1, 2]}, "holds no clusters"),
        ("clusters", "holds no clusters"),
    ],
)
def test_other_content_is_refused(value, said):
    with pytest.raises(InputFileError, match=said):
        read_published_clusters(pickle.dumps(value), "a.pkl")


def published(name: str):
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    return read_published_clusters(path.read_bytes(), name)


def test_the_published_gpt2_file():
    found = published("gpt-2_layer_7_clusters_spectral_n1000.pkl")
    sizes = [len(members) for members in found.members.values()]
    assert (len(sizes), sum(sizes), min(sizes), max(sizes), found.singletons) == (1000, 24_576, 2, 267, 0)
    named = named_clusters(found)
    assert {number: known.name for number, known in named.items()} == {138: "days", 212: "years", 251: "months"}
    assert {known.sae for known in named.values()} == {GPT2}


def test_the_published_mistral_file():
    found = published("mistral_layer_8_clusters_cutoff_0.5.pkl")
    sizes = sorted(map(len, found.members.values()))
    assert (len(sizes), sizes[-1], found.singletons) == (2789, 5231, 50_730)
    assert {number: known.name for number, known in named_clusters(found).items()} == {61: "days", 832: "months"}
    assert found.position[61] == 362
    assert found.position[832] == 6598


def test_known_clusters_have_the_sizes_of_the_paper():
    assert [len(known.members) for known in KNOWN if known.sae == GPT2] == [9, 16, 10]
    assert [len(known.members) for known in KNOWN if known.sae == MISTRAL] == [7, 21]
