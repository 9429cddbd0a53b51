"""What the report says is what the session holds: in force, marked, and with its source."""

from __future__ import annotations

import re
import shutil
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.reports.example import SPACE, add, contrast, lab_of, write_session
from tests.reports.reading import Page
from workbench.lab import Lab
from workbench.reports import write_report
from workbench.reports.sections import clusters
from workbench.reports.sections.other_methods import _SAYERS
from workbench.reports.source import ReportSource
from workbench.session import catalog
from workbench.session.record import SessionRecord
from workbench.session.session import Session
from workbench.verbs import Outcome


def text_of(record: SessionRecord) -> str:
    return Page(write_report(SessionRecord(record.path), lab_of(record), "html")).text


def markdown_of(record: SessionRecord) -> str:
    return write_report(SessionRecord(record.path), lab_of(record), "md")


def change(record: SessionRecord, dotted: str, outcome: Outcome, **params: str) -> None:
    with Session(record.path, "test") as session:
        add(session, dotted, lambda lab: outcome, **params)


def test_summary_gives_discoveries_beside_the_null_arm(page: str) -> None:
    text = Page(page).text
    asked = f"Of 28 features of {SPACE} tested on the stimulus set “prizes” (6 sentences against 6)"
    assert f"{asked}, 3 features have q < 0.05" in text
    assert "with shuffled labels a median of 0, at most 1 (line 4)" in text
    assert "Strongest for “win”: #0 “going up” (d +3.00, q 1.0×10⁻⁶); #2 “tag2”" in text
    assert "Strongest for all other sentences: #1 “tag1” (d −2.67" in text


def test_summary_gives_steering_beside_its_control(page: str) -> None:
    text = Page(page).text
    assert "raised the words expected up (+1.386 nats; 2 random features of equal norm: −0.100 to +0.200)" in text
    assert "lowered the words expected down (−1.099 nats; 2 random features of equal norm: −1.200 to +0.300)" in text
    assert "Not beyond control: the words expected down." in text


def test_words_that_move_the_other_way_are_an_effect(record: SessionRecord) -> None:
    result = dict(lab_of(record).stored(record.line(7)))
    turned = {**result, "raised": -3.0, "lowered": 2.5, "beyond": {"raised": False, "lowered": False, "kl": True}}
    change(record, "steer.clamp", Outcome(turned), feature=f"{SPACE}#0")
    said = "Against what was expected, and further than any random feature: the words expected up"
    assert text_of(record).count(said) == 2  # in the summary and at the result
    assert "Not beyond control: the words expected up" not in text_of(record)


def test_labels_stand_with_their_scores(record: SessionRecord) -> None:
    value = {"value": 0.8, "low": 0.7, "high": 0.9}
    score = {
        "text": "tag1", "scorer": "offline", "protocol": "detection", "negatives": "random", "accuracy": value,
        "margin": {"value": 0.25, "low": -0.05, "high": 0.4}, "other": {**value, "value": 0.55}, "random": value,
    }  # fmt: skip
    of_another_text = {**score, "text": "gone", "accuracy": {**value, "value": 0.99}}
    sets = {f"label_scores/{SPACE}#1/offline/detection/random": score,
            f"label_scores/{SPACE}#2/offline/detection/random": of_another_text}  # fmt: skip
    change(record, "labels.score", Outcome({}, sets=sets))
    rows = [
        element.text for element in Page(write_report(SessionRecord(record.path), lab_of(record), "html")).all("tr")
    ]
    assert [row for row in rows if "detection" in row] == [
        "#1offline detection, random negatives0.80 (0.70 to 0.90)0.550.80+0.25 (−0.05 to +0.40)line 10"
    ]
    assert not any("0.99" in row for row in rows)


def test_a_volcano_has_the_line_of_its_threshold(page: str) -> None:
    drawn = next(element for element in Page(page).all("svg") if "points" in element.text)
    assert "q = 0.05" in drawn.text


def test_the_design_of_a_set_that_is_here_is_checked(record: SessionRecord) -> None:
    from workbench.stimuli.sets import find_set

    digest = find_set("achievement", lab_of(record)).digest
    for stored, there in ((digest, True), ("sha256:other", False)):

        def rank(lab: Lab, stored: str = stored) -> Outcome:
            made = contrast(lab, "achievement", False)
            return replace(made, provenance={"stimuli": {"name": "achievement", "digest": stored}})

        with Session(record.path, "test") as session:
            add(session, "features.contrast", rank, stimuli="achievement", note=stored)
        assert ("What else tells the sentences of achievement apart" in text_of(record)) is there
        assert ("the words themselves tell" in text_of(record)) is there


