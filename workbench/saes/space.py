"""A feature space: what turns the activations of a site into features, and back into directions.

Every analysis takes either kind: the latents of an SAE, or the raw units of a site.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from workbench import demo
from workbench.digests import folder_digest
from workbench.errors import InputFileError, MismatchError, UnknownNameError, UsageError
from workbench.models.site import Site, parse_site

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel

SAE_FILES = ("cfg.json", "sae_weights.safetensors")


class FeatureSpace(Protocol):
    """What every analysis needs of features."""

    name: str
    site: Site
    width: int
    info: dict[str, Any]

    def encode(self, acts: Tensor) -> Tensor:
        """Activations (..., units) -> features (..., width)."""

    def directions(self) -> Tensor:
        """What each feature writes into the site: (width, units)."""


@dataclass
class RawSpace:
    """The units of a site themselves."""

    name: str
    site: Site
    width: int
    info: dict[str, Any] = field(default_factory=dict)

    def encode(self, acts: Tensor) -> Tensor:
        """The activations as they are, in float32."""
        return acts.float()

    def directions(self) -> Tensor:
        """The unit vectors (width, width)."""
        return torch.eye(self.width)


@dataclass
class SaeSpace:
    """The latents of an SAE that sae_lens loaded."""

    name: str
    site: Site
    width: int
    sae: Any
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def writes(self) -> Site:
        """The site that the decoder reconstructs: the SAE's own."""
        return self.site

    @torch.no_grad()
    def encode(self, acts: Tensor) -> Tensor:
        """Latent activations (..., width) of activations (..., units), in float32."""
        encoded: Tensor = self.sae.encode(acts.to(self.sae.W_dec.dtype))
        return encoded.to_dense().float() if encoded.is_sparse else encoded.float()

    @torch.no_grad()
    def encode_and_decode(self, acts: Tensor) -> tuple[Tensor, Tensor]:
        """Latents (..., width) and reconstruction (..., units of `writes`) of activations, in float32.

        Together, because SAEs that normalise at run time decode with what they kept from encoding.
        """
        encoded: Tensor = self.sae.encode(acts.to(self.sae.W_dec.dtype))
        made: Tensor = self.sae.decode(encoded)
        return encoded.to_dense().float() if encoded.is_sparse else encoded.float(), made.float()

    def reconstruct(self, acts: Tensor) -> Tensor:
        """What the SAE makes of activations (..., units): (..., units of `writes`), in float32."""
        return self.encode_and_decode(acts)[1]

    @torch.no_grad()
    def directions(self) -> Tensor:
        """Decoder directions (width, units), as stored, on the CPU in float32."""
        weights: Tensor = self.sae.W_dec
        return weights.detach().float().cpu()


def digest_now(ref: str) -> str:
    """The digest of a local SAE's files as they are now; "" for one of the hub and for raw units."""
    folder = _folder(ref)
    return folder_digest(folder) if ref != "raw" and folder.is_dir() else ""


def _folder(ref: str) -> Path:
    return demo.sae_dir() if ref == "demo" else Path(ref).expanduser()


def load_space(ref: str, site: str, model: LoadedModel, expected: str | None = None) -> FeatureSpace:
    """The feature space that `ref` names, on a loaded model.

    Args:
        ref: `demo`, a local SAELens folder, RELEASE/SAE_ID, or `raw`.
        site: the site of `raw`; ignored otherwise.
        expected: digest the files must have, or nothing.

    Raises:
        InputFileError: files missing, damaged or not the recorded ones.
        MismatchError: the SAE's width or site does not fit the model.
        UsageError: `raw` without a site.
    """
    if ref == "raw":
        return _raw(site, model)
    folder = _folder(ref)
    if folder.is_dir():
        return _from_folder(ref, folder.resolve(), model, expected)
    if ref == "demo" or ref.startswith((".", "/", "~")) or "/" not in ref:
        raise UnknownNameError(
            f"no SAE {ref!r}", "Give `demo`, an existing SAELens folder, RELEASE/SAE_ID, or `raw` with --site."
        )
    return _from_hub(ref, model)


def _raw(site: str, model: LoadedModel) -> RawSpace:
    if not site:
        raise UsageError("raw units need a site", "Add --site blocks.N.hook_resid_post.")
    place = parse_site(site, model.layers)
    name = f"{model.name}/{place.name}/raw"
    width = model.site_width(place)
    info = {"ref": "raw", "name": name, "digest": "", "site": place.name, "width": width}
    return RawSpace(name, place, width, {**info, "architecture": "raw", "units": "raw"})


def _from_folder(ref: str, folder: Path, model: LoadedModel, expected: str | None) -> SaeSpace:
    missing = [name for name in SAE_FILES if not (folder / name).exists()]
    if missing:
        raise InputFileError(f"{folder} has no {' and no '.join(missing)}", "Give a folder in SAELens format.")
    digest = folder_digest(folder)
    if expected and digest != expected:
        raise InputFileError(
            f"the SAE {ref!r} is not the one of this session (its files changed)",
            "Load it again with `workbench sae load`, which starts new results.",
        )
    from sae_lens import SAE

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sae = SAE.load_from_disk(str(folder), device=str(model.device))
    except Exception as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise InputFileError(
            f"cannot load the SAE in {folder} ({type(error).__name__}: {reason})", "Check cfg.json and the weights."
        ) from error
    return _fitted(ref, folder.name, sae, digest, model)


def _from_hub(ref: str, model: LoadedModel) -> SaeSpace:
    from sae_lens import SAE

    release, _, sae_id = ref.partition("/")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sae = SAE.from_pretrained(release, sae_id, device=str(model.device))
    except Exception as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise InputFileError(
            f"cannot load the SAE {ref!r} ({type(error).__name__}: {reason})",
            "Check RELEASE/SAE_ID against the SAELens list, and the network.",
        ) from error
    return _fitted(ref, re.sub(r"[^A-Za-z0-9._-]+", "-", ref), sae, "", model)


def _fitted(ref: str, short: str, sae: Any, digest: str, model: LoadedModel) -> SaeSpace:
    units, width = int(sae.cfg.d_in), int(sae.cfg.d_sae)
    hook = str(sae.cfg.metadata.hook_name or "")
    if not hook:
        raise MismatchError(f"the SAE {ref!r} does not say its site", "Add metadata.hook_name to its cfg.json.")
    try:
        site = parse_site(hook, model.layers)
    except UnknownNameError as error:
        raise MismatchError(f"the SAE {ref!r} belongs to site {hook!r}", error.message + ". " + error.hint) from error
    if units != model.site_width(site):
        raise MismatchError(
            f"the SAE {ref!r} reads {units} units, {site.name} of {model.name} has {model.site_width(site)}",
            "Load the model this SAE was trained on.",
        )
    for part, weights in sae.named_parameters():
        if not bool(torch.isfinite(weights).all()):
            raise InputFileError(f"the SAE {ref!r} holds NaN or infinite weights ({part})", "Get a sound copy of it.")
    sae.eval()
    name = f"{model.name}/{site.name}/{short}"
    info = {
        "ref": ref,
        "name": name,
        "digest": digest,
        "site": site.name,
        "width": width,
        "architecture": str(sae.cfg.architecture()),
        "units": "latents",
    }
    return SaeSpace(name, site, width, sae, info)
