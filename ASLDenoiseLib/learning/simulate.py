"""A whole scan of a phantom: controls and labels with noise, an M0, and the truth beside them."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace

import numpy as np
import torch

from ..errors import InputError
from ..quantifying.calibration import FULLY_RELAXED
from ..quantifying.constants import t1_tissue
from ..quantifying.kinetics import cbf_scale, m0_relaxation_factor
from ..series import CBF_UNIT, Acquisition, ASLSeries, Geometry, Labeling, M0Type, Origin, Tissue, Volume, VolumeType
from .anatomy import Anatomy
from .contrasts import draw_t1w
from .delay_order import ORDERS, acquired_order, each_delay, stated_by_volume, with_delays
from .lesions import Lesion
from .phantom import Phantom, PhantomSettings, draw_phantom
from .scan_noise import Mover, Physiology, coil_gain, coil_noise, draw_motion, spikes
from .smooth import centred_points, smooth_field

_SIGNAL = 2000.0  # scanner units of fully relaxed CSF
_SUPPRESSED = 0.15  # what background suppression leaves of the static signal
_UNSUPPRESSED = 0.9  # what the shorter repetition time of controls leaves of it otherwise

PROTOCOL = Acquisition(
    labeling=Labeling.PCASL,
    post_labeling_delay=1.8,
    label_duration=1.8,
    field_strength=3.0,
    background_suppression=True,
    suppression_pulses=2,
    readout="3D",
    repetition_time=4.5,
    m0_type=M0Type.SEPARATE,
    m0_repetition_time=6.0,
)


def make_protocol(
    labeling: Labeling,
    *,
    readout: str = "3D",
    slices: int | None = None,
    delays: tuple[float, ...] = (),
    durations: tuple[float, ...] | None = None,
) -> Acquisition:
    """A usual protocol of each labelling at 3 T; a 2D one is read slice by slice, bottom up, and is not suppressed.

    Args:
        labeling: pCASL, CASL or PASL.
        readout: ``2D`` or ``3D``.
        slices: of a 2D readout.
        delays: s, post-labelling delays (PASL: inversion times) instead of the usual one; one or several.
        durations: s, a label duration for each of several delays.

    Raises:
        InputError: a 2D readout without a number of slices, or delays that cannot be (`delay_order.with_delays`).
    """
    if readout == "2D" and not slices:
        raise InputError("A 2D readout needs its number of slices; give it, or take a 3D readout.")
    protocol = replace(PROTOCOL, labeling=labeling, readout=readout)
    if labeling is Labeling.PASL:
        protocol = replace(protocol, post_labeling_delay=2.0, label_duration=None, repetition_time=3.0)
        protocol = replace(protocol, bolus_cut_off=True, bolus_duration=0.7, bolus_technique="QUIPSSII")
    if readout == "2D":
        timing = tuple(round(0.04 * k, 6) for k in range(slices))
        protocol = replace(protocol, background_suppression=False, suppression_pulses=None, slice_timing=timing)
    if len(delays) == 1:
        return replace(protocol, post_labeling_delay=float(delays[0]))
    return with_delays(protocol, delays, durations) if delays else protocol


@dataclass(frozen=True)
class ScanSettings:
    """How a phantom is scanned. The defaults are a quiet scan: noise, its texture, and little else.

    Args:
        pairs: control/label pairs, of each delay.
        gm_snr: GM difference over the noise SD of one pair's difference; of several delays, where it is largest.
        correlation: Gaussian SD (voxels) that correlates neighbouring noise; 0.5 gives 0.26, 0.6 gives 0.45, and real
            series lie between 0.2 and 0.5.
        physiological: SD of smooth fluctuations of the static signal from volume to volume, relative.
        acquisition: the protocol; of several delays, one value for each (`make_protocol`).
        correlation_z: the same as `correlation` between slices; None is as in plane.
        memory: correlation of the fluctuations of successive volumes.
        common: share of their variance that is the same everywhere.
        pulsation: SD of the fluctuation of CSF from volume to volume, relative; 0.01 to 0.03 in real series.
        motion: SD of the head's shifts, mm, with turns to match; the M0 and the truth are the head at rest.
        spikes: chance that a slice of a volume carries the stripes of a corrupted k-space.
        unevenness: how much noisier parallel imaging makes the noisiest place.
        static: static signal of the controls relative to the M0; None is 0.15 suppressed and 0.9 not.
        order: of several delays, as `delay_order.ORDERS` has them.
    """

    pairs: int = 10
    gm_snr: float = 1.0
    correlation: float = 0.5
    physiological: float = 0.002
    acquisition: Acquisition = PROTOCOL
    _: KW_ONLY
    correlation_z: float | None = None
    memory: float = 0.0
    common: float = 0.0
    pulsation: float = 0.0
    motion: float = 0.0
    spikes: float = 0.0
    unevenness: float = 0.0
    static: float | None = None
    order: str = "turns"

    def __post_init__(self) -> None:
        if self.pairs < 1 or not self.gm_snr > 0:
            raise InputError("A simulated scan needs one pair or more and a GM SNR above 0; correct them.")
        if self.order not in ORDERS:
            raise InputError(f"There is no order '{self.order}' of delays; choose one of {', '.join(ORDERS)}.")


@dataclass(frozen=True, eq=False)
class SimulatedScan:
    """A simulated series with its noise-free CBF (ml/100g/min) and the tissue it was made from.

    Args:
        series: what was acquired.
        cbf: of one delay what that delay shows without noise, late arrival and arteries included; of several, what
            tissue gets once all label has arrived.
        tissue: what the head is made of.
        poses: (T, 6) shifts (mm) and turns (radians) along (k, j, i) of the head in each volume.
        att: arterial transit time, s, the mean over what flows through a voxel; None of one delay.
        arteries: label in large arteries, as CBF (ml/100g/min) at the delay at which it is brightest; None of one.
    """

    series: ASLSeries
    cbf: Volume
    tissue: Tissue
    poses: np.ndarray | None = None
    att: Volume | None = None
    arteries: Volume | None = None


def simulate_scan(phantom: Phantom, settings: ScanSettings, *, seed: int, name: str = "phantom") -> SimulatedScan:
    """Scan a phantom: complex noise on every control, label and M0, magnitude, no noise on the difference itself.

    Args:
        phantom: the truth, on any device; draw it with the acquisition of the scan for late blood to be as late.
        settings: protocol and noise.
        seed: fixes the noise.
        name: the series' name.
    """
    g = torch.Generator().manual_seed(seed)
    device, shape = str(phantom.m0.device), tuple(phantom.perfusion.shape)
    acquisition, spacing = settings.acquisition, phantom.geometry.spacing[::-1]
    protocols = each_delay(acquisition)
    bias = (1 + 0.15 * smooth_field(shape, 3, g, device)).clamp_min(0.4) * _SIGNAL
    differences = [_difference(phantom, protocol, bias, several=len(protocols) > 1) for protocol in protocols]
    usual = _UNSUPPRESSED if acquisition.background_suppression is False else _SUPPRESSED
    static = phantom.m0 * bias * (usual if settings.static is None else settings.static)
    gm = phantom.gm > 0.7
    level = max(float(d[gm].mean() if bool(gm.any()) else d.max()) for d in differences)
    sigma = level / settings.gm_snr / np.sqrt(2)
    through = settings.correlation if settings.correlation_z is None else settings.correlation_z
    texture = (through, settings.correlation, settings.correlation)
    gain = sigma * coil_gain(shape, settings.unevenness, gm if bool(gm.any()) else phantom.brain > 0, g)

    def scanned(signal: torch.Tensor, corrupted: float = 0.0) -> torch.Tensor:
        real, imaginary = coil_noise(shape, texture, g, device) * gain
        if corrupted > 0:
            real = real + sigma * spikes(shape, corrupted, g).to(device)
        return torch.hypot(signal + real, imaginary)

    physiology = Physiology(shape, settings.physiological, settings.memory, settings.common, g)
    beats = phantom.csf * torch.exp(0.6 * smooth_field(shape, 5, g, device))  # near big vessels more than elsewhere

    def beating() -> torch.Tensor:
        if settings.pulsation <= 0:
            return torch.zeros((), device=device)
        return settings.pulsation * beats * coil_noise(shape, (1.0, 1.0, 1.0), g, device)[0]

    mover = Mover(torch.stack([static, *differences]), spacing) if settings.motion > 0 else None
    which = np.repeat(acquired_order(len(protocols), settings.pairs, order=settings.order, seed=seed), 2)
    poses = draw_motion(len(which), settings.motion, g)
    context = (VolumeType.LABEL, VolumeType.CONTROL) * (len(which) // 2)
    volumes = []
    for kind, n, pose in zip(context, which, poses, strict=True):
        still, perfused = (static, differences[n]) if mover is None else mover.at(pose)[[0, 1 + n]]
        signal = still - perfused if kind is VolumeType.LABEL else still
        volumes.append(scanned(signal * (physiology.next(device) + beating()), settings.spikes))
    m0 = scanned(phantom.m0 * bias * _m0_relaxation(acquisition))
    geometry = phantom.geometry
    series = ASLSeries(
        torch.stack(volumes).cpu().numpy(),
        geometry,
        context,
        stated_by_volume(protocols, tuple(which)).with_values(Origin.IMAGE, total_pairs=len(which) // 2),
        Volume(m0.cpu().numpy(), geometry, name="m0"),
        name,
        "simulated",
    )

    def volume(tensor: torch.Tensor, what: str, unit: str = "") -> Volume:
        return Volume(tensor.cpu().numpy(), geometry, unit, what)

    names = {"GM": phantom.gm, "WM": phantom.wm, "CSF": phantom.csf, "brain": phantom.brain}
    tissue = Tissue(*(volume(tensor, name) for name, tensor in names.items()), "the phantom's own tissue")
    att = arteries = None
    if len(protocols) > 1:
        att = volume(phantom.flow.transit() * phantom.brain, "true ATT", "s")
        [bright] = phantom.flow.image(phantom.flow.arteries)
        arteries = volume(phantom.brain * bright / phantom.m0.clamp_min(0.05), "arteries", CBF_UNIT)
    return SimulatedScan(
        series, volume(phantom.cbf, "true CBF", CBF_UNIT), tissue, poses.numpy(), att=att, arteries=arteries
    )


def _difference(phantom: Phantom, protocol: Acquisition, bias: torch.Tensor, *, several: bool) -> torch.Tensor:
    """What the label of one delay changes in an image without noise (K, J, I), scanner units."""
    perfusion = phantom.perfusion
    if several:
        [perfusion] = phantom.flow.image(phantom.flow.seen_among(protocol))
    scale, _ = cbf_scale(protocol, slices=len(perfusion))
    return perfusion * bias / torch.from_numpy(scale).to(perfusion)


def _m0_relaxation(acquisition: Acquisition) -> float:
    """What an M0 with a short repetition time shows of the relaxed signal, as `calibrate` will undo it."""
    repetition = acquisition.m0_repetition_time
    if repetition is None or repetition >= FULLY_RELAXED:
        return 1.0
    return 1 / m0_relaxation_factor(repetition_time=repetition, t1_tissue=float(t1_tissue(acquisition).value))


@dataclass(frozen=True, eq=False)
class SimulatedHead:
    """A scan with the T1 of the same head from another moment.

    Args:
        scan: the series.
        t1: on a grid that is centred as that of the scan.
        t1_to_asl: (4, 4), LPS mm, takes a point of the T1 to the same anatomy in the scan: the head has moved between.
        phantom: what was scanned.
        seed: of the T1's bias and noise.
    """

    scan: SimulatedScan
    t1: Volume
    t1_to_asl: np.ndarray
    phantom: Phantom
    seed: int

    def t1_with(self, *lesions: Lesion) -> Volume:
        """The T1 if the phantom had these lesions and no others; bias and noise are the same."""
        return draw_t1(replace(self.phantom, lesions=lesions), self.t1.geometry, self.seed)


# 3 degrees about the left-right axis and some millimetres: what lying down again does to a head.
REPOSITIONING = np.array(
    [[1.0, 0.0, 0.0, 3.0], [0.0, 0.9986295, -0.0523360, -4.0], [0.0, 0.0523360, 0.9986295, 2.0], [0.0, 0.0, 0.0, 1.0]]
)


def simulate_head(
    anatomy: Anatomy,
    *,
    phantom: PhantomSettings,
    spacing: tuple[float, float, float],
    scan: ScanSettings,
    seed: int,
    name: str = "sub-phantom",
    t1_spacing: float = 1.5,
) -> SimulatedHead:
    """Draw a phantom, scan it, and draw its T1 on an isotropic grid of `t1_spacing` mm, moved by a few millimetres."""
    head = draw_phantom(anatomy, phantom, seed=seed, spacing=spacing, acquisition=scan.acquisition)
    series = simulate_scan(head, scan, seed=seed, name=name)
    return SimulatedHead(series, draw_t1(head, t1_grid(anatomy, t1_spacing), seed), REPOSITIONING, head, seed)


def t1_grid(anatomy: Anatomy, spacing: float) -> Geometry:
    """An isotropic grid (`spacing` mm) around a head, centred as that of its scan."""
    size = tuple(int(np.ceil(n / spacing)) for n in anatomy.classes.shape[::-1])
    return Geometry(size, (spacing,) * 3, tuple(-(n - 1) / 2 * spacing for n in size))


def draw_t1(head: Phantom, grid: Geometry, seed: int, *, moved: np.ndarray = REPOSITIONING) -> Volume:
    """The T1 of a phantom on a grid.

    Args:
        head: what is shown.
        grid: LPS, centred as that of the phantom.
        seed: fixes bias and noise.
        moved: as `SimulatedHead.t1_to_asl`.
    """
    points = centred_points(grid.shape, grid.spacing[::-1]).flip(-1)  # to (i, j, k), the order of the matrix
    places = points @ torch.tensor(moved[:3, :3].T).float() + torch.tensor(moved[:3, 3]).float()
    return Volume(draw_t1w(head.t1w_at(places.flip(-1)), seed=seed).numpy(), grid, name="T1w")


def draw_scan_settings(seed: int, *, pairs: int | None = None, acquisition: Acquisition = PROTOCOL) -> ScanSettings:
    """A scan such as scanners give: every property from a range that lies around those of real series.

    Args:
        seed: fixes the draws.
        pairs: how many; None draws 1 to 60, small numbers as often as large ones.
        acquisition: the protocol.
    """
    rng = np.random.default_rng(seed)
    return ScanSettings(
        pairs=pairs or int(np.exp(rng.uniform(0, np.log(60.99)))),
        gm_snr=float(np.exp(rng.uniform(np.log(0.15), np.log(5.0)))),
        correlation=rng.uniform(0.2, 0.8),
        physiological=float(np.exp(rng.uniform(np.log(0.001), np.log(0.01)))),
        acquisition=acquisition,
        correlation_z=rng.uniform(0.0, 0.8),
        memory=rng.uniform(0.0, 0.95),
        common=rng.uniform(0.0, 0.6),
        pulsation=rng.uniform(0.0, 0.04),
        motion=float(np.exp(rng.uniform(np.log(0.1), np.log(1.5)))),
        spikes=rng.uniform(0.0, 0.1) if rng.random() < 0.2 else 0.0,
        unevenness=rng.uniform(0.0, 2.0),
    )
