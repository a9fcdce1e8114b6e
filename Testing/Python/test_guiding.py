"""What the default model is fed with: Gaussian windows, guided averages and the noise level."""

from __future__ import annotations

import numpy as np
import pytest

from ASLDenoiseLib.denoising.noise_level import BROAD, MOST_OWN, MOST_UNEVEN, PRIOR, noise_level, white_left
from ASLDenoiseLib.series import Geometry

torch = pytest.importorskip("torch")
from ASLDenoiseLib.denoising.families import Sample  # noqa: E402
from ASLDenoiseLib.denoising.gaussian_windows import gaussian_window, window_of_mm  # noqa: E402
from ASLDenoiseLib.denoising.guiding import (  # noqa: E402
    CHANNELS,
    NOISE_CHANNELS,
    channels,
    m0_features,
    regress_on,
)
from ASLDenoiseLib.networks.guided_unet import GuidedUNet  # noqa: E402

SHAPE = (8, 20, 22)
SPACING = torch.tensor([[5.0, 3.0, 3.0]])


def brain() -> torch.Tensor:
    mask = torch.zeros(1, 1, *SHAPE)
    mask[..., 1:7, 3:17, 4:18] = 1
    return mask


def random(seed: int = 0, *, count: int = 1) -> torch.Tensor:
    return torch.randn((1, count, *SHAPE), generator=torch.Generator().manual_seed(seed))


def test_a_window_is_the_gaussian_blur_of_scipy() -> None:
    from scipy.ndimage import gaussian_filter

    image = random()
    ours = gaussian_window(SHAPE, torch.tensor([[0.8, 1.5, 1.5]]))(image)
    theirs = gaussian_filter(image[0, 0].numpy(), (0.8, 1.5, 1.5), mode="constant", truncate=8)
    assert np.allclose(ours[0, 0].numpy(), theirs, atol=2e-3)


def test_a_noise_window_keeps_the_variance_of_white_noise_up_to_the_edge() -> None:
    window = gaussian_window((6, 40, 40), torch.tensor([[0.6, 0.6, 0.6]]), unit="noise")
    noise = window(torch.randn((1, 300, 6, 40, 40), generator=torch.Generator().manual_seed(0)))
    assert float(noise.std()) == pytest.approx(1, abs=0.01)
    assert float(noise[:, :, 0, 0, 0].std()) == pytest.approx(1, abs=0.12)


def test_regression_on_tissue_fractions_finds_what_each_tissue_holds() -> None:
    fractions = torch.rand((1, 2, *SHAPE), generator=torch.Generator().manual_seed(1)) / 2
    truth = 60 * fractions[:, :1] + 20 * fractions[:, 1:] + 5
    found = regress_on(fractions, truth * brain(), brain(), window_of_mm(SHAPE, SPACING, 20.0), ridge=1e-5)
    assert torch.allclose(found[brain() > 0], truth[brain() > 0], atol=0.2)


def test_without_variation_in_the_guide_regression_is_the_local_mean() -> None:
    values, window = random() * brain(), window_of_mm(SHAPE, SPACING, 15.0)
    found = regress_on(torch.zeros(1, 2, *SHAPE), values, brain(), window, ridge=0.003)
    assert torch.allclose(found, window(values) / window(brain()).clamp_min(1e-6) * brain(), atol=1e-5)


def test_every_channel_is_linear_in_the_difference() -> None:
    t1, m0, noise = torch.rand(1, 3, *SHAPE), 1 + torch.rand(1, 1, *SHAPE), torch.zeros(1, NOISE_CHANNELS, *SHAPE)

    def of(difference: torch.Tensor) -> torch.Tensor:
        return channels(Sample(difference * brain(), brain(), SPACING, m0, t1, noise))

    a, b = random(1), random(2)
    assert of(a).shape[1] == CHANNELS
    assert torch.allclose(of(2 * a - 3 * b), 2 * of(a) - 3 * of(b), atol=1e-4)


