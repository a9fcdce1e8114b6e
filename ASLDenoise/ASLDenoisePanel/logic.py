"""The logic: nodes in, nodes out. For the panel, the Python console, scripts and tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from .parameters import ASLDenoiseParameterNode, Grid, Way

_NOT_IN_NAMES = '/\\:*?"<>|\0'
_TISSUE_SEGMENTS = ("gm", "wm", "csf")


class ASLDenoiseLogic(ScriptedLoadableModuleLogic):
    """Runs the library on nodes."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleLogic.__init__(self, parent)

    def getParameterNode(self):
        """The module's parameter node, wrapped."""
        return ASLDenoiseParameterNode(super().getParameterNode())

    def process(
        self,
        asl,
        t1=None,
        *,
        m0=None,
        segmentation=None,
        tissue=None,
        superresolve: bool = False,
        method: str | None = None,
        spacing: tuple[float, float, float] | None = None,
        model: str | None = None,
        preparation: Any = None,
        device: str = "auto",
        recovery: bool = True,
        progress: Callable[[float, str], None] | None = None,
        waitForCompletion: bool = True,
        finished: Callable[[Any], None] | None = None,
    ):
        """Denoise (or super-resolve), quantify, measure and show.

        Args:
            asl: sequence, sequence browser, browsed volume or multi-volume node of the series.
            t1: scalar volume node of the same head, or None.
            m0: scalar volume node on the grid of the series; None takes the one that came with the series.
            segmentation: segmentation node with ROIs, or None.
            tissue: segmentation node with segments GM and WM (and CSF), in place of tissue from the T1, or None.
            superresolve: estimate a finer map in place of a denoised one.
            method: of super-resolution; None the default.
            spacing: mm along the axes of the series, of the super-resolved map; None the T1's grid.
            model: name in the catalogue; None the default, or with `superresolve` none.
            preparation: an ASLDenoiseLib.Preparation: pairs, motion, nuisances, outliers, smoothing; None the defaults.
            device: auto, cpu, cuda or mps.
            recovery: put back what the residual shows the network to have taken from tissue.
            progress: called with a fraction 0..1 and a line of text.
            waitForCompletion: work here and return the nodes. False works in a child process and returns at once.
            finished: with `waitForCompletion=False`, called with the nodes, or with the event that says why there are
                none (`ASLDenoiseLib.running.events.Failed` or `Cancelled`).

        Returns:
            ASLDenoiseLib.scene.present.PresentedNodes: the nodes, and the run itself as `.result`; or, where it does
            not wait, an `ASLDenoisePanel.running.Driver` with `cancel()` and `running`.

        Raises:
            ASLDenoiseLib.errors.InputError: the input cannot be used, and why; the scene is as it was.
        """
        from ASLDenoiseLib.pipeline.job import Job

        series, inputs = self.inputs(asl, t1, m0=m0, segmentation=segmentation, tissue=tissue)
        chosen = {"model": model, "preparation": preparation}
        options = {**inputs, **{name: value for name, value in chosen.items() if value}, "device": device}
        if superresolve:
            finer = {"method": method, "spacing": spacing}
            job = Job.superresolve(series, **options, **{name: value for name, value in finer.items() if value})
        else:
            job = Job.denoise(series, **options, recovery=recovery)
        if waitForCompletion:
            return self.present(job.run(**({"progress": progress} if progress else {})), asl)
        return self._start(job, asl, progress, finished)

    def present(self, result, asl):
        """Show a finished run of a series in the scene that the series lies in, or in the current one where it went."""
        import slicer

        from ASLDenoiseLib.scene.present import present

        scene = asl.GetScene() if asl is not None else None
        return present(result, scene=scene or slicer.mrmlScene, source=asl if scene else None)

    def inputs(self, asl, t1=None, *, m0=None, segmentation=None, tissue=None) -> tuple[Any, dict[str, Any]]:
        """The nodes as the library wants them: the series, and keyword arguments `t1`, `regions` and `tissue`."""
        from ASLDenoiseLib.scene.segments import regions_from_segmentation, tissue_from_segmentation
        from ASLDenoiseLib.scene.series import series_from_sequence
        from ASLDenoiseLib.scene.volumes import volume_from_node

        series = series_from_sequence(asl, m0=m0)
        regions = {} if segmentation is None else regions_from_segmentation(segmentation, series.geometry)
        known = None if tissue is None else tissue_from_segmentation(tissue, series.geometry)
        return series, {"t1": None if t1 is None else volume_from_node(t1), "regions": regions, "tissue": known}

    def jobOf(self, parameters):
        """The job that the choices in a parameter node describe.

        Raises:
            ASLDenoiseLib.errors.InputError: an input or a choice cannot be used.
        """
        from ASLDenoiseLib.pipeline.job import Job
        from ASLDenoiseLib.preparing.choices import Preparation

        p = parameters
        tissue = p.segmentation if p.tissueFromSegmentation else None
        series, inputs = self.inputs(p.asl, p.t1, m0=p.m0, segmentation=p.segmentation, tissue=tissue)
        if tissue is not None:  # they are read out as tissue already
            inputs["regions"] = {n: r for n, r in inputs["regions"].items() if n.lower() not in _TISSUE_SEGMENTS}
        series = replace(series, name=_name(p.outputName)) if p.outputName.strip() else series
        regressed = (("motion", p.regressMotion), ("csf", p.regressCsf), ("global", p.regressGlobal))
        preparation = Preparation(
            pairs=p.pairs.strip() or None,
            motion=p.motion,
            nuisance=tuple(name for name, wanted in regressed if wanted),
            outliers=p.outliers.value,
            smoothing=p.smoothing,
            m0_smoothing=p.m0Smoothing,
        )
        options = {**inputs, "preparation": preparation, "device": p.device.value}
        if p.way is Way.DENOISE:
            options |= {"group": p.group or None, "interleaved": p.interleaved, "recovery": p.recovery}
            return Job.denoise(series, **options, **_given(model=p.model))
        spacing = (p.spacingX, p.spacingY, p.spacingZ) if p.grid is Grid.SPACING else None
        return Job.superresolve(series, **options, **_given(method=p.method, spacing=spacing, model=_modelBefore(p)))

    def _start(self, job, asl, progress, finished):
        from .running import Driver

        def done(result):
            nodes = self.present(result, asl)
            if finished is not None:
                finished(nodes)

        def told(event):
            if progress is not None:
                progress(event.fraction, event.text)

        def ended(event):
            if finished is not None:
                finished(event)

        driver = Driver()
        driver.start(job, progress=told, done=done, failed=ended, cancelled=ended)
        return driver


def _given(**choices) -> dict[str, Any]:
    return {name: value for name, value in choices.items() if value}


def _modelBefore(parameters) -> str:
    from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL

    return (parameters.model or DEFAULT_MODEL) if parameters.denoiseFirst else ""


def _name(text: str) -> str:
    from ASLDenoiseLib.errors import InputError

    name = text.strip()
    if any(letter in name for letter in _NOT_IN_NAMES):
        raise InputError(f"The name '{name}' cannot begin a file name; leave out / \\ : * ? \" < > |.")
    return name
