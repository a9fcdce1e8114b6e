"""The peer that the benchmark of several delays compares with fits what it is given, and better than voxels alone."""

from __future__ import annotations

import numpy as np
import pytest
from delay_builders import scan_of_delays

from ASLDenoiseLib.fitting.maps import DelayMeans
from ASLDenoiseLib.fitting.voxelwise import fit_voxels
from ASLDenoiseLib.quantifying.kinetic_model import kinetic_model

pytest.importorskip("scipy")

from Testing.Benchmarks.library.spatial_vb import spatial_vb

DELAYS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)


def made(noise: float, seed: int = 0):
    """A head of known CBF and arrival time as a fit is given it, its model and the truth."""
    scan = scan_of_delays(delays=DELAYS)
    model, _ = kinetic_model(scan.series.acquisition)
    delays = np.repeat(np.array(DELAYS)[:, None], scan.brain.shape[0], axis=1)
    durations = np.full(len(DELAYS), 1.8)
    curve = scan.cbf.array * model.arrived(scan.att.array, delays[:, :, None, None], durations[:, None, None, None])
    errors = noise * np.exp(np.array(DELAYS) / 1.65)[:, None, None, None] * np.ones_like(curve)
    images = curve + np.random.default_rng(seed).normal(size=curve.shape) * errors
    spacing = scan.series.geometry.spacing[::-1]
    return DelayMeans(images, errors, delays, durations, scan.brain, spacing), model, scan


def test_without_noise_the_peer_gives_the_truth():
    means, model, scan = made(0.05)
    fit = spatial_vb(means, model)
    np.testing.assert_allclose(fit.cbf[scan.brain], scan.cbf.array[scan.brain], rtol=0.02)
    np.testing.assert_allclose(fit.att[scan.brain], scan.att.array[scan.brain], atol=0.03)


@pytest.mark.parametrize("both", [True, False])
def test_with_noise_the_peer_is_nearer_to_the_truth_than_voxels_alone(both):
    means, model, scan = made(12.0)

    def error(fit, name):
        return np.sqrt(np.mean((getattr(fit, name) - getattr(scan, name).array)[scan.brain] ** 2))

    alone, peer = fit_voxels(means, model), spatial_vb(means, model, both=both)
    assert error(peer, "cbf") < 0.7 * error(alone, "cbf")
    assert error(peer, "att") < 0.9 * error(alone, "att")
