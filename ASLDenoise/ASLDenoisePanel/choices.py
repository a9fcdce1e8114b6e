"""What the parameter node's choices ask of a run, as the library's nouns. No images are read here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .parameters import Device, Grid, Way

if TYPE_CHECKING:
    from ASLDenoiseLib.pipeline.request import Denoising, SuperResolution
    from ASLDenoiseLib.preparing.choices import Preparation


@dataclass(frozen=True)
class RunChoices:
    """The parts of a request that hold no images."""

    preparation: Preparation
    denoising: Denoising | None
    superresolution: SuperResolution | None


def runChoices(p, like=None) -> RunChoices:
    """What a parameter node asks for; `like` is the geometry of the volume whose voxels a finer map is to have.

    Raises:
        ASLDenoiseLib.errors.InputError: a choice cannot be used.
    """
    from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL
    from ASLDenoiseLib.pipeline.request import Denoising, SuperResolution
    from ASLDenoiseLib.preparing.choices import Preparation
    from ASLDenoiseLib.superresolving import DEFAULT_METHOD

    regressed = (("motion", p.regressMotion), ("csf", p.regressCsf), ("global", p.regressGlobal))
    preparation = Preparation(
        pairs=p.pairs.strip() or None,
        motion=p.motion,
        nuisance=tuple(name for name, wanted in regressed if wanted),
        outliers=p.outliers.value,
        smoothing=p.smoothing,
        m0_smoothing=p.m0Smoothing,
    )
    denoising = finer = None
    if p.way is Way.DENOISE or (p.way is Way.SUPERRESOLVE and p.denoiseFirst):
        denoising = Denoising(p.model or DEFAULT_MODEL, p.group or None, p.interleaved, p.recovery)
    if p.way is Way.SUPERRESOLVE:
        spacing = (p.spacingX, p.spacingY, p.spacingZ) if p.grid is Grid.SPACING else None
        spread = (p.pointSpreadX, p.pointSpreadY, p.pointSpreadZ) if p.ownPointSpread else None
        finer = SuperResolution(p.method or DEFAULT_METHOD, spacing, like if p.grid is Grid.LIKE else None, spread)
    return RunChoices(preparation, denoising, finer)


def expectation(p) -> str:
    """Roughly how long a run takes, before its images are read; empty where the choices cannot be used."""
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.pipeline.estimate import said_before, usual_seconds
    from ASLDenoiseLib.pipeline.request import Head, Outputs, Request, SeriesFile

    head = Head(Path(p.t1.GetName()) if p.t1 is not None else None)
    try:
        asked = runChoices(p, Path("like"))
        parts = (asked.preparation, asked.denoising, asked.superresolution)
        request = Request(SeriesFile(Path("series")), head, *parts, Outputs(mni=p.mni))
    except InputError:
        return ""
    # what 'auto' finds is known in the child alone; the CPU's time is the one that was measured, and the longest
    device = p.device.value if p.device in (Device.CUDA, Device.MPS) else "cpu"
    return said_before(usual_seconds(request, _workload(p.asl)), device=device)


def _workload(node):
    from ASLDenoiseLib.pipeline.step import Workload
    from ASLDenoiseLib.scene.series import volume_count

    first = node.GetNthDataNode(0) if node.IsA("vtkMRMLSequenceNode") else node
    image = first.GetImageData() if first is not None else None
    return Workload(image.GetDimensions(), volume_count(node)) if image is not None else Workload()
