"""What PyTorch is like, told in one line before a run needs it; the CPU forced; a broken torch said plainly."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ASLDenoiseLib import devices, torch_state
from ASLDenoiseLib.devices import VARIABLE, ComputeDevice, nvidia_card, resolve_device, settle_process
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.running.interpreter import child_python
from ASLDenoiseLib.torch_state import TorchState, build_of, find_torch, torchvision_trouble

CPU = ComputeDevice("cpu", "CPU (8 cores, 32 GB)")
CARD = ComputeDevice("cuda", "NVIDIA RTX A5000 (24 GB)")


@pytest.fixture
def alone(monkeypatch):
    """An environment that says nothing of devices, and is put back."""
    for name in (VARIABLE, "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "PYTORCH_ENABLE_MPS_FALLBACK"):
        monkeypatch.setenv(name, "")  # so that monkeypatch knows what to put back
        monkeypatch.delenv(name)
    return monkeypatch


def python(code: str, folder=None, **environment: str) -> str:
    """What `code` prints in a fresh interpreter, which finds modules in `folder` first."""
    given = child_python().environment
    paths = [str(folder)] * bool(folder) + [given["PYTHONPATH"]]
    environment = {**given, "PYTHONPATH": os.pathsep.join(paths), **environment}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def fake_package(folder, name: str, version: str, source: str) -> None:
    """An installed package whose module does what `source` says."""
    (folder / f"{name}.py").write_text(source)
    (folder / f"{name}-{version}.dist-info").mkdir()
    (folder / f"{name}-{version}.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (
            TorchState("2.6.0+cu124", "CUDA 12.4", (CARD, CPU)),
            "PyTorch 2.6.0 (CUDA 12.4) runs on NVIDIA RTX A5000 (24 GB).",
        ),
        (TorchState("2.6.0", "CPU", (CPU,)), "PyTorch 2.6.0 (CPU) runs on the CPU (8 cores, 32 GB)."),
        (TorchState(), "PyTorch is not installed yet: Apply asks for it."),
        (
            TorchState("2.6.0", "", (), "does not load (OSError: c10.dll)", "reinstall PyTorch", True),
            "PyTorch 2.6.0 does not load (OSError: c10.dll): reinstall PyTorch.",
        ),
    ],
)
def test_one_line_says_build_device_and_trouble(state, line):
    assert state.sentence == line


def fake_torch(monkeypatch, *, cuda=None, card=False, nvidia="", trouble="", version="2.6.0", torchvision="", monai=""):
    """A torch of this version, build and card."""
    torch = SimpleNamespace(
        __spec__=object(),
        version=SimpleNamespace(cuda=cuda, hip=None),
        cuda=SimpleNamespace(
            is_available=lambda: card,
            get_device_properties=lambda n: SimpleNamespace(name="NVIDIA RTX A5000", total_memory=24 * 2**30),
            get_device_capability=lambda n: (8, 6),
            get_arch_list=lambda: ["sm_80"],
        ),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False, is_built=lambda: False)),
        from_numpy=lambda array: SimpleNamespace(numpy=lambda: array),
    )
    versions = {"torch": version, "torchvision": torchvision, "monai": ""}
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setattr(torch_state, "installed", versions.get)
    monkeypatch.setattr(torch_state, "_monai_trouble", lambda: monai)
    monkeypatch.setattr(devices, "nvidia_card", lambda: nvidia)
    monkeypatch.setattr(devices, "trouble_on", lambda name: trouble)
    return torch


def test_a_torch_without_cuda_beside_an_nvidia_card_is_said_with_what_would_mend_it(alone):
    fake_torch(alone, nvidia="NVIDIA GeForce RTX 4090")
    line = find_torch().sentence
    assert line.startswith("PyTorch 2.6.0 (CPU) runs on the CPU (")
    assert "this PyTorch has no CUDA build (NVIDIA GeForce RTX 4090 is there); install PyTorch with CUDA" in line


def test_a_card_that_is_found_and_does_not_compute_is_not_used_and_said(alone):
    fake_torch(alone, cuda="12.4", card=True, trouble="RuntimeError: CUDA error: unknown error")
    state = find_torch()
    assert [(device.name, device.usable) for device in state.devices] == [("cpu", True), ("cuda", False)]
    assert "does not compute (RuntimeError: CUDA error: unknown error)" in state.sentence
    assert resolve_device("auto") == "cpu"


def test_a_card_that_computes_is_named_and_used(alone):
    fake_torch(alone, cuda="12.4", card=True)
    assert find_torch().sentence == "PyTorch 2.6.0 (CUDA 12.4) runs on NVIDIA RTX A5000 (24 GB)."
    assert resolve_device("auto") == "cuda"


def test_torch_and_torchvision_of_different_builds_are_named():
    assert not torchvision_trouble("2.6.0+cu124", "0.21.0+cu124")
    assert not torchvision_trouble("2.6.0", "0.21.0+cu124"), "a version without a build says nothing"
    assert "0.21.0+cpu are of different builds" in torchvision_trouble("2.6.0+cu124", "0.21.0+cpu")


@pytest.mark.parametrize(("monai", "stops"), [("", False), ("loads, and MONAI 1.4 does not (RuntimeError: nms)", True)])
def test_they_stop_a_run_only_where_monai_does_not_load_beside_them(alone, monai, stops):
    fake_torch(alone, version="2.6.0+cu124", cuda="12.4", card=True, torchvision="0.21.0+cpu", monai=monai)
    state = find_torch()
    assert "torchvision 0.21.0+cpu are of different builds" in state.sentence and "reinstall PyTorch" in state.sentence
    assert state.stops is stops


def test_a_monai_that_does_not_load_is_said(alone):
    fake_torch(alone, monai="loads, and MONAI 1.4 does not (ImportError: no name)")
    state = find_torch()
    assert state.stops and state.sentence == (
        "PyTorch 2.6.0 (CPU) loads, and MONAI 1.4 does not (ImportError: no name): install MONAI anew."
    )


def test_a_torch_built_for_numpy_1_is_said_beside_numpy_2(alone):
    def refuse(array):
        raise RuntimeError("Numpy is not available")

    fake_torch(alone).from_numpy = refuse
    state = find_torch()
    assert state.stops and "built for another numpy than the" in state.sentence
    assert "Numpy is not available" in state.sentence and "reinstall PyTorch" in state.sentence


def test_a_torch_that_is_too_old_is_said_and_not_loaded(alone):
    fake_torch(alone, version="2.2.1")
    alone.setitem(sys.modules, "torch", None)  # to import it fails
    assert find_torch().sentence == "PyTorch 2.2.1 is older than 2.4, which the networks need: reinstall PyTorch."


def test_without_torch_nothing_is_loaded(alone):
    alone.setattr(torch_state, "installed", lambda name: "")
    alone.setattr(torch_state.importlib.util, "find_spec", lambda name: None)
    assert find_torch().stops and "not installed yet" in find_torch().sentence


@pytest.mark.child
def test_a_torch_whose_library_does_not_load_is_told_in_one_sentence_by_line_and_by_run(tmp_path):
    fake_package(tmp_path, "torch", "2.6.0", "raise OSError('[WinError 126] module not found: c10.dll')")
    line = python("from ASLDenoiseLib.torch_state import find_torch; print(find_torch().sentence)", tmp_path)
    said = "PyTorch 2.6.0 does not load (OSError: [WinError 126] module not found: c10.dll): reinstall PyTorch."
    assert line == said
    code = """
