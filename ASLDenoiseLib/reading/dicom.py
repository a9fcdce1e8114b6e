"""A folder of DICOM, of one series or of a whole examination: the ASL series in it, its M0 and the T1."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..findings import Finding, FindingKind, note_kind
from ..remedies import Advice, GiveImage, SetField
from ..series import Volume, VolumeType
from .conversion import Conversion, ConvertedImage, convert
from .dicom_tags import philips_volumes, series_of_file, siemens_delays, siemens_labeling
from .numbered import index_of, listed
from .scan import Scan
from .vendor_images import ImageKind, after_contrast

_CONTROL_LIKE = re.compile(r"control", re.IGNORECASE)
_LABEL_LIKE = re.compile(r"(?<!spin)(?<!spin[ _-])label(?!l?ing)|(?<![a-z])tag(?![a-z])", re.IGNORECASE)
_TIMES = ("PostLabelingDelay", "LabelingDuration")
_SOURCE = re.compile(r"^\s*source\s*-\s*", re.IGNORECASE)  # Philips: the images that the series of that name is made of

_M0_CHOSEN = note_kind(
    "m0-chosen",
    "Of several M0 images one was taken",
    "{taken} is nearest to the series by grid, then by series number and time; there is also {others}",
    GiveImage("m0", "give another where it is not the right one"),
)
_LEFT_OUT = note_kind(
    "images-left-out",
    "Images of the folder cannot be used",
    "{images}",
    Advice("nothing need be done, unless the one that is missed is among them"),
    meaning="Images of the folder cannot be used: in colour, of odd dimensions, damaged.",
)
_VENDOR_MAPS = note_kind(
    "vendor-maps",
    "Maps that the scanner made are there and not used",
    "{images}",
    Advice("convert one to NIfTI to super-resolve, measure or compare it"),
    meaning="CBF and other maps that the scanner made lie in the folder; CBF is computed from the series itself.",
)
_SEVERAL_DIFFERENCES = FindingKind(
    "ge-several-differences",
    "GE's differences may be of several delays",
    "there are {count}, and the DICOM states {said}, which of eASL is that of none or one of them and is not taken",
    SetField("post_labeling_delay", 2.025, "give the delay where all have one, e.g."),
    SetField("post_labeling_delay", "0.7,1,1.3", "give one a difference, with its label duration, e.g."),
    Advice("leave out what is no difference with a context that marks it as n/a"),
)
_SEVERAL_DELAYS = FindingKind(
    "siemens-several-delays",
    "The series is of several delays, and its times are not taken from the DICOM",
    "the protocol in it lists {count} delays, {delays} s, of which dcm2niix states the first, and one label duration",
    SetField("post_labeling_delay", "0,0.5,1", "give one a delay by the protocol, with its label duration, e.g."),
    Advice("Siemens' product lists times since labelling began for some protocols, and varies the label duration"),
)
_PHASES = note_kind(
    "philips-phases",
    "The phases of Philips' series are taken as its delays",
    "their trigger times are {delays} s, which the protocol calls label delay, of PASL the inversion time",
    Advice("compare them with the protocol; all are read after one labelling, as of a Look-Locker readout"),
    SetField("post_labeling_delay", text="correct what is wrong"),
)
_INCOMPLETE = FindingKind(
    "conversion-incomplete",
    "Images of the folder may be missing",
    "dcm2niix converted some of it and ended with '{said}'",
    Advice("compare the number of volumes with the protocol"),
)


@dataclass(frozen=True, eq=False)
class DicomSeries:
    """An ASL series of a folder.

    Args:
        number: what ``--series`` takes: the DICOM series number, or a place in the list where that is not unique.
        images: one, or controls and labels apart.
    """

    number: int
    images: tuple[ConvertedImage, ...]

    @property
    def first(self) -> ConvertedImage:
        """The image that has the header of all."""
        return self.images[0]

    @property
    def label(self) -> str:
        """What it is, for people."""
        return " with ".join(str(image).removeprefix(f"series {image.number}: ") for image in self.images)


def read_dicom(folder: Path, *, series: int | None = None, file: Path | None = None) -> Scan:
    """The ASL series in a folder of DICOM (sub-folders included), with its M0 and context where they can be told.

    Args:
        folder: of one series, or of a whole examination.
        series: the number of one of `dicom_series`.
        file: a file of the folder: its series is meant.

    Raises:
        InputError: no DICOM, no ASL series, or several; the sentence lists what was found.
    """
    conversion = convert(folder)
    found = dicom_series(conversion)
    chosen = _of_file(found, file) if file is not None and series is None else _chosen(found, series, conversion)
    scan = load_series(chosen)
    findings = list(_findings(conversion))
    m0, said = _m0_of(chosen.first, [m0 for m0 in conversion.of_kind(ImageKind.M0) if m0.same_patient(chosen.first)])
    findings += said
    if m0 is not None:
        try:
            scan = replace(scan, m0=m0.load())
        except InputError as error:
            findings.append(_LEFT_OUT.finding(images=str(error).rstrip(".")))
    if scan.context is None:
        scan = _by_philips(scan, folder)
    scan = _labelled(scan, folder, chosen.first)
    return replace(scan, findings=(*scan.findings, *findings))


def dicom_series(conversion: Conversion) -> tuple[DicomSeries, ...]:
    """The ASL series of a folder by their numbers, ascending.

    Controls and labels that are apart are one series. Single volumes count only where there is nothing longer.
    """
    raw = conversion.of_kind(ImageKind.SERIES)
    sources = {_SOURCE.sub("", i.title).strip() for i in raw if _SOURCE.match(i.title)}
    raw = [i for i in raw if _SOURCE.match(i.title) or i.title.strip() not in sources]
    differences = conversion.of_kind(ImageKind.DIFFERENCE)
    raw = [i for i in raw if i.volumes > 1] or ([] if differences else raw)
    groups = [*_joined(raw), *((image,) for image in differences)]
    groups.sort(key=lambda images: (images[0].number or 0, images[0].path.name))
    numbers = [images[0].number for images in groups]
    unique = None not in numbers and len(set(numbers)) == len(numbers)
    return tuple(DicomSeries(n if unique else k, g) for k, (n, g) in enumerate(zip(numbers, groups, strict=True), 1))


def dicom_t1s(conversion: Conversion, number: int | None = None) -> list[ConvertedImage]:
    """The T1 images of the patient of a series, or of all, the best first.

    Best is of the same examination, without contrast agent, named so, evened, fine, early.

    Args:
        conversion: the folder.
        number: of the series; None the only one, or whichever is meant where there are several.
    """
    found = dicom_series(conversion)
    asked = [each.first for each in found if number in (None, each.number)]
    series = asked[0] if len(asked) == 1 else None

    def rank(image: ConvertedImage) -> tuple[object, ...]:
        header, apart = image.header, series is not None and image.study != series.study
        guess = str((image.sidecar.get("BidsGuess") or [""])[-1])
        even = not {"NORM", "SCIC"} & set(header.types)
        named = not guess.endswith("_T1w")
        return apart, after_contrast(header), named, even, math.prod(header.spacing), image.number or 0

    t1s = conversion.of_kind(ImageKind.T1)
    return sorted((image for image in t1s if series is None or image.same_patient(series)), key=rank)


def of_another_examination(t1: ConvertedImage, conversion: Conversion, number: int | None) -> bool:
    """Whether a T1 is of another examination than the series of that number (of all, where there is no number)."""
    studies = {each.first.study for each in dicom_series(conversion) if number in (None, each.number)}
    return bool(studies) and t1.study not in studies


def read_dicom_t1(folder: Path, number: int | None = None) -> Volume:
    """The T1 in a folder of DICOM, of several the best; arguments as `dicom_t1s`.

    Raises:
        InputError: there is none, it is damaged, or there are some of several patients.
    """
    conversion = convert(folder)
    found = dicom_t1s(conversion, number)
    if not all(image.same_patient(found[0]) for image in found):
        what = f"T1 images of several patients are in {folder} ({listed(found)})"
        raise InputError(what, [GiveImage("t1", "give the file of one")])
    if not found:
        what = f"No T1 image was found in {folder} (found: {listed(conversion.images)})"
        raise InputError(what, [GiveImage("t1", "give the file of one")])
    scan = found[0].load()
    return Volume(scan.array[0], scan.geometry, name=scan.name)


def read_dicom_m0(folder: Path) -> Scan:
    """The one M0 in a folder of DICOM: the only image, or the only one that is an M0 by its header.

    Raises:
        InputError: there is none, or several.
    """
    conversion = convert(folder)
    usable = [image for image in conversion.images if not image.problem]
    found = usable if len(usable) == 1 else conversion.of_kind(ImageKind.M0)
    if len(found) != 1:
        what = f"{'Several M0 images are' if found else 'No M0 image is'} in {folder}"
        what += f" (found: {listed(found or conversion.images)})"
        raise InputError(what, [GiveImage("m0", "give the folder or file of one")])
    return found[0].load()


def _chosen(found: Sequence[DicomSeries], number: int | None, conversion: Conversion) -> DicomSeries:
    folder = conversion.folder
    if not found:
        what = f"No ASL series was found in {folder} (found: {listed(conversion.images)})"
        raise InputError(f"{what}; give the folder of the ASL series.")
    numbers, labels = [each.number for each in found], [each.label for each in found]
    return found[index_of(number, numbers=numbers, labels=labels, folder=folder)]


def _of_file(found: Sequence[DicomSeries], file: Path) -> DicomSeries:
    """The series that a file belongs to: by number, else (Siemens XA numbers every volume) by description."""
    number, description = series_of_file(file)
    for same in (lambda i: i.number == number, lambda i: i.title == description):
        fitting = [each for each in found if any(map(same, each.images))]
        if len(fitting) == 1:
            return fitting[0]
    what = f"The file {file} belongs to series {number} ('{description}'), which is no ASL series that can be read"
    if found:
        raise InputError(f"{what}; give a file or the folder of {' or of '.join(each.label for each in found)}.")
    raise InputError(f"{what}; give the folder that holds the whole ASL series.")


def load_series(chosen: DicomSeries) -> Scan:
    """The voxels of a series, and the kinds of its volumes where the images say them."""
    scans = [image.load() for image in chosen.images]
    scan = scans[0]
    if len(scans) == 2:
        array = np.stack([each.array for each in scans], axis=1).reshape(-1, *scan.array.shape[1:])
        return replace(scan, array=array, context=(VolumeType.CONTROL, VolumeType.LABEL) * len(scan.array))
    if chosen.first.kind is not ImageKind.DIFFERENCE:
        return scan
    count = len(scan.array)
    scan = replace(scan, context=(VolumeType.DELTAM,) * count)
    if count == 1:
        return scan
    times = {key: scan.sidecar[key] for key in _TIMES if key in scan.sidecar}
    said = ", ".join(f"{key} {value} s" for key, value in times.items()) or "no times"
    others = {key: value for key, value in scan.sidecar.items() if key not in times}
    return replace(scan, sidecar=others, findings=(_SEVERAL_DIFFERENCES.finding(count=count, said=said),))


def _joined(images: Sequence[ConvertedImage]) -> list[tuple[ConvertedImage, ...]]:
    """Each image alone, but one of controls and one of labels that belong together as a pair."""
    left, groups = list(images), []
    for control in [i for i in images if _says(i, _CONTROL_LIKE, _LABEL_LIKE)]:
        name = _CONTROL_LIKE.sub("", _words(control))
        labels = [i for i in left if _says(i, _LABEL_LIKE, _CONTROL_LIKE) and _fits(control, i)]
        named = [i for i in labels if _LABEL_LIKE.sub("", _words(i)) == name] or labels
        if len(named) == 1:
            groups.append((control, named[0]))
            left = [i for i in left if i not in (control, named[0])]
    return groups + [(image,) for image in left]


def _says(image: ConvertedImage, this: re.Pattern, not_that: re.Pattern) -> bool:
    return bool(this.search(_words(image))) and not not_that.search(_words(image))


def _fits(one: ConvertedImage, other: ConvertedImage) -> bool:
    return one.volumes == other.volumes and one.geometry.matches(other.geometry)


def _words(image: ConvertedImage) -> str:
    keys = ("SeriesDescription", "ProtocolName", "SequenceName", "ImageType")
    return " ".join(str(image.sidecar.get(key, "")) for key in keys)


def _m0_of(series: ConvertedImage, m0s: Sequence[ConvertedImage]) -> tuple[ConvertedImage | None, list[Finding]]:
    """The M0 nearest to a series, and what is to be said of the choice.

    Raises:
        InputError: two are equally near.
    """
    ranked = sorted(m0s, key=lambda m0: _distance(m0, series))
    if len(ranked) < 2:
        return (ranked[0] if ranked else None), []
    if _distance(ranked[0], series) == _distance(ranked[1], series):
        equal = [m0 for m0 in ranked if _distance(m0, series) == _distance(ranked[0], series)]
        what = f"Several M0 images are equally near to {series.title} ({listed(equal)})"
        raise InputError(what, [GiveImage("m0", "give the file of one")])
    return ranked[0], [_M0_CHOSEN.finding(taken=str(ranked[0]), others=listed(ranked[1:]))]


def _distance(m0: ConvertedImage, series: ConvertedImage) -> tuple[float, ...]:
    """How far an M0 is from a series: examination, grid, direction of phase encoding, series number, time in s."""
    study = m0.study != series.study
    grid = not m0.geometry.matches(series.geometry)
    direction = m0.sidecar.get("PhaseEncodingDirection") != series.sidecar.get("PhaseEncodingDirection")
    numbers = m0.number, series.number
    apart = math.inf if None in numbers else abs(numbers[0] - numbers[1])
    return study, grid, direction, apart, abs(_time(m0) - _time(series))


def _time(image: ConvertedImage) -> float:
    """Acquisition time in s; 0 where it is not stated."""
    parts = str(image.sidecar.get("AcquisitionTime", "")).split(":")
    try:
        return sum(float(part) * 60**place for place, part in enumerate(reversed(parts)))
    except ValueError:
        return 0.0


def _by_philips(scan: Scan, folder: Path) -> Scan:
    """The scan with the kinds of its volumes, and the delays of its phases, where Philips' tags tell them."""
    told = philips_volumes(folder, scan)
    if told is None:
        return scan
    context, keys = told
    if not keys:
        return replace(scan, context=context)
    delays = list(dict.fromkeys(keys["PostLabelingDelay"]))
    said = _PHASES.finding(delays=", ".join(f"{delay:g}" for delay in delays))
    own = {key: value for key, value in scan.sidecar.items() if not key.startswith("RepetitionTime")}
    return replace(scan, context=context, sidecar={**own, **keys}, findings=(*scan.findings, said))


