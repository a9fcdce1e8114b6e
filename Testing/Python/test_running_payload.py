"""One object in one file: whole or not at all, exactly as it was, and what is known goes by its name."""

from __future__ import annotations

import numpy as np
import pytest

from ASLDenoiseLib.running.payload import read_payload, write_payload
from ASLDenoiseLib.series import Acquisition, ASLSeries, Geometry, Labeling, Origin, Volume

GRID = Geometry((4, 3, 2), (3.0, 3.0, 5.0), (1.0, 2.0, 3.0))


def series() -> ASLSeries:
    acquisition = Acquisition(Labeling.PCASL, 1.8, origins={"labeling": Origin.SIDECAR})
    array = np.arange(48.0).reshape(2, *GRID.shape)
    array[0, 0, 0, 0] = np.nan
    return ASLSeries(array, GRID, ("control", "label"), acquisition, m0=Volume(np.ones(GRID.shape), GRID))


def there_and_back(tmp_path, content, **known):
    write_payload(tmp_path / "a.payload", content, known=known)
    return read_payload(tmp_path / "a.payload", known=known)


def test_a_series_comes_back_exactly_and_stays_read_only(tmp_path):
    there = series()
    back = there_and_back(tmp_path, there)
    assert back.array.tobytes() == there.array.tobytes() and back.array.dtype == there.array.dtype
    assert not back.array.flags.writeable and not back.m0.array.flags.writeable
    assert (back.geometry, back.context, back.acquisition) == (there.geometry, there.context, there.acquisition)


def test_arrays_that_could_be_written_to_still_can(tmp_path):
    matrix = there_and_back(tmp_path, {"matrix": np.eye(4)})["matrix"]
    matrix[0, 0] = 2


@pytest.mark.parametrize(
    "array",
    [np.zeros((0, 3)), np.arange(24).reshape(4, 6)[::2, ::3], np.asfortranarray(np.eye(3)), np.array(1.5)],
    ids=["empty", "strided", "fortran", "scalar"],
)
def test_arrays_of_any_layout_come_back(tmp_path, array):
    np.testing.assert_array_equal(there_and_back(tmp_path, array), array)


def test_what_is_known_is_not_written_and_comes_back_as_the_readers_own(tmp_path):
    known = series()
    back = there_and_back(tmp_path, [known, known, known.m0], series=known)
    assert back[0] is known and back[1] is known
    assert back[2] is not known.m0 and np.array_equal(back[2].array, known.m0.array)
    write_payload(tmp_path / "large.payload", known)
    write_payload(tmp_path / "small.payload", known, known={"series": known})
    assert (tmp_path / "small.payload").stat().st_size < 100 < (tmp_path / "large.payload").stat().st_size


def test_what_cannot_be_written_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.payload"
    write_payload(path, "old")
    with pytest.raises(Exception, match=r"lambda|pickle"):
        write_payload(path, [np.ones(1000), lambda: None])
    assert read_payload(path) == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.payload"]


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    path = tmp_path / "a.payload"
    write_payload(path, np.ones(1000))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EOFError, match="cut short"):
        read_payload(path)
