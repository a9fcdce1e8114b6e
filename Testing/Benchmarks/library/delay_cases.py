"""Simulated scans of several delays as a fit is given them: one case a delay, the truth, and lesions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ASLDenoiseLib.fitting.maps import DelayMeans
from ASLDenoiseLib.fitting.noise import errors_of_means
from ASLDenoiseLib.learning.anatomy import read_anatomy
from ASLDenoiseLib.learning.phantom import PhantomSettings
from ASLDenoiseLib.learning.simulate import PROTOCOL, ScanSettings, SimulatedHead, make_protocol, simulate_head
from ASLDenoiseLib.measuring.masks import grey_matter, white_matter
from ASLDenoiseLib.pipeline.state import RunState
from ASLDenoiseLib.preparing.delays import delays_of, series_of_delay
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.quantifying.calibration import calibrate
from ASLDenoiseLib.quantifying.cbf import quantification
from ASLDenoiseLib.quantifying.kinetic_model import KineticModel, kinetic_model
from ASLDenoiseLib.quantifying.kinetics import delay_of_slices
from ASLDenoiseLib.series import Acquisition, ASLSeries, Labeling, Tissue, Volume

from .cases import Case, ball, guides_in_place, spread_places, true_difference
from .real_scans import case_of

DELAYS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)  # s
PAIRS = 5  # of each delay
LATE = 2.5  # s, when blood arrives in a patch or a territory that is slow
PATCH = 24.0  # mm
DEFICIT = -0.6  # of the perfusion


@dataclass(frozen=True, eq=False)
class DelayScan:
    """One scan of several delays.

    Args:
        label: for people.
        cases: one a delay, ascending; `truth` of each is the noise-free CBF by the formula of that delay, of tissue.
        durations: s, of the label at each delay.
        model: what is fitted.
        cbf, att: the truth (K, J, I), ml/100g/min and s; None of a real scan.
        single: CBF (K, J, I) by the formula of one delay at 1.8 s, without noise.
        lesions: places (K, J, I), 0 to 1, by what was done there.
        healthy: the scan before lesions were put in.
    """

    label: str
    cases: tuple[Case, ...]
    durations: tuple[float, ...]
    model: KineticModel
    cbf: np.ndarray | None = None
    att: np.ndarray | None = None
    single: np.ndarray | None = None
    lesions: dict[str, np.ndarray] | None = None
    healthy: DelayScan | None = None

    @property
    def brain(self) -> np.ndarray:
        """Bool (K, J, I): where all delays are measured."""
        return np.all([case.inside for case in self.cases], axis=0)

    @property
    def gm(self) -> np.ndarray:
        """Bool (K, J, I)."""
        return grey_matter(self.cases[0].tissue) & self.brain

    @property
    def wm(self) -> np.ndarray:
        """Bool (K, J, I)."""
        return white_matter(self.cases[0].tissue) & self.brain

    @cached_property
    def found_tissue(self) -> Tissue:
        """As a run finds it: of the T1, or guessed from perfusion."""
        case = self.cases[len(self.cases) // 2]
        return case.guessed_tissue if case.found_tissue is None else case.found_tissue

    @cached_property
    def delays(self) -> np.ndarray:
        """(D, K), s, slice timing included."""
        each = [case.pairs.acquisition for case in self.cases]
        return np.stack([delay_of_slices(a, a.post_labeling_delay, self.brain.shape[0]) for a in each])

    @cached_property
    def errors(self) -> np.ndarray:
        """SDs (D, K, J, I) of the noise of the raw means, ml/100g/min, as a run finds them."""
        factors = np.stack([case.quantification.factor.array for case in self.cases])
        differences = [case.pairs.array for case in self.cases]
        known = {"brain": self.brain, "spacing": self.cases[0].brain.geometry.spacing}
        return np.abs(factors) * errors_of_means(differences, [case.weights for case in self.cases], **known)

    def means(self, images: np.ndarray, errors: np.ndarray | None = None) -> DelayMeans:
        """What a fit is given of mean CBF images (D, K, J, I) and the SDs of their errors; None: those of the raw."""
        errors = self.errors if errors is None else errors
        spacing = self.cases[0].brain.geometry.spacing[::-1]
        return DelayMeans(images, errors, self.delays, np.array(self.durations), self.brain, spacing)

    @cached_property
    def raw(self) -> DelayMeans:
        """The plain means."""
        return self.means(np.stack([case.cbf(case.raw).array for case in self.cases]))


def simulated_scan(
    anatomy: Path,
    *,
    seed: int,
    gm_snr: float,
    spacing: tuple[float, float, float],
    size: tuple[int, int, int] = (64, 64, 24),
    delays: Sequence[float] = DELAYS,
    pairs: int = PAIRS,
    stenosis: float = 0.0,
    vessels: float = 0.5,
    label: str = "",
    guides: tuple[Volume, ...] = (),
) -> DelayScan:
    """A healthy kept-out head at several delays; `gm_snr` is of the mean of that delay whose grey matter is brightest.

    `guides` are those of a scan of the same head, where they are known; else they are found.
    """
    phantom = PhantomSettings(size=size, lesions=0, stenosis=stenosis, vessels=vessels)
    protocol = make_protocol(Labeling.PCASL, delays=tuple(delays))
    settings = ScanSettings(pairs=pairs, gm_snr=gm_snr / np.sqrt(pairs), acquisition=protocol)
    head = simulate_head(read_anatomy(anatomy), phantom=phantom, spacing=spacing, scan=settings, seed=seed)
    return scan_of_head(head, label or f"GM SNR {gm_snr:g}", guides=guides or guides_in_place(head))


def scan_of_head(head: SimulatedHead, label: str, *, guides: tuple[Volume, ...]) -> DelayScan:
    """A simulated head as a fit is given it."""
    scan = head.scan
    each = [series_of_delay(scan.series, delay) for delay in delays_of(scan.series)]
    cases = tuple(_case(series, scan.tissue, label, guides) for series in each)
    model, _ = kinetic_model(scan.series.acquisition)
    clean = curves(head, *(series.acquisition for series in each))
    cases = tuple(replace(c, truth=c.brain.with_array(t)) for c, t in zip(cases, clean, strict=True))
    [single] = curves(head, PROTOCOL)
    durations = durations_of(scan.series)
    return DelayScan(label, cases, durations, model, scan.cbf.array, scan.att.array, single)


def scan_of_run(run: RunState, label: str) -> DelayScan:
    """A series of several delays as a run prepared it: nothing is known of its truth."""
    cases = tuple(case_of(replace(one, guides=run.guides), label) for one in run.delays)
    model, _ = kinetic_model(run.delays[0].aligned.acquisition)
    return DelayScan(label, cases, tuple(float(one.delay.duration) for one in run.delays), model)


def durations_of(series: ASLSeries) -> tuple[float, ...]:
    """The label duration, of PASL that of the bolus, of each delay of a series, s."""
    return tuple(delay.duration for delay in delays_of(series))


def _case(series: ASLSeries, tissue: Tissue, label: str, guides: tuple[Volume, ...]) -> Case:
    pairs = difference_volumes(series)
    factor = quantification(series.acquisition, calibrate(series), tissue.brain)
    return Case(label, pairs, tissue.brain, series.m0, guides, tissue, factor, None, pairs)


def curves(head: SimulatedHead, *acquisitions: Acquisition) -> np.ndarray:
    """The noise-free CBF by the formula of one delay (D, K, J, I) at each of some, of tissue and not of arteries."""
    flow = replace(head.phantom.flow, arteries=head.phantom.flow.arteries * 0, waiting=0.0)
    m0, brain = head.phantom.m0.clamp_min(0.05), head.phantom.brain
    return np.stack([(flow.image(flow.seen_among(a))[0] / m0 * brain).numpy() for a in acquisitions])


def with_patches(scan: DelayScan) -> DelayScan:
    """The scan with two patches of little perfusion and two of late blood, which neither T1 nor M0 tells of."""
    geometry = scan.cases[0].brain.geometry
    centres = spread_places(scan.cases[0].tissue.gm.array > 0.8, geometry, 4, apart=2.2 * PATCH)
    low, late = (sum(ball(geometry, c, PATCH) for c in centres[n::2]) for n in (0, 1))
    cbf = scan.cbf * (1 + DEFICIT * low)
    att = np.where(late > 0.5, np.maximum(scan.att, LATE), scan.att)
    cases = []
    for n, case in enumerate(scan.cases):
        slow = scan.cbf * scan.model.arrived(np.full_like(scan.att, LATE), _on_grid(scan, n), scan.durations[n])
        apparent = case.truth.array * (1 + DEFICIT * low)
        apparent = apparent + late * (np.minimum(slow, apparent) - apparent)
        changed = replace(case, truth=case.truth.with_array(apparent))
        added = (true_difference(changed) - true_difference(case)).astype(np.float32)
        pairs = replace(case.pairs, array=case.pairs.array + added)
        cases.append(replace(changed, pairs=pairs, every_pair=pairs))
    lesions = {"deficit": low, "late": late}
    return replace(scan, cases=tuple(cases), cbf=cbf, att=att, lesions=lesions, healthy=scan)


def _on_grid(scan: DelayScan, number: int) -> np.ndarray:
    """The delay (K, 1, 1) of the slices at one of the delays."""
    return scan.delays[number][:, None, None]
