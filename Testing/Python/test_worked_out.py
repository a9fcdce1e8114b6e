"""What a session keeps of slow functions: the same for the same images, and for nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from worked_out import PURE, once, put_everywhere

from ASLDenoiseLib.pipeline import preparation_steps, segmenting
from ASLDenoiseLib.preparing import motion
from ASLDenoiseLib.series import Geometry, Volume

GRID = Geometry((3, 4, 5), (2.0, 2.0, 2.0))


def image(value: float = 1.0, geometry: Geometry = GRID) -> Volume:
    return Volume(np.full(geometry.shape, value), geometry)


def test_the_same_images_are_worked_out_once_and_others_anew(tmp_path):
    calls = []

    def doubled(volume, *, times=2):
        calls.append(volume)
        return volume.with_array(times * volume.array)

    kept = once(doubled, tmp_path)
    first, again = kept(image()), once(doubled, tmp_path)(image())  # as another worker would ask
    np.testing.assert_array_equal(first.array, again.array)
    assert len(calls) == 1 and again.geometry == GRID
    moved = Geometry(GRID.size, GRID.spacing, (0.0, 0.0, 1e-3))
    for others in ((image(1.0 + 1e-6),), (image(geometry=moved),)):
        kept(*others)
    assert kept(image(), times=3).array[0, 0, 0] == 3.0 and len(calls) == 4


def test_errors_are_not_kept(tmp_path):
    def refuses(volume):
        raise ValueError("no brain")

    for _ in range(2):
        with pytest.raises(ValueError, match="no brain"):
            once(refuses, tmp_path)(image())
    assert list(tmp_path.iterdir()) == []


def test_they_are_put_wherever_the_library_has_bound_them_and_taken_away_again(tmp_path):
    before = preparation_steps.brain_mask
    with pytest.MonkeyPatch.context() as patch:
        for name in PURE:
            put_everywhere(name, tmp_path, patch.setattr)
        assert preparation_steps.brain_mask is motion.brain_mask is not before
        assert segmenting.tissue_from_t1.__wrapped__ and preparation_steps.register_rigid.__wrapped__
    assert preparation_steps.brain_mask is before
