"""A job is a call of the pipeline that happens elsewhere: with the same result, and nothing heavy here."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from job_builders import HERE, UNMOVED, Both, made_series, region

from ASLDenoiseLib import pipeline
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline.job import Job, Way
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.running.interpreter import child_python
from ASLDenoiseLib.running.payload import read_payload
from ASLDenoiseLib.running.runner import Runner

NEEDS_TORCH = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")


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
from job_builders import Both
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
