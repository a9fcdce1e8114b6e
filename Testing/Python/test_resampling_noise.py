"""What motion correction leaves of image and noise, as training draws it, and the rim that differs voxel by voxel."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from ASLDenoiseLib.learning.noise import NoiseSettings, draw_noise, draw_noise_parameters  # noqa: E402
from ASLDenoiseLib.learning.resampling import draw_resampling, transfer  # noqa: E402

SHAPE = (16, 40, 40)


def spacing(count: int) -> torch.Tensor:
    return torch.tensor([[4.0, 3.0, 3.0]]).expand(count, 3)


def drawn(count: int, chance: float):
    return draw_resampling(SHAPE, spacing(count), torch.Generator().manual_seed(0), chance=chance)


def white(count: int, seed: int = 1) -> torch.Tensor:
    return torch.randn((count, 1, *SHAPE), generator=torch.Generator().manual_seed(seed))


def neighbours(noise: torch.Tensor) -> torch.Tensor:
    """Correlation (B,) of neighbours along i."""
    return (noise[..., 1:] * noise[..., :-1]).mean(dim=(1, 2, 3, 4)) / noise.square().mean(dim=(1, 2, 3, 4))


@pytest.mark.parametrize(("order", "cubic"), [(1, False), (3, True)])
@pytest.mark.parametrize("shift", [0.0, 0.2, 0.5, 0.8])
def test_the_power_that_interpolation_leaves_is_that_of_scipys(order: int, cubic: bool, shift: float) -> None:
    from scipy import ndimage

    noise = np.random.default_rng(0).normal(size=(8, 96))
    moved = ndimage.shift(noise, (0, shift), order=order, mode="grid-wrap")
    power = np.abs(np.fft.fft(moved)) ** 2 / np.abs(np.fft.fft(noise)) ** 2
    ours = transfer(torch.tensor(shift), cubic=cubic).abs().square().numpy()
    assert np.allclose(power.mean(axis=0)[::2][:25], ours[:25], atol=1e-4)


def test_half_a_voxel_is_the_strongest_low_pass() -> None:
    strength = transfer(torch.linspace(0, 0.5, 6), cubic=True).abs().mean(dim=1)
    assert (strength.diff() < 0).all()


def test_scans_that_were_not_corrected_pass_unchanged() -> None:
    still = drawn(4, 0.0)
    assert torch.allclose(still.image(white(4)), white(4), atol=1e-5)
    assert torch.allclose(still.noise(white(4)), white(4), atol=1e-5)


def test_resampled_noise_keeps_its_variance_and_has_correlated_neighbours() -> None:
    noise = drawn(24, 1.0).noise(white(24))
    assert noise.std(dim=(1, 2, 3, 4)).numpy() == pytest.approx(1, abs=0.04)
    assert neighbours(noise).max() > 0.1 and neighbours(noise).min() > -0.02


def test_a_resampled_image_keeps_its_level_and_loses_fine_detail() -> None:
    moved = drawn(24, 1.0)
    flat = torch.full((24, 1, *SHAPE), 3.0)
    assert torch.allclose(moved.image(flat), flat, atol=1e-4)
    checks = torch.ones(24, 1, *SHAPE)
    checks[..., ::2] = -1
    assert moved.image(checks)[..., 8:-8].abs().mean() < 0.8


def test_image_and_noise_are_low_passed_together_in_the_noise_of_a_mean() -> None:
    moved = drawn(24, 1.0)
    quiet = NoiseSettings(correlation=(0.0, 0.0), correlation_z=(0.0, 0.0), physiological=(0.0, 0.0), common=(0.0, 0.0))
    brain = torch.ones(24, 1, *SHAPE)

    def noise(resampling) -> torch.Tensor:
        g = torch.Generator().manual_seed(2)
        draw = draw_noise_parameters(torch.ones(24), SHAPE, quiet, g, resampling=resampling)
        return draw_noise(draw, brain, g)

    assert neighbours(noise(moved)).mean() > neighbours(noise(None)).mean() + 0.03


def test_the_rim_is_uneven_from_voxel_to_voxel_and_the_inside_is_not() -> None:
    static = torch.zeros(4, 1, *SHAPE)
    static[..., 10:30, 10:30] = 1
    still = NoiseSettings(unevenness=(0.0, 0.0), patchiness=(0.0, 0.0), motion=(0.0, 0.0), rim=(4.0, 4.0))
    draw = draw_noise_parameters(torch.ones(4), SHAPE, still, torch.Generator().manual_seed(0), static=static)
    sd = draw.local_sd(static) / draw.sigma.view(4, 1, 1, 1, 1)
    rim, inside = sd[..., 15:25, 10], sd[..., 15:25, 15:25]
    assert rim.median() > 2 and rim.log().std() > 0.25
    assert inside.log().std() < 0.05
    noise = torch.stack([draw_noise(draw, static, torch.Generator().manual_seed(n)) for n in range(40)])
    found = noise.std(dim=0) / draw.sigma.view(4, 1, 1, 1, 1)
    assert float((found / sd)[..., 2:-2, 12:28, 10].mean()) == pytest.approx(1, abs=0.05)
