"""The table of regions of a cohort: what a run puts into it, and left against right."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from region_builders import box
from scene_builders import made_result

from ASLDenoiseLib.group.region_rows import DRAWN, region_rows
from ASLDenoiseLib.measuring.readouts import measure
from ASLDenoiseLib.measuring.sides import counterparts, side_of
from ASLDenoiseLib.result import Result, errors_of
from ASLDenoiseLib.result.pair_errors import PairErrors
from ASLDenoiseLib.series import CBF_UNIT, Geometry, Volume
from ASLDenoiseLib.spatial.regions import regions_on

GRID = Geometry((10, 6, 4), (4.0, 4.0, 5.0), (-18.0, -10.0, -7.5))  # x = 0 lies between columns 4 and 5
MIRROR = np.diag([-1.0, 1.0, 1.0, 1.0])
RAW, DENOISED = "desc-mean_cbf", "desc-denoised_cbf"
MOVES = (-6.0, 1.0, 5.0)  # of three pairs, in the left half
ERROR = np.std(MOVES, ddof=1) / np.sqrt(3)
LEFT, RIGHT = ((7, 1, 1), (9, 5, 3)), ((1, 1, 1), (3, 5, 3))  # columns run from the patient's right to the left


def run_with(places: dict, atlas: dict | None = None, *, mirror: np.ndarray | None = MIRROR, **maps) -> Result:
    """A run with 60 in the raw map's left half and 40 in its right one, 55 and 45 in the denoised map's."""
    left = np.indices(GRID.shape)[2] >= 5
    raw = maps.get("raw", np.where(left, 60.0, 40.0))
    pairs = raw + np.array(MOVES)[:, None, None, None] * np.where(left, 1, 0)
    made, tissue_grid = made_result(GRID), np.ones(GRID.shape)
    shown = {RAW: Volume(raw, GRID, CBF_UNIT), DENOISED: Volume(np.where(left, 55.0, 45.0), GRID, CBF_UNIT)}
    tissue = replace(made.tissue, gm=Volume(tissue_grid, GRID), wm=Volume(tissue_grid, GRID))
    errors = PairErrors.of(pairs, None, np.isfinite(pairs[0]))
    drawings = {name: box(GRID, *place) for name, place in places.items()}
    regions = regions_on(GRID, drawings)
    changed = {"maps": shown, "tissue": tissue, "pair_errors": {"raw": errors}, "mirror": mirror}
    made = replace(made, drawings=drawings, regions=regions, atlas=atlas or {}, **changed)
    readouts = {
        k: measure(v, tissue, regions=regions, errors=errors_of(made.pair_errors, k, shown)) for k, v in shown.items()
    }
    return replace(made, readouts=readouts)


def rows_of(result: Result) -> dict[str, dict]:
    return {row["region"]: row for row in region_rows(result)}


def test_a_row_has_the_readouts_of_raw_and_processed_side_by_side():
    result = run_with({"Left lobe": LEFT, "lesion": RIGHT}, {"Left lobe": "lobes"})
    row, other = rows_of(result)["Left lobe"], rows_of(result)["lesion"]
    assert (row["atlas"], other["atlas"]) == ("lobes", DRAWN)
    assert (row["raw_mean"], row["processed_mean"]) == (pytest.approx(60), pytest.approx(55))
    assert (row["raw_median"], row["raw_sd"]) == (pytest.approx(60), pytest.approx(0, abs=1e-6))
    told = result.values(RAW)
    assert (row["raw_snr"], row["raw_error"]) == (told["roi_left_lobe_snr"], told["roi_left_lobe_mean_error"])
    assert row["raw_error"] == pytest.approx(ERROR, rel=1e-3) and np.isnan(row["processed_error"])
    assert (row["voxels"], row["volume_ml"]) == (pytest.approx(16), pytest.approx(16 * 80 / 1000))
    assert (row["coverage_percent"], row["low_coverage"]) == (100, False)
    json.dumps(list(rows_of(result).values()))  # as a record is written


def test_left_is_held_against_the_right_region_of_the_same_name_in_both_rows():
    rows = rows_of(run_with({"Left lobe": LEFT, "Right lobe": RIGHT}, {"Left lobe": "a", "Right lobe": "a"}))
    for row in rows.values():
        assert row["asymmetry_raw_percent"] == pytest.approx(100 * (60 - 40) / 50)
        assert row["asymmetry_processed_percent"] == pytest.approx(100 * (55 - 45) / 50)
        # only the left mean moves: d/dL of 200 (L - R) / (L + R) is 400 R / (L + R)^2
        assert row["asymmetry_raw_error_percent"] == pytest.approx(400 * 40 / 100**2 * ERROR, rel=1e-3)
        assert row["asymmetry_by"] == "name"


@pytest.mark.parametrize(("place", "name"), [(LEFT, "one side"), (RIGHT, "other side")])
def test_a_region_without_a_partner_is_held_against_its_mirror_image_and_left_stays_left(place, name):
    row = rows_of(run_with({name: place}))[name]
    assert row["asymmetry_raw_percent"] == pytest.approx(40) and row["asymmetry_by"] == "mirror"
    assert row["asymmetry_processed_percent"] == pytest.approx(20)


def test_across_the_midline_or_where_no_midline_is_known_there_is_no_index():
    row = rows_of(run_with({"corpus callosum": ((3, 1, 1), (7, 5, 3))}))["corpus callosum"]
    assert np.isnan(row["asymmetry_raw_percent"]) and row["asymmetry_by"] == ""
    row = rows_of(run_with({"one side": LEFT}, mirror=None))["one side"]
    assert np.isnan(row["asymmetry_raw_percent"]) and np.isnan(row["asymmetry_processed_percent"])


def test_regions_of_low_coverage_are_flagged_and_not_compared():
    raw = np.where(np.indices(GRID.shape)[2] >= 5, 60.0, 40.0)
    raw[1:3, 1:4, 1:3] = np.nan  # three quarters of the right lobe
    rows = rows_of(run_with({"Left lobe": LEFT, "Right lobe": RIGHT}, raw=raw))
    assert rows["Right lobe"]["coverage_percent"] == pytest.approx(25) and rows["Right lobe"]["low_coverage"]
    assert rows["Right lobe"]["raw_mean"] == pytest.approx(40) and not rows["Left lobe"]["low_coverage"]
    assert np.isnan([row["asymmetry_raw_percent"] for row in rows.values()]).all()
    mirrored = rows_of(run_with({"one side": LEFT}, raw=raw))["one side"]
    assert np.isnan(mirrored["asymmetry_raw_percent"])  # its mirror image is hardly covered


def test_labels_that_the_scan_does_not_reach_are_rows_without_figures():
    rows = rows_of(run_with({"Left lobe": LEFT}, {"Left lobe": "a", "Right lobe": "a"}))
    gone = rows["Right lobe"]
    assert (gone["coverage_percent"], gone["low_coverage"], gone["voxels"]) == (0, True, 0)
    assert np.isnan([gone["raw_mean"], gone["volume_ml"], gone["asymmetry_raw_percent"]]).all()
    assert region_rows(run_with({})) == ()


def test_sides_are_told_by_the_names_of_the_usual_atlases_and_no_other_words():
    told = {
        "Left Frontal Pole": ("left", "frontal pole"),  # Harvard-Oxford
        "ctx-rh-insula": ("right", "ctx insula"),  # FreeSurfer
        "Right-Hippocampus": ("right", "hippocampus"),
        "Frontal_Sup_Orb_L": ("left", "frontal sup orb"),  # AAL
        "L MCA": ("left", "mca"),
        "left": ("left", ""),
    }
    assert {name: side_of(name) for name in told} == told
    for name in ("Brain-Stem", "Vermis_3", "right to left", "Area L 1", "7Networks_LH_Vis_1", "Lingual"):
        assert side_of(name) is None, name


def test_a_side_with_two_candidates_or_none_has_no_counterpart():
    assert counterparts(["Left A", "A left", "Right A"]) == {}
    assert counterparts(["Left A", "Left B", "Right B"]) == {"Left B": "Right B", "Right B": "Left B"}
