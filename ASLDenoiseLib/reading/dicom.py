"""A folder of DICOM, read as a `Scan` through dcm2niix.

dcm2niix 1.0.20260724 gives of a Philips Ingenia Elition 3D pCASL series (classic DICOM, 2 x 8 volumes): one 4D NIfTI
whose volumes are control, label, control, label ... in time, as in private tag (2005,1429); voxel values in Philips'
precise floating-point scale (the display value over rescale slope times scale slope, about 1e7 here), so that series of
one examination compare; no labelling type, delay or label duration in the JSON; a RepetitionTime estimated from
acquisition times (15.8 s), wrong for a segmented readout, and the scanner's own (4.23 s) as RepetitionTimeExcitation.
The first control/label pair is 2.5 times as bright as the rest, acquired without background suppression, which is in no
tag (the finding ``dummy-volumes``).
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..series import Origin, VolumeType
from .bids import read_json
from .images import read_array4d
from .scan import Scan

_ASL_LIKE = re.compile(r"asl|perf(?!orm)|spin.?label", re.IGNORECASE)
_M0_LIKE = re.compile(r"(?<![a-z0-9])m0(?![0-9])|m0scan|calib|proton.?density", re.IGNORECASE)
_CONTROL_LIKE = re.compile(r"control", re.IGNORECASE)
_LABEL_LIKE = re.compile(r"(?<!spin)(?<!spin[ _-])label(?!l?ing)|(?<![a-z])tag(?![a-z])", re.IGNORECASE)
_DERIVED = {"DERIVED", "SUBTRACTION", "PERFUSION", "CBF", "RELCBF", "TTEST", "MOCO", "PHASE", "P", "IMAGINARY", "REAL"}
_CONVERSION_LIMIT = 1800  # s; a hung converter must not hang the caller for ever
_MOST_M0_VOLUMES = 4  # a longer scan is a series that names its M0 volumes
_SERIES, _TIME, _PLACE, _LABEL_TYPE = "0020|0011", "0020|0100", "0020|0032", "2005|1429"


def read_dicom(folder: Path) -> Scan:
    """The ASL series in a folder of DICOM (sub-folders included), with its M0 and context where they can be told.

    Raises:
        InputError: no DICOM, no ASL series, or several; the sentence lists what was found.
    """
    folder = Path(folder)
    scan = pick_asl(convert(folder), where=str(folder))
    return scan if scan.context else replace(scan, context=philips_context(folder, scan))


def convert(folder: Path) -> tuple[Scan, ...]:
    """Convert a folder by dcm2niix, and read every image of it; the files are temporary.

    Raises:
        InputError: dcm2niix is missing, fails, or finds no images.
    """
    try:
        import dcm2niix
    except ImportError as error:
        raise InputError("Reading DICOM needs the Python package dcm2niix; install it or give a NIfTI.") from error
    with tempfile.TemporaryDirectory(prefix="asldenoise-") as place:
        command = [str(dcm2niix.bin), "-b", "y", "-ba", "y", "-z", "n", "-f", "%s_%p", "-o", place, str(folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_CONVERSION_LIMIT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(f"dcm2niix did not finish on {folder}; convert it to NIfTI and give that.") from error
        scans = tuple(_converted(path) for path in sorted(Path(place).glob("*.nii")))
    if not scans:
        said = (done.stderr.strip() or done.stdout.strip()).split("\n")[-1].rstrip(".")
        raise InputError(f"dcm2niix found no DICOM images in {folder} ({said}); give a NIfTI or a folder of DICOM.")
    return scans


def _converted(path: Path) -> Scan:
    array, geometry = read_array4d(path)
    sidecar = read_json(path.with_suffix(".json")) if path.with_suffix(".json").is_file() else {}
    title = str(sidecar.get("SeriesDescription") or path.stem)
    name = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-") or "asl"
    # The converter's own suffixes (_ph, _e2, _a) tell split outputs of one series apart.
    return Scan(array, geometry, {**sidecar, "ConvertedName": path.stem}, Origin.DICOM, name)


def pick_asl(scans: Sequence[Scan], *, where: str) -> Scan:
    """The one ASL series among converted scans, its M0 attached; control and label outputs are put together.

    Raises:
        InputError: none, or several that cannot be told apart.
    """
    usable = [scan for scan in scans if not _is_derived(scan)]
    asl = [scan for scan in usable if _is_asl(scan) and not _is_m0(scan)]
    asl = [scan for scan in asl if len(scan.array) > 1] or asl
    joined = _joined(asl) or _joined([scan for scan in asl if len(scan.array) == max(len(s.array) for s in asl)])
    found = "; ".join(_described(scan) for scan in scans)
    if joined is None and not asl:
        raise InputError(f"No ASL series was found in {where} (found: {found}); give the folder of the ASL series.")
    if joined is None and len(asl) > 1:
        raise InputError(f"Several ASL series are in {where} (found: {found}); give the folder of one of them.")
    chosen = joined or asl[0]
    m0 = [scan for scan in usable if _is_m0(scan)]
    return replace(chosen, m0=m0[0]) if len(m0) == 1 else chosen


def philips_context(folder: Path, scan: Scan) -> tuple[VolumeType, ...] | None:
    """The type of each volume by Philips' private tag (2005,1429), or None where that is uncertain.

    dcm2niix orders the volumes in time. That is checked: the sums of one slice's stored images must be proportional to
    those of the converted volumes to 1e-4.
    """
    if not str(scan.sidecar.get("Manufacturer", "")).lower().startswith("philips"):
        return None
    headers = _headers(folder, scan.sidecar.get("SeriesNumber"))
    kinds = {h[_LABEL_TYPE] for _, h in headers if _LABEL_TYPE in h}
    if kinds != {"CONTROL", "LABEL"} or not all(_TIME in h and _PLACE in h for _, h in headers):
        return None
    places = sorted({h[_PLACE] for _, h in headers})
    middle = [(path, h) for path, h in headers if h[_PLACE] == places[len(places) // 2]]
    if len(middle) != len(scan.array):
        return None
    for last in ("LABEL", "CONTROL"):
        order = sorted(middle, key=lambda item: (int(item[1][_TIME]), item[1][_LABEL_TYPE] == last))
        if _same_order([path for path, _ in order], scan.array):
            return tuple(VolumeType(h[_LABEL_TYPE].lower()) for _, h in order)
    return None


def _headers(folder: Path, series: object) -> list[tuple[Path, dict[str, str]]]:
    """The tags needed, of each file of one series; files that are no DICOM are skipped."""
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.LoadPrivateTagsOn()
    headers = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        reader.SetFileName(str(path))
        try:
            reader.ReadImageInformation()
        except RuntimeError:
            continue
        tags = filter(reader.HasMetaDataKey, (_SERIES, _TIME, _PLACE, _LABEL_TYPE))
        header = {tag: reader.GetMetaData(tag).strip() for tag in tags}
        if series is None or header.get(_SERIES) == str(series):
            headers.append((path, header))
    return headers


def _same_order(paths: Sequence[Path], array: np.ndarray) -> bool:
    """Whether the files' sums are proportional to those of one slice through the volumes, volume by volume."""
    import SimpleITK as sitk

    stored = np.array([sitk.GetArrayViewFromImage(sitk.ReadImage(str(path))).sum(dtype=np.float64) for path in paths])
    sums = array.sum(axis=(2, 3), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = sums / stored[:, None]
        spread = np.ptp(ratios, axis=0) / np.abs(ratios.mean(axis=0))
    differs = np.ptp(stored) > 1e-3 * abs(stored.mean())
    return bool(differs and np.nanmin(spread) < 1e-4)


def _joined(scans: Sequence[Scan]) -> Scan | None:
    """Two outputs, one of controls and one of labels, as one series control, label, control ...; else None."""
    controls = [s for s in scans if _CONTROL_LIKE.search(_words(s)) and not _LABEL_LIKE.search(_words(s))]
    labels = [s for s in scans if _LABEL_LIKE.search(_words(s)) and not _CONTROL_LIKE.search(_words(s))]
    if (len(scans), len(controls), len(labels)) != (2, 1, 1):
        return None
    control, label = controls[0], labels[0]
    if control.array.shape != label.array.shape or not control.geometry.matches(label.geometry):
        return None
    array = np.stack([control.array, label.array], axis=1).reshape(-1, *control.array.shape[1:])
    return replace(control, array=array, context=(VolumeType.CONTROL, VolumeType.LABEL) * len(control.array))


def _words(scan: Scan) -> str:
    keys = ("SeriesDescription", "ProtocolName", "SequenceName", "ImageType", "ConvertedName")
    return " ".join(str(scan.sidecar.get(key, "")) for key in keys)


def _is_asl(scan: Scan) -> bool:
    guess = scan.sidecar.get("BidsGuess")
    guessed = isinstance(guess, list) and str(guess[-1]).endswith("_asl")
    return "ArterialSpinLabelingType" in scan.sidecar or guessed or bool(_ASL_LIKE.search(_words(scan)))


def _is_m0(scan: Scan) -> bool:
    return len(scan.array) <= _MOST_M0_VOLUMES and bool(_M0_LIKE.search(_words(scan)))


def _is_derived(scan: Scan) -> bool:
    kinds = scan.sidecar.get("ImageType", [])
    return bool(_DERIVED & {str(kind).upper() for kind in (kinds if isinstance(kinds, list) else [kinds])})


def _described(scan: Scan) -> str:
    size = "x".join(str(n) for n in scan.geometry.size)
    return f"{scan.sidecar.get('ConvertedName', scan.name)}, {size}, {len(scan.array)} volumes"
