"""A random three-block GPT-2 and a random TopK SAE, small enough to load in a blink."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from workbench.errors import Cancelled

LAYERS, WIDTH, CONTEXT, LATENTS, ACTIVE = 3, 32, 32, 48, 4
NEURONS = 56
SITE = "blocks.1.hook_resid_post"
BOUNDARY = "<|endoftext|>"
WORDS = [
    "the", "a", "cat", "dog", "sun", "moon", "won", "lost", "prize", "game", "today", "again", "bright", "dark",
    "happy", "sad", "of", "and", "in", "is",
]  # fmt: skip
GOOD = [f"the {noun} won the {thing} today" for noun in ("cat", "dog", "sun") for thing in ("prize", "game", "moon")]
BAD = [f"a {noun} lost {thing} again" for noun in ("cat", "dog", "sun") for thing in ("prize", "game", "moon")]


def make_model(folder: Path, seed: int = 0, layers: int = LAYERS, width: int = WIDTH) -> Path:
    """Write the model and its tokenizer: bytes and a few words, BOS in front."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(seed)
    size = _save_tokenizer(folder)
    config = GPT2Config(
        vocab_size=size, n_positions=CONTEXT, n_embd=width, n_layer=layers, n_head=2,
        bos_token_id=0, eos_token_id=0, pad_token_id=0,
    )  # fmt: skip
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))  # biases and gains too, so that none is a no-op
    model.save_pretrained(folder)
    return folder


def make_llama(folder: Path, seed: int = 4) -> Path:
    """Write a random Llama with grouped queries and a gated MLP, with the tokenizer of the tiny model."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return _save_random(
        folder, LlamaForCausalLM, seed, LlamaConfig, _save_tokenizer(folder), num_key_value_heads=1,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip


def make_bert(folder: Path, seed: int = 5) -> Path:
    """Write a random BERT without a head, as sentence encoders come: [CLS] in front, [SEP] behind."""
    from transformers import BertConfig, BertModel

    return _save_random(folder, BertModel, seed, BertConfig, _save_word_pieces(folder))


def _save_random(folder: Path, kind: Any, seed: int, config: Any, size: int, **more: Any) -> Path:
    import torch

    torch.manual_seed(seed)
    model = kind(
        config(
            vocab_size=size, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=2,
            intermediate_size=NEURONS, max_position_embeddings=CONTEXT, pad_token_id=0, **more,
        )
    )  # fmt: skip
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    return folder


def _save_word_pieces(folder: Path) -> int:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = [form for letter in "abcdefghijklmnopqrstuvwxyz.,!?'" for form in (letter, f"##{letter}")]
    vocabulary = {token: at for at, token in enumerate(dict.fromkeys([*special, *WORDS, *letters]))}
    tokenizer = Tokenizer(models.WordPiece(vocab=vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    # as sentence encoders ship theirs: cut and padded to a fixed length, which nobody asked for here
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=8)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "mask_token": "[MASK]",
    }
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": CONTEXT, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return len(vocabulary)


def _save_tokenizer(folder: Path) -> int:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

    words = [form for word in WORDS for form in (word, f"Ġ{word}")]
    rest = sorted(set(words) - set(pre_tokenizers.ByteLevel.alphabet()))
    vocabulary = [BOUNDARY, *sorted(pre_tokenizers.ByteLevel.alphabet()), *rest]
    tokenizer = Tokenizer(
        models.BPE(vocab={token: at for at, token in enumerate(vocabulary)}, merges=[], ignore_merges=True)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([BOUNDARY])
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BOUNDARY} $A", special_tokens=[(BOUNDARY, 0)])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = dict.fromkeys(("bos_token", "eos_token", "unk_token", "pad_token"), BOUNDARY)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": CONTEXT, **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return len(vocabulary)


def make_sae(folder: Path, seed: int = 1, **changes: Any) -> Path:
    """Write the SAE in SAELens format; `changes` go into cfg.json (`d_in`, `hook_name`, ...)."""
    import torch
    from safetensors.torch import save_file

    settings = {"d_in": WIDTH, "d_sae": LATENTS, "k": ACTIVE, "hook_name": SITE, **changes}
    hook = settings.pop("hook_name")
    units, latents = settings["d_in"], settings["d_sae"]
    generator = torch.Generator().manual_seed(seed)
    weights = {
        "W_enc": torch.randn(units, latents, generator=generator),
        "b_enc": 0.1 * torch.randn(latents, generator=generator),
        "W_dec": 0.5 * torch.randn(latents, units, generator=generator),  # rows of unequal norm
        "b_dec": 0.1 * torch.randn(units, generator=generator),
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "sae_weights.safetensors")
    config = {
        **settings, "architecture": "topk", "dtype": "float32", "device": "cpu", "apply_b_dec_to_input": True,
        "rescale_acts_by_decoder_norm": True, "normalize_activations": "none", "reshape_activations": "none",
        "metadata": {"model_name": "tiny", "hook_name": hook, "prepend_bos": True, "sae_lens_version": "6.0.0"},
    }  # fmt: skip
    (folder / "cfg.json").write_text(json.dumps(config))
    return folder


def write_stimuli(path: Path, categories: dict[str, list[str]] | None = None, **more: Any) -> Path:
    """Write a stimulus file; winning against losing where nothing else is asked for."""
    path.write_text(json.dumps({"categories": categories or {"good": GOOD, "bad": BAD}, **more}))
    return path


def snapshot(folder: Path) -> dict[str, str]:
    """Every file below a folder, hidden ones too, with the digest of its bytes; folders end in a slash."""
    return {
        path.relative_to(folder).as_posix() + ("/" if path.is_dir() else ""): (
            "" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()
        )
        for path in sorted(folder.rglob("*"))
    }


def required(reason: str) -> None:
    """Skip for want of something, but fail where nothing may be missing."""
    if os.environ.get("WORKBENCH_REQUIRE_ALL"):
        pytest.fail(f"WORKBENCH_REQUIRE_ALL is set, but {reason}")
    pytest.skip(reason)


@contextmanager
def small_disk(size: str = "64k") -> Iterator[Path]:
    """A disk of its own of that size; the file modes of a folder stop no root user, a full disk does."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        required("mounting a small disk needs root on Linux")
    with tempfile.TemporaryDirectory(prefix="wb-disk-") as name:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", name], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            required(f"mounting a small disk is not permitted ({done.stderr.strip()})")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", "-l", name], check=True)


def fill(folder: Path) -> Path:
    """Use up the rest of a small disk, to the last byte, and give the file that does."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


def read_only(folder: Path, on: bool = True) -> None:
    """Mount a small disk again so that nobody can write to it, or so that everybody can."""
    subprocess.run(["mount", "-o", f"remount,{'ro' if on else 'rw'}", str(folder)], check=True)


def stop_after(calls: int) -> Any:
    """A `tick` that is cancelled once it was called so many times."""
    left = iter(range(calls))

    def tick(done: int, total: int, text: str) -> None:
        if next(left, None) is None:
            raise Cancelled("cancelled")

    return tick
