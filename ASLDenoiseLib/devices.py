"""Devices that networks can run on."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType

from .errors import InputError
from .memory import is_out_of_memory
from .no_window import NO_WINDOW
from .remedies import Advice, Choose

DEVICES = ("auto", "cpu", "cuda", "mps")
VARIABLE = "ASLDENOISE_DEVICE"  # in the environment: what ``auto`` stands for; ``cpu`` forces it
# Read when torch begins with a device. Minus one and not empty: on Windows an empty variable is no variable.
_HIDDEN = {"CUDA_VISIBLE_DEVICES": "-1", "HIP_VISIBLE_DEVICES": "-1"}
_MPS_FALLBACK = "PYTORCH_ENABLE_MPS_FALLBACK"  # read when torch is loaded: what MPS lacks is done by the CPU


def resolve_device(choice: str) -> str:
    """``auto`` becomes the best device that works, or what `ASLDENOISE_DEVICE` says; a named one is checked.

    For the CPU no graphics driver is asked anything, so that a broken one does no harm.

    Raises:
        InputError: an unknown name, a device this machine (or this torch) has not, or a torch that does not load.
    """
    asked = _forced(choice)
    if asked == "cpu":
        loaded_torch()
        return asked
    torch = loaded_torch()
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if asked == "auto":
        usable = (name for name in ("cuda", "mps") if available[name] and (name != "cuda" or _cuda_has_code()))
        return next((name for name in usable if not trouble_on(name)), "cpu")
    if not available[asked]:
        remedies = (Choose("device", name, "compute") for name in ("auto", "cpu"))
        raise InputError(f"torch finds no '{asked}' device on this machine", remedies)
    return asked


def _forced(choice: str) -> str:
    """The choice, after what the environment says of it."""
    said = os.environ.get(VARIABLE, "").strip().lower()
    for name, where in ((choice, ""), (said or "auto", f" (in {VARIABLE})")):
        if name not in DEVICES:
            raise InputError(f"There is no device '{name}'{where}; choose one of {', '.join(DEVICES)}.")
    if said == "cpu" and choice not in ("auto", "cpu"):
        raise InputError(f"The CPU is forced by {VARIABLE}=cpu, and '{choice}' was asked for; leave one of them out.")
    return said if said and choice == "auto" else choice


def settle_process(choice: str = "auto") -> None:
    """Make a process that is ours alone ready for torch, before it is loaded: a child, or the shell.

    Where the CPU is chosen, or forced by the environment, graphics cards are hidden from torch. A choice that cannot be
    is left to `resolve_device`, which says so.
    """
    os.environ.setdefault(_MPS_FALLBACK, "1")
    if "cpu" in (choice, os.environ.get(VARIABLE, "").strip().lower()):
        os.environ.update(_HIDDEN)


def loaded_torch() -> ModuleType:
    """torch.

    Raises:
        InputError: it is not installed, or is there and does not load.
    """
    os.environ.setdefault(_MPS_FALLBACK, "1")
    try:
        import torch
    except (ImportError, OSError) as error:
        if is_out_of_memory(error):
            raise
        if isinstance(error, ModuleNotFoundError) and error.name == "torch":
            raise InputError(
                "PyTorch is not installed", [Advice("install it, with 'pip install torch', say")]
            ) from error
        what = f"PyTorch is installed and does not load ({first_line(error)})"
        raise InputError(what, [Advice("reinstall PyTorch")]) from error
    return torch


def first_line(error: BaseException) -> str:
    """Kind and first line of an error, for a sentence."""
    return f"{type(error).__name__}: {str(error).strip() or 'no reason given'}".splitlines()[0][:200]


def trouble_on(name: str) -> str:
    """Why a device that torch finds does not compute; empty where a small product on it is right.

    That a device is found says little: its driver may be broken, its memory full, its code missing.
    """
    import torch

    try:
        a = torch.arange(16, dtype=torch.float32).reshape(4, 4)
        there = a.to(name)
        product = (there @ there).cpu()
    except Exception as error:  # whatever a driver may raise, it is an answer
        return first_line(error)
    return "" if torch.equal(product, a @ a) else "a small product on it came out wrong"


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


def list_devices(*, cpu_alone: bool = False) -> tuple[ComputeDevice, ...]:
    """The devices of this machine, the best first; the CPU is always among them.

    Loads torch where it is installed, and computes on what it finds, which takes seconds: a window lets
    `torch_state.TorchCheck` do it in a child process.

    Args:
        cpu_alone: ask no graphics driver anything.

    Raises:
        InputError: torch is there and does not load.
    """
    if importlib.util.find_spec("torch") is None:
        return (cpu_without_torch(),)
    torch, cpu = loaded_torch(), ComputeDevice("cpu", _cpu_label())
    if cpu_alone:
        return (cpu,)
    if torch.cuda.is_available():
        card = _cuda()
    elif torch.backends.mps.is_available():
        card = _tried(ComputeDevice("mps", "Apple graphics processor", note="it shares the computer's memory"))
    elif name := nvidia_card():
        why = "has no CUDA build" if torch.version.cuda is None else "cannot reach it"
        remedy = "install PyTorch with CUDA, or update the card's driver, to use it"
        card = ComputeDevice("cuda", name, usable=False, note=f"this PyTorch {why}; {remedy}")
    else:
        return (cpu,)
    return (card, cpu) if card.usable else (cpu, card)


def cpu_without_torch() -> ComputeDevice:
    """The CPU as it can be listed before PyTorch is there; loads nothing."""
    return ComputeDevice("cpu", _cpu_label(), usable=False, note="needs PyTorch, which is not installed yet")


def _cuda() -> ComputeDevice:
    import torch

    properties = torch.cuda.get_device_properties(0)
    label = f"{properties.name} ({_gigabytes(properties.total_memory)})"
    if _cuda_has_code():
        return _tried(ComputeDevice("cuda", label))
    note = "too new or too old for this PyTorch; install another PyTorch"
    return ComputeDevice("cuda", label, usable=False, note=note)


def _tried(device: ComputeDevice) -> ComputeDevice:
    """A device, as usable as a small product on it says."""
    trouble = trouble_on(device.name)
    note = f"it is found and does not compute ({trouble}); restart the computer, or update its driver"
    return replace(device, usable=False, note=note) if trouble else device


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


def nvidia_card() -> str:
    """The name of the NVIDIA card that its driver knows of, whatever torch may see; empty where there is none."""
    if smi := shutil.which("nvidia-smi"):
        command = [smi, "--query-gpu=name", "--format=csv,noheader"]
        try:
            said = subprocess.run(command, capture_output=True, timeout=10, creationflags=NO_WINDOW, check=False)
        except (OSError, subprocess.SubprocessError):
            return "NVIDIA graphics card"  # its driver is installed, and in trouble
        names = said.stdout.decode("utf-8", "replace").splitlines() or [""]
        if said.returncode == 0 and names[0].strip():
            return names[0].strip()
    return "NVIDIA graphics card" if os.path.exists("/proc/driver/nvidia/version") else ""


def usable_cores() -> range:
    """The cores that this process may use, numbered."""
    return range(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _cpu_label() -> str:
    cores = len(usable_cores())
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
