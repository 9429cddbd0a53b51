"""Tags and notes on features: kept, listed, shown, undone one by one, told in the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from workbench.errors import UnknownNameError, UsageError

pytestmark = [pytest.mark.slow]


def tags_of(do: Any, feature: int) -> list[str]:
    found: list[str] = do(f"features.show {feature}")["result"]["tags"]
    return found


def test_tags_are_put_on_taken_off_and_listed(loaded: Any) -> None:
    assert loaded("features.tag 3,5 winning")["result"]["count"] == 2
    loaded("features.tag 5 'to check'")
    again = loaded("features.tag 5 winning")
    assert (again["result"]["features"], again["result"]["count"]) == ([], 2)
    assert any("already" in line for line in again["warnings"])
    found = loaded("features.tags")["result"]
    assert found["tags"] == [{"tag": "to check", "features": 1}, {"tag": "winning", "features": 2}]
    assert [(row["index"], row["tags"]) for row in found["features"]] == [
        (3, ["winning"]),
        (5, ["to check", "winning"]),
    ]
    assert [row["index"] for row in loaded("features.tags 'to check'")["result"]["features"]] == [5]
    loaded("features.tag 5 winning remove=true")
    assert (tags_of(loaded, 3), tags_of(loaded, 5)) == (["winning"], ["to check"])


def test_one_tagging_is_undone_without_the_others(loaded: Any) -> None:
    first = loaded("features.tag 5 one")["seq"]
    loaded("features.tag 5 two")
    removal = loaded("features.tag 5 two remove=true")["seq"]
    loaded(f"session.undo {first}")
    assert tags_of(loaded, 5) == []
    loaded(f"session.undo {removal}")
    assert tags_of(loaded, 5) == ["two"]


def test_a_note_is_kept_replaced_removed_and_undone(loaded: Any) -> None:
    hostile = "first\n\x1b[31m<b>[bold] \u202eright"
    loaded("features.note 7 plain")
    seq = loaded("features.note 7 '" + hostile + "'")["seq"]
    assert loaded("features.show 7")["result"]["note"] == hostile
    assert [(row["index"], row["note"]) for row in loaded("features.tags")["result"]["features"]] == [(7, hostile)]
    loaded(f"session.undo {seq}")
    assert loaded("features.show 7")["result"]["note"] == "plain"
    loaded("features.note 7 ''")
    assert loaded("features.show 7")["result"]["note"] == ""


def test_a_ranking_is_filtered_by_tag_and_the_report_tells_marks(loaded: Any, tmp_path: Path) -> None:
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    rows = loaded("features.contrast wins permutations=50")["result"]["rows"]
    chosen = [row["index"] for row in rows[2:4]]
    loaded(f"features.tag {chosen[0]},{chosen[1]} 'my list'")
    loaded(f"features.note {chosen[1]} '<script>wins</script>'")
    listed = loaded("features.list tag='my list'")["result"]["rows"]
    assert [row["index"] for row in listed] == chosen
    assert [row["rank"] for row in listed] == [3, 4]  # of the whole ranking, as features.show says
    assert [loaded(f"features.show {number}")["result"]["test"]["rank"] for number in chosen] == [3, 4]
    by_number = loaded("features.list sort=index limit=500")["result"]["rows"]
    assert {row["index"]: row["rank"] for row in by_number}.items() >= {
        row["index"]: row["rank"] for row in rows
    }.items()
    with pytest.raises(UnknownNameError, match="unknown tag 'mylist'"):
        loaded("features.list tag=mylist")
    loaded(f"report out={tmp_path / 'r.html'}")
    page = (tmp_path / "r.html").read_text()
    assert "my list" in page
    assert "&lt;script&gt;wins&lt;/script&gt;" in page
    assert "<script>wins" not in page


@pytest.mark.parametrize(
    ("line", "kind", "said"),
    [
        ("features.tag 9999 x", UnknownNameError, "9999"),
        ("features.tag other/sae#3 x", UnknownNameError, "another space"),
        ("features.tag , x", UsageError, "no feature"),
        ("features.tag 3 a/b", UsageError, "tag is 'a/b'"),
        ("features.tag 3 ''", UsageError, "tag is ''"),
        ("features.tag 3 '\x1b[31m'", UsageError, "tag is"),
        ("features.tag 3 never remove=true", UnknownNameError, "never"),
        ("features.note 3 'half a \ud800 pair'", UsageError, "text is"),
        ("features.tag 3 '\ud800'", UsageError, "tag is"),
        ("features.note 9999 x", UnknownNameError, "9999"),
        ("features.note 3 " + "x" * 5001, UsageError, "text is"),
        ("features.tags never", UnknownNameError, "never"),
    ],
)
def test_a_mark_that_cannot_be_is_refused_by_name(loaded: Any, line: str, kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        loaded(line)
    assert loaded("features.tags")["result"]["total"] == 0


def test_marks_and_imports_are_replayed_with_the_session(loaded: Any, tmp_path: Path) -> None:
    path = tmp_path / "np.json"
    path.write_text('[{"index": 9, "description": "felines"}]')
    loaded(f"labels.import {path}")
    path.unlink()  # the session keeps what it took over
    loaded("features.tag 3,5 winning")
    loaded("features.note 5 'look again'")
    loaded("features.tag 3 winning remove=true")
    found = loaded("replay check=true")["result"]
    assert (found["differences"], found["equal"]) == ([], True)
    assert found["recomputed"] == 6


def test_a_tag_on_features_of_another_sae_stays_with_them(loaded: Any, tiny_files: Path) -> None:
    first = loaded("features.tag 3 winning")["result"]["features"][0]
    loaded("sae.load raw")
    with pytest.raises(UnknownNameError, match="another space"):
        loaded(f"features.tag '{first}' other")
    (row,) = loaded("features.tags")["result"]["features"]
    assert (row["feature"], row["tags"]) == (first, ["winning"])
    assert tags_of(loaded, 3) == []
    loaded(f"sae.load {tiny_files / 'sae'}")
    assert tags_of(loaded, 3) == ["winning"]
