"""The perfusion phantom: individual or abstract anatomy, perfusion, arrival, lesions, and what a voxel averages.

What is drawn here is noise-free truth; `noise.py` and `simulate.py` add what a scanner adds. The tissue is looked up at
several places in each acquired voxel that touches the brain, and only the shares of the tissues are kept: the smooth
parts (regional variation, arrival) are then functions of the voxel's place. Runs on any torch device and is fixed by
its seed (on one torch version).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..series import Acquisition, Geometry
from .anatomy import GM_CLASSES, WM_CLASSES, Anatomy, TissueClass
from .arrival import draw_acquisition, draw_arrival, draw_seeds
from .contrasts import draw_m0_values, draw_t1w_values, signal_by_region
from .deformation import draw_deformation
from .flow import Flow
from .lesions import Lesion, LesionSettings, cell_regions, draw_lesions, regions
from .perfusion_field import draw_arterial_spots, draw_perfusion, draw_texture, draw_vessels
from .shapes import Shape, draw_abstract, draw_brain, half_extent
from .smooth import centred_points, gaussian_blur, stream, uniform
from .stroke_masks import StrokeMask

_CLASSES = len(TissueClass)
_FINE = 1.4  # mm, about how far apart the places looked up in a voxel are
_GREY, _WHITE = [int(c) for c in GM_CLASSES], [int(c) for c in WM_CLASSES]
_TISSUE = _GREY + _WHITE
_LESION_SIGNALS = (int(TissueClass.CSF), int(TissueClass.CORTEX), int(TissueClass.WM))


@dataclass(frozen=True)
class PhantomSettings:
    """What a phantom is drawn from; each pair is (lowest, highest) of a uniform draw.

    Args:
        size: voxels (i, j, k) of the acquired grid.
        spacing_xy, spacing_z: acquired voxel, mm.
        isotropic: chance that slices are as thick as voxels are wide.
        affine: relative scaling of the anatomy along each axis is drawn from 1 +- this.
        rotation: degrees about each axis, +- this.
        warp: SD of each component of the smooth displacement, mm; the peak is some four times that.
        ventricles: mm by which ventricles widen (negative: narrow).
        atrophy: mm of cortex lost to CSF.
        abstract: chance of an abstract arrangement of tissues instead of a brain.
        gm_cbf: grey-matter CBF, ml/100g/min.
        gm_wm_ratio: GM CBF over WM CBF.
        regional: SD of the smooth relative variation of CBF.
        asymmetry: largest relative difference of left and right.
        texture: SD of the fine relative variation, independent of the anatomy.
        vessels: chance of bright arteries.
        arrival: whether late blood lowers the difference; False is the consensus formula everywhere.
        delay: post-labelling delay, s, where no acquisition is given.
        stenosis: transit time, s, to which the left carotid's territories are slowed; 0: to none.
        lesions: most lesions a phantom may hold.
        lesion_chance: that it holds any.
        lesion_kinds: relative frequency of lesions of perfusion, of perfusion and structure, of structure alone.
        lesion_diameter: mm, drawn log-uniformly.
        lesion_strokes: chance that a lesion is shaped as a real stroke, where masks are given.
        blur: SD of the in-plane point spread, voxels.
        blur_z: SD of the through-plane point spread, voxels, of half of the phantoms (GRASE); the others have none.
        pointwise: chance that voxels are samples of the tissue instead of averages.
    """

    size: tuple[int, int, int] = (64, 64, 24)
    spacing_xy: tuple[float, float] = (2.0, 4.5)
    spacing_z: tuple[float, float] = (2.5, 8.0)
    isotropic: float = 0.25
    affine: float = 0.15
    rotation: float = 12.0
    warp: float = 2.5
    ventricles: tuple[float, float] = (-1.5, 4.0)
    atrophy: tuple[float, float] = (0.0, 1.5)
    abstract: float = 0.0
    gm_cbf: tuple[float, float] = (20.0, 110.0)
    gm_wm_ratio: tuple[float, float] = (1.5, 5.0)
    regional: float = 0.12
    asymmetry: float = 0.15
    texture: tuple[float, float] = (0.0, 0.05)
    vessels: float = 0.5
    arrival: bool = True
    delay: tuple[float, float] = (1.0, 2.5)
    stenosis: float = 0.0
    lesions: int = 4
    lesion_chance: float = 0.5
    lesion_kinds: tuple[float, float, float] = (1.0, 1.0, 1.0)
    lesion_diameter: tuple[float, float] = (4.0, 40.0)
    lesion_strokes: float = 0.35
    blur: tuple[float, float] = (0.0, 0.55)
    blur_z: tuple[float, float] = (0.0, 1.0)
    pointwise: float = 0.0


@dataclass(frozen=True, eq=False)
class Phantom:
    """Noise-free truth on one acquired grid; every array (K, J, I) float32 on the phantom's device.

    Args:
        geometry: the acquired grid.
        perfusion: M0-weighted apparent perfusion, ml/100g/min times relative M0: proportional to the difference image,
            with what late arrival takes from it; of several delays, what tissue gets once all label has arrived.
        m0: relative M0 (CSF about 1), without coil bias.
        gm, wm, csf: partial-volume fractions.
        brain: 1 in the brain (any tissue or CSF inside it above one half).
        lesion: 1 where lesions that change perfusion cover most of the voxel.
        structural: 1 where lesions that change the T1 or the M0 do.
        att: arterial transit time of grey matter, s; 0 outside the head.
        t1w: clean T1w signal (0..1) as the voxel averages it.
        acquisition: labelling and timing that the perfusion stands for.
        shape, lesions, t1w_values: what the head is made of, for drawing it at other places.
        flow: what its perfusion is made of, for images at other delays.
        pose: (4, 4) from points of the grid (k, j, i, 1; mm) to the head's own; None: they are the same.
    """

    geometry: Geometry
    perfusion: torch.Tensor
    m0: torch.Tensor
    gm: torch.Tensor
    wm: torch.Tensor
    csf: torch.Tensor
    brain: torch.Tensor
    lesion: torch.Tensor
    structural: torch.Tensor
    att: torch.Tensor
    t1w: torch.Tensor
    acquisition: Acquisition
    shape: Shape
    lesions: tuple[Lesion, ...]
    t1w_values: torch.Tensor
    flow: Flow | None = None
    pose: torch.Tensor | None = None

    @property
    def cbf(self) -> torch.Tensor:
        """CBF as the voxel's M0 calibrates it, ml/100g/min; 0 outside the brain."""
        return torch.where(self.brain > 0, self.perfusion / self.m0.clamp_min(0.05), torch.zeros_like(self.perfusion))

    def t1w_at(self, points: torch.Tensor) -> torch.Tensor:
        """The clean T1w signal (..., 0..1) at points (..., 3), mm from the centre of the grid, ordered (k, j, i).

        Lesions show in it. `contrasts.draw_t1w` adds bias and noise.
        """
        points = _moved(points, self.pose)
        code = regions(self.lesions, points).int() * _CLASSES + self.shape.classes(points).int()
        return signal_by_region(self.t1w_values, self.lesions, "t1w").flatten()[code]

    def t1w_classes(self, move: torch.Tensor | None = None) -> torch.Tensor:
        """Shares (3, K, J, I) of each voxel that are dark, middling and bright on the T1, lesions included.

        Args:
            move: (4, 4) that takes points of the grid (k, j, i, 1; mm) to where they are looked up, for a T1 that is
                not perfectly registered.
        """
        if self.pose is not None:
            move = self.pose if move is None else self.pose.to(move) @ move
        cells = _Cells.of(self.geometry, self.shape, move=move, device=self.m0.device)
        shares = cells.shares(self.shape, self.lesions)
        signal = signal_by_region(self.t1w_values, self.lesions, "t1w")
        dark, middling, bright = (self.t1w_values[c] for c in (TissueClass.CSF, TissueClass.CORTEX, TissueClass.WM))
        level = (signal > (dark + middling) / 2).int() + (signal > (middling + bright) / 2).int()
        weights = torch.stack([(level == n).float() for n in range(3)], -1)
        outside = [c for c in TissueClass if c not in _TISSUE and c != TissueClass.CSF]
        weights[:, outside] = 0
        return cells.image(shares.flatten(1) @ weights.flatten(0, 1))


