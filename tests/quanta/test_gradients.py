"""Gradient similarity against a plain float64 loop, on models whose parameters' roles are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from workbench.quanta import gradient_similarity
from workbench.quanta.roles import chosen_parameters, parameter_roles


def gpt2(**changes: Any) -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    options = {"vocab_size": 40, "n_positions": 24, "n_embd": 16, "n_layer": 2, "n_head": 2} | changes
    return GPT2LMHeadModel(GPT2Config(**options)).eval()


def neox() -> nn.Module:
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return GPTNeoXForCausalLM(GPTNeoXConfig(vocab_size=40, max_position_embeddings=24, **sizes)).eval()


def contexts(count: int = 12, seed: int = 0) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 40, rng.integers(2, 20)).tolist() for _ in range(count)]


def plain(
    model: nn.Module,
    samples: list[list[int]],
    names: list[str],
    absolute: bool = False,
    target: str = "loss",
) -> np.ndarray:
    """The definition, in float64, with the whole context read and nothing reused."""
    model = model.double()
    rows = []
    for ids in samples:
        model.zero_grad()
        logits = model(torch.tensor([ids])).logits[0]
        (-(logits[-2] if target == "logit" else logits[-2].log_softmax(0))[ids[-1]]).backward()
        of = dict(model.named_parameters())
        flat = torch.cat([of[name].grad.reshape(-1) for name in names])
        rows.append(flat.abs() if absolute else flat)
    model.float()
    stacked = torch.stack(rows)
    unit = stacked / stacked.norm(dim=1, keepdim=True)
    return (unit @ unit.T).numpy()


def test_roles_of_gpt2_with_its_tied_unembedding() -> None:
    roles = parameter_roles(gpt2())
    assert {name for name, role in roles.items() if role == "embedding"} == {
        "transformer.wte.weight",
        "transformer.wpe.weight",
    }
    assert "unembedding" not in roles.values()
    assert {name for name, role in roles.items() if role == "final_norm"} == {
        "transformer.ln_f.weight",
        "transformer.ln_f.bias",
    }
    assert sum(role == "norm" for role in roles.values()) == 8
    with pytest.raises(ValueError, match="no parameter of role 'unembedding'"):
        chosen_parameters(gpt2(), ["unembedding"])


def test_roles_of_neox_whatever_its_parameters_are_called() -> None:
    model = neox()
    roles = parameter_roles(model)
    head = next(
        name for name, parameter in model.named_parameters() if parameter is model.get_output_embeddings().weight
    )
    assert roles[head] == "unembedding"
    inner = sum(torch.numel(parameter) for parameter in chosen_parameters(model).values())
    # a layer: QKV 3 d (d + 1), dense d (d + 1), up 32 (d + 1), down d (32 + 1)
    assert inner == 2 * (3 * 16 * 17 + 16 * 17 + 32 * 17 + 16 * 33)
    more = chosen_parameters(model, ["final_norm", "unembedding"])
    assert sum(torch.numel(parameter) for parameter in more.values()) == inner + 32 + 40 * 16


def test_roles_of_a_plain_torch_model() -> None:
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lookup, self.middle = nn.Embedding(9, 4), nn.Linear(4, 4)
            self.norm, self.out = nn.LayerNorm(4), nn.Linear(4, 9)

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return self.out(self.norm(torch.tanh(self.middle(self.lookup(ids)).cumsum(1))))

    assert set(chosen_parameters(Plain())) == {"middle.weight", "middle.bias"}
    found = gradient_similarity(Plain(), [[1, 2, 3], [4, 5], [1, 2, 3]])
    assert found.matrix[0, 2] == pytest.approx(1, abs=1e-6)
    assert found.count == 20


@pytest.mark.parametrize("make", [gpt2, neox])
def test_exact_equals_the_definition(make: Any) -> None:
    model, samples = make(), contexts()
    found = gradient_similarity(model, samples)
    difference = np.abs(found.matrix - plain(model, samples, list(found.parameters)))
    assert difference.max() < 1e-5
    assert (difference <= found.bound).all()
    assert found.passes == len(samples)
    assert np.array_equal(found.matrix, found.matrix.T)


def test_absolute_similarities_are_a_plain_loops_and_only_exact() -> None:
    model, samples = gpt2(), contexts()
    found = gradient_similarity(model, samples, absolute=True)
    assert np.abs(found.matrix - plain(model, samples, list(found.parameters), absolute=True)).max() < 1e-5
    with pytest.raises(ValueError, match="absolute similarities need mode 'exact'"):
        gradient_similarity(model, samples, mode="sketch", absolute=True)


def test_little_memory_streams_to_the_same_numbers() -> None:
    model, samples = gpt2(), contexts()
    whole = gradient_similarity(model, samples)
    seen: list[tuple[int, int]] = []
    memory = 5 * whole.count * 4
    streamed = gradient_similarity(model, samples, memory=memory, tick=lambda done, total: seen.append((done, total)))
    assert np.abs(streamed.matrix - whole.matrix).max() < 1e-6
    assert streamed.passes > len(samples)
    assert seen[-1] == (streamed.passes, streamed.passes)


def test_bfloat16_stays_in_its_bound() -> None:
    model, samples = gpt2(), contexts()
    exact = plain(model, samples, list(chosen_parameters(model)))
    found = gradient_similarity(model, samples, dtype="bfloat16")
    difference = np.abs(found.matrix - exact)
    assert (difference <= found.bound).all()
    assert difference.max() < 5e-3


def test_factored_stays_in_its_bound_and_is_exact_at_full_rank() -> None:
    model, samples = gpt2(), contexts()
    exact = plain(model, samples, list(chosen_parameters(model)))
    before = np.inf
    for rank in (1, 2, 16):
        found = gradient_similarity(model, samples, mode="factored", rank=rank)
        difference = np.abs(found.matrix - exact)
        assert (difference <= found.bound).all()
        assert found.bound.max() <= before
        before = found.bound.max()
    assert difference.max() < 3e-5, "float32 factors"


def test_a_sketch_is_unbiased_and_stays_in_its_bound() -> None:
    model, samples = gpt2(), contexts()
    exact = plain(model, samples, list(chosen_parameters(model)))
    draws = [gradient_similarity(model, samples, mode="sketch", dimension=400, seed=seed) for seed in range(30)]
    for found in draws:
        assert (np.abs(found.matrix - exact) <= found.bound).all()
    error = np.mean([found.matrix for found in draws], axis=0) - exact
    assert np.abs(error).max() < 5 * np.sqrt(2 / 400 / 30)
    assert gradient_similarity(model, samples, mode="sketch").dimension == 256


def test_the_models_state_is_left_as_it_was() -> None:
    model = gpt2()
    model.train()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    first = gradient_similarity(model, contexts()).matrix
    assert model.training
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in model.parameters())
    assert np.array_equal(first, gradient_similarity(model, contexts()).matrix), "dropout is off"


def test_bad_input_is_named() -> None:
    model = gpt2()
    with pytest.raises(ValueError, match="context 1 has 1 tokens"):
        gradient_similarity(model, [[1, 2], [3]])
    with pytest.raises(ValueError, match="25 tokens to read, the model reads 24"):
        gradient_similarity(model, [[1] * 26])
    with pytest.raises(ValueError, match="no contexts"):
        gradient_similarity(model, [])
    with pytest.raises(ValueError, match="unknown mode 'fast'"):
        gradient_similarity(model, [[1, 2]], mode="fast")  # type: ignore[arg-type]
    with torch.no_grad():
        model.transformer.h[0].mlp.c_fc.weight[0, 0] = float("nan")  # type: ignore[union-attr,index]
    with pytest.raises(ValueError, match="gradient of sample 0 is not finite"):
        gradient_similarity(model, [[1, 2]])


def test_an_encoder_is_refused() -> None:
    from transformers import BertConfig, BertModel

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    with pytest.raises(ValueError, match="gives no next-token logits"):
        gradient_similarity(BertModel(BertConfig(vocab_size=40, **sizes)), [[1, 2, 3]])


@pytest.mark.parametrize(("small", "during"), [(10**9, 1), (0, 2)])
def test_only_the_pass_of_a_small_model_is_on_one_thread(
    monkeypatch: pytest.MonkeyPatch, small: int, during: int
) -> None:
    from workbench.quanta import sample_gradients as module

    monkeypatch.setattr(module, "SMALL", small)
    model, seen, before = gpt2(), [], torch.get_num_threads()
    model.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    torch.set_num_threads(2)
    try:
        found = gradient_similarity(model, contexts(3), tick=lambda *_: seen.append(-torch.get_num_threads()))
        with pytest.raises(ValueError, match="no next-token logits"), module.pass_threads(model):
            raise ValueError("no next-token logits")
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert seen == [during, -2] * 3, "what is done between two passes has all threads"
    assert found.matrix == pytest.approx(gradient_similarity(model, contexts(3)).matrix, abs=1e-6)


def test_the_demo_model_is_small_and_the_published_one_is_not() -> None:
    from workbench.quanta.sample_gradients import SMALL

    demo, pythia_70m = 978_816, 70_426_624
    assert demo < SMALL < pythia_70m


def test_gradients_of_logits_are_those_of_the_definition() -> None:
    model, samples = neox(), contexts()
    names = list(chosen_parameters(model))
    found = gradient_similarity(model, samples, target="logit")
    assert found.matrix == pytest.approx(plain(model, samples, names, target="logit"), abs=1e-5)
    assert np.abs(found.matrix - gradient_similarity(model, samples).matrix).max() > 0.01


@pytest.mark.parametrize("mode", ["exact", "factored"])
def test_equal_votes_are_the_mean_of_the_cosines_of_each_matrix(mode: Any) -> None:
    model, samples = neox(), contexts()
    found = gradient_similarity(model, samples, mode=mode, equal=True, rank=16)
    names = [name for name, parameter in chosen_parameters(model).items() if parameter.dim() > 1]
    assert list(found.parameters) == names
    mean = np.mean([plain(model, samples, [name]) for name in names], axis=0)
    assert found.matrix == pytest.approx(mean, abs=1e-4)
    assert (np.abs(found.matrix - mean) <= found.bound + 1e-9).all()


def test_answers_that_compete_share_their_logit_gradient_and_not_that_of_the_loss() -> None:
    class Task(nn.Module):
        """After word 1, answers 1 and 2 are as likely and all others nearly impossible."""

        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(4, 4)
            self.map = nn.Linear(4, 2, bias=False)
            self.register_buffer("out", torch.tensor([[-9.0, 0], [1, 0.5], [1, -0.5], [-9, 0]]))
            with torch.no_grad():
                self.embed.weight.copy_(torch.eye(4))
                self.map.weight.copy_(torch.tensor([[0.0, 10, 0, 0], [0, 0, 0, 0]]))

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return self.map(self.embed(ids)) @ self.out.T

    samples = [[1, 1], [1, 2]]
    assert gradient_similarity(Task(), samples, target="logit").matrix[0, 1] == pytest.approx(0.75 / 1.25, abs=1e-5)
    assert gradient_similarity(Task(), samples).matrix[0, 1] == pytest.approx(-1, abs=1e-5)
