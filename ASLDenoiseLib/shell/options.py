"""Options that several commands share, and the request they make."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ..denoising.catalogue import DEFAULT_MODEL
from ..devices import DEVICES, VARIABLE
from ..errors import InputError
from ..pipeline.atlases import atlas_asked, placed
from ..pipeline.request import (
    ARRIVAL_SPACES,
    KINETICS,
    ArrivalMap,
    Atlas,
    DelayFit,
    Denoising,
    Head,
    Outputs,
    Region,
    Request,
    SeriesFile,
    SuperResolution,
)
from ..preparing import nuisance, outliers, segmenters
from ..preparing.choices import Preparation
from ..reading.fetched_atlases import names_of_atlases
from ..remedies import OPTIONS

_DEVICE = f"where networks run; cpu asks no graphics driver anything; {VARIABLE}=cpu in the environment forces it"


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split(",")]


def _times(text: str) -> float | list[float]:
    numbers = _numbers(text)
    return numbers[0] if len(numbers) == 1 else numbers


_SEVERAL = "of several, commas between, one a delay, one a pair or one a volume"

# Acquisition field -> type and help; `remedies.OPTIONS` has the option's name
_ACQUISITION = {
    "labeling": (str, "PCASL, CASL or PASL"),
    "post_labeling_delay": (_times, f"post-labelling delay (PASL: inversion time), s; {_SEVERAL}"),
    "label_duration": (_times, f"label duration, s; {_SEVERAL}"),
    "delay_order": (
        str,
        "how the delays of such a list follow each other: turns (0.5,1,0.5,1) or blocks (0.5,0.5,1,1)",
    ),
    "bolus_duration": (float, "PASL bolus duration (TI1), s"),
    "field_strength": (float, "field strength, T"),
    "repetition_time": (float, "repetition time of the series, s"),
    "flip_angle": (float, "flip angle of a Look-Locker readout, degrees"),
    "suppression_pulses": (int, "number of background suppression pulses"),
    "labeling_efficiency": (float, "labelling efficiency, suppression included"),
    "t1_blood": (float, "T1 of blood, s"),
    "t1_tissue": (float, "T1 of tissue, s, for an M0 that is not fully relaxed"),
    "partition_coefficient": (float, "brain-blood partition coefficient, ml/g"),
    "readout": (str, "2D or 3D"),
    "slice_timing": (_numbers, "of a 2D readout: when each slice is read, s, commas between"),
    "m0_type": (str, "Separate, Included, Estimate, or Absent: relative perfusion, without CBF"),
    "m0_repetition_time": (float, "repetition time of the M0, s"),
    "m0_scale": (float, "factor the M0 is multiplied by"),
}


def add_series(parser: argparse.ArgumentParser) -> None:
    """SERIES and what its sidecar may lack."""
    parser.add_argument("series", metavar="SERIES", help="NIfTI with BIDS sidecars, or a folder: BIDS or DICOM")
    parser.add_argument("--series", dest="number", type=int, metavar="N", help="which of the series in that folder")
    group = parser.add_argument_group("acquisition, where the sidecar is silent or wrong")
    for field, (kind, text) in _ACQUISITION.items():
        group.add_argument(OPTIONS[field], dest=field, type=kind, help=text)
    group.add_argument("--m0", type=_number_or_path, help="M0 image or folder of DICOM, or one number for it")
    group.add_argument("--context", help="an aslcontext.tsv, or a pattern such as m0scan,label,control")
    group.add_argument("--swap", action="store_true", help="control and label are the wrong way round")
    group.add_argument(
        "--fix", action="append", default=[], metavar="NAME", help="a fix that 'inspect' names; may be repeated"
    )


def add_tissue(parser: argparse.ArgumentParser) -> None:
    """Where grey and white matter come from."""
    group = parser.add_argument_group("tissue for the readouts (the first given is used)")
    group.add_argument("--gm", type=Path, help="grey-matter mask or probability map")
    group.add_argument("--wm", type=Path, help="white-matter mask or probability map")
    group.add_argument("--labels", type=Path, help="FreeSurfer, SynthSeg or 1/2/3 (CSF/GM/WM) label map")
    group.add_argument("--t1", type=Path, help="T1-weighted image (or its folder): segmented, and shown below the map")
    text = "where given tissue lies: with the series, or with the T1, with which it is aligned (default: %(default)s)"
    group.add_argument("--tissue-space", choices=("asl", "t1"), default="asl", help=text)


def add_run(parser: argparse.ArgumentParser) -> None:
    """Where results go, and what of the series is used."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the results")
    add_regions(parser)
    parser.add_argument("--name", default="", help="what every file's name begins with (default: the series' name)")
    parser.add_argument("--mni", action="store_true", help="CBF in MNI space, too (needs --t1; about a minute)")
    parser.add_argument("--no-scene", action="store_true", help="write no Slicer scene and no overlay picture")


