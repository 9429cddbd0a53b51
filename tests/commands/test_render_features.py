"""Tables of features as they are printed: what is cut, and what marks a value."""

from __future__ import annotations

import io
import math
from typing import Any

import pytest
from rich.console import Console

from commands.render import as_lines, clusters, features, rankings, rsa, tables
from tests.screens.stage import reply_to


@pytest.mark.parametrize("width", [80, 120])
def test_a_map_is_printed_in_as_many_tables_as_it_takes_so_that_no_star_is_cut(width: int) -> None:
    places = [str(place + 1) for place in range(30)]
    row = {"index": 7, "t": [-103.44] * 30, "p_fwer": [0.001] * 30}
    told = {"over": "position", "places": places, "sentences": [100] * 30, "tested": 30, "undefined": 0,
            "discoveries": 30, "family_wise": 30, "features": [row]}  # fmt: skip
    out = io.StringIO()
    rankings.contrast_map(told, {"statistic": "welch", "alpha": 0.05}, Console(width=width, file=out))
    shown = out.getvalue()
    assert shown.count("-103.4*") == 30
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width
    listed = [word for line in shown.splitlines() if line.lstrip().startswith("feature ") for word in line.split()[1:]]
    assert listed == places


def test_a_t_near_zero_is_no_exponent_among_tenths() -> None:
    assert [rankings._map_cell(t, None, 0.05) for t in (-0.022, 0.07, 2.84, None)] == ["0.0 ", "0.1 ", "2.8 ", "- "]


def printed(command: str, result: dict[str, Any]) -> str:
    return "\n".join(as_lines({"command": command, "result": result}, 100))


STORED = {"seq": 42, "utc": "2026-01-01T00:00:00Z", "line": "labels.set 7 'a name'", "withdrawn": True, "stale": False,
          "warnings": [], "do": "labels.set"}  # fmt: skip


def test_a_stored_result_is_drawn_as_its_own_command_draws_it() -> None:
    own = {"feature": "m/s#7", "index": 7, "text": "a name", "before": ""}
    shown = printed("session.result", {**STORED, "result": own}).splitlines()
    assert shown[0] == "log line 42, 2026-01-01T00:00:00Z (withdrawn): labels.set 7 'a name'"
    assert shown[1:] == printed("labels.set", own).splitlines() == ["m/s#7: “a name”"]


def test_a_stored_result_of_an_older_version_is_listed() -> None:
    assert printed("session.result", {**STORED, "result": {"index": 7}}).splitlines()[1:] == ["index: 7"]


@pytest.mark.parametrize(
    ("text", "before", "said"),
    [
        ("", "old", "the label “old” is taken away"),
        ("", "", "had no label, and has none now"),
        ("new", "old", "“new” (before: “old”)"),
    ],
)
def test_a_label_that_is_set_says_what_happened(text: str, before: str, said: str) -> None:
    assert printed("labels.set", {"feature": "f#7", "index": 7, "text": text, "before": before}) == f"f#7: {said}"


def test_a_cluster_is_drawn_with_as_many_cosines_as_the_width_holds() -> None:
    members = [{"index": index, "cosine": 0.9, "density": 0.01, "label": "", "feature": f"f#{index}"}
               for index in range(30)]  # fmt: skip
    result = {"cluster": 3, "size": 30, "cosine": 0.8, "name": "", "features": members,
              "matrix": [[0.25] * 30 for _ in range(30)]}  # fmt: skip
    shown = printed("clusters.show", result)
    assert "cluster 3: 30 features, mean cosine 0.80" in shown
    assert "matrix:" not in shown and "…" not in shown
    assert "cosines of the first 13 of 30 features" in shown
    assert shown.count("0.25") == 13 * 13
    assert max(map(len, shown.splitlines())) <= 100


def row_of(p: float, fwer: float, q: float) -> dict[str, float]:
    return {"p": p, "p_fwer": fwer, "q": q}


