"""Training: every architecture's saved form is the one trained; a resumed run is the unbroken one; NaN stops it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from workbench.corpus.source import open_corpus
from workbench.errors import InputFileError, StorageError, UsageError, WorkbenchError

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
ARCHITECTURES = ("topk", "batchtopk", "standard", "gated", "jumprelu")
ROWS = 900


def nothing(done: int, total: int, text: str) -> None: ...


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, tiny_model: Any) -> Any:
    """An activation set of the tiny model."""
    from workbench.models.site import parse_site
    from workbench.saes.activation_set import SetRecipe, record

    draw = random.Random(1)
    folder = tmp_path_factory.mktemp("training")
    path = folder / "lines.txt"
    path.write_text("\n".join(" ".join(draw.choices(tiny.WORDS, k=20)) for _ in range(60)))
    corpus = open_corpus(str(path))
    recipe = SetRecipe(tiny_model.info["digest"], tiny.SITE, corpus.digest, ROWS, tiny.WIDTH, context=tiny.CONTEXT)
    return record(tiny_model, parse_site(tiny.SITE, tiny_model.layers), corpus, recipe, folder, nothing)[0]


def recipe_of(source: Any, architecture: str = "topk", **changes: Any) -> Any:
    from workbench.saes.recipe import Recipe

    base = Recipe(
        source.digest, source.rows, tiny.WIDTH, architecture, latents=48, k=4, k_start=12, batch=32, epochs=2,
        rate=3e-3, dead_window=200, sparsity=0.5,
    )  # fmt: skip
    return replace(base, **changes)


def train(recipe: Any, source: Any, work: Path, tick: Any = nothing, **options: Any) -> Any:
    from workbench.saes.training import train as train_sae

    return train_sae(recipe, source, work, tick, **options)


def weights(found: Any) -> dict[str, Any]:
    return {name: value.clone() for name, value in found.sae.state_dict().items()}


def dies_at(step: int, batch: int = 32) -> Any:
    def tick(done: int, total: int, text: str) -> None:
        if done == step * batch:
            raise KeyboardInterrupt  # as sudden as a kill: nothing is written after it

    return tick


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_killed_training_goes_on_as_if_it_never_was(source: Any, tmp_path: Path, architecture: str) -> None:
    import torch

    recipe = recipe_of(source, architecture)
    whole = train(recipe, source, tmp_path / "whole", checkpoints=6)
    with pytest.raises(KeyboardInterrupt):
        train(recipe, source, tmp_path / "killed", dies_at(recipe.steps // 2 + 1), checkpoints=6)
    again = train(recipe, source, tmp_path / "killed", checkpoints=6)
    assert [text for text in again.warnings if "went on from the checkpoint at step" in text]
    assert again.curve == whole.curve
    assert again.dead == whole.dead
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(again)[name]), name


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("winsorise", [False, True])
def test_the_saved_form_reconstructs_like_the_one_in_memory(
    source: Any, tmp_path: Path, tiny_model: Any, architecture: str, winsorise: bool
) -> None:
    import torch
    from sae_lens import SAE

    from workbench.saes.space import load_space
    from workbench.saes.trained import write_sae

    recipe = recipe_of(source, architecture, winsorise=winsorise)
    found = train(recipe, source, tmp_path / "work")
    about = {"model_name": "model", "hook_name": tiny.SITE}
    write_sae(tmp_path / "sae", found, source, recipe, about)
    acts = source.read(0, 200)
    acts[0] *= 40  # an outlier, which only a winsorising SAE does not see
    taken = acts.clamp(*found.bounds) if winsorise else acts
    with torch.no_grad():
        if architecture == "batchtopk":
            expected_acts, expected = by_threshold(found.sae, taken)
        else:
            found.sae.eval()
            expected_acts = found.sae.encode(taken)
            expected = found.sae.decode(expected_acts)
        loaded = SAE.load_from_disk(str(tmp_path / "sae"), device="cpu")
        saved = loaded.decode(loaded.encode(taken))
    space = load_space(str(tmp_path / "sae"), "", tiny_model)
    latents, made = space.encode_and_decode(acts)
    size = float(expected.abs().max())
    assert float((saved - expected).abs().max()) < 1e-5 * size
    assert float((made - expected).abs().max()) < 1e-5 * size
    assert torch.equal(latents > 0, expected_acts > 0)
    assert torch.equal(space.encode(acts), latents)
    assert (space.bounds is not None) == winsorise


def by_threshold(sae: Any, acts: Any) -> Any:
    """BatchTopK outside a batch: what lies above the threshold it learned, in units of the decoder's norms."""
    scores = ((acts - sae.b_dec) @ sae.W_enc + sae.b_enc) * sae.W_dec.norm(dim=1)
    kept = scores.relu() * (scores > sae.topk_threshold)
    return kept, kept / sae.W_dec.norm(dim=1) @ sae.W_dec + sae.b_dec