from ASLDenoiseLib.devices import resolve_device
from ASLDenoiseLib.errors import InputError
for name in ("auto", "cpu"):
    try:
        resolve_device(name)
    except InputError as error:
        print(error)
"""
    sentence = "PyTorch is installed and does not load (OSError: [WinError 126] module not found: c10.dll); reinstall"
    assert python(code, tmp_path).splitlines() == [f"{sentence} PyTorch."] * 2


@pytest.mark.child
def test_a_child_finds_the_state_of_a_broken_torch_and_this_process_loads_none(tmp_path):
    fake_package(tmp_path, "torch", "2.6.0", "import ctypes; ctypes.CDLL('libnosuch.so')")
    code = """
import sys
from ASLDenoiseLib.running.runner import Runner
from ASLDenoiseLib.torch_state import TorchCheck
runner = Runner()
runner.start(TorchCheck())
print(runner.wait().sentence, "torch" in sys.modules)
"""
    said = python(code, tmp_path)
    assert said.startswith("PyTorch 2.6.0 does not load (OSError: libnosuch.so") and said.endswith("False")


def test_with_the_cpu_chosen_no_graphics_driver_is_asked_anything(alone):
    torch = fake_torch(alone, cuda="12.4", card=True)
    torch.cuda = torch.backends = None  # to ask them fails
    assert resolve_device("cpu") == "cpu"
    assert [device.name for device in devices.list_devices(cpu_alone=True)] == ["cpu"]
    alone.setenv(VARIABLE, "cpu")
    assert resolve_device("auto") == "cpu"


def test_the_environment_forces_the_cpu_and_a_card_asked_for_beside_it_is_refused(alone):
    fake_torch(alone, cuda="12.4", card=True)
    alone.setenv(VARIABLE, "cpu")
    with pytest.raises(InputError, match="forced by ASLDENOISE_DEVICE=cpu, and 'cuda' was asked for"):
        resolve_device("cuda")
    alone.setenv(VARIABLE, "gpu")
    with pytest.raises(InputError, match=r"no device 'gpu' \(in ASLDENOISE_DEVICE\)"):
        resolve_device("auto")
    alone.setenv(VARIABLE, "cuda")
    assert (resolve_device("auto"), resolve_device("cpu")) == ("cuda", "cpu")


@pytest.mark.parametrize(
    ("choice", "variable", "hidden"), [("cpu", "", True), ("auto", "CPU", True), ("auto", "", False)]
)
def test_a_process_for_the_cpu_has_the_cards_hidden_before_torch_is_loaded(alone, choice, variable, hidden):
    if variable:
        alone.setenv(VARIABLE, variable)
    settle_process(choice)
    assert (os.environ.get("CUDA_VISIBLE_DEVICES") == "-1") is hidden
    assert (os.environ.get("HIP_VISIBLE_DEVICES") == "-1") is hidden
    assert os.environ["PYTORCH_ENABLE_MPS_FALLBACK"] == "1"


class Hidden:
    """A task that tells what its process sees."""

    inputs, seconds = {}, None

    def __init__(self, device):
        self.device = device

    def run(self, progress):
        return os.environ.get("CUDA_VISIBLE_DEVICES", "unset"), os.environ.get("PYTORCH_ENABLE_MPS_FALLBACK")


@pytest.mark.child
def test_a_child_hides_the_cards_where_its_task_computes_on_the_cpu(alone):
    from ASLDenoiseLib.running.runner import Runner

    given = child_python()
    environment = {**given.environment, "PYTHONPATH": os.pathsep.join([given.environment["PYTHONPATH"], *sys.path])}
    runner = Runner(given.command, environment=environment)
    for device, seen in (("cpu", "-1"), ("auto", "unset")):
        runner.start(Hidden(device))
        assert runner.wait() == (seen, "1")


@pytest.mark.child
def test_the_shell_hides_them_too_and_a_function_that_is_called_does_not(alone):
    code = """
