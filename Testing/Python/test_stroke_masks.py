"""Real stroke shapes in phantoms: where a mask comes to lie, what it changes, and which masks train."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from phantom_builders import ball_head  # noqa: E402

from ASLDenoiseLib.errors import InputError  # noqa: E402
from ASLDenoiseLib.learning.anatomy import Anatomy, TissueClass, read_anatomy  # noqa: E402
from ASLDenoiseLib.learning.deformation import Deformation  # noqa: E402
from ASLDenoiseLib.learning.lesions import LesionSettings, draw_lesions  # noqa: E402
from ASLDenoiseLib.learning.mni import CEREBRUM, mni_affine  # noqa: E402
from ASLDenoiseLib.learning.phantom import PhantomSettings, draw_phantom  # noqa: E402
from ASLDenoiseLib.learning.shapes import Abstract, draw_brain  # noqa: E402
from ASLDenoiseLib.learning.smooth import Waves, centred_points, stream  # noqa: E402
from ASLDenoiseLib.learning.stroke_masks import (  # noqa: E402
    StrokeMask,
    place_stroke,
    read_held_out_masks,
    read_training_masks,
)

SPACING = (6.0, 6.0, 9.0)
HEALTHY = PhantomSettings(size=(28, 28, 12), warp=1.0, lesions=0, vessels=0.0, blur=(0.0, 0.0), blur_z=(0.0, 0.0))
ILL = replace(HEALTHY, lesions=1, lesion_chance=1.0, lesion_strokes=1.0)


def box_mask(low: tuple[int, ...], high: tuple[int, ...]) -> StrokeMask:
    """Voxels of 1 mm whose centres lie from `low` to `high`, MNI mm."""
    size = tuple(b - a + 1 for a, b in zip(low, high, strict=True))
    voxels = torch.nn.functional.pad(torch.ones(size), (1,) * 6).bool()
    return StrokeMask(1, voxels, torch.tensor(low) - 1.0, torch.ones(3))


RIGHT = box_mask((10, -50, 0), (50, 20, 50))  # much of the right hemisphere


def still_head():
    """The ball head as it is: no turn, no crop, no warp, ventricles and cortex unchanged."""
    none = torch.zeros(1, 3)
    deformation = Deformation(torch.eye(3), torch.zeros(3), Waves(none, none, none))
    return draw_brain(ball_head(), deformation, stream(0, 0), ventricles=(0.0, 0.0), atrophy=(0.0, 0.0))


def write_mask(path, voxels: np.ndarray, affine: np.ndarray | None = None) -> None:
    nibabel = pytest.importorskip("nibabel")
    nibabel.save(nibabel.Nifti1Image(voxels.astype(np.uint8), np.eye(4) if affine is None else affine), path)


def folder_of(path, *numbers: int):
    for number in numbers:
        voxels = np.zeros((12, 12, 12))
        voxels[2 : 2 + number % 8 + 1, 3, 4] = 1
        write_mask(path / f"lesion-{number:03d}.nii.gz", voxels)
    return path


def test_the_cerebrum_of_a_head_fills_that_of_the_template_right_side_right():
    matrix = mni_affine(ball_head())
    centre = matrix[:, 3]  # of the middle of the head
    assert centre == pytest.approx(CEREBRUM.mean(0), abs=0.5)
    superior, posterior, left = (matrix[:, :3] @ axis for axis in np.eye(3))
    assert superior[2] > 0 and posterior[1] < 0 and left[0] < 0
    # 0.5 % of a ball of radius R lie beyond h of its middle where (R - h)^2 (2 R + h) = 0.02 R^3: h = 0.917 R; R is
    # 62 mm less half a voxel of ventricle that is missing in the middle, which changes nothing at the rim.
    half = (CEREBRUM[1] - CEREBRUM[0]) / 2
    assert [abs(left[0]), abs(posterior[1]), abs(superior[2])] == pytest.approx(list(half / (0.917 * 62)), rel=0.01)


def test_a_head_is_pitched_until_hindbrain_and_deep_grey_lie_as_in_the_template():
    classes = np.full((90, 100, 90), TissueClass.BACKGROUND, np.uint8)
    classes[30:80, 20:80, 20:70] = TissueClass.CORTEX
    deep, cerebellum, stem = (52, 40, 45), (7, 44, 45), (17, 40, 45)
    kinds = (TissueClass.DEEP_GM, TissueClass.CEREBELLAR_GM, TissueClass.BRAIN_STEM)
    for tissue, (k, j, i) in zip(kinds, (deep, cerebellum, stem), strict=True):
        classes[k - 2 : k + 3, j - 2 : j + 3, i - 2 : i + 3] = tissue
    matrix = mni_affine(Anatomy(classes, "chin on the chest"))[:, :3]
    turn = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)  # without the scaling
    assert turn @ (0, 0, 1) == pytest.approx((-1, 0, 0))  # left is left
    line = turn @ (np.array(deep) - np.add(cerebellum, stem) / 2)
    assert line[0] == pytest.approx(0)
    # In the template deep grey matter lies 44 mm before and 33 mm above the hindbrain.
    assert np.degrees(np.arctan2(line[2], line[1])) == pytest.approx(36.5, abs=0.3)


def test_a_mask_lies_in_the_phantom_where_it_lies_in_the_head_to_a_voxel():
    head = still_head()
    mask = box_mask((20, -40, 10), (39, -21, 24))
    points = centred_points((130, 130, 130), (1.0, 1.0, 1.0)) + 0.25
    tissue = points[::4, ::4, ::4].reshape(-1, 3)
    stroke = place_stroke(mask, head, tissue[head.classes(tissue) >= TissueClass.CORTEX])
    found = points[stroke(points)]
    matrix = mni_affine(ball_head())
    # What is looked up is a voxel's own cube: half a millimetre beyond the centres of the first and the last.
    corners = np.array([(19.5, -40.5, 9.5), (39.5, -20.5, 24.5)])
    expected = np.sort((corners - matrix[:, 3]) @ np.linalg.inv(matrix[:, :3]).T, axis=0)
    assert found.amin(0).numpy() == pytest.approx(expected[0], abs=1.0)
    assert found.amax(0).numpy() == pytest.approx(expected[1], abs=1.0)
    assert len(found) == pytest.approx(np.prod(expected[1] - expected[0]), rel=0.08)
    assert float((found - stroke.centre).norm(dim=-1).max()) < stroke.reach


def test_a_mirrored_mask_lies_as_far_to_the_other_side():
    places = 60 * torch.rand((5000, 3), generator=stream(1, 1)) - torch.tensor([0.0, 30.0, 0.0])
    inside, mirrored = RIGHT(places), RIGHT.mirrored()
    assert 500 < int(inside.sum()) < 4500 and not bool(mirrored(places).any())
    assert torch.equal(mirrored(places * torch.tensor([-1.0, 1.0, 1.0])), inside)
    assert torch.equal(mirrored.mirrored().origin, RIGHT.origin)
    assert mirrored.millilitres == RIGHT.millilitres == pytest.approx(41 * 71 * 51 / 1000)


def test_perfusion_changes_in_the_mask_by_one_factor_and_nowhere_else():
    healthy = draw_phantom(ball_head(), HEALTHY, seed=5, spacing=SPACING)
    settings = replace(ILL, lesion_kinds=(1, 0, 0))
    ill = draw_phantom(ball_head(), settings, seed=5, spacing=SPACING, masks=[RIGHT])
    (lesion,) = ill.lesions
    centres = centred_points(healthy.m0.shape, SPACING[::-1])
    there = lesion.place(centres) & (healthy.gm + healthy.wm > 0.9)
    ratio = ill.perfusion / healthy.perfusion.clamp_min(1e-3)
    whole = there & (ill.lesion > 0) & ((ratio - lesion.perfusion).abs() < 1e-3)
    assert int(whole.sum()) > 0.5 * int(there.sum()) > 50
    away = (healthy.perfusion > 1) & ~lesion.place(centres) & ((ratio - 1).abs() > 1e-3)
    near = torch.nn.functional.max_pool3d(lesion.place(centres).float()[None], 3, 1, 1)[0] > 0  # shares of rim voxels
    assert not bool((away & ~near).any())
    torch.testing.assert_close(ill.t1w, healthy.t1w, atol=1e-5, rtol=0)
    torch.testing.assert_close(ill.m0, healthy.m0, atol=1e-5, rtol=0)


def test_both_hemispheres_are_struck():
    heads = [draw_phantom(ball_head(), ILL, seed=s, spacing=SPACING, masks=[RIGHT]) for s in range(12)]
    sides = [float(head.shape.mni(head.lesions[0].place.centre)[0]) > 0 for head in heads]
    assert 0 < sum(sides) < 12


def test_without_masks_lesions_are_drawn_as_they_ever_were():
    shape, centre, seeds = still_head(), torch.zeros(1, 3), torch.zeros(1, 3)
    drawn = [
        draw_lesions(LesionSettings(chance=1.0, strokes=s), centre, shape, seeds, (1, 2, 5), stream(3, 3))
        for s in (0.0, 1.0)
    ]
    assert [x.perfusion for x in drawn[0]] == [x.perfusion for x in drawn[1]]
    assert [x.place.reach for x in drawn[0]] == [x.place.reach for x in drawn[1]]


def test_a_mask_beyond_what_a_phantom_shows_gives_way_to_a_lesion_that_is_in_it():
    nowhere = box_mask((300, 300, 300), (310, 310, 310))
    ill = draw_phantom(ball_head(), ILL, seed=5, spacing=SPACING, masks=[nowhere])
    assert len(ill.lesions) == 1 and not hasattr(ill.lesions[0].place, "mask")


def test_an_abstract_phantom_has_strokes_too():
    found = [draw_phantom(None, ILL, seed=s, spacing=SPACING, masks=[RIGHT]) for s in range(4)]
    assert all(isinstance(phantom.shape, Abstract) for phantom in found)
    assert any(float((phantom.lesion + phantom.structural).max()) > 0 for phantom in found)


def test_the_first_seventy_masks_train_and_the_others_are_held_out(tmp_path):
    folder = folder_of(tmp_path, 1, 69, 70, 71, 100)
    training, held_out = read_training_masks(folder), read_held_out_masks(folder)
    assert [mask.number for mask in training] == [1, 69, 70]
    assert [mask.number for mask in held_out] == [71, 100]


def test_a_mask_is_read_where_its_file_says_whatever_the_order_of_its_axes(tmp_path):
    voxels = np.zeros((20, 10, 10))
    voxels[3:6, 4, 5:7] = 1
    affine = np.diag([-2.0, 1.0, 3.0, 1.0])
    affine[:3, 3] = (40.0, -5.0, -9.0)
    write_mask(tmp_path / "lesion-007.nii.gz", voxels, affine)
    (mask,) = read_training_masks(tmp_path)
    assert mask.millilitres == pytest.approx(6 * 6 / 1000)
    # voxels 3 to 5 along x lie at 34, 32 and 30 mm; 5 and 6 along z at 6 and 9
    places = torch.tensor([(34.0, -1, 6), (30, -1, 9), (29.2, -1, 9), (28, -1, 9), (34, -1, 12), (34, 0, 6)])
    assert mask(places).tolist() == [True, True, True, False, False, False]


def test_a_folder_without_masks_is_named_in_one_sentence(tmp_path):
    with pytest.raises(InputError, match="holds no stroke masks of this half"):
        read_training_masks(tmp_path / "nowhere")
    with pytest.raises(InputError, match="held out"):
        read_held_out_masks(folder_of(tmp_path, 1, 2))


@pytest.mark.parametrize("bad", ["empty", "oblique", "no image"])
def test_a_file_that_is_no_mask_is_named_in_one_sentence(tmp_path, bad):
    path = tmp_path / "lesion-001.nii.gz"
    if bad == "no image":
        path.write_text("nothing")
    else:
        turned = np.eye(4)
        turned[:2, :2] = ((0.9, -0.4), (0.4, 0.9))
        write_mask(path, np.zeros((5, 5, 5)) if bad == "empty" else np.ones((5, 5, 5)), turned)
    with pytest.raises(InputError, match=r"lesion-001\.nii\.gz .*; give a NIfTI mask"):
        read_training_masks(tmp_path)


@pytest.mark.shared
def test_real_masks_are_disjoint_halves_and_lie_in_the_tissue_of_a_head_kept_out(shared_data):
    training, held_out = (read(shared_data / "lesions") for read in (read_training_masks, read_held_out_masks))
    assert (len(training), len(held_out)) == (70, 30)
    assert not {m.number for m in training} & {m.number for m in held_out}
    large = [mask for mask in held_out if mask.millilitres > 5]
    assert len(large) == 16
    anatomy = read_anatomy(shared_data / "anatomy" / "brain-17_labels.nii.gz")
    middle = (np.array(anatomy.classes.shape) - 1) / 2
    where = np.argwhere((anatomy.classes >= TissueClass.CSF) & (anatomy.classes <= TissueClass.BRAIN_STEM))[::5]
    matrix = mni_affine(anatomy)
    places = torch.tensor((where - middle) @ matrix[:, :3].T + matrix[:, 3], dtype=torch.float32)
    tissue = torch.from_numpy(anatomy.classes[tuple(where.T)] >= TissueClass.CORTEX)
    shares = [float(tissue[mask(places)].float().mean()) for mask in large]
    assert np.mean(shares) > 0.75 and min(shares) > 0.5
