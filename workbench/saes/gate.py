"""The sanity gate: is this SAE, as it is used here, the SAE that was trained?

A broken SAE gives numbers like a sound one, only meaningless. The gate reads a stretch of text, measures, and
raises an alarm for what is wrong; docs/why-these-numbers.md has the formulas and the thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from workbench.errors import InputFileError, WorkbenchError
from workbench.saes import mends
from workbench.saes.faithfulness import Texts, Totals, density, fvu, probe, quantiles, take, totals
from workbench.saes.spliced import recovered

if TYPE_CHECKING:
    from workbench.models.loaded import LoadedModel
    from workbench.saes.space import FeatureSpace, SaeSpace

Tick = Callable[[int, int, str], None]

PROBE = 1024
"""Tokens on which mends and losses are tried."""
POOR = 0.5
"""FVU above which a reconstruction is poor, and CE loss recovered below which it is."""
DENSE = 0.25
"""Share of the latents active on a token, above which the SAE is not sparse."""
DEAD = 0.5
"""Share of latents that never fired, above which too many are dead; asked only where `EXPECTED` holds."""
EXPECTED = 20
"""Mean firings of a latent that the text must allow before silence means death."""
SHRUNK = 0.7
"""Shrinkage below which, or above whose inverse, the reconstruction has the wrong size."""
MENDED = 0.5
"""A scale or decoder gains name the fault where they leave less than this share of the FVU."""
ELSEWHERE = 0.75
"""Another layer names the fault where its FVU is less than this share of the own layer's."""
RIVAL = 2.0
"""Of several mends only those are named whose FVU is within this factor of the best one's."""
OCTAVE = 2.0
"""Smallest factor by which an input scale is wrong."""
EQUAL = 0.01
"""Relative spread below which decoder norms are all equal."""
BOS_GAIN = 0.8
"""Share of the FVU that reading with or without BOS must leave, to be the better way."""
HURT = 0.01
"""Nats that mean-ablation must cost before a share of it is meaningful."""


@dataclass
class GateReport:
    """What the gate found.

    Attributes:
        numbers: measurements, plain JSON.
        alarms: `{"name", "message", "hint"}` each; none where the SAE passed.
        skipped: `{"name", "reason"}` of what could not be measured.
    """

    numbers: dict[str, Any] = field(default_factory=dict)
    alarms: list[dict[str, str]] = field(default_factory=list)
    skipped: list[dict[str, str]] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.alarms

    def alarm(self, name: str, message: str, hint: str) -> None:
        """Say that something is wrong."""
        self.alarms.append({"name": name, "message": message, "hint": hint})

    def skip(self, name: str, reason: str) -> None:
        """Say that something was not measured, and why."""
        self.skipped.append({"name": name, "reason": reason})


def check(
    model: LoadedModel,
    space: FeatureSpace,
    texts: Iterable[str],
    *,
    tokens: int = 4000,
    tick: Tick | None = None,
) -> GateReport:
    """Measure an SAE on the first `tokens` tokens of the texts and judge it.

    Raw units pass with a word why: there is nothing to be wrong.

    Raises:
        InputFileError: the texts have no tokens.
    """
    from workbench.saes.space import SaeSpace

    report = GateReport()
    if not isinstance(space, SaeSpace):
        report.skip("gate", "raw units are the activations themselves")
        return report
    sample = take(model, texts, tokens)
    if not sample.rows:
        raise InputFileError("the gate has no text to read", "Give texts with at least one word.")
    tick = tick or (lambda _done, _total, _text: None)
    sums = totals(model, space, sample, tick)
    _faithful(report, space, sums)
    _weights(report, space, sums.fired > 0)
    short = sample.first(PROBE)
    tick(sample.tokens, sample.tokens, "looking for a wrong layer or scale")
    _mended(report, model, space, short)
    _bos(report, model, space, short)
    tick(sample.tokens, sample.tokens, "splicing the SAE into the model")
    _spliced(report, model, space, short, sums.mean)
    report.numbers["documents"] = len(sample.rows)
    return report


