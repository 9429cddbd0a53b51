"""A build that is killed, parted, re-ordered, damaged or short of disk ends with the same bytes as any other."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import tiny
from tests.index.conftest import EXAMPLES, build
from workbench.corpus.store import TokenStore
from workbench.errors import Cancelled, StorageError, WorkbenchError
from workbench.index import entries, finish, shards, summary
from workbench.index.build import building_of
from workbench.index.entries import Entries, entries_of, join
from workbench.index.finish import finish as finish_index
from workbench.index.making import shard_path
from workbench.index.shards import shard_bounds, stretches

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD", 100)
    monkeypatch.setattr(shards, "BATCH_TOKENS", 64)
    monkeypatch.setattr(finish, "BLOCK", 300)


@pytest.mark.parametrize("calls", [0, 3, 11, 20])
def test_a_stopped_build_goes_on_and_ends_with_the_same_bytes(
    tmp_path: Path, tiny_model: Any, tiny_space: Any, store: TokenStore, small_shards: None, calls: int
) -> None:
    whole = build(tmp_path / "whole", tiny_model, tiny_space, store)
    with pytest.raises(Cancelled):
        build(tmp_path / "one", tiny_model, tiny_space, store, tick=tiny.stop_after(calls))
    assert not (tmp_path / "one").exists()
    done = len(list((building_of(tmp_path / "one") / "shards").glob("*.safetensors")))
    ticks: list[int] = []
    again = build(tmp_path / "one", tiny_model, tiny_space, store, tick=lambda at, total, text: ticks.append(at))
    assert tiny.snapshot(again.folder) == tiny.snapshot(whole.folder)
    assert ticks[0] >= (100 - 35) * done, "what was read is not read again"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "whole"]


def test_shards_made_in_any_order_by_anybody_give_the_same_bytes(
    tmp_path: Path, tiny_model: Any, tiny_space: Any, store: TokenStore, small_shards: None
) -> None:
    from workbench.index.reading import shard_entries

    whole = build(tmp_path / "whole", tiny_model, tiny_space, store)
    bounds = shard_bounds(store, 10**6)
    assert len(bounds) > 5
    folder = building_of(tmp_path / "one")
    for number in np.random.default_rng(0).permutation(len(bounds)):
        entries.write(shard_path(folder, int(number)), shard_entries(tiny_model, tiny_space, store, bounds[number]))
    one = build(tmp_path / "one", tiny_model, tiny_space, store, tick=lambda at, total, text: None)
    assert tiny.snapshot(one.folder) == tiny.snapshot(whole.folder)


@pytest.mark.parametrize("damage", ["flip", "short", "gone", "seal"])
def test_a_damaged_shard_is_seen_and_made_again(
    tmp_path: Path, tiny_model: Any, tiny_space: Any, store: TokenStore, small_shards: None, damage: str
) -> None:
    whole = build(tmp_path / "whole", tiny_model, tiny_space, store)
    with pytest.raises(Cancelled):
        build(tmp_path / "one", tiny_model, tiny_space, store, tick=tiny.stop_after(12))
    path = shard_path(building_of(tmp_path / "one"), 1)
    raw = bytearray(path.read_bytes())
    if damage == "flip":
        raw[-3] ^= 4
        path.write_bytes(raw)
    elif damage == "short":
        path.write_bytes(raw[:-5])
    elif damage == "gone":
        path.unlink()
    else:
        path.with_name(path.name + ".sha256").write_text("sha256:0")
    assert not entries.is_whole(path)
    assert tiny.snapshot(build(tmp_path / "one", tiny_model, tiny_space, store).folder) == tiny.snapshot(whole.folder)


def test_a_full_disk_loses_nothing(
    tmp_path: Path, tiny_model: Any, tiny_space: Any, store: TokenStore, small_shards: None
) -> None:
    whole = build(tmp_path / "whole", tiny_model, tiny_space, store)
    with tiny.small_disk("512k") as disk:
        ballast = disk / "ballast"
        for size in (490_000, 400_000):  # full among the shards, then while the index is written
            ballast.write_bytes(b"x" * size)
            with pytest.raises(StorageError, match="the disk is full"):
                build(disk / "one", tiny_model, tiny_space, store)
            assert not (disk / "one").exists()
            kept = len(list((building_of(disk / "one") / "shards").glob("*.safetensors")))
            assert kept > 0
            ballast.unlink()
        one = build(disk / "one", tiny_model, tiny_space, store)
        assert tiny.snapshot(one.folder) == tiny.snapshot(whole.folder)


def test_a_read_only_cache_is_named(tiny_model: Any, tiny_space: Any, store: TokenStore) -> None:
    with tiny.small_disk() as disk:
        tiny.read_only(disk)
        with pytest.raises(StorageError, match=str(disk)):
            build(disk / "one", tiny_model, tiny_space, store)


def test_every_token_is_in_one_shard_and_in_one_stretch(store: TokenStore, small_shards: None) -> None:
    bounds = shard_bounds(store, 10**6)
    assert [bounds[0][0], *(last for _, last in bounds)] == [*(first for first, _ in bounds), len(store.tokens)]
    assert max(last - first for first, last in bounds) <= 100
    seen = np.zeros(len(store.tokens), int)
    for first, last in bounds:
        for stretch in stretches(store, first, last, tiny.CONTEXT):
            assert len(stretch.ids) <= tiny.CONTEXT
            own = stretch.ids[stretch.front :]
            np.testing.assert_array_equal(own, store.tokens[stretch.first : stretch.first + len(own)])
            assert stretch.ids[0] in store.special, "the model never reads without BOS"
            seen[stretch.first : stretch.first + len(own)] += 1
    assert (seen == 1).all()


WIDTH, SPAN = 7, 60


def run(seed: int, first: int, last: int) -> Entries:
    draw = np.random.default_rng([seed, first])
    size = int(draw.integers(0, 3 * (last - first) + 1))
    places = draw.choice((last - first) * WIDTH, min(size, (last - first) * WIDTH), replace=False)
    return entries_of(
        first, last, WIDTH, places // WIDTH, places % WIDTH, draw.random(len(places), dtype=np.float32) + 0.1
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    cuts=st.sets(st.integers(1, SPAN - 1), max_size=6),
    groups=st.lists(st.integers(1, 3), max_size=7),
    order=st.randoms(use_true_random=False),
)
def test_joining_is_associative_and_knows_no_order(
    tmp_path_factory: pytest.TempPathFactory, seed: int, cuts: set[int], groups: list[int], order: Any
) -> None:
    edges = [0, *sorted(cuts), SPAN]
    leaves = [run(seed, first, last) for first, last in pairwise(edges)]
    grouped, rest = [], list(leaves)
    for size in groups:
        if rest[:size]:
            part, rest = rest[:size], rest[size:]
            order.shuffle(part)
            grouped.append(join(part))
    grouped += rest
    order.shuffle(grouped)
    for name, array in join(leaves).arrays().items():
        other = join(grouped).arrays()[name]
        assert array.tobytes() == other.tobytes(), name
    dense = np.zeros((SPAN, WIDTH), np.float32)
    whole = join(grouped)
    for feature in range(WIDTH):
        part = slice(whole.offsets[feature], whole.offsets[feature + 1])
        dense[whole.at[part], feature] = whole.values[part]
    for leaf in leaves:
        for feature in range(WIDTH):
            part = slice(leaf.offsets[feature], leaf.offsets[feature + 1])
            np.testing.assert_array_equal(dense[leaf.first + leaf.at[part], feature], leaf.values[part])
    assert np.count_nonzero(dense) == sum(leaf.count for leaf in leaves)


def test_parts_that_do_not_meet_are_refused() -> None:
    with pytest.raises(WorkbenchError, match="do not meet"):
        join([run(0, 0, 10), run(0, 11, 20)])
    with pytest.raises(WorkbenchError, match="do not meet"):
        join([run(0, 0, 10), run(0, 9, 20)])


def finished(folder: Path, store: TokenStore, parts: list[Entries]) -> dict[str, str]:
    folder.mkdir()
    finish_index(parts, store, folder, features=WIDTH, examples=EXAMPLES, extra={}, tick=lambda done, total: None)
    return tiny.snapshot(folder)


def test_the_finished_files_do_not_depend_on_the_parts(
    tmp_path: Path, store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaves = [run(5, first, first + 20) for first in range(0, 400, 20)]
    one = finished(tmp_path / "one", store, leaves)
    assert finished(tmp_path / "two", store, [*leaves[7:], *leaves[:7]]) == one
    assert finished(tmp_path / "three", store, [join(leaves[3:9]), *leaves[9:], join(leaves[:3])]) == one


def test_a_feature_too_long_for_memory_gets_the_same_numbers(
    tmp_path: Path, store: TokenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.index.mapped import mapped

    leaves = [run(9, first, first + 20) for first in range(0, 400, 20)]
    finished(tmp_path / "one", store, leaves)
    monkeypatch.setattr(finish, "BLOCK", 10)
    finished(tmp_path / "two", store, leaves)
    one, two = (mapped(tmp_path / name / "summary.safetensors") for name in ("one", "two"))
    for name, array in one.items():
        if name in ("total", "squares", "cubes", "fourths"):
            np.testing.assert_allclose(two[name], array, rtol=1e-12)
        else:
            np.testing.assert_array_equal(two[name], array, err_msg=name)
    monkeypatch.setattr(summary, "LONGEST", 25)
    finished(tmp_path / "three", store, leaves)
    three = mapped(tmp_path / "three" / "summary.safetensors")
    for name in ("fired", "maximum", "histogram", "best", "document", "position", "random_at"):
        np.testing.assert_array_equal(three[name], one[name], err_msg=name)
