"""`python -m ASLDenoiseLib.learning.tissue`: train the tissue network; a file of heads needs torch and numpy alone."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from ...errors import InputError
from .bundle import TissueRecord, write_tissue_bundle
from .drawing import SIZE, Drawing
from .heads import load_heads, write_heads
from .training import TissueTraining, train_tissue


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, or pack label maps alone; the exit status."""
    given = make_parser().parse_args(arguments)
    try:
        _run(given)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _run(given: argparse.Namespace) -> None:
    out = Path(given.out)
    out.mkdir(parents=True, exist_ok=True)
    labels, packed = Path(given.labels), out / "heads.npz"
    heads = load_heads(labels)
    if labels.suffix != ".npz":
        print(f"{len(heads)} heads in {write_heads(heads, packed)}")
    if given.pack:
        return
    if given.device.startswith("cuda"):
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    drawing = Drawing(size=tuple(given.size))
    settings = TissueTraining(minutes=given.minutes, steps=given.steps, batch=given.batch, drawing=drawing)
    start = Path(given.start) if given.start else None
    session = math.inf if given.session is None else given.session
    options = {"device": given.device, "start": start, "session": session}
    trained = train_tissue(heads, settings, out / "tissue.pt", **options)
    print(write_tissue_bundle(trained.weights, TissueRecord.of(trained, settings), out / "bundle"))


def make_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(prog="python -m ASLDenoiseLib.learning.tissue", description=__doc__)
    parser.add_argument("--labels", required=True, help="folder of *_labels.nii.gz, or the heads.npz made of it")
    parser.add_argument("--out", required=True, help="folder for heads.npz, the checkpoint tissue.pt and bundle/")
    parser.add_argument("--pack", action="store_true", help="write heads.npz alone")
    parser.add_argument("--minutes", type=float, default=9.0, help="of training, over all sessions (9)")
    parser.add_argument("--session", type=float, help="stop after so many minutes of this session; run again to go on")
    parser.add_argument("--steps", type=int, help="stop after so many steps in all")
    parser.add_argument("--batch", type=int, default=4, help="heads a step (4)")
    parser.add_argument("--size", type=int, nargs=3, default=SIZE, metavar=("K", "J", "I"), help="cells of 2 mm")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps (cpu)")
    parser.add_argument("--start", metavar="FILE", help="a tissue.pt of elsewhere to go on from, where --out has none")
    return parser


if __name__ == "__main__":
    sys.exit(main())