def _faithful(report: GateReport, space: SaeSpace, sums: Totals) -> None:
    """L0, density, dead latents, FVU and shrinkage."""
    l0 = float(sums.fired.sum()) / sums.tokens
    dead = float((sums.fired == 0).double().mean())
    report.numbers |= {
        "tokens": sums.tokens,
        "l0": l0,
        "dead": dead,
        "fvu": sums.fvu,
        "shrinkage": sums.shrinkage,
        "input_norm": sums.read_norm / sums.tokens,
        "density": density(sums.fired, sums.tokens),
    }
    if l0 > DENSE * space.width:
        report.alarm(
            "dense",
            f"{l0:.0f} of {space.width} latents are active on a token: this SAE is not sparse",
            "Single latents of it mean little; check k or the sparsity penalty of its training.",
        )
    if sums.tokens * l0 / space.width < EXPECTED:
        report.skip("dead", f"{sums.tokens} tokens are too few to call a latent of {space.width} dead")
    elif dead > DEAD:
        report.alarm(
            "dead",
            f"{100 * dead:.0f} % of the latents never fired on {sums.tokens} tokens",
            "Read more tokens, or text like that of its training; else the SAE's training failed for them.",
        )
    if sums.fvu > POOR:
        report.alarm(
            "reconstruction",
            f"{100 * sums.fvu:.0f} % of the variance is unexplained (FVU {sums.fvu:.3g})",
            "Check that this SAE was trained on this model, revision, site and kind of text.",
        )
    if not SHRUNK <= sums.shrinkage <= 1 / SHRUNK:
        report.alarm(
            "shrinkage",
            f"the reconstruction has {sums.shrinkage:.2f} times the size that fits best",
            "Activations are off by that factor; a scale or a norm was lost, or the penalty shrinks them.",
        )


def _weights(report: GateReport, space: SaeSpace, alive: Tensor) -> None:
    """Norms of the decoder, and how much of a latent its own direction switches on."""
    decoder: Tensor = space.sae.W_dec.detach().float()
    norms = decoder.norm(dim=1)
    low, middle, high = quantiles(norms, (0.0, 0.5, 1.0))
    report.numbers["decoder_norm"] = {"min": low, "median": middle, "max": high}
    if low == 0.0:
        report.skip("decoder_norm", f"{int((norms == 0).sum())} latents have a decoder direction of length 0")
    encoder: Tensor = space.sae.W_enc.detach().float()
    if encoder.shape == decoder.T.shape and bool(alive.any()):
        report.numbers["self_gain"] = quantiles((encoder.T * decoder).sum(1)[alive.to(decoder.device)], (0.5,))[0]


@torch.no_grad()
def _mended(report: GateReport, model: LoadedModel, space: SaeSpace, texts: Texts) -> None:
    """Try another layer, an input scale, and decoder gains; name those that mend the reconstruction."""
    acts, target = probe(model, texts, space.site, space.writes)
    own = fvu(target, space.reconstruct(acts))
    scale, scaled = mends.best_scale(space, acts, target)
    gains = mends.best_gains(space, acts, target)
    layers = mends.other_layers(model, space, texts, everywhere=own > POOR)
    elsewhere = min(layers, key=lambda layer: layer.fvu, default=None)
    norms = report.numbers["decoder_norm"]
    report.numbers |= {
        "scale": {"best": scale, "fvu": scaled},
        "gains": {"quartiles": gains.quartiles, "fvu": gains.after},
        "layers": [{"site": layer.site, "fvu": layer.fvu} for layer in layers],
    }
    found: list[tuple[float, str, str, str]] = []
    if elsewhere is not None and elsewhere.fvu < ELSEWHERE * own:
        told = f"it fits {elsewhere.site} (FVU {elsewhere.fvu:.3g}) better than its own site (FVU {own:.3g})"
        found.append((elsewhere.fvu, "wrong_layer", told, f"It was probably trained at {elsewhere.site}."))
    if scaled < MENDED * own and not 1 / OCTAVE < scale < OCTAVE:
        told = f"it fits input times {scale:.3g} (FVU {scaled:.3g}) better than the input (FVU {own:.3g})"
        hint = "It was trained on scaled activations: fold the scale into its weights."
        found.append((scaled, "input_scale", told, hint))
    if gains.after < MENDED * gains.before and norms["max"] - norms["min"] < EQUAL * norms["median"]:
        told = f"its decoder directions all have length {norms['median']:.3g}, and other lengths would cut "
        told += f"FVU from {gains.before:.3g} to {gains.after:.3g}"
        hint = "The decoder was normalised alone: scale W_enc and b_enc by the lost norms, or get the original."
        found.append((gains.after, "decoder_norm", told, hint))
    best = min((value for value, *_ in found), default=0.0)
    for value, name, told, hint in found:
        if value <= min(RIVAL * best, POOR):  # what leaves it poor is no mend
            report.alarm(name, told, hint)


