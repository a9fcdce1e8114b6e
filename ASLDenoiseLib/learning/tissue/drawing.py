"""A head as the tissue network learns from it: a label map, bent, painted in a random contrast and scanned badly.

The way of SynthSeg (Billot et al., Med Image Anal 2023;86:102789): contrasts, resolutions, bias and crops are drawn so
widely that what is real lies within. Large tensors are made on the device, single numbers on the CPU.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from ...preparing.tissue_network import standard
from ..deformation import draw_rotation
from ..smooth import stream, uniform
from .heads import BRAIN, GREY, WHITE, HeadClass, PackedHead, classes_and_cavity

SIZE = (96, 112, 96)  # cells of 2 mm, k, j, i
TARGETS = ((HeadClass.CSF,), GREY, WHITE, (HeadClass.STEM,))  # of `preparing.tissue_network.CLASSES` after the rest
MODES = ("T1", "T2", "FLAIR", "PD", "free")
_CHANCES = (0.4, 0.12, 0.12, 0.12, 0.24)  # of the modes
# CSF, GM, WM, stem, then muscle, fat, skin, bone, marrow, eye, sinus, cord, mucosa
_PAINTED = {
    "T1": (0.18, 0.58, 0.95, 0.90, 0.5, 1.0, 0.6, 0.05, 0.6, 0.2, 0.5, 0.9, 0.5),
    "T2": (1.0, 0.55, 0.40, 0.42, 0.3, 0.8, 0.5, 0.05, 0.4, 1.0, 0.2, 0.45, 0.6),
    "FLAIR": (0.10, 0.80, 0.60, 0.62, 0.5, 0.9, 0.6, 0.05, 0.6, 0.2, 0.5, 0.6, 0.6),
    "PD": (0.95, 0.85, 0.72, 0.74, 0.3, 0.8, 0.5, 0.05, 0.4, 1.0, 0.4, 0.72, 0.6),
}
_AROUND = 4  # where in them the head around the brain begins
_KNOTS = ((6, 7, 6), (14, 16, 14), (24, 28, 24))  # of the coarse and of the fine warp, and where they are added


@dataclass(frozen=True)
class Drawing:
    """How far a drawn head may lie from its label map, a good scan and the table of values.

    Args:
        size: cells of 2 mm along k, j, i.
        rotation: degrees about each axis, +-.
        scale: of the head along each axis.
        shear: SD of the entries beside the diagonal.
        shift: mm along k, j, i, from and to.
        warp, fine_warp: largest SD of a displacement's control points, mm, some 32 and some 14 mm apart.
        contrast: +- about each value of the table.
        texture: largest relative SD within a class.
        lesions, stripped, thick, cropped: chances.
        bias: largest SD of the logarithm of the coil's sensitivity.
        noise: SD of either channel, from and to, where white matter of a T1 is about 1.
        gamma: +- of the logarithm of the exponent.
    """

    size: tuple[int, int, int] = SIZE
    rotation: float = 20.0
    scale: tuple[float, float] = (0.85, 1.2)
    shear: float = 0.06
    shift: tuple[tuple[float, float], ...] = ((-25.0, 15.0), (-12.0, 12.0), (-12.0, 12.0))
    warp: float = 4.0
    fine_warp: float = 1.5
    contrast: float = 0.12
    texture: float = 0.06
    lesions: float = 0.3
    stripped: float = 0.2
    thick: float = 0.5
    bias: tuple[float, float] = (0.0, 0.45)
    noise: tuple[float, float] = (0.005, 0.09)
    cropped: float = 0.3
    gamma: float = 0.35
    mixed: bool = True  # deep grey matter, cerebellum and the parts around the brain have values of their own


EASY = Drawing(
    contrast=0.0,
    lesions=0.0,
    stripped=0.0,
    thick=0.0,
    bias=(0.15, 0.15),
    noise=(0.02, 0.02),
    cropped=0.0,
    gamma=0.0,
    mixed=False,
)  # what a training is watched on: the same bends, a good scan


@dataclass(frozen=True, eq=False)
class DeviceHead:
    """The voxels of a `PackedHead` and the middle of its brain (3,), on the device."""

    voxels: torch.Tensor
    middle: torch.Tensor

    @classmethod
    def of(cls, head: PackedHead, device: str) -> DeviceHead:
        """A head put on a device."""
        middle = torch.as_tensor(head.middle, dtype=torch.float32, device=device)
        return cls(torch.from_numpy(head.voxels.copy()).to(device), middle)


class _Dice:
    """Where draws come from: single numbers from the CPU, fields from the device, both by one seed."""

    def __init__(self, seed: int, device: str) -> None:
        self.numbers = stream(seed, 0)
        self.fields = torch.Generator(device).manual_seed(stream(seed, 1).initial_seed())
        self.device = device

    def between(self, low: float, high: float) -> float:
        return uniform(self.numbers, low, high)

    def happens(self, chance: float) -> bool:
        return self.between(0.0, 1.0) < chance

    def noise(self, *shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=self.fields, device=self.device)


def draw_head(
    head: DeviceHead, seed: int, *, mode: str | None = None, drawing: Drawing | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw an image of a head, and the tissue in it; the same seed gives the same on the same device.

    Args:
        head: what is drawn from.
        seed: of every draw.
        mode: one of `MODES`; None: a random one, T1 most often.
        drawing: how far from the label map; None: `Drawing()`.

    Returns:
        The image (K, J, I), in the units of `standard`, and fractions (4, K, J, I) of `TARGETS`, 0..1.
    """
    drawing, dice = drawing or Drawing(), _Dice(seed, head.voxels.device.type)
    mode = mode or MODES[int(torch.multinomial(torch.tensor(_CHANCES), 1, generator=dice.numbers))]
    classes, cavity = classes_and_cavity(_looked_up(head, _places(drawing, dice) + head.middle[:, None, None, None]))
    target = _fractions(classes, cavity)
    image = _values(mode, drawing, dice)[classes.long()]
    image = _lesioned(_textured(image, drawing, dice), classes, drawing, dice)
    stripped = dice.happens(drawing.stripped)
    if stripped:
        image = image * _kept(classes, cavity, dice)
    image = _cells(image)
    image = _noisy(_biased(_thickened(image, drawing, dice), drawing, dice), stripped, drawing, dice)
    shown = _shown(image.shape, drawing, dice, image.device)
    image = standard(image * shown) ** math.exp(dice.between(-drawing.gamma, drawing.gamma))
    return image, target * shown


