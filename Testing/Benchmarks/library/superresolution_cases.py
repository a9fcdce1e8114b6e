"""Phantoms for super-resolution: a noise-free fine truth, the coarse map a scanner would give of it, and its T1."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from ASLDenoiseLib.learning.anatomy import read_anatomy
from ASLDenoiseLib.learning.contrasts import draw_t1w
from ASLDenoiseLib.learning.phantom import Phantom, PhantomSettings, draw_phantom
from ASLDenoiseLib.learning.simulate import REPOSITIONING
from ASLDenoiseLib.learning.smooth import centred_points, gaussian_blur
from ASLDenoiseLib.learning.volumes import misregistration
from ASLDenoiseLib.series import CBF_UNIT, Geometry, Volume
from ASLDenoiseLib.superresolving import LowResolution
from ASLDenoiseLib.superresolving.forward import PointSpread, acquisition_model, divided, spread_over
from ASLDenoiseLib.superresolving.targets import target_grid

from .cases import anatomy_path, ball, spread_places

EXTENT = (192.0, 216.0, 156.0)  # mm of the field of view along (i, j, k)
DRAWN = 1.0  # mm, where the truth is drawn before it is averaged over the fine voxels
T1_SPACING = 1.0  # mm
LESION = 14.0  # mm


@dataclass(frozen=True)
class Direction:
    """Which axes are made finer: the acquired voxel (mm) and into how many parts each is cut along (i, j, k)."""

    label: str
    acquired: tuple[float, float, float]
    parts: tuple[int, int, int]


DIRECTIONS = (
    Direction("in plane x2", (4.0, 4.0, 4.0), (2, 2, 1)),
    Direction("through plane x2", (3.0, 3.0, 6.0), (1, 1, 2)),
    Direction("x2 in all", (4.0, 4.0, 4.0), (2, 2, 2)),
)


@dataclass(frozen=True, eq=False)
class FineHead:
    """A head at the fine resolution: noise-free CBF (0 outside the brain), tissue fractions, its T1, and the grids.

    `lesions` are balls (fine grid, share of the voxel) implanted in `truth`.
    """

    label: str
    truth: Volume
    gm: np.ndarray
    wm: np.ndarray
    brain: np.ndarray
    t1: Volume
    t1_to_asl: np.ndarray
    acquired: Geometry
    lesions: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, eq=False)
class SuperCase:
    """What a method is given of a head, and the head. `low` is NaN outside the coarse brain; `sigma` its noise SD."""

    head: FineHead
    low: Volume
    sigma: float
    snr: float
    point_spread: PointSpread = field(default_factory=PointSpread)

    @property
    def measured(self) -> np.ndarray:
        """Bool on the fine grid: fine voxels of acquired voxels that are measured."""
        return spread_over(np.isfinite(self.low.array), self.head.truth.geometry)


def draw_head(folder: Path, direction: Direction, *, seed: int, anatomy: str) -> FineHead:
    """A head without lesions; its T1 lies elsewhere and is registered to within 0.7 mm and 0.5 degrees an axis."""
    source = read_anatomy(anatomy_path(anatomy, folder))
    acquired = _centred(direction.acquired)
    fine = divided(acquired, direction.parts)
    drawn = divided(fine, tuple(round(s / DRAWN) for s in fine.spacing))
    settings = PhantomSettings(
        size=drawn.size, blur=(0.0, 0.0), blur_z=(0.0, 0.0), gm_wm_ratio=(2.0, 4.0), gm_cbf=(35.0, 80.0), lesions=0
    )
    phantom = draw_phantom(source, settings, seed=seed, spacing=drawn.spacing)
    average = acquisition_model(drawn, fine)
    gm, wm, brain, cbf = (average.forward(x.numpy()) for x in (phantom.gm, phantom.wm, phantom.brain, phantom.cbf))
    t1, matrix = _draw_t1(phantom, source.classes.shape, seed)
    return FineHead(anatomy, Volume(cbf, fine, CBF_UNIT, "true CBF"), gm, wm, brain > 0.5, t1, matrix, acquired)


def _centred(spacing: tuple[float, float, float]) -> Geometry:
    size = tuple(round(e / s) for e, s in zip(EXTENT, spacing, strict=True))
    return Geometry(size, spacing, tuple(-(n - 1) / 2 * s for n, s in zip(size, spacing, strict=True)))


def _draw_t1(phantom: Phantom, shape: tuple[int, ...], seed: int) -> tuple[Volume, np.ndarray]:
    size = tuple(int(np.ceil(n / T1_SPACING)) for n in shape)
    points = centred_points(size, (T1_SPACING,) * 3).flip(-1)
    moved = points @ torch.tensor(REPOSITIONING[:3, :3].T).float() + torch.tensor(REPOSITIONING[:3, 3]).float()
    t1 = draw_t1w(phantom.t1w_at(moved.flip(-1)), seed=seed, noise=0.02)
    origin = tuple(-(n - 1) / 2 * T1_SPACING for n in size[::-1])
    found = misregistration(seed, most_shift=0.7, most_turn=0.5).numpy().astype(float) @ REPOSITIONING
    return Volume(t1.numpy(), Geometry(size[::-1], (T1_SPACING,) * 3, origin), name="T1w"), found


def scan_head(
    head: FineHead, *, snr: float, seed: int, point_spread: PointSpread | None = None, correlation: float = 0.0
) -> SuperCase:
    """Average the truth over the acquired voxels and add noise: GM mean of the fine truth over its SD is `snr`."""
    spread = point_spread or PointSpread()
    model = acquisition_model(head.truth.geometry, head.acquired, point_spread=spread)
    clean = model.forward(head.truth.array)
    grey = head.truth.array[head.gm > 0.7].mean()
    sigma = float(grey / snr)
    noise = torch.randn((1, *clean.shape), generator=torch.Generator().manual_seed(seed))
    if correlation > 0:
        noise = gaussian_blur(noise, (correlation,) * 3)
        noise = noise / noise.std()
    brain = acquisition_model(head.truth.geometry, head.acquired).forward(head.brain.astype(np.float32)) > 0.5
    low = np.where(brain, clean + sigma * noise[0].numpy(), np.nan)
    return SuperCase(head, Volume(low, head.acquired, CBF_UNIT, "low"), sigma, snr, spread)


def with_perfusion_lesions(head: FineHead) -> FineHead:
    """Six balls in grey matter, perfusion x 0.3 and x 2 in turn; the T1 does not show them."""
    fine = head.truth.geometry
    centres = spread_places(head.gm > 0.8, fine, 6, apart=2.5 * LESION)
    masks = tuple(ball(fine, c, LESION) for c in centres)
    change = sum((-0.7, 1.0)[n % 2] * m for n, m in enumerate(masks))
    return replace(head, truth=head.truth.with_array(head.truth.array * (1 + change)), lesions=masks)


def with_t1_lesions(head: FineHead) -> FineHead:
    """Six balls in tissue that the T1 alone shows: in white matter as grey matter or CSF, in cortex as CSF."""
    fine, t1 = head.truth.geometry, head.t1
    deep = spread_places(head.wm > 0.9, fine, 4, apart=2.5 * LESION)
    shallow = spread_places(head.gm > 0.9, fine, 2, apart=2.5 * LESION)
    array = t1.array.copy()
    back = np.linalg.inv(head.t1_to_asl)
    grey, dark = _signal_of(head, head.gm > 0.9), _signal_of(head, (head.gm + head.wm < 0.1) & head.brain)
    masks = []
    for n, centre in enumerate([*deep, *shallow]):
        place = (back @ [*centre, 1.0])[:3]
        share = ball(t1.geometry, place, LESION)
        array = (1 - share) * array + share * (grey if n % 2 == 0 and n < 4 else dark)
        masks.append(ball(fine, centre, LESION))
    return replace(head, t1=t1.with_array(array), lesions=tuple(masks))


def _signal_of(head: FineHead, where: np.ndarray) -> float:
    from ASLDenoiseLib.spatial.resampling import resample

    on_fine = resample(head.t1, head.truth.geometry, transform=head.t1_to_asl).array
    return float(np.nanmedian(on_fine[where]))


def noisy_reference(head: FineHead, *, snr: float, seed: int) -> tuple[SuperCase, np.ndarray]:
    """The paper's experiment: a noisy map at the fine resolution, averaged to the input, and that map as reference.

    `snr` is of the fine map; averaging makes the input's better.
    """
    case = scan_head(head, snr=snr, seed=seed)
    fine_sigma = case.sigma
    noise = torch.randn(head.truth.array.shape, generator=torch.Generator().manual_seed(seed)).numpy()
    reference = head.truth.array + fine_sigma * noise
    model = acquisition_model(head.truth.geometry, head.acquired)
    low = np.where(np.isfinite(case.low.array), model.forward(reference), np.nan)
    parts = np.prod(head.acquired.spacing) / head.truth.geometry.voxel_volume
    return replace(case, low=case.low.with_array(low), sigma=float(fine_sigma / np.sqrt(parts))), reference


def draw_low(
    folder: Path,
    anatomy: str,
    *,
    size: tuple[int, int, int],
    spacing: tuple[float, float, float],
    snr: float,
    seed: int,
) -> LowResolution:
    """A noisy map of a size, to be brought to the T1's own grid; there is no truth at that grid."""
    source = read_anatomy(anatomy_path(anatomy, folder))
    geometry = Geometry(size, spacing, tuple(-(n - 1) / 2 * s for n, s in zip(size, spacing, strict=True)))
    settings = PhantomSettings(size=size, blur=(0.0, 0.0), blur_z=(0.0, 0.0), gm_cbf=(35.0, 80.0), lesions=0)
    phantom = draw_phantom(source, settings, seed=seed, spacing=spacing)
    t1, matrix = _draw_t1(phantom, source.classes.shape, seed)
    cbf, brain = phantom.cbf.numpy(), phantom.brain.numpy() > 0.5
    sigma = float(cbf[phantom.gm.numpy() > 0.7].mean() / snr)
    noise = np.random.default_rng(seed).normal(0, sigma, cbf.shape)
    low = Volume(np.where(brain, cbf + noise, np.nan), geometry, CBF_UNIT, "low")
    grid = target_grid(low, matrix, t1=t1)
    return LowResolution(low, grid.geometry, t1, matrix, grid.to_asl, sigma)
