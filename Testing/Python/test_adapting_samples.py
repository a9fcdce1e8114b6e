"""What teaches is what a run would give the network, beside the mean of other pairs in the same unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from adapting_builders import small_scan, truth  # noqa: E402

from ASLDenoiseLib.adapting.crops import crops_of  # noqa: E402
from ASLDenoiseLib.adapting.groups import part_of, raw_mean  # noqa: E402
from ASLDenoiseLib.adapting.samples import answer_to, draw_samples, make_sample  # noqa: E402
from ASLDenoiseLib.adapting.teaching_lesions import teaching_lesions, tissue_perfusion  # noqa: E402
from ASLDenoiseLib.adapting.watching import answer, watch  # noqa: E402
from ASLDenoiseLib.compute import Compute  # noqa: E402
from ASLDenoiseLib.denoising.catalogue import find_model, load_model  # noqa: E402
from ASLDenoiseLib.denoising.inference import denoise_pairs  # noqa: E402

MODELS = (
    *("guided-unet", "dwan-lfn", "slab-transformer"),
    *(pytest.param(name, marks=pytest.mark.model(name)) for name in ("unet3d", "unet3d-m0")),
)


@pytest.mark.parametrize("model", MODELS)
def test_a_watched_network_answers_as_a_run_does(model):
    card, scan, given = find_model(model), small_scan(8), np.arange(4)
    part = part_of(scan, given)
    images = {"m0": scan.guides.m0, "guides": scan.guides.maps}
    expected = denoise_pairs(part.pairs, part.brain, card, **images).difference.array
    watched = watch(card, scan, given, np.arange(4, 8))
    found = answer(load_model(card), card, watched, Compute("cpu"))[0]
    inside = scan.brain.array > 0
    np.testing.assert_allclose(found[inside], expected[inside], rtol=1e-3, atol=0.02)


@pytest.mark.parametrize("model", MODELS)
def test_input_and_target_lie_on_one_grid_in_one_unit(model):
    card, scan, given, others = find_model(model), small_scan(8), np.arange(4), np.arange(4, 8)
    sample = make_sample(card, scan, given, others)
    inside = (scan.brain.array > 0)[sample.box]
    assert sample.channels.shape[1:] == sample.target.shape[1:] == sample.regions.shape[1:] == inside.shape
    np.testing.assert_array_equal(sample.weight[0].numpy() > 0, inside)
    aim = raw_mean(part_of(scan, others)).array[sample.box][inside]
    np.testing.assert_allclose(sample.target[0].numpy()[inside] * sample.unit, aim, rtol=1e-4)
    assert sample.noise * sample.unit == pytest.approx(40 / 4**0.5, rel=0.05)
    with torch.no_grad():
        estimate, _ = answer_to(load_model(card), sample.channels[None], card.family.dimensions)
    assert estimate.shape == (1, *sample.target.shape)


def test_voxels_that_no_pair_measured_do_not_count():
    scan = small_scan(8)
    weights = np.ones(scan.pairs.array.shape, np.float32)
    weights[4:, 3] = 0  # a slice of all target pairs
    sample = make_sample(find_model("guided-unet"), replace(scan, weights=weights), np.arange(4), np.arange(4, 8))
    assert sample.weight[0, 3].sum() == 0 < sample.weight[0, 4].sum() and torch.isfinite(sample.target).all()


def test_every_split_teaches_in_both_directions_and_every_second_has_lesions():
    scan = small_scan(12)
    samples = draw_samples(find_model("dwan-lfn"), scan, np.arange(10), 8, np.random.default_rng(0))
    assert len(samples) == 8 and len({round(each.noise * each.unit, 2) for each in samples}) > 4
    struck = [float(each.regions[2:4].sum()) > 0 for each in samples]
    assert struck == [False, False, True, True] * 2


def test_a_teaching_lesion_is_in_every_pair_and_unknown_to_the_guides():
    scan = small_scan(8)
    struck = teaching_lesions(scan, np.arange(6), np.random.default_rng(3))
    added = struck.scan.pairs.array - scan.pairs.array
    np.testing.assert_allclose(added, np.broadcast_to(added[:1], added.shape), atol=1e-3)
    assert (added[0][struck.darker] < 0).all() and (added[0][struck.brighter] > 0).all()
    assert not added[0][~(struck.darker | struck.brighter)].any()
    painted = [a.array != b.array for a, b in zip(struck.scan.guides.maps, scan.guides.maps, strict=True)]
    painted.append(struck.scan.guides.m0.array != scan.guides.m0.array)
    assert np.any(painted) and not np.any(np.any(painted, axis=0) & (added[0] != 0))


def test_what_a_lesion_is_a_share_of_carries_no_local_noise():
    scan = small_scan(8)
    base = tissue_perfusion(scan)
    grey, white = scan.tissue.gm.array > 0, scan.tissue.wm.array > 0
    assert max(base[grey].std(), base[white].std()) < 1e-3
    np.testing.assert_allclose([base[grey].mean(), base[white].mean()], [60, 20], atol=1.5)
    assert np.abs(base - truth())[scan.tissue.csf.array > 0].max() < 1e-3


def test_crops_are_no_larger_than_asked_and_the_same_for_a_seed():
    samples = draw_samples(find_model("guided-unet"), small_scan(8), np.arange(6), 2, np.random.default_rng(0))
    first, again = (crops_of(samples, 3, np.random.default_rng(5), size=(6, 10, 10)) for _ in range(2))
    for _ in range(3):
        one, other = next(first), next(again)
        assert one[0].shape == (1, 11, 6, 10, 10) and one[3].shape == (1, 5, 6, 10, 10)
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
