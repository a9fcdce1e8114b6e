"""The devices there are to choose from, said for people, and found without loading torch into a window."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from types import SimpleNamespace

import pytest

from ASLDenoiseLib import devices
from ASLDenoiseLib.devices import ComputeDevice, cpu_without_torch, has_code_for, list_devices
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.running.interpreter import child_python


def torch_with(*, cards=(), built=("sm_80", "sm_90"), mps=False, cuda="12.8"):
    """A torch that sees graphics cards of (name, bytes, capability)."""
    return SimpleNamespace(
        cuda=SimpleNamespace(
            is_available=lambda: bool(cards),
            get_device_properties=lambda n: SimpleNamespace(name=cards[n][0], total_memory=cards[n][1]),
            get_device_capability=lambda n: cards[n][2],
            get_arch_list=lambda: list(built),
        ),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps)),
        version=SimpleNamespace(cuda=cuda, hip=None),
    )


@pytest.fixture
def machine(monkeypatch):
    """Pretend: this torch, and whether the system shows an NVIDIA card."""

    def pretend(torch, *, nvidia=False):
        monkeypatch.setitem(sys.modules, "torch", torch)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
        monkeypatch.setattr(devices, "nvidia_card", lambda: nvidia and "NVIDIA T400")
        monkeypatch.setattr(devices, "trouble_on", lambda name: "")

    return pretend


def test_a_graphics_card_is_named_with_its_memory_and_comes_before_the_cpu(machine):
    machine(torch_with(cards=[("NVIDIA RTX A5000", 24 * 2**30, (8, 6))]))
    card, cpu = list_devices()
    assert card == ComputeDevice("cuda", "NVIDIA RTX A5000 (24 GB)")
    assert cpu.name == "cpu" and cpu.usable
    assert devices.resolve_device("auto") == "cuda"


def test_a_card_newer_than_torch_is_shown_as_unusable_and_auto_keeps_off_it(machine):
    machine(torch_with(cards=[("NVIDIA RTX 5090", 32 * 2**30, (12, 0))]))
    cpu, card = list_devices()
    assert cpu.usable and not card.usable and "another PyTorch" in str(card)
    assert devices.resolve_device("auto") == "cpu"


def test_a_card_that_torch_cannot_use_is_said_with_what_would_mend_it(machine):
    machine(torch_with(cuda=None), nvidia=True)
    cpu, card = list_devices()
    assert cpu.usable and not card.usable
    assert "has no CUDA build" in card.note and "install PyTorch with CUDA" in card.note
    machine(torch_with(), nvidia=True)
    assert "cannot reach it" in list_devices()[1].note


def test_apple_s_processor_is_listed(machine):
    machine(torch_with(mps=True))
    assert [d.name for d in list_devices()] == ["mps", "cpu"]


def test_without_torch_the_cpu_is_listed_as_needing_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert list_devices() == (cpu_without_torch(),)
    assert not cpu_without_torch().usable and "needs PyTorch" in str(cpu_without_torch())


@pytest.mark.parametrize(
    ("capability", "built", "can"),
    [
        ((8, 6), ["sm_80"], True),
        ((8, 0), ["sm_86"], False),
        ((9, 0), ["sm_80", "sm_90"], True),
        ((9, 0), ["sm_90a"], True),
        ((12, 0), ["sm_50", "sm_90"], False),
        ((12, 0), ["sm_90", "compute_90"], True),
        ((12, 0), ["sm_100", "sm_120"], True),
        ((5, 0), ["sm_70", "compute_70"], False),
        ((8, 0), [], False),
    ],
)
def test_code_runs_on_its_own_generation_and_intermediate_code_on_all_later_ones(capability, built, can):
    assert has_code_for(capability, built) is can


def test_the_cpu_is_named_with_cores_and_memory():
    assert cpu_without_torch().label.startswith("CPU (") and "core" in cpu_without_torch().label


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_a_child_lists_the_devices_so_that_torch_is_not_loaded_here():
    code = """
import sys
from ASLDenoiseLib.torch_state import TorchCheck
from ASLDenoiseLib.running.runner import Runner
runner = Runner()
runner.start(TorchCheck())
print(*[d.name for d in runner.wait().devices], "torch" in sys.modules)
"""
    environment = dict(child_python().environment)
    said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    *names, loaded = said.stdout.split()
    assert "cpu" in names and loaded == "False"


def test_an_unknown_device_is_refused(machine):
    machine(torch_with())
    with pytest.raises(InputError, match="no device 'tpu'"):
        devices.resolve_device("tpu")
    with pytest.raises(InputError, match="finds no 'cuda'"):
        devices.resolve_device("cuda")