def test_the_files_of_an_sae_do_not_depend_on_the_process(source: Any, tmp_path: Path) -> None:
    from workbench.saes.trained import write_sae

    recipe = recipe_of(source)
    found = train(recipe, source, tmp_path / "work")
    write_sae(tmp_path / "sae", found, source, recipe, {"model_name": "model", "hook_name": tiny.SITE})
    text = (tmp_path / "sae" / "cfg.json").read_text()
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_training_explains_variance(source: Any, tmp_path: Path, architecture: str) -> None:
    curve = train(recipe_of(source, architecture, epochs=10), source, tmp_path).curve
    assert curve[-1].fvu < 0.7 * curve[0].fvu
    assert all(0 <= point.dead <= 48 and 0 <= point.l0 <= 48 for point in curve)


def test_k_follows_its_schedule_and_topk_keeps_it(source: Any, tmp_path: Path) -> None:
    from workbench.saes import k_schedule

    recipe = recipe_of(source)
    found = train(recipe, source, tmp_path)
    assert [point.k for point in found.curve] == [
        k_schedule(point.step, recipe.steps, 12, 4, 0.5) for point in found.curve
    ]
    assert all(point.l0 <= point.k for point in found.curve)
    assert found.curve[0].k == 12
    assert found.sae.cfg.k == 4


def test_the_input_scale_is_kept_at_inference(source: Any, tmp_path: Path) -> None:
    """Trained at a mean norm of sqrt(width), used on the activations as they are."""
    recipe = recipe_of(source, "standard")
    found = train(recipe, source, tmp_path)
    rows = source.read(0, recipe.training)
    assert found.scale * float(rows.norm(dim=1).mean()) == pytest.approx(tiny.WIDTH**0.5, rel=1e-5)
    assert found.sae.cfg.normalize_activations == "none"
    made = found.sae.decode(found.sae.encode(rows)).detach()
    error = (made - rows).pow(2).sum() / (rows - rows.mean(0)).pow(2).sum()
    assert float(error) == pytest.approx(found.curve[-1].fvu, rel=0.25)


