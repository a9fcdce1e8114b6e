"""What the tests of requests share: a small made series, two requests of it, and both as one child's task."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ASLDenoiseLib.pipeline.request import Denoising, Outputs, Region, Request, SuperResolution
from ASLDenoiseLib.pipeline.run import RequestTask
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.series import Acquisition, ASLSeries, Geometry, Labeling, M0Type, Volume

HERE = Path(__file__).resolve().parent
UNMOVED = Preparation(motion=False, nuisance=())


def made_series(pairs: int = 6) -> ASLSeries:
    """A ball of grey matter round one of white, noisy pairs, M0 1000; GM 60, WM 20 ml/100g/min."""
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
    images = 1000.0 * head + np.random.default_rng(3).normal(0.0, 3.0, (2 * pairs, *geometry.shape))
    images[1::2] -= difference
    return ASLSeries(images, geometry, ("control", "label") * pairs, acquisition, m0=Volume(1000.0 * head, geometry))


def region() -> Volume:
    series = made_series()
    mask = np.zeros(series.geometry.shape)
    mask[4:8, 12:20, 10:18] = 1
    return Volume(mask, series.geometry)


def same(one: Result, other: Result) -> None:
    """Maps, readouts, findings and parameters are those of the other."""
    assert list(one.maps) == list(other.maps)
    for key, volume in one.maps.items():
        np.testing.assert_allclose(volume.array, other.maps[key].array, rtol=1e-4, atol=1e-4, err_msg=key)
        assert (volume.geometry, volume.unit) == (other.maps[key].geometry, other.maps[key].unit)
    assert one.readouts.keys() == other.readouts.keys()
    for key, readouts in one.readouts.items():
        assert [(r.name, r.unit) for r in readouts] == [(r.name, r.unit) for r in other.readouts[key]]
        values = [[r.value for r in rs] for rs in (readouts, other.readouts[key])]
        np.testing.assert_allclose(*values, rtol=1e-4, atol=1e-6, err_msg=key)
    assert (one.findings, one.parameters) == (other.findings, other.parameters)


def requests() -> tuple[Request, ...]:
    """A run that denoises and one that super-resolves, of the same series and region."""
    series, outputs = made_series(), Outputs((Region("centre", region()),))
    fine = SuperResolution("linear", (2.25, 2.25, 7.0))
    parts = {"preparation": UNMOVED, "outputs": outputs, "device": "cpu"}
    return Request(series, denoising=Denoising(), **parts), Request(series, superresolution=fine, **parts)


class Both:
    """Both in one child, which need load the libraries but once."""

    seconds = None

    def __init__(self) -> None:
        self.tasks = tuple(map(RequestTask, requests()))

    @property
    def inputs(self) -> dict[str, object]:
        return {f"{number}/{name}": value for number, t in enumerate(self.tasks) for name, value in t.inputs.items()}

    def run(self, progress) -> list[Result]:
        return [task.run(progress) for task in self.tasks]
