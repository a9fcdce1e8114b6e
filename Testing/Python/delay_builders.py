"""A head of known CBF and arrival time, scanned at several delays; Buxton's curve is written out here, not imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ASLDenoiseLib.fitting.maps import DelayMeans
from ASLDenoiseLib.series import Acquisition, ASLSeries, Geometry, Labeling, M0Type, Tissue, Volume

SIX_DELAYS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)  # s
FIELD_OF_VIEW = (144.0, 144.0, 84.0)  # mm (i, j, k), whatever the size
T1_BLOOD, PARTITION, M0 = 1.65, 0.9, 1000.0
EFFICIENCY = {Labeling.PCASL: 0.85, Labeling.CASL: 0.68, Labeling.PASL: 0.98}
GM, WM = 60.0, 20.0  # ml/100g/min


@dataclass(frozen=True, eq=False)
class ScanOfDelays:
    """A series of several delays, with the CBF (ml/100g/min), arrival time (s) and tissue it was made from."""

    series: ASLSeries
    cbf: Volume
    att: Volume
    tissue: Tissue

    @property
    def brain(self) -> np.ndarray:
        """Bool (K, J, I)."""
        return self.tissue.brain.array > 0


def difference_of(
    cbf: np.ndarray,
    att: np.ndarray,
    *,
    delay: float | np.ndarray,
    duration: float,
    labeling: Labeling = Labeling.PCASL,
    t1_tissue: float | None = None,
    t1_blood: float = T1_BLOOD,
) -> np.ndarray:
    """What label changes in an image (Buxton 1998), in units of an M0 of `M0`.

    Args:
        cbf: ml/100g/min.
        att: s.
        delay: s, post-labelling delay, of PASL inversion time; broadcasts over the maps.
        duration: s, of the label, of PASL TI1.
        labeling: and with it the efficiency.
        t1_tissue: s, for label that decays with tissue's T1 once it has arrived; None: with that of blood.
        t1_blood: s.
    """
    flow = np.asarray(cbf, float) / 6000 / PARTITION  # 1/s, over lambda: M0 is that of tissue, blood's is M0 / lambda
    rate = 1 / t1_blood if t1_tissue is None else 1 / t1_tissue + flow
    time = delay if labeling is Labeling.PASL else delay + duration
    since = np.clip(time - att, 0, None)
    inflow, after = np.minimum(since, duration), np.clip(since - duration, 0, None)
    if labeling is Labeling.PASL:  # all label was made at once, and what has not arrived decays with blood
        k = 1 / t1_blood - rate
        arrived = inflow if t1_tissue is None else np.exp(-k * att) * -np.expm1(-k * inflow) / k
        shape = np.exp(-rate * time) * arrived
    else:
        shape = np.exp(-att / t1_blood - rate * after) * -np.expm1(-rate * inflow) / rate
    return 2 * EFFICIENCY[labeling] * M0 * flow * shape


def scan_of_delays(
    *,
    labeling: Labeling | str = Labeling.PCASL,
    delays: Sequence[float] = SIX_DELAYS,
    durations: float | Sequence[float] | None = None,
    repeats: int = 4,
    noise: float = 0.0,
    kind: str = "pairs",
    order: str = "delay by delay",
    with_m0: bool = True,
    size: tuple[int, int, int] = (16, 16, 6),
    slice_time: float | None = None,
    cbf: float | np.ndarray | None = None,
    att: float | np.ndarray | None = None,
    t1_tissue: float | None = None,
    seed: int = 0,
    name: str = "sub-01",
) -> ScanOfDelays:
    """A ball of grey matter (60 ml/100g/min) round one of white (20), later in white matter and towards one side.

    Args:
        labeling: PCASL, CASL or PASL, whose delays are inversion times.
        delays: s; 0 is one.
        durations: s, of the label, of PASL TI1; one for each delay, or one for all. None is 1.8, of PASL 0.7.
        repeats: pairs of each delay.
        noise: SD of every volume, where the M0 is 1000 and a difference of GM some 8.
        kind: ``pairs`` (control, label, control ...) or ``deltam``.
        order: ``delay by delay``, ``repeat by repeat`` (all delays of one, then of the next) or ``shuffled``.
        with_m0: else there is no M0.
        size: voxels (i, j, k) of the same head.
        slice_time: s from each slice to the next of a 2D readout; None is 3D.
        cbf: ml/100g/min, instead of the usual; a number, or (K, J, I).
        att: s, likewise.
        t1_tissue: s, as of `difference_of`.
        seed: of noise and of a shuffled order.
        name: of the series.
    """
    labeling, rng = Labeling(labeling), np.random.default_rng(seed)
    geometry = Geometry(size, tuple(f / n for f, n in zip(FIELD_OF_VIEW, size, strict=True)))
    radius, towards = _places(geometry.shape)
    head, white = radius < 0.9, radius < 0.6
    cbf = np.where(white, WM, GM) if cbf is None else cbf
    att = 1.0 + 0.4 * white + 0.2 * towards if att is None else att
    cbf, att = (np.where(head, value, 0.0) for value in (cbf, att))
    durations = (0.7 if labeling is Labeling.PASL else 1.8) if durations is None else durations
    durations = np.broadcast_to(durations, len(delays))
    slices = np.arange(geometry.shape[0])[:, None, None] * (slice_time or 0.0)
    at_each = [
        difference_of(cbf, att, delay=d + slices, duration=t, labeling=labeling, t1_tissue=t1_tissue)
        for d, t in zip(delays, durations, strict=True)
    ]
    which = _order(order, len(delays), repeats, rng)
    static = M0 * head * (0.0 if kind == "deltam" else 1.0)
    volumes = [v for n in which for v in ([at_each[n]] if kind == "deltam" else [static, static - at_each[n]])]
    array = np.stack(volumes) + rng.normal(0.0, noise, (len(volumes), *geometry.shape))
    each = 1 if kind == "deltam" else 2
    stated_delays, stated_durations = (
        tuple(float(v[n]) for n in which for _ in range(each)) for v in (delays, durations)
    )
    pasl, one_duration = labeling is Labeling.PASL, len(set(durations)) == 1
    acquisition = Acquisition(
        labeling=labeling,
        post_labeling_delay=stated_delays,
        label_duration=None if pasl else stated_durations[0] if one_duration else stated_durations,
        bolus_cut_off=True if pasl else None,
        bolus_duration=float(durations[0]) if pasl else None,
        bolus_technique="QUIPSSII" if pasl else None,
        field_strength=3.0,
        background_suppression=False,
        readout="3D" if slice_time is None else "2D",
        slice_timing=None if slice_time is None else tuple(slices.ravel()),
        repetition_time=5.0,
        m0_type=M0Type.SEPARATE if with_m0 else M0Type.ABSENT,
        m0_repetition_time=6.0 if with_m0 else None,
    )
    context = (("deltam",) if kind == "deltam" else ("control", "label")) * len(which)
    m0 = Volume(M0 * head, geometry, name="m0") if with_m0 else None
    maps = {"GM": head & ~white, "WM": white, "CSF": np.zeros_like(head), "brain": head}
    tissue = Tissue(*(Volume(m, geometry, "", n) for n, m in maps.items()), "as it was made")
    truth = (Volume(cbf, geometry, "ml/100g/min", "true CBF"), Volume(att, geometry, "s", "true ATT"))
    return ScanOfDelays(ASLSeries(array, geometry, context, acquisition, m0, name, "made"), *truth, tissue)


def _places(shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """How far (1: the edge) each voxel of a grid (K, J, I) lies from its middle, and along i (-1 to 1)."""
    k, j, i = (2 * (g - (n - 1) / 2) / n for g, n in zip(np.indices(shape), shape, strict=True))
    return np.sqrt(k**2 + j**2 + i**2), i


def _order(order: str, delays: int, repeats: int, rng: np.random.Generator) -> list[int]:
    """Which delay each pair is of."""
    if order == "repeat by repeat":
        return list(range(delays)) * repeats
    every = [n for n in range(delays) for _ in range(repeats)]
    return list(rng.permutation(every)) if order == "shuffled" else every


def head_of_delays(
    *, noise: float, seed: int = 0, cbf=None, att=None
) -> tuple[DelayMeans, np.ndarray, np.ndarray, Tissue]:
    """The means of six delays with noise (SD, where a difference of GM is some 8), and what they were made from."""
    scan = scan_of_delays(size=(28, 28, 12), cbf=cbf, att=att, repeats=1, kind="deltam")
    rng, inside = np.random.default_rng(seed), scan.brain
    # of one delay, so that an image is CBF where all label has arrived (Alsop et al. 2015, equation 1)
    filling = T1_BLOOD * -np.expm1(-1.8 / T1_BLOOD)
    scale = [6000 * PARTITION * np.exp(d / T1_BLOOD) / (2 * EFFICIENCY[Labeling.PCASL] * filling) for d in SIX_DELAYS]
    factor = np.array(scale)[:, None, None, None] / M0
    pure = [difference_of(scan.cbf.array, scan.att.array, delay=d, duration=1.8) for d in SIX_DELAYS]
    images = (np.stack(pure) + rng.normal(0, noise, (6, *inside.shape))) * factor
    errors = np.broadcast_to(noise * factor, images.shape)
    delays = np.repeat(np.array(SIX_DELAYS)[:, None], inside.shape[0], axis=1)
    spacing = scan.cbf.geometry.spacing[::-1]
    return (
        DelayMeans(images, errors, delays, np.full(6, 1.8), inside, spacing),
        scan.cbf.array,
        scan.att.array,
        scan.tissue,
    )


def fractions(tissue: Tissue) -> tuple[np.ndarray, np.ndarray]:
    """Grey and white matter (K, J, I), 0..1."""
    return tissue.gm.array, tissue.wm.array
