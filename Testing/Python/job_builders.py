"""What the tests of jobs share: a small made series, and both ways as the work of one child."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ASLDenoiseLib.pipeline.job import Job
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.series import Acquisition, ASLSeries, Geometry, Labeling, M0Type, Volume

HERE = Path(__file__).resolve().parent
UNMOVED = Preparation(motion=False, nuisance=())


def made_series() -> ASLSeries:
    """A ball of grey matter round one of white, six noisy pairs, M0 1000; GM 60, WM 20 ml/100g/min."""
    geometry = Geometry((30, 32, 12), (4.5, 4.5, 7.0))
    k, j, i = np.indices(geometry.shape)
    radius = np.sqrt(((i - 14.5) / 12) ** 2 + ((j - 15.5) / 13) ** 2 + ((k - 5.5) / 5) ** 2)
    head = radius < 1
    acquisition = Acquisition(
        labeling=Labeling.PCASL,
        post_labeling_delay=1.8,
        label_duration=1.8,
        field_strength=3.0,
        background_suppression=False,
        readout="3D",
        m0_type=M0Type.SEPARATE,
        m0_repetition_time=6.0,
    )
    difference = 1000.0 * 0.01 / 86.3 * np.where(radius < 0.65, 20.0, 60.0) * head
    images = 1000.0 * head + np.random.default_rng(3).normal(0.0, 3.0, (12, *geometry.shape))
    images[1::2] -= difference
    return ASLSeries(images, geometry, ("control", "label") * 6, acquisition, m0=Volume(1000.0 * head, geometry))


def region() -> Volume:
    series = made_series()
    mask = np.zeros(series.geometry.shape)
    mask[4:8, 12:20, 10:18] = 1
    return Volume(mask, series.geometry)


class Both:
    """Both ways in one child, which need load the libraries but once."""

    plan = None

    def __init__(self) -> None:
        series = made_series()
        options = {"preparation": UNMOVED, "device": "cpu", "regions": {"centre": region()}}
        fine = {"method": "linear", "spacing": (2.25, 2.25, 7.0)}
        self.jobs = (Job.denoise(series, **options), Job.superresolve(series, **options, **fine))

    @property
    def nouns(self) -> dict[str, object]:
        return self.jobs[0].nouns

    def run(self, progress) -> list[Result]:
        return [job.run(progress) for job in self.jobs]
