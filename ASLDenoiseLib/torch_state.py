"""What PyTorch is like here, before a run needs it: its build, what it computes on, and what is wrong with it.

A window lets `TorchCheck` find it out in a child process: torch takes seconds to load, a broken one may take its
process along, and one that is loaded cannot be replaced on Windows, where its files are then in use.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType, ModuleType
from typing import ClassVar

from .devices import ComputeDevice, cpu_without_torch, first_line, list_devices, loaded_torch
from .errors import InputError
from .progress import Progress, silent

LEAST = "2.4"  # the oldest torch that the networks were tried with
REINSTALL = "reinstall PyTorch"
_MONAI_AGAIN = "install MONAI anew"


@dataclass(frozen=True)
class TorchState:
    """What PyTorch is like.

    Args:
        version: of torch, as installed; empty where there is none.
        build: what it was built for: ``CPU``, ``CUDA 12.8``, ``ROCm 6.2``, ``MPS``; empty where it does not load.
        devices: what it may compute on, the best first.
        trouble: what is wrong, as the rest of a sentence; empty where nothing is.
        remedy: what would mend it, to be read on to; empty where nothing need be.
        stops: whether networks cannot run at all as it is.
    """

    version: str = ""
    build: str = ""
    devices: tuple[ComputeDevice, ...] = ()
    trouble: str = ""
    remedy: str = ""
    stops: bool = False

    @property
    def sentence(self) -> str:
        """One plain line: what it is, where it computes, what that means, and what would mend it."""
        if not self.version:
            return "PyTorch is not installed yet: Apply asks for it."
        name = f"PyTorch {self.version.split('+')[0]} ({self.build})" if self.build else f"PyTorch {self.version}"
        if self.stops:
            return f"{name} {self.trouble}: {self.remedy}."
        best = next((device for device in self.devices if device.usable), None)
        where = f"{name} runs on {'the ' if best and best.name != 'cuda' else ''}{best.label if best else 'the CPU'}"
        told = "; ".join(filter(None, (self.trouble, self.remedy)))
        return f"{where}: {told}." if told else f"{where}."


@dataclass(frozen=True)
class TorchCheck:
    """`find_torch` as a task for a `Runner`.

    Args:
        device: ``cpu`` where the user has forced it: no graphics driver is asked anything then.
    """

    device: str = "auto"
    seconds: ClassVar[None] = None
    inputs: ClassVar[Mapping[str, object]] = MappingProxyType({})

    def run(self, progress: Progress = silent) -> TorchState:
        """What PyTorch is like."""
        return find_torch(cpu_alone=self.device == "cpu")


def find_torch(*, cpu_alone: bool = False) -> TorchState:
    """What PyTorch is like here: loads it, computes a small product on what it finds, and tries what goes with it.

    Args:
        cpu_alone: ask no graphics driver anything.
    """
    version = installed("torch")
    if not version:
        if importlib.util.find_spec("torch") is None:
            return TorchState(devices=(cpu_without_torch(),), stops=True)
        version = "of an unknown version"
    found = TorchState(version)
    if _older(version, LEAST):
        return replace(found, trouble=f"is older than {LEAST}, which the networks need", remedy=REINSTALL, stops=True)
    try:
        torch = loaded_torch()
        found = replace(found, build=build_of(torch), devices=list_devices(cpu_alone=cpu_alone))
    except InputError as error:
        return replace(
            found, trouble=f"does not load {error.what.partition(' does not load ')[2]}".strip(), **_stopped()
        )
    except Exception as error:  # whatever half a torch raises
        return replace(found, trouble=f"does not work ({first_line(error)})", **_stopped())
    return _with_companions(found, torch)


def _stopped() -> dict[str, object]:
    return {"remedy": REINSTALL, "stops": True}


def _with_companions(found: TorchState, torch: ModuleType) -> TorchState:
    """The state, with what is wrong between torch and what works with it; the worst alone."""
    if why := _numpy_trouble(torch):
        return replace(found, trouble=why, remedy=f"{REINSTALL}, which brings one for this numpy", stops=True)
    if why := torchvision_trouble(found.version, installed("torchvision")):
        return replace(found, trouble=why, remedy=f"{REINSTALL}, which brings both", stops=bool(_monai_trouble()))
    if why := _monai_trouble():
        return replace(found, trouble=why, remedy=_MONAI_AGAIN, stops=True)
    unused = next((device for device in found.devices if not device.usable), None)
    return found if unused is None else replace(found, **_unused(unused))


def _unused(device: ComputeDevice) -> dict[str, str]:
    why, _, remedy = device.note.partition("; ")
    return {"trouble": f"{why} ({device.label} is there)", "remedy": remedy}


def installed(name: str) -> str:
    """The version of a package as its installer wrote it down, without importing it; empty where it is not there."""
    try:
        return importlib.metadata.version(name) or ""
    except importlib.metadata.PackageNotFoundError:
        return ""


def new_enough() -> bool:
    """Whether a torch that the networks can use is installed, by its version alone: it is not imported."""
    version = installed("torch")
    return bool(version) and not _older(version, LEAST)


def build_of(torch: ModuleType) -> str:
    """What a torch was built for.

    >>> from types import SimpleNamespace as Names
    >>> build_of(Names(version=Names(cuda="12.8", hip=None)))
    'CUDA 12.8'
    """
    if torch.version.cuda:
        return f"CUDA {torch.version.cuda}"
    if getattr(torch.version, "hip", None):
        return f"ROCm {'.'.join(torch.version.hip.split('.')[:2])}"
    mps = getattr(getattr(torch.backends, "mps", None), "is_built", lambda: False)
    return "MPS" if mps() else "CPU"


def torchvision_trouble(torch: str, torchvision: str) -> str:
    """Why a torchvision cannot go with a torch, by the builds in their versions; empty where nothing speaks against it.

    >>> torchvision_trouble("2.6.0+cu124", "0.20.1+cu121")
    'and torchvision 0.20.1+cu121 are of different builds'
    """
    builds = [re.search(r"\+(cpu|cu\d+|rocm[\d.]+)", version) for version in (torch, torchvision)]
    if all(builds) and builds[0][1] != builds[1][1]:
        return f"and torchvision {torchvision} are of different builds"
    return ""


def _numpy_trouble(torch: ModuleType) -> str:
    """Why torch and numpy cannot give each other arrays, as a torch built for numpy 1 cannot beside numpy 2."""
    import numpy as np

    try:
        if torch.from_numpy(np.arange(3.0)).numpy().sum() == 3.0:
            return ""
        why = "a wrong number came back"
    except Exception as error:  # RuntimeError 'Numpy is not available', and whatever other versions say
        why = first_line(error)
    return f"was built for another numpy than the {np.__version__} that is here ({why})"


def _monai_trouble() -> str:
    """Why MONAI does not load; empty where it does, or is not there yet."""
    if not installed("monai"):
        return ""
    try:
        importlib.import_module("monai.inferers")
    except Exception as error:  # of any of the many packages that it loads
        return f"loads, and MONAI {installed('monai')} does not ({first_line(error)})"
    return ""


def _older(version: str, least: str) -> bool:
    """Whether a version is older than the least; one that cannot be read is not.

    >>> _older("2.3.1+cu121", "2.4"), _older("2.13.0", "2.4")
    (True, False)
    """
    read = re.match(r"(\d+)\.(\d+)", version)
    return read is not None and tuple(map(int, read.groups())) < tuple(map(int, least.split(".")))
