"""A first perfusion phantom: individual anatomies with random shape, perfusion, lesions and partial volume.

What is drawn here is noise-free truth; `noise.py` adds what a scanner adds. Everything is drawn on a grid two to
four times finer than the acquired voxel and averaged down, so partial volume is real. Runs on any torch device and is
fixed by its seed (on one device and torch version).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from ..series import Geometry
from .anatomy import GM_CLASSES, WM_CLASSES, Anatomy, TissueClass

# Relative signal by TissueClass at 3 T: proton-density-like M0 (long TR, short TE) and an MPRAGE-like T1 weighting.
_M0 = (0.0, 1.0, 0.82, 0.80, 0.82, 0.70, 0.72, 0.65, 0.12)
_T1W = (0.0, 0.18, 0.55, 0.62, 0.55, 0.95, 0.92, 0.60, 0.12)


@dataclass(frozen=True)
class PhantomSettings:
    """What a phantom is drawn from; each pair is (lowest, highest) of a uniform draw.

    Args:
        size: voxels (i, j, k) of the acquired grid.
        spacing_xy, spacing_z: acquired voxel, mm.
        affine: relative scaling of the anatomy along each axis is drawn from 1 +- this.
        rotation: degrees about each axis, +- this.
        warp: standard deviation of the smooth displacement field, mm.
        gm_cbf: grey-matter CBF, ml/100g/min.
        gm_wm_ratio: GM CBF over WM CBF.
        regional: SD of the smooth relative variation of CBF.
        lesions: most lesions a phantom may hold (drawn 0..lesions).
        blur: SD of the in-plane point spread, voxels.
        vessels: chance of bright vessel spots.
    """

    size: tuple[int, int, int] = (64, 64, 24)
    spacing_xy: tuple[float, float] = (2.5, 4.0)
    spacing_z: tuple[float, float] = (3.0, 8.0)
    affine: float = 0.12
    rotation: float = 12.0
    warp: float = 2.5
    gm_cbf: tuple[float, float] = (30.0, 95.0)
    gm_wm_ratio: tuple[float, float] = (1.8, 4.5)
    regional: float = 0.15
    lesions: int = 3
    blur: tuple[float, float] = (0.0, 0.55)
    vessels: float = 0.5


@dataclass(frozen=True, eq=False)
class Phantom:
    """Noise-free truth on one acquired grid; every array (K, J, I) float32 on the phantom's device.

    Args:
        geometry: the acquired grid.
        perfusion: M0-weighted perfusion, ml/100g/min times relative M0: proportional to the difference image.
        m0: relative M0 (CSF 1), without coil bias.
        gm, wm, csf: partial-volume fractions.
        brain: 1 in the brain (any tissue or CSF inside it above one half).
        lesion: 1 where a lesion covers most of the voxel.
        deformation: how its space maps into the anatomy, for drawing other contrasts of the same head.
    """

    geometry: Geometry
    perfusion: torch.Tensor
    m0: torch.Tensor
    gm: torch.Tensor
    wm: torch.Tensor
    csf: torch.Tensor
    brain: torch.Tensor
    lesion: torch.Tensor
    deformation: Deformation

    @property
    def cbf(self) -> torch.Tensor:
        """CBF as the voxel's M0 calibrates it, ml/100g/min; 0 outside the brain."""
        return torch.where(self.brain > 0, self.perfusion / self.m0.clamp_min(0.05), torch.zeros_like(self.perfusion))


