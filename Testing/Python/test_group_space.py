"""A run brought to MNI space: where its maps land, and what slice 50 says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scene_builders import made_result

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline.template_space import in_template_space, slice_readouts
from ASLDenoiseLib.preparing.template import MNI_GRID, icbm_template
from ASLDenoiseLib.preparing.template_space import TemplateSpace
from ASLDenoiseLib.reporting.derivatives import write_result
from ASLDenoiseLib.result.maps import MNI, kind_of
from ASLDenoiseLib.series import Geometry, Tissue, Volume

HEAD = Geometry((95, 115, 95), (2.0, 2.0, 2.0), (-95.0, -105.0, -75.0))
SHIFT = np.eye(4)
SHIFT[:3, 3] = (4.0, -6.0, 10.0)


def unwarped() -> TemplateSpace:
    """The T1 lies as the template does, but for a shift."""
    zero = np.zeros((*MNI_GRID.shape, 3))
    return TemplateSpace(SHIFT, zero, zero, 0.8)


@pytest.fixture(scope="module")
def result():
    """CBF of 60 and 20 ml/100g/min in grey and white matter of a head that is the template, shifted."""
    from ASLDenoiseLib.spatial.resampling import resample

    template = icbm_template()
    gm, wm, brain, t1 = (
        resample(each, HEAD, transform=np.linalg.inv(SHIFT), outside=0.0)
        for each in (template.gm, template.wm, template.brain, template.t1)
    )
    tissue = Tissue(gm, wm, None, brain.with_array(brain.array > 0.5), "the template's")
    cbf = Volume(60 * gm.array + 20 * wm.array, HEAD, "ml/100g/min", "cbf")
    made = made_result()
    maps = {"desc-mean_cbf": cbf, "desc-smoothed_cbf": cbf}
    readouts = dict.fromkeys(maps, made.readouts["desc-mean_cbf"])
    return replace(made, maps=maps, readouts=readouts, tissue=tissue, t1=t1, t1_tissue=tissue, t1_to_asl=np.eye(4))


def test_maps_land_on_the_template_and_are_named_for_it(result):
    there = in_template_space(result, space=unwarped())
    moved = there.maps[f"{MNI}_desc-mean_cbf"]
    assert moved.geometry.matches(MNI_GRID) and moved.unit == "ml/100g/min"
    assert f"{MNI}_desc-smoothed_cbf" not in there.maps and there.processed == result.processed
    template = icbm_template()
    deep = template.wm.array > 0.99
    assert np.nanmedian(moved.array[deep]) == pytest.approx(20, abs=1)
    assert kind_of(f"{MNI}_desc-mean_cbf").label == "Raw mean, MNI space"


def test_slice_fifty_joins_the_readouts_of_every_map_and_is_unknown_where_it_was_not_brought_there(result):
    there = in_template_space(result, space=unwarped())
    raw, smoothed = ({r.name: r.value for r in there.readouts[key]} for key in result.readouts)
    assert list(raw) == list(smoothed)
    assert raw["gm_wm_contrast_slice50"] == pytest.approx(50 / 21, rel=0.1) and raw["snr_slice50"] > 10
    assert np.isnan(smoothed["snr_slice50"])


def test_slice_fifty_is_28_mm_above_the_origin():
    assert (MNI_GRID.affine_ras @ [0, 0, 50, 1])[2] == 28


def test_noise_in_white_matter_lowers_its_snr(result):
    template = icbm_template()
    tissue = Tissue(template.gm, template.wm, None, template.brain, "the template's")
    flat = Volume(60 * template.gm.array + 20 * template.wm.array, MNI_GRID, "ml/100g/min")
    noisy = flat.with_array(flat.array + np.random.default_rng(0).normal(0, 10, flat.array.shape))
    snr, _ = slice_readouts(noisy, tissue)
    assert snr.value == pytest.approx(5, rel=0.15) and snr.value < slice_readouts(flat, tissue)[0].value


def test_the_maps_are_written_under_their_bids_names(result, tmp_path):
    written = write_result(in_template_space(result, space=unwarped()), tmp_path / "out")
    assert f"sub-77_{MNI}_desc-mean_cbf.nii.gz" in {p.name for p in written.files}


def test_without_a_t1_there_is_no_way_there(result):
    with pytest.raises(InputError, match="needs a T1"):
        in_template_space(replace(result, t1=None))
