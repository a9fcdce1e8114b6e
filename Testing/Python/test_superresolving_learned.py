"""The methods that train a network on the one scan: the scan network and the pyramid GAN."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.networks.pyramid_gan import PatchCritic, PyramidGenerator
from ASLDenoiseLib.networks.scan_network import ScanNetwork
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.superresolving import METHODS, LowResolution
from ASLDenoiseLib.superresolving.forward import acquisition_model, divided
from ASLDenoiseLib.superresolving.problem import problem_of
from ASLDenoiseLib.superresolving.pyramid.method import pyramid_gan
from ASLDenoiseLib.superresolving.pyramid.presets import PAPER, PyramidSettings
from ASLDenoiseLib.superresolving.pyramid.scales import pyramid
from ASLDenoiseLib.superresolving.pyramid.training import train_pyramid
from ASLDenoiseLib.superresolving.scan_network.method import ScanNetworkSettings, _Inputs, scan_network

ACQUIRED = Geometry((14, 14, 12), (4.0, 4.0, 4.0), (-26.0, -26.0, -22.0))
FINE = divided(ACQUIRED, (2, 2, 2))
QUICK = PyramidSettings(epochs=3, coarsest=10, factor=0.7, channels=(4, 4, 8), critic=4, steps=1, rate=2e-3)


def head() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Brain, grey matter (a folded shell) and white matter on the fine grid."""
    k, j, i = np.indices(FINE.shape)
    x, y, z = ((n - (size - 1) / 2) * 2.0 for n, size in zip((i, j, k), FINE.size, strict=True))
    radius = np.sqrt(x**2 + y**2 + z**2)
    folds = 3 * np.sin(2 * np.pi * x / 16) * np.cos(2 * np.pi * y / 16)
    brain = radius < 21
    white = brain & (radius + folds < 14)
    return brain, brain & ~white & (radius + folds < 19), white


@pytest.fixture(scope="module")
def scan() -> LowResolution:
    brain, grey, white = head()
    model = acquisition_model(FINE, ACQUIRED)
    clean = model.forward(60.0 * grey + 20.0 * white)
    low = clean + np.random.default_rng(0).normal(0, 3, clean.shape)
    low = np.where(model.forward(brain.astype(np.float32)) > 0.5, low, np.nan)
    t1 = Volume(100.0 * white + 65.0 * grey + 20.0 * brain, FINE)
    return LowResolution(Volume(low, ACQUIRED, "ml/100g/min"), FINE, t1, sd=3.0)


def error(array: np.ndarray) -> float:
    brain, grey, white = head()
    inside = brain & np.isfinite(array)
    return float(np.sqrt(np.mean((array - (60.0 * grey + 20.0 * white))[inside] ** 2)))


@pytest.mark.trains
def test_the_scan_network_comes_nearer_the_truth_than_the_spline(scan):
    result = scan_network(scan, settings=ScanNetworkSettings(iterations=120, patch=8, channels=(8, 16)))
    assert error(result.fine.array) < 0.92 * error(METHODS["spline"].run(scan).fine.array)
    assert np.nanmax(np.abs(result.residual.array)) < 2.1 * 3.0


def test_the_same_seed_gives_the_same_map(scan):
    settings = ScanNetworkSettings(iterations=4, patch=6, channels=(4, 4))
    first, again = (scan_network(scan, settings=settings).fine.array for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_a_patch_is_averaged_as_the_acquisition_model_averages_the_whole(scan):
    problem = problem_of(scan)
    whole = np.random.default_rng(1).normal(size=problem.model.fine.shape).astype(np.float32)
    inputs = _Inputs.of(problem, whole, whole[None], "cpu")
    patch = (slice(2, 8), slice(1, 9), slice(3, 9))
    part = torch.as_tensor(whole[inputs.fine_of(patch)])[None, None]
    everywhere = replace(problem.model, measured=np.ones_like(problem.model.measured))
    np.testing.assert_allclose(inputs.averaged(part, patch), everywhere.forward(whole)[patch], atol=1e-4)


def test_networks_start_as_the_interpolation_they_are_to_improve_on():
    image, other = torch.rand(1, 1, 9, 10, 11), torch.rand(1, 3, 9, 10, 11)
    assert torch.equal(PyramidGenerator((4, 4, 4))(image, other[:, :1]), image)
    assert torch.equal(ScanNetwork(3, (4, 4))(image, other), image)
    assert PatchCritic(4)(image).shape == image.shape


def test_every_scale_covers_the_same_box_and_the_finest_is_the_map(scan):
    scales = pyramid(scan.low, scan.t1, np.eye(4), factor=0.7, coarsest=5)
    assert len(scales) == 3
    extents = [np.array(s.geometry.size) * s.geometry.spacing for s in scales]
    for extent in extents:
        np.testing.assert_allclose(extent, extents[-1], rtol=1e-6)
    measured = np.isfinite(scan.low.array)
    np.testing.assert_array_equal(scales[-1].measured, measured)
    scale = scan.low.array[measured] / scales[-1].map[measured]
    np.testing.assert_allclose(scale, scale[0], rtol=1e-4)


def test_the_pyramid_gives_the_target_grid_in_agreement_with_the_acquired_map(scan):
    told = []
    result = pyramid_gan(scan, settings=QUICK, progress=lambda fraction, text: told.append((fraction, text)))
    assert result.fine.geometry == FINE and np.isfinite(result.fine.array[head()[0]]).mean() > 0.9
    assert np.nanmax(np.abs(result.residual.array)) < 2.1 * 3.0
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions) and fractions[-1] == 1.0
    assert any("left" in text for _, text in told)