def footnotes(row: dict[str, float], floor: str = tables.ONE_MORE) -> str:
    out = io.StringIO()
    tables.finer_q([row], Console(width=400, file=out), floor)
    return out.getvalue()


def test_the_least_p_of_a_design_whose_mirror_image_counts_is_said_as_it_is() -> None:
    head = {"exhaustive": True, "relabellings": 15, "min_p": 0.125}
    assert "cannot be below 0.1250 = 2 / (15 + 1)" in footnotes(row_of(0.125, 0.125, 0.01), rankings.floor_of(head))
    uneven = {"exhaustive": True, "relabellings": 9, "min_p": 0.1}
    assert "cannot be below 1 / (shuffles + 1)" in footnotes(row_of(0.1, 0.1, 0.01), rankings.floor_of(uneven))


def test_a_small_q_beside_a_large_family_wise_p_is_explained() -> None:
    assert "q small where fwer is not" in footnotes(row_of(0.001, 0.1319, 1e-12))
    assert footnotes(row_of(0.001, 0.001, 0.002)) == ""


def test_the_value_of_the_strongest_token_is_not_mistaken_for_text() -> None:
    told = features.heat(["[", "8", "]", " ◂9.00"], [0.5, 3.0, 0.2, 1.0], 3.0).plain
    assert told == "[8 ◂3.00] \\u25c29.00"
    assert told.count(features.VALUE_MARK) == 1


def test_the_value_stands_after_the_token_that_was_drawn_not_after_the_windows_strongest() -> None:
    told = features.heat(["weak", " strong"], [0.5, 3.0], 3.0, at=0).plain
    assert told == "weak ◂0.50 strong"


def test_a_drawn_token_is_marked_though_its_value_is_below_zero() -> None:
    assert features.heat(["The", " tired"], [0.47, -7.42], -7.42, at=1).plain == "The tired ◂-7.42"
    assert features.heat(["silent", " too"], [0.0, 0.0], 0.0, at=0).plain == "silent too"


def test_the_feature_and_not_the_model_is_said_to_be_constant() -> None:
    head = {"against": "graded Monday > Sunday", "statistic": "corr"}
    assert rsa._told({"status": "constant"}, head).startswith("constant (every two sentences")
    assert rsa._told({"status": "ok", "score": 0.5}, head) == "corr 0.500 with graded Monday > Sunday"


def test_the_histogram_of_a_feature_is_printed_with_every_count_in_it() -> None:
    edges, counts = [2.0**at for at in range(12)], [0, 1, 3, 0, 2000, 7, 1, 1, 1, 4, 100]
    title, *lines = features.activation_lines({"edges": edges, "counts": counts}, 40)
    assert "log scale" in title
    rows = [line.split() for line in lines]
    assert [float(row[0]) for row in rows] == edges[:-1:2]  # eight lines at most: two bins in each
    assert [int(row[1].replace(",", "")) for row in rows] == [1, 3, 2007, 2, 5, 100]
    bars = [len(row[2]) for row in rows]
    assert max(bars) == bars[2] == 40
    assert bars[0] == round(40 * math.log(2) / math.log(2008))
    assert features.activation_lines({"edges": edges, "counts": [0] * 11}, 40) == []
    assert features.activation_lines(None, 40) == []


def test_features_show_prints_the_histogram() -> None:
    shown = reply_to("features.show")
    text = printed("features.show", shown)
    assert "activations above 0" in text
    for line in features.activation_lines(shown["corpus"]["histogram"], 40):
        assert line in text


