"""torch is loaded as the series is read and inspected: nothing else of a run changes by it."""

from __future__ import annotations

import sys
import threading
import time

import numpy as np
import pytest
from request_builders import UNMOVED, made_series

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline import run as running
from ASLDenoiseLib.pipeline.request import Denoising, Outputs, Request
from ASLDenoiseLib.pipeline.run import completed

pytest.importorskip("torch")


def asked(device="auto", **outputs) -> Request:
    return Request(made_series(), preparation=UNMOVED, denoising=Denoising(), device=device, outputs=Outputs(**outputs))


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr(running, "usable_cores", lambda: range(2))


@pytest.fixture
def loads(monkeypatch) -> dict[str, list[str]]:
    """What is loaded by threads, and the steps that have begun when it is known where networks run."""
    told: dict[str, list[str]] = {"loaded": [], "walked": [], "resolved after": []}
    attempt, resolve = running._attempt, running.resolve_device

    def load(name):
        assert threading.current_thread() is not threading.main_thread()
        time.sleep(0.3)
        told["loaded"].append(name)

    def walk(step, state, progress):
        told["walked"].append(step.name)
        attempt(step, state, progress)

    def resolved(choice):
        told["resolved after"] += told["walked"]
        return resolve(choice)

    monkeypatch.setattr(running, "import_module", load)
    monkeypatch.setattr(running, "_attempt", walk)
    monkeypatch.setattr(running, "resolve_device", resolved)
    return told


def test_torch_is_loaded_as_the_series_is_read_and_inspected(loads, two_cores):
    done = completed(asked(), beside=True)
    assert loads["loaded"][0] == "torch"
    assert set(loads["resolved after"]) <= {"read", "inspect"} and loads["resolved after"]
    assert done.compute.device in ("cpu", "cuda", "mps") and done.loading is None


def test_the_maps_are_those_of_a_run_that_loads_it_first(two_cores):
    first, ahead = completed(asked("cpu")).result, completed(asked("cpu"), beside=True).result
    for key, volume in first.maps.items():
        np.testing.assert_array_equal(volume.array, ahead.maps[key].array)


def test_a_device_that_is_not_there_is_still_refused_before_anything_is_computed(loads, two_cores, tmp_path):
    torch = sys.modules["torch"]
    if torch.backends.mps.is_available():
        pytest.skip("this machine has it")
    with pytest.raises(InputError, match="mps"):
        completed(asked("mps", folder=tmp_path / "out"), beside=True)
    assert set(loads["walked"]) <= {"read", "inspect"}
    assert list(tmp_path.iterdir()) == []


def test_one_core_loads_it_where_it_is_needed(loads, monkeypatch):
    monkeypatch.setattr(running, "usable_cores", lambda: range(1))
    completed(asked("cpu"), beside=True)
    assert loads["loaded"] == [] and loads["resolved after"] == []