def add_regions(parser: argparse.ArgumentParser) -> None:
    """What is read out beside grey and white matter."""
    parser.add_argument(
        "--roi",
        action="append",
        default=[],
        metavar="NAME=MASK[@t1]",
        help="a region to read out, with @t1 one that was drawn on the T1 and goes with it; may be repeated",
    )
    text = (
        "read out every label of an image that lies on the series, with the T1 (@t1) or in MNI space (@mni); or of an "
        f"atlas in MNI space by its name, which nilearn fetches: {names_of_atlases()}"
    )
    parser.add_argument("--atlas", metavar="LABELS[@t1|@mni]|NAME", help=text)
    text = "the names of its labels: a BIDS _dseg.tsv or a colour table"
    parser.add_argument("--atlas-names", type=Path, metavar="FILE", help=text)


def add_preparation(parser: argparse.ArgumentParser) -> None:
    """What is done to the pairs before they are averaged, and how the T1 is laid on them."""
    group = parser.add_argument_group("preparation")
    group.add_argument("--pairs", metavar="1,4,7-9|10", help="which control/label pairs to use (default: all)")
    group.add_argument("--no-motion", action="store_true", help="leave head motion as it is")
    group.add_argument(
        "--nuisance",
        metavar="NAMES",
        default=",".join(nuisance.DEFAULT),
        help=f"regressed out of controls and labels: 'none' or of {', '.join(nuisance.CHOICES)} (default: %(default)s)",
    )
    methods = list(outliers.METHODS)
    text = f"(default: %(default)s) {' '.join(m.summary for m in outliers.METHODS.values())}"
    group.add_argument("--outliers", choices=methods, default=outliers.DEFAULT_METHOD, help=text)
    places = "such as 3,7-9,12/5: pair 3, pairs 7 to 9, slice 5 of pair 12"
    group.add_argument("--take-out", metavar="PLACES", help=f"pairs, or slices of them, left out of the mean, {places}")
    group.add_argument("--put-back", metavar="PLACES", help="likewise, kept in the mean whatever --outliers says")
    group.add_argument("--smooth", type=float, default=0.0, metavar="MM", help="FWHM of a Gaussian over the pairs")
    group.add_argument("--smooth-m0", type=float, default=0.0, metavar="MM", help="FWHM of a Gaussian over the M0")
    names = list(segmenters.SEGMENTERS)
    text = f"(default: %(default)s) {'; '.join(f'{name}: {what}' for name, what in segmenters.SEGMENTERS.items())}"
    group.add_argument("--segmenter", choices=names, default=segmenters.DEFAULT_SEGMENTER, help=f"of the T1 {text}")
    place = group.add_mutually_exclusive_group()
    what = "linear ITK transform of the T1 (moving) to the series (fixed)"
    place.add_argument("--t1-to-asl", type=Path, metavar="FILE", help=f"{what}, used as it is")
    place.add_argument("--t1-start", type=Path, metavar="FILE", help=f"{what}, rigid: the alignment starts there")