@dataclass(frozen=True, eq=False)
class _Cells:
    """The voxels of a grid that hold part of a head, and the places looked up in each."""

    shape: tuple[int, int, int]
    index: torch.Tensor  # (N,) flat index of each voxel
    centres: torch.Tensor  # (N, 3) mm
    offsets: torch.Tensor  # (S, 3) mm

    @classmethod
    def of(cls, geometry: Geometry, shape: Shape, *, move=None, device="cpu", pointwise: bool = False) -> _Cells:
        spacing = geometry.spacing[::-1]
        points = centred_points(geometry.shape, spacing, device).reshape(-1, 3)
        points = _moved(points, move)
        index = shape.near(points).nonzero()[:, 0]
        count = [1 if pointwise else int(np.clip(round(s / _FINE), 1, 5)) for s in spacing]
        steps = tuple(s / n for s, n in zip(spacing, count, strict=True))
        offsets = centred_points(tuple(count), steps, device).reshape(-1, 3)
        if move is not None:
            offsets = offsets @ move[:3, :3].T.to(points)
        return cls(geometry.shape, index, points[index], offsets)

    def shares(self, shape: Shape, lesions: tuple[Lesion, ...]) -> torch.Tensor:
        """The share (N, L + 1, C) of each voxel that is each lesion (0: none) and tissue class."""
        codes = (len(lesions) + 1) * _CLASSES
        code = shape.cells(self.centres, self.offsets).int()
        if lesions:
            code += cell_regions(lesions, self.centres, self.offsets).int() * _CLASSES
        code += torch.arange(len(code), device=code.device, dtype=torch.int32)[:, None] * codes
        counts = torch.bincount(code.flatten(), minlength=len(code) * codes)
        return (counts.float() / len(self.offsets)).reshape(len(code), -1, _CLASSES)

    def image(self, values: torch.Tensor) -> torch.Tensor:
        """Values (N, P) as images (P, K, J, I), zero elsewhere."""
        image = torch.zeros((values.shape[1], int(np.prod(self.shape))), device=values.device)
        image[:, self.index] = values.T
        return image.reshape(-1, *self.shape)