def _places(drawing: Drawing, dice: _Dice) -> torch.Tensor:
    """Where every mm of the image (3, 2K, 2J, 2I) lies in the label map, mm from the middle of the brain."""
    turn = torch.tensor(draw_rotation(drawing.rotation, dice.numbers), dtype=torch.float32)
    scale = torch.tensor([dice.between(*drawing.scale) for _ in range(3)])
    shear = torch.eye(3) + drawing.shear * torch.randn((3, 3), generator=dice.numbers) * (1 - torch.eye(3))
    matrix = turn @ shear @ torch.diag(scale)
    matrix[:, 2] *= -1.0 if dice.happens(0.5) else 1.0
    matrix = matrix.tolist()
    shape = tuple(2 * n for n in drawing.size)
    axes = [
        torch.arange(n, device=dice.device) - (n - 1) / 2 + dice.between(*by)
        for n, by in zip(shape, drawing.shift, strict=True)
    ]
    k, j, i = (axis.reshape([-1 if a == n else 1 for a in range(3)]) for n, axis in enumerate(axes))
    places = _warp(shape, drawing, dice)
    for row, place in zip(matrix, places, strict=True):
        place += row[0] * k + row[1] * j + row[2] * i
    return places


def _warp(shape: tuple[int, ...], drawing: Drawing, dice: _Dice) -> torch.Tensor:
    """A smooth displacement (3, 2K, 2J, 2I), mm."""
    warp = sum(
        _resized(dice.noise(3, *knots) * dice.between(0.0, most), _KNOTS[-1])
        for knots, most in zip(_KNOTS, (drawing.warp, drawing.fine_warp), strict=False)
    )
    return _resized(warp, shape)


def _looked_up(head: DeviceHead, places: torch.Tensor) -> torch.Tensor:
    """The voxels nearest to places (3, ...); beyond the label map is air."""
    index = torch.zeros(places.shape[1:], dtype=torch.long, device=places.device)
    inside = torch.ones_like(index, dtype=torch.bool)
    for size, place in zip(head.voxels.shape, places, strict=True):
        at = place.round().long()
        inside &= (at >= 0) & (at < size)
        index = index * size + at.clamp_(0, size - 1)
    return torch.where(inside, head.voxels.reshape(-1)[index], 0)


def _fractions(classes: torch.Tensor, cavity: torch.Tensor) -> torch.Tensor:
    """Fractions (4, K, J, I) of `TARGETS`; of CSF that of the cavity alone, not the spine's."""
    masks = [_any_of(classes, members) for members in TARGETS]
    masks[0] &= cavity
    return torch.stack([_cells(mask.float()) for mask in masks])