def test_a_search_names_the_unit_of_its_scores() -> None:
    match = {"where": "sentence", "text": " won", "exact": False, "score": 12.5, "share": None, "window": None}
    hit = {"index": 7, "score": 12.5, "density": 0.01, "label": "", "matches": [{**match, "value": 3.0}]}
    asked = {"space": "m/s", "total": 1, "query": "", "by_sentence": "We won.", "hits": [hit], "missing": []}
    for result, unit in (
        (asked, "bits"), ({**asked, "missing": ["no index"]}, "activation"),
        ({**asked, "query": "won", "by_sentence": ""}, "likeness"),
    ):  # fmt: skip
        assert printed("features.search", result).splitlines()[1].split() == [
            "feature",
            unit,
            "density",
            "where",
            "label",
        ]


def test_a_match_of_grams_names_both_in_its_header() -> None:
    result = {"first": "line 4", "second": "simplex:2", "start_cost": 1.0, "cost": 0.5, "per_pair": 0.02,
              "exact": True, "pairs": [["Monday", "0"]]}  # fmt: skip
    assert printed("geometry.match", result).splitlines()[-2].split() == ["line", "4", "simplex:2"]


def test_scores_of_heads_have_the_same_decimals_all_of_them() -> None:
    result = {"prompt": "One day from Monday is", "answers": [" Monday"], "leading_space": True, "names": ["Monday"],
              "right": 9, "problems": 9, "at": "last", "pairs": 9, "heads": [[-0.00048, 0.894]],
              "layers": [[0.0001]], "streams": ["resid_pre"], "top": []}  # fmt: skip
    row = printed("circle.heads", result).strip().splitlines()[-1].split()
    assert row == ["0", "0.00", "0.00", "0.89"]


@pytest.mark.parametrize(("token", "shown"), [(" ", "␣"), ("  ", "␣␣"), ("", "(end)"), (" won", " won"), ("\n", "↵")])
def test_a_token_that_is_named_is_seen(token: str, shown: str) -> None:
    assert tables.token_name(token) == shown


def test_the_tokens_of_a_plane_are_all_named() -> None:
    result = reply_to("clusters.planes")
    result["next"] |= {"tokens": [[" ", 12], ["", 7], [" the", 3]], "others": 5}
    assert "next tokens: ␣ 12, (end) 7,  the 3; others 5" in printed("clusters.planes", result)


@pytest.mark.parametrize("width", [80, 120])
def test_ranked_clusters_are_two_tables_where_one_would_be_cut(width: int) -> None:
    null = {"axes": [1, 2], "separability": 0.9, "separability_null": 0.01, "separability_p": 0.048, "mixture": 0.53,
            "mixture_null": 0.4, "mixture_p": 0.048}  # fmt: skip
    row = {"rank": 1, "legacy_rank": 1, "ring_rank": None, "cluster": 14, "size": 2, "points": 2000, "score": 0.421,
           "separability": 0.91, "mixture": 0.54, "null": null, "ring": None, "name": "", "labels": ["days"],
           "tokens": []}  # fmt: skip
    rows = [row, {**row, "rank": 2, "cluster": 31, "null": None}]
    told = {"rows": rows, "null": "permutation", "threshold": 0, "bins": 10, "eps": 0.1, "draws": 20, "ranked": 2,
            "without": {}}  # fmt: skip
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    clusters.ranked(told, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in shown and "None" not in shown and shown.count("days") == 2
    for number in ("0.421", "0.91", "0.54", "1-2", "0.01", "0.40"):
        assert number in shown
    planes = [line for line in shown.splitlines() if line.split()[:2] == ["14", "1-2"]]
    assert len(planes) == (1 if width == 80 else 0)


def test_a_clamp_names_the_next_tokens_that_it_moved_most() -> None:
    """With no watched words the risers and fallers are all that it says in words."""
    result = reply_to("steer.clamp")
    for prompt in result["prompts"]:
        prompt["words"] = []
    lines = printed("steer.clamp", result).splitlines()
    prompt = result["prompts"][0]
    for name in ("up", "down"):
        token, before, after = prompt[name][0]
        told = f"  {name + ':':<8} {token.strip()} {tables.percent(before)} to {tables.percent(after)}"
        assert [line for line in lines if line.startswith(told)], told
