"""Safety figures of an adaptation: each finds the fault it is for, in denoisers whose faults are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
from adapting_builders import small_scan

from ASLDenoiseLib.adapting.figures import Judged, errors_of, gain_figure, judged_by_halves, mean_figures
from ASLDenoiseLib.adapting.groups import raw_mean
from ASLDenoiseLib.adapting.handed_on import Answer
from ASLDenoiseLib.adapting.implants import noise_alone, with_another_heads
from ASLDenoiseLib.adapting.safety import (
    another_head_figure,
    coverage_figure,
    guide_lesion_figures,
    lesion_figures,
    noise_figure,
    removed_figure,
)
from ASLDenoiseLib.series import Geometry
from ASLDenoiseLib.spatial.smoothing import smooth_within

SD = 40.0 / 16**0.5


def plain(scan, deviation: float = SD) -> Answer:
    """The raw mean as it is."""
    array = raw_mean(scan).array
    return Answer(array, np.full(array.shape, deviation * (16 / len(scan.pairs.array)) ** 0.5, np.float32))


def smoothed(scan, fwhm: float = 9.0) -> Answer:
    """A mean that loses lesions and grey matter's edge."""
    array = smooth_within(raw_mean(scan).array, scan.brain.array > 0, scan.pairs.geometry.spacing, fwhm)
    return Answer(array, np.full(array.shape, 0.1, np.float32))


def painted(scan) -> Answer:
    """A brain out of the T1 alone, whatever the pairs say; without one the raw mean."""
    if len(scan.guides.maps) != 3:
        return plain(scan)
    _, grey, white = (volume.array for volume in scan.guides.maps)
    return Answer((60 * grey + 20 * white).astype(np.float32), None)


def answers(scan, *denoisers):
    return [denoise(scan) for denoise in denoisers]


def test_lesions_that_no_longer_come_through_are_found():
    scan = small_scan(16)
    figures = lesion_figures(scan, plain, smoothed, answers(scan, plain, smoothed))
    assert [figure.name for figure in figures] == [f"lesion_{k}_{n}" for n in (3, 4, 6) for k in ("hypo", "hyper")]
    assert all(figure.before == pytest.approx(1, abs=1e-3) for figure in figures)
    assert all(figure.after < 0.8 and not figure.met for figure in figures[:4])
    back = lesion_figures(scan, smoothed, plain, answers(scan, smoothed, plain))
    assert all(figure.met for figure in back)


def test_a_brain_out_of_noise_is_found():
    scan = small_scan(16)
    figure = noise_figure(scan, plain, painted, np.random.default_rng(0))
    assert not figure.met and figure.after == pytest.approx(100, abs=15) and abs(figure.before) < 15
    assert noise_figure(scan, painted, plain, np.random.default_rng(0)).met


def test_noise_alone_keeps_the_noise_and_no_perfusion():
    scan = small_scan(16)
    empty, inside = noise_alone(scan, np.random.default_rng(0)), scan.brain.array > 0
    assert empty.pairs.array[:, inside].std() == pytest.approx(40, rel=0.1)
    grey = scan.tissue.gm.array > 0
    assert abs(raw_mean(empty).array[grey].mean()) < 0.05 * raw_mean(scan).array[grey].mean()


def test_a_lesion_of_the_t1_that_becomes_perfusion_is_found():
    scan = small_scan(16)
    t1, m0 = guide_lesion_figures(scan, plain, painted, answers(scan, plain, painted))
    assert t1.before == 0 and t1.after > 100 and not t1.met
    assert m0.before == m0.after == 0 and m0.met


def test_an_interval_that_is_too_narrow_is_found():
    scan = small_scan(16)
    figure = coverage_figure(judged_by_halves(scan, plain, smoothed, np.random.default_rng(0)))
    assert figure.before == pytest.approx(95, abs=1.5)
    assert not figure.met and figure.after < 94


def test_tissue_that_is_removed_is_found():
    scan = small_scan(16)
    figure = removed_figure(scan, answers(scan, plain, smoothed))
    assert not figure.met and figure.after > 0.1
    assert removed_figure(scan, answers(scan, smoothed, smoothed)).met


