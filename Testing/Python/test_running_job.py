"""A job is a call of the pipeline that happens elsewhere: with the same result, and nothing heavy here."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ASLDenoiseLib import pipeline
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline.job import Job, Way
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.running.interpreter import child_python
from ASLDenoiseLib.running.payload import read_payload
from ASLDenoiseLib.running.runner import Runner
from ASLDenoiseLib.series import Acquisition, ASLSeries, Geometry, Labeling, M0Type, Volume

HERE = Path(__file__).resolve().parent
NEEDS_TORCH = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
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


def same(one: Result, other: Result) -> None:
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


SCRIPT = """
import sys
from pathlib import Path
from test_running_job import Both
from ASLDenoiseLib.running.payload import write_payload
from ASLDenoiseLib.running.runner import Runner

runner, work = Runner(), Both()
runner.start(work)
results = runner.wait()
heavy = {"torch", "monai", "ants", "SimpleITK", "matplotlib", "scipy", "nibabel", "skimage"}
for job, result in zip(work.jobs, results):
    assert result.series is job.series and result.regions["centre"] is job.options["regions"]["centre"]
write_payload(Path(sys.argv[1]), (results, heavy & sys.modules.keys()))
"""


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


@pytest.fixture(scope="module")
def from_a_child(tmp_path_factory) -> tuple[list[Result], set[str]]:
    """What a fresh process got from a runner, which kept its own nouns, and what heavy it had loaded by then."""
    path = tmp_path_factory.mktemp("child") / "results.payload"
    environment = dict(child_python().environment)
    environment["PYTHONPATH"] += os.pathsep + str(HERE)
    command = [sys.executable, "-c", SCRIPT, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return read_payload(path)


@NEEDS_TORCH
@pytest.mark.parametrize("way", list(Way))
def test_a_run_in_a_child_gives_what_the_same_call_gives_here(from_a_child, way):
    result, job = next((r, j) for r, j in zip(from_a_child[0], Both().jobs, strict=True) if j.way is way)
    same(result, getattr(pipeline, way.value)(job.series, **job.options))
    processed = result.readouts[result.processed]
    assert "roi_centre_mean" in {r.name for r in processed} and np.isfinite(processed[0].value)
    assert not result.maps[result.processed].array.flags.writeable


@NEEDS_TORCH
def test_a_result_from_a_child_brings_nothing_heavy_with_it(from_a_child):
    assert from_a_child[1] == set()


def test_what_the_pipeline_refuses_comes_back_as_input_error():
    runner = Runner()
    runner.start(Job.denoise(made_series(), model="no-such-model"))
    with pytest.raises(InputError, match="There is no model 'no-such-model'"):
        runner.wait()


def test_an_option_the_pipeline_does_not_have_is_refused_at_once():
    with pytest.raises(TypeError, match="denoise has no option methd; it has device"):
        Job.denoise(made_series(), methd="guided")
    with pytest.raises(TypeError, match="no option recovery"):
        Job.superresolve(made_series(), recovery=False)
    with pytest.raises(TypeError, match="no option progress"):
        Job.denoise(made_series(), progress=print)
    with pytest.raises(ValueError, match="Way"):
        Job("guess", made_series())


def test_a_job_comes_back_from_its_pickle_with_all_it_was_given():
    series = made_series()
    job = pickle.loads(pickle.dumps(Job.denoise(series, preparation=UNMOVED, t1_to_asl=np.eye(4))))
    assert job.way is Way.DENOISE and job.options["preparation"] == UNMOVED
    np.testing.assert_array_equal(job.series.array, series.array)
    assert set(Job.denoise(series, t1=series.m0, regions={"a": region()}).nouns) == {"series", "t1", "regions/a"}


def test_a_job_knows_how_long_it_usually_takes():
    series = made_series()
    still, moved = Job.denoise(series, preparation=UNMOVED).plan, Job.denoise(series).plan
    assert still.seconds < moved.seconds < Job.denoise(series, t1=series.m0).plan.seconds
    groups = [Job.denoise(series, model="slab-transformer", group=n).plan.seconds for n in (None, 3, 1)]
    assert groups == sorted(groups) and len(set(groups)) == 3
    assert Job.superresolve(series, method="network").plan.complete
    assert not Job.superresolve(series, method="pyramid-paper").plan.complete
    assert Job.denoise(series, model="no-such-model").plan is None