def test_a_set_that_only_rsa_was_made_on_has_its_design(record: SessionRecord) -> None:
    def compare(lab: Lab) -> Outcome:
        made = contrast(lab, "week", False)
        return replace(made, result={**made.result, "kind": "rsa", "positive": "", "against": "circle"}, figures=[])

    with Session(record.path, "test") as session:
        add(session, "features.rsa", compare, stimuli="week")
    text = text_of(record)
    assert (
        "Stimulus set week: 12 sentences in 2 categories. Their distances were compared with the model “circle”" in text
    )
    assert text.index("Design of prizes") < text.index("Design of week")


def test_methods_are_told_of_every_kind_of_result_with_its_parameters(record: SessionRecord) -> None:
    for verbs, _ in _SAYERS:
        change(record, verbs[0], Outcome({}), seed=7, statistic="welch", permutations=123)
    page = Page(write_report(SessionRecord(record.path), lab_of(record), "html"))
    methods = next(element.text for element in page.all("section") if element.attributes["id"] == "methods")
    for said in (
        "RSA compares", "from 123 permutations of the sentences, never of pairs", "Seed 7", "Probes are", "gone",
        "Holm", "exact counts", "Offline labels", "Zou and Donner", "Steering adds", "Clusters are", "(1 - M) S",
        "Circle probes", "Energies", "Quanta are",
    ):  # fmt: skip
        assert said in methods, said


def test_methods_begin_with_the_program_and_say_once_what_rankings_share(record: SessionRecord) -> None:
    with Session(record.path, "test") as session:
        add(session, "features.contrast", lambda lab: contrast(lab, "week", False), stimuli="week", permutations=77)
    page = Page(write_report(SessionRecord(record.path), lab_of(record), "html"))
    methods = next(element.text for element in page.all("section") if element.attributes["id"] == "methods")
    assert "omputed with feature-workbench" in methods[:200]
    assert "77 permutations of the sentence labels" in methods and "6 sentences against 6" in methods
    assert methods.count("Benjamini-Hochberg") == 1


def test_every_number_has_its_line(page: str) -> None:
    captions = [element.text for element in Page(page).all("caption", "figcaption")]
    own_lines = (
        "Labels given",
        "Scores of labels",
        "Commands in force",
        "What the numbers rest on",
        "Provenance of every line",
    )
    assert all(re.search(r"\(line \d+\)", text) for text in captions if not text.startswith(own_lines))


def test_a_good_session_hides_nothing(page: str) -> None:
    assert "cannot be shown" not in page
    assert 'class="notice missing"' not in page


def test_withdrawn_lines_are_left_out(record: SessionRecord) -> None:
    change(record, "session.undo", Outcome({}, withdraws=[7]))
    text = text_of(record)
    assert "steer.clamp" not in text
    assert "1 withdrawn line and 0 failed lines are left out" in text


def test_stale_lines_are_marked(record: SessionRecord) -> None:
    change(record, "session.undo", Outcome({}, withdraws=[2]))
    text = text_of(record)
    assert "Stale: line 4 rests on a line that was withdrawn later" in text
    assert "line 4 is stale" in text


def test_a_missing_index_is_told(record: SessionRecord, home: object) -> None:
    shutil.rmtree(f"{home}/index")
    text = text_of(record)
    assert "The corpus index is not on the machine that wrote this report" in text


def test_a_damaged_result_is_told_and_the_rest_is_shown(record: SessionRecord) -> None:
    (record.artifact_path(record.line(7)) / "result.json").write_text("{}")
    text = text_of(record)
    assert "What line 7 found cannot be shown" in text
    assert "Higher in “win”" in text


def test_a_later_null_check_does_not_take_the_place_of_the_ranking(record: SessionRecord) -> None:
    with Session(record.path, "test") as session:
        add(session, "features.contrast", lambda lab: contrast(lab, "null", False, discoveries=0), stimuli="null")
    text = text_of(record)
    assert "Strongest for “win”: #0" in text
    assert text.index("prizes (line 4)") < text.index("null (line 10)")
    assert "no feature has q < 0.05" in text


def test_commands_are_written_by_the_function_given(record: SessionRecord) -> None:
    page = write_report(record, lab_of(record), "html", lambda line: f"{line.do} as typed")
    assert ":features.contrast as typed" in Page(page).text
    assert "workbench replay toy --check" in Page(page).text


def test_provenance_names_full_digests(page: str) -> None:
    text = Page(page).text
    for value in ("sha256:0123456789abcdef", "sha256:fedcba", "sha256:c0", "sha256:5711", SPACE):
        assert value in text