def test_the_t1_of_another_head_that_is_believed_is_found():
    scan = small_scan(16, noise=10.0)
    judged = judged_by_halves(scan, plain, painted, np.random.default_rng(0), draws=1)[0]
    other = replace(small_scan(8, seed=3), guides=shifted(small_scan(8, seed=3)))
    figure = another_head_figure(judged, plain, painted, [other])
    assert figure.before == pytest.approx(0, abs=1e-6) and figure.after > 3 and not figure.met
    assert "scan-3" in figure.label


def shifted(scan):
    maps = tuple(v.with_array(np.roll(v.array, 5, axis=2)) for v in scan.guides.maps)
    return replace(scan.guides, maps=maps)


def test_without_another_head_on_the_grid_its_own_t1_is_mirrored_and_moved():
    scan, other = small_scan(8), small_scan(8, seed=1)
    grid = Geometry(scan.brain.geometry.size, (3.0, 3.0, 3.0))
    elsewhere = replace(other, pairs=replace(other.pairs, geometry=grid))
    misled, whose = with_another_heads(scan, [elsewhere])
    assert "mirrored" in whose
    assert not np.array_equal(misled.guides.maps[1].array, scan.guides.maps[1].array)
    assert misled.guides.maps[1].array.sum() == scan.guides.maps[1].array.sum()


def test_what_cannot_be_asked_says_so_and_stands_in_nobodys_way():
    scan = small_scan(8, t1=False)
    judged = judged_by_halves(scan, plain, plain, np.random.default_rng(0), draws=1)[0]
    for figure in (
        guide_lesion_figures(scan, plain, plain, answers(scan, plain, plain))[0],
        another_head_figure(judged, plain, plain, []),
    ):
        assert figure.met and np.isnan(figure.after) and figure.asked == "not asked: the scan has no T1"


def test_a_better_map_gains_by_more_than_its_standard_error_and_a_worse_one_does_not():
    scan = small_scan(16)
    splits = [judged_by_halves(scan, plain, painted, np.random.default_rng(0))]
    figure = gain_figure("scan_gain", "here", errors_of(splits), surely=1)
    assert figure.unit in ("dB", "%") and figure.met
    mild = lambda each: smoothed(each, 5.0)  # noqa: E731
    splits = [judged_by_halves(scan, mild, plain, np.random.default_rng(0))]
    figure = gain_figure("scan_gain", "here", errors_of(splits), surely=1)
    assert figure.unit == "dB" and not figure.met and figure.after == pytest.approx(0) and figure.before > 2
    same = [judged_by_halves(scan, plain, plain, np.random.default_rng(0))]
    assert not gain_figure("scan_gain", "here", errors_of(same), surely=1).met


def test_an_error_that_cannot_be_told_from_zero_is_told_in_per_cent():
    scan = small_scan(16, noise=200.0)
    judged = Judged.of(scan, np.arange(14), np.arange(14, 16), painted, painted)
    perfect = replace(judged, before=judged.after, after=Answer(raw_mean(judged.unseen).array, None))
    figure = gain_figure("scan_gain", "here", errors_of([[perfect]]), surely=1)
    assert figure.unit == "%" and np.isfinite([figure.before, figure.after, figure.error]).all()


def test_means_may_move_by_two_per_cent_of_the_raw_ones():
    scan = small_scan(16)
    raw = plain(scan)
    for share, met in ((1.015, True), (0.97, False)):
        grey, white = mean_figures(scan, raw, Answer(raw.difference * share, None))
        assert [grey.after, white.after] == pytest.approx([100 * (share - 1)] * 2, abs=0.01)
        assert grey.met is white.met is met
    noisy = small_scan(16, noise=600.0)  # the raw mean of white matter is itself known to some per cent
    grey, white = mean_figures(noisy, plain(noisy), Answer(1.03 * plain(noisy).difference, None))
    assert white.met and "its own standard error" in white.asked
    moved = Answer(raw.difference * 0.96, None)  # that they lay further off before is no excuse
    assert not any(figure.met for figure in mean_figures(scan, moved, Answer(raw.difference * 0.97, None)))
