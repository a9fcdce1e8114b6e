"""The shell: ``python -m ASLDenoiseLib COMMAND``. One thin function a command; `pipeline` does the work.

Progress goes to stderr, results to --out, tables to stdout. Input that cannot be used gives one sentence on stderr and
exit status 2, with nothing written.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__
from .console_text import as_typed, is_reader_gone, settle_streams
from .devices import settle_process
from .errors import InputError
from .files import trouble
from .shell import adapting, bold, cohort, learning, options, processing


def make_parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    own = Path(sys.argv[0]).stem == "asldenoise"
    parser = argparse.ArgumentParser(
        prog="asldenoise" if own else "python -m ASLDenoiseLib",
        description="Denoise, super-resolve and quantify arterial spin labelling MRI. For research use only.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    sub = command(
        "inspect",
        processing.run_inspect,
        "Say what is wrong or doubtful in a series: exit 0 fine, 1 warnings, 2 unusable.",
    )
    options.add_series(sub)
    text = "T1-weighted image or the folder it lies in, checked for being an image and no mask"
    sub.add_argument("--t1", type=Path, help=text)

    for name, text, groups in (
        ("denoise", "Denoise and quantify a series; raw and processed side by side.", ("denoising", "device")),
        (
            "superres",
            "A finer CBF map of a series or of one CBF map, guided by the T1: an estimate, beside what was acquired.",
            ("target", "denoising", "device"),
        ),
        ("quantify", "CBF of the plain mean of a series, with readouts.", ()),
    ):
        sub = command(name, processing.run_processing, text)
        for group in ("series", "run", "preparation", "delays", "arrival", "tissue", *groups, "progress"):
            getattr(options, f"add_{group}")(sub)

    sub = command(
        "run", processing.run_request, "Do again what a *_request.json says, which stands beside each result."
    )
    sub.add_argument("request", metavar="REQUEST", type=Path, help="*_request.json, of the shell or the panel")
    sub.add_argument("--out", type=Path, metavar="DIR", help="folder for the results (default: as the request says)")
    options.add_progress(sub)

    sub = command(
        "cohort",
        cohort.run_cohort,
        "Run every scan of a BIDS data set, side by side, and bring them together (a BIDS app).",
    )
    cohort.add_cohort(sub)

    sub = command("measure", processing.run_measure, "Readouts of a CBF map.")
    sub.add_argument("cbf", metavar="CBF", type=Path, help="CBF map in ml/100g/min")
    options.add_tissue(sub)
    options.add_regions(sub)
    sub.add_argument("--reference", type=Path, metavar="CBF", help="map to compare with: PSNR, SSIM, RMSE, CCC")

    sub = command(
        "adapt",
        adapting.run_adapt,
        "Adapt a model to scans of your own site, without truth; it is kept only if it earns its place.",
    )
    adapting.add_adapt(sub)

    sub = command("bold", bold.run_bold, "EXPERIMENTAL: CBF predicted from BOLD, not measured, beside its control.")
    bold.add_bold(sub)
    options.add_device(sub)
    options.add_progress(sub)

    command("models", processing.run_models, "The catalogue, a line a model.")

    sub = command("demo", run_demo, "Denoise the sample series that comes with ASLDenoise.")
    sub.add_argument("--out", type=Path, default=Path("out/demo"), metavar="DIR")
    options.add_device(sub)
    options.add_progress(sub)

    sub = command("simulate", learning.run_simulate, "Scan a phantom: a BIDS series with its true CBF.")
    learning.add_simulate(sub)

    sub = command(
        "anatomies",
        learning.run_pack,
        "Label maps as one file that numpy alone reads, to train from on a bare machine.",
    )
    learning.add_pack(sub)

    sub = command("train", learning.run_train, "Train a model from a recipe and bundle it; resumes where it stopped.")
    learning.add_train(sub)
    options.add_device(sub)
    options.add_progress(sub)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    settle_streams()
    own, arguments = arguments is None, list(sys.argv[1:] if arguments is None else arguments)
    args = make_parser().parse_args(arguments)
    if own:  # the process is this command's, and not somebody's who calls this function
        settle_process(getattr(args, "device", None) or "auto")
    args.command_line = as_typed(["python", "-m", "ASLDenoiseLib", *arguments])
    try:
        status = args.run(args)
        _flush()
        return status
    except InputError as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except OSError as error:
        if is_reader_gone(error):
            _mute()
            return 141  # as a shell says of a command that SIGPIPE ended
        sentence = trouble(error)
        if not sentence:
            raise
        _mute()
        print(sentence, file=sys.stderr)
        return 2
    except MemoryError:
        print("The computer's memory ran out; close other programs, or ask for less, and run again.", file=sys.stderr)
        return 2
    except KeyboardInterrupt as stopped:
        print(str(stopped) or "Stopped; nothing was written.", file=sys.stderr)
        return 130


def _flush() -> None:
    """Have the output written now, while an error can still be told."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _mute() -> None:
    """Send what is left of the output nowhere, so that Python does not fail over it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def run_demo(args: argparse.Namespace) -> int:
    """Denoise the sample series."""
    from .resources import sample_data

    sample = sample_data()
    script = ["denoise", str(sample.asl), "--t1", str(sample.t1), "--out", str(args.out)]
    script += ["--device", args.device, "--progress", args.progress]
    print(f"The sample series is simulated: {sample.asl.name}, 10 pairs. This runs:\n")
    print("  " + as_typed(["python", "-m", "ASLDenoiseLib", *script]) + "\n")
    status = main(script)
    if status == 0:
        print("\nYour own series goes the same way:\n")
        print("  python -m ASLDenoiseLib inspect SERIES_asl.nii.gz")
        print("  python -m ASLDenoiseLib denoise SERIES_asl.nii.gz --t1 T1w.nii.gz --out DIR")
    return status


if __name__ == "__main__":
    sys.exit(main())