def add_delays(parser: argparse.ArgumentParser) -> None:
    """How CBF and arrival time are fitted to a series of several delays."""
    group = parser.add_argument_group("a series of several delays, fitted together (one of them: --fix pld-X)")
    text = f"(default: %(default)s) {'; '.join(f'{name}: {what}' for name, what in KINETICS.items())}"
    group.add_argument("--kinetics", choices=list(KINETICS), default=DelayFit.kinetics, help=text)
    group.add_argument("--abv", action="store_true", help="fit the arterial blood volume, too")
    text = "fit every voxel alone, without the prior that CBF follows the tissue and arrival time is smooth"
    group.add_argument("--no-spatial-prior", action="store_true", help=text)


def add_arrival(parser: argparse.ArgumentParser) -> None:
    """The arrival times that correct the CBF of a series of one delay."""
    group = parser.add_argument_group("a series of one delay, corrected by the arrival times of another scan")
    text = (
        "arrival time map (s) of another scan of the head, registered; or one that lies on the series, or with the T1"
    )
    group.add_argument("--att", metavar="MAP[@asl|@t1]", help=text)
    text = "the SD of its error, s (default: that beside a map of ours, else the map counts as exact)"
    group.add_argument("--att-sd", type=Path, metavar="MAP", help=text)
    text = "an image of that scan, to register by: CBF, M0 or mean control (default: the CBF map beside the map)"
    group.add_argument("--att-reference", type=Path, metavar="IMAGE", help=text)


def add_denoising(parser: argparse.ArgumentParser) -> None:
    """Which network denoises, and how."""
    group = parser.add_argument_group("denoising")
    group.add_argument("--model", help="a name that the command 'models' lists")
    group.add_argument("--pre-average", type=int, metavar="N", help="pairs averaged before the network (default: all)")
    group.add_argument("--interleaved", action="store_true", help="pre-average every n-th pair, not neighbours")
    group.add_argument("--no-audit", action="store_true", help="leave the network's map as it is: put nothing back")
    text = "measure how many pairs are enough, too: some twenty maps of some of the pairs are denoised"
    group.add_argument("--pairs-needed", action="store_true", help=text)
    text = "compare odd with even pairs, too: both halves are denoised, and their agreement measured"
    group.add_argument("--split-half", action="store_true", help=text)
    text = "let the network learn from the noise of this scan's own pairs first (12 or more), and use it if it earns it"
    group.add_argument("--adapt", action="store_true", help=text)


def add_target(parser: argparse.ArgumentParser) -> None:
    """How, and on what grid, a map is super-resolved."""
    from ..superresolving import DEFAULT_METHOD, METHODS

    group = parser.add_argument_group("super-resolution")
    text = f"(default: %(default)s) {' '.join(f'{m.name}: {m.summary}' for m in METHODS.values())}"
    group.add_argument("--method", choices=list(METHODS), default=DEFAULT_METHOD, help=text)
    grid = group.add_mutually_exclusive_group()
    axes = ("X", "Y", "Z")
    grid.add_argument("--spacing", nargs=3, type=float, metavar=axes, help="mm along the acquired axes")
    grid.add_argument("--like", type=Path, metavar="IMAGE", help="the grid of an image in the space of the T1")
    what = "FWHM in mm beyond the voxel along the acquired axes (default: what the readout usually has)"
    group.add_argument("--point-spread", nargs=3, type=float, metavar=axes, help=what)
    group.add_argument("--denoise", action="store_true", help="denoise first (default: super-resolve the mean)")


