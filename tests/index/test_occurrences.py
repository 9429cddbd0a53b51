"""Published occurrence arrays: they become the index that the model itself would give, and nothing is unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny
from workbench.corpus.store import TokenStore
from workbench.errors import InputFileError, MismatchError
from workbench.index import occurrences, shards
from workbench.index.read import FeatureIndex, open_index

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


def arrays_of(found: FeatureIndex, store: TokenStore) -> dict[str, np.ndarray]:
    """The four arrays as they are published: by token, padded with zeros at the end."""
    pointers = found.arrays["pointers"]
    features = np.asarray(found.arrays["features"])
    places = np.repeat(np.arange(len(pointers) - 1), np.diff(pointers))
    values = np.zeros(len(features))
    for number, (feature, place) in enumerate(zip(features, places, strict=True)):
        at, own = found.entries(int(feature))
        values[number] = own[np.searchsorted(at, place)]
    return {
        "sparse_sae_values": np.append(values, [0.0, 0.0]),
        "sparse_sae_indices": np.append(features, [0, 0]).astype(np.int32),
        "all_token_indices": np.append(places, [0, 0]).astype(np.int32),
        "all_tokens": np.asarray(store.tokens).astype(np.int64),
    }


@pytest.mark.parametrize("packed", [False, True])
def test_they_give_the_index_that_the_model_gives(
    loaded: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: FeatureIndex,
    store: TokenStore, packed: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(shards, "SHARD", 100)
    monkeypatch.setattr(occurrences, "BLOCK", 37)
    path = tmp_path / "layer-1.npz"
    (np.savez_compressed if packed else np.savez)(path, **arrays_of(found, store))
    done = loaded(f"index.import {path} examples=4")["result"]
    assert (done["corpus"], done["tokens"]) == ("layer-1", len(store.tokens))
    assert done["alive"] == found.meta["alive"]
    (folder,) = (home / "index").iterdir()
    index = open_index(home, {"key": folder.name})
    assert index is not None
    np.testing.assert_array_equal(index.store.starts, store.starts)
    for name, array in found.arrays.items():
        np.testing.assert_array_equal(index.arrays[name], array, err_msg=name)
    for name, array in found.summary.items():
        np.testing.assert_array_equal(index.summary[name], array, err_msg=name)
    before = tiny.snapshot(folder)
    loaded(f"index.import {path} examples=4")
    assert tiny.snapshot(folder) == before
    assert loaded("features.show 3")["result"]["corpus"]["examples"] == found.examples(3)


def test_a_replay_reads_them_where_they_lie_now(
    loaded: Any, tmp_path: Path, found: FeatureIndex, store: TokenStore
) -> None:
    np.savez(tmp_path / "layer-1.npz", **arrays_of(found, store))
    loaded(f"index.import {tmp_path / 'layer-1.npz'} examples=4")
    (tmp_path / "layer-1.npz").rename(tmp_path / "other.npz")
    found_again = loaded(f"replay s check=true at={tmp_path / 'layer-1.npz'}={tmp_path / 'other.npz'}")["result"]
    assert (found_again["recomputed"], found_again["equal"]) == (3, True)


def test_documents_of_equal_length(
    loaded: Any, home: Path, tmp_path: Path, found: FeatureIndex, store: TokenStore
) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays_of(found, store))
    done = loaded(f"index.import {path} context=16")["result"]
    assert done["documents"] == -(-len(store.tokens) // 16)


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("/tmp/workbench-was-unpickled"),))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"sparse_sae_values": np.array([Bomb()], dtype=object)}, InputFileError, "holds object, not numbers"),
        ({"all_tokens": None}, InputFileError, "no array 'all_tokens'"),
        ({"all_tokens": np.array(["a"])}, InputFileError, "not numbers"),
        ({"all_tokens": np.array([10**6])}, MismatchError, "has token 1000000"),
        ({"all_tokens": np.zeros(0, int)}, InputFileError, "has no tokens"),
        ({"sparse_sae_indices": np.array([1, 48])}, MismatchError, "has feature 48"),
        ({"all_token_indices": np.array([1, 9])}, MismatchError, "has place 9"),
        ({"all_token_indices": np.array([2, 1])}, InputFileError, "not ascending"),
        ({"sparse_sae_values": np.array([1.0, np.nan])}, InputFileError, "NaN"),
        ({"sparse_sae_values": np.array([1.0])}, InputFileError, "unequal length"),
    ],
)
def test_what_does_not_fit_is_refused(
    loaded: Any, home: Path, tmp_path: Path, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    arrays = {
        "sparse_sae_values": np.array([1.0, 2.0]),
        "sparse_sae_indices": np.array([1, 2]),
        "all_token_indices": np.array([1, 2]),
        "all_tokens": np.array([0, 5, 6]),
    } | change
    path = tmp_path / "a.npz"
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    with pytest.raises(error, match=message):
        loaded(f"index.import {path}")
    assert not Path("/tmp/workbench-was-unpickled").exists()
    assert not any((home / "index").glob("*/meta.json"))


@pytest.mark.parametrize("cut", [10, 200, 900])
def test_a_damaged_archive_is_refused(
    loaded: Any, tmp_path: Path, found: FeatureIndex, store: TokenStore, cut: int
) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays_of(found, store))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(InputFileError, match=r"no \.npz archive"):
        loaded(f"index.import {path}")
