"""How the default model is run on a series: what it must leave alone, what it says of its error, what guides change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ASLDenoiseLib.compute import Compute
from ASLDenoiseLib.denoising.catalogue import ModelCard
from ASLDenoiseLib.denoising.families import find_family
from ASLDenoiseLib.denoising.families.mean import Mean, Prediction
from ASLDenoiseLib.series import Acquisition, ASLSeries, Geometry, Volume, VolumeType

torch = pytest.importorskip("torch")
from ASLDenoiseLib.networks.guided_unet import GuidedUNet  # noqa: E402

GEOMETRY = Geometry((24, 22, 10), (3.4, 3.4, 5.0), (0.0, 0.0, 0.0))
CARD = ModelCard("guided-unet", Path(), "guided-unet", "", "", {}, {"uncertainty_factor": 2.0})


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return GuidedUNet().eval()


def predicted(mean: Mean, network: torch.nn.Module) -> Prediction:
    return find_family("guided-unet").predict(mean, network, Compute("cpu"))


def mean_of(count: int = 12, *, seed: int = 0) -> Mean:
    """Pairs of perfusion 10 inside a box of brain, noise SD 4 in each."""
    brain = np.zeros(GEOMETRY.shape, np.float32)
    brain[2:8, 4:18, 5:19] = 1
    pairs = 10 * brain + np.random.default_rng(seed).normal(0, 4, (count, *GEOMETRY.shape)).astype(np.float32)
    series = ASLSeries(pairs, GEOMETRY, (VolumeType.DELTAM,) * count, Acquisition())
    return Mean(pairs.mean(axis=0), count, series, Volume(brain, GEOMETRY), CARD)


def guide_of(seed: int = 0) -> tuple[Volume, ...]:
    fractions = np.random.default_rng(seed).dirichlet((1, 1, 1), GEOMETRY.shape).astype(np.float32)
    return tuple(Volume(fractions[..., n], GEOMETRY) for n in range(3))


def test_outside_the_brain_nothing_changes_and_nan_stays(network) -> None:
    mean = mean_of()
    array = mean.array.copy()
    array[4, 10, 10] = np.nan
    denoised = predicted(replace(mean, array=array), network)
    outside = mean.brain.array == 0
    assert np.array_equal(denoised.array[outside], array[outside])
    assert np.isnan(denoised.array[4, 10, 10])
    assert np.isfinite(denoised.array[4, 10, 11])
    assert np.isnan(denoised.uncertainty[outside]).all()
    assert np.isnan(denoised.uncertainty[4, 10, 10])


def test_the_output_is_in_the_units_of_the_input(network) -> None:
    mean = mean_of()
    scaled = replace(mean, array=7 * mean.array, pairs=replace(mean.pairs, array=7 * mean.pairs.array))
    one, seven = predicted(mean, network), predicted(scaled, network)
    assert np.allclose(seven.array, 7 * one.array, rtol=1e-3, atol=1e-2)
    assert np.allclose(seven.uncertainty, 7 * one.uncertainty, rtol=1e-3, equal_nan=True)


def test_the_scale_is_the_noise_of_the_mean(network) -> None:
    whole = mean_of(16)
    assert predicted(whole, network).scale == pytest.approx(1.0, rel=0.1)
    quarter = replace(whole, array=whole.pairs.array[:4].mean(axis=0), count=4)
    assert predicted(quarter, network).scale == pytest.approx(2.0, rel=0.1)


def test_the_uncertainty_carries_the_factor_of_the_card(network) -> None:
    mean = mean_of()
    plain = replace(CARD, metadata={})
    doubled, single = (predicted(replace(mean, card=c), network).uncertainty for c in (CARD, plain))
    assert np.allclose(doubled, 2 * single, equal_nan=True)


def test_guides_are_optional_and_used(network) -> None:
    mean = mean_of()
    alone = predicted(mean, network).array
    guided = predicted(replace(mean, guides=guide_of()), network).array
    inside = mean.brain.array > 0
    assert np.isfinite(alone).all()
    assert np.abs(alone - guided)[inside].max() > 1e-3


def test_a_series_without_noise_is_given_back_with_no_uncertainty(network) -> None:
    mean = mean_of(3)
    same = replace(mean.pairs, array=np.repeat(mean.array[None], 3, axis=0))
    denoised = predicted(replace(mean, pairs=same), network)
    assert np.array_equal(denoised.array, mean.array)
    assert not denoised.uncertainty[mean.brain.array > 0].any()


def test_one_volume_without_pairs_is_denoised_too(network) -> None:
    denoised = predicted(mean_of(1), network)
    assert denoised.scale == pytest.approx(4.0, rel=0.2)
    assert np.isfinite(denoised.array).all()
