from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from phantom_builders import ball_head  # noqa: E402

from ASLDenoiseLib.learning.anatomy import TissueClass, class_table, read_anatomy  # noqa: E402
from ASLDenoiseLib.learning.arrival import arrival_factor, draw_seeds  # noqa: E402
from ASLDenoiseLib.learning.lesions import LesionSettings, draw_lesions  # noqa: E402
from ASLDenoiseLib.learning.phantom import PhantomSettings, draw_phantom  # noqa: E402
from ASLDenoiseLib.learning.shapes import Abstract, Brain  # noqa: E402
from ASLDenoiseLib.learning.smooth import centred_points, draw_waves, gaussian_blur, stream  # noqa: E402
from ASLDenoiseLib.series import Acquisition, Labeling  # noqa: E402

SMALL = PhantomSettings(size=(28, 28, 12), warp=1.0)
SPACING = (6.0, 6.0, 9.0)
HEALTHY = replace(SMALL, lesions=0, vessels=0.0, blur=(0.0, 0.0), blur_z=(0.0, 0.0))
INJURED = replace(HEALTHY, lesions=4, lesion_chance=1.0, lesion_diameter=(30.0, 40.0))


def draw(settings: PhantomSettings = HEALTHY, *, seed: int = 3, head=True):
    return draw_phantom(ball_head() if head else None, settings, seed=seed, spacing=SPACING)


def test_the_same_seed_draws_the_same_phantom_and_another_seed_another():
    one, again, other = draw(SMALL), draw(SMALL), draw(SMALL, seed=4)
    for name in ("perfusion", "m0", "t1w", "lesion"):
        assert torch.equal(getattr(one, name), getattr(again, name))
    assert not torch.equal(one.perfusion, other.perfusion)


def test_in_another_pose_it_is_the_same_head_elsewhere():
    still = draw(replace(HEALTHY, texture=(0.0, 0.0)))
    pose = torch.eye(4)
    pose[1, 3] = SPACING[1]  # what was in the next voxel along j is now in this one
    moved = draw_phantom(ball_head(), replace(HEALTHY, texture=(0.0, 0.0)), seed=3, spacing=SPACING, pose=pose)
    for name in ("perfusion", "m0", "gm", "t1w"):
        before, after = getattr(still, name), getattr(moved, name)
        assert float((before[:, 1:] - after[:, :-1]).abs().max()) < 0.02 * float(before.max()), name
        assert float((before - after).abs().max()) > 0.2 * float(before.max()), name
    points = centred_points((12, 28, 28), SPACING[::-1])
    assert torch.equal(moved.t1w_at(points)[:, :-1], still.t1w_at(points)[:, 1:])
    assert torch.allclose(moved.t1w_classes()[:, :, :-1], still.t1w_classes()[:, :, 1:], atol=0.05)


def test_partial_volumes_are_fractions_of_one_voxel():
    phantom = draw()
    total = phantom.gm + phantom.wm + phantom.csf
    assert float(total.max()) <= 1 + 1e-5
    assert float(total[5, 14, 14]) == pytest.approx(1, abs=1e-5)
    mixed = (phantom.gm > 0.1) & (phantom.gm < 0.9)
    assert int(mixed.sum()) > 100


def test_pointwise_voxels_hold_one_tissue_each():
    phantom = draw(replace(HEALTHY, pointwise=1.0))
    assert set(phantom.gm.unique().tolist()) == {0.0, 1.0}


def test_perfusion_lies_in_tissue_alone():
    plain = draw()
    assert float(plain.perfusion[(plain.gm + plain.wm) == 0].abs().max()) == 0


def test_the_ratio_of_grey_to_white_matter_is_the_one_asked_for():
    settings = replace(HEALTHY, gm_wm_ratio=(3.0, 3.0), regional=0.0, asymmetry=0.0, texture=(0.0, 0.0), arrival=False)
    plain = draw(settings)
    ratio = float(plain.cbf[plain.gm > 0.999].mean() / plain.cbf[plain.wm > 0.999].mean())
    assert ratio == pytest.approx(3.0, rel=1e-3)


def test_variation_and_texture_of_perfusion_are_as_strong_as_asked():
    flat = replace(HEALTHY, regional=0.0, asymmetry=0.0, texture=(0.0, 0.0), arrival=False)
    still, textured = draw(flat), draw(replace(flat, texture=(0.05, 0.05)))
    inside = still.wm > 0.999
    factor = textured.perfusion[inside] / still.perfusion[inside]
    assert float(factor.std()) == pytest.approx(0.05, rel=0.25)
    assert float(factor.mean()) == pytest.approx(1, abs=0.02)


