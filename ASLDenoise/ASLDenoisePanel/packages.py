"""The packages that a run needs and Slicer does not bring: installed on the first Apply, never before."""

from __future__ import annotations

import importlib.metadata
import importlib.util

import slicer
from slicer import packaging
from slicer.i18n import tr as _

from .paths import resource

TORCH = ">=2.4"
_INSPECTING = ("scipy", "skimage", "SimpleITK", "nibabel")  # for inspecting images


class PackagesMissing(Exception):
    """Why packages are missing, in one sentence that says what to do."""


def canInspect() -> bool:
    """Whether the packages are there that inspecting images and loading files need; imports none of them."""
    return all(importlib.util.find_spec(name) is not None for name in _INSPECTING)


def torchThere() -> bool:
    """Whether a PyTorch that is new enough is installed; does not import it."""
    try:
        version = importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return False
    return _atLeast(version, TORCH.removeprefix(">="))


def ensurePackages() -> None:
    """Install what the module's requirements file lists and is missing, once the user agrees.

    Raises:
        PackagesMissing: the user declined, or the installation failed.
    """
    try:
        packaging.pip_ensure(packaging.load_requirements(str(resource("requirements.txt"))), requester="ASLDenoise")
    except Exception as error:  # pip_ensure raises RuntimeError when declined, CalledProcessError when pip fails
        text = _("The Python packages that ASL Denoise needs were not installed ({error}); press the button again.")
        raise _missing(text, error) from error


def ensureTorch() -> None:
    """Install PyTorch where it is missing: by the PyTorch extension, else by pip; both ask first.

    Raises:
        PackagesMissing: it is not there now; says how to get it.
    """
    if torchThere():
        return
    try:
        import PyTorchUtils
    except ImportError:
        _installByPip()
        return
    logic = PyTorchUtils.PyTorchUtilsLogic()
    try:
        torch = logic.installTorch(askConfirmation=True, torchVersionRequirement=TORCH)
    except Exception as error:
        text = _("PyTorch could not be installed ({error}); try again in the module PyTorch Utils.")
        raise _missing(text, error) from error
    if torch is None:
        raise PackagesMissing(_("PyTorch was not installed; press Apply again and agree to it."))


def _installByPip() -> None:
    agreed = slicer.util.confirmYesNoDisplay(
        _(
            "PyTorch runs the networks, and is not installed.\n\n"
            "For a graphics card: install the extension 'PyTorch' in the Extensions Manager, restart Slicer and press "
            "Apply again.\n\n"
            "Install PyTorch without that extension now? It runs every model on the processor (CPU). On Linux it "
            "brings NVIDIA's libraries along, a download of gigabytes; the extension can install one without."
        ),
        windowTitle=_("ASL Denoise: PyTorch is missing"),
    )
    if not agreed:
        raise PackagesMissing(
            _(
                "PyTorch is missing. Install the extension 'PyTorch' in the Extensions Manager and restart Slicer, or "
                "press Apply again and agree to PyTorch without it."
            )
        )
    try:
        packaging.pip_install([f"torch{TORCH}"], requester="ASLDenoise")
    except Exception as error:
        text = _("PyTorch could not be installed ({error}); check the internet connection and press Apply again.")
        raise _missing(text, error) from error


def _missing(text: str, error: Exception) -> PackagesMissing:
    """Why packages are not there, with the first line of the error in the text."""
    return PackagesMissing(text.format(error=str(error).splitlines()[0]))


def _atLeast(version: str, least: str) -> bool:
    first, second = (
        tuple(int(part) for part in text.split("+")[0].split(".")[:2] if part.isdigit()) for text in (version, least)
    )
    return first >= second
