"""The brain mask from M0 or mean control."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_fill_holes, distance_transform_edt, label

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.brain_edge import with_brain_cut_off, with_rim
from ASLDenoiseLib.preparing.brain_mask import brain_mask, mask_of_perfusion
from ASLDenoiseLib.preparing.template import icbm_template
from ASLDenoiseLib.series import Geometry, Labeling, Volume, VolumeType
from ASLDenoiseLib.spatial.resampling import average_onto, with_spacing

GRID = Geometry((48, 56, 20), (4.0, 4.0, 6.0))


def distance_mm(geometry: Geometry, centre: tuple[float, float, float]) -> np.ndarray:
    """mm from a point, (K, J, I)."""
    axes = [np.arange(n) * s - c for n, s, c in zip(geometry.size, geometry.spacing, centre, strict=True)]
    k, j, i = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    return np.sqrt(i**2 + j**2 + k**2)


def head(geometry: Geometry = GRID, *, centre=(94.0, 110.0, 50.0), seed=0) -> tuple[Volume, np.ndarray]:
    """A bright brain (60 mm) with dark ventricles and skull, dim scalp, bright eyes, coil bias, noise; the brain."""
    r = distance_mm(geometry, centre)
    brain = r < 60
    array = 900.0 * brain + 250.0 * ((r > 68) & (r < 76))
    array[distance_mm(geometry, centre) < 12] = 150.0
    for side in (-30, 30):
        array[distance_mm(geometry, (centre[0] + side, centre[1] - 78, centre[2])) < 12] = 1500.0
    bias = 1 + 0.4 * np.linspace(-1, 1, geometry.size[1])[None, :, None]
    noise = np.random.default_rng(seed).normal(0, 15, array.shape)
    return Volume(np.abs(array * bias + noise), geometry), brain


def head_on_a_neck() -> tuple[Volume, np.ndarray]:
    """A brain of the template's shape in muscle of two thirds its brightness, with a neck of it below; the brain."""
    brain = icbm_template().brain
    inside = brain.array > 0.5
    below = np.zeros_like(inside)
    _, j, i = np.indices(inside.shape)
    below[:30] = np.hypot(i - 45, j - 50)[:30] < 30
    shell = distance_transform_edt(~inside) * 2.0
    array = np.where(inside, 900.0, 0.0) + np.where(~inside & (below | ((shell > 6) & (shell < 14))), 600.0, 0.0)
    image = average_onto(brain.with_array(array), with_spacing(brain.geometry, (4.0, 4.0, 6.0)), outside=0.0)
    truth = average_onto(brain, image.geometry, outside=0.0).array > 0.5
    noise = np.random.default_rng(2).normal(0, 15, truth.shape)
    return image.with_array(np.abs(image.array + noise)), truth


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * float((one & other).sum()) / float(one.sum() + other.sum())


def test_the_mask_is_the_brain_despite_bias_scalp_and_eyes():
    image, brain = head()
    mask = brain_mask(image)
    assert mask.geometry == image.geometry and set(np.unique(mask.array)) == {0.0, 1.0}
    assert dice(mask.array > 0.5, brain) > 0.96


def test_ventricles_are_filled_and_only_one_piece_is_kept():
    mask = brain_mask(head()[0]).array > 0.5
    assert label(mask)[1] == 1
    assert all(np.array_equal(each, binary_fill_holes(each)) for each in mask)


def test_where_the_scan_ends_inside_the_head_the_mask_reaches_the_last_slice():
    image, brain = head(Geometry((48, 56, 8), (4.0, 4.0, 6.0)), centre=(94.0, 110.0, 20.0))
    mask = brain_mask(image).array > 0.5
    for k in (0, -1):
        assert dice(mask[k], brain[k]) > 0.93


@pytest.mark.parametrize("geometry", [Geometry((24, 28, 14), (8.0, 8.0, 8.0)), Geometry((64, 75, 3), (3.0, 3.0, 8.0))])
def test_tiny_matrices_and_a_few_slices_still_give_a_brain(geometry):
    centre = tuple(0.5 * n * s for n, s in zip(geometry.size, geometry.spacing, strict=True))
    image, brain = head(geometry, centre=centre)
    assert dice(brain_mask(image).array > 0.5, brain) > 0.9


def test_voxels_that_were_not_measured_do_not_break_the_mask():
    image, brain = head()
    array = image.array.copy()
    array[:, :5] = np.nan
    assert dice(brain_mask(image.with_array(array)).array > 0.5, brain) > 0.96


def test_a_neck_as_bright_as_two_thirds_of_the_brain_is_left_out():
    image, brain = head_on_a_neck()
    mask = brain_mask(image).array > 0.5
    assert dice(mask, brain) > 0.93
    assert (mask & ~brain).sum() < 0.1 * brain.sum()


def flat_head(levels: tuple[float, float, float, float]) -> tuple[Volume, np.ndarray]:
    """Ellipsoids of grey matter, white matter, CSF and skull at these levels, flat below as no brain is; the brain."""
    grid = Geometry((38, 46, 24), (5.0, 5.0, 6.0))
    x, y, z = (np.arange(n) * s - (n - 1) / 2 * s for n, s in zip(grid.size, grid.spacing, strict=True))
    r = np.sqrt((x / 64) ** 2 + (y[:, None] / 80) ** 2 + (z[:, None, None] / 56) ** 2)
    ventricles = ((np.abs(x) - 10) / 8) ** 2 + (y[:, None] / 25) ** 2 + (z[:, None, None] / 12) ** 2 < 1
    grey, white, csf, skull = levels
    array = np.select([ventricles, r < 0.78, r < 1, (r > 1.12) & (r < 1.2)], [csf, white, grey, skull], 0.0)
    noise = np.random.default_rng(1).normal(0, 5, array.shape)
    return Volume(np.abs(1000 * array + noise), grid), r < 1