def test_the_penalty_grows_and_the_rate_falls_as_the_recipe_says(source: Any) -> None:
    from workbench.saes.training import build_trainer

    recipe = recipe_of(source, "standard", batch=4, epochs=1, sparsity=5.0)
    trainer = build_trainer(recipe)
    rows, rates, weights_of_l1 = source.read(0, 4), [], []
    for _ in range(recipe.steps):
        rates.append(trainer.optimizer.param_groups[0]["lr"])
        weights_of_l1.append(trainer.get_coefficients()["l1"])
        trainer.step(rows)
    steps, warm, decay = recipe.steps, int(recipe.steps * 0.05), int(recipe.steps * 0.2)
    assert weights_of_l1[warm // 2] == pytest.approx(5.0 * (warm // 2) / warm)
    assert weights_of_l1[warm:] == [5.0] * (steps - warm)
    assert rates[: steps - decay] == pytest.approx([recipe.rate] * (steps - decay))
    assert rates[steps - decay // 2] == pytest.approx(recipe.rate * (decay // 2) / decay, rel=1e-6)
    assert rates[-1] == pytest.approx(recipe.rate / decay, rel=1e-6)


def test_gradients_are_clipped_at_norm_one(source: Any) -> None:
    import torch

    from workbench.saes.training import build_trainer

    seen: list[float] = []
    trainer = build_trainer(recipe_of(source, "standard"))

    def look(*given: Any) -> None:
        grads = torch.cat([weights.grad.flatten() for weights in trainer.sae.parameters()])
        seen.append(float(grads.norm()))

    trainer.optimizer.register_step_pre_hook(look)
    trainer.step(source.read(0, 32) * 1000)
    assert seen == pytest.approx([1.0], rel=1e-3)


def test_winsorised_bounds_are_mean_and_six_deviations(source: Any, tmp_path: Path) -> None:
    from workbench.saes.trained import write_sae

    recipe = recipe_of(source, winsorise=True)
    found = train(recipe, source, tmp_path / "work")
    rows = source.read(0, recipe.training).double()
    middle, spread = float(rows.mean()), float(rows.std(unbiased=False))
    assert found.bounds == pytest.approx((middle - 6 * spread, middle + 6 * spread), rel=1e-5)
    write_sae(tmp_path / "sae", found, source, recipe, {"model_name": "model", "hook_name": tiny.SITE})
    assert json.loads((tmp_path / "sae" / "cfg.json").read_text())["metadata"]["winsorised"] == list(found.bounds)


def test_bounds_that_are_no_numbers_are_refused(tmp_path: Path, tiny_model: Any) -> None:
    from workbench.saes.space import load_space

    folder = tiny.make_sae(tmp_path / "sae")
    config = json.loads((folder / "cfg.json").read_text())
    config["metadata"]["winsorised"] = ["low", 3]
    (folder / "cfg.json").write_text(json.dumps(config))
    with pytest.raises(InputFileError, match="winsorised"):
        load_space(str(folder), "", tiny_model)


@pytest.fixture
def nan_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Makes the batch of a step NaN."""
    from workbench.saes.shuffled import Shuffled

    batches = Shuffled.batches

    def spoil(step: int) -> None:
        def spoiled(self: Any, size: int, start: int = 0) -> Any:
            for number, batch in enumerate(batches(self, size, start), start):
                yield batch * float("nan") if number == step else batch

        monkeypatch.setattr(Shuffled, "batches", spoiled)

    yield spoil


def test_nan_ends_the_training_with_the_last_good_checkpoint(source: Any, tmp_path: Path, nan_at: Any) -> None:
    import torch

    recipe = recipe_of(source)
    between = recipe.steps // 6
    last_good = 33 // between * between
    nan_at(33)
    found = train(recipe, source, tmp_path / "work", checkpoints=5)
    assert f"step 33; this is the SAE of step {last_good}" in found.stopped
    assert found.stopped in found.warnings
    assert max(point.step for point in found.curve) < last_good
    assert all(bool(torch.isfinite(value).all()) for value in found.sae.state_dict().values())
    assert found.sae.cfg.k == recipe.k_at(last_good - 1)


def test_nan_before_the_first_checkpoint_is_a_failure(source: Any, tmp_path: Path, nan_at: Any) -> None:
    nan_at(2)
    with pytest.raises(WorkbenchError, match=r"NaN.* at step 2 of") as caught:
        train(recipe_of(source), source, tmp_path)
    assert "--lr" in caught.value.hint
    assert caught.value.exit_code == 1


def test_fewer_activations_than_a_batch_are_refused(source: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"900 activations, 45 of them for validation: less than one batch of 856"):
        train(recipe_of(source, batch=856), source, tmp_path)
    train(recipe_of(source, batch=855, epochs=1), source, tmp_path)


@pytest.mark.parametrize("changes", [{"k": 49}, {"k_start": 49}, {"k": 0}])
def test_a_k_that_does_not_fit_is_refused(source: Any, tmp_path: Path, changes: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="the SAE has 48 latents"):
        train(recipe_of(source, **changes), source, tmp_path)


def test_out_of_memory_halves_the_batch_and_says_so(
    source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sae_lens import TopKTrainingSAE

    forward = TopKTrainingSAE.training_forward_pass

    def small(self: Any, step_input: Any) -> Any:
        if len(step_input.sae_in) > most:
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
        return forward(self, step_input)

    monkeypatch.setattr(TopKTrainingSAE, "training_forward_pass", small)
    most = 100
    found = train(recipe_of(source, batch=256), source, tmp_path)
    assert found.recipe.batch == 64
    assert len([text for text in found.warnings if "out of memory with a batch of" in text]) == 2
    most = 10
    with pytest.raises(WorkbenchError, match="out of memory even with a batch of 64"):
        train(recipe_of(source, batch=256), source, tmp_path / "none")


def test_another_error_is_not_mistaken_for_memory(source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sae_lens import TopKTrainingSAE

    def broken(self: Any, step_input: Any) -> Any:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(TopKTrainingSAE, "training_forward_pass", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        train(recipe_of(source), source, tmp_path)


def test_the_seed_alone_decides(source: Any, tmp_path: Path) -> None:
    import torch

    torch.manual_seed(99)
    one = train(recipe_of(source), source, tmp_path / "1")
    torch.manual_seed(7)
    same = train(recipe_of(source), source, tmp_path / "2")
    other = train(recipe_of(source, seed=1), source, tmp_path / "3")
    assert torch.equal(one.sae.W_enc, same.sae.W_enc)
    assert not torch.equal(one.sae.W_enc, other.sae.W_enc)


def test_everything_in_a_recipe_is_in_its_name(source: Any) -> None:
    recipe = recipe_of(source)
    changes: list[dict[str, Any]] = [
        {"activations": "x"}, {"rows": 1}, {"width": 1}, {"architecture": "gated"}, {"latents": 9}, {"k": 9},
        {"k_start": 9}, {"k_fraction": 0.1}, {"sparsity": 9.0}, {"aux": 0.0}, {"rate": 0.1}, {"batch": 9},
        {"epochs": 9}, {"dead_window": 9}, {"winsorise": True}, {"seed": 9},
    ]  # fmt: skip
    assert {name for change in changes for name in change} == set(recipe.__dataclass_fields__)
    assert len({recipe.key, *(replace(recipe, **change).key for change in changes)}) == 1 + len(changes)


def test_a_full_disk_keeps_the_old_checkpoint(source: Any, tmp_path: Path) -> None:
    recipe = recipe_of(source)
    whole = train(recipe, source, tmp_path, checkpoints=6)
    with tiny.small_disk("512k") as disk:

        def fill_later(done: int, total: int, text: str) -> None:
            if done == 20 * 32:
                tiny.fill(disk)

        with pytest.raises(StorageError, match="the disk is full"):
            train(recipe, source, disk, fill_later, checkpoints=6)
        (disk / "filler").unlink()
        again = train(recipe, source, disk, checkpoints=6)
    assert again.warnings
    assert again.curve == whole.curve


def test_progress_tells_the_running_numbers(source: Any, tmp_path: Path) -> None:
    from workbench.progress import read_numbers

    told: list[str] = []
    found = train(recipe_of(source), source, tmp_path, lambda _d, _t, text: told.append(text))
    numbers = read_numbers(told[-1])
    last = found.curve[-1]
    assert set(numbers) == {"loss", "L0", "FVU", "dead", "k", "tokens/s"}
    assert numbers["loss"] == pytest.approx(last.loss, rel=1e-3)
    assert (numbers["k"], numbers["dead"]) == (last.k, last.dead)
    assert told[-1][-1] in "▁▂▃▄▅▆▇█"


def test_nothing_goes_to_wandb(source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import wandb

    def never(*given: Any, **named: Any) -> None:
        raise AssertionError("wandb was called")

    for name in ("init", "log", "Artifact"):
        monkeypatch.setattr(wandb, name, never)
    train(recipe_of(source), source, tmp_path)


KILLED = """
import json, sys
from pathlib import Path
from workbench.saes.activation_set import SetRecipe, open_set
from workbench.saes.recipe import Recipe
from workbench.saes.training import train
recipe, kept, folder, work = json.loads(sys.argv[1])
import torch
torch.set_num_threads(1)
source = open_set(Path(folder), SetRecipe(**kept))
train(Recipe(**recipe), source, Path(work), lambda *told: print("tick", told[0], flush=True), checkpoints=400)
"""


def test_a_process_killed_while_it_writes_leaves_a_whole_checkpoint(source: Any, tmp_path: Path) -> None:
    """SIGKILL at half; with a checkpoint after every step or two, some kills fall into the writing of one."""
    import subprocess
    import sys
    from dataclasses import asdict

    recipe = recipe_of(source, epochs=16)
    told = json.dumps([asdict(recipe), asdict(source.recipe), str(source.folder), str(tmp_path / "killed")])
    with subprocess.Popen([sys.executable, "-c", KILLED, told], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("tick") and int(line.split()[1]) >= recipe.steps * recipe.batch // 2:
                process.kill()
                break
    assert process.returncode == -9
    again = train(recipe, source, tmp_path / "killed", checkpoints=400)
    assert [text for text in again.warnings if "went on from" in text]
    assert again.curve == train(recipe, source, tmp_path / "whole").curve
