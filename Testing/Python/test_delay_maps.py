"""Maps of several delays: what they are called, written and brought to the template as."""

from __future__ import annotations

import json
from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest
from delay_results import result_of_delays

from ASLDenoiseLib.pipeline.template_space import in_template_space
from ASLDenoiseLib.preparing.template_space import MNI_GRID, TemplateSpace
from ASLDenoiseLib.reporting import dataset
from ASLDenoiseLib.reporting.derivatives import write_result
from ASLDenoiseLib.result.maps import (
    BOUNDS,
    DENOISED,
    DENOISED_ABV,
    DENOISED_ATT,
    MAPS,
    MEAN_ERROR,
    MNI,
    PREPARED,
    RAW,
    RAW_ATT,
    RELATIVE,
    RESIDUAL,
    UNCERTAINTY,
    VESSELS,
    Role,
    in_unit,
    kind_of,
)
from ASLDenoiseLib.series import SCANNER_UNIT

_OF_ONE_DELAY = ("mean of the", "from the plain mean", "mean control-label difference")


def test_maps_of_cbf_say_that_they_are_fits_of_all_delays_and_those_of_one_delay_do_not():
    keys = (RAW, PREPARED, DENOISED, UNCERTAINTY, MEAN_ERROR, RAW_ATT)
    for key in keys[:-1]:
        of_one, of_all = kind_of(key, (RAW, PREPARED, DENOISED)), kind_of(key, keys)
        assert "fit" in of_all.label and "fit" not in of_one.label
        assert "all delays" in of_all.description and "delay" not in of_one.description
        assert not any(words in of_all.description for words in _OF_ONE_DELAY)
    assert kind_of(RESIDUAL, keys).label == "Raw minus denoised fit"


def test_without_an_m0_a_fit_of_all_delays_is_relative_and_says_so():
    raw = in_unit(RAW, SCANNER_UNIT)
    fitted = kind_of(raw, (raw, RAW_ATT))
    assert (fitted.label, fitted.unit) == ("Raw fit", SCANNER_UNIT)
    assert "not CBF" in fitted.description and "all delays" in fitted.description


def test_an_arrival_time_has_seconds_and_colours_that_no_map_of_cbf_has():
    looks = {(kind.colours, kind.scene_colours) for kind in MAPS.values() if kind.role is Role.ARRIVAL}
    ((colours, in_scene),) = looks
    of_cbf = [kind for kind in MAPS.values() if kind.quantity == "CBF"]
    assert all(kind.colours != colours and kind.scene_colours != in_scene for kind in of_cbf)
    assert {kind.title for kind in MAPS.values() if kind.role is Role.ARRIVAL} == {"Arrival time (s)"}


@pytest.mark.parametrize("with_m0", [True, False])
def test_a_folder_says_of_every_map_what_it_is_and_in_which_unit(tmp_path, with_m0):
    result = result_of_delays(with_m0=with_m0)
    written = write_result(result, tmp_path)
    for key, path in written.maps.items():
        beside = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text("utf-8"))
        assert beside["Description"] == result.kind(key).description
    told = dataset.contents(result)
    by_key = {key: text for pattern, text in told.items() for key in result.maps if pattern.endswith(f"{key}.nii.gz")}
    assert "fit, s. " in by_key[DENOISED_ATT]
    assert by_key[VESSELS].startswith("Vessels. 1 where")
    units = {
        key: json.loads(p.with_name(p.name.replace(".nii.gz", ".json")).read_text("utf-8"))["Units"]
        for key, p in written.maps.items()
    }
    assert (units[RAW_ATT], units[BOUNDS]) == ("s", "1")


def test_a_mask_is_written_in_whole_numbers_and_an_arrival_time_keeps_what_was_not_measured(tmp_path):
    result = result_of_delays()
    maps = write_result(result, tmp_path).maps
    mask, arrival = nib.load(maps[BOUNDS]), nib.load(maps[RAW_ATT])
    assert mask.get_data_dtype() == np.uint8 and set(np.unique(np.asarray(mask.dataobj))) == {0, 1}
    assert arrival.get_data_dtype() == np.float32
    np.testing.assert_array_equal(np.asarray(arrival.dataobj).T, result.maps[RAW_ATT].array)


def test_every_suffix_of_a_map_that_bids_lacks_is_passed_over():
    ignored = dataset.bidsignore([])
    for key in (*MAPS, *RELATIVE):
        assert f"*_{key.rpartition('_')[2]}.*" in ignored.splitlines()


def test_arrival_time_is_brought_to_the_template_with_cbf():
    result = result_of_delays()
    result = replace(result, t1=result.series.m0, t1_tissue=result.tissue)

    nowhere = np.zeros((*MNI_GRID.shape, 3))
    moved = in_template_space(result, space=TemplateSpace(np.eye(4), nowhere, nowhere, 0.8))
    assert f"{MNI}_{DENOISED_ATT}" in moved.maps and f"{MNI}_{RAW_ATT}" in moved.maps
    assert moved.kind(f"{MNI}_{DENOISED_ATT}").title == "Arrival time (s)"
    assert f"{MNI}_{DENOISED_ABV}" not in moved.maps and f"{MNI}_{BOUNDS}" not in moved.maps