def _uniform(generator: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def smooth_field(shape: tuple[int, int, int], knots: int, generator: torch.Generator, device: str) -> torch.Tensor:
    """A smooth random field (K, J, I) of unit variance at its `knots`^3 control points, linearly interpolated."""
    control = torch.randn((1, 1, knots, knots, knots), generator=generator).to(device)
    return F.interpolate(control, size=shape, mode="trilinear", align_corners=True)[0, 0]


def _blobs(points: torch.Tensor, inside: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A warped ellipsoid (bool, same grid as `points` (K, J, I, 3) in mm) centred somewhere inside the brain."""
    candidates = inside.flatten().nonzero()
    centre = points.reshape(-1, 3)[candidates[int(_uniform(generator, 0, len(candidates) - 1))]]
    radius = torch.tensor([_uniform(generator, 2.5, 16.0) for _ in range(3)]).to(points)
    return (((points - centre) / radius) ** 2).sum(-1) < 1


@dataclass(frozen=True, eq=False)
class Deformation:
    """How one phantom's space maps into its anatomy: affine, smooth warp, and how high its slab sits.

    Points are mm from the centre of the acquired grid, ordered (k, j, i).
    """

    matrix: torch.Tensor
    warp: torch.Tensor  # (1, 3, n, n, n) mm at control points spread over the acquired box
    half_box: torch.Tensor  # mm, half the acquired box
    lift: float  # share of half the anatomy's height

    def classes(self, anatomy: Anatomy, points: torch.Tensor) -> torch.Tensor:
        """The tissue class (long) at each of `points` (K, J, I, 3)."""
        where = (points / self.half_box).flip(-1)[None]
        shift = F.grid_sample(self.warp, where, mode="bilinear", padding_mode="border", align_corners=True)[0]
        sampled = points @ self.matrix.T + shift.movedim(0, -1)
        half = torch.tensor([(n - 1) / 2 for n in anatomy.classes.shape], device=points.device)
        grid = (sampled / half).flip(-1) + torch.tensor([0.0, 0.0, self.lift], device=points.device)
        labels = torch.from_numpy(anatomy.classes.astype(np.float32)).to(points.device)[None, None]
        return F.grid_sample(labels, grid[None], mode="nearest", align_corners=True)[0, 0].long()


def centred_points(shape: tuple[int, ...], spacing: tuple[float, ...], device: str = "cpu") -> torch.Tensor:
    """Voxel centres (K, J, I, 3) in mm from the centre of a grid; `shape`, `spacing` and result ordered (k, j, i)."""
    axes = [(torch.arange(n, device=device) - (n - 1) / 2) * s for n, s in zip(shape, spacing, strict=True)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)


def draw_deformation(
    anatomy: Anatomy, settings: PhantomSettings, half_box: torch.Tensor, generator: torch.Generator
) -> Deformation:
    """Draw an affine, a warp and a slab position."""
    angles = [np.deg2rad(_uniform(generator, -settings.rotation, settings.rotation)) for _ in range(3)]
    rotation = np.eye(3)
    for a, angle in enumerate(angles):
        c, s, turn = np.cos(angle), np.sin(angle), np.eye(3)
        b, d = [x for x in range(3) if x != a]
        turn[[b, b, d, d], [b, d, b, d]] = c, -s, s, c
        rotation = rotation @ turn
    scale = [1 + _uniform(generator, -settings.affine, settings.affine) for _ in range(3)]
    mirror = -1.0 if _uniform(generator, 0, 1) < 0.5 else 1.0
    matrix = torch.tensor(rotation @ np.diag([scale[0], scale[1], scale[2] * mirror]), dtype=torch.float32)
    warp = settings.warp * torch.stack([torch.randn((6, 6, 6), generator=generator) for _ in range(3)])[None]
    # A thin slab sees a different part of the brain each time.
    height = anatomy.classes.shape[0]
    slack = max(0.0, height - 40 - 2 * float(half_box[0])) / height
    lift = _uniform(generator, -slack, slack)
    return Deformation(matrix.to(half_box), warp.to(half_box), half_box, lift)


def draw_phantom(
    anatomy: Anatomy, settings: PhantomSettings, *, seed: int, device: str = "cpu", spacing: tuple | None = None
) -> Phantom:
    """One phantom of one anatomy.

    Args:
        anatomy: the head (1 mm).
        settings: what to draw from.
        seed: fixes every draw.
        device: where the tensors live.
        spacing: acquired voxel (x, y, z) mm instead of a drawn one.
    """
    g = torch.Generator().manual_seed(seed)
    drawn_xy, drawn_z = _uniform(g, *settings.spacing_xy), _uniform(g, *settings.spacing_z)
    sx, sy, sz = spacing or (drawn_xy, drawn_xy, drawn_z)
    factor = tuple(int(np.clip(round(s / 1.3), 2, 4)) for s in (sz, sy, sx))
    ni, nj, nk = settings.size
    fine_shape = (nk * factor[0], nj * factor[1], ni * factor[2])
    fine_spacing = (sz / factor[0], sy / factor[1], sx / factor[2])
    points = centred_points(fine_shape, fine_spacing, device)
    half_box = points[-1, -1, -1].abs() + points[0, 0, 0].abs()
    deformation = draw_deformation(anatomy, settings, half_box / 2, g)
    fine = deformation.classes(anatomy, points)

    gm_cbf, ratio = _uniform(g, *settings.gm_cbf), _uniform(g, *settings.gm_wm_ratio)
    wm_cbf = gm_cbf / ratio
    by_class = torch.zeros(len(TissueClass))
    for tissue in GM_CLASSES:
        by_class[tissue] = gm_cbf * _uniform(g, 0.85, 1.15)
    for tissue in WM_CLASSES:
        by_class[tissue] = wm_cbf * _uniform(g, 0.9, 1.1)
    cbf = by_class.to(device)[fine]
    cbf = cbf * (1 + settings.regional * smooth_field(fine_shape, 5, g, device)).clamp_min(0.2)
    cbf = cbf * (1 + 0.5 * settings.regional * smooth_field(fine_shape, 14, g, device)).clamp_min(0.2)

    tissue = (fine >= TissueClass.CORTEX) & (fine <= TissueClass.BRAIN_STEM)
    lesion = torch.zeros_like(tissue)
    for _ in range(int(_uniform(g, 0, settings.lesions + 0.999))):
        blob = _blobs(points, tissue, g) & tissue
        gain = _uniform(g, 0.0, 0.7) if _uniform(g, 0, 1) < 0.5 else _uniform(g, 1.3, 3.0)
        cbf = torch.where(blob, cbf * gain, cbf)
        lesion |= blob
    if _uniform(g, 0, 1) < settings.vessels:
        spots = smooth_field(fine_shape, max(8, fine_shape[0] // 3), g, device)
        cbf = cbf + 1.5 * gm_cbf * ((spots - 1.8).clamp_min(0)) * (tissue | (fine == TissueClass.CSF))

    m0 = torch.tensor(_M0, device=device)[fine]
    csf = fine == TissueClass.CSF
    stack = torch.stack(
        [
            cbf * m0,
            m0,
            sum((fine == c) for c in GM_CLASSES).float(),
            sum((fine == c) for c in WM_CLASSES).float(),
            csf.float(),
            lesion.float(),
        ]
    )
    coarse = F.avg_pool3d(stack[None], factor)[0]
    blur = _uniform(g, *settings.blur)
    coarse = gaussian_blur(coarse, (0.0, blur, blur))
    perfusion, m0, gm, wm, csf, lesion = coarse
    brain = ((gm + wm + csf) > 0.5).float()
    geometry = Geometry(
        settings.size, (sx, sy, sz), tuple(-(n - 1) / 2 * s for n, s in zip(settings.size, (sx, sy, sz), strict=True))
    )
    return Phantom(geometry, perfusion, m0, gm, wm, csf, brain, (lesion > 0.5).float(), deformation)


def gaussian_blur(array: torch.Tensor, sigma: tuple[float, float, float]) -> torch.Tensor:
    """Gaussian blur of (C, K, J, I) by SDs in voxels along (k, j, i); zero leaves an axis alone."""
    for axis, s in enumerate(sigma):
        if s < 1e-3:
            continue
        radius = max(1, int(np.ceil(3 * s)))
        kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=array.device) / s) ** 2)
        shape, padding = [1, 1, 1, 1, 1], [0, 0, 0]
        shape[axis + 2], padding[axis] = 2 * radius + 1, radius
        array = F.conv3d(array[:, None], (kernel / kernel.sum()).reshape(shape), padding=padding)[:, 0]
    return array


def draw_t1w(classes: torch.Tensor, *, seed: int = 0, noise: float = 0.015) -> torch.Tensor:
    """An MPRAGE-like T1w (K, J, I), 0..1000, of tissue classes, with a smooth coil bias and Rician noise."""
    g = torch.Generator().manual_seed(seed)
    signal = gaussian_blur(torch.tensor(_T1W)[classes][None], (0.5, 0.5, 0.5))[0]
    signal = signal * (1 + 0.1 * smooth_field(tuple(signal.shape), 3, g, "cpu")).clamp_min(0.3)
    real, imaginary = (noise * torch.randn(signal.shape, generator=g) for _ in range(2))
    return 1000 * torch.hypot(signal + real, imaginary)