def test_an_m0_of_one_value_guides_nothing() -> None:
    assert not m0_features(torch.full((1, 1, *SHAPE), 800.0), brain(), SPACING).any()


def test_m0_features_do_not_depend_on_its_scale() -> None:
    m0 = 1 + torch.rand(1, 1, *SHAPE)
    assert torch.allclose(m0_features(m0, brain(), SPACING), m0_features(1000 * m0, brain(), SPACING), atol=1e-3)


def test_the_default_network_has_1313996_parameters_and_takes_any_size() -> None:
    network = GuidedUNet().eval()
    assert sum(p.numel() for p in network.parameters()) == 1_313_996
    with torch.inference_mode():
        estimate, spread = network(torch.randn(1, CHANNELS, 5, 13, 18))
    assert estimate.shape == spread.shape == (1, 1, 5, 13, 18)
    assert bool((spread > 0).all())


def test_the_estimate_scales_with_signal_and_noise_together() -> None:
    torch.manual_seed(0)
    network = GuidedUNet().eval()
    torch.nn.init.normal_(network.last.weight)
    x = torch.randn(1, CHANNELS, 4, 12, 12)
    with torch.inference_mode():
        assert torch.allclose(network(3 * x)[0], 3 * network(x)[0], rtol=1e-3, atol=1e-4)


def test_weights_of_fewer_channels_give_what_they_gave_and_the_new_channel_learns() -> None:
    torch.manual_seed(0)
    earlier, network = GuidedUNet(channels=CHANNELS - 1, noise_channels=NOISE_CHANNELS - 1), GuidedUNet()
    torch.nn.init.normal_(earlier.last.weight)
    network.load_earlier(earlier.state_dict())
    x = torch.randn(1, CHANNELS, 4, 12, 12)
    found = network(x)
    for ours, theirs in zip(found, earlier(x[:, :-1]), strict=True):
        assert torch.allclose(ours, theirs, atol=1e-4)
    sum(part.sum() for part in found).backward()
    for layer in (network.down[0].first, network.mixture):
        assert not layer.weight[:, -1].any() and layer.weight.grad[:, -1].any()
    network.load_earlier(network.state_dict())  # as many channels are no fewer


GEOMETRY = Geometry((22, 20, 8), (3.0, 3.0, 5.0), (0.0, 0.0, 0.0))


def test_the_noise_of_the_mean_is_read_off_the_pairs() -> None:
    inside = brain()[0, 0].numpy() > 0
    pairs = np.random.default_rng(0).normal(10, 4, (16, *SHAPE)).astype(np.float32)
    level = noise_level(pairs, inside, GEOMETRY)
    assert level.source == "pairs"
    assert level.sigma == pytest.approx(1.0, rel=0.05)
    assert level.local[inside].std() < 0.15
    assert not level.local[~inside].any()


def test_the_noise_of_a_single_image_is_read_off_its_fine_detail() -> None:
    inside = brain()[0, 0].numpy() > 0
    image = np.random.default_rng(0).normal(10, 4, (1, *SHAPE)).astype(np.float32)
    level = noise_level(image, inside, GEOMETRY)
    assert level.source == "image"
    assert level.sigma == pytest.approx(4.0, rel=0.15)


def test_uneven_noise_shows_in_its_map() -> None:
    inside = brain()[0, 0].numpy() > 0
    pairs = np.random.default_rng(0).normal(0, 1, (30, *SHAPE)).astype(np.float32)
    pairs[..., 11:] *= 2
    level = noise_level(pairs, inside, GEOMETRY)
    assert level.local[4, 10, 16] > 1.5 * level.local[4, 10, 5]
    assert level.fine[4, 10, 12] > 1.25 * level.local[4, 10, 9]  # the finer map knows the border more sharply
    assert level.fine[4, 10, 12] / level.fine[4, 10, 9] > level.local[4, 10, 12] / level.local[4, 10, 9]