@torch.no_grad()
def _bos(report: GateReport, model: LoadedModel, space: SaeSpace, texts: Texts) -> None:
    """Compare how texts are opened here with how they were opened in training."""
    turned = mends.with_bos_turned(model, texts)
    if turned is None:
        report.skip("bos", "the tokenizer has no BOS token")
        return
    opens, other = turned
    expected = space.sae.cfg.metadata.prepend_bos
    here, there = (_fvu_on(model, space, read) for read in (texts, other))
    report.numbers["bos"] = {"read": opens, "trained": expected, "fvu": here, "fvu_other": there}
    report.numbers["bos"]["norm_ratio"] = _opening_norm(model, space, texts) / report.numbers["input_norm"]
    with_it, without = (here, there) if opens else (there, here)
    told = f"FVU {with_it:.3g} with it, {without:.3g} without"
    if expected is not None and bool(expected) != opens:
        report.alarm(
            "bos",
            f"it was trained {'with' if expected else 'without'} BOS, but the tokenizer puts "
            f"{'one' if opens else 'none'} in front ({told})",
            "Use the tokenizer of its training, or distrust the first tokens of each text.",
        )
    elif there < BOS_GAIN * here:
        report.alarm(
            "bos",
            f"it fits texts {'without' if opens else 'with'} BOS better ({told})",
            "Check whether it was trained with BOS (metadata.prepend_bos).",
        )


def _fvu_on(model: LoadedModel, space: SaeSpace, texts: Texts) -> float:
    acts, target = probe(model, texts, space.site, space.writes)
    return fvu(target, space.reconstruct(acts))


def _opening_norm(model: LoadedModel, space: SaeSpace, texts: Texts) -> float:
    """Mean norm of the activations at the first place of the texts."""
    ids, mask = model.pad([row[:1] for row in texts.rows])
    return float(model.read_ids(ids, mask, space.site)[:, 0].float().norm(dim=1).mean())


def _spliced(report: GateReport, model: LoadedModel, space: SaeSpace, texts: Texts, mean: Tensor) -> None:
    """CE loss recovered against mean-ablation."""
    report.numbers["ce"] = None
    if not model.info.get("causal", True):
        report.skip("ce", "an encoder predicts no next token")
        return
    try:
        found = recovered(model, space, texts, mean)
    except WorkbenchError as error:
        report.skip("ce", error.message)
        return
    losses = {"clean": found.clean, "sae": found.sae, "mean": found.mean}
    if found.mean - found.clean < HURT:
        report.numbers["ce"] = {**losses, "recovered": None}
        report.skip("ce", "putting the mean in place of the site costs this model nothing on these texts")
        return
    report.numbers["ce"] = {**losses, "recovered": found.share}
    if found.share < POOR:
        report.alarm(
            "ce",
            f"its reconstruction recovers {100 * found.share:.0f} % of the loss that mean-ablation costs the model",
            "The latents do not carry what the model uses at this site.",
        )
