"""The experimental command that predicts CBF from BOLD."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..errors import InputError


def add_bold(parser: argparse.ArgumentParser) -> None:
    """The run, what is known of the head, and what was measured beside it."""
    parser.add_argument("bold", type=Path, metavar="BOLD", help="4D NIfTI: the second echo, corrected for motion")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    text = "label and control in turn, averaged two by two; or plain volumes, each as it is (default: %(default)s)"
    parser.add_argument("--volumes", choices=("pairs", "plain"), default="pairs", help=text)
    parser.add_argument("--mask", type=Path, help="of the brain, on the grid of BOLD (default: found)")
    text = "the first echo with its sidecars and M0: measured CBF, to be held against the prediction"
    parser.add_argument("--asl", type=Path, metavar="SERIES", help=text)
    group = parser.add_argument_group("tissue for the figures (none: those of the brain alone)")
    group.add_argument("--t1", type=Path, help="T1-weighted image: segmented, and laid on BOLD")
    group.add_argument("--gm", type=Path, help="grey-matter mask or probability map, in the space of BOLD")
    group.add_argument("--wm", type=Path, help="white-matter mask or probability map, in the space of BOLD")


def run_bold(args: argparse.Namespace) -> int:
    """Predict, write everything to --out, print the figures."""
    from ..bold.figures import figures_of, single_cbf
    from ..bold.model import CONTROL, MODEL, BoldModel, load_bold_model
    from ..bold.predict import BoldPrediction, predict_cbf
    from ..bold.run import read_bold
    from ..bold.write import WARNING, write_prediction
    from ..compute import Compute, or_on_the_cpu
    from ..devices import resolve_device
    from ..pipeline.console import head_of_map
    from ..pipeline.reading_steps import series_of, t1_of, tissue_of
    from ..pipeline.request import Head, SeriesFile
    from ..progress import make_progress, remembering, span

    if (args.gm is None) != (args.wm is None):
        raise InputError("Tissue needs both --gm and --wm; give the other one as well.")
    progress, say = remembering(make_progress(args.progress))
    compute = Compute(resolve_device(args.device), say)
    if args.out.exists() and not args.out.is_dir():
        raise InputError(f"{args.out} is a file where a folder is to be; give another --out.")
    run = read_bold(args.bold, volumes=args.volumes, mask=args.mask)
    single = None if args.asl is None else single_cbf(series_of(SeriesFile(args.asl)), run)
    tissue = tissue_of(Head(gm=args.gm, wm=args.wm), run.geometry)
    if tissue is None and args.t1 is not None:
        progress(0.05, "segmenting the T1 and laying it on BOLD")
        tissue, _ = head_of_map(run.mean, t1=t1_of(args.t1))

    def predicted() -> tuple[BoldModel, BoldModel, BoldPrediction]:
        model, control = (load_bold_model(name, device=compute.device) for name in (MODEL, CONTROL))
        found = predict_cbf(run, model, control, compute=compute, progress=span(progress, 0.1, 0.95))
        return model, control, found

    model, control, prediction = or_on_the_cpu(predicted, compute, "predicting")
    figures = figures_of(prediction, run, tissue=tissue, single=single)
    source = "" if tissue is None else ". ".join(filter(None, (tissue.source, tissue.warning)))
    told = {"measured_from": str(args.asl or ""), "tissue_from": source, "command": args.command_line}
    told["computed"] = " ".join((f"Networks ran on {compute.device}.", *compute.sentences))
    written = write_prediction(prediction, run, (model, control), figures, args.out, single=single, **told)
    progress(1.0, "written")
    for sentence in compute.sentences:
        print(f"warning: {sentence}", file=sys.stderr, flush=True)
    print(f"{WARNING}.")
    for each in figures:
        print(f"  {each.name}: {each.value:.3g} {each.unit}".rstrip())
    print(f"\nWritten to {args.out}: {len(written)} files; open {written[-1].name} to see them together.")
    return 0