import os, sys
from ASLDenoiseLib import __main__ as shell
shell.processing.run_processing = lambda args: print(os.environ.get("CUDA_VISIBLE_DEVICES", "unset")) or 0
line = ["denoise", "x.nii.gz", "--out", "o", "--device", "cpu"]
shell.main(line)
sys.argv = ["asldenoise", *line]
shell.main()
"""
    assert python(code, **{VARIABLE: ""}).split() == ["unset", "-1"]


def test_the_tasks_that_run_networks_say_where():
    from pathlib import Path

    from ASLDenoiseLib.pipeline.request import Request, SeriesFile
    from ASLDenoiseLib.pipeline.run import RequestTask

    assert RequestTask(Request(SeriesFile(Path("asl.nii.gz")), device="cpu")).device == "cpu"


def test_the_card_is_named_by_its_driver_whatever_torch_sees(tmp_path, monkeypatch):
    smi = tmp_path / "nvidia-smi"
    monkeypatch.setattr(devices.shutil, "which", lambda name: str(smi))
    smi.write_text("#!/bin/sh\necho NVIDIA RTX A5000\necho NVIDIA T400\n")
    smi.chmod(0o755)
    assert nvidia_card() == ("NVIDIA RTX A5000" if os.name != "nt" else "NVIDIA graphics card")
    smi.chmod(0o644)
    assert nvidia_card() == "NVIDIA graphics card", "a driver in trouble is there all the same"


@pytest.mark.parametrize(
    ("version", "build"),
    [
        (SimpleNamespace(cuda="12.8", hip=None), "CUDA 12.8"),
        (SimpleNamespace(cuda=None, hip="6.2.41134-65d174c3e"), "ROCm 6.2"),
        (SimpleNamespace(cuda=None), "CPU"),
    ],
)
def test_the_build_is_named(version, build):
    assert build_of(SimpleNamespace(version=version, backends=SimpleNamespace())) == build


@pytest.mark.skipif(not torch_state.installed("torch"), reason="torch is not installed")
@pytest.mark.child
def test_the_torch_that_is_here_is_found_to_work():
    said = python("from ASLDenoiseLib.torch_state import find_torch; s = find_torch(); print(s.stops, s.sentence)")
    assert said.startswith("False PyTorch ") and " runs on " in said
