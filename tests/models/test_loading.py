"""What `model load` accepts and refuses: every refusal names the value, and nothing in a session changes."""

from __future__ import annotations

import json
import pickle
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import tiny
from workbench.errors import InputFileError, MismatchError, UnknownNameError, UsageError, WorkbenchError
from workbench.models.site import Site

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
SITE = Site(1, "hook_resid_post")
TEXTS = ["the cat won", "a", "bright sun today again", "won", "a dog lost the prize", "is"]


@pytest.fixture
def folder(tiny_files: Path, tmp_path: Path) -> Path:
    """The tiny model, to be spoiled."""
    return Path(shutil.copytree(tiny_files / "model", tmp_path / "spoiled"))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Online as far as the libraries know, but every attempt to reach a host is noted and fails."""
    from huggingface_hub import constants

    asked: list[Any] = []

    def refuse(*address: Any, **_options: Any) -> Any:
        asked.append(address)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return asked


def load(ref: Any, **entry: Any) -> Any:
    from workbench.models.loading import load_model

    return load_model({"ref": str(ref), "device": "cpu", **entry})


def edit_config(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def edit_weights(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    edit(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_every_precision_loads_and_reads(tiny_files: Path, tiny_model: Any, dtype: str) -> None:
    import torch

    model = load(tiny_files / "model", dtype=dtype)
    assert model.info["dtype"] == dtype
    assert all(str(weights.dtype) == f"torch.{dtype}" for weights in model.plain.parameters())
    text = model.tokenize(TEXTS[0])
    (acts,), (exact,) = model.read([text], SITE), tiny_model.read([text], SITE)
    assert float((acts.float() - exact).abs().max()) < (1e-6 if dtype == "float32" else 0.1)
    assert bool(torch.isfinite(model.logits(text.ids)).all())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_by_name(folder: Path, value: float) -> None:
    def spoil(weights: dict[str, Any]) -> None:
        weights["transformer.h.1.mlp.c_fc.bias"][3] = value

    edit_weights(folder, spoil)
    with pytest.raises(InputFileError, match=r"NaN or infinite weights \(transformer\.h\.1\.mlp\.c_fc\.bias\)"):
        load(folder)


def test_a_tensor_that_is_not_there_is_not_made_up(folder: Path) -> None:
    edit_weights(folder, lambda weights: weights.pop("transformer.h.2.mlp.c_fc.weight"))
    with pytest.raises(InputFileError, match=r"lack 1 tensors \(transformer\.h\.2\.mlp\.c_fc\.weight"):
        load(folder)


def test_a_missing_shard_is_named(folder: Path) -> None:
    model = load(folder)
    model.plain.save_pretrained(folder, max_shard_size="40KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    shards = sorted(folder.glob("model-*.safetensors"))
    assert len(shards) > 2
    assert load(folder).info["parameters"] == model.info["parameters"]
    shards[1].unlink()
    with pytest.raises(InputFileError, match=f"lacks {shards[1].name}"):
        load(folder)


class _Bomb:
    """Pickled code that leaves a file behind when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def test_a_pickle_with_code_in_it_is_never_read(folder: Path, tmp_path: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Bomb(tmp_path / "ran")))
    with pytest.raises(InputFileError, match=r"only pytorch_model\.bin, which may run code") as caught:
        load(folder)
    assert "save_pretrained" in caught.value.hint
    assert not (tmp_path / "ran").exists()


def test_a_pickle_beside_the_weights_is_left_alone(folder: Path, tmp_path: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Bomb(tmp_path / "ran")))
    assert load(folder).layers == tiny.LAYERS
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_type": "quux"}, "unknown model_type 'quux'"),
        ({"model_type": None}, "unknown model_type None"),
        ({"model_type": "albert", "architectures": ["AlbertModel"]}, "the architecture AlbertModel is not supported"),
        (
            {"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]},
            "T5ForConditionalGeneration is not supported: it is a seq2seq model",
        ),
        ({"model_type": "vit", "architectures": ["ViTModel"]}, "ViTModel is not supported: it is a vision model"),
        ({"model_type": "mine", "auto_map": {"AutoConfig": "mine.Mine"}}, "comes with code of its own"),
    ],
)
def test_an_architecture_that_cannot_be_read_is_named(folder: Path, changes: dict[str, Any], says: str) -> None:
    edit_config(folder, **changes)
    with pytest.raises(MismatchError, match=says) as caught:
        load(folder)
    assert "GPT-2, Llama, BERT" in caught.value.hint


def test_a_config_of_another_size_is_refused(folder: Path) -> None:
    edit_config(folder, n_embd=tiny.WIDTH * 2)
    with pytest.raises(InputFileError, match="cannot load the model"):
        load(folder)


