"""A feature space: what turns the activations of a site into features, and back into directions.

Every analysis takes either kind: the latents of an SAE, or the raw units of a site.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor

from workbench import demo
from workbench.digests import folder_digest
from workbench.errors import InputFileError, MismatchError, UnknownNameError, did_you_mean
from workbench.models.hub import cache_only
from workbench.models.reference import StandIn
from workbench.models.site import Site, is_site, parse_site
from workbench.paths import home
from workbench.saes.encoding import encode, largest
from workbench.saes.formats import saelens
from workbench.saes.formats.loaded import LoadedSae
from workbench.saes.formats.recognise import read_folder
from workbench.saes.neuronpedia import checked_id

STORY = "training.json"
"""Beside an SAE that was trained on this machine: how that went."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""A name under which `sae train` keeps an SAE: no path."""

if TYPE_CHECKING:
    from sae_lens import SAE

    from workbench.models.loaded import LoadedModel


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

    def written(self, acts: Tensor, steps: Tensor, features: Sequence[int]) -> Tensor:
        """What the site gains at activations (..., units) when features change by steps (..., features)."""


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

    def written(self, acts: Tensor, steps: Tensor, features: Sequence[int]) -> Tensor:
        """The steps at the places of their units."""
        gained = torch.zeros(acts.shape, dtype=torch.float32, device=acts.device)
        gained[..., list(features)] = steps
        return gained


@dataclass
class SaeSpace:
    """The latents of an SAE.

    Attributes:
        site: where it reads.
        sae: the SAELens object.
        output: where a transcoder writes; None for an SAE, which writes where it reads.
        skip: (units out, units in) of a transcoder's linear path beside the latents.
        bounds: to which inputs are clamped first, as they were in training; None for most SAEs.
    """

    name: str
    site: Site
    width: int
    sae: Any
    info: dict[str, Any] = field(default_factory=dict)
    output: Site | None = None
    skip: Tensor | None = None
    bounds: tuple[float, float] | None = None

    @property
    def writes(self) -> Site:
        """The site that the decoder reconstructs."""
        return self.output or self.site

    @torch.no_grad()
    def encode(self, acts: Tensor) -> Tensor:
        """Latent activations (..., width) of activations (..., units), in float32."""
        return encode(self.sae, self._taken(acts), self._norms).float()

    @torch.no_grad()
    def largest(self, acts: Tensor) -> tuple[Tensor, Tensor] | None:
        """Values and numbers (rows, k) of the latents of a TopK SAE on activations (rows, units); None for others."""
        if str(self.sae.cfg.architecture()) != "topk":
            return None
        values, latents = largest(self.sae, self._taken(acts), self._norms)
        return values.float(), latents

    @torch.no_grad()
    def encode_and_decode(self, acts: Tensor) -> tuple[Tensor, Tensor]:
        """Latents (..., width) and reconstruction (..., units of `writes`) of activations, in float32.

        Together, because SAEs that normalise at run time decode with what they kept from encoding.
        """
        encoded = encode(self.sae, self._taken(acts), self._norms)
        made: Tensor = self.sae.decode(encoded)
        if self.skip is not None:
            made = made + acts.to(made.dtype) @ self.skip.T.to(made.dtype)
        return encoded.float(), made.float()

    @cached_property
    def _norms(self) -> Tensor | None:
        """Lengths of the decoder's rows (width,), where latents are measured in units of them."""
        rescaled = getattr(self.sae.cfg, "rescale_acts_by_decoder_norm", False)
        return self.sae.W_dec.detach().norm(dim=-1) if rescaled else None

    def _taken(self, acts: Tensor) -> Tensor:
        """Activations as the SAE takes them: clamped where it was trained so, in its number format."""
        clamped = acts if self.bounds is None else acts.clamp(*self.bounds)
        return clamped.to(self.sae.W_dec.dtype)

    def reconstruct(self, acts: Tensor) -> Tensor:
        """What the SAE makes of activations (..., units): (..., units of `writes`), in float32."""
        return self.encode_and_decode(acts)[1]

    @torch.no_grad()
    def directions(self) -> Tensor:
        """Decoder directions (width, units), as stored, on the CPU in float32."""
        weights: Tensor = self.sae.W_dec
        return weights.detach().float().cpu()

    @torch.no_grad()
    def written(self, acts: Tensor, steps: Tensor, features: Sequence[int]) -> Tensor:
        """The difference that the steps make to the decoder's output.

        An SAE that measures activations in units of its decoder rows' norms divides by them when it decodes, one
        that normalises each token on the way in scales it back on the way out.
        """
        rows = self.sae.W_dec[list(features)].float()  # (features, units)
        if getattr(self.sae.cfg, "rescale_acts_by_decoder_norm", False):
            rows = rows / rows.norm(dim=-1, keepdim=True)
        gained: Tensor = (steps @ rows) * _scale_back(acts.float(), str(self.sae.cfg.normalize_activations))
        return gained


