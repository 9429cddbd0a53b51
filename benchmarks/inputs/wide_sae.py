"""A random tiny GPT-2, a random TopK SAE of any width and a corpus to read with them: what index benchmarks run on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WIDTH, LAYERS, VOCABULARY, CONTEXT, ACTIVE = 128, 4, 1000, 128, 32
SITE = "blocks.1.hook_resid_post"
DOCUMENTS = 1024


def word(number: int) -> str:
    """A word of letters alone, because tokenizers part letters from digits."""
    return "w" + "".join("abcdefghij"[int(digit)] for digit in str(number))


def make_files(folder: Path, latents: int) -> None:
    """Write the model, its tokenizer, and an SAE of that many latents; `tokens.npy` beside them."""
    import numpy as np
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel

    if not (folder / "model").exists():
        torch.manual_seed(0)
        (folder / "model").mkdir(parents=True)
        words = ["<|endoftext|>", *("Ġ" + word(number) for number in range(VOCABULARY - 1))]
        tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token=words[0]))
        tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
        tokenizer.save(str(folder / "model" / "tokenizer.json"))
        settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": words[0], "eos_token": words[0]}
        (folder / "model" / "tokenizer_config.json").write_text(json.dumps(settings))
        config = GPT2Config(
            vocab_size=VOCABULARY,
            n_positions=CONTEXT,
            n_embd=WIDTH,
            n_layer=LAYERS,
            n_head=4,
            bos_token_id=0,
            eos_token_id=0,
        )
        GPT2LMHeadModel(config).save_pretrained(folder / "model")
        # words as frequent as in text: a power law
        draw = np.random.default_rng(0)
        weights = 1 / np.arange(1, VOCABULARY)
        ids = draw.choice(np.arange(1, VOCABULARY), (DOCUMENTS, CONTEXT), p=weights / weights.sum())
        ids[:, 0] = 0
        np.save(folder / "tokens.npy", ids)
    sae = folder / f"sae-{latents}"
    if not sae.exists():
        generator = torch.Generator().manual_seed(latents)
        sae.mkdir()
        encoder = torch.randn(WIDTH, latents, generator=generator) / WIDTH**0.5
        decoder = encoder.T / encoder.T.norm(dim=1, keepdim=True)
        bias = torch.zeros(latents)
        save_file(
            {"W_enc": encoder, "W_dec": decoder.contiguous(), "b_enc": bias, "b_dec": torch.zeros(WIDTH)},
            sae / "sae_weights.safetensors",
        )
        config = {
            "architecture": "topk", "d_in": WIDTH, "d_sae": latents, "k": ACTIVE, "dtype": "float32", "device": "cpu",
            "apply_b_dec_to_input": False, "rescale_acts_by_decoder_norm": False, "normalize_activations": "none",
            "reshape_activations": "none",
            "metadata": {"model_name": "tiny", "hook_name": SITE, "prepend_bos": True, "sae_lens_version": "6.0.0"},
        }  # fmt: skip
        (sae / "cfg.json").write_text(json.dumps(config))


def make_corpus(folder: Path, documents: int, tokenizer: Any) -> Any:
    """The tokens as a store, again and again where more documents are asked for than there are."""
    import numpy as np

    from workbench.corpus.store import find_recipe, keep_store

    key = f"race-{documents}"
    if (found := find_recipe(folder, key)) is not None:
        return found
    ids = np.load(folder / "tokens.npy")
    ids = np.concatenate([ids] * -(-documents // len(ids)))[:documents]
    building = folder / "corpora" / ".building" / key
    building.mkdir(parents=True)
    (building / "tokens.bin").write_bytes(ids.astype("<i4").tobytes())
    (building / "starts.bin").write_bytes((np.arange(documents + 1) * CONTEXT).astype("<i8").tobytes())
    meta = {
        "name": key, "documents": documents, "tokens": ids.size, "tokenizer": tokenizer.digest,
        "special": [0], "recipes": [key], "enriched": None,
    }  # fmt: skip
    return keep_store(folder, building, tokenizer.pieces, meta)
