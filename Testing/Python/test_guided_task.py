"""What the default model is trained on: lesions drawn on the voxels, and noise as a run would have seen it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from ASLDenoiseLib.denoising.guiding import CHANNELS, NOISE_CHANNELS  # noqa: E402
from ASLDenoiseLib.denoising.noise_level import BROAD, noise_level, white_left  # noqa: E402
from ASLDenoiseLib.learning.noise import NoiseSettings, draw_noise, draw_noise_parameters  # noqa: E402
from ASLDenoiseLib.learning.persistent import draw_persistent  # noqa: E402
from ASLDenoiseLib.learning.recipe import Recipe  # noqa: E402
from ASLDenoiseLib.learning.tasks.ellipsoids import guide_lesions, perfusion_lesions  # noqa: E402
from ASLDenoiseLib.learning.tasks.guided import GuidedTask  # noqa: E402
from ASLDenoiseLib.learning.tasks.noise_estimate import noise_estimate  # noqa: E402
from ASLDenoiseLib.learning.volumes import Volumes  # noqa: E402
from ASLDenoiseLib.networks.guided_unet import GuidedUNet  # noqa: E402
from ASLDenoiseLib.series import Geometry  # noqa: E402

SHAPE = (12, 32, 32)
SPACING = torch.tensor([[5.0, 3.4, 3.4]])
QUIET = NoiseSettings(
    gm_snr=(2.0, 2.0),
    correlation=(0.0, 0.0),
    correlation_z=(0.0, 0.0),
    physiological=(0.0, 0.0),
    unevenness=(0.0, 0.0),
    patchiness=(0.0, 0.0),
    pulsation=(0.0, 0.0),
    common=(0.0, 0.0),
    motion=(0.0, 0.0),
    spikes=0.0,
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def brain(count: int = 1) -> torch.Tensor:
    mask = torch.zeros(count, 1, *SHAPE)
    mask[..., 1:11, 4:28, 4:28] = 1
    return mask


def task_of(noise: NoiseSettings, **options: object) -> GuidedTask:
    return GuidedTask(Recipe("guided", "guided-unet", batch=2, noise=noise, options=options))


def pool(count: int = 4) -> Volumes:
    """Heads of two halves, grey at 1.5 and white at 0.5, that the T1 shows."""
    inside = brain(count)[:, 0]
    gm = inside.clone()
    gm[..., 16:] = 0
    wm = inside - gm
    return Volumes(
        1.5 * gm + 0.5 * wm,
        0.9 * gm + 0.8 * wm,
        gm,
        wm,
        inside > 0,
        torch.zeros_like(inside) > 0,
        torch.stack([torch.zeros_like(gm), gm, wm], dim=1),
        torch.full((count,), 1.5),
        SPACING.expand(count, 3),
    )


def test_perfusion_lesions_change_perfusion_where_their_mask_is_and_only_when_drawn() -> None:
    factor, mask = perfusion_lesions(brain(4), SPACING.expand(4, 3), generator(), chance=1.0)
    assert 0 < mask.mean() < 0.5
    assert ((factor - 1).abs()[mask > 0] > 0.1).float().mean() > 0.95
    none, nowhere = perfusion_lesions(brain(4), SPACING.expand(4, 3), generator(), chance=0.0)
    assert torch.equal(none, torch.ones_like(none)) and not nowhere.any()


def test_guide_lesions_keep_the_fractions_fractions_and_leave_what_is_outside_their_mask() -> None:
    volumes = pool()
    m0 = volumes.m0[:, None]
    t1, changed, mask = guide_lesions(volumes.t1, m0, brain(4), SPACING.expand(4, 3), generator(), chance=1.0)
    assert torch.allclose(t1.sum(dim=1), brain(4)[:, 0], atol=1e-5)
    assert (t1 >= 0).all()
    moved = (t1 - volumes.t1).abs().sum(dim=1, keepdim=True) + (changed / m0.clamp_min(0.1) - 1).abs() * (m0 > 0)
    assert mask.any() and moved[mask > 0].mean() > 0.2
    far = torch.nn.functional.max_pool3d(mask, 9, 1, 4) == 0
    assert moved[far].max() < 0.05


def persistent(chance: float) -> torch.Tensor:
    volumes = pool(24)
    return draw_persistent(volumes.gm_level, volumes.m0[:, None], brain(24), generator(), chance=chance)


def test_vessels_and_shifted_edges_are_rare_strong_of_either_sign_and_in_the_brain() -> None:
    added = persistent(1.0) / 1.5  # times the GM level
    assert not added[brain(24) == 0].any() and not persistent(0.0).any()
    assert added.max() > 2 and added.min() < -0.5
    assert (added.abs() > 0.5)[brain(24) > 0].float().mean() < 0.1


def test_what_every_pair_shows_is_part_of_the_truth_and_does_not_count_as_noise() -> None:
    def batch_of(chance: float):
        task = task_of(QUIET, crop=SHAPE, lesions=0.0, empty=0.0, guide_lesions=0.0, persistent=chance)
        return task.batch(pool(), generator(3), "cpu")

    with_them, without = batch_of(1.0), batch_of(0.0)
    assert with_them.truth.amax() > 1.5 * without.truth.amax()
    noise = (with_them.noisy - with_them.truth)[with_them.brain > 0]
    assert noise.std() == pytest.approx(1, abs=0.1)


def test_white_matter_is_now_and_then_as_dark_as_csf_or_as_grey_on_the_t1_alone() -> None:
    volumes = pool(24)
    white = volumes.wm[:, None]
    t1, m0, mask = guide_lesions(
        volumes.t1, volumes.m0[:, None], brain(24), SPACING.expand(24, 3), generator(), chance=1.0, white=white
    )
    same = ((m0 - volumes.m0[:, None]).abs() < 1e-6) & (mask > 0) & (white > 0)
    for wanted in (0, 1):  # as CSF, as grey matter
        assert (same & (t1[:, wanted : wanted + 1] > 0.98)).any()


def test_the_batch_moves_its_guides_where_guide_lesions_are_but_not_its_truth() -> None:
    def truth_of(chance: float) -> torch.Tensor:
        task = task_of(QUIET, crop=SHAPE, lesions=0.0, empty=0.0, guide_lesions=chance)
        batch = task.batch(pool(), generator(3), "cpu")
        assert bool(batch.regions[-1].any()) == (chance > 0)
        return batch.truth * (batch.truth > 0)

    with_them, without = truth_of(1.0), truth_of(0.0)
    assert torch.allclose(with_them, without, rtol=1e-4)


def test_the_noise_is_seen_at_its_level_when_there_are_pairs() -> None:
    level = torch.full((8,), 1.5)
    draw = draw_noise_parameters(level, SHAPE, QUIET, generator())
    inside = brain(8)
    sigma, maps = noise_estimate(draw, inside, inside, SPACING.expand(8, 3), generator(1), one_image=0.0)
    assert sigma.flatten().tolist() == pytest.approx([0.75] * 8, rel=0.06)
    local, fine, broad, own = (maps[:, n : n + 1] for n in range(NOISE_CHANNELS))
    assert (local[inside > 0].mean() - 1).abs() < 0.05
    assert fine[inside > 0].std() > local[inside > 0].std()  # fewer voxels are pooled
    assert own[inside > 0].std() > fine[inside > 0].std()
    left = float((broad / local.clamp_min(1e-6))[inside > 0].mean())
    assert left == pytest.approx(white_left(SPACING[0].tolist(), BROAD), rel=0.25)


def test_without_pairs_the_noise_is_the_same_everywhere_and_its_correlation_is_the_usual_one() -> None:
    draw = draw_noise_parameters(torch.full((2,), 1.5), SHAPE, NoiseSettings(), generator())
    inside = brain(2)
    _, maps = noise_estimate(draw, inside, inside, SPACING.expand(2, 3), generator(1), one_image=1.0)
    for each in (0, 1, 3):
        assert maps[:, each : each + 1][inside > 0].std() < 1e-3


def test_the_maps_of_the_noise_are_spread_as_a_run_finds_them_from_pairs() -> None:
    count, scans, geometry = 6, 12, Geometry(SHAPE[::-1], (3.4, 3.4, 5.0), (0.0, 0.0, 0.0))
    inside = brain(scans)
    draw = draw_noise_parameters(torch.ones(scans), SHAPE, QUIET, generator())
    pairs = torch.stack([draw_noise(draw, inside, generator(n), pairs_share=1 / count) for n in range(count)])
    mask = inside[0, 0].numpy() > 0
    levels = [noise_level(pairs[:, n, 0].numpy(), mask, geometry) for n in range(scans)]
    run = np.concatenate([level.own[mask] / level.fine[mask] for level in levels])
    drawn = []
    for seed in range(20):  # those whose number of pairs is near
        _, maps = noise_estimate(draw, inside, inside, SPACING.expand(scans, 3), generator(seed), one_image=0.0)
        drawn.append((maps[:, 3:4] / maps[:, 1:2].clamp_min(1e-6))[inside > 0].view(scans, -1))
    spread = torch.cat(drawn).std(dim=1)
    assert spread.min() < run.std() < spread.max()  # of 2 to 60 pairs


def test_a_voxels_own_noise_in_training_follows_the_noise_it_has() -> None:
    uneven = replace(QUIET, rim=(6.0, 6.0), ruggedness=(0.6, 0.6))
    inside = brain(6)
    draw = draw_noise_parameters(torch.ones(6), SHAPE, uneven, generator(), static=inside)
    _, maps = noise_estimate(draw, inside, inside, SPACING.expand(6, 3), generator(1), one_image=0.0)
    true = draw.local_sd(inside)[inside > 0].log()

    def r(channel: int) -> float:
        return float(torch.corrcoef(torch.stack([true, maps[:, channel : channel + 1][inside > 0].log()]))[0, 1])

    assert r(3) > r(1) + 0.02


@pytest.mark.parametrize("guides", ["T1+M0", "M0", "none"])
def test_a_batch_has_the_channels_the_network_takes_and_a_loss_that_teaches(guides: str) -> None:
    task = task_of(NoiseSettings(), crop=(8, 16, 16))
    network = GuidedUNet()
    batch = task.batch(pool(), generator(), "cpu", guides=guides)
    assert batch.inputs[0].shape == (2, CHANNELS, 8, 16, 16)
    assert (batch.inputs[0][:, -NOISE_CHANNELS:] >= 0).all()
    task.loss(network, batch).backward()
    assert network.last.weight.grad.abs().sum() > 0
    assert network.spread[0].weight.grad.abs().sum() > 0


def test_a_guide_that_is_missing_leaves_local_means() -> None:
    task = task_of(QUIET, crop=SHAPE)
    with_them, without = (task.batch(pool(), generator(5), "cpu", guides=g).inputs[0] for g in ("T1+M0", "none"))
    assert torch.equal(with_them[:, 0], without[:, 0])
    assert not torch.allclose(with_them[:, 1], without[:, 1], atol=1e-2)