def _scale_back(acts: Tensor, normalisation: str) -> Tensor:
    """The factor (..., 1) that undoes a normalisation of each token, as sae_lens does it."""
    factor = torch.ones(1, device=acts.device)
    if normalisation == "layer_norm":
        factor = acts.std(dim=-1, keepdim=True)
    elif normalisation == "constant_norm_rescale":
        factor = acts.norm(dim=-1, keepdim=True) / float(acts.shape[-1]) ** 0.5
    return factor


def digest_now(ref: str, stand_in: StandIn | None = None) -> str:
    """The digest of a local SAE's files as they are now; "" for one of the hub and for raw units."""
    folder = local_folder(ref) if stand_in is None else stand_in.folder
    return folder_digest(folder) if ref != "raw" and folder.is_dir() else ""


def local_folder(ref: str) -> Path:
    """The folder of a local SAE: a path, or else the name of one that was trained on this machine."""
    if ref == "demo":
        return demo.sae_dir()
    folder = Path(ref).expanduser()
    named = NAME.fullmatch(ref) is not None and not folder.is_dir()
    return trained if named and (trained := home() / "saes" / ref).is_dir() else folder


def trained_here(info: dict[str, Any]) -> bool:
    """Whether the SAE of that `info` lies with the story of its training, which nothing but `sae.train` writes."""
    return (local_folder(str(info["ref"])) / STORY).is_file()


def load_space(
    ref: str, site: str, model: LoadedModel, expected: str | None = None, stand_in: StandIn | None = None
) -> FeatureSpace:
    """The feature space that `ref` names, on a loaded model.

    Args:
        ref: `demo`, a local SAE folder, the name of one trained here, RELEASE/SAE_ID of SAELens, or `raw`.
        site: the site of `raw`, and of an SAE whose files do not say theirs; ignored otherwise.
        expected: digest the files must have, or nothing.
        stand_in: where a local SAE's files lie, if that is another place than the one `ref` names.

    Raises:
        InputFileError: files missing, damaged or not the recorded ones.
        MismatchError: the SAE's width or site does not fit the model.
        UsageError: `raw` without a site, or an SAE that has none either.
    """
    if ref == "raw":
        return _raw(site, model)
    folder = local_folder(ref) if stand_in is None else stand_in.folder
    if folder.is_dir():
        name = folder.resolve().name if stand_in is None else stand_in.name
        return _from_folder(ref, folder.resolve(), name, site, model, expected)
    if ref == "demo" or ref.startswith((".", "/", "~")) or "/" not in ref:
        trained = sorted(path.name for path in (home() / "saes").glob("[!.]*") if path.is_dir())
        here = f"the name of one trained here ({', '.join(trained[:10])}), " if trained else ""
        choice = f"Give `demo`, an existing SAE folder, {here}RELEASE/SAE_ID of SAELens, or `raw` with --site."
        meant = did_you_mean(ref, ["demo", "raw", *trained])
        raise UnknownNameError(f"no SAE {ref!r}", f"{meant} {choice}".lstrip())
    return _from_hub(ref, site, model)


def _raw(site: str, model: LoadedModel) -> RawSpace:
    place = parse_site(site or f"blocks.{model.layers // 2}.hook_resid_post", model.layers)
    name = f"{model.name}/{place.name}/raw"
    width = model.site_width(place)
    info = {"ref": "raw", "name": name, "digest": "", "site": place.name, "width": width}
    return RawSpace(name, place, width, {**info, "architecture": "raw", "units": "raw", "site_given": True})


