"""Tissue from masks, labels, M0 and T1."""

from __future__ import annotations

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.tissue import (
    tissue_from_labels,
    tissue_from_masks,
    tissue_on,
)
from ASLDenoiseLib.preparing.tissue_t1 import tissue_from_t1
from ASLDenoiseLib.series import Geometry, Volume

FINE = Geometry((24, 24, 24), (1.0, 1.0, 1.0))
COARSE = Geometry((8, 8, 8), (3.0, 3.0, 3.0), (1.0, 1.0, 1.0))


def halves(low: int, high: int) -> np.ndarray:
    """Labels: `low` left of i = 10, `high` right of it, 0 in the outer 3 mm."""
    labels = np.zeros(FINE.shape)
    labels[3:-3, 3:-3, 3:10] = low
    labels[3:-3, 3:-3, 10:-3] = high
    return labels


@pytest.mark.parametrize(("low", "high"), [(2, 3), (42, 41), (1021, 4), (11, 2), (3, 7)])
def test_labels_become_partial_volumes_by_either_scheme(low, high):
    labels = halves(low, high)
    kinds = (
        {2: "gm", 3: "wm"}
        if max(low, high) <= 3
        else {42: "gm", 41: "wm", 1021: "gm", 4: "csf", 11: "gm", 2: "wm", 3: "gm", 7: "wm"}
    )
    if "wm" not in (kinds[low], kinds[high]):
        labels[3, 3:-3, 3:-3] = 41
    tissue = tissue_from_labels(Volume(labels, FINE), COARSE)
    assert getattr(tissue, kinds[low]).array[4, 4, 3] == pytest.approx(1 / 3, abs=1e-4)  # i from 9 to 12
    assert getattr(tissue, kinds[high]).array[4, 4, 3] == pytest.approx(2 / 3, abs=1e-4)
    assert tissue.brain.array[4, 4, 4] == 1 and tissue.brain.array[0, 0, 0] == 0 and tissue.warning == ""


def test_labels_of_no_known_scheme_are_refused_with_the_known_ones():
    with pytest.raises(InputError, match="FreeSurfer's numbering and 1=CSF 2=GM 3=WM"):
        tissue_from_labels(Volume(halves(301, 302), FINE), COARSE)
    with pytest.raises(InputError, match="no whole labels"):
        tissue_from_labels(Volume(halves(2, 3) * 0.7, FINE), COARSE)
    with pytest.raises(InputError, match="empty"):
        tissue_from_labels(Volume(np.zeros(FINE.shape), FINE), COARSE)


def test_masks_become_partial_volumes_and_the_brain_is_where_they_are():
    gm, wm = (Volume(halves(*pair), FINE) for pair in ((1, 0), (0, 1)))
    tissue = tissue_from_masks(gm, wm, COARSE)
    assert tissue.gm.array[4, 4, 3] == pytest.approx(1 / 3, abs=1e-4)
    assert tissue.csf is None and tissue.brain.array.sum() == 6**3 and tissue.source == "given masks"


def test_masks_out_of_range_empty_or_overlapping_are_refused():
    ones, none = Volume(halves(1, 1), FINE), Volume(np.zeros(FINE.shape), FINE)
    with pytest.raises(InputError, match="runs from 0 to 255"):
        tissue_from_masks(Volume(halves(255, 0), FINE), Volume(halves(0, 1), FINE), COARSE)
    with pytest.raises(InputError, match="white matter mask is empty"):
        tissue_from_masks(ones, none, COARSE)
    with pytest.raises(InputError, match="overlap"):
        tissue_from_masks(ones, ones, COARSE)


def test_bringing_tissue_onto_a_moved_grid_keeps_its_volume():
    tissue = tissue_from_labels(Volume(halves(2, 3), FINE), FINE)
    shift = np.eye(4)
    shift[:3, 3] = (40.0, -7.0, 3.3)
    there = Geometry((14, 14, 14), (3.0, 3.0, 3.0), (35.0, -12.0, -2.0))
    moved = tissue_on(there, tissue, transform=shift)
    for name in ("gm", "wm"):
        before, after = getattr(tissue, name), getattr(moved, name)
        assert after.array.sum() * 27 == pytest.approx(before.array.sum(), rel=0.01)


@pytest.mark.shared
def test_real_freesurfer_labels_give_adult_tissue_volumes(shared_data):
    import nibabel as nib

    image = nib.load(sorted((shared_data / "anatomy").glob("*_labels.nii.gz"))[0])
    labels = Volume(np.asarray(image.dataobj, np.float32).T, Geometry.from_affine_ras(image.affine, image.shape))
    onto = Geometry(
        (80, 96, 80), (3.0, 3.0, 3.0), tuple((labels.geometry.affine_lps @ [0, 0, 0, 1])[:3]), labels.geometry.direction
    )
    tissue = tissue_from_labels(labels, onto)
    gm, wm = (each.array.sum() * 27 / 1000 for each in (tissue.gm, tissue.wm))
    assert 400 < gm < 900 and 300 < wm < 700


# Adult volumes, ml, of GM, WM, CSF and brain: the brain ends at its own edge for Atropos, and is the cranial cavity for
# the network, which also calls thalamus and pallidum grey.
VOLUMES = {
    "atropos": ((500, 750), (400, 600), (100, 400), (1150, 1500)),
    "network": ((600, 850), (400, 600), (200, 450), (1400, 1750)),
}


@pytest.mark.segments
@pytest.mark.shared
@pytest.mark.parametrize("segmenter", VOLUMES)
def test_a_real_defaced_t1_with_a_neck_is_segmented_plausibly_and_lands_on_the_m0(shared_data, segmenter):
    import nibabel as nib

    from ASLDenoiseLib.preparing.brain_mask import brain_mask
    from ASLDenoiseLib.preparing.registration import register_rigid

    folder = shared_data / "real" / "sub-01"
    image = nib.load(folder / "anat" / "sub-01_T1w.nii.gz")
    t1 = Volume(np.asarray(image.dataobj, np.float32).T, Geometry.from_affine_ras(image.affine, image.shape))
    steps: list[float] = []
    tissue = tissue_from_t1(t1, segmenter=segmenter, progress=lambda fraction, text: steps.append(fraction))
    assert steps == sorted(steps) and steps[-1] == 1.0 and tissue.warning == ""
    voxel_ml = tissue.brain.geometry.voxel_volume / 1000
    found = (each.array.sum() * voxel_ml for each in (tissue.gm, tissue.wm, tissue.csf, tissue.brain))
    assert all(low < each < high for each, (low, high) in zip(found, VOLUMES[segmenter], strict=True))
    m0 = nib.load(folder / "perf" / "sub-01_acq-grase_asl.nii.gz")
    m0 = Volume(np.asarray(m0.dataobj[..., 0], np.float32).T, Geometry.from_affine_ras(m0.affine, m0.shape[:3]))
    mask = brain_mask(m0)
    found = register_rigid(t1, m0, moving_mask=tissue.brain, fixed_mask=mask)
    one, other = tissue_on(m0.geometry, tissue, transform=found.matrix).brain.array > 0.5, mask.array > 0.5
    assert found.warning == "" and 2 * (one & other).sum() / (one.sum() + other.sum()) > 0.9