def _values(mode: str, drawing: Drawing, dice: _Dice) -> torch.Tensor:
    """A value for each `HeadClass`."""
    if mode == "free":
        painted = [dice.between(0.0, 1.0) for _ in _PAINTED["T1"]]
        if dice.happens(0.8):
            painted[3] = painted[2] + dice.between(-0.1, 0.1)  # the stem is mostly like white matter
    else:
        painted = [value + dice.between(-drawing.contrast, drawing.contrast) for value in _PAINTED[mode]]
        if drawing.mixed:
            painted[_AROUND:] = [value * dice.between(0.4, 1.5) for value in painted[_AROUND:]]
    csf, grey, white, stem, *around = painted
    deep, cerebellar_grey, cerebellar_white = 0.3, 0.0, 0.0
    if drawing.mixed:
        deep, cerebellar_grey = dice.between(-0.1, 0.75), dice.between(-0.08, 0.08)
        cerebellar_white = dice.between(-0.06, 0.06)
    deep = grey + (white - grey) * deep  # thalamus and pallidum hold white matter
    air = dice.between(0.0, 0.3) if mode == "free" and dice.happens(0.3) else 0.0
    brain = (csf, grey, deep, grey + cerebellar_grey, white, white + cerebellar_white, stem)
    return torch.tensor([air, *brain, *around], device=dice.device)


def _textured(image: torch.Tensor, drawing: Drawing, dice: _Dice) -> torch.Tensor:
    """An image whose classes are not of one value."""
    sd = dice.between(0.0, drawing.texture)
    return image * (1 + sd * _resized(dice.noise(1, *_KNOTS[-1]), image.shape)[0])


def _lesioned(image: torch.Tensor, classes: torch.Tensor, drawing: Drawing, dice: _Dice) -> torch.Tensor:
    """An image with a few balls of another value in the brain, which stay the tissue that they were."""
    if not dice.happens(drawing.lesions):
        return image
    brain, places = _any_of(classes, BRAIN), [torch.arange(n, device=image.device) for n in image.shape]
    for _ in range(int(dice.between(1, 6))):
        parts = [(at - dice.between(0.25, 0.75) * len(at)) ** 2 for at in places]
        distance = parts[0][:, None, None] + parts[1][None, :, None] + parts[2][None, None]
        ball = (distance < dice.between(2.0, 14.0) ** 2) & brain
        image = torch.where(ball, 0.3 * image + 0.7 * dice.between(0.0, 1.0), image)
    return image


def _kept(classes: torch.Tensor, cavity: torch.Tensor, dice: _Dice) -> torch.Tensor:
    """What a brain extraction leaves: cavity or brain, tight or with a rim of 2 mm."""
    kept = (cavity if dice.happens(0.5) else _any_of(classes, BRAIN)).float()
    return F.max_pool3d(kept[None, None], 5, 1, 2)[0, 0] if dice.happens(0.5) else kept


def _thickened(image: torch.Tensor, drawing: Drawing, dice: _Dice) -> torch.Tensor:
    """An image as if it came from slices of up to 8 mm along one axis."""
    if not dice.happens(drawing.thick):
        return image
    size, axis = list(image.shape), int(dice.between(0, 3))
    size[axis] = max(8, int(size[axis] / dice.between(1.2, 4.0)))
    thick = F.interpolate(image[None, None], size=size, mode="area")
    return F.interpolate(thick, size=image.shape, mode="trilinear")[0, 0]


def _biased(image: torch.Tensor, drawing: Drawing, dice: _Dice) -> torch.Tensor:
    """An image under a coil's sensitivity."""
    return image * _resized(dice.noise(1, 4, 4, 4) * dice.between(*drawing.bias), image.shape)[0].exp()


def _noisy(image: torch.Tensor, stripped: bool, drawing: Drawing, dice: _Dice) -> torch.Tensor:
    """A magnitude of two noisy channels; where the head was stripped, mostly nothing outside."""
    real, imaginary = dice.noise(2, *image.shape) * dice.between(*drawing.noise)
    noisy = ((image + real) ** 2 + imaginary**2).sqrt()
    return torch.where(image == 0, 0.0, noisy) if stripped and dice.happens(0.7) else noisy


def _shown(shape: torch.Size, drawing: Drawing, dice: _Dice, device: torch.device) -> torch.Tensor:
    """1 where the scan covers the head, else 0, (K, J, I): mostly cut at top and bottom, if at all."""
    shown = torch.ones(shape, device=device)
    if dice.happens(drawing.cropped):
        for axis, chance in enumerate((0.8, 0.15, 0.15)):
            if dice.happens(chance):
                size = shape[axis]
                low, high = int(dice.between(0.0, 0.35) * size), int(dice.between(0.6, 1.0) * size)
                shown.narrow(axis, 0, low).zero_()
                shown.narrow(axis, high, size - high).zero_()
    return shown


def _any_of(classes: torch.Tensor, members: tuple[HeadClass, ...]) -> torch.Tensor:
    """Where classes are one of some."""
    return torch.isin(classes, torch.tensor([int(member) for member in members], device=classes.device))


def _cells(fine: torch.Tensor) -> torch.Tensor:
    """Means over cells of 2 x 2 x 2 voxels."""
    return F.avg_pool3d(fine[None, None], 2)[0, 0]


def _resized(field: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Fields (C, ...) interpolated linearly to a shape."""
    return F.interpolate(field[None], size=tuple(shape), mode="trilinear", align_corners=True)[0]
