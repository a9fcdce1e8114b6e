"""A BOLD run as it comes from a file: averaged over pairs, its brain found, or refused in a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..preparing.brain_mask import brain_mask
from ..reading.images import image_stem, read_array4d, read_image
from ..series import Geometry, Volume

PAIRS, PLAIN = "pairs", "plain"
LEAST = 4  # images, of which a change against their mean can be told
_AXIAL = 0.7  # cosine of the slices' axis and the head's: within 45 degrees


@dataclass(frozen=True, eq=False)
class BoldRun:
    """Images (T, K, J, I) of a run, any unit.

    Args:
        images: one a control/label pair, or one a volume.
        geometry: their grid.
        brain: 0/1.
        name: of the file, for names of results.
        source: the file.
        averaged: how images came of volumes, in a sentence.
    """

    images: np.ndarray
    geometry: Geometry
    brain: Volume
    name: str
    source: str
    averaged: str

    @property
    def mean(self) -> Volume:
        """The mean of the run, NaN where any image is not measured."""
        return Volume(self.images.mean(0), self.geometry, name="mean BOLD")

    @property
    def level(self) -> float:
        """The mean over brain and run."""
        return float(self.images[:, self.brain.array > 0].mean())


def read_bold(path: Path, *, volumes: str = PAIRS, mask: Path | None = None) -> BoldRun:
    """Read the second echo of a dual-echo run, or another BOLD run.

    Args:
        path: 4D NIfTI.
        volumes: ``pairs``: label and control take turns, and two successive volumes are averaged; ``plain``: each
            volume as it is.
        mask: of the brain, on the same grid; None finds it.

    Raises:
        InputError: the file cannot be read, is too short, has an odd volume, or slices that are not axial.
    """
    path = Path(path)
    array, geometry = read_array4d(path)
    if abs(np.reshape(geometry.direction, (3, 3))[2, 2]) < _AXIAL:
        raise InputError(f"The slices of {path} are not axial, as those that the network learned from; give others.")
    array, averaged = average_volumes(array, volumes=volumes, called=str(path))
    measured = np.isfinite(array).all(0)
    mean = Volume(np.where(measured, array.mean(0), np.nan), geometry, name="mean BOLD")
    if mask is None:
        brain = brain_mask(mean)
    else:
        brain = read_image(mask)
        if not brain.geometry.matches(geometry):
            raise InputError(f"The mask {mask} is not on the grid of {path}; give one that is.")
    inside = (brain.array > 0) & measured
    if not inside.any():
        raise InputError(f"The mask {mask} holds no voxel that {path} measured; give one of the brain.")
    if not float(array[:, inside].mean()) > 0:
        raise InputError(f"{path} has no signal in the brain; give the magnitude images of the second echo.")
    run_brain = mean.with_array(inside.astype(np.float32), name="brain")
    return BoldRun(array, geometry, run_brain, image_stem(path), str(path), averaged)


def average_volumes(array: np.ndarray, *, volumes: str, called: str) -> tuple[np.ndarray, str]:
    """Images (T, K, J, I) of volumes, and a sentence on how.

    Raises:
        InputError: an odd number where pairs are asked for, or too few.
    """
    count = len(array)
    if volumes == PAIRS and count % 2:
        raise InputError(
            f"{called} has {count} volumes, which are no pairs of label and control; give --volumes plain if they are "
            "none."
        )
    if volumes == PAIRS:
        array = (array[0::2] + array[1::2]) / 2
        text = f"{count} volumes, label and control in turn, averaged two by two to {len(array)} images."
    else:
        text = f"{count} volumes as they are, none averaged."
    if len(array) < LEAST:
        raise InputError(f"{called} gives {len(array)} BOLD images, fewer than {LEAST}; give the whole 4D run.")
    return array, text
