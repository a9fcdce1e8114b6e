"""Every denoiser the benchmarks compare, by name: the peers at their best strengths, and the catalogue."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, ModelCard, find_model, list_models
from ASLDenoiseLib.learning.tasks.guided import GUIDE_SETS
from ASLDenoiseLib.measuring.image_quality import psnr
from ASLDenoiseLib.series import Volume

from . import dlasl, packaged_peers, peers
from .cases import SPACING, TUNING, Case, anatomy_path, draw_head, guides_in_place, phantom_case
from .command import say

if TYPE_CHECKING:
    from ASLDenoiseLib.auditing import ResidualAudit
    from ASLDenoiseLib.denoising.inference import DenoisingResult

ALL, M0, NONE = GUIDE_SETS
TUNING_SNRS = (0.6, 2.0)


@dataclass(frozen=True, eq=False)
class Method:
    """A named denoiser of a case; `kind` is raw, classical, guided (classical with M0 or T1), pretrained (a network
    of others with its own weights), upper or network."""

    name: str
    kind: str
    run: Callable[[Case], Volume]
    model: str = ""


def denoise_with(
    card: ModelCard,
    case: Case,
    guide: str = ALL,
    *,
    device: str = "cpu",
    audit: bool = False,
    **options: int | bool | None,
) -> DenoisingResult:
    """Run a model on a case with what it may know besides the pairs: ``T1+M0``, ``M0`` or ``none``.

    `audit` asks the residual afterwards, as a run does, with tissue as a run finds it from the same images. `options`
    are `group` and `interleaved` of `denoising.inference.denoise_pairs`.
    """
    from ASLDenoiseLib.denoising.inference import denoise_pairs

    m0 = case.m0 if M0 in guide else None
    guides = case.guides if "T1" in guide else ()
    images = {"m0": m0, "guides": guides, "weights": case.weights}
    result = denoise_pairs(case.pairs, case.brain, card, device=device, **images, **options)
    if not audit:
        return result
    found = audit_of(case, result.difference, guide, uncertainty=result.uncertainty)
    return replace(result, difference=found.difference, uncertainty=found.uncertainty)


def audit_of(case: Case, denoised: Volume, guide: str = ALL, *, uncertainty: Volume | None = None) -> ResidualAudit:
    """The residual audit of a denoised mean difference, as a run makes it."""
    from ASLDenoiseLib.auditing import audit_residual

    known = {"factor": case.quantification.factor, "weights": case.weights, "uncertainty": uncertainty}
    tissue = case.found_tissue if "T1" in guide else case.guessed_tissue
    return audit_residual(denoised, case.pairs, case.brain, tissue=tissue, **known)


def ways(card: ModelCard) -> dict[str, str]:
    """The ways to run a model, named, and what it sees: with and without each guide where they are optional."""
    if card.guided:
        return {f"{card.name}, {'no guide' if guide == NONE else guide}": guide for guide in GUIDE_SETS}
    return {card.name: M0 if "m0" in card.family.needs else NONE}


def network(card: ModelCard, guide: str, device: str, *, audit: bool = False) -> Callable[[Case], Volume]:
    return lambda case: denoise_with(card, case, guide, device=device, audit=audit).difference


def chosen_models(names: str | None) -> tuple[ModelCard, ...]:
    """The models of a comma-separated list, or all that are installed."""
    return (
        tuple(find_model(n.strip()) for n in names.split(","))
        if names
        else tuple(card for card in list_models() if not card.own)
    )


def network_methods(cards: Iterable[ModelCard], *, device: str = "cpu") -> list[Method]:
    """Each model in every way it may be run; the default and DWAN also with their residual audited, as a run does."""
    methods = []
    for card in cards:
        for name, guide in ways(card).items():
            if card.guided:
                run = network(card, guide, device, audit=True)
                methods.append(Method(f"{name}, audited", "network", run, card.name))
            methods.append(Method(name, "network", network(card, guide, device), card.name))
        if card.name == "dwan-lfn":
            for guide, by in ((ALL, "T1"), (NONE, "pairs")):
                ask = partial(audited, run=network(card, NONE, device), guide=guide)
                methods.append(Method(f"dwan-lfn, audited by {by}", "network", ask))
    return methods


def audited(case: Case, *, run: Callable[[Case], Volume], guide: str) -> Volume:
    """What a denoiser makes of a case, with its residual audited by tissue found with a T1 or without one."""
    return audit_of(case, run(case), guide).difference


@dataclass(frozen=True)
class Tunable:
    """A peer whose strength is to be chosen.

    Args:
        make: the peer, of a strength.
        strengths: to choose from.
        form: how the chosen one is written.
        kind: as of `Method`: classical, guided or pretrained.
        package: what it needs beside what this project needs.
    """

    make: Callable[[float], peers.Peer]
    strengths: tuple[float, ...]
    form: str
    kind: str = "classical"
    package: str = ""


TUNED: dict[str, Tunable] = {
    "Gaussian": Tunable(peers.smoothed, (3, 5, 7, 10, 12, 15), "{:g} mm"),
    "non-local means": Tunable(peers.non_local_means, (0.2, 0.3, 0.45, 0.6, 0.8, 1.2), "{:g} sigma"),
    "DIPY non-local means": Tunable(
        packaged_peers.dipy_non_local_means, (0.1, 0.25, 0.5, 1.0), "{:g} x its sigma", package="dipy"
    ),
    "ANTs DenoiseImage": Tunable(packaged_peers.ants_denoise, (1, 2, 3), "radius {:g}"),
    "total variation": Tunable(peers.total_variation, (0.15, 0.3, 0.5, 0.7, 1.0, 1.5, 2.2), "{:g} sigma"),
    "BM4D": Tunable(peers.bm4d_white, (1.0, 1.3), "{:g} sigma", package="bm4d"),
    "BM4D, noise spectrum": Tunable(peers.bm4d_coloured, (0.85, 1.0), "{:g} sigma", package="bm4d"),
    "joint bilateral by T1+M0": Tunable(peers.joint_bilateral, (0.25, 0.35, 0.5, 0.7, 1.0, 1.4), "h {:g}", "guided"),
    "local regression on the T1": Tunable(peers.tissue_regression, (8.0, 12.0, 18.0, 25.0, 35.0), "{:g} mm", "guided"),
}


def tunable_peers(weights: Path | None = None) -> dict[str, Tunable]:
    """The peers whose strength is tuned; the pretrained ones where their weights are in a folder, or installed.

    Ends the process, saying what to install, where a package is missing.
    """
    missing = sorted({t.package for t in TUNED.values() if t.package and importlib.util.find_spec(t.package) is None})
    if missing:
        raise SystemExit(
            f"{' and '.join(missing)} missing, and without the comparison means little: pip install '.[benchmark]'"
        )
    folder = dlasl.weights_folder(weights)
    if folder is None:
        say("skipped: the pretrained DLASL; pip install --no-deps pyasl-osipi, or give its folder with --dlasl")
        return TUNED
    ways = {"DLASL, pretrained": dlasl.as_packaged, "DLASL, pretrained, own grid": dlasl.on_own_grid}
    pretrained = {
        name: Tunable(partial(make, folder=folder), dlasl.MODELS, "model {:g}", "pretrained")
        for name, make in ways.items()
    }
    return TUNED | pretrained


def tuning_cases(folder: Path, *, snrs: Sequence[float] = TUNING_SNRS) -> list[Case]:
    """A scan of the validation anatomy at each noise level: where strengths are chosen."""
    cases = []
    for snr in snrs:
        head = draw_head(anatomy_path(TUNING, folder), spacing=SPACING, gm_snr=snr, pairs=10, seed=21, healthy=False)
        guides = cases[0].guides if cases else guides_in_place(head)
        cases.append(phantom_case(head, f"tuning, SNR {snr:g}", guides=guides))
    return cases


def phantom_gain(case: Case, difference: Volume) -> float:
    """PSNR (dB) against the truth, what strengths are tuned for."""
    return psnr(case.cbf(difference).array, case.truth.array, case.inside)


def tune(
    cases: Sequence[Case],
    tunable: Mapping[str, Tunable],
    *,
    gain: Callable[[Case, Volume], float] = phantom_gain,
    further: Mapping[str, Sequence[float]] | None = None,
) -> list[Method]:
    """Each peer at the strength that has the best mean gain over `cases`; `further` strengths may be added."""
    methods = []
    for name, peer in tunable.items():
        strengths = (*peer.strengths, *(further or {}).get(name, ()))
        gains = [np.mean([gain(case, peer.make(strength)(case)) for case in cases]) for strength in strengths]
        best = strengths[int(np.argmax(gains))]
        methods.append(Method(f"{name} ({peer.form.format(best)})", peer.kind, peer.make(best)))
    return methods


def simple_methods() -> list[Method]:
    """The raw mean, and Gaussians of it."""
    methods = [Method("raw mean", "raw", peers.raw_mean)]
    return methods + [Method(f"Gaussian {fwhm} mm", "classical", peers.smoothed(fwhm)) for fwhm in (4, 6, 8)]


def peer_methods(tuned: Sequence[Method]) -> list[Method]:
    """The raw mean and every peer: those that were tuned, and those with nothing to tune."""
    over_pairs = (("Huber", peers.huber), ("robust PCA", peers.robust_pca), ("Patch2Self", packaged_peers.patch2self))
    return [*simple_methods(), *tuned, *(Method(f"{name} over pairs", "classical", run) for name, run in over_pairs)]


def every_pair_mean(name: str = "mean of every pair") -> Method:
    """The upper peer: what the whole scan gives when it is only averaged."""
    return Method(name, "upper", lambda case: case.full)


def default_model(cards: Iterable[ModelCard]) -> str:
    """The name of the model the claims are about: the default where it is among `cards`, else their first."""
    names = [c.name for c in cards]
    return DEFAULT_MODEL if DEFAULT_MODEL in names else names[0]
