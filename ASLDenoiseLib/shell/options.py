"""Options that several commands share, and what is read from them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..preparing.choices import Preparation
from ..preparing.nuisance import CHOICES as NUISANCES
from ..preparing.nuisance import DEFAULT as NUISANCE
from ..preparing.outliers import DEFAULT_METHOD, METHODS

if TYPE_CHECKING:
    import numpy as np

    from ..series import ASLSeries, Geometry, Tissue, Volume

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


def add_series(parser: argparse.ArgumentParser) -> None:
    """SERIES and what its sidecar may lack."""
    parser.add_argument("series", metavar="SERIES", help="NIfTI with BIDS sidecars, or a folder of DICOM")
    group = parser.add_argument_group("acquisition, where the sidecar is silent or wrong")
    for option, (field, kind, text) in _ACQUISITION.items():
        group.add_argument(option, dest=field, type=kind, help=text)
    group.add_argument("--m0", help="M0 image, or one number for it")
    group.add_argument("--context", help="an aslcontext.tsv, or a pattern such as m0scan,label,control")
    group.add_argument("--swap", action="store_true", help="control and label are the wrong way round")
    group.add_argument(
        "--fix", action="append", default=[], metavar="NAME", help="a mend that 'inspect' names; may be repeated"
    )


def add_tissue(parser: argparse.ArgumentParser) -> None:
    """Where grey and white matter come from."""
    group = parser.add_argument_group("tissue for the readouts (the first given is used)")
    group.add_argument("--gm", type=Path, help="grey-matter mask or probability map")
    group.add_argument("--wm", type=Path, help="white-matter mask or probability map")
    group.add_argument("--labels", type=Path, help="FreeSurfer, SynthSeg or 1/2/3 (CSF/GM/WM) label map")
    group.add_argument("--t1", type=Path, help="T1-weighted image: segmented, and shown below the CBF map")


def add_run(parser: argparse.ArgumentParser) -> None:
    """Where results go, and what of the series is used."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--roi", action="append", default=[], metavar="NAME=MASK", help="a region to read out; may be repeated"
    )
    parser.add_argument("--mni", action="store_true", help="CBF in MNI space, too (needs --t1; about a minute)")
    parser.add_argument("--no-scene", action="store_true", help="write no Slicer scene and no overlay picture")


def add_preparation(parser: argparse.ArgumentParser) -> None:
    """What is done to the pairs before they are averaged, and how the T1 is laid on them."""
    group = parser.add_argument_group("preparation")
    group.add_argument("--pairs", metavar="1-10|10", help="which control/label pairs to use (default: all)")
    group.add_argument("--no-motion", action="store_true", help="leave head motion as it is")
    group.add_argument(
        "--nuisance",
        metavar="NAMES",
        default=",".join(NUISANCE),
        help=f"regressed out of controls and labels: 'none' or of {', '.join(NUISANCES)} (default: %(default)s)",
    )
    methods = " ".join(m.summary for m in METHODS.values())
    group.add_argument(
        "--outliers", choices=list(METHODS), default=DEFAULT_METHOD, help=f"(default: %(default)s) {methods}"
    )
    group.add_argument("--smooth", type=float, default=0.0, metavar="MM", help="FWHM of a Gaussian over the pairs")
    group.add_argument("--smooth-m0", type=float, default=0.0, metavar="MM", help="FWHM of a Gaussian over the M0")
    place = group.add_mutually_exclusive_group()
    what = "linear ITK transform of the T1 (moving) to the series (fixed)"
    place.add_argument("--t1-to-asl", type=Path, metavar="FILE", help=f"{what}, used as it is")
    place.add_argument("--t1-start", type=Path, metavar="FILE", help=f"{what}, rigid: the alignment starts there")


def preparation_of(args: argparse.Namespace) -> Preparation:
    """The choices of `add_preparation`."""
    names = [name.strip() for name in args.nuisance.split(",") if name.strip()]
    nuisance = () if names == ["none"] else tuple(names)
    return Preparation(args.pairs, not args.no_motion, nuisance, args.outliers, args.smooth, args.smooth_m0)


