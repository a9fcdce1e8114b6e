"""Vessels: label in arteries is found by what it adds before tissue has label, noise and late tissue are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from delay_builders import fractions, head_of_delays

from ASLDenoiseLib.fitting.spatial import fit_with_prior
from ASLDenoiseLib.fitting.vessels import vessels_of
from ASLDenoiseLib.quantifying.kinetic_model import KineticModel
from ASLDenoiseLib.series import Labeling

MODEL = KineticModel(Labeling.PCASL, 1.65)


def found(means, tissue) -> np.ndarray:
    return vessels_of(means, fit_with_prior(means, MODEL, tissue=fractions(tissue)), MODEL)


def test_an_artery_is_found_whole_and_little_beside_it():
    means, *_, tissue = head_of_delays(noise=1.5)
    k, j, i = np.indices(means.brain.shape)
    artery = (k == 5) & (j == 20) & (np.abs(i - 14) < 5) & means.brain
    images = means.images.copy()
    images[0][artery] += 150.0  # of the first delay: label that passes
    errors = np.where(artery, 1.5, 1.0) * means.errors  # it pulsates
    told = found(replace(means, images=images, errors=errors), tissue)
    assert artery.sum() > 6 and (told & artery).sum() >= 0.8 * artery.sum()
    assert (told & ~artery).sum() <= 0.3 * artery.sum()


def test_noise_alone_and_late_tissue_are_no_vessels():
    i = np.indices((12, 28, 28))[2]
    for att in (1.2, np.where(i < 12, 2.5, 1.0)):
        means, *_, tissue = head_of_delays(noise=3.0, att=att)
        assert found(means, tissue).sum() <= 0.01 * means.brain.sum()


def test_a_single_bright_voxel_is_no_vessel():
    means, *_, tissue = head_of_delays(noise=1.5)
    images = means.images.copy()
    images[0, 6, 14, 20] += 400.0
    assert not found(replace(means, images=images), tissue).any()