def _moved(points: torch.Tensor, move: torch.Tensor | None) -> torch.Tensor:
    """Points (..., 3) taken by a matrix (4, 4) to where it says; None leaves them."""
    return points if move is None else points @ move[:3, :3].T.to(points) + move[:3, 3].to(points)


def draw_phantom(
    anatomy: Anatomy | None,
    settings: PhantomSettings,
    *,
    seed: int,
    device: str = "cpu",
    spacing: tuple | None = None,
    acquisition: Acquisition | None = None,
    masks: Sequence[StrokeMask] = (),
    pose: torch.Tensor | None = None,
) -> Phantom:
    """One phantom of one anatomy.

    Anatomy, perfusion, lesions and contrasts each have draws of their own: the same seed with other lesion settings is
    the same head without or with other lesions. Likewise the same seed in another `pose`, or with another `gm_cbf`, is
    the same head another time; its fine texture and its arteries stay on the grid, and its lesions are others.

    Args:
        anatomy: the head (1 mm); None is an abstract arrangement of tissues.
        settings: what to draw from.
        seed: fixes every draw.
        device: where the tensors live.
        spacing: acquired voxel (x, y, z) mm instead of a drawn one.
        acquisition: labelling and timing instead of drawn ones.
        masks: real strokes that lesions may be shaped as.
        pose: as `Phantom.pose`.
    """
    g = stream(seed, 0)
    geometry = _draw_geometry(settings, spacing, g)
    shape = _draw_shape(anatomy, settings, geometry, g, device)
    pointwise = uniform(g, 0, 1) < settings.pointwise
    cells = _Cells.of(geometry, shape, move=pose, device=device, pointwise=pointwise)
    acquisition = acquisition or draw_acquisition(stream(seed, 1), delay=settings.delay)
    seeds = draw_seeds(stream(seed, 2), device=device)
    middle = shape.classes(cells.centres)
    candidates = cells.centres[(middle >= TissueClass.CORTEX) & (middle <= TissueClass.BRAIN_STEM)]
    lesions = draw_lesions(
        _lesion_settings(settings), candidates, shape, seeds, _LESION_SIGNALS, stream(seed, 3), masks=masks
    )
    shares = cells.shares(shape, lesions)

    c = stream(seed, 4)
    healthy_m0, t1w_values = (draw(c).to(device) for draw in (draw_m0_values, draw_t1w_values))
    m0 = _mix(shares, signal_by_region(healthy_m0, lesions, "m0"))
    t1w = _mix(shares, signal_by_region(t1w_values, lesions, "t1w"))
    grey, white, csf = (shares[..., kinds].sum((1, 2)) for kinds in (_GREY, _WHITE, [int(TissueClass.CSF)]))
    touched = [_touched(shares, lesions, *names) for names in (("perfusion",), ("t1w", "m0"))]
    p = stream(seed, 6)
    width, depth, grase = uniform(p, *settings.blur), uniform(p, *settings.blur_z), uniform(p, 0, 1) < 0.5
    blur = (depth if grase else 0.0, width, width)
    flow = _draw_flow(settings, geometry, cells, shape, shares, lesions, healthy_m0, seed, blur)
    several = isinstance(acquisition.post_labeling_delay, tuple)
    perfusion = flow.arrived if several else flow.seen(acquisition, late=settings.arrival)

    images = cells.image(torch.stack([perfusion, m0, grey, white, csf, t1w, *touched], 1))
    perfusion, m0, grey, white, csf, t1w, *touched = gaussian_blur(images, blur)
    brain, lesion, structural = ((share > 0.5).float() for share in (grey + white + csf, *touched))
    att = cells.image(flow.times[0][:, None])[0]
    fractions = (grey, white, csf, brain, lesion, structural)
    return Phantom(geometry, perfusion, m0, *fractions, att, t1w, acquisition, shape, lesions, t1w_values, flow, pose)


