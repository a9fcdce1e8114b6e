"""The maps of a study in MNI space: by hand, over participants, with what is not measured, and as pictures."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

from ASLDenoiseLib.group import maps
from ASLDenoiseLib.group.map_figures import as_shown, map_figures
from ASLDenoiseLib.group.maps import GroupMaps, group_maps
from ASLDenoiseLib.group.online import Correlation, Moments
from ASLDenoiseLib.group.record import ScanRecord, Status
from ASLDenoiseLib.preparing.template import MNI_GRID
from ASLDenoiseLib.reporting.derivatives import save_volume
from ASLDenoiseLib.series import CBF_UNIT, SCANNER_UNIT, Geometry, Volume

SMALL = Geometry((3, 2, 2), (2.0, 2.0, 2.0), (90.0, 126.0, -72.0))
SPACE = "space-MNI152NLin2009aSym"


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(maps, "MNI_GRID", SMALL)


def add(out: Path, name: str, raw, processed=None, *, unit: str = CBF_UNIT) -> ScanRecord:
    """A scan whose maps have one value everywhere, or the values of an array."""
    parts = dict(part.split("-", 1) for part in name.split("_"))
    person, session = parts["sub"], parts.get("ses", "")
    place = f"sub-{person}/perf"
    (out / place).mkdir(parents=True, exist_ok=True)
    for key, value in (("desc-mean_cbf", raw), ("desc-denoised_cbf", processed)):
        if value is not None:
            array = np.broadcast_to(np.asarray(value, np.float32), SMALL.shape).copy()
            save_volume(Volume(array, SMALL, unit), out / place / f"{name}_{SPACE}_{key}.nii.gz")
    keys = {"unit": unit, "raw_map": "desc-mean_cbf", "processed_map": "desc-denoised_cbf"}
    return ScanRecord(name, person, session, Status.DONE, "digest", folder=place, values=keys)


def made(out: Path, scans: dict) -> GroupMaps:
    (out / "group").mkdir()
    return group_maps(out, [add(out, name, *values) for name, values in scans.items()], out / "group")


def at(found: GroupMaps, key: str, place=(0, 0, 0)) -> float:
    return float(found.maps[key].array[place])


def test_means_and_sds_are_over_participants_whose_sessions_are_averaged_first(tmp_path):
    found = made(
        tmp_path,
        {"sub-01_ses-1": (40, 41), "sub-01_ses-2": (60, 61), "sub-02_ses-1": (30, 31), "sub-03_ses-1": (70, 71)},
    )
    assert (found.participants, found.scans, found.unit, found.sessions) == (3, 4, CBF_UNIT, ("1", "2"))
    assert at(found, "raw_mean") == pytest.approx(50) and at(found, "raw_sd") == pytest.approx(20)  # 50, 30, 70
    assert at(found, "processed_mean") == pytest.approx(51) and at(found, "raw_n") == 3


def test_what_is_not_measured_is_left_out_voxel_by_voxel(tmp_path):
    hole = np.full(SMALL.shape, 90.0)
    hole[0, 0, 0] = np.nan
    found = made(tmp_path, {"sub-01": (10, 10), "sub-02": (30, 30), "sub-03": (hole, hole)})
    assert at(found, "raw_n") == 2 and at(found, "raw_mean") == 20
    assert at(found, "raw_sd") == pytest.approx(np.std([10, 30], ddof=1))
    assert at(found, "raw_n", (1, 1, 2)) == 3 and at(found, "raw_mean", (1, 1, 2)) == pytest.approx(130 / 3)
    assert np.isnan(at(found, "correlation")) and at(found, "correlation", (1, 1, 2)) == pytest.approx(1)


def test_the_correlation_is_pearson_s_r_over_participants_and_the_file_keeps_every_r(tmp_path):
    raw, processed = [50.0, 60.0, 55.0, 70.0], [52.0, 49.0, 58.0, 50.0]
    found = made(tmp_path, {f"sub-{n:02}": pair for n, pair in enumerate(zip(raw, processed, strict=True))})
    r = np.corrcoef(raw, processed)[0, 1]
    assert r < 0 and at(found, "correlation") == pytest.approx(r, abs=1e-6)
    path = tmp_path / "group" / f"{SPACE}_desc-rawprocessed_stat-r_cbf.nii.gz"
    assert path in found.files and nibabel.load(path).get_fdata()[0, 0, 0] == pytest.approx(r, abs=1e-6)
    np.testing.assert_array_equal(as_shown(np.array([r, 0.29, 0.31, np.nan])), [0, 0, 0.31, np.nan])


def test_two_participants_give_no_correlation(tmp_path):
    found = made(tmp_path, {"sub-01": (10, 20), "sub-02": (20, 50)})
    assert "correlation" not in found.maps and at(found, "raw_mean") == 15


def test_sessions_are_correlated_over_the_participants_that_have_both(tmp_path):
    first, second = [50.0, 60.0, 70.0], [51.0, 58.0, 71.0]
    scans = {f"sub-{n:02}_ses-{s}": (v[n],) for n in range(3) for s, v in (("a", first), ("b", second))}
    found = made(tmp_path, {**scans, "sub-09_ses-a": (500.0,)})
    assert found.sessions == ("a", "b")
    assert at(found, "raw_sessions") == pytest.approx(np.corrcoef(first, second)[0, 1], abs=1e-5)
    assert "processed_sessions" not in found.maps and "processed_mean" not in found.maps


def test_all_scans_are_one_file_whose_table_says_which_volume_is_whose(tmp_path):
    found = made(tmp_path, {"sub-02_ses-1": (7, 8), "sub-01_ses-2": (5, None), "sub-01_ses-1": (3, 4)})
    stack = tmp_path / "group" / f"{SPACE}_desc-raw_stat-all_cbf.nii.gz"
    image = nibabel.load(stack)
    assert image.shape == (*SMALL.size, 3) and image.get_data_dtype() == np.float32
    np.testing.assert_allclose(image.affine, SMALL.affine_ras, atol=1e-5)
    np.testing.assert_array_equal(image.get_fdata()[2, 1, 1], [3, 5, 7])
    table = stack.with_name(stack.name.replace(".nii.gz", ".tsv")).read_text("utf-8").splitlines()
    assert table[2].split("\t") == ["1", "sub-01_ses-2", "01", "2"]
    processed = nibabel.load(stack.with_name(stack.name.replace("raw", "processed")))
    np.testing.assert_array_equal(processed.get_fdata()[0, 0, 0], [4, 8])
    assert {stack, stack.with_name(stack.name.replace(".nii.gz", ".tsv"))} <= set(found.files)


def test_of_many_scans_the_one_file_is_left_out_with_a_word(tmp_path, monkeypatch):
    monkeypatch.setattr(maps, "MOST_STACKED", 2)
    found = made(tmp_path, {"sub-01": (10,), "sub-02": (20,), "sub-03": (60,)})
    assert not list((tmp_path / "group").glob("*stat-all*")) and at(found, "raw_mean") == 30
    assert any("all 3 scans are not put into one file" in note for note in found.notes)


def test_scans_without_maps_in_scanner_units_or_with_a_broken_file_are_left_out_and_named(tmp_path):
    (tmp_path / "group").mkdir()
    records = [add(tmp_path, f"sub-0{n}", 10 * n) for n in (1, 2)]
    records.append(add(tmp_path, "sub-03", 99, unit=SCANNER_UNIT))
    records.append(add(tmp_path, "sub-04", None))
    broken = add(tmp_path, "sub-05", 50)
    (tmp_path / "sub-05" / "perf" / f"sub-05_{SPACE}_desc-mean_cbf.nii.gz").write_bytes(b"no image")
    elsewhere = add(tmp_path, "sub-06", None)
    other = Volume(np.ones((2, 2, 2)), Geometry((2, 2, 2), (3.0, 3.0, 3.0)), CBF_UNIT)
    save_volume(other, tmp_path / "sub-06" / "perf" / f"sub-06_{SPACE}_desc-mean_cbf.nii.gz")
    found = group_maps(tmp_path, [*records, broken, elsewhere], tmp_path / "group")
    assert found.participants == 2 and at(found, "raw_mean") == 15
    told = " ".join(found.notes)
    assert "1 (sub-04) of 6 scans without a map" in told and "1 (sub-03) of 6 scans in scanner units" in told
    assert "sub-05" in told and "sub-06_space-MNI152NLin2009aSym_desc-mean_cbf.nii.gz is not on the template's" in told
    stack = nibabel.load(tmp_path / "group" / f"{SPACE}_desc-raw_stat-all_cbf.nii.gz")
    np.testing.assert_array_equal(stack.get_fdata()[0, 0, 0], [10, 20, np.nan, np.nan])


def test_a_study_without_any_map_in_mni_space_says_so_and_writes_nothing(tmp_path):
    (tmp_path / "group").mkdir()
    found = group_maps(tmp_path, [add(tmp_path, "sub-01", None)], tmp_path / "group")
    assert found.maps == {} and found.files == () and "1 (sub-01) of 1 scans" in found.notes[0]
    assert map_figures(found) == ()


def test_online_figures_are_those_of_all_maps_at_once_and_keep_small_differences_of_large_values():
    rng = np.random.default_rng(0)
    one, other = 1e6 + rng.normal(0, 1, (2, 9, 5))
    one[3, 2] = other[5, 2] = np.nan
    moments, correlation = Moments((5,)), Correlation((5,))
    for x, y in zip(one, other, strict=True):
        moments.add(x)
        correlation.add(x, y)
    np.testing.assert_allclose(moments.mean, np.nanmean(one, axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.sd, np.nanstd(one, axis=0, ddof=1), rtol=1e-8)
    both = np.isfinite(one) & np.isfinite(other)
    direct = [np.corrcoef(one[both[:, n], n], other[both[:, n], n])[0, 1] for n in range(5)]
    np.testing.assert_allclose(correlation.r, direct, atol=1e-8)
    same = Correlation((1,))
    for _ in range(4):
        same.add(np.ones(1), np.ones(1))
    assert np.isnan(same.r).all() and np.isnan(Moments((1,)).mean).all()


def test_the_pictures_have_words_units_and_the_cut_at_r():
    rng = np.random.default_rng(0)
    arrays = {key: rng.uniform(0, 60, MNI_GRID.shape) for key in ("raw_mean", "processed_mean", "raw_sd")}
    arrays["correlation"] = rng.uniform(-1, 1, MNI_GRID.shape)
    found = GroupMaps(4, 8, CBF_UNIT, {key: Volume(a, MNI_GRID) for key, a in arrays.items()}, sessions=("1", "2"))
    figures = map_figures(found, slices=2)
    assert len(figures) == 3 and all(figure.png.startswith(b"\x89PNG") for figure in figures)
    assert figures[0].caption == "Mean over 4 participants (8 scans), in ml/100g/min."
    assert "Below r = 0.3 it is shown as 0" in figures[2].caption and "hardly known" in figures[2].caption