def test_one_wild_voxel_does_not_pass_for_the_noise_of_its_neighbours() -> None:
    inside = brain()[0, 0].numpy() > 0
    pairs = np.random.default_rng(0).normal(0, 1, (10, *SHAPE)).astype(np.float32)
    pairs[:, 4, 10, 10] *= 200
    level = noise_level(pairs, inside, GEOMETRY)
    assert level.fine.max() <= MOST_UNEVEN * np.median(level.fine[inside]) * 1.0001


def test_a_voxels_own_noise_is_the_mean_of_its_spread_and_its_neighbours_by_degrees_of_freedom() -> None:
    inside = brain()[0, 0].numpy() > 0
    pairs = np.random.default_rng(0).normal(0, 1, (13, *SHAPE)).astype(np.float32)
    pairs[:, 4, 10, 10] *= 6
    level = noise_level(pairs, inside, GEOMETRY)
    at = (4, 10, 10)
    variance = pairs[(slice(None), *at)].var(ddof=1) / 13
    assert level.own[at] ** 2 == pytest.approx((PRIOR * level.fine[at] ** 2 + 12 * variance) / (PRIOR + 12), rel=1e-3)
    assert level.own[at] > 1.5 * level.fine[at]
    few = noise_level(pairs[:2], inside, GEOMETRY)
    assert few.own[at] < 1.5 * few.fine[at]  # one degree of freedom against twelve
    assert not level.own[~inside].any()


def test_pairs_of_no_weight_are_no_degrees_of_freedom() -> None:
    inside = brain()[0, 0].numpy() > 0
    pairs = np.random.default_rng(0).normal(0, 1, (8, *SHAPE)).astype(np.float32)
    weights = np.ones((8, SHAPE[0], 1, 1), np.float32)
    weights[4:] = 0
    half = noise_level(pairs[:4], inside, GEOMETRY)
    assert np.allclose(noise_level(pairs, inside, GEOMETRY, weights).own, half.own, rtol=1e-4)


def test_without_pairs_a_voxels_own_noise_is_its_neighbours() -> None:
    inside = brain()[0, 0].numpy() > 0
    level = noise_level(np.random.default_rng(0).normal(10, 4, (1, *SHAPE)).astype(np.float32), inside, GEOMETRY)
    assert np.allclose(level.own, level.fine, rtol=1e-4)


def test_one_wild_voxel_is_told_of_itself_within_reason() -> None:
    inside = brain()[0, 0].numpy() > 0
    pairs = np.random.default_rng(0).normal(0, 1, (10, *SHAPE)).astype(np.float32)
    pairs[:, 4, 10, 10] *= 200
    level = noise_level(pairs, inside, GEOMETRY)
    assert level.own.max() == pytest.approx(MOST_OWN * np.median(level.fine[inside]), rel=1e-4)


def test_a_mean_of_8_mm_leaves_more_of_noise_whose_neighbours_are_correlated() -> None:
    from scipy.ndimage import gaussian_filter

    inside = brain()[0, 0].numpy() > 0
    white = np.random.default_rng(0).normal(0, 1, (6, *SHAPE)).astype(np.float32)
    correlated = np.stack([gaussian_filter(p, 0.7) for p in white])
    plain, smooth = (noise_level(p, inside, GEOMETRY).blurred for p in (white, correlated))
    assert plain == pytest.approx(white_left(GEOMETRY.spacing, BROAD), rel=0.25)
    assert smooth > 1.7 * plain


def test_white_noise_keeps_what_a_gaussian_mean_leaves_of_it() -> None:
    from ASLDenoiseLib.spatial.smoothing import blur

    noise = np.random.default_rng(1).normal(0, 1, (40, 60, 60))
    left = blur(noise, (3.0, 3.0, 4.0), 8.0)[8:-8, 8:-8, 8:-8].std()
    assert left == pytest.approx(white_left((3.0, 3.0, 4.0), 8.0), rel=0.05)