def test_late_blood_gives_what_the_general_kinetic_model_says():
    pcasl = Acquisition(labeling=Labeling.PCASL, post_labeling_delay=1.5, label_duration=1.8, t1_blood=1.65)
    late = 2.1
    # Buxton 1998, equation 1 by brute force: label let in at time s leaves the neck until 1.8 s, is in tissue `late`
    # seconds later, and has decayed with the T1 of blood until the image at 3.3 s.
    s = (np.arange(200000) + 0.5) * 1.8 / 200000
    decayed = np.exp(-(3.3 - s) / 1.65)
    expected = decayed[s + late <= 3.3].sum() / decayed.sum()
    found = arrival_factor(torch.tensor([late, 1.5, 0.7, 3.4]), pcasl)
    assert found.tolist() == pytest.approx([expected, 1.0, 1.0, 0.0], abs=1e-4)
    pasl = Acquisition(labeling=Labeling.PASL, post_labeling_delay=1.8, bolus_duration=0.8)
    assert arrival_factor(torch.tensor([1.4, 0.9, 2.0]), pasl).tolist() == pytest.approx([0.5, 1.0, 0.0], abs=1e-6)


def test_border_zones_get_blood_later_and_a_short_delay_shows_it():
    short = Acquisition(labeling=Labeling.PCASL, post_labeling_delay=0.8, label_duration=1.8)
    with_arrival = draw_phantom(ball_head(), HEALTHY, seed=3, spacing=SPACING, acquisition=short)
    without = draw_phantom(ball_head(), replace(HEALTHY, arrival=False), seed=3, spacing=SPACING, acquisition=short)
    gm = with_arrival.gm > 0.99
    kept, att = with_arrival.perfusion[gm] / without.perfusion[gm], with_arrival.att[gm]
    torch.testing.assert_close(kept, arrival_factor(att, short), atol=1e-4, rtol=1e-4)
    assert float(att.max() - att.min()) > 0.2


def test_slices_read_later_have_more_of_the_label():
    timing = tuple(0.1 * k for k in range(12))
    slow = Acquisition(
        labeling=Labeling.PCASL, post_labeling_delay=0.6, label_duration=1.8, readout="2D", slice_timing=timing
    )
    at_once = replace(slow, readout="3D", slice_timing=None)
    first, second = (
        draw_phantom(ball_head(), HEALTHY, seed=3, spacing=SPACING, acquisition=a) for a in (slow, at_once)
    )
    inside = first.gm[10] > 0.9
    assert float((first.perfusion[10][inside] / second.perfusion[10][inside]).mean()) > 1.02


def test_a_lesion_of_structure_alone_leaves_perfusion_as_it_was():
    healthy, injured = draw(), draw(replace(INJURED, lesion_kinds=(0, 0, 1)))
    assert torch.allclose(healthy.perfusion, injured.perfusion, rtol=1e-5, atol=1e-4)
    assert float(injured.lesion.max()) == 0
    where = injured.structural > 0
    assert int(where.sum()) > 10
    change = (injured.t1w - healthy.t1w).abs() + (injured.m0 - healthy.m0).abs()
    assert float(change[where].max()) > 0.02
    assert float(change[~where & (injured.brain > 0)].median()) < 1e-6


def test_a_lesion_of_perfusion_alone_leaves_t1_and_m0_as_they_were():
    healthy, injured = draw(), draw(replace(INJURED, lesion_kinds=(1, 0, 0)))
    assert torch.allclose(healthy.t1w, injured.t1w, atol=1e-5)
    assert torch.allclose(healthy.m0, injured.m0, atol=1e-5)
    where = injured.lesion > 0
    assert int(where.sum()) > 10
    # Where two overlap one holds; at the rim a voxel is only partly lesion; so compare the strongest.
    factor = injured.perfusion[where] / healthy.perfusion[where].clamp_min(1e-3)
    assert float((factor - 1).abs().max()) > 0.25


def test_half_of_the_phantoms_have_lesions_a_third_of_them_of_each_kind():
    shape, seeds, centre = draw().shape, draw_seeds(torch.Generator().manual_seed(0)), torch.zeros(1, 3)
    found = [draw_lesions(LesionSettings(), centre, shape, seeds, (1, 2, 5), stream(s, 3)) for s in range(300)]
    assert sum(bool(lesions) for lesions in found) == pytest.approx(150, abs=35)
    every = [lesion for lesions in found for lesion in lesions]
    flows = [x.perfusion is not None for x in every]
    structural = [x.t1w is not None or x.m0 is not None for x in every]
    both = np.array(flows) & np.array(structural)
    shares = [np.mean(flows) - both.mean(), both.mean(), np.mean(structural) - both.mean()]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.08)
    factors = np.array([x.perfusion for x in every if x.perfusion is not None])
    assert ((factors <= 0.7) | (factors >= 1.3)).all() and factors.max() <= 4


