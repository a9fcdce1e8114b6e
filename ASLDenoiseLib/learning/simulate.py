"""A whole scan of a phantom: controls and labels with noise, an M0, and the truth beside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from ..quantifying.kinetics import cbf_scale
from ..series import (
    CBF_UNIT,
    Acquisition,
    ASLSeries,
    Geometry,
    Labeling,
    M0Type,
    Origin,
    Tissue,
    Volume,
    VolumeType,
)
from .anatomy import Anatomy
from .phantom import Phantom, PhantomSettings, centred_points, draw_phantom, draw_t1w, gaussian_blur, smooth_field

_SIGNAL = 2000.0  # scanner units of fully relaxed CSF
_SUPPRESSED = 0.15  # what background suppression leaves of the static signal

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


@dataclass(frozen=True)
class ScanSettings:
    """How a phantom is scanned.

    Args:
        pairs: control/label pairs.
        gm_snr: GM difference over the noise SD of one pair's difference.
        correlation: Gaussian SD (voxels) that correlates neighbouring noise; 0.5 gives 0.37, as real series have.
        physiological: SD of smooth fluctuations of the suppressed static signal from volume to volume, relative.
        acquisition: the protocol.
    """

    pairs: int = 10
    gm_snr: float = 1.0
    correlation: float = 0.5
    physiological: float = 0.002
    acquisition: Acquisition = PROTOCOL


@dataclass(frozen=True, eq=False)
class Scan:
    """A simulated series with its noise-free CBF (ml/100g/min) and the tissue it was made from."""

    series: ASLSeries
    cbf: Volume
    tissue: Tissue


def simulate_scan(phantom: Phantom, settings: ScanSettings, *, seed: int, name: str = "phantom") -> Scan:
    """Scan a phantom: complex noise on every control, label and M0, magnitude, no noise on the difference itself.

    Args:
        phantom: the truth (on the CPU).
        settings: protocol and noise.
        seed: fixes the noise.
        name: the series' name.
    """
    g = torch.Generator().manual_seed(seed)
    shape = tuple(phantom.perfusion.shape)
    scale, _ = cbf_scale(settings.acquisition, slices=shape[0])
    bias = (1 + 0.15 * smooth_field(shape, 3, g, "cpu")).clamp_min(0.4) * _SIGNAL
    difference = phantom.perfusion * bias / torch.from_numpy(scale).float()
    static = phantom.m0 * bias * _SUPPRESSED
    level = float(difference[phantom.gm > 0.7].mean()) if bool((phantom.gm > 0.7).any()) else float(difference.max())
    sigma = level / settings.gm_snr / np.sqrt(2)

    volumes, context = [], []
    for _ in range(settings.pairs):
        for kind, signal in ((VolumeType.LABEL, static - difference), (VolumeType.CONTROL, static)):
            wobble = 1 + settings.physiological * smooth_field(shape, 6, g, "cpu")
            volumes.append(_magnitude(signal * wobble, sigma, settings.correlation, g))
            context.append(kind)
    m0 = _magnitude(phantom.m0 * bias, sigma, settings.correlation, g)
    geometry = phantom.geometry
    series = ASLSeries(
        torch.stack(volumes).numpy(),
        geometry,
        tuple(context),
        settings.acquisition.with_values(Origin.IMAGE, total_pairs=settings.pairs),
        Volume(m0.numpy(), geometry, name="m0"),
        name,
        "simulated",
    )

    def volume(tensor: torch.Tensor, what: str, unit: str = "") -> Volume:
        return Volume(tensor.numpy(), geometry, unit, what)

    tissue = Tissue(
        volume(phantom.gm, "GM"),
        volume(phantom.wm, "WM"),
        volume(phantom.csf, "CSF"),
        volume(phantom.brain, "brain"),
        "the phantom's own tissue",
    )
    return Scan(series, volume(phantom.cbf, "true CBF", CBF_UNIT), tissue)


@dataclass(frozen=True, eq=False)
class Head:
    """A scan with the T1 of the same head from another moment.

    `t1_to_asl` (4x4, LPS mm) takes a point of the T1 to the same anatomy in the scan: the head has moved in between.
    """

    scan: Scan
    t1: Volume
    t1_to_asl: np.ndarray


# 3 degrees about the left-right axis and some millimetres: what lying down again does to a head.
MOVED = np.array(
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
) -> Head:
    """Draw a phantom, scan it, and draw its T1 on an isotropic grid of `t1_spacing` mm, moved by a few millimetres."""
    drawn = draw_phantom(anatomy, phantom, seed=seed, spacing=spacing)
    shape = tuple(int(np.ceil(n / t1_spacing)) for n in anatomy.classes.shape)
    points = centred_points(shape, (t1_spacing,) * 3).flip(-1)  # to (i, j, k), the order of the matrix
    moved = points @ torch.tensor(MOVED[:3, :3].T).float() + torch.tensor(MOVED[:3, 3]).float()
    t1 = draw_t1w(drawn.deformation.classes(anatomy, moved.flip(-1)), seed=seed)
    origin = tuple(-(n - 1) / 2 * t1_spacing for n in shape[::-1])
    geometry = Geometry(shape[::-1], (t1_spacing,) * 3, origin)
    return Head(simulate_scan(drawn, scan, seed=seed, name=name), Volume(t1.numpy(), geometry, name="T1w"), MOVED)


def _magnitude(signal: torch.Tensor, sigma: float, correlation: float, generator: torch.Generator) -> torch.Tensor:
    """|signal + complex noise| with neighbour-correlated noise of SD `sigma` a channel."""
    noise = torch.randn((2, *signal.shape), generator=generator)
    if correlation > 0:
        noise = gaussian_blur(noise, (correlation,) * 3)
        probe = torch.zeros(1, 13, 13, 13)
        probe[0, 6, 6, 6] = 1
        noise = noise / gaussian_blur(probe, (correlation,) * 3).square().sum().sqrt()
    return torch.hypot(signal + sigma * noise[0], sigma * noise[1])