def _from_folder(ref: str, folder: Path, name: str, site: str, model: LoadedModel, expected: str | None) -> SaeSpace:
    digest = folder_digest(folder)
    if expected and digest != expected:
        raise InputFileError(
            f"the SAE {ref!r} is not the one of this session (its files changed)",
            "Load it again with `workbench sae load`, which starts new results.",
        )
    return _fitted(ref, name, read_folder(folder, str(model.device)), site, digest, model)


def _from_hub(ref: str, site: str, model: LoadedModel) -> SaeSpace:
    release, _, sae_id = ref.partition("/")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sae = _released(release, sae_id, str(model.device))
    except Exception as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise InputFileError(
            f"cannot load the SAE {ref!r} ({type(error).__name__}: {reason})",
            "Check RELEASE/SAE_ID against the SAELens list, and the network.",
        ) from error
    return _fitted(ref, re.sub(r"[^A-Za-z0-9._-]+", "-", ref), saelens.from_sae(sae), site, "", model)


def _released(release: str, sae_id: str, device: str) -> SAE[Any]:
    """An SAE of a SAELens release; no connection is made where the cache has all its files."""
    from sae_lens import SAE

    try:
        with cache_only():
            return SAE.from_pretrained(release, sae_id, device=device)
    except Exception:
        return SAE.from_pretrained(release, sae_id, device=device)


def _fitted(ref: str, short: str, found: LoadedSae, given: str, digest: str, model: LoadedModel) -> SaeSpace:
    hook = given if given and not is_site(found.hook) else found.hook
    if not hook:
        raise MismatchError(
            f"the SAE {ref!r} does not say its site", "Add --site, for example --site blocks.1.hook_resid_post."
        )
    site = _site(ref, hook, model, int(found.sae.W_enc.shape[0]), "reads")
    output = _site(ref, found.hook_out, model, int(found.sae.b_dec.numel()), "writes") if found.hook_out else None
    if output is None and found.sae.b_dec.numel() != found.sae.W_enc.shape[0]:
        raise MismatchError(f"the transcoder {ref!r} does not say where it writes", "Add metadata.hook_name_out.")
    for part, weights in found.sae.named_parameters():
        if not bool(torch.isfinite(weights).all()):
            raise InputFileError(f"the SAE {ref!r} holds NaN or infinite weights ({part})", "Get a sound copy of it.")
    found.sae.eval()
    name, width = f"{model.name}/{site.name}/{short}", int(found.sae.W_dec.shape[0])
    info = {
        "ref": ref,
        "name": name,
        "digest": digest,
        "site": site.name,
        "writes": (output or site).name,
        "width": width,
        "architecture": str(found.sae.cfg.architecture()),
        "format": found.format,
        "units": "latents",
        "site_given": hook != found.hook,
    }
    if listed := checked_id(found.sae.cfg.metadata.neuronpedia_id):
        info["neuronpedia"] = listed
    return SaeSpace(name, site, width, found.sae, info, output, found.skip, _bounds(ref, found.sae))


def _site(ref: str, hook: str, model: LoadedModel, units: int, verb: str) -> Site:
    """The site that an SAE names, which must have as many units as its weights."""
    try:
        site = parse_site(hook, model.layers)
    except UnknownNameError as error:
        advice = "" if is_site(hook) else " Say with --site which of them is meant."
        told = f"{error.message}. {error.hint}{advice}"
        raise MismatchError(f"the SAE {ref!r} belongs to site {hook!r}", told) from error
    if units != model.site_width(site):
        raise MismatchError(
            f"the SAE {ref!r} {verb} {units} units, {site.name} of {model.name} has {model.site_width(site)}",
            "Load the model this SAE was trained on.",
        )
    return site


def _bounds(ref: str, sae: Any) -> tuple[float, float] | None:
    """The bounds of an SAE that was trained on winsorised inputs (`winsorised` in its metadata)."""
    found = sae.cfg.metadata.winsorised
    if found is None:
        return None
    if not isinstance(found, list) or len(found) != 2 or not all(isinstance(end, (int, float)) for end in found):
        raise InputFileError(f"the SAE {ref!r} has winsorised = {found!r:.60}", "It must be two numbers, [low, high].")
    return float(found[0]), float(found[1])