def test_the_t1_at_a_place_agrees_with_the_tissue_of_its_voxel_and_shows_lesions():
    injured = draw(replace(INJURED, lesion_kinds=(0, 0, 1)))
    points = centred_points(injured.m0.shape, SPACING[::-1])
    sampled = injured.t1w_at(points)
    plain = (injured.structural == 0) & (injured.wm > 0.999)
    white = float(injured.t1w_values[TissueClass.WM])
    assert sampled[plain].tolist() == pytest.approx([white] * int(plain.sum()), abs=1e-5)
    dark = (injured.t1w < white - 0.05) & (injured.wm > 0.999)
    if bool(dark.any()):
        assert float(sampled[dark].mean()) < white - 0.02


def test_the_contrast_classes_of_the_t1_are_its_tissues_and_move_with_the_t1():
    healthy = draw()
    classes = healthy.t1w_classes()
    inside = healthy.brain > 0
    torch.testing.assert_close(classes[2][inside], healthy.wm[inside], atol=0.02, rtol=0)
    torch.testing.assert_close(classes[1][inside], healthy.gm[inside], atol=0.02, rtol=0)
    shift = torch.eye(4)
    shift[2, 3] = SPACING[0]  # one voxel along i
    moved = healthy.t1w_classes(shift)
    torch.testing.assert_close(moved[1][:, :, 8:-8], classes[1][:, :, 9:-7], atol=0.15, rtol=0)
    assert not torch.equal(moved, classes)


def test_ventricles_widen_and_cortex_thins():
    packed = ball_head().packed
    wide, thin, plain = class_table(widened=3.0), class_table(thinned=1.6), class_table()
    count = lambda table, tissue: int((table[packed] == tissue).sum())  # noqa: E731
    csf = TissueClass.CSF
    ball = 4 / 3 * np.pi
    assert count(plain, csf) == int((ball_head().classes == csf).sum())
    assert count(wide, csf) - count(plain, csf) == pytest.approx(ball * (13**3 - 10**3), rel=0.1)
    assert count(plain, TissueClass.CORTEX) - count(thin, TissueClass.CORTEX) == pytest.approx(
        4 * np.pi * 62**2 * 1.6, rel=0.2
    )


def test_an_abstract_phantom_has_tissue_but_no_brain_and_differs_each_time():
    phantoms = [draw(seed=s, head=False) for s in range(2)]
    for phantom in phantoms:
        assert int((phantom.brain > 0).sum()) > 100
        assert bool(torch.isfinite(phantom.perfusion).all()) and float(phantom.perfusion.max()) > 0
    assert not torch.equal(phantoms[0].brain, phantoms[1].brain)
    assert isinstance(draw(replace(HEALTHY, abstract=1.0)).shape, Abstract)
    assert isinstance(draw(HEALTHY).shape, Brain)


def test_blurring_keeps_the_sum_and_widens_by_the_sd_asked_for():
    spike = torch.zeros(1, 41, 5, 5)
    spike[0, 20, 2, 2] = 1
    blurred = gaussian_blur(spike, (2.0, 0.0, 0.0))[0, :, 2, 2]
    away = torch.arange(41) - 20.0
    assert float(blurred.sum()) == pytest.approx(1, abs=1e-5)
    assert float((blurred * away**2).sum().sqrt()) == pytest.approx(2.0, rel=0.03)


def test_waves_have_unit_variance_and_the_slope_they_say():
    waves = draw_waves(40, (60.0, 120.0), torch.Generator().manual_seed(0))
    points = 300 * torch.rand((400, 3), generator=torch.Generator().manual_seed(1), dtype=torch.float32)
    assert float(waves(points).std()) == pytest.approx(1, rel=0.2)
    step = torch.tensor([0.0, 0.5, 0.0])
    slope = (waves(points + step) - waves(points - step))[:, 0]
    torch.testing.assert_close(waves.gradient(points)[:, 0, 1], slope, atol=2e-3, rtol=0.02)


@pytest.mark.shared
def test_a_real_anatomy_is_read_upright_with_grey_and_white_matter(shared_data):
    anatomy = read_anatomy(shared_data / "anatomy" / "brain-01_labels.nii.gz")
    assert anatomy.name == "brain-01"
    stem = np.argwhere(anatomy.classes == TissueClass.BRAIN_STEM)[:, 0].mean()
    cortex = np.argwhere(anatomy.classes == TissueClass.CORTEX)[:, 0].mean()
    assert stem < cortex  # K runs towards superior
    cerebellum = np.argwhere(anatomy.classes == TissueClass.CEREBELLAR_GM)[:, 1].mean()
    assert cerebellum > np.argwhere(anatomy.classes == TissueClass.CORTEX)[:, 1].mean()  # J towards posterior
