"""The commands that inspect, denoise, quantify and measure a series."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from .options import head_of, regions_of, request_of, series_file

if TYPE_CHECKING:
    from ..pipeline.request import Request


def run_inspect(args: argparse.Namespace) -> int:
    """Print the series, its parameters with their origins, and the findings."""
    from ..findings import Severity
    from ..inspecting.inspection import inspect
    from ..inspecting.study_checks import study_findings
    from ..pipeline.reading_steps import series_of, t1_of

    given = series_file(args)
    series = series_of(given)
    t1_of(args.t1, series=series, number=given.series)
    print(series)
    for parameter in (*series.acquisition.parameters(), *series.fixes):
        print(f"  {parameter}")
    findings = [*inspect(series), *(study_findings(given.path, series=given.series) if args.t1 is None else ())]
    for finding in findings:
        print(finding)
    if not findings:
        print("Nothing wrong was found.")
    worst = {finding.severity for finding in findings}
    return 2 if Severity.UNUSABLE in worst else 1 if Severity.WARNING in worst else 0


def run_processing(args: argparse.Namespace) -> int:
    """Denoise, quantify or super-resolve; write everything to --out, print the readouts."""
    return _run(request_of(args), args)


def run_request(args: argparse.Namespace) -> int:
    """Run a request again."""
    from ..pipeline.request_json import read_request

    request = read_request(args.request)
    folder = args.out or request.outputs.folder or args.request.absolute().parent
    outputs = replace(request.outputs, folder=folder, command=args.command_line)
    return _run(replace(request, outputs=outputs), args)


def _run(request: Request, args: argparse.Namespace) -> int:
    from ..pipeline.run import completed
    from ..progress import make_progress
    from ..result.table import readouts_table

    done = completed(request, make_progress(args.progress), beside=True)
    for note in done.notes:
        print(note, file=sys.stderr)
    print(readouts_table(done.result))
    count, folder = len(done.written.files), request.outputs.folder
    print(f"\nWritten to {folder}: {count} files; open {done.written.report.name} to see them together.")
    return 0


def run_measure(args: argparse.Namespace) -> int:
    """Print the readouts of a CBF map, and how it compares with a reference."""
    from ..measuring.compare import compare_maps
    from ..pipeline.console import head_of_map, measure_map
    from ..pipeline.reading_steps import t1_of, tissue_of
    from ..preparing.tissue import tissue_on
    from ..reading.images import read_image, require_contrast
    from ..result.table import readouts_list
    from ..series import CBF_UNIT

    cbf, head = read_image(args.cbf, unit=CBF_UNIT), head_of(args)
    require_contrast(cbf.array, f"The map {args.cbf}")
    regions, atlases = regions_of(args)
    given = tissue_of(head, cbf.geometry) if head.tissue_space == "asl" else None
    tissue, t1_to_map = head_of_map(cbf, t1=t1_of(head.t1), tissue=given)
    if head.tissue_space == "t1" and head.tissue_given:
        tissue = tissue_on(cbf.geometry, tissue_of(head), transform=t1_to_map)
    named = {region.name: region for region in regions}
    readouts = measure_map(cbf, tissue, regions=named, atlas=next(iter(atlases), None), t1_to_map=t1_to_map)
    if args.reference is not None:
        readouts += compare_maps(cbf, read_image(args.reference, unit=CBF_UNIT), tissue)
    print(readouts_list(readouts))
    if tissue.warning:
        print(f"warning: {tissue.warning}")
    return 0


def run_models(args: argparse.Namespace) -> int:
    """Print a line a model; of the user's own what they were adapted from, where they lie; what is not installed."""
    from ..denoising.apart import how_to_get
    from ..denoising.catalogue import (
        DEFAULT_MODEL,
        list_models,
        models_not_installed,
        unusable_models,
        user_models_folder,
    )

    for card in list_models():
        mark = " (default)" if card.name == DEFAULT_MODEL else ""
        if card.own:
            mark = f" (your own, adapted from {card.adapted_from})" if card.adapted_from else " (your own)"
        print(f"{card.name}{mark}: {card.summary} [{card.facts}]")
    if away := models_not_installed():
        names = ", ".join(card.name for card in away)
        print(f"Not installed, to compare with: {names}; to have them, {how_to_get(user_models_folder())}.")
    print(f"Your own models lie in {user_models_folder()}.")
    for sentence in unusable_models():
        print(f"warning: {sentence}", file=sys.stderr)
    return 0
