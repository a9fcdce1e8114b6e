"""The null benchmark finds a brain, a lesion or a find where there is one, and none in noise: by hand-made gels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from scipy.ndimage import gaussian_filter1d

from ASLDenoiseLib.series import ASLSeries, Geometry, Tissue, VolumeType
from Testing.Benchmarks import null
from Testing.Benchmarks.library import null_figures, null_scans
from Testing.Benchmarks.library.null_figures import Answer

GRID = Geometry((40, 36, 14), (3.0, 3.0, 5.0))


def gel_series(*, pairs: int = 8, smooth: float = 0.0, first: float = 1.0) -> ASLSeries:
    """A block of signal 1000 in noise of SD 5 a volume; the first pair is `first` times as bright."""
    rng = np.random.default_rng(0)
    block = np.zeros(GRID.shape)
    block[:, 6:30, 6:34] = 1000.0
    noise = rng.normal(0, 5, (2 * pairs, *GRID.shape))
    if smooth:
        noise = gaussian_filter1d(noise, smooth, axis=3)
    array = block + noise
    array[:2] += (first - 1) * block
    return ASLSeries(array.astype(np.float32), GRID, (VolumeType.LABEL, VolumeType.CONTROL) * pairs)


@pytest.fixture(scope="module")
def case():
    return null_scans.as_gel(null_scans.null_scan("gel", gel_series()))


def with_head(case):
    """Grey stripes in white, as guides and as tissue."""
    grey = (np.indices(GRID.shape)[2] // 4 % 2).astype(float)
    gm, wm = (case.brain.with_array(a * case.brain.array) for a in (grey, 1 - grey))
    return replace(case, guides=(gm, wm), tissue=Tissue(gm, wm, None, case.brain, "by hand"))


def test_the_gel_is_what_shines_and_a_pair_suppressed_otherwise_is_left_out():
    scan = null_scans.null_scan("gel", gel_series(first=2.4))
    expected = np.zeros(GRID.shape, bool)
    expected[:, 6:30, 6:34] = True
    np.testing.assert_array_equal(scan.inside, expected)
    assert len(scan.pairs.context) == 7
    assert scan.control.array[scan.inside].mean() == pytest.approx(1000, rel=0.01)


def test_the_plain_mean_of_noise_is_beyond_its_interval_as_often_as_chance_has_it(case):
    for count in (8, 3):
        part = null_scans.portions(case, count, most=1)[0]
        answer = null_figures.raw_answer(part)
        share = null_figures.beyond(answer.difference, answer.sd, part.inside)
        low, high = null_figures.band(null_figures.independent_voxels(case))
        assert low <= share <= high
    offset = part.raw.array + 10 * np.sqrt(2)
    assert null_figures.beyond(offset, answer.sd, part.inside) > 0.2


def test_noise_that_neighbours_share_amounts_to_fewer_voxels(case):
    smooth = null_scans.as_gel(null_scans.null_scan("gel", gel_series(smooth=1.0)))
    voxels = case.inside.sum()
    assert null_figures.independent_voxels(case) == pytest.approx(voxels, rel=0.02)
    # r = exp(-1/4) along i; 1 + 2 (r^2 + r^8 + r^18 + ...) = 2.51
    assert null_figures.independent_voxels(smooth) == pytest.approx(voxels / 2.51, rel=0.05)


def test_chance_has_a_binomial_range():
    assert null_figures.band(100) == (0.01, 0.10)
    low, high = null_figures.band(1e6)
    assert low == pytest.approx(0.05 - 1.96 * np.sqrt(0.05 * 0.95 / 1e6), abs=1e-5)
    assert high == pytest.approx(0.05 + 1.96 * np.sqrt(0.05 * 0.95 / 1e6), abs=1e-5)


def test_a_brain_that_is_drawn_into_noise_is_seen(case):
    head = replace(with_head(case), m0=with_head(case).tissue.wm)
    level, noise = null_figures.pair_sd(head), head.raw.array[head.inside].std()
    assert level == pytest.approx(5 * np.sqrt(2), rel=0.05)
    drawn = null_figures.figures(head, Answer(2 * noise * head.tissue.gm.array), level=level)
    assert drawn["GM - WM (% of SD in)"] == pytest.approx(200, rel=0.01)
    assert drawn["r with guides"] == pytest.approx(1)
    kept = null_figures.figures(head, Answer(head.raw.array), level=level)
    assert kept[null_figures.APART] == kept[null_figures.RAW_APART] == drawn[null_figures.RAW_APART]
    assert abs(kept["GM - WM (% of SD in)"]) < 8 and abs(kept["r with guides"]) < 0.05
    assert kept["SD out / in"] == pytest.approx(1)
    nothing = null_figures.figures(head, Answer(np.zeros(GRID.shape)), level=level)
    assert nothing["SD out / in"] == 0 and np.isnan(nothing["r with guides"])


def test_a_lesion_in_nothing_is_counted_and_what_is_put_back_is_told(case):
    level = null_figures.pair_sd(case)
    blob = np.zeros(GRID.shape)
    blob[5:9, 14:22, 14:22] = 0.6 * level
    answer = Answer(blob, np.full(GRID.shape, 0.1 * level), restored=blob, significant=0.02)
    found = null_figures.figures(case, answer, level=level)
    share = 100 * 256 / case.inside.sum()
    assert found["lesions"] == 1 and found["beyond 1.96 (%)"] == pytest.approx(share)
    assert found[null_figures.SIGNIFICANT] == 2 and found[null_figures.RESTORED] > 0
    assert null_figures.figures(case, Answer(0 * blob), level=level)["lesions"] == 0


def test_portions_are_disjoint_and_a_turned_scan_has_lost_what_label_and_control_differed_by(case):
    parts = null_scans.portions(case, 3, most=9)
    assert [len(p.pairs.context) for p in parts] == [3, 3]
    np.testing.assert_array_equal(parts[1].pairs.array, case.every_pair.array[3:6])
    assert len(null_scans.portions(case, 3, most=1)) == 1
    shifted = replace(case.every_pair, array=case.every_pair.array + 50)
    turned = null_scans.turned(replace(case, pairs=shifted, every_pair=shifted))
    assert abs(turned.raw.array[case.inside].mean()) < 0.5
    np.testing.assert_array_equal(turned.pairs.array[::2], shifted.array[::2])
    np.testing.assert_array_equal(turned.pairs.array[1::2], -shifted.array[1::2])


def test_the_verdict_is_of_the_worst_portion_and_of_the_scan_that_most_exceeds_chance():
    def row(apart, lesions, beyond, significant=np.nan, raw=0.0):
        values = (apart, raw, lesions, beyond, significant)
        f = null_figures
        return dict(zip((f.APART, f.RAW_APART, f.LESIONS, f.BEYOND, f.SIGNIFICANT), values, strict=True))

    found = {
        "one": {"way": [row(1.0, 0.0, 5.0), row(-6.0, 0.0, 5.6)], "audited": [row(-6.0, 0, 5.0, 3.0, raw=7.0)]},
        "two": {"way": [row(2.0, 0.0, 6.0)], "raw mean": [row(np.nan, 9.0, 8.0)], "audited": [row(1, 2, 7.5, 8.5)]},
    }
    lines = null.verdicts(["way", "audited"], found, {"one": (0.045, 0.052), "two": (0.03, 0.07)})
    assert [lines[0][0], lines[-1][0]] == ["way: GM - WM (% of SD in)", "audited: called more than noise (%)"]
    assert [line[2:] for line in lines] == [
        ["-6.0 (raw mean +0.0; one)", "**no**"],
        ["0 (one)", "yes"],
        ["5.3 (at most 5.2; one)", "**no**"],
        ["-6.0 (raw mean +7.0; one)", "yes"],
        ["2 (two)", "**no**"],
        ["5.0 (at most 5.2; one)", "yes"],
        ["8.5 (at most 8.0; two)", "**no**"],
    ]


@pytest.mark.shared
@pytest.mark.parametrize("source", null_scans.SOURCES, ids=lambda source: source.label)
def test_the_gels_of_real_scanners_are_found(shared_data, source):
    scan = source.scan(shared_data)
    assert len(scan.pairs.context) == source.counts[0]
    assert 0.2 < scan.inside.mean() < 0.3 and np.isfinite(scan.pairs.array[:, scan.inside]).all()
    assert abs(scan.pairs.array[:, scan.inside].mean()) < 1e-3 * scan.control.array[scan.inside].mean()
