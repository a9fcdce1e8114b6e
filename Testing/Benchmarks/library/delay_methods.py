"""Every way from the pairs of several delays to CBF and arrival time that the benchmarks compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from ASLDenoiseLib.auditing.curves import keep_means
from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, ModelCard, find_model
from ASLDenoiseLib.fitting.curves import curves_of
from ASLDenoiseLib.fitting.maps import DelayMeans, FittedMaps
from ASLDenoiseLib.fitting.noise import scale_of_residual
from ASLDenoiseLib.fitting.spatial import fit_with_prior
from ASLDenoiseLib.fitting.voxelwise import fit_voxels
from ASLDenoiseLib.series import VolumeType

from .delay_cases import DelayScan
from .methods import ALL, NONE, denoise_with
from .spatial_vb import spatial_vb

PLAIN = "least squares, voxel by voxel"
MAP = "MAP with the prior"
KEPT = "MAP with the prior, means kept (as a run)"
VB = "spatial VB (BASIL-like), as published"
VB_TUNED = "spatial VB (BASIL-like), tuned"
THEN_PLAIN = "denoise each delay, then least squares"
THEN_MAP = "denoise each delay, then MAP"
FIT_FIRST = "least squares, then denoise its CBF"
MAP_FIRST = "MAP, then denoise the CBF at its arrival times"


@dataclass(frozen=True)
class Fit:
    """CBF and arrival time (K, J, I) of one way, with the SDs it states of their errors."""

    cbf: np.ndarray
    att: np.ndarray
    cbf_sd: np.ndarray
    att_sd: np.ndarray

    @classmethod
    def of(cls, maps: FittedMaps) -> Fit:
        return cls(maps.cbf, maps.att, maps.cbf_sd, maps.att_sd)


@dataclass(frozen=True, eq=False)
class Fitting:
    """What several ways share of one scan: each is worked out when it is first asked for.

    Args:
        scan: what to fit.
        card: the denoiser.
        strength, both: of the peer's prior (`spatial_vb`).
    """

    scan: DelayScan
    card: ModelCard
    strength: float = 1.0
    both: bool = True

    @property
    def _guide(self) -> str:
        return ALL if self.scan.cases[0].guides else NONE

    @cached_property
    def denoised(self) -> DelayMeans:
        """The mean of each delay, denoised and audited, with its own SDs."""
        images, errors = [], []
        for case in self.scan.cases:
            found = denoise_with(self.card, case, self._guide, audit=True)
            images.append(case.cbf(found.difference).array)
            errors.append(np.abs(case.quantification.factor.array) * found.uncertainty.array)
        return self.scan.means(np.stack(images), np.stack(errors))

    @cached_property
    def plain(self) -> FittedMaps:
        """Of the raw means, with errors as large as what it leaves says, as a run has them."""
        fit = fit_voxels(self.scan.raw, self.scan.model)
        return replace(fit, cbf_sd=fit.cbf_sd * self._scale, att_sd=fit.att_sd * self._scale)

    @cached_property
    def _scale(self) -> float:
        """Of the errors of the raw means, for what the plain fit leaves to be as large as they say."""
        means, model = self.scan.raw, self.scan.model
        fit = fit_voxels(means, model)
        return scale_of_residual(means.images, curves_of(fit, means, model), means.errors, parameters=2)

    @cached_property
    def means(self) -> DelayMeans:
        """The raw means with those errors."""
        return replace(self.scan.raw, errors=self.scan.raw.errors * np.float32(self._scale))

    @cached_property
    def map_of_raw(self) -> FittedMaps:
        """The MAP fit of the raw means."""
        return self._prior(self.means)

    def _prior(self, means: DelayMeans) -> FittedMaps:
        tissue = self.scan.found_tissue
        return fit_with_prior(means, self.scan.model, tissue=(tissue.gm.array, tissue.wm.array))

    def then_denoised(self, fit: FittedMaps, gain: np.ndarray) -> Fit:
        """The CBF of a fit, denoised: each repeat's by how CBF moves with the images (`gain`, D, K, J, I)."""
        repeats = min(len(case.pairs.context) for case in self.scan.cases)
        images = [case.quantification.factor.array * case.pairs.array[:repeats] for case in self.scan.cases]
        cbf = np.stack([np.nan_to_num(gain[n] * each) for n, each in enumerate(images)]).sum(0)
        cbf = cbf + np.nan_to_num(fit.cbf) - cbf.mean(0)
        one = self.scan.cases[len(self.scan.cases) // 2]
        array = np.nan_to_num(cbf / one.quantification.factor.array).astype(np.float32)
        pairs = replace(one.pairs, array=array, context=(VolumeType.DELTAM,) * repeats)
        case = replace(one, pairs=pairs, every_pair=pairs, weights=None, every_weight=None)
        found = denoise_with(self.card, case, self._guide, audit=True)
        sd = np.abs(one.quantification.factor.array) * found.uncertainty.array
        return Fit(case.cbf(found.difference).array, fit.att, sd, fit.att_sd)

    def at_arrival(self, fit: FittedMaps) -> tuple[FittedMaps, np.ndarray]:
        """The CBF of least squares at a fit's arrival times, and how it moves with each image."""
        means = self.scan.raw
        delays = means.delays[:, :, None, None]
        a = self.scan.model.arrived(np.nan_to_num(fit.att), delays, means.durations[:, None, None, None])
        weighted = a / means.errors**2
        gain = np.nan_to_num(weighted / np.maximum((weighted * a).sum(0), 1e-12))
        cbf = np.where(np.isfinite(fit.cbf), (gain * np.nan_to_num(means.images)).sum(0), np.nan)
        return replace(fit, cbf=cbf.astype(np.float32)), gain


def plain(fitting: Fitting) -> Fit:
    return Fit.of(fitting.plain)


def with_prior(fitting: Fitting) -> Fit:
    return Fit.of(fitting.map_of_raw)


def with_means_kept(fitting: Fitting) -> Fit:
    scan = fitting.scan
    return Fit.of(keep_means(fitting.map_of_raw, fitting.means, scan.model, scan.found_tissue))


def peer(fitting: Fitting) -> Fit:
    return Fit.of(spatial_vb(fitting.scan.raw, fitting.scan.model))


def tuned_peer(fitting: Fitting) -> Fit:
    return Fit.of(spatial_vb(fitting.scan.raw, fitting.scan.model, strength=fitting.strength, both=fitting.both))


def denoised_plain(fitting: Fitting) -> Fit:
    return Fit.of(fit_voxels(fitting.denoised, fitting.scan.model))


def denoised_prior(fitting: Fitting) -> Fit:
    return Fit.of(fitting._prior(fitting.denoised))


def fit_first(fitting: Fitting) -> Fit:
    return fitting.then_denoised(fitting.plain, fitting.plain.gain)


def map_first(fitting: Fitting) -> Fit:
    return fitting.then_denoised(*fitting.at_arrival(fitting.map_of_raw))


WAYS: Mapping[str, Callable[[Fitting], Fit]] = {
    PLAIN: plain,
    VB: peer,
    VB_TUNED: tuned_peer,
    MAP: with_prior,
    KEPT: with_means_kept,
    FIT_FIRST: fit_first,
    MAP_FIRST: map_first,
    THEN_PLAIN: denoised_plain,
    THEN_MAP: denoised_prior,
}

default_denoiser = partial(find_model, DEFAULT_MODEL)
