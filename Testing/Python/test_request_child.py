"""A request done in a child process: with the same result, and nothing heavy here."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from request_builders import HERE, made_series, region, requests, same

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline.request import Head, Outputs, Region, Request, SeriesFile
from ASLDenoiseLib.pipeline.run import RequestTask, run
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.result import Result
from ASLDenoiseLib.running.interpreter import child_python
from ASLDenoiseLib.running.payload import read_payload
from ASLDenoiseLib.running.runner import Runner

NEEDS_TORCH = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")


SCRIPT = """
import sys
from pathlib import Path
from request_builders import Both
from ASLDenoiseLib.running.payload import write_payload
from ASLDenoiseLib.running.runner import Runner

runner, work = Runner(), Both()
runner.start(work)
results = runner.wait()
heavy = {"torch", "monai", "ants", "SimpleITK", "matplotlib", "scipy", "nibabel", "skimage"}
for task, result in zip(work.tasks, results):
    request, plain = task.request, result.request
    assert result.series is request.series is plain["series"]
    assert plain["outputs"]["regions"][0]["mask"] is request.outputs.regions[0].mask
write_payload(Path(sys.argv[1]), (results, heavy & sys.modules.keys()))
"""


@pytest.fixture(scope="module")
def from_a_child(tmp_path_factory) -> tuple[list[Result], set[str]]:
    """What a fresh process got from a runner, which kept its own inputs, and what heavy it had loaded by then."""
    path = tmp_path_factory.mktemp("child") / "results.payload"
    environment = dict(child_python().environment)
    environment["PYTHONPATH"] += os.pathsep + str(HERE)
    command = [sys.executable, "-c", SCRIPT, str(path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return read_payload(path)


@pytest.mark.child
@NEEDS_TORCH
@pytest.mark.parametrize("number", [0, 1])
def test_a_request_in_a_child_gives_what_it_gives_here(from_a_child, number):
    result = from_a_child[0][number]
    same(result, run(requests()[number]))
    processed = result.readouts[result.processed]
    assert "roi_centre_mean" in {r.name for r in processed} and np.isfinite(processed[0].value)
    assert not result.maps[result.processed].array.flags.writeable


@pytest.mark.child
@NEEDS_TORCH
def test_a_result_from_a_child_brings_nothing_heavy_with_it(from_a_child):
    assert from_a_child[1] == set()


def test_what_a_run_refuses_comes_back_as_input_error():
    runner = Runner()
    runner.start(RequestTask(Request(made_series(), preparation=Preparation(pairs="7-9"))))
    with pytest.raises(InputError, match="pairs that are not there"):
        runner.wait()


def test_a_request_comes_back_from_its_pickle_with_all_it_was_given():
    given = Request(made_series(), Head(t1=region(), t1_to_asl=np.eye(4)), Preparation(motion=False))
    request = pickle.loads(pickle.dumps(given))
    assert request.preparation == given.preparation
    np.testing.assert_array_equal(request.series.array, given.series.array)
    np.testing.assert_array_equal(request.head.t1_to_asl, np.eye(4))


def test_a_request_names_what_it_holds_in_memory_and_nothing_that_is_on_disk():
    series = made_series()
    outputs = Outputs((Region("a", region()), Region("b", Path("b.nii.gz"))))
    assert set(Request(series, Head(t1=series.m0), outputs=outputs).inputs) == {"series", "t1", "regions/a"}
    assert Request(SeriesFile(Path("a.nii.gz")), Head(t1=Path("t1.nii.gz"))).inputs == {}


def test_a_task_knows_how_long_its_request_usually_takes_once_its_series_is_read():
    still, moved = (RequestTask(Request(made_series(), preparation=Preparation(motion=m))) for m in (False, True))
    assert still.seconds < moved.seconds
    assert RequestTask(Request(SeriesFile(Path("a.nii.gz")))).seconds is None