def add_progress(parser: argparse.ArgumentParser) -> None:
    """How progress is told."""
    parser.add_argument("--progress", choices=("auto", "json", "bar", "none"), default="auto", help="on stderr")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Where networks run."""
    parser.add_argument("--device", default="auto", choices=DEVICES, help=_DEVICE)


def series_file(args: argparse.Namespace) -> SeriesFile:
    """The series, with the values given as options."""
    values = {field: getattr(args, field) for field in _ACQUISITION if getattr(args, field) is not None}
    context = args.context
    if context is not None and (context.lower().endswith(".tsv") or os.path.isfile(context)):
        context = Path(context)
    return SeriesFile(Path(args.series), args.m0, context, values, args.swap, tuple(args.fix), args.number)


def head_of(args: argparse.Namespace) -> Head:
    """The T1, its transforms, and given tissue; a transform where the command takes one."""
    places = (vars(args).get(name) for name in ("t1_to_asl", "t1_start"))
    return Head(args.t1, args.gm, args.wm, args.labels, None, *places, args.tissue_space)


def request_of(args: argparse.Namespace) -> Request:
    """What `denoise`, `quantify` and `superres` ask for."""
    given = vars(args)
    finer = None
    if "method" in given:
        finer = SuperResolution(args.method, _three(args.spacing), args.like, _three(args.point_spread))
    denoising = None
    if "model" in given and (finer is None or args.denoise or args.model):
        choices = args.pre_average, args.interleaved, not args.no_audit, args.pairs_needed, args.split_half
        denoising = Denoising(args.model or DEFAULT_MODEL, *choices, args.adapt)
    regions, atlases = regions_of(args)
    scene = not args.no_scene
    outputs = Outputs(regions, args.mni, args.out, args.name, scene, args.command_line, atlases)
    fit = DelayFit(args.kinetics, args.abv, not args.no_spatial_prior)
    device = given.get("device", "auto")
    parts = denoising, finer, outputs, device, fit, arrival_of(args)
    return Request(series_file(args), head_of(args), _preparation(args), *parts)


def arrival_of(args: argparse.Namespace) -> ArrivalMap | None:
    """The arrival times of another scan, where some are given."""
    if args.att is None:
        for name, given in (("--att-sd", args.att_sd), ("--att-reference", args.att_reference)):
            if given is not None:
                raise InputError(f"{name} goes with an arrival time map; give that with --att.")
        return None
    path, space = placed(args.att, ARRIVAL_SPACES, "scan")
    return ArrivalMap(path, args.att_sd, args.att_reference, space)


def regions_of(args: argparse.Namespace) -> tuple[tuple[Region, ...], tuple[Atlas, ...]]:
    """The regions and the atlas that are asked for."""
    return tuple(_region(item) for item in args.roi), atlases_of(args)


def _preparation(args: argparse.Namespace) -> Preparation:
    names = tuple(name.strip() for name in args.nuisance.split(",") if name.strip())
    names = () if names == ("none",) else names
    widths, by_hand = (args.smooth, args.smooth_m0), (args.take_out, args.put_back)
    return Preparation(args.pairs, not args.no_motion, names, args.outliers, *widths, *by_hand, args.segmenter)


def _region(item: str) -> Region:
    name, separator, path = item.partition("=")
    if not separator or not name:
        raise InputError(f"--roi '{item}' is not understood; write NAME=MASK, for example thalamus=thalamus.nii.gz.")
    return Region(name, *placed(path))


def atlases_of(args: argparse.Namespace, *, usual: str = "asl") -> tuple[Atlas, ...]:
    """The atlas that is asked for; where nothing says its space it lies in the `usual` one."""
    if args.atlas is None:
        if args.atlas_names is not None:
            raise InputError("--atlas-names names the labels of no atlas; give the labels with --atlas.")
        return ()
    return (atlas_asked(args.atlas, names=args.atlas_names, usual=usual),)


def _number_or_path(text: str) -> float | Path:
    try:
        return float(text)
    except ValueError:
        return Path(text)


def _three(values: list[float] | None) -> tuple[float, ...] | None:
    return None if values is None else tuple(values)