def test_an_empty_session_says_so(tmp_path: object, record: SessionRecord) -> None:
    (record.path / "log.jsonl").write_text("")
    assert "Nothing was measured in this session yet." in text_of(record)


@pytest.mark.parametrize("kind", ["html", "md"])
def test_the_lab_may_be_of_another_session(record: SessionRecord, home: object, kind: str) -> None:
    other = write_session(record.path.parent.parent / "others", record.path.parent.parent / "elsewhere")
    (other.path / "log.jsonl").write_text("")
    lab = lab_of(SessionRecord(other.path))
    assert write_report(record, lab, kind) == write_report(record, lab_of(record), kind)  # type: ignore[arg-type]


ABOUT = {"stimuli": "prizes", "positive": "win", "against": "all others", "alpha": 0.05, "tested": 28}


def test_the_summary_tells_every_kind_of_result(record: SessionRecord) -> None:
    point = {"method": "f_stat", "accuracy": [0.9, 0.8, 1.0]}
    results = {
        "features.rsa": {
            **ABOUT, "over": "features", "nuisance": ["length"], "statistic": "corr", "against": "2 categories",
            "discoveries": 2, "null_discoveries_max": 1,
        },
        "features.probe": {
            **ABOUT, "design": "sentences", "categories": {"positive": 6, "rest": 6},
            "sweep": [{**point, "k": 4}, {**point, "k": 2, "accuracy": [0.85, 0.7, 0.95]}], "discoveries": 0,
        },
        "features.compare": {**ABOUT, "k": 8, "verdict": ["SAE contrast decodes better", "another"]},
        "features.replicate": {
            "first": {"seq": 4}, "changed": ["seed: 0 -> 1"], "agreement": {"first": 5}, "held": 2, "lost": 3,
            "gone": 1, "not_powered": 2, "reversed": 0,
        },
        "features.maxact": {**ABOUT, "rows": [{"index": 7, "score": 3.0}], "discoveries": None},
    }  # fmt: skip
    for dotted, result in results.items():
        change(record, dotted, Outcome(result), stimuli="prizes")
    text = text_of(record)
    for said in (
        "as the model “2 categories” does (corr, length left out)? Of 28 tested, 2 have q < 0.05",
        "2 features by f_stat reach accuracy 0.85",
        "(by chance 0.500); the best of the sweep is 0.90",
        "SAE contrast decodes better. 1 further verdict below",
        "Of 5 discoveries that could be tested again 2 held, 1 are gone, of 2 the second sentences cannot tell",
        "The largest activation on the sentences of “prizes” is of #7",
        "The summary begins with line",
    ):
        assert said in text


def _ranked_row(cluster: int, rank: int, ring_rank: int, kurtosis: float) -> dict[str, Any]:
    null = {
        "axes": [1, 2], "kind": "words", "draws": 5, "score": 0.41, "documents_interval": [0.375, 0.445],
        "words_interval": [0.2, 0.6], "separability": 0.52, "separability_null": 0.22, "separability_p": 0.1667,
        "mixture": 0.2, "mixture_null": 0.21, "mixture_p": 0.5,
    }  # fmt: skip
    ring = {"status": "ok", "words": 24, "axes": [2, 3], "kurtosis": kurtosis, "expected": 5.2, "z": 5.2 - kurtosis,
            "p": 0.028, "gaussian_p": 0.001}  # fmt: skip
    return {"cluster": cluster, "rank": rank, "ring_rank": ring_rank, "size": 2, "points": 900, "name": "",
            "labels": [], "tokens": [[" Mar", 0.4], [" May", 0.3]], "score": 0.45, "null": null,
            "ring": ring}  # fmt: skip


RANKED = {
    "clusters_seq": 8, "points": 1000, "threshold": 8.0, "bins": 10, "eps": 0.1, "null": "words", "draws": 5,
    "by": "ring", "least": 5, "ranked": 2, "ringed": 2, "without": {"silent": 1},
    "rows": [_ranked_row(1, 2, 1, 4.72), _ranked_row(0, 1, 2, 6.1)],
}  # fmt: skip
TASK = {"prompt": "Two days from Monday is", "leading_space": True, "right": 49, "problems": 49}


