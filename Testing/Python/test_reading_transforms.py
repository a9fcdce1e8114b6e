"""Linear transforms from ITK files, in the direction that moves the T1."""

from __future__ import annotations

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.reading.transforms import read_transform

sitk = pytest.importorskip("SimpleITK")


@pytest.mark.parametrize("suffix", [".tfm", ".txt", ".h5"])
def test_a_file_that_resamples_the_t1_onto_the_series_moves_its_points_there(tmp_path, suffix):
    onto_t1 = sitk.Euler3DTransform((1.0, 2.0, 3.0), 0.2, -0.1, 0.3, (5.0, -7.0, 11.0))
    path = tmp_path / f"t1_to_asl{suffix}"
    sitk.WriteTransform(onto_t1, str(path))
    place = (20.0, -30.0, 40.0)
    moved = read_transform(path) @ [*onto_t1.TransformPoint(place), 1.0]
    np.testing.assert_allclose(moved[:3], place, atol=1e-6)


def test_a_warp_a_text_and_a_missing_file_are_refused_in_words(tmp_path):
    warp = tmp_path / "warp.h5"
    field = sitk.Image((4, 4, 4), sitk.sitkVectorFloat64, 3)
    sitk.WriteTransform(sitk.DisplacementFieldTransform(field), str(warp))
    text = tmp_path / "notes.txt"
    text.write_text("no transform")
    refusals = ((warp, "is a warp"), (text, "no ITK transform"), (tmp_path / "none.tfm", "There is no transform"))
    for path, words in refusals:
        with pytest.raises(InputError, match=words):
            read_transform(path)