@pytest.mark.parametrize(
    "levels",
    [(1.0, 0.8, 1.2, 0.15), (1.0, 0.8, 1.2, 0.4), (0.8, 0.6, 2.0, 0.15)],
    ids=["M0", "bright skull", "suppressed"],
)
def test_a_brain_of_another_shape_than_the_templates_loses_no_more_than_1_percent(levels):
    image, brain = flat_head(levels)
    mask = brain_mask(image).array > 0.5
    assert (brain & ~mask).sum() <= 0.01 * brain.sum()
    assert (mask & ~brain).sum() <= 0.01 * brain.sum()


def test_a_piece_that_was_cut_off_comes_back_where_it_ends_near_the_brain_and_not_where_it_goes_on():
    grid = Geometry((30, 30, 30), (3.0, 3.0, 3.0))
    mask, first = np.zeros((2, *grid.shape), bool)
    mask[12:20, 8:22, 8:22] = True
    first[9:20, 8:22, 8:22] = True  # 9 mm more below
    assert (with_brain_cut_off(mask, first, grid) == first).all()
    neck = first.copy()
    neck[2:9, 12:18, 12:18] = True  # and on below
    kept = with_brain_cut_off(mask, neck, grid)
    assert not kept[2:9].any() and kept[12:20].sum() == mask.sum()


def test_the_rim_of_half_filled_voxels_counts_as_brain_and_an_eye_beside_it_does_not():
    grid = Geometry((20, 20, 20), (3.0, 3.0, 3.0))
    even = np.zeros(grid.shape)
    even[5:15, 5:15, 5:15] = 100.0
    mask = even > 0
    even[15, 6:14, 6:14] = 60.0  # filled by six tenths
    even[4, 6:14, 6:14] = 40.0
    even[6:14, 15, 6:14] = 150.0
    rim = with_rim(mask, even, 100.0, grid)
    assert rim[15, 8:12, 8:12].all() and not rim[4].any() and not rim[6:14, 15].any()


@pytest.mark.parametrize("array", [np.zeros(GRID.shape), np.full(GRID.shape, np.nan), np.full(GRID.shape, 7.0)])
def test_an_image_without_contrast_is_refused(array):
    with pytest.raises(InputError, match="without contrast"):
        brain_mask(Volume(array, GRID))


def test_a_speck_is_no_brain():
    array = np.zeros(GRID.shape)
    array[10:13, 20:28, 20:28] = 100
    with pytest.raises(InputError, match="No brain was found"):
        brain_mask(Volume(array, GRID))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "size", "spacing", "readout"),
    [
        ("brain-08", (64, 64, 24), (4.0, 4.0, 7.0), "2D"),
        ("brain-15", (64, 64, 24), (3.4, 3.4, 5.0), "3D"),
        ("brain-13", (64, 64, 10), (3.4, 3.4, 5.0), "2D"),
    ],
)
def test_phantoms_with_neck_and_eyes_whole_and_in_part_give_their_brain(shared_data, name, size, spacing, readout):
    from ASLDenoiseLib.learning.anatomy import read_anatomy
    from ASLDenoiseLib.learning.phantom import PhantomSettings, draw_phantom
    from ASLDenoiseLib.learning.simulate import ScanSettings, make_protocol, simulate_scan

    anatomy = read_anatomy(shared_data / "anatomy" / f"{name}_labels.nii.gz")
    protocol = make_protocol(Labeling.PCASL, readout=readout, slices=size[2])
    phantom = draw_phantom(anatomy, PhantomSettings(size=size), seed=106, spacing=spacing, acquisition=protocol)
    scan = simulate_scan(phantom, ScanSettings(pairs=4, acquisition=protocol), seed=1)
    truth = scan.tissue.brain.array > 0.5
    for image in (scan.series.m0, scan.series.mean(VolumeType.CONTROL)):
        assert dice(brain_mask(image).array > 0.5, truth) >= 0.92


@pytest.mark.shared
def test_real_grase_and_epi_masks_have_the_size_of_a_brain(shared_data):
    import nibabel as nib

    perf = shared_data / "real" / "sub-01" / "perf"
    for name, low, high in (
        ("acq-grase_asl", 1300, 1650),
        ("acq-epi_m0scan", 1250, 1550),
        ("acq-picore_asl", 1250, 1550),
    ):
        image = nib.load(perf / f"sub-01_{name}.nii.gz")
        first = np.asarray(image.dataobj[..., 0] if image.ndim == 4 else image.dataobj, np.float32)
        volume = Volume(first.T, Geometry.from_affine_ras(image.affine, first.shape))
        mask = brain_mask(volume).array > 0.5
        assert low < mask.sum() * volume.geometry.voxel_volume / 1000 < high
        assert label(mask)[1] == 1


def test_the_brain_of_a_masked_cbf_map_is_where_it_has_values_dark_tissue_too():
    grid = Geometry((20, 20, 6), (4.0, 4.0, 6.0))
    _, j, i = np.indices(grid.shape)
    radius = np.hypot(i - 9.5, j - 9.5)
    cbf = np.where(radius < 8, np.where(radius < 4, 10.0, 60.0), 0.0)
    cbf[3, 10, 10] = 0.0  # a hole
    cbf[2, 9, 9] = np.nan
    mask = mask_of_perfusion(Volume(cbf, grid, "ml/100g/min")).array > 0
    np.testing.assert_array_equal(mask, radius < 8)


def test_an_empty_cbf_map_has_no_brain():
    grid = Geometry((4, 4, 4), (4.0, 4.0, 4.0))
    with pytest.raises(InputError, match="perfusion image is empty"):
        mask_of_perfusion(Volume(np.zeros(grid.shape), grid))
