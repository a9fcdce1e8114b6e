"""What the choices in a parameter node make: a request, how long it takes, what may be in its way. No image is read."""

from __future__ import annotations

from pathlib import Path

from .computing import deviceOf
from .parameters import Grid, Way
from .states import Choices


def requestFrom(p, series, head, outputs, like, arrival=None):
    """The `Request` of a parameter node.

    Args:
        p: the parameter node.
        series, head, outputs: those of the request.
        like: the geometry (or file) of the volume whose voxels a finer map is to have, or None.
        arrival: the `ArrivalMap` of another scan, or None.

    Raises:
        ASLDenoiseLib.errors.InputError: a choice cannot be used.
    """
    from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, find_model
    from ASLDenoiseLib.pipeline.request import DelayFit, Denoising, Request, SuperResolution
    from ASLDenoiseLib.preparing.choices import Preparation
    from ASLDenoiseLib.preparing.segmenters import DEFAULT_SEGMENTER
    from ASLDenoiseLib.scene.delays import delays_in
    from ASLDenoiseLib.superresolving import DEFAULT_METHOD

    regressed = (("motion", p.regressMotion), ("csf", p.regressCsf), ("global", p.regressGlobal))
    preparation = Preparation(
        pairs=p.pairs.strip() or None,
        motion=p.motion,
        nuisance=tuple(name for name, wanted in regressed if wanted),
        outliers=p.outliers.value,
        smoothing=p.smoothing,
        m0_smoothing=p.m0Smoothing,
        taken_out=p.takenOut.strip() or None,
        put_back=p.putBack.strip() or None,
        segmenter="atropos" if p.atropos else DEFAULT_SEGMENTER,
    )
    denoising = finer = None
    if p.way is Way.DENOISE or (p.way is Way.SUPERRESOLVE and p.denoiseFirst):
        one = len(delays_in(p.asl)) < 2  # what these tell and learn is of one delay
        model = p.model or DEFAULT_MODEL
        choices = p.group or None, p.interleaved, p.audit, p.pairsNeeded and one, p.splitHalf and one
        denoising = Denoising(model, *choices, p.adapt and one and find_model(model).family.adapts)
    if p.way is Way.SUPERRESOLVE:
        spacing = (p.spacingX, p.spacingY, p.spacingZ) if p.grid is Grid.SPACING else None
        spread = (p.pointSpreadX, p.pointSpreadY, p.pointSpreadZ) if p.ownPointSpread else None
        finer = SuperResolution(p.method or DEFAULT_METHOD, spacing, like if p.grid is Grid.LIKE else None, spread)
    fit = DelayFit(p.kinetics.value, p.macrovascular, p.spatialPrior)
    return Request(series, head, preparation, denoising, finer, outputs, deviceOf(p), fit, arrival)


def expectation(p) -> str:
    """The usual time of a run in words, before its images are read; empty where the choices cannot be used."""
    from ASLDenoiseLib.errors import InputError
    from ASLDenoiseLib.pipeline.estimate import said_before, usual_seconds
    from ASLDenoiseLib.pipeline.request import ArrivalMap, Head, Outputs, SeriesFile

    head = Head(Path(p.t1.GetName()) if p.t1 is not None else None)
    try:
        arrival = None if p.arrival is None else ArrivalMap(Path("att"))
        request = requestFrom(p, SeriesFile(Path("series")), head, Outputs(mni=p.mni), Path("like"), arrival)
    except InputError:
        return ""
    # what 'auto' finds is known in the child alone; the CPU's time is the one that was measured, and the longest
    device = "cpu" if request.device == "auto" else request.device
    return said_before(usual_seconds(request, _workload(p.asl)), device=device)


def readiness(p, *, unusable, needsT1, busy) -> Choices:
    """What decides whether Apply can run.

    Args:
        p: the parameter node.
        unusable, needsT1, busy: as `states.Choices` has them.
    """
    from ASLDenoiseLib.scene.series import read_context, volume_count

    try:
        ordered = any(kind.value != "n/a" for kind in read_context(p.asl)) if p.asl is not None else True
    except ValueError:
        ordered = False
    return Choices(
        series=p.asl is not None,
        volumes=volume_count(p.asl),
        ordered=ordered,
        unusable=unusable,
        needsT1=needsT1,
        t1=p.t1 is not None,
        tissue=p.tissueFromSegmentation,
        segmentation=p.segmentation is not None,
        pairs=p.pairs,
        takenOut=p.takenOut,
        putBack=p.putBack,
        busy=busy,
    )


def _workload(node):
    from ASLDenoiseLib.pipeline.step import Workload
    from ASLDenoiseLib.scene.delays import delays_in
    from ASLDenoiseLib.scene.series import first_volume, volume_count

    first = first_volume(node)
    if first is None:
        return Workload()
    return Workload(first.GetImageData().GetDimensions(), volume_count(node), max(len(delays_in(node)), 1))
