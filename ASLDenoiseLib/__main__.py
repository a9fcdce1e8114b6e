"""The shell: ``python -m ASLDenoiseLib COMMAND``. One thin function a command; the work is in `pipeline`.

Progress goes to stderr, results to --out, tables to stdout. Input that cannot be used gives one sentence on stderr and
exit status 2, with nothing written.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .errors import InputError

if TYPE_CHECKING:
    from .result import Result
    from .series import ASLSeries, Geometry, Tissue, Volume

# shell option -> Acquisition field, type, help
_ACQUISITION = {
    "--labeling": ("labeling", str, "PCASL, CASL or PASL"),
    "--pld": ("post_labeling_delay", float, "post-labelling delay (PASL: inversion time), s"),
    "--label-duration": ("label_duration", float, "label duration, s"),
    "--bolus-duration": ("bolus_duration", float, "PASL bolus duration (TI1), s"),
    "--field-strength": ("field_strength", float, "field strength, T"),
    "--suppression-pulses": ("suppression_pulses", int, "number of background suppression pulses"),
    "--efficiency": ("labeling_efficiency", float, "labelling efficiency, suppression included"),
    "--t1-blood": ("t1_blood", float, "T1 of blood, s"),
    "--m0-tr": ("m0_repetition_time", float, "repetition time of the M0, s"),
    "--m0-scale": ("m0_scale", float, "factor the M0 is multiplied by"),
}


def _add_series(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("series", metavar="SERIES", help="NIfTI with BIDS sidecars, or a folder of DICOM")
    group = parser.add_argument_group("acquisition, where the sidecar is silent or wrong")
    for option, (field, kind, text) in _ACQUISITION.items():
        group.add_argument(option, dest=field, type=kind, help=text)
    group.add_argument("--m0", help="M0 image, or one number for it")
    group.add_argument("--context", help="an aslcontext.tsv, or a pattern such as m0scan,label,control")
    group.add_argument("--swap", action="store_true", help="control and label are the wrong way round")


def _add_tissue(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("tissue for the readouts (the first given is used)")
    group.add_argument("--gm", type=Path, help="grey-matter mask or probability map")
    group.add_argument("--wm", type=Path, help="white-matter mask or probability map")
    group.add_argument("--labels", type=Path, help="FreeSurfer, SynthSeg or 1/2/3 (CSF/GM/WM) label map")
    group.add_argument("--t1", type=Path, help="T1-weighted image: segmented, and shown below the CBF map")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument("--pairs", metavar="1-10|10", help="which control/label pairs to use (default: all)")
    parser.add_argument(
        "--roi", action="append", default=[], metavar="NAME=MASK", help="a region to read out; may be repeated"
    )
    parser.add_argument("--no-scene", action="store_true", help="write no Slicer scene and no overlay picture")


def _add_progress(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--progress", choices=("auto", "json", "bar", "none"), default="auto", help="on stderr")


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))


def make_parser() -> argparse.ArgumentParser:
    """Every command with its options."""
    parser = argparse.ArgumentParser(
        prog="python -m ASLDenoiseLib",
        description="Denoise and quantify arterial spin labelling MRI. For research use only.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        return sub

    sub = command(
        "inspect", run_inspect, "Say what is wrong or doubtful in a series: exit 0 fine, 1 warnings, 2 unusable."
    )
    _add_series(sub)
    sub.add_argument("--t1", type=Path, help="T1-weighted image, checked for being readable")

    sub = command("denoise", run_denoise, "Denoise and quantify a series; raw and processed side by side.")
    _add_series(sub)
    _add_run(sub)
    _add_tissue(sub)
    sub.add_argument("--model", help="a name that the command 'models' lists")
    sub.add_argument("--pre-average", type=int, metavar="N", help="pairs averaged before the network (default: all)")
    sub.add_argument("--interleaved", action="store_true", help="pre-average every n-th pair, not neighbours")
    sub.add_argument("--no-recovery", action="store_true", help="leave out putting back what tissue lost")
    _add_device(sub)
    _add_progress(sub)

    sub = command("quantify", run_quantify, "CBF of the plain mean of a series, with readouts.")
    _add_series(sub)
    _add_run(sub)
    _add_tissue(sub)
    _add_progress(sub)

    sub = command("measure", run_measure, "Readouts of a CBF map.")
    sub.add_argument("cbf", metavar="CBF", type=Path, help="CBF map in ml/100g/min")
    _add_tissue(sub)
    sub.add_argument("--reference", type=Path, metavar="CBF", help="map to compare with: PSNR, SSIM, RMSE, CCC")

    command("models", run_models, "The catalogue, a line a model.")

    sub = command("demo", run_demo, "Denoise the sample series that comes with ASLDenoise.")
    sub.add_argument("--out", type=Path, default=Path("out/demo"), metavar="DIR")
    _add_device(sub)
    _add_progress(sub)

    sub = command("simulate", run_simulate, "Scan a phantom: a BIDS series with its true CBF.")
    sub.add_argument("labels", type=Path, metavar="LABELMAP", help="FreeSurfer-numbered head at 1 mm")
    sub.add_argument("--out", type=Path, required=True, metavar="DIR")
    sub.add_argument("--pairs", type=int, default=10)
    sub.add_argument("--gm-snr", type=float, default=1.0, help="grey-matter signal over noise of one pair")
    sub.add_argument("--size", type=int, nargs=3, default=(64, 64, 24), metavar=("I", "J", "K"))
    sub.add_argument("--spacing", type=float, nargs=3, default=(3.4, 3.4, 5.0), metavar=("X", "Y", "Z"), help="mm")
    sub.add_argument("--seed", type=int, default=0)

    sub = command("train", run_train, "Train a model from a recipe and bundle it; resumes where it stopped.")
    sub.add_argument("recipe", help="a recipe file, or the name of one that comes with ASLDenoise")
    sub.add_argument("--anatomy", type=Path, required=True, metavar="DIR", help="folder of *_labels.nii.gz")
    sub.add_argument("--work", type=Path, required=True, metavar="DIR", help="checkpoint, slices and curves")
    sub.add_argument("--bundle", type=Path, metavar="DIR", help="where to write the finished model bundle")
    sub.add_argument("--max-minutes", type=float)
    _add_device(sub)
    _add_progress(sub)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    args = make_parser().parse_args(arguments)
    args.command_line = shlex.join(["python", "-m", "ASLDenoiseLib", *arguments])
    try:
        return args.run(args)
    except InputError as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; nothing was written.", file=sys.stderr)
        return 130


def _read(args: argparse.Namespace) -> ASLSeries:
    from .reading.read import read_series, swapped

    values = {field: getattr(args, field) for field, _, _ in _ACQUISITION.values() if getattr(args, field) is not None}
    m0 = args.m0
    try:
        m0 = None if m0 is None else float(m0)
    except ValueError:
        m0 = Path(m0)
    series = read_series(args.series, m0=m0, context=args.context, values=values)
    return swapped(series) if args.swap else series


def _given_tissue(args: argparse.Namespace, onto: Geometry) -> Tissue | None:
    from .preparing.tissue import tissue_from_labels, tissue_from_masks
    from .reading.images import read_image

    if (args.gm is None) != (args.wm is None):
        raise InputError("--gm and --wm belong together; give both, or neither.")
    if args.gm is not None:
        return tissue_from_masks(read_image(args.gm), read_image(args.wm), onto)
    return None if args.labels is None else tissue_from_labels(read_image(args.labels), onto)


def _regions(args: argparse.Namespace, onto: Geometry) -> dict[str, Volume]:
    from .preparing.regions import regions_on
    from .reading.images import read_image

    masks = {}
    for item in args.roi:
        name, separator, path = item.partition("=")
        if not separator or not name:
            raise InputError(
                f"--roi '{item}' is not understood; write NAME=MASK, for example thalamus=thalamus.nii.gz."
            )
        masks[name] = read_image(Path(path))
    return regions_on(onto, masks)


def _image(path: Path | None) -> Volume | None:
    from .reading.images import read_image

    return None if path is None else read_image(path)


def run_inspect(args: argparse.Namespace) -> int:
    """Print the series, its parameters with their origins, and the findings."""
    from .reading.inspecting import inspect
    from .series import Severity

    series = _read(args)
    _image(args.t1)
    counts = {kind.value: len(series.indices(kind)) for kind in dict.fromkeys(series.context)}
    i, j, k = series.geometry.size
    spacing = " x ".join(f"{s:.3g}" for s in series.geometry.spacing)
    print(f"{series.name}: {i} x {j} x {k} voxels of {spacing} mm, " + ", ".join(f"{n} {w}" for w, n in counts.items()))
    for parameter in series.acquisition.parameters():
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
    from . import pipeline
    from .denoising.catalogue import DEFAULT_MODEL

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

    return _run(args, work)


def run_quantify(args: argparse.Namespace) -> int:
    """Quantify the plain mean, write everything to --out, print the readouts."""
    from . import pipeline

    return _run(args, pipeline.quantify)


def _run(args: argparse.Namespace, work: object) -> int:
    from .reporting.derivatives import check_destination
    from .running.progress import make_progress

    check_destination(args.out)
    series = _read(args)
    t1, tissue = _image(args.t1), _given_tissue(args, series.geometry)
    regions = _regions(args, series.geometry)
    progress = make_progress(args.progress)
    result = work(series, t1=t1, pairs=args.pairs, tissue=tissue, regions=regions, progress=progress)
    _write(result, args.out, args.command_line, scene=not args.no_scene)
    return 0


def _write(result: Result, out: Path, command: str, *, scene: bool) -> None:
    from .reporting.derivatives import write_result
    from .reporting.table import readouts_table

    attachments = {}
    if scene:
        from .scene.attachments import scene_attachments

        attachments, trouble = scene_attachments(result)
        if trouble:
            print(trouble, file=sys.stderr)
    written = write_result(result, out, command=command, attachments=attachments)
    print(readouts_table(result))
    print(f"\nWritten to {out}: {len(written.all())} files; open {written.report.name} to see them together.")


def run_measure(args: argparse.Namespace) -> int:
    """Print the readouts of a CBF map, and how it compares with a reference."""
    from .measuring.compare import compare_maps
    from .pipeline import measure_map, tissue_of_map
    from .reading.images import read_image
    from .reporting.table import readouts_list
    from .series import CBF_UNIT

    cbf = read_image(args.cbf, unit=CBF_UNIT)
    tissue = tissue_of_map(cbf, t1=_image(args.t1), tissue=_given_tissue(args, cbf.geometry))
    readouts = measure_map(cbf, tissue)
    if args.reference is not None:
        readouts += compare_maps(cbf, read_image(args.reference, unit=CBF_UNIT), tissue)
    print(readouts_list(readouts))
    if tissue.warning:
        print(f"warning: {tissue.warning}")
    return 0


def run_models(args: argparse.Namespace) -> int:
    """Print a line a model."""
    from .denoising.catalogue import DEFAULT_MODEL, list_models

    for card in list_models():
        mark = " (default)" if card.name == DEFAULT_MODEL else ""
        print(f"{card.name}{mark}: {card.summary} [{card.facts}]")
    return 0


def run_demo(args: argparse.Namespace) -> int:
    """The main job on the sample series."""
    from .resources import sample_data

    sample = sample_data()
    script = ["denoise", str(sample.asl), "--t1", str(sample.t1), "--out", str(args.out)]
    script += ["--device", args.device, "--progress", args.progress]
    print(f"The sample series is simulated: {sample.asl.name}, 10 pairs. This runs:\n")
    print("  " + shlex.join(["python", "-m", "ASLDenoiseLib", *script]) + "\n")
    status = main(script)
    if status == 0:
        print("\nYour own series goes the same way:\n")
        print("  python -m ASLDenoiseLib inspect SERIES_asl.nii.gz")
        print("  python -m ASLDenoiseLib denoise SERIES_asl.nii.gz --t1 T1w.nii.gz --out DIR")
    return status


def run_simulate(args: argparse.Namespace) -> int:
    """Write a simulated BIDS series, its T1 and its truth."""
    from .learning.anatomy import read_anatomy
    from .learning.phantom import PhantomSettings
    from .learning.simulate import ScanSettings, simulate_head
    from .reporting.simulated import write_simulated

    head = simulate_head(
        read_anatomy(args.labels),
        phantom=PhantomSettings(size=tuple(args.size)),
        spacing=tuple(args.spacing),
        scan=ScanSettings(pairs=args.pairs, gm_snr=args.gm_snr),
        seed=args.seed,
    )
    for path in write_simulated(head, args.out):
        print(path)
    return 0


def run_train(args: argparse.Namespace) -> int:
    """Train a recipe; write its bundle when it has run to the end."""
    from .learning.bundle import write_bundle
    from .learning.recipe import read_recipe
    from .learning.training import train
    from .running.device import resolve_device
    from .running.progress import make_progress

    recipe = read_recipe(args.recipe)
    trained = train(
        recipe,
        anatomy=args.anatomy,
        work=args.work,
        device=resolve_device(args.device),
        max_minutes=args.max_minutes,
        progress=make_progress(args.progress),
    )
    print(
        f"{recipe.name}: {trained.steps} of {recipe.steps} steps, validation {trained.gain_db:+.2f} dB over the input"
    )
    if args.bundle is not None and trained.finished:
        print(write_bundle(recipe, trained, args.bundle))
    return 0


if __name__ == "__main__":
    sys.exit(main())
