"""The logic: nodes in, nodes out. For the panel, the Python console, scripts and tests."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from .arrival_inputs import arrivalOf
from .choices import requestFrom
from .documents import ReportKeeper
from .parameters import Alignment, ASLDenoiseParameterNode
from .region_inputs import atlasOf, regionsOf

_TISSUE_SEGMENTS = ("gm", "wm", "csf")
_TISSUE_SPACING = 1.5  # mm, at least, of tissue on the T1's grid, which is averaged over far larger voxels


_watching: list[Callable[[Any, Any], None]] = []


def watch(told: Callable[[Any, Any], None]) -> None:
    """Have every run told that is shown from now on, whoever started it: its nodes, and the node of its series."""
    _watching.append(told)


def unwatch(told: Callable[[Any, Any], None]) -> None:
    """Have it told no longer."""
    _watching[:] = [each for each in _watching if each != told]


class ASLDenoiseLogic(ScriptedLoadableModuleLogic):
    """Runs the library on nodes."""

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
        atlas=None,
        tissue=None,
        arrival=None,
        arrivalReference=None,
        alignment: Alignment = Alignment.FIND,
        superresolve: bool = False,
        method: str | None = None,
        spacing: tuple[float, float, float] | None = None,
        like=None,
        pointSpread: tuple[float, float, float] | None = None,
        model: str | None = None,
        group: int | None = None,
        interleaved: bool = False,
        audit: bool = True,
        pairsNeeded: bool = False,
        splitHalf: bool = False,
        adapt: bool = False,
        preparation: Any = None,
        fit: Any = None,
        mni: bool = False,
        folder: str = "",
        name: str = "",
        device: str = "auto",
        progress: Callable[[float, str], None] | None = None,
        waitForCompletion: bool = True,
        finished: Callable[[Any], None] | None = None,
    ):
        """Denoise (or super-resolve), quantify, measure and show.

        Args:
            asl: sequence, sequence browser, browsed volume or multi-volume node of the series.
            t1: scalar volume node of the same head, or None.
            m0: scalar volume node on the grid of the series; None takes the one that came with the series.
            segmentation: segmentation node with regions, or None; those that follow the T1 (`scene.following`) go to
                the series with it.
            atlas: label map node whose labels are regions, or None.
            tissue: segmentation node with segments GM and WM (and CSF), in place of tissue from the T1, or None.
            arrival, arrivalReference: scalar volume nodes of arrival times (s) of another scan of the head, and of an
                image of that scan by which they are registered, or None (`arrival_inputs.arrivalOf`).
            alignment: how the T1 comes to lie on the series.
            superresolve: estimate a finer map in place of a denoised one.
            method, spacing, like, pointSpread: as `ASLDenoiseLib.pipeline.request.SuperResolution`; `like` is a scalar
                volume node.
            model, group, interleaved, audit, pairsNeeded, splitHalf, adapt: as
                `ASLDenoiseLib.pipeline.request.Denoising`; no `model` is the default one, or with `superresolve` none.
            preparation: an ASLDenoiseLib.Preparation: pairs, motion, nuisances, outliers, smoothing; None the defaults.
            fit: an ASLDenoiseLib.DelayFit: how a series of several delays is fitted; None the default.
            mni: CBF in MNI space as well.
            folder: where results are written; empty: they stay in the scene.
            name: what the names of nodes and files begin with; empty: the series'.
            device: auto, cpu, cuda or mps.
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
        from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL
        from ASLDenoiseLib.pipeline.request import DelayFit, Denoising, Outputs, Request, SuperResolution
        from ASLDenoiseLib.pipeline.run import run
        from ASLDenoiseLib.preparing.choices import Preparation
        from ASLDenoiseLib.superresolving import DEFAULT_METHOD

        denoising = finer = None
        if model or not superresolve:
            denoising = Denoising(model or DEFAULT_MODEL, group, interleaved, audit, pairsNeeded, splitHalf, adapt)
        if superresolve:
            finer = SuperResolution(method or DEFAULT_METHOD, spacing, _geometry(like), pointSpread)
        images = {"m0": m0, "segmentation": segmentation, "tissue": tissue, "alignment": alignment}
        series, head, regions = self.inputs(asl, t1, **images)
        atlases = () if atlas is None else (atlasOf(atlas, t1),)
        outputs = Outputs(regions, mni, Path(folder) if folder else None, name, atlases=atlases)
        choices = preparation or Preparation(), denoising, finer, outputs, device, fit or DelayFit()
        request = Request(series, head, *choices, arrivalOf(arrival, arrivalReference, series, t1))
        if waitForCompletion:
            nodes = self.present(run(request, **({"progress": progress} if progress else {})), asl)
            _keepReport(nodes)
            return nodes
        return self._start(request, asl, progress, finished)

    def present(self, result, asl):
        """Show a finished run of a series in the scene that the series lies in, or in the current one where it went."""
        import slicer

        from ASLDenoiseLib.scene.present import present

        scene = asl.GetScene() if asl is not None else None
        nodes = present(result, scene=scene or slicer.mrmlScene, source=asl if scene else None)
        for told in tuple(_watching):
            told(nodes, asl)
        return nodes

    def inputs(
        self, asl, t1=None, *, m0=None, segmentation=None, tissue=None, alignment: Alignment = Alignment.FIND
    ) -> tuple[Any, Any, tuple]:
        """The series, `Head` and `Region`s in the nodes."""
        import numpy as np

        from ASLDenoiseLib.pipeline.request import Head
        from ASLDenoiseLib.scene.following import followed, to_t1_space
        from ASLDenoiseLib.scene.segments import tissue_from_segmentation
        from ASLDenoiseLib.scene.series import series_from_sequence
        from ASLDenoiseLib.scene.volumes import volume_from_node
        from ASLDenoiseLib.spatial.resampling import with_spacing

        series = series_from_sequence(asl, m0=m0)
        left_out = _TISSUE_SEGMENTS if tissue is not None and tissue is segmentation else ()  # read out as tissue
        regions = () if segmentation is None else regionsOf(segmentation, t1, left_out)
        image = None if t1 is None else volume_from_node(t1)
        known, space = None, "asl"
        if tissue is not None:
            space = "t1" if image is not None and followed(tissue, t1) == "t1" else "asl"
            if space == "t1":
                fine = with_spacing(image.geometry, tuple(max(s, _TISSUE_SPACING) for s in image.geometry.spacing))
                known = tissue_from_segmentation(tissue, fine, transform=to_t1_space(tissue))
            else:
                known = tissue_from_segmentation(tissue, series.geometry)
        place = {Alignment.START: "t1_start", Alignment.KEEP: "t1_to_asl"}.get(alignment)
        kept = {place: np.eye(4)} if place is not None and t1 is not None else {}
        return series, Head(image, tissue=known, tissue_space=space, **kept), regions

    def requestOf(self, parameters):
        """The request that the choices in a parameter node make.

        Raises:
            ASLDenoiseLib.errors.InputError: an input or a choice cannot be used.
        """
        from ASLDenoiseLib.pipeline.request import Outputs

        p = parameters
        tissue = p.segmentation if p.tissueFromSegmentation else None
        images = {"m0": p.m0, "segmentation": p.segmentation, "tissue": tissue, "alignment": p.alignment}
        series, head, regions = self.inputs(p.asl, p.t1, **images)
        # written after it is shown, so that a full disk costs nothing but the files
        atlases = () if p.atlas is None else (atlasOf(p.atlas, p.t1),)
        outputs = Outputs(regions, p.mni, name=p.outputName.strip(), atlases=atlases)
        arrival = arrivalOf(p.arrival, p.arrivalReference, series, p.t1)
        return requestFrom(p, series, head, outputs, _geometry(p.like), arrival)

    def _start(self, request, asl, progress, finished):
        from ASLDenoiseLib.pipeline.run import RequestTask

        from .running import Driver

        def done(result):
            nodes = self.present(result, asl)
            self._reports = ReportKeeper(logging.warning, lambda folder: None)
            self._reports.make(result, nodes.folder)
            if finished is not None:
                finished(nodes)

        def report(event):
            if progress is not None:
                progress(event.fraction, event.text)

        def ended(event):
            if finished is not None:
                finished(event)

        driver = Driver()
        driver.start(RequestTask(request), progress=report, done=done, failed=ended, cancelled=ended)
        return driver


def _keepReport(nodes):
    """Put the report into the scene; without what draws its pictures the scene has none."""
    from ASLDenoiseLib.scene.documents import keep_report

    if find_spec("matplotlib") is not None:
        from ASLDenoiseLib.reporting.html import report_html

        scene, name = nodes.readouts.GetScene(), nodes.result.series.name
        keep_report(scene, nodes.folder, report_html(nodes.result), name=name)


def _geometry(node):
    from ASLDenoiseLib.scene.volumes import volume_from_node

    return None if node is None else volume_from_node(node).geometry
