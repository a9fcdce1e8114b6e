"""Atlases of many regions: what is measured in each, which are hardly covered, and that it does not take long."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest
from pace import pace
from region_builders import ASL_GRID, box, perfusion

from ASLDenoiseLib.findings import Severity
from ASLDenoiseLib.measuring.readouts import measure
from ASLDenoiseLib.measuring.region_coverage import coverage_findings
from ASLDenoiseLib.measuring.regions import region_figures, weighted_median
from ASLDenoiseLib.series import Geometry, Tissue, Volume
from ASLDenoiseLib.spatial.regions import PlacedRegion, drawings_of_labels, place

GRID = Geometry((4, 2, 1), (2.0, 2.0, 2.0))


def tissue_on(grid: Geometry) -> Tissue:
    gm = Volume(np.ones(grid.shape), grid)
    return Tissue(gm, gm.with_array(np.zeros(grid.shape)), None, gm, "made here")


def test_a_region_s_median_weighs_each_voxel_by_its_fraction():
    assert weighted_median(np.array([60.0, 10.0, 20.0]), np.array([0.5, 1.0, 1.0])) == 20.0
    assert weighted_median(np.array([60.0, 10.0, 20.0]), np.array([2.1, 1.0, 1.0])) == 60.0
    assert weighted_median(np.array([10.0, 20.0]), np.array([0.3, 0.3])) == 15.0
    values = np.random.default_rng(0).normal(size=31)
    for count in (30, 31):
        assert weighted_median(values[:count], np.full(count, 0.7)) == pytest.approx(np.median(values[:count]))
    cbf = Volume(np.array([[[10, 20, 60, np.nan], [0, 0, 0, 0]]]), GRID)
    region = PlacedRegion.of(Volume(np.array([[[1, 1, 0.5, 1], [0, 0, 0, 0]]]), GRID))
    found = region_figures(region, cbf.array)
    assert (found.median, found.mean) == (20.0, pytest.approx(24.0))


def test_the_median_is_a_readout_beside_the_mean():
    cbf = perfusion(ASL_GRID)
    region = place(box(ASL_GRID, (10, 10, 3), (20, 20, 6)), ASL_GRID)
    told = measure(cbf, tissue_on(ASL_GRID), regions={"left lobe": region})
    names = [readout.name for readout in told]
    assert names.index("roi_left_lobe_median") == names.index("roi_left_lobe_mean") + 1
    readout = told[names.index("roi_left_lobe_median")]
    assert readout.value == pytest.approx(np.median(cbf.array[3:6, 10:20, 10:20]), rel=1e-6)
    assert (readout.label, readout.unit) == ("left lobe median", "ml/100g/min")


def covered(**shares: float) -> dict[str, tuple]:
    """Readouts of two maps with regions that reach from slice 0, which is not measured, to the one above by shares."""
    cbf, regions = perfusion(ASL_GRID), {}
    for name, share in shares.items():
        fractions = np.zeros(ASL_GRID.shape)
        fractions[0, 3:5, 3:5], fractions[1, 3:5, 3:5] = 1 - share, share
        regions[name] = Volume(fractions, ASL_GRID)
    told = measure(cbf, tissue_on(ASL_GRID), regions=regions)
    return {"desc-mean_cbf": told, "desc-denoised_cbf": told}


def test_regions_of_which_less_than_half_is_measured_are_named_in_one_finding():
    (found,) = coverage_findings(covered(cortex=0.49, stem=0.1, thalamus=0.51), unreached=["cerebellum"])
    assert (found.code, found.severity) == ("region-coverage", Severity.WARNING)
    assert found.what.startswith("3 of 4 regions") and "stem (10 %), cortex (49 %), cerebellum (not" in found.what
    assert "thalamus" not in found.what
    assert list(coverage_findings(covered(cortex=0.5, thalamus=1.0))) == []


def test_regions_that_have_no_figure_at_all_are_a_note_and_many_are_counted():
    (found,) = coverage_findings(covered(cortex=1.0), unreached=[f"label {n:02}" for n in range(30)])
    assert found.severity is Severity.NOTE
    assert "label 11 (not reached) and 18 more" in found.what and "label 12" not in found.what


def test_labels_are_told_apart_in_one_pass_and_keep_their_places():
    rng, grid = np.random.default_rng(1), Geometry((23, 19, 11), (1.0, 1.5, 2.0), (-5.0, 3.0, 9.0))
    numbers = rng.integers(0, 6, grid.shape).astype(np.float32)
    drawn = drawings_of_labels(Volume(numbers, grid), {1: "a", 4: "a", 2: "b"})
    assert list(drawn) == ["a", "b", "label 3", "label 5"]
    for name, of in (("a", (1, 4)), ("b", (2,)), ("label 5", (5,))):
        direct = place(box(grid, (0, 0, 0), grid.size), grid)
        placed = place(drawn[name], grid)
        assert direct.voxels == numbers.size
        np.testing.assert_allclose(placed.fractions.array, np.isin(numbers, of), atol=1e-9)


@pytest.mark.alone
def test_four_hundred_regions_of_a_fine_atlas_take_no_long_while():
    from scipy.spatial import cKDTree

    fine, rng = Geometry((150, 180, 150), (1.0, 1.0, 1.0), (-75.0, -90.0, -75.0)), np.random.default_rng(0)
    k, j, i = np.indices(fine.shape)
    points = np.argwhere(((i - 75) / 65) ** 2 + ((j - 90) / 80) ** 2 + ((k - 75) / 60) ** 2 < 1)
    numbers = np.zeros(fine.shape, np.float32)
    seeds = points[rng.choice(len(points), 400, replace=False)]
    numbers[tuple(points.T)] = cKDTree(seeds).query(points)[1] + 1
    cbf, turn = perfusion(ASL_GRID), np.eye(4)
    turn[:2, :2] = [[np.cos(0.1), -np.sin(0.1)], [np.sin(0.1), np.cos(0.1)]]
    each, started = pace(process_time), process_time()
    drawn = drawings_of_labels(Volume(numbers, fine))
    regions = {name: place(drawing.moved(turn), ASL_GRID) for name, drawing in drawn.items()}
    told = measure(cbf, tissue_on(ASL_GRID), regions=regions)
    assert len(drawn) == 400 and len(told) > 400 * 8
    assert process_time() - started < 250 * each  # label by label it was 1500 and more