def _lesion_settings(s: PhantomSettings) -> LesionSettings:
    """What is said of lesions among a phantom's settings."""
    return LesionSettings(s.lesion_chance, s.lesions, s.lesion_diameter, kinds=s.lesion_kinds, strokes=s.lesion_strokes)


def _draw_geometry(settings: PhantomSettings, spacing: tuple | None, g: torch.Generator) -> Geometry:
    xy, z, thin = uniform(g, *settings.spacing_xy), uniform(g, *settings.spacing_z), uniform(g, 0, 1)
    voxel = spacing or (xy, xy, xy if thin < settings.isotropic else z)
    return Geometry(settings.size, voxel, tuple(-(n - 1) / 2 * s for n, s in zip(settings.size, voxel, strict=True)))


def _draw_shape(anatomy, s: PhantomSettings, geometry: Geometry, g: torch.Generator, device: str) -> Shape:
    box = np.array(geometry.shape) * np.array(geometry.spacing[::-1]) / 2
    if anatomy is None or uniform(g, 0, 1) < s.abstract:
        return draw_abstract(box, g, device=device)
    deformation = draw_deformation(
        half_extent(anatomy), box, g, affine=s.affine, rotation=s.rotation, warp=s.warp, device=device
    )
    return draw_brain(anatomy, deformation, g, ventricles=s.ventricles, atrophy=s.atrophy)


def _mix(shares: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Voxel averages (N,) of values by region and class."""
    return shares.flatten(1) @ values.flatten()


def _touched(shares: torch.Tensor, lesions: tuple[Lesion, ...], *changes: str) -> torch.Tensor:
    """The share (N,) of each voxel that is tissue in a lesion that changes any of `changes`."""
    numbers = [n for n, x in enumerate(lesions, start=1) if any(getattr(x, c) is not None for c in changes)]
    return shares[:, numbers][..., _TISSUE].sum((1, 2))


def _draw_flow(s: PhantomSettings, geometry, cells, shape, shares, lesions, m0, seed, blur) -> Flow:
    """What a head's perfusion is made of; its draws are the same whatever the delay."""
    g, device = stream(seed, 5), str(shares.device)
    healthy = draw_perfusion(
        g, gm_cbf=s.gm_cbf, ratio=s.gm_wm_ratio, regional=s.regional, asymmetry=s.asymmetry, device=device
    )
    relative = shape.relative(cells.centres)
    gains = torch.tensor([1.0, *(1.0 if x.perfusion is None else x.perfusion for x in lesions)], device=device)
    flow = gains[:, None] * healthy.by_class * m0  # the M0 of healthy tissue: a lesion's is not its blood's
    grey, white = (_mix(shares[..., kinds], flow[:, kinds]) for kinds in (_GREY, _WHITE))
    texture = draw_texture(cells.shape, uniform(g, *s.texture), g, device=device).flatten()[cells.index]
    variation = healthy.variation(cells.centres, relative) * texture
    arrival = draw_arrival(draw_seeds(stream(seed, 2), device=device), g, stenosis=s.stenosis)
    times = arrival(cells.centres, relative)
    vessels, waiting = uniform(g, 0, 1) < s.vessels, uniform(g, 0, 1)
    spots, arteries = (torch.zeros_like(grey) for _ in range(2))
    if vessels:
        spots = draw_arterial_spots(cells.shape, g, device=device).flatten()[cells.index]
        base = torch.tensor([-0.35 * geometry.shape[0] * geometry.spacing[2], -5.0, 0.0], device=device)
        image = draw_vessels(geometry.shape, geometry.spacing[::-1], base, g).flatten()[cells.index]
        inside = shares[..., [*_TISSUE, int(TissueClass.CSF)]].sum((1, 2)) > 0
        arteries = healthy.gm * image * inside
    share = waiting if vessels else 0.0
    return Flow(cells.shape, cells.index, grey, white, variation, times, arteries, share, spots, blur)
