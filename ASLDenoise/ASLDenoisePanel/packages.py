"""The packages that a run needs and Slicer does not bring: installed on the first Apply, never before."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import slicer
from slicer import packaging
from slicer.i18n import tr as _

from .paths import resource

_AFTER_TORCH = ("monai",)  # which would have pip bring a torch of its own choice
_SLICERS = ("numpy", "SimpleITK", "vtk")
_INSPECTING = ("scipy", "skimage", "SimpleITK", "nibabel")  # for inspecting images


class PackagesMissing(Exception):
    """Why packages are missing, in one sentence that says what to do."""


def canInspect() -> bool:
    """Whether the packages are there that inspecting images and loading files need; imports none of them."""
    return all(importlib.util.find_spec(name) is not None for name in _INSPECTING)


def torchThere() -> bool:
    """Whether a PyTorch that is new enough is installed; does not import it."""
    from ASLDenoiseLib.torch_state import new_enough

    return new_enough()


def ensurePackages() -> None:
    """Install what the module's requirements file lists and is missing, once the user agrees.

    Nothing that Slicer or its extensions brought is moved by it: pip is held to the versions that are there, and asked
    by a dry run first. What needs PyTorch waits for it, so that the PyTorch extension chooses the build, and not pip.

    Raises:
        PackagesMissing: the user declined, they do not fit what is there, or the installation failed.
    """
    wanted = packaging.load_requirements(str(resource("requirements.txt")))
    if not torchThere():
        wanted = [requirement for requirement in wanted if requirement.name not in _AFTER_TORCH]
    missing = [requirement for requirement in wanted if not packaging.pip_check(requirement)]
    if not missing:
        return
    with _held() as constraints:
        _refuseMisfits([str(requirement) for requirement in missing], constraints)
        try:
            packaging.pip_ensure(missing, constraints=str(constraints), requester="ASLDenoise")
        except Exception as error:  # pip_ensure raises RuntimeError when declined, CalledProcessError when pip fails
            text = _("The Python packages that ASL Denoise needs were not installed ({error}); press the button again.")
            raise _missing(text, error) from error


def ensureTorch() -> None:
    """Install PyTorch where it is missing, by Slicer's PyTorch extension alone, which asks first.

    pip by itself would bring a build of its own choice: without a graphics card's, or with gigabytes for one.

    Raises:
        PackagesMissing: it is not there now; says how to get it.
    """
    if torchThere():
        return
    try:
        import PyTorchUtils
    except ImportError as error:
        raise PackagesMissing(
            _(
                "PyTorch, which runs the networks, is missing: install the extension 'PyTorch' in the Extensions "
                "Manager, restart Slicer, and press Apply again."
            )
        ) from error
    _installByExtension(PyTorchUtils.PyTorchUtilsLogic(), ask=True)


def reinstallTorch() -> bool:
    """Remove PyTorch and install it anew by the PyTorch extension, once the user agrees; whether it was done.

    Raises:
        PackagesMissing: it cannot be done from here; says why.
    """
    if "torch" in sys.modules:
        text = _("PyTorch is loaded in this Slicer, and its files are in use. Restart Slicer, and press this first.")
        raise PackagesMissing(text)
    try:
        import PyTorchUtils
    except ImportError as error:
        raise PackagesMissing(_("The extension 'PyTorch' is not installed, which does this.")) from error
    question = _("Remove PyTorch and install it anew? It is a download of up to gigabytes. Restart Slicer after it.")
    if not slicer.util.confirmYesNoDisplay(question, windowTitle=_("ASL Denoise: reinstall PyTorch")):
        return False
    logic = PyTorchUtils.PyTorchUtilsLogic()
    try:
        logic.uninstallTorch()
    except Exception as error:
        text = _(
            "PyTorch could not be removed ({error}): its files may be in use. Restart Slicer, and press this first."
        )
        raise _missing(text, error) from error
    _installByExtension(logic, ask=False)
    return True


def reinstallSteps() -> str:
    """The steps of reinstalling PyTorch by hand."""
    return _(
        "1. Restart Slicer, so that no file of PyTorch is in use, and open no other module.\n"
        "2. Extensions Manager: install 'PyTorch' if it is not there, and restart.\n"
        "3. Module PyTorch Utils (category Utilities): Uninstall PyTorch, then Restart the application.\n"
        "4. PyTorch Utils again: computation backend 'automatic' (or 'cpu', for the processor alone), Torch version "
        "requirement '{version}', Install PyTorch. Restart the application.\n"
        "5. Open ASL Denoise: the line under 'Computes on' says what was found."
    ).format(version=_demanded())


def _installByExtension(logic, *, ask) -> None:
    """Install by the PyTorch extension, which takes no constraints, so that pip is told of them by the environment."""
    try:
        with _held(stay=_SLICERS) as constraints:
            os.environ["PIP_CONSTRAINT"] = str(constraints)
            try:
                torch = logic.installTorch(askConfirmation=ask, torchVersionRequirement=_demanded())
            finally:
                del os.environ["PIP_CONSTRAINT"]
    except Exception as error:
        text = _("PyTorch could not be installed ({error}); try again in the module PyTorch Utils.")
        raise _missing(text, error) from error
    if torch is None:
        raise PackagesMissing(_("PyTorch was not installed; press Apply again and agree to it."))


@contextmanager
def _held(stay=None):
    """A constraints file that holds what is installed, for as long as pip needs it; `stay` names the packages."""
    from ASLDenoiseLib.installing import HELD, held_versions, write_constraints

    with tempfile.TemporaryDirectory(prefix="ASLDenoise-") as folder:
        yield write_constraints(Path(folder, "constraints.txt"), held_versions(HELD if stay is None else stay))


def _refuseMisfits(requirements, constraints) -> None:
    """Ask pip by a dry run, while a box says so, whether these can be had beside what must stay."""
    from ASLDenoiseLib.installing import why_refused
    from ASLDenoiseLib.running.interpreter import child_python

    python = child_python(in_slicer=shutil.which("PythonSlicer") is not None)
    text = _("Asking pip whether the packages fit those of Slicer...")
    box = slicer.util.createProgressDialog(maximum=0, labelText=text, windowTitle=_("ASL Denoise"), modal=True)
    given = {"python": python.command, "environment": python.environment, "meanwhile": slicer.app.processEvents}
    try:
        why = why_refused(requirements, constraints, **given)
    finally:
        box.close()
    if why:
        raise PackagesMissing(
            _("Nothing was installed: {why}. Another version of Slicer may bring what fits.").format(why=why)
        )


def _missing(text: str, error: Exception) -> PackagesMissing:
    """Why packages are not there, with the first line of the error in the text."""
    return PackagesMissing(text.format(error=str(error).splitlines()[0]))


def _demanded() -> str:
    """The versions of PyTorch that will do, as pip and PyTorch Utils take it."""
    from ASLDenoiseLib.torch_state import LEAST

    return f">={LEAST}"
