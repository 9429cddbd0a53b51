"""Matched pairs from a language model: what it is asked, what it answered, and who answered when."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from workbench.digests import text_digest
from workbench.errors import UsageError, WorkbenchError
from workbench.stimuli.importers import has_surrogate
from workbench.stimuli.templates import Pair

KEY = "ANTHROPIC_API_KEY"
AT_ONCE = 30
"""Pairs of one request."""
_MOST_TOKENS = 8000
_SYSTEM = (
    "You write stimulus sentences for an experiment on the features of a language model. You are asked for matched "
    "pairs: the first sentence of a pair carries a concept, the second carries the other one, and nothing else "
    "differs. The two sentences of a pair share their subject, their grammar and as many words as they can. Their "
    "lengths in characters and in words are equal or nearly so, and the words that differ are equally frequent. "
    "Over all pairs, subjects and constructions vary, no word of the concepts' names is needed, and no sentence "
    "repeats another. Each sentence stands alone and is plain text."
)
_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["pairs"],
    "properties": {
        "pairs": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["concept", "other"],
                "properties": {"concept": {"type": "string"}, "other": {"type": "string"}},
            },
        }
    },
}


@dataclass(frozen=True)
class Proposal:
    """What a language model proposed.

    Attributes:
        pairs: whole, without any sentence twice.
        refused: pairs that were empty, broken, alike or repeated.
        exchanges: every prompt with the reply's text, as it came.
        record: model, prompt digests, usage and date, for the log.
    """

    pairs: list[Pair]
    refused: int
    exchanges: list[dict[str, str]]
    record: dict[str, Any]


def make_client() -> Any:
    """A client of the service, its key and address taken from the environment and kept nowhere.

    Raises:
        UsageError: there is no key.
    """
    if not os.environ.get(KEY):
        raise UsageError(
            f"no language model can be asked: {KEY} is not set",
            "Set it where the engine starts (then `workbench engine stop`), or give --template.",
        )
    import anthropic

    return anthropic.Anthropic(timeout=120.0)


def propose(
    client: Any, model: str, concept: str, other: str, count: int, tick: Callable[[int, int, str], None]
) -> Proposal:
    """Ask for pairs until there are `count`, with at most twice the requests that would do.

    Args:
        client: of the Anthropic SDK.
        tick: called before each request; may raise to stop.

    Raises:
        UsageError: the key or the model is refused.
        WorkbenchError: the service cannot be reached, refuses, or answers with something else.
    """
    found: list[Pair] = []
    seen: set[str] = set()
    refused, exchanges, usage, models = 0, [], {"input_tokens": 0, "output_tokens": 0}, []
    for _ in range(2 * -(-count // AT_ONCE)):
        if len(found) >= count:
            break
        tick(len(found), count, f"asking {model} for pairs")
        prompt = _prompt(concept, other, min(AT_ONCE, count - len(found)), [pair.texts[0] for pair in found])
        reply = _ask(client, model, prompt)
        text = "".join(block.text for block in reply.content if block.type == "text")
        exchanges.append({"prompt": prompt, "reply": text})
        models.append(str(reply.model))
        for name in usage:
            usage[name] += int(getattr(reply.usage, name))
        for pair in _read(text, reply.stop_reason):
            if _is_fit(pair, seen):
                seen |= set(pair)
                found.append(Pair(pair))
            else:
                refused += 1
    record = {
        "model": ", ".join(dict.fromkeys(models)),
        "prompts": [text_digest(f"{_SYSTEM}\n{exchange['prompt']}") for exchange in exchanges],
        "usage": usage,
        "date": datetime.now(UTC).date().isoformat(),
    }
    return Proposal(found[:count], refused, exchanges, record)


def _prompt(concept: str, other: str, count: int, so_far: list[str]) -> str:
    lines = [f"The concept: {json.dumps(concept)}", f"The other: {json.dumps(other)}", f"Write {count} pairs."]
    if so_far:
        lines += ["These are there already, write different ones:", *(json.dumps(text) for text in so_far[-60:])]
    return "\n".join(lines)


def _ask(client: Any, model: str, prompt: str) -> Any:
    import anthropic

    try:
        return client.messages.create(
            model=model,
            max_tokens=_MOST_TOKENS,
            system=_SYSTEM,
            messages=[{"role": "user", "content": prompt}],
            output_config={"format": {"type": "json_schema", "schema": _SCHEMA}},
        )
    except (anthropic.AuthenticationError, anthropic.PermissionDeniedError) as error:
        raise UsageError(f"the service refuses the key ({error.status_code})", f"Check {KEY}.") from error
    except anthropic.NotFoundError as error:
        raise UsageError(f"the service knows no model {model!r}", "Give another with --model.") from error
    except anthropic.APIStatusError as error:
        raise WorkbenchError(
            f"the service answered {error.status_code} ({type(error).__name__})", "Repeat later; nothing was stored."
        ) from error
    except anthropic.APIConnectionError as error:
        raise WorkbenchError("the service cannot be reached", "Check the network, or give --template.") from error
    except anthropic.AnthropicError as error:
        raise WorkbenchError(f"the service cannot be asked ({type(error).__name__})", "Give --template.") from error


def _read(text: str, stop: str | None) -> list[tuple[str, str]]:
    if stop == "refusal":
        raise WorkbenchError("the language model refused to write these pairs", "Word the concept otherwise.")
    try:
        pairs = json.loads(text)["pairs"]
        return [(str(pair["concept"]).strip(), str(pair["other"]).strip()) for pair in pairs]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        cut = " (it was cut off)" if stop == "max_tokens" else ""
        raise WorkbenchError(
            f"the language model answered with no list of pairs{cut}: {text[:60]!r}", "Repeat, or ask for fewer pairs."
        ) from error


def _is_fit(pair: tuple[str, str], seen: set[str]) -> bool:
    """Two different new sentences of whole characters."""
    return all(pair) and pair[0] != pair[1] and not seen & set(pair) and not any(map(has_surrogate, pair))