@pytest.mark.trains
def test_training_brings_the_finest_scale_nearer_to_its_map(scan):
    scales = pyramid(scan.low, scan.t1, np.eye(4), factor=0.7, coarsest=5)
    generator = train_pyramid(scales, replace(QUICK, epochs=25, low_pass=0.0))
    made = torch.as_tensor(scales[-1].map)[None, None]
    blurred = torch.nn.functional.interpolate(
        torch.nn.functional.interpolate(made, scale_factor=0.7, mode="trilinear"),
        size=made.shape[-3:],
        mode="trilinear",
    )
    with torch.no_grad():
        sharpened = generator(blurred, torch.as_tensor(scales[-1].t1)[None, None])
    mask = torch.as_tensor(scales[-1].measured)[None, None]
    assert ((sharpened - made)[mask] ** 2).mean() < 0.9 * ((blurred - made)[mask] ** 2).mean()


@pytest.mark.trains
def test_a_progress_that_raises_ends_the_training_at_once(scan):
    calls = []

    def stop(fraction, text):
        calls.append(text)
        if "epoch" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pyramid_gan(scan, settings=PAPER, progress=stop)
    assert sum("epoch" in text for text in calls) == 1


def test_without_a_t1_both_are_refused_in_words(scan):
    blind = replace(scan, t1=None)
    with pytest.raises(InputError, match="needs a T1"):
        pyramid_gan(blind, settings=QUICK)
    with pytest.raises(InputError, match="needs a T1"):
        scan_network(blind)


def epochs_of(scales, settings, **known) -> dict[int, int]:
    """How many epochs each scale was trained for, by its number from the coarsest, 1."""
    said: dict[int, int] = {}

    def listen(fraction: float, text: str) -> None:
        scale, epoch = (int(n) for n in re.match(r"scale (\d+) of \d+, epoch (\d+)", text).groups())
        said[scale] = epoch

    train_pyramid(scales, settings, progress=listen, **known)
    return said


@pytest.mark.trains
def test_held_out_pairs_end_the_finest_scale_when_it_comes_no_nearer_to_them(scan):
    scales, settings = pyramid(scan.low, scan.t1, np.eye(4), factor=0.7, coarsest=8), replace(QUICK, patience=2)
    strange = -20 * scales[-1].map
    epochs = epochs_of(scales, replace(settings, epochs=8), held_out=strange)
    assert epochs[1] == 8 and epochs[len(scales)] < 8


def test_maps_of_some_of_the_pairs_must_lie_on_the_grid_of_the_map(scan):
    other = Volume(np.zeros(FINE.shape, np.float32), FINE)
    with pytest.raises(InputError, match="make them of one series"):
        replace(scan, parts=(other, other))


def test_the_scan_network_learns_on_mps_without_float64_what_it_learns_on_the_cpu(scan):
    from device_builders import fake_device

    settings = ScanNetworkSettings(iterations=4, patch=6, channels=(4, 4))
    expected = scan_network(scan, settings=settings).fine.array
    with fake_device("mps") as device:
        found = scan_network(scan, settings=settings, device="mps").fine.array
    assert device.done and type(found) is np.ndarray
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-2)
