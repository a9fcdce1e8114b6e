"""Several M0 volumes: laid on each other before they are averaged, and what is no M0 is left out and named."""

from __future__ import annotations

import numpy as np
import pytest
from m0_builders import codes, grey_matter, m0_of, tissues, write
from reading_builders import refusal

from ASLDenoiseLib.inspecting.inspection import inspect
from ASLDenoiseLib.m0_source import M0Source
from ASLDenoiseLib.reading.read import read_series

STILL = m0_of(tissues())
MOVED = m0_of(tissues((0, 7, 2, 4, 0, 0)))


@pytest.mark.parametrize("where", ["included", "separate"])
def test_volumes_between_which_the_head_moved_are_laid_on_the_one_that_lies_on_the_series(tmp_path, where):
    path = write(tmp_path, **{where: [MOVED, STILL]})
    series = read_series(path)
    first, second = series.m0_source.moved
    assert (second, series.m0_source.apart) == (0.0, (0.0, 0.0))
    assert first == pytest.approx(8.2, abs=0.8)
    inside = tissues()["gm"].T > 0.8
    assert np.abs(series.m0.array / STILL.T - 1)[inside].mean() < 0.01
    finding = codes(inspect(series))["m0-volumes-moved"]
    assert finding.severity.value == "note" and f"{first:.1f} mm" in finding.why
    value, off = grey_matter(series)
    assert value == pytest.approx(60, rel=0.02) and off < 0.02


def test_volumes_of_a_still_head_are_averaged_voxel_by_voxel(tmp_path):
    random = np.random.default_rng(1)
    volumes = [STILL + random.normal(0, 10, STILL.shape) for _ in range(3)]
    slightly = m0_of(tissues((0.2, 0.2, 0, 0, 0, 0)))
    series = read_series(write(tmp_path, separate=[*volumes, slightly]))
    np.testing.assert_allclose(series.m0.array, np.mean([*volumes, slightly], axis=0).T, atol=1e-3)
    assert series.m0_source.moved == (0.0,) * 4
    assert not {"m0-volumes-moved", "m0-volumes-left-out", "m0-volumes-uneven"} & codes(inspect(series)).keys()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (np.zeros_like(STILL), "volume 2 is blank"),
        (np.full_like(STILL, np.nan), "volume 2 is blank"),
        (np.random.default_rng(2).normal(0, 20, STILL.shape), "volume 2 is at 0.0"),
        (np.abs(np.random.default_rng(3).normal(0, 1000, STILL.shape)), "volume 2 shows something else"),
    ],
)
def test_a_volume_that_is_no_m0_is_left_out_and_named(tmp_path, wrong, says):
    series = read_series(write(tmp_path, separate=[STILL, wrong, STILL]))
    np.testing.assert_allclose(series.m0.array, STILL.T, atol=1e-3)
    finding = codes(inspect(series))["m0-volumes-left-out"]
    assert finding.severity.value == "warning" and says in finding.why


def test_volumes_of_different_brightness_are_named(tmp_path):
    series = read_series(write(tmp_path, separate=[STILL, 0.7 * STILL]))
    assert "volume 2 at 0.70" in codes(inspect(series))["m0-volumes-uneven"].why
    np.testing.assert_allclose(series.m0.array, 0.85 * STILL.T, atol=1e-3)


def test_of_volumes_with_several_repetition_times_those_of_the_longest_are_averaged(tmp_path):
    short = STILL * (1 - np.exp(-2 / 1.607))
    times = [4.0] * 16 + [2.0, 6.0, 6.0]
    path = write(tmp_path, included=[short, STILL, STILL], sidecar={"RepetitionTimePreparation": times})
    series = read_series(path)
    assert series.acquisition.m0_repetition_time == 6.0
    assert series.m0_source.volumes == (18, 19)
    assert "volume 17 has a repetition time of 2 s" in codes(inspect(series))["m0-volumes-left-out"].why
    assert grey_matter(series)[0] == pytest.approx(60, rel=0.02)
    separate = write(
        tmp_path / "b", separate=[short, STILL, STILL], m0_sidecar={"RepetitionTimePreparation": [2.0, 6.0, 6.0]}
    )
    assert grey_matter(read_series(separate))[0] == pytest.approx(60, rel=0.02)


def test_an_m0_without_a_positive_voxel_is_refused_in_one_sentence(tmp_path):
    refusal(read_series, write(tmp_path, separate=-STILL), mentions=("no positive value", "--m0"))


def test_how_an_m0_was_made_comes_back_from_json_and_nonsense_is_refused(tmp_path):
    made = M0Source("m0", (1, 3), (0.0, 2.5), (0.0, 0.0), (1.0, 0.9), ("volume 2 is blank",), (), ("j", "j-"))
    assert M0Source.from_plain(made.to_plain()) == made
    assert M0Source.from_plain(None) is None
    refusal(M0Source.from_plain, {"volumes": ["two"]}, mentions=("two", "remove"))
