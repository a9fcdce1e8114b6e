"""Devices that networks can run on."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from .errors import InputError
from .progress import Progress, silent
from .remedies import Choose

DEVICES = ("auto", "cpu", "cuda", "mps")


def resolve_device(choice: str) -> str:
    """``auto`` becomes the best device there is; a named one is checked.

    Raises:
        InputError: an unknown name, or a device this machine (or this torch) has not.
    """
    import torch

    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if choice == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if available[name] and (name != "cuda" or _cuda_has_code()))
    if choice not in available:
        raise InputError(f"There is no device '{choice}'; choose one of {', '.join(DEVICES)}.")
    if not available[choice]:
        remedies = (Choose("device", name, "compute") for name in ("auto", "cpu"))
        raise InputError(f"torch finds no '{choice}' device on this machine", remedies)
    return choice


@dataclass(frozen=True)
class ComputeDevice:
    """A device for a list to choose from.

    Args:
        name: of `DEVICES`, as every `device` argument takes it.
        label: for people: what it is, with its memory or cores.
        usable: whether a run can be sent there now.
        note: why not, or what to know of it; may be empty.
    """

    name: str
    label: str
    usable: bool = True
    note: str = ""

    def __str__(self) -> str:
        return f"{self.label}: {self.note}" if self.note else self.label


def list_devices() -> tuple[ComputeDevice, ...]:
    """The devices of this machine, the best first; the CPU is always among them.

    Loads torch where it is installed, which takes seconds: a window lets `DeviceListing` do it in a child process.
    """
    if importlib.util.find_spec("torch") is None:
        return (cpu_without_torch(),)
    import torch

    cpu = ComputeDevice("cpu", _cpu_label())
    if torch.cuda.is_available():
        return (_cuda(), cpu)
    if torch.backends.mps.is_available():
        return (ComputeDevice("mps", "Apple graphics processor", note="it shares the computer's memory"), cpu)
    if _has_nvidia_card():
        why = "has no CUDA" if torch.version.cuda is None else "cannot reach it"
        remedy = "install PyTorch with CUDA, or update the card's driver, to use it"
        return (cpu, ComputeDevice("cuda", "NVIDIA graphics card", usable=False, note=f"this PyTorch {why}; {remedy}"))
    return (cpu,)


def cpu_without_torch() -> ComputeDevice:
    """The CPU as it can be listed before PyTorch is there; loads nothing."""
    return ComputeDevice("cpu", _cpu_label(), usable=False, note="needs PyTorch, which is not installed yet")


@dataclass(frozen=True)
class DeviceListing:
    """`list_devices` as a task for a `Runner`: torch is loaded there, and not in the window's process."""

    seconds: ClassVar[None] = None
    inputs: ClassVar[Mapping[str, object]] = MappingProxyType({})

    def run(self, progress: Progress = silent) -> tuple[ComputeDevice, ...]:
        """The devices."""
        return list_devices()


def _cuda() -> ComputeDevice:
    import torch

    properties = torch.cuda.get_device_properties(0)
    label = f"{properties.name} ({_gigabytes(properties.total_memory)})"
    if _cuda_has_code():
        return ComputeDevice("cuda", label)
    note = "too new or too old for this PyTorch; install another PyTorch"
    return ComputeDevice("cuda", label, usable=False, note=note)


def _cuda_has_code() -> bool:
    import torch

    if torch.version.hip is not None:
        return True  # AMD's builds name their architectures otherwise
    return has_code_for(torch.cuda.get_device_capability(0), torch.cuda.get_arch_list())


def has_code_for(capability: tuple[int, int], architectures: Sequence[str]) -> bool:
    """Whether a torch built for `architectures` can compute on a card.

    Code runs on later cards of its own generation (``sm_80`` on 8.6), intermediate code (``compute_90``) on all later.

    >>> has_code_for((12, 0), ["sm_80", "sm_90"])
    False
    """
    found = re.findall(r"(sm|compute)_(\d+)(\d)", " ".join(architectures))
    built = [(kind, (int(major), int(minor))) for kind, major, minor in found]
    return any(v <= capability and (kind == "compute" or v[0] == capability[0]) for kind, v in built)


def _has_nvidia_card() -> bool:
    return os.path.exists("/proc/driver/nvidia/version") or shutil.which("nvidia-smi") is not None


def _cpu_label() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = _memory()
    parts = ["1 core" if cores == 1 else f"{cores} cores", *([_gigabytes(memory)] if memory else [])]
    return f"CPU ({', '.join(parts)})"


def _memory() -> int | None:
    """Bytes of main memory; None where the system does not say."""
    if sys.platform == "win32":
        kilobytes = ctypes.c_ulonglong()
        known = ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
        return 1024 * kilobytes.value if known else None
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _gigabytes(count: int) -> str:
    return f"{count / 2**30:.0f} GB"