def test_a_ranking_of_clusters_is_told_with_nulls_intervals_and_the_ring_test(record: SessionRecord) -> None:
    change(record, "clusters.rank", Outcome(RANKED), by="ring")
    page = Page(write_report(SessionRecord(record.path), lab_of(record), "html"))
    section = next(one.text for one in page.all("section") if one.attributes["id"] == "cluster-rankings")
    for said in ("0.450", "0.520", "0.220", "0.17", "0.375 to 0.445", "0.200 to 0.600", "4.72", "0.028", "0.001",
                 "Mar May", "the words put elsewhere", "Without a score: 1 silent"):  # fmt: skip
        assert said in section
    drawn = [one.text for one in page.all("figcaption")]
    assert any("95 % interval over words" in text for text in drawn)
    assert any("4 is a ring" in text for text in drawn)
    summary = next(one.text for one in page.all("section") if one.attributes["id"] == "summary")
    assert "First by the ring test is cluster 1 “Mar May”, kurtosis 4.72" in summary


def test_a_small_cluster_at_the_head_of_a_ranking_or_with_a_label_is_listed(
    record: SessionRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "SHOWN", 1)
    assert "Smaller clusters" not in text_of(record)
    change(record, "clusters.rank", Outcome({**RANKED, "rows": RANKED["rows"][:1]}))
    text = markdown_of(record)
    assert "Smaller clusters" in text
    assert r"| 1 | 2 | 1.00 | \#8, \#9 |" in text


IMPORTED = {
    "k": None, "tau": None, "space": SPACE, "clusters": 2, "singletons": 25, "method": "import", "directions": False,
    "file": "published.pkl", "names": {"1": "days"}, "numbers": [0, 7],
    "known": [{"cluster": 1, "name": "days", "number": 7, "size": 2, "cosine": None, "published": 0.91,
               "check": "not checked"}],
    "largest": [{"cluster": 0, "size": 3, "cosine": None, "features": [3, 4, 5]},
                {"cluster": 1, "size": 2, "cosine": None, "features": [8, 9]}],
}  # fmt: skip


def test_imported_clusters_are_told_with_the_names_of_the_paper(record: SessionRecord) -> None:
    change(record, "clusters.import", Outcome(IMPORTED, sets={"clusters": {"space": SPACE, "count": 2}}))
    page = Page(write_report(SessionRecord(record.path), lab_of(record), "html"))
    section = next(one.text for one in page.all("section") if one.attributes["id"] == "clusters")
    assert f"2 clusters of two or more features of {SPACE}, taken over from “published.pkl”" in section
    assert "1days72–0.910not checked" in section
    assert "12–#8, #9days" in section
    assert "no directions and no cosines" in section
    assert "2 clusters taken over from a file (line 10)" in page.text
    assert "Clusters were taken over from a file as they stand" in page.text


def test_the_clusters_of_the_report_are_the_latest_in_force(record: SessionRecord) -> None:
    change(record, "clusters.import", Outcome(IMPORTED, sets={"clusters": {"space": SPACE, "count": 2}}))
    found = clusters.clustering(ReportSource(SessionRecord(record.path), lab_of(record)))
    assert found is not None
    assert found.do == "clusters.import"
    with Session(record.path, "test") as session:
        add(session, "session.undo", lambda lab: Outcome({}, withdraws=[10]))
    found = clusters.clustering(ReportSource(SessionRecord(record.path), lab_of(record)))
    assert found is not None
    assert found.seq == 8


def test_the_commands_can_be_saved_as_a_script(record: SessionRecord) -> None:
    change(record, "stimuli.import", Outcome({}))
    lines = {"session.note": "session.note 'two\nlines'", "stimuli.import": "stimuli.import inputs/0123456789ab-x.csv"}
    text = write_report(SessionRecord(record.path), lab_of(record), "html", lambda line: lines.get(line.do, line.do))
    link = next(one for one in Page(text).all("a") if one.attributes.get("download") == "commands.txt")
    script = b64decode(link.attributes["href"].partition("base64,")[2]).decode()
    assert [line for line in script.splitlines() if not line.startswith("#")] == [
        "model.load", "sae.load", "index.build", "features.contrast", "labels.suggest", "labels.set", "steer.clamp",
        "clusters.find",
    ]  # fmt: skip
    assert "# line 9 (session.note)" in script
    assert "# line 10 needs a file" in script


def test_phrases_are_told_by_their_distance_without_sign(record: SessionRecord) -> None:
    site = {"site": "blocks.0.hook_resid_pre", "r2": 0.99, "held_out_r2": 0.98, "held_out_names_r2": 0.97,
            "error": 0.1, "distinct": 7}  # fmt: skip
    phrase = {"phrase": "late on {}", "site": site["site"], "error": 0.0, "largest": 2.0, "spelled": False,
              "reads": [2.0, 6.0, 2.0, 3.0, 4.0, 0.0, 5.0]}  # fmt: skip
    probe = {**TASK, "at": "name", "of": "name", "period": 7, "k": 5, "sites": [site], "best": site["site"],
             "continuity": [phrase]}  # fmt: skip
    change(record, "circle.probe", Outcome(probe), task="weekdays")
    text = markdown_of(record)
    assert "| 1.00 | 2.00 | 2.0, 6.0, 2.0, 3.0, 4.0, 0.0, 5.0 | – |" in text  # 2, 2, 0, 0, 0, 2, 1 off
    assert "held-out R² 0.980; with whole names held out 0.970" in " ".join(text_of(record).split())


