"""The demo's tokenizer: byte-level, so any text is representable, with every corpus word a single token."""

import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from workbench.demo.corpus import documents

BOUNDARY = "<|endoftext|>"
CONTEXT = 128


def corpus_pieces(seed: int, count: int) -> list[str]:
    """The pieces that `count` documents split into, and each word with a leading space; sorted."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces: set[str] = set()
    for document in islice(documents(seed), count):
        pieces.update(piece for piece, _ in split.pre_tokenize_str(document.text))
    words = {piece.removeprefix("Ġ") for piece in pieces}
    return sorted(pieces | {f"Ġ{word}" for word in words if word.isalpha()})


def build_tokenizer(pieces: Iterable[str]) -> Tokenizer:
    """A byte-level tokenizer that keeps a piece of its vocabulary whole and spells any other in bytes.

    The boundary token is put before every text; in the corpus it also ends a document.
    """
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    rest = sorted(set(pieces) - set(alphabet))
    vocabulary = {token: at for at, token in enumerate([BOUNDARY, *alphabet, *rest])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([BOUNDARY])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOUNDARY} $A", pair=f"{BOUNDARY} $A {BOUNDARY} $B", special_tokens=[(BOUNDARY, 0)]
    )
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the two tokenizer files that `AutoTokenizer` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BOUNDARY,
        "eos_token": BOUNDARY,
        "unk_token": BOUNDARY,
        "pad_token": BOUNDARY,
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