def test_a_folder_without_a_tokenizer_is_refused(folder: Path) -> None:
    for path in folder.glob("tokenizer*"):
        path.unlink()
    with pytest.raises(InputFileError, match="has no tokenizer") as caught:
        load(folder)
    assert "tokenizer.json" in caught.value.hint


def test_a_tokenizer_of_another_model_is_refused(folder: Path) -> None:
    path = folder / "tokenizer.json"
    made = json.loads(path.read_text())
    vocabulary = made["model"]["vocab"]
    vocabulary |= {f"more-{number}": len(vocabulary) + number for number in range(1000)}
    path.write_text(json.dumps(made))
    with pytest.raises(InputFileError, match=r"has \d+ tokens, its weights know \d+"):
        load(folder)


def test_a_local_model_has_no_revision(tiny_files: Path) -> None:
    with pytest.raises(UsageError, match="no revision 'step1000'"):
        load(tiny_files / "model", revision="step1000")


def test_a_spread_model_is_placed_by_one_hand_only(tiny_files: Path) -> None:
    with pytest.raises(UsageError, match="not on 'cpu'"):
        load(tiny_files / "model", device_map="auto")


def test_a_spread_model_is_never_moved_and_reads_the_same(
    tiny_files: Path, tiny_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import PreTrainedModel

    def move(*_args: Any, **_options: Any) -> Any:
        raise AssertionError("a spread model was moved")

    monkeypatch.setattr(PreTrainedModel, "to", move)
    model = load(tiny_files / "model", device="auto", device_map="auto")
    text = model.tokenize(TEXTS[2])
    (acts,), (expected,) = model.read([text], SITE), tiny_model.read([text], SITE)
    assert float((acts - expected).abs().max()) < 1e-5
    assert acts.device == model.device == model.plain.get_input_embeddings().weight.device
    steered = model.logits(text.ids, SITE, lambda acts: acts * 1.5)
    assert float((steered - tiny_model.logits(text.ids, SITE, lambda acts: acts * 1.5)).abs().max()) < 1e-4


@pytest.mark.parametrize(
    "line", ["model.load {bad} device=cpu", "model.load {good} device=cuda:9", "model.load owner/nosuch device=cpu"]
)
def test_a_refused_model_leaves_the_session_as_it_was(
    do: Any, tiny_files: Path, folder: Path, sessions: Path, line: str
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    do("session.new s", None)
    do(f"model.load {tiny_files / 'model'} device=cpu")
    edit_weights(folder, lambda weights: weights["transformer.wte.weight"].fill_(float("nan")))
    before = do("session.show")["result"]
    with pytest.raises(UsageError):
        do(line.format(bad=folder, good=tiny_files / "model"))
    after = do("session.show")["result"]
    for field in ("model", "sae", "stimuli", "rankings"):
        assert after[field] == before[field]
    assert do("model.info")["result"]["name"] == "model"


class _Crowded:
    """A forward pass that holds at most so many texts."""

    def __init__(self, plain: Any, most: int, error: Callable[[], BaseException]) -> None:
        self.plain, self.most, self.error, self.sizes = plain, most, error, list[int]()

    def __call__(self, input_ids: Any, **options: Any) -> Any:
        self.sizes.append(len(input_ids))
        if len(input_ids) > self.most:
            raise self.error()
        return self.plain(input_ids=input_ids, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)


def _cuda() -> BaseException:
    import torch

    return torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def _cpu() -> BaseException:
    return RuntimeError("[enforce fail at alloc_cpu.cpp:128] DefaultCPUAllocator: can't allocate memory: you tried ...")


@pytest.mark.parametrize("error", [_cuda, _cpu, MemoryError])
def test_a_full_memory_halves_the_batch_and_says_so(tiny_files: Path, tiny_model: Any, error: Any) -> None:
    model = load(tiny_files / "model")
    crowded = _Crowded(model.plain, 2, error)
    model.blocks  # noqa: B018 - found on the real module
    model.plain = crowded
    texts = [model.tokenize(text) for text in TEXTS]
    for acts, expected in zip(model.read(texts, SITE), tiny_model.read(texts, SITE), strict=True):
        assert float((acts - expected).abs().max()) < 1e-5
    assert crowded.sizes[:3] == [6, 3, 1], "halved"
    assert model.portions.notices == [
        "out of memory with 6 texts at once; going on with 3",
        "out of memory with 3 texts at once; going on with 1",
    ]
    crowded.sizes.clear()
    list(model.read(texts, SITE))
    assert crowded.sizes == [1] * 6, "what did not fit once is not tried again"


def test_a_memory_that_holds_no_text_fails_clearly(tiny_files: Path) -> None:
    model = load(tiny_files / "model")
    model.blocks  # noqa: B018
    model.plain = _Crowded(model.plain, 0, _cuda)
    with pytest.raises(WorkbenchError, match="out of memory with a batch of one text") as caught:
        list(model.read([model.tokenize(text) for text in TEXTS], SITE))
    assert "bfloat16" in caught.value.hint


def test_another_error_of_the_forward_pass_is_not_taken_for_a_full_memory(tiny_files: Path) -> None:
    model = load(tiny_files / "model")
    model.blocks  # noqa: B018
    model.plain = _Crowded(model.plain, 0, lambda: RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        list(model.read([model.tokenize("the cat won")], SITE))


def test_a_reply_says_that_memory_ran_out(loaded: Any, model_cache: Any, tmp_path: Path) -> None:
    model = model_cache._model[1]
    model.blocks  # noqa: B018
    loaded(f"stimuli.import {tiny.write_stimuli(tmp_path / 'wins.json')}")
    whole, model.plain = model.plain, _Crowded(model.plain, 4, _cuda)
    try:
        reply = loaded("features.contrast wins permutations=20")
    finally:
        model.plain, model.portions.most = whole, None
    assert any("out of memory with" in warning for warning in reply["warnings"])
    assert not any("out of memory" in warning for warning in loaded("features.list")["warnings"])


def test_nothing_is_asked_of_a_network_for_a_local_model(tiny_files: Path, no_network: list[Any]) -> None:
    for ref in (tiny_files / "model", "demo"):
        model = load(ref)
        text = model.tokenize("the cat won")
        list(model.read([text], SITE))
        model.logits(text.ids, SITE, lambda acts: acts * 2)
    assert no_network == []


def cache_model(files: Path, cache: Path, name: str, commit: str, branch: str = "main") -> Path:
    """Lay a model out as the hub's cache does."""
    root = cache / f"models--{name.replace('/', '--')}"
    (root / "refs").mkdir(parents=True, exist_ok=True)
    (root / "refs" / branch).write_text(commit)
    shutil.copytree(files, root / "snapshots" / commit)
    return root / "snapshots" / commit


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_a_cached_name_needs_no_network(
    tiny_files: Path, tiny_model: Any, hub_cache: Path, no_network: list[Any]
) -> None:
    commit = "a" * 40
    cache_model(tiny_files / "model", hub_cache, "owner/tiny", commit)
    model = load("owner/tiny")
    assert (model.info["digest"], model.info["revision"]) == (f"commit:{commit}", commit)
    assert model.name == "owner--tiny"
    text = model.tokenize("the cat won")
    assert float((model.logits(text.ids) - tiny_model.logits(text.ids)).abs().max()) < 1e-5
    assert no_network == []


def test_a_revision_is_recorded_and_a_session_keeps_its_commit(
    tiny_files: Path, hub_cache: Path, no_network: list[Any]
) -> None:
    old, new = "b" * 40, "c" * 40
    cache_model(tiny_files / "model", hub_cache, "owner/tiny", old, "step1000")
    first = load("owner/tiny", revision="step1000")
    assert (first.info["revision"], first.info["digest"]) == ("step1000", f"commit:{old}")
    cache_model(tiny_files / "model", hub_cache, "owner/tiny", new, "step1000")  # the branch moves on
    assert load("owner/tiny", revision="step1000").info["digest"] == f"commit:{new}"
    again = load("owner/tiny", revision="step1000", digest=first.info["digest"])
    assert again.info["digest"] == f"commit:{old}"
    assert no_network == []


def test_half_a_download_is_not_taken_for_a_model(tiny_files: Path, hub_cache: Path, no_network: list[Any]) -> None:
    snapshot = cache_model(tiny_files / "model", hub_cache, "owner/tiny", "d" * 40)
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(InputFileError, match="no whole safetensors weights of 'owner/tiny'"):
        load("owner/tiny")
    assert no_network != []


def test_without_a_network_a_name_fails_with_what_to_do(hub_cache: Path, no_network: list[Any]) -> None:
    with pytest.raises(InputFileError, match="'owner/nosuch' at revision 'v2' is neither a folder nor in") as caught:
        load("owner/nosuch", revision="v2")
    assert "network" in caught.value.hint


def test_an_offline_machine_is_told_so(hub_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(InputFileError, match="HF_HUB_OFFLINE forbids"):
        load("owner/nosuch")


def test_a_slip_in_the_name_of_the_demo_is_asked_about(hub_cache: Path, no_network: list[Any]) -> None:
    with pytest.raises(InputFileError) as caught:
        load("dmo")
    assert caught.value.hint.startswith("Did you mean demo?")


def test_a_name_that_no_hub_could_have_is_refused(hub_cache: Path, no_network: list[Any]) -> None:
    with pytest.raises(UnknownNameError, match="no name of a model"):
        load("owner/no such..model")
    assert no_network == []
