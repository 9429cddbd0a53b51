"""`circle.*` on the demo model, held against the plain Hugging Face model."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.circles.explaining import task_values
from workbench.circles.patching import pairs_of
from workbench.circles.phrases import mean_off
from workbench.circles.tasks import TASKS
from workbench.errors import InputFileError, MismatchError, UnknownNameError, UsageError
from workbench.geometry import CircleProbe
from workbench.published_clusters import GPT2, KNOWN

pytestmark = pytest.mark.slow
SITE = "blocks.1.hook_resid_post"
WEEK = TASKS["weekdays"]


@pytest.fixture
def demo(do: Any) -> Any:
    do("session.new s", None)
    do("model.load demo device=cpu")
    return do


@pytest.fixture(scope="module")
def plain(torch_loaded: None) -> Any:
    """The demo model and the ids of the 49 problems, by Hugging Face alone."""
    import torch

    from workbench.models.loading import load_model

    model = load_model({"ref": "demo", "device": "cpu"})
    return model, torch.tensor([model.tokenizer(problem.prompt)["input_ids"] for problem in WEEK.problems])


def hidden(plain: Any, layer: int, place: int) -> np.ndarray:
    """(problems, width) after `layer` blocks."""
    import torch

    model, ids = plain
    with torch.no_grad():
        states = model.plain(input_ids=ids, output_hidden_states=True).hidden_states
    return states[layer][:, place].double().numpy()


def answers(plain: Any) -> list[int]:
    return [plain[0].tokenizer(f" {name}")["input_ids"][-1] for name in WEEK.names]


def test_tasks_counts_right_answers_and_states_the_tokens(demo: Any) -> None:
    rows = {row["task"]: row for row in demo("circle.tasks")["result"]["tasks"]}
    assert (rows["weekdays"]["right"], rows["months"]["right"]) == (49, 144)
    assert rows["weekdays"]["right_of_all_tokens"] == 49
    assert rows["weekdays"]["answers"][0] == " Monday"
    assert rows["weekdays"]["leading_space"] is True
    assert rows["weekdays"]["preamble"] == ""  # its words are spelled in bytes here


def test_the_token_without_a_space_is_another_one_here_and_is_stated(demo: Any, plain: Any) -> None:
    row = demo("circle.tasks weekdays space=without")["result"]["tasks"][0]
    assert row["leading_space"] is False
    assert row["answers"][0] == "Monday"
    assert row["right_of_all_tokens"] == 0  # the model continues with the other one
    tokens = [plain[0].tokenizer(name)["input_ids"][-1] for name in WEEK.names]
    assert not set(tokens) & set(answers(plain))


def test_a_model_whose_tokens_do_not_allow_the_task_is_told(loaded: Any) -> None:
    rows = loaded("circle.tasks")["result"]["tasks"]
    assert [row["status"] for row in rows] == ["not possible"] * 2
    with pytest.raises(UsageError, match="Monday"):
        loaded("circle.probe")


def test_the_probe_is_the_librarys_on_hugging_faces_hidden_states(demo: Any, plain: Any) -> None:
    result = demo("circle.probe k=4")["result"]
    labels = task_values(WEEK)["a"]
    assert [row["site"] for row in result["sites"]][:2] == ["blocks.0.hook_resid_pre", "blocks.0.hook_resid_post"]
    for layer, row in enumerate(result["sites"][:4]):  # the last hidden state is normed
        fitted = CircleProbe(7, 4).fit(hidden(plain, layer, 4), labels)
        assert row["r2"] == pytest.approx(fitted.r2_, abs=1e-4)
        assert row["held_out_r2"] == pytest.approx(fitted.held_out_r2_, abs=1e-3)
    assert result["sites"][0]["distinct"] == 7
    assert result["best"] == max(result["sites"], key=lambda row: row["held_out_r2"])["site"]


def test_a_period_that_the_names_do_not_have_is_refused(demo: Any) -> None:
    with pytest.raises(UsageError, match="7 names have no period of 5") as caught:
        demo("circle.probe period=5")
    assert "7" in caught.value.hint
    assert demo("circle.probe months period=4 site=blocks.0.hook_resid_pre")["result"]["period"] == 4
    with pytest.raises(UsageError, match="no circle"):
        demo("circle.probe months frequency=6")


def test_where_all_vectors_are_the_same_there_is_a_status(demo: Any) -> None:
    row = demo("circle.probe at=last site=blocks.0.hook_resid_pre")["result"]["sites"][0]
    assert "the same" in row["status"]
    assert row["r2"] is None


def test_phrases_are_read_on_the_circle_of_the_bare_names(demo: Any) -> None:
    rows = demo("circle.probe site=blocks.0.hook_resid_pre continuity=true")["result"]["continuity"]
    assert rows[0]["phrase"] == "{}"
    assert rows[0]["largest"] < 0.1
    assert {row["phrase"] for row in rows} >= {"very early on {}", "very late on {}"}
    assert next(row for row in rows if row["phrase"] == "very early on {}")["spelled"] is True
    for row in rows:  # how far off is counted either way round; with signs, early and late would cancel
        either_way = [min((angle - at) % 7, (at - angle) % 7) for at, angle in enumerate(row["reads"])]
        assert row["off"] == pytest.approx(np.mean(either_way), abs=1e-3)
        assert abs(row["error"]) <= row["off"] <= row["largest"]
        assert mean_off({"reads": row["reads"]}, 7) == pytest.approx(row["off"], abs=1e-3)  # an older result


def test_patches_are_those_of_a_plain_forward_hook(demo: Any, plain: Any) -> None:
    import torch

    from workbench.demo.interchange import with_name
    from workbench.demo.site import logits_with_site

    result = demo(f"circle.patch site={SITE} draws=1")["result"]
    rows = {row["intervention"]: row for row in result["sites"][0]["interventions"]}
    model, ids = plain
    pairs, acts, labels = pairs_of(WEEK), hidden(plain, 2, 4), task_values(WEEK)["c"]
    probe = CircleProbe(7, 5).fit(acts, labels)
    x = acts[pairs.asked]
    wanted = {
        "patch layer": acts[pairs.clean],
        "patch circle": probe.patch(x, labels[pairs.clean].astype(float)),
        "patch PCA": probe.patch_pca(x, acts[pairs.clean]),
        "random plane": probe.patch_random(x, labels[pairs.clean].astype(float), seed=0),
        "keep only circle": probe.keep_circle(x),
        "zero circle": probe.zero_circle(x),
        "average ablate": probe.ablate(x),
    }
    tokens, row = answers(plain), np.arange(len(pairs))
    for name, vectors in wanted.items():
        with torch.no_grad():
            patched = partial(with_name, vectors=torch.tensor(vectors, dtype=torch.float32))
            logits = logits_with_site(model.plain, ids[pairs.asked], patched)[:, -1][:, tokens].double().numpy()
        difference = logits[row, pairs.asked_answer] - logits[row, pairs.clean_answer]
        assert rows[name]["difference"] == pytest.approx(difference.mean(), abs=2e-3), name
        assert rows[name]["followed"] == pytest.approx((logits.argmax(1) == pairs.clean_answer).mean(), abs=0.01)
    assert result["pairs"] == 294
    assert result["best"] == SITE
    site = result["sites"][0]
    assert site["of"] == "answer"  # read better than the name there
    assert site["share"] > 0.95
    assert rows["patch circle"]["followed"] == 1
    assert rows["random plane"]["followed"] < 0.3


def test_a_cluster_plane_needs_features_that_write_one(demo: Any) -> None:
    demo("sae.load demo")
    told = demo(f"circle.patch site={SITE} features=firing draws=1")["result"]
    assert told["cluster"]["held_out_r2"] > 0.8
    assert any(row["intervention"] == "patch cluster plane" for row in told["sites"][0]["interventions"])
    with pytest.raises(UsageError, match="no plane"):
        demo(f"circle.patch site={SITE} features=459")
    with pytest.raises(UsageError, match="no clusters"):
        demo("circle.patch cluster=3")
    demo("clusters.find")
    with pytest.raises(UsageError, match="no plane"):  # of the graph of decoder cosines: about days only in part
        demo(f"circle.patch site={SITE} cluster=0")
    with pytest.raises(UnknownNameError, match="no cluster 999"):
        demo("circle.patch cluster=999")


def test_an_imported_cluster_has_a_plane_as_well(demo: Any, tmp_path: Path) -> None:
    demo("sae.load demo")
    firing = demo(f"circle.patch site={SITE} features=firing draws=1")["result"]
    path = tmp_path / "mine.pkl"
    path.write_bytes(pickle.dumps([[459, 460], firing["cluster"]["features"]]))
    demo(f"clusters.import {path}")
    told = demo(f"circle.patch site={SITE} cluster=1 draws=1")["result"]["cluster"]
    assert sorted(told["features"]) == sorted(firing["cluster"]["features"])
    assert told["cluster"] == 1
    without = demo(f"circle.patch site={SITE} draws=1")["result"]["cluster"]  # of the set, the one with the circle
    assert (without["cluster"], without["held_out_r2"]) == (1, told["held_out_r2"])
    with pytest.raises(UnknownNameError, match="no cluster 2"):
        demo("circle.patch cluster=2")


def test_a_cluster_without_a_circle_is_patched_only_by_its_number_and_said_to_fit_badly(
    demo: Any, tmp_path: Path
) -> None:
    demo("sae.load demo")
    firing = demo(f"circle.patch site={SITE} features=firing draws=1")["result"]
    assert firing["cluster_note"] == ""
    path = tmp_path / "mine.pkl"
    path.write_bytes(pickle.dumps([firing["cluster"]["features"][20:25]]))
    demo(f"clusters.import {path}")
    left = demo(f"circle.patch site={SITE} draws=1")["result"]
    named = demo(f"circle.patch site={SITE} cluster=0 draws=1")["result"]
    assert 0 < named["cluster"]["held_out_r2"] < 0.5
    assert left["cluster"] is None
    assert "patch cluster plane" not in [row["intervention"] for row in left["sites"][0]["interventions"]]
    for result in (left, named):
        assert f"held-out R2 of {named['cluster']['held_out_r2']:.3f}, below 0.5" in result["cluster_note"]
    assert "--cluster 0 patches it all the same" in left["cluster_note"]
    assert "patch cluster plane" in [row["intervention"] for row in named["sites"][0]["interventions"]]


def test_clusters_of_an_sae_that_is_not_loaded_have_no_plane(demo: Any, tmp_path: Path) -> None:
    demo("sae.load demo")
    days = next(known for known in KNOWN if known.sae == GPT2 and known.name == "days")
    path = tmp_path / "days.pkl"
    path.write_bytes(pickle.dumps({0: sorted(days.members)}))
    demo(f"clusters.import {path}")
    with pytest.raises(MismatchError, match="the clusters are of"):
        demo(f"circle.patch site={SITE} cluster=0")
    assert demo(f"circle.patch site={SITE} draws=1")["result"]["cluster"] is None


def test_the_sweep_says_one_thing_in_the_middle_and_sectors_around(demo: Any) -> None:
    result = demo("circle.sweep radii=4 step=0.5 angles=28")["result"]
    assert result["points"] == 7 * 4 * 28
    assert len(set(result["sectors"][0])) == 1  # radius 0 is one point, whatever the angle
    assert result["agreement"][0] == pytest.approx(1 / 7)
    assert result["agreement"][2] > 0.85  # radius 1: the names themselves
    assert result["nearest"][0] == 0
    assert sorted(set(result["sectors"][2])) == list(range(7))
    with pytest.raises(UnknownNameError, match="Mnday"):
        demo("circle.sweep name=Mnday")


def test_heads_against_the_plain_model(demo: Any, plain: Any) -> None:
    import torch

    result = demo("circle.heads pairs=12")["result"]
    streams = dict(zip(result["streams"], result["layers"], strict=True))
    assert streams["residual"][3] == pytest.approx(1, abs=1e-4)  # all there is at the last token
    model, ids = plain
    pairs = pairs_of(WEEK)
    drawn = np.random.default_rng(0).permutation(294)[:12]
    dirty, clean = ids[pairs.asked[drawn]], ids[pairs.clean[drawn]]
    projection, kept = model.plain.transformer.h[2].attn.c_proj, {}

    def keep(_module: Any, args: Any) -> None:
        kept["clean"] = args[0].clone()

    def put(_module: Any, args: Any) -> Any:
        new = args[0].clone()
        new[:, -1, :32] = kept["clean"][:, -1, :32]  # head 0 of 4
        return (new,)

    def difference(rows: Any, hook: Any = None) -> np.ndarray:
        handle = projection.register_forward_pre_hook(hook) if hook else None
        with torch.no_grad():
            logits = model.plain(input_ids=rows).logits[:, -1][:, answers(plain)].double().numpy()
        if handle:
            handle.remove()
        at = np.arange(12)
        return logits[at, pairs.clean_answer[drawn]] - logits[at, pairs.asked_answer[drawn]]

    low, high = difference(dirty), difference(clean, keep)
    score = ((difference(dirty, put) - low) / (high - low)).mean()
    assert result["heads"][2][0] == pytest.approx(score, abs=1e-3)


def test_explain_by_hand_and_by_gain(demo: Any, tmp_path: Path) -> None:
    by_gain = demo(f"circle.explain site={SITE} at=name")["result"]
    assert by_gain["rungs"][0]["group"] == "circle(c)"
    assert all(rung["gain"] >= 0.01 for rung in by_gain["rungs"])
    assert [rung["r2"] for rung in by_gain["rungs"]] == sorted(rung["r2"] for rung in by_gain["rungs"])
    assert len({one["scale"] for one in by_gain["maps"]}) == 1
    one_hot = np.eye(7)[task_values(WEEK)["c"]]
    path = tmp_path / "mine.csv"
    path.write_text("c0,c1,c2,c3,c4,c5,c6\n" + "\n".join(",".join(f"{v:g}" for v in row) for row in one_hot))
    own = demo(f"circle.explain site={SITE} columns={path} " + " ".join(f"groups=c{n}" for n in range(7)))["result"]
    hand = demo(f"circle.explain site={SITE} groups=c groups=constant")["result"]
    assert hand["chosen_by"] == "hand"
    assert own["rungs"][-1]["r2"] == pytest.approx(hand["rungs"][0]["r2"])
    assert hand["rungs"][1]["rank"] == 0  # the one-hots hold the constant
    path.write_text("c0\n1\n2\n")
    with pytest.raises(InputFileError, match="2 rows"):
        demo(f"circle.explain columns={path}")
    with pytest.raises(UsageError, match="look the same"):
        demo("circle.explain site=blocks.0.hook_resid_pre")


def test_a_replay_gives_the_same_numbers(demo: Any) -> None:
    demo(f"circle.probe site={SITE}")
    demo(f"circle.explain site={SITE} at=name")
    demo("circle.sweep radii=3 angles=14")
    result = demo("replay s check=true")["result"]
    assert result["differences"] == []
    assert result["recomputed"] == 4
