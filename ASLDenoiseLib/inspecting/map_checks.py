"""Checks of perfusion images that the scanner has made: what it has done to them, and what they are to be judged by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..findings import Finding, FindingKind, note_kind
from ..preparing.brain_mask import shows_anatomy, was_masked
from ..preparing.image_noise import ImageNoise, image_noise
from ..remedies import Advice, GiveImage
from ..series import ASLSeries, VolumeType

if TYPE_CHECKING:
    from .inspection import Inspection

_SMOOTHED = 1.5  # voxels in plane; the blur of a readout alone leaves up to some 1.4
_FEWEST_AT_TOP = 20  # voxels of exactly the highest value: no noise gives so many
_LEAST_ZEROS = 0.005  # of the brain at exactly zero

_ONE_IMAGE = FindingKind(
    "noise-from-image",
    "There is a single perfusion image, so its noise is estimated from the image itself",
    "the differences of neighbours along all axes have the spread of a noise SD of {sigma:.3g} in the image's own "
    "unit; structure of a voxel's size counts as noise, and there are no repetitions to tell the two apart",
    Advice("read the denoised map beside the raw one, and see in the residual what was taken away"),
    GiveImage("t1", "to keep thin cortex, give a T1"),
    severities="note",
)
_SMOOTH = FindingKind(
    "map-smoothed",
    "The image was smoothed or interpolated before",
    "neighbouring voxels share their noise as after a Gaussian of {fwhm} mm, in voxels of {voxel} mm, so that it "
    "resolves less than its voxels promise",
    Advice("denoise the series it was made from where you can; small structures are blurred already"),
)
_MASKED = note_kind(
    "map-masked",
    "The image was masked before",
    "{share:.0f} % of its voxels are exactly zero or not a number; the brain is taken to be where it has values, "
    "{volume:.0f} ml, and the rest stays not measured",
    Advice("nothing need be done if the overlay shows all of the brain"),
)
_CLIPPED = FindingKind(
    "map-clipped",
    "The values of the image were cut off",
    "{cut}",
    Advice("export it without a limit; means of what is cut off are biased"),
    severities="warning or note",
    meaning="No value is negative, or many are exactly the highest: noise goes both ways and has no limit.",
)
_FROM_PERFUSION = FindingKind(
    "brain-from-perfusion",
    "The brain mask comes from the perfusion images themselves",
    "there is neither an M0 nor a control image, and nothing masked them; what is not perfused is missed",
    Advice("look at the mask in the overlay"),
    GiveImage("m0", "give an M0"),
)


def map_findings(inspection: Inspection) -> Iterator[Finding]:
    """Findings about images that are perfusion already, in no order; none of controls and labels."""
    series, differences = inspection.series, inspection.differences
    if differences is None or not is_ready(series) or inspection.preview is None:
        return
    noise = noise_of_single(inspection)
    if noise is not None:
        yield _ONE_IMAGE.finding(sigma=noise.sigma)
        yield from _smoothness(noise, series.geometry.spacing)
    if not shows_anatomy(series):
        yield from _mask(inspection)
    yield from _limits(inspection, series)


def noise_of_single(inspection: Inspection) -> ImageNoise | None:
    """The noise of a series of a single perfusion image, in its unit; None of others, or where it cannot be told."""
    series, brain = inspection.series, inspection.brain
    used = series.indices(*series.perfusion)
    if not is_ready(series) or len(used) != 1 or brain is None:
        return None
    return image_noise(series.array[used[0]], brain.array > 0, series.geometry.spacing)


def is_ready(series: ASLSeries) -> bool:
    """Whether perfusion is taken from images of it, CBF or difference, that the scanner has made."""
    return series.perfusion in ((VolumeType.CBF,), (VolumeType.DELTAM,))


def _smoothness(noise: ImageNoise, spacing: tuple[float, float, float]) -> Iterator[Finding]:
    in_plane = float(np.sqrt(np.prod(np.divide(noise.fwhm[:2], spacing[:2]))))
    if in_plane >= _SMOOTHED:
        fwhm, voxel = (" x ".join(f"{v:.2g}" for v in values) for values in (noise.fwhm, spacing))
        yield _SMOOTH.finding(fwhm=fwhm, voxel=voxel)


def _mask(inspection: Inspection) -> Iterator[Finding]:
    image = inspection.reference
    if not was_masked(image):
        yield _FROM_PERFUSION.finding()
    elif inspection.brain is not None:
        inside = inspection.brain.array > 0
        volume = float(inside.sum()) * image.geometry.voxel_volume / 1000
        yield _MASKED.finding(share=100 * (1 - inside.mean()), volume=volume)


def _limits(inspection: Inspection, series: ASLSeries) -> Iterator[Finding]:
    values = series.array[series.indices(*series.perfusion)][:, inspection.preview.brain]
    zeros, top = int((values == 0).sum()), float(values.max())
    at_top = int((values == top).sum())
    if not (values < 0).any():
        cut = zeros > _LEAST_ZEROS * values.size
        why = f"no voxel of the brain is below zero, and {zeros} are exactly zero: negative noise was set to zero"
        why = why if cut else "no voxel of the brain is below zero, as where negative values were set to zero"
        yield _CLIPPED.finding(severity="warning" if cut else "note", why=why)
    if at_top >= _FEWEST_AT_TOP and top > 0:
        yield _CLIPPED.finding(why=f"{at_top} voxels of the brain have exactly the highest value, {top:.4g}")