def test_the_summary_of_a_session_of_shapes_alone_begins_with_them(tmp_path: Path, home: Path) -> None:
    path = catalog.create("shapes", tmp_path / "sessions")
    energy = {
        "of": "means", "n": 7, "kernel": "exp", "s": None, "references": {"simplex": 54.58}, "optima": [],
        "remark": "", "fits": [],
        "places": [{"place": "blocks.3.hook_resid_post", "status": "ok", "why": "", "energy": 60.29,
                    "mean_cosine": -0.16, "label_shuffle": {"energy_mean": 57.4, "energy_sd": 0.9},
                    "coordinate_shuffle": None}],
    }  # fmt: skip
    kinds = {"patch circle": 0.9, "random plane": 0.11, "patch layer": 1.0}
    row = {"difference": -10.0, "low": -11.0, "high": -9.0, "stayed": 0.0, "share": 0.95}
    best = {
        "site": "blocks.2.hook_resid_post", "status": "ok", "of": "answer", "held_out_r2": 0.99, "share": 0.95,
        "random_share": 0.48, "patch_layer": -12.4, "patch_circle": -11.0, "random_plane": 2.2,
        "interventions": [{"intervention": kind, "followed": share, **row} for kind, share in kinds.items()],
    }  # fmt: skip
    patch = {**TASK, "pairs": 294, "best": best["site"], "sites": [best], "cluster": None}
    with Session(path, "test") as session:
        add(session, "clusters.find", lambda lab: Outcome({"clusters": 1}, sets={"clusters": {"count": 1}}))
    record = SessionRecord(path)
    assert "This session holds: 1 cluster found" in text_of(record)
    assert "Besides" not in text_of(record)
    change(record, "geometry.energy", Outcome(energy), stimuli="weekdays")
    change(record, "circle.patch", Outcome(patch), task="weekdays")
    text = " ".join(text_of(record).split())
    assert "Energy 60.3 at blocks.3.hook_resid_post; with shuffled labels 57.4 ± 0.900, of a simplex 54.6" in text
    assert "At blocks.2.hook_resid_post 90.0 % of the answers follow, in 294 pairs; a random plane 11.0 %" in text
    assert "Besides: 1 cluster found" in text


def test_a_probe_of_few_predictions_against_many_is_told_by_what_their_share_does_not_move(
    record: SessionRecord,
) -> None:
    def row(method: str, accuracy: float, recall: float, auc: float) -> dict[str, object]:
        given = {"accuracy": accuracy, "f1": 0.3, "mcc": 0.3, "precision": 0.4, "recall": recall, "auc": auc}
        return {
            "method": method,
            "k": 1,
            **{name: [value, value - 0.02, value + 0.02] for name, value in given.items()},
        }

    result = {
        "stimuli": "samples of cluster 0", "positive": "cluster 0", "against": "cluster 9", "design": "tokens",
        "categories": {"positive": 30, "rest": 970}, "tested": 28, "statistic": "f_stat", "p_reason": "none",
        "sweep": [row("f_stat", 0.96, 0.5, 0.91), row("random", 0.97, 0.0, 0.52)], "exact": None, "case": None,
    }  # fmt: skip
    for against in (None, "9"):
        sides = "cluster 9" if against else "other samples"
        params = {"quanta": [0], **({"against": against} if against else {})}
        change(record, "features.probe", Outcome({**result, "against": sides}), **params)  # type: ignore[arg-type]
    text = text_of(record)
    assert "Probe: cluster 0 of predictions against other samples (line 10)" in text
    assert "Probe: cluster 0 of predictions against cluster 9 (line 11)" in text
    assert "decode “cluster 0” on held-out tokens of predictions, against other samples (30 against 970)?" in text
    assert "decode “cluster 0” on held-out tokens of predictions, against cluster 9 (30 against 970)?" in text
    # accuracy .96 is 960 of 1000; 15 of 30 members are found, so 945 of the 970 others: (15/30 + 945/970) / 2
    assert "1 feature by f_stat reaches AUC 0.910 (by chance 0.500), balanced accuracy 0.737 (by chance 0.5)" in text
    assert "a feature drawn at random, which tells what any would, 0.520" in text
    assert "reaches accuracy" not in text
