"""The commands that make phantoms and train on them."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..learning.delay_order import ORDERS

if TYPE_CHECKING:
    from ..learning.simulate import ScanSettings

PACK = Path("out/anatomies.npz")

# shell option -> ScanSettings field, type, help; a default of None leaves the field as it is
_SCAN = {
    "--pairs": ("pairs", int, "control/label pairs (10)"),
    "--gm-snr": ("gm_snr", float, "grey-matter signal over noise of one pair (1)"),
    "--correlation": ("correlation", float, "Gaussian SD, voxels, that correlates neighbouring noise (0.5)"),
    "--physiological": ("physiological", float, "SD of smooth signal fluctuations, relative (0.002)"),
    "--pulsation": ("pulsation", float, "SD of the fluctuation of CSF, relative (0)"),
    "--motion": ("motion", float, "SD of the head's shifts, mm, with turns to match (0)"),
    "--spikes": ("spikes", float, "chance that a slice of a volume is corrupted (0)"),
    "--unevenness": ("unevenness", float, "how much noisier the noisiest place is (0)"),
}


def add_simulate(parser: argparse.ArgumentParser) -> None:
    """The head, the protocol and the noise of a simulated scan."""
    parser.add_argument("labels", type=Path, metavar="LABELMAP", help="FreeSurfer-numbered head at 1 mm")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seed", type=int, default=0)
    group = parser.add_argument_group("the head")
    group.add_argument("--size", type=int, nargs=3, default=(64, 64, 24), metavar=("I", "J", "K"), help="voxels")
    group.add_argument("--spacing", type=float, nargs=3, default=(3.4, 3.4, 5.0), metavar=("X", "Y", "Z"), help="mm")
    group.add_argument("--lesions", type=int, metavar="N", help="1 to N lesions; 0 none (default: chance)")
    text = "arrival time, s, of blood of the left carotid (default: as of the others)"
    group.add_argument("--stenosis", type=float, default=0.0, metavar="S", help=text)
    group.add_argument("--abstract", action="store_true", help="an abstract arrangement of tissues, not this brain")
    group = parser.add_argument_group("the scan")
    group.add_argument("--labeling", type=str.upper, choices=("PCASL", "CASL", "PASL"), default="PCASL")
    group.add_argument("--readout", type=str.upper, choices=("2D", "3D"), default="3D", help="2D: no suppression")
    text = "post-labelling delays, of PASL inversion times, comma-separated; with several, --pairs of each (1.8)"
    group.add_argument("--pld", type=_times, default=(), metavar="S,S,...", help=text)
    text = "label durations, one for each of several delays (1.8 for all)"
    group.add_argument("--label-duration", type=_times, metavar="S,S,...", help=text)
    text = "; ".join(f"{name}: {what}" for name, what in ORDERS.items())
    group.add_argument("--delay-order", choices=list(ORDERS), default="turns", help=f"(default: turns) {text}")
    group.add_argument("--realistic", action="store_true", help="noise and motion drawn from what real series show")
    for option, (field, kind, text) in _SCAN.items():
        group.add_argument(option, dest=field, type=kind, help=text)


def _times(text: str) -> tuple[float, ...]:
    """Comma-separated seconds."""
    return tuple(float(each) for each in text.split(","))


def add_train(parser: argparse.ArgumentParser) -> None:
    """The recipe, its data, and how long to train."""
    parser.add_argument("recipe", help="a recipe file, or the name of one that comes with ASLDenoise")
    text = f"folder of *_labels.nii.gz, or the file that the command anatomies makes of it (default: {PACK})"
    parser.add_argument("--anatomy", type=Path, default=PACK, metavar="PATH", help=text)
    text = "folder of stroke masks in MNI space that shape some lesions (default: those in the file of anatomies)"
    parser.add_argument("--lesions", type=Path, metavar="DIR", help=text)
    text = "checkpoint, phantoms and curves (default: out/training/RECIPE)"
    parser.add_argument("--work", type=Path, metavar="DIR", help=text)
    text = "where to write the finished model bundle (default: bundle in the folder of --work)"
    parser.add_argument("--bundle", type=Path, metavar="DIR", help=text)
    parser.add_argument("--max-minutes", type=float, help="of training, over all sessions; the rate comes down with it")
    parser.add_argument("--steps", type=int, help="instead of the recipe's; the rate comes down with them")
    parser.add_argument("--batch", type=int, help="samples a step, instead of the recipe's")
    parser.add_argument("--phantoms", type=int, help="to learn from, instead of the recipe's number")
    text = "processes that draw phantoms meanwhile; 0 draws all first (default: all cores but one on a GPU, else 0)"
    parser.add_argument("--workers", type=int, help=text)


def add_pack(parser: argparse.ArgumentParser) -> None:
    """The label maps, and the file."""
    parser.add_argument("labels", type=Path, metavar="DIR", help="folder of *_labels.nii.gz")
    text = "folder of stroke masks in MNI space, of which those that train are put into the file"
    parser.add_argument("--lesions", type=Path, metavar="DIR", help=text)
    parser.add_argument("--out", type=Path, default=PACK, metavar="FILE", help=f"*.npz (default: {PACK})")


def scan_settings(args: argparse.Namespace) -> ScanSettings:
    """The scan that the options of `add_simulate` ask for."""
    from ..learning.simulate import ScanSettings, draw_scan_settings, make_protocol
    from ..series import Labeling

    timing = {"delays": args.pld, "durations": args.label_duration}
    protocol = make_protocol(Labeling(args.labeling), readout=args.readout, slices=args.size[2], **timing)
    given = {field: getattr(args, field) for field, _, _ in _SCAN.values() if getattr(args, field) is not None}
    given["order"] = args.delay_order
    if args.realistic:
        return replace(draw_scan_settings(args.seed, acquisition=protocol), **given)
    return ScanSettings(acquisition=protocol, **given)


def run_simulate(args: argparse.Namespace) -> int:
    """Write a simulated BIDS series, its T1 and its truth."""
    from ..learning.anatomy import read_anatomy
    from ..learning.phantom import PhantomSettings
    from ..learning.simulate import simulate_head
    from ..learning.simulated_dataset import write_simulated

    phantom = PhantomSettings(size=tuple(args.size), abstract=float(args.abstract), stenosis=args.stenosis)
    if args.lesions is not None:
        phantom = replace(phantom, lesions=args.lesions, lesion_chance=1.0)
    anatomy, scan, spacing = read_anatomy(args.labels), scan_settings(args), tuple(args.spacing)
    head = simulate_head(anatomy, phantom=phantom, spacing=spacing, scan=scan, seed=args.seed)
    for path in write_simulated(head, args.out):
        print(path)
    return 0


def run_train(args: argparse.Namespace) -> int:
    """Train a recipe; write its bundle when it has run to the end."""
    from ..devices import resolve_device
    from ..learning.bundle import write_bundle
    from ..learning.recipe import read_recipe
    from ..learning.training import train
    from ..progress import make_progress

    asked = {name: getattr(args, name) for name in ("steps", "batch", "phantoms")}
    recipe = replace(read_recipe(args.recipe), **{k: v for k, v in asked.items() if v is not None})
    device, work = resolve_device(args.device), args.work or Path("out/training") / recipe.name
    trained = train(
        recipe,
        anatomy=args.anatomy,
        work=work,
        device=device,
        max_minutes=args.max_minutes,
        lesions=args.lesions,
        workers=_spare_cores(device) if args.workers is None else args.workers,
        progress=make_progress(args.progress),
    )
    steps = f"{trained.steps} of {recipe.steps} steps"
    print(f"{recipe.name}: {steps}, validation {trained.gain_db:+.2f} dB over the input")
    if trained.finished:
        print(write_bundle(recipe, trained, args.bundle or work / "bundle"))
    return 0


def run_pack(args: argparse.Namespace) -> int:
    """Write every anatomy of a folder into one file."""
    from ..learning.anatomy_pack import load_anatomies, load_strokes, write_pack

    strokes = [] if args.lesions is None else load_strokes(args.lesions)
    print(write_pack(load_anatomies(args.labels), args.out, strokes=strokes))
    return 0


def _spare_cores(device: str) -> int:
    """Cores that may draw phantoms beside a GPU; on the CPU the network needs them."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 0 if device == "cpu" else max(1, cores - 1)
