"""Interchange training: the answer must follow the name's vector at the site when that vector is exchanged.

Left alone, a model this small copies the name to the answer's position in its first block, and no vector at a
middle site then carries the problem. A small part of every step therefore replaces the name's residual vector by
that of the same problem with another name, and asks for the other problem's answer.
"""

from collections.abc import Sequence
from random import Random

import torch
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel

from workbench.demo.site import NAME_POSITION, SITE_LAYER, logits_with_site
from workbench.demo.tasks import Problem, month_problems, weekday_problems

PROBLEMS: tuple[Sequence[Problem], ...] = (weekday_problems(), month_problems())


def interchange_pairs(seed: int, step: int, count: int) -> list[tuple[Problem, Problem]]:
    """`count` pairs (asked, source) of problems with one offset and different names, the same for the same step."""
    random = Random(f"interchange {seed} {step}")
    pairs = []
    for _ in range(count):
        problems = random.choice(PROBLEMS)
        period = 7 if len(problems) == 49 else 12
        a, b, shift = random.randrange(period), random.randrange(period), random.randrange(1, period)
        pairs.append((problems[a * period + b], problems[(a + shift) % period * period + b]))
    return pairs


def interchange_loss(
    model: GPT2LMHeadModel, tokenizer: Tokenizer, pairs: Sequence[tuple[Problem, Problem]]
) -> torch.Tensor:
    """Mean -log probability of the source's answer where its name's vector stands in the asked problem."""
    asked, source = (
        torch.tensor([tokenizer.encode(problem.prompt).ids for problem in side]) for side in zip(*pairs, strict=True)
    )
    wanted = torch.tensor([tokenizer.encode(f"is {pair[1].answer}").ids[-1] for pair in pairs])
    run = model.transformer(input_ids=source, output_hidden_states=True)
    vectors = run.hidden_states[SITE_LAYER + 1][:, NAME_POSITION]  # (pairs, width)
    logits = logits_with_site(model, asked, lambda hidden: with_name(hidden, vectors))
    return torch.nn.functional.cross_entropy(logits[:, -1], wanted)


def with_name(hidden: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """The residual stream (rows, length, width) with `vectors` (rows, width) at the name's position."""
    position = torch.zeros(hidden.shape[1], dtype=torch.bool)
    position[NAME_POSITION] = True
    return torch.where(position[None, :, None], vectors[:, None, :], hidden)
