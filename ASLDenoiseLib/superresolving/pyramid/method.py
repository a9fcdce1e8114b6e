"""Super-resolution by the multi-scale GAN: train on the one map, then apply the finest generator to it, interpolated.

The map is never seen at a finer scale than its own: what the generator adds on the target grid it has learnt between
coarser scales (section 2.2, equation 2).
"""

from __future__ import annotations

import numpy as np
import torch

from ...errors import InputError
from ...networks.pyramid_gan import PyramidGenerator
from ...progress import Progress, silent, span
from ...series import Origin, Parameter, Volume
from ..consistency import consistent
from ..forward import acquisition_model, spread_over
from ..resolver import LowResolution, SuperResolvedMap, aligned_grid, onto_target, with_residual
from .presets import PyramidSettings
from .scales import Scale, pyramid, scale_on
from .training import train_pyramid

_BLOCK = 192  # voxels of the target done at once: a head at 1 mm is one block, in less than 4 GB
_RIM = 16  # voxels of surroundings that the generator sees with a block
_FEWEST = 8  # voxels along the longest axis


def pyramid_gan(
    scan: LowResolution, *, settings: PyramidSettings, device: str = "cpu", progress: Progress = silent
) -> SuperResolvedMap:
    """Train the pyramid on `scan.low` and bring it to the target grid, then make it agree with the acquired map.

    The last step is ours, as for every method: the paper's output averages back to another map than was acquired.

    Raises:
        InputError: there is no T1, or the map is too small for a pyramid.
    """
    if scan.t1 is None:
        raise InputError("The pyramid GAN needs a T1 image; give one, or choose another method.")
    if max(scan.low.geometry.size) < _FEWEST:
        raise InputError(f"The map has fewer than {_FEWEST} voxels along every axis; a pyramid needs more.")
    most, held_out = scan.parts or (scan.low, None)
    scales = pyramid(most, scan.t1, scan.t1_to_asl, factor=settings.factor, coarsest=settings.coarsest)
    levels = scales[-1].levels
    other = None if held_out is None else held_out.array / levels.map
    generator = train_pyramid(scales, settings, held_out=other, device=device, progress=span(progress, 0.0, 0.9))
    progress(0.9, "making the fine map")
    grid = aligned_grid(scan)
    array = levels.map * apply_generator(generator, scale_on(scan.low, scan.t1, scan.t1_to_asl, grid, levels), device)
    array = np.where(spread_over(scan.measured, grid), array, np.nan)
    model = acquisition_model(grid, scan.low.geometry, point_spread=scan.point_spread, measured=np.isfinite(array))
    fine = consistent(
        Volume(array, grid, scan.low.unit), scan.low, scan.noise(), model, progress=span(progress, 0.95, 1.0)
    )
    used = (
        Parameter("pyramid_scales", len(scales), "", Origin.IMAGE),
        Parameter("pyramid_epochs", settings.epochs, "a scale, at most", Origin.DEFAULT),
        Parameter("seed", settings.seed, "", Origin.DEFAULT),
    )
    result = with_residual(scan, onto_target(scan, fine.array, grid), used=used)
    progress(1.0, "super-resolved")
    return result


def apply_generator(generator: PyramidGenerator, scale: Scale, device: str = "cpu") -> np.ndarray:
    """The generator's image of a scale (K, J, I), in blocks where it is larger than a head at 1 mm.

    Instance norms see their block alone, so blocks are as large as memory lets them be.
    """
    estimate = np.zeros(scale.map.shape, np.float32)
    with torch.no_grad():
        for first in np.ndindex(*(-(-n // _BLOCK) for n in estimate.shape)):
            inner = tuple(slice(f * _BLOCK, (f + 1) * _BLOCK) for f in first)
            outer = tuple(slice(max(0, s.start - _RIM), s.stop + _RIM) for s in inner)
            if not scale.measured[outer].any():
                continue
            image, t1 = (torch.as_tensor(a[outer], device=device)[None, None] for a in (scale.map, scale.t1))
            part = generator(image, t1)[0, 0].cpu().numpy()
            back = tuple(slice(i.start - o.start, i.stop - o.start) for i, o in zip(inner, outer, strict=True))
            estimate[inner] = part[back]
    return estimate
