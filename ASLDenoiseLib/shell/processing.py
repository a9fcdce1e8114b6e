"""The commands that look at, denoise, quantify and measure a series."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from .options import image_of, preparation_of, regions_of, series_of, series_or_map_of, tissue_of, transforms_of

if TYPE_CHECKING:
    from ..result import Result
    from ..series import ASLSeries


def run_inspect(args: argparse.Namespace) -> int:
    """Print the series, its parameters with their origins, and the findings."""
    from ..inspecting.inspection import inspect
    from ..series import Severity

    series = series_of(args)
    image_of(args.t1)
    print(series)
    for parameter in (*series.acquisition.parameters(), *series.fixes):
        print(f"  {parameter}")
    findings = inspect(series)
    for finding in findings:
        print(finding)
    if not findings:
        print("Nothing wrong was found.")
    worst = {finding.severity for finding in findings}
    return 2 if Severity.UNUSABLE in worst else 1 if Severity.WARNING in worst else 0


def run_denoise(args: argparse.Namespace) -> int:
    """Denoise, write everything to --out, print the readouts."""
    from .. import pipeline
    from ..denoising.catalogue import DEFAULT_MODEL

    def work(series: ASLSeries, **common: object) -> Result:
        return pipeline.denoise(
            series,
            model=args.model or DEFAULT_MODEL,
            device=args.device,
            group=args.pre_average,
            interleaved=args.interleaved,
            recovery=not args.no_recovery,
            **common,
        )

    return _process(args, work)


def run_quantify(args: argparse.Namespace) -> int:
    """Quantify the plain mean, write everything to --out, print the readouts."""
    from .. import pipeline

    return _process(args, pipeline.quantify)


def run_superres(args: argparse.Namespace) -> int:
    """Super-resolve the mean or the denoised map of a series, or a CBF map; write everything to --out."""
    from .. import pipeline
    from ..denoising.catalogue import DEFAULT_MODEL
    from ..reading.images import read_image
    from ..superresolving import PointSpread

    like = None if args.like is None else read_image(args.like).geometry
    spread = None if args.point_spread is None else PointSpread(tuple(args.point_spread))

    def work(series: ASLSeries, **common: object) -> Result:
        return pipeline.superresolve(
            series,
            method=args.method,
            spacing=None if args.spacing is None else tuple(args.spacing),
            like=like,
            point_spread=spread,
            model=(args.model or DEFAULT_MODEL) if args.denoise or args.model else None,
            device=args.device,
            **common,
        )

    return _process(args, work, maps=True)


def _process(args: argparse.Namespace, work: object, *, maps: bool = False) -> int:
    from ..progress import make_progress
    from ..reporting.derivatives import check_destination

    check_destination(args.out)
    preparation, transforms = preparation_of(args), transforms_of(args)
    if args.mni and args.t1 is None:
        raise InputError("MNI space needs a T1 to find the way there; give one with --t1.")
    series = series_or_map_of(args) if maps else series_of(args)
    t1, tissue = image_of(args.t1), tissue_of(args, series.geometry)
    regions = regions_of(args, series.geometry)
    progress = make_progress(args.progress)
    result = work(
        series, t1=t1, tissue=tissue, preparation=preparation, regions=regions, progress=progress, **transforms
    )
    if args.mni:
        from ..pipeline.template_space import in_template_space

        result = in_template_space(result)
    _write(result, args.out, args.command_line, scene=not args.no_scene)
    return 0


def _write(result: Result, out: Path, command: str, *, scene: bool) -> None:
    from ..reporting.derivatives import write_result
    from ..result.table import readouts_table

    attachments = {}
    if scene:
        from ..scene.attachments import scene_attachments

        attachments, trouble = scene_attachments(result)
        if trouble:
            print(trouble, file=sys.stderr)
    written = write_result(result, out, command=command, attachments=attachments)
    print(readouts_table(result))
    print(f"\nWritten to {out}: {len(written.all())} files; open {written.report.name} to see them together.")


def run_measure(args: argparse.Namespace) -> int:
    """Print the readouts of a CBF map, and how it compares with a reference."""
    from ..measuring.compare import compare_maps
    from ..pipeline import measure_map, tissue_of_map
    from ..reading.images import read_image
    from ..result.table import readouts_list
    from ..series import CBF_UNIT

    cbf = read_image(args.cbf, unit=CBF_UNIT)
    tissue = tissue_of_map(cbf, t1=image_of(args.t1), tissue=tissue_of(args, cbf.geometry))
    readouts = measure_map(cbf, tissue)
    if args.reference is not None:
        readouts += compare_maps(cbf, read_image(args.reference, unit=CBF_UNIT), tissue)
    print(readouts_list(readouts))
    if tissue.warning:
        print(f"warning: {tissue.warning}")
    return 0


def run_models(args: argparse.Namespace) -> int:
    """Print a line a model."""
    from ..denoising.catalogue import DEFAULT_MODEL, list_models

    for card in list_models():
        mark = " (default)" if card.name == DEFAULT_MODEL else ""
        print(f"{card.name}{mark}: {card.summary} [{card.facts}]")
    return 0