def transforms_of(args: argparse.Namespace) -> dict[str, np.ndarray]:
    """The given transforms of the T1, by the name that `pipeline` gives them."""
    from ..reading.transforms import read_transform

    given = {"t1_to_asl": args.t1_to_asl, "t1_start": args.t1_start}
    if any(given.values()) and args.t1 is None:
        raise InputError("A transform of the T1 was given without a T1; give it with --t1.")
    return {name: read_transform(path) for name, path in given.items() if path is not None}


def add_target(parser: argparse.ArgumentParser) -> None:
    """How, and on what grid, a map is super-resolved."""
    from ..superresolving import DEFAULT_METHOD as METHOD
    from ..superresolving import METHODS as SUPERRESOLUTION

    group = parser.add_argument_group("super-resolution")
    summaries = " ".join(f"{m.name}: {m.summary}" for m in SUPERRESOLUTION.values())
    group.add_argument(
        "--method", choices=list(SUPERRESOLUTION), default=METHOD, help=f"(default: %(default)s) {summaries}"
    )
    grid = group.add_mutually_exclusive_group()
    axes = ("X", "Y", "Z")
    grid.add_argument("--spacing", nargs=3, type=float, metavar=axes, help="mm along the acquired axes")
    grid.add_argument("--like", type=Path, metavar="IMAGE", help="the grid of an image in the space of the T1")
    what = "FWHM in mm beyond the voxel along the acquired axes (default: what the readout usually has)"
    group.add_argument("--point-spread", nargs=3, type=float, metavar=axes, help=what)
    group.add_argument("--denoise", action="store_true", help="denoise first (default: super-resolve the mean)")
    group.add_argument("--model", help="the model that denoises first")


def add_progress(parser: argparse.ArgumentParser) -> None:
    """How progress is told."""
    parser.add_argument("--progress", choices=("auto", "json", "bar", "none"), default="auto", help="on stderr")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Where networks run."""
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))


def series_of(args: argparse.Namespace) -> ASLSeries:
    """The series, with the values given as options."""
    from ..inspecting.fixes import apply_fix
    from ..reading.read import read_series, swapped

    values = {field: getattr(args, field) for field, _, _ in _ACQUISITION.values() if getattr(args, field) is not None}
    m0 = args.m0
    try:
        m0 = None if m0 is None else float(m0)
    except ValueError:
        m0 = Path(m0)
    series = read_series(args.series, m0=m0, context=args.context, values=values)
    series = swapped(series) if args.swap else series
    for name in args.fix:
        series = apply_fix(series, name)
    return series


def series_or_map_of(args: argparse.Namespace) -> ASLSeries:
    """The series; or the CBF map, which an image of one volume is taken for unless its name ends in ``_asl``."""
    from ..reading.images import image_stem, is_single_volume
    from ..reading.read import read_cbf_map

    path = Path(args.series)
    if path.is_file() and not image_stem(path).endswith("_asl") and is_single_volume(path):
        return read_cbf_map(path)
    return series_of(args)


def tissue_of(args: argparse.Namespace, onto: Geometry) -> Tissue | None:
    """Given masks or labels on a grid; None where none are given."""
    from ..preparing.tissue import tissue_from_labels, tissue_from_masks
    from ..reading.images import read_image

    if (args.gm is None) != (args.wm is None):
        raise InputError("--gm and --wm belong together; give both, or neither.")
    if args.gm is not None:
        return tissue_from_masks(read_image(args.gm), read_image(args.wm), onto)
    return None if args.labels is None else tissue_from_labels(read_image(args.labels), onto)


def regions_of(args: argparse.Namespace, onto: Geometry) -> dict[str, Volume]:
    """The masks of --roi on a grid, by name."""
    from ..reading.images import read_image
    from ..spatial.regions import regions_on

    masks = {}
    for item in args.roi:
        name, separator, path = item.partition("=")
        if not separator or not name:
            raise InputError(
                f"--roi '{item}' is not understood; write NAME=MASK, for example thalamus=thalamus.nii.gz."
            )
        masks[name] = read_image(Path(path))
    return regions_on(onto, masks)


def image_of(path: Path | None) -> Volume | None:
    """The image of an optional path."""
    from ..reading.images import read_image

    return None if path is None else read_image(path)
