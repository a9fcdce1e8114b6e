"""An infinite voxel is one that was not measured, as NaN is, wherever it comes in."""

from __future__ import annotations

import warnings

import nibabel
import numpy as np
import pytest
from reading_builders import PAIRS, head, save, series_array, write_series

from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.inspecting.inspection import inspect
from ASLDenoiseLib.reading.images import read_image
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import ASLSeries, Geometry, Volume

GRID = Geometry((4, 3, 2), (1.0, 1.0, 1.0))


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300])
def test_a_volume_and_a_series_made_in_memory_hold_nan_in_place_of_infinity(value):
    array = np.ones(GRID.shape)
    array[0, 1, 2] = value
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        volume = Volume(array, GRID)
        series = ASLSeries(array[None], GRID, ("cbf",), m0=volume)
    for held in (volume.array, series.array[0], series.m0.array):
        assert np.isnan(held[0, 1, 2]) and np.isfinite(held).sum() == held.size - 1
    assert array[0, 1, 2] == value  # what was given is not changed


def test_an_array_without_infinities_is_shared_and_not_copied():
    array = np.ones(GRID.shape, np.float32)
    assert np.shares_memory(Volume(array, GRID).array, array)


def test_an_array_that_holds_no_real_numbers_is_refused():
    with pytest.raises(InputError, match="no real numbers"):
        Volume(np.ones(GRID.shape, complex), GRID)


def test_an_infinite_voxel_of_a_file_is_nan(tmp_path):
    values = head()
    values[3, 4, 5], values[5, 4, 3] = np.inf, -np.inf
    array = read_image(save(tmp_path / "x.nii.gz", values)).array
    assert np.isnan(array[5, 4, 3]) and np.isnan(array[3, 4, 5]) and np.isnan(array).sum() == 2


@pytest.mark.runs
def test_a_run_treats_infinite_voxels_as_it_treats_nan(tmp_path, capsys):
    found = {}
    for name, value in (("inf", np.inf), ("nan", np.nan)):
        array = series_array(noise=5.0)
        array[10:12, 12:14, 8, 3] = value
        path = write_series(tmp_path / name, array=array)
        finding = next(f for f in inspect(read_series(path)) if f.code == "nan-voxels")
        assert finding.why.startswith("4 voxels") and "infinite" in finding.why
        out = tmp_path / name / "out"
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            assert main(["quantify", str(path), "--out", str(out), "--progress", "none", "--no-scene"]) == 0
        assert "head moved" not in capsys.readouterr().out
        found[name] = {p.name: nibabel.load(p).get_fdata() for p in sorted(out.glob("*.nii.gz"))}
        assert found[name] and len(PAIRS) == array.shape[-1]
    for name, values in found["inf"].items():
        assert not np.isinf(values).any()
        np.testing.assert_array_equal(values, found["nan"][name])