def _labelled(scan: Scan, folder: Path, image: ConvertedImage) -> Scan:
    """The scan with the labelling type that only the files of Siemens say, and without the first of several delays."""
    if not str(scan.sidecar.get("Manufacturer", "")).lower().startswith("siemens"):
        return scan
    delays = siemens_delays(folder, image.number)
    if len(set(delays)) > 1:
        said = _SEVERAL_DELAYS.finding(count=len(delays), delays=", ".join(f"{delay:g}" for delay in delays))
        own = {key: value for key, value in scan.sidecar.items() if key not in _TIMES}
        scan = replace(scan, sidecar=own, findings=(*scan.findings, said))
    if "ArterialSpinLabelingType" in scan.sidecar:
        return scan
    stated = siemens_labeling(folder, image.number)
    return scan if stated is None else replace(scan, sidecar={**scan.sidecar, "ArterialSpinLabelingType": stated})


def _findings(conversion: Conversion) -> list[Finding]:
    """What is to be said of the rest of a folder."""
    said = [_INCOMPLETE.finding(said=conversion.trouble)] if conversion.trouble else []
    maps = conversion.of_kind(ImageKind.CBF, ImageKind.MAP)
    left_out = [image for image in conversion.images if image.problem]
    said += [_VENDOR_MAPS.finding(images=listed(maps))] if maps else []
    return said + ([_LEFT_OUT.finding(images=listed(left_out))] if left_out else [])
