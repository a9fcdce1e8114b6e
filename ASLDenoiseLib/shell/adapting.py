"""The command that adapts a model to scans of one site."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..denoising.catalogue import DEFAULT_MODEL
from .options import add_device, add_progress


def add_adapt(parser: argparse.ArgumentParser) -> None:
    """The scans, the name of the model, and how long to learn."""
    text = "a series (its T1 is found as BIDS has it), a *_request.json beside a result, or a folder of either"
    parser.add_argument("scans", metavar="SCAN", type=Path, nargs="+", help=f"{text}; the last scan judges")
    parser.add_argument("--name", required=True, help="what the new model is called")
    text = "the model to start from (default: %(default)s)"
    parser.add_argument("--from", dest="start", metavar="MODEL", default=DEFAULT_MODEL, help=text)
    text = "of learning and judging (default: %(default)g); preparing takes about a minute a scan besides"
    parser.add_argument("--max-minutes", type=float, default=20.0, metavar="MINUTES", help=text)
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn (default: %(default)s)")
    add_device(parser)
    add_progress(parser)


def run_adapt(args: argparse.Namespace) -> int:
    """Adapt a model; 0: it earned its place and was written, 1: it did not, and nothing was."""
    from ..progress import make_progress
    from ..sites.adapt import AdaptRequest, run_adaptation

    def warn(sentence: str) -> None:
        print(f"warning: {sentence}", file=sys.stderr, flush=True)

    asked = AdaptRequest(tuple(args.scans), args.name, args.start, args.max_minutes, args.device, args.seed)
    done = run_adaptation(asked, make_progress(args.progress), tell=warn)
    print(done)
    if done.earned:
        print(f"\nUse it by its name:\n\n  python -m ASLDenoiseLib denoise SERIES --model {done.name} --out DIR")
    return 0 if done.earned else 1
