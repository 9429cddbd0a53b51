"""Loading models and feature spaces, and keeping the last ones in memory."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from workbench.errors import InputFileError, MismatchError, WorkbenchError
from workbench.models import reference as references

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace


_IDENTITY = ("ref", "digest", "revision", "dtype", "device")


class ModelCache:
    """Holds one model and one feature space, those last asked for.

    Values asked for are state entries as `model.load` and `sae.load` make them; a model whose files changed
    since is refused, because its numbers would not be those of the session.
    """

    def __init__(self) -> None:
        self._model: tuple[str, LoadedModel] | None = None
        self._space: tuple[str, FeatureSpace] | None = None

    def model(self, entry: dict[str, Any]) -> LoadedModel:
        """The model of a state entry.

        Raises:
            InputFileError: its files are gone, damaged or not the recorded ones.
        """
        found = {**entry, "digest": entry.get("digest") or _digest_now(str(entry["ref"]))}
        key = repr(sorted((name, str(found.get(name) or "")) for name in _IDENTITY))
        if self._model is None or self._model[0] != key:
            self._space = None
            self._model = None  # free the old weights before the new ones come in
            self._model = (key, load_model(entry))
        return self._model[1]

    def space(self, entry: dict[str, Any], model: LoadedModel) -> FeatureSpace:
        """The feature space of a state entry, on its model.

        Raises:
            InputFileError: its files are gone, damaged or not the recorded ones.
            MismatchError: it does not fit the model.
        """
        from workbench.saes.space import digest_now, load_space

        ref, site = str(entry["ref"]), str(entry.get("site", ""))
        key = repr((ref, entry.get("digest") or digest_now(ref), model.name))
        if self._space is None or self._space[0] != key or not _same_site(self._space[1], site):
            self._space = (key, load_space(ref, site, model, entry.get("digest")))
        return self._space[1]


def _same_site(space: FeatureSpace, site: str) -> bool:
    """Whether a space in memory is the one meant by this `--site`; without one, only if its files say the site."""
    return site == space.site.name or (site == "" and not space.info["site_given"])


def _digest_now(ref: str) -> str:
    """The digest of the files as they are: those of a folder may have changed since they were loaded."""
    return references.digest(references.resolve(ref))


def load_model(entry: dict[str, Any]) -> LoadedModel:
    """Load a model from `{"ref", "revision", "dtype", "device", "digest"}`; an empty digest accepts any files.

    Raises:
        InputFileError: its files are gone, damaged or not the recorded ones.
        MismatchError: a device this machine does not have.
    """
    reference = references.resolve(str(entry["ref"]))
    references.stay_offline(reference)
    found = references.digest(reference)
    expected = entry.get("digest") or ""
    if expected and reference.folder is not None and found != expected:
        raise InputFileError(
            f"the model {reference.ref!r} is not the one of this session (its files changed)",
            "Load it again with `workbench model load`, which starts new results.",
        )
    return _load(reference, entry, found)


def _load(reference: references.ModelReference, entry: dict[str, Any], digest: str) -> LoadedModel:
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging as quiet

    from workbench.models.loaded import LoadedModel

    revision = str(entry.get("revision") or "") or None
    device = pick_device(str(entry.get("device") or "auto"))
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[
        str(entry.get("dtype") or "float32")
    ]
    quiet.disable_progress_bar()  # progress is the engine's to tell
    quiet.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # third-party notices; what matters is checked below
            config = AutoConfig.from_pretrained(reference.source, revision=revision)
            causal = _is_causal(config)
            loader = AutoModelForCausalLM if causal else AutoModel
            plain = loader.from_pretrained(
                reference.source, revision=revision, dtype=dtype, attn_implementation="eager", use_safetensors=True
            )
            tokenizer = AutoTokenizer.from_pretrained(reference.source, revision=revision)
    except WorkbenchError:
        raise
    except Exception as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise InputFileError(
            f"cannot load the model {reference.ref!r} ({type(error).__name__}: {reason})",
            "Check the folder's files, or the name and the network.",
        ) from error
    plain.to(device).eval().requires_grad_(False)
    model = LoadedModel(reference.name, plain, tokenizer)
    model.info = _info(reference, model, digest, causal, entry)
    return model


def _is_causal(config: Any) -> bool:
    names = " ".join(getattr(config, "architectures", None) or [])
    return "CausalLM" in names or "LMHead" in names or bool(getattr(config, "is_decoder", False))


def _info(
    reference: references.ModelReference, model: LoadedModel, digest: str, causal: bool, entry: dict[str, Any]
) -> dict[str, Any]:
    config = model.plain.config
    commit = str(getattr(config, "_commit_hash", None) or "")
    return {
        "ref": reference.ref,
        "name": reference.name,
        "source": reference.source,
        "digest": digest or (f"commit:{commit}" if commit else ""),
        "revision": str(entry.get("revision") or commit),
        "architecture": (getattr(config, "architectures", None) or [type(model.plain).__name__])[0],
        "layers": model.layers,
        "width": model.width,
        "context": int(getattr(config, "max_position_embeddings", 0) or 2048),
        "vocabulary": int(config.vocab_size),
        "parameters": sum(p.numel() for p in model.plain.parameters()),
        "dtype": str(model.plain.dtype).removeprefix("torch."),
        "device": str(model.device),
        "sites": [f"blocks.{layer}.hook_resid_post" for layer in range(model.layers)],
        "causal": causal,
    }


def pick_device(wanted: str) -> str:
    """The device to use; `auto` takes CUDA, then MPS, then the CPU.

    Raises:
        MismatchError: a device this machine does not have.
    """
    import torch

    if wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise MismatchError(f"device {wanted!r} asked for, but this machine has no CUDA", "Use --device cpu.")
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise MismatchError("device 'mps' asked for, but this machine has none", "Use --device cpu.")
    return wanted
