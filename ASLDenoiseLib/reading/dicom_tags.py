"""What only the DICOM files themselves say: Philips' label of each image, Siemens' labelling, the series of a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from ..files import is_litter
from ..series import VolumeType
from .scan import Scan

_SERIES, _TIME, _PLACE, _LABEL_TYPE = "0020|0011", "0020|0100", "0020|0032", "2005|1429"
_DESCRIPTION, _PHASE, _TRIGGER = "0008|103e", "2001|1008", "0018|1060"
_LONGEST = 10.0  # s after labelling; longer trigger times are those since the scan began
_CONTRASTS = {b"PSEUDOCONTINUOUS": "PCASL", b"CONTINUOUS": "CASL", b"PULSED": "PASL"}
_CONTRAST = re.compile(rb"\x18\x00\x50\x92(?:CS)?.{2,4}?(PSEUDOCONTINUOUS|CONTINUOUS|PULSED)", re.DOTALL)
_PCASL_PULSES = re.compile(rb'sTXSPEC\.aRFPULSE\[\d+\]\.tName\s*=\s*"+pCASL')
_DELAY_COUNT = re.compile(rb"sAsl\.ulDelayArraySize\s*=\s*(\d+)")
_DELAYS = re.compile(rb"sAsl\.sPostLabelingDelay\[(\d+)\]\s*=\s*(\d+)")
_NUMBER = re.compile(rb"\x20\x00\x11\x00(?:IS..|.\x00\x00\x00)(-?\d+[ \x00]?)", re.DOTALL)
_BEGINNING = 65536  # bytes
_MOST_BYTES = 4_000_000  # of a file: labelling and protocol stand before the voxels


def is_dicom(path: Path) -> bool:
    """Whether a file has DICOM's mark."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def files_below(folder: Path) -> list[Path]:
    """All files of a folder and its sub-folders that may be looked at, by path."""
    found = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    found = (path for path in found if not is_litter(path))
    return sorted(path for path in found if os.path.isfile(path) and os.access(path, os.R_OK))


def series_of_file(path: Path) -> tuple[int | None, str]:
    """Series number and description of one DICOM file; (None, "") where they cannot be read."""
    header = _header(path, (_SERIES, _DESCRIPTION)) or {}
    number = header.get(_SERIES, "")
    return int(number) if number.lstrip("-").isdigit() else None, header.get(_DESCRIPTION, "")


def philips_volumes(folder: Path, scan: Scan) -> tuple[tuple[VolumeType, ...], dict[str, object]] | None:
    """The type of each volume by Philips' private tag (2005,1429), with what phases say, or None where it is uncertain.

    dcm2niix orders the volumes by repetition, control and label, phase. That is checked: the sums of one slice's stored
    images must be proportional to those of the converted volumes to 1e-4.

    Several phases are read after one labelling, at the trigger time of each (of the data of neurolabusc's
    dcm_qa_philips_asl, whose protocol says so): PostLabelingDelay a volume, LookLocker, and SliceTiming of 2D.
    """
    if not str(scan.sidecar.get("Manufacturer", "")).lower().startswith("philips"):
        return None
    tags = (_TIME, _PLACE, _LABEL_TYPE, _PHASE, _TRIGGER)
    headers = list(_headers(folder, scan.sidecar.get("SeriesNumber"), tags))
    kinds = {h[_LABEL_TYPE] for _, h in headers if _LABEL_TYPE in h}
    if kinds != {"CONTROL", "LABEL"} or not all(_TIME in h and _PLACE in h for _, h in headers):
        return None
    places = sorted({h[_PLACE] for _, h in headers})
    middle = [(path, h) for path, h in headers if h[_PLACE] == places[len(places) // 2]]
    if len(middle) != len(scan.array):
        return None
    for last in ("LABEL", "CONTROL"):
        order = sorted(middle, key=lambda item: (int(item[1][_TIME]), item[1][_LABEL_TYPE] == last, _phase(item[1])))
        if _same_order([path for path, _ in order], scan.array):
            context = tuple(VolumeType(h[_LABEL_TYPE].lower()) for _, h in order)
            return context, _of_phases([h for _, h in headers], [_phase(h) for _, h in order], scan)
    return None


def _phase(header: Mapping[str, str]) -> int:
    return int(header.get(_PHASE, "1"))


def _of_phases(headers: Sequence[Mapping[str, str]], phases: Sequence[int], scan: Scan) -> dict[str, object]:
    """The keys that trigger times (ms) give of volumes of these phases; none of one phase, or of times that run on."""
    if len(set(phases)) < 2 or not all(_TRIGGER in header for header in headers):
        return {}
    times = {phase: [float(h[_TRIGGER]) for h in headers if _phase(h) == phase] for phase in sorted(set(phases))}
    firsts = {phase: min(each) / 1000 for phase, each in times.items()}
    steps = np.diff(list(firsts.values()))
    if not (steps > 0).all() or not 0 < min(firsts.values()) <= max(firsts.values()) < _LONGEST:
        return {}
    keys: dict[str, object] = {"PostLabelingDelay": [firsts[phase] for phase in phases], "LookLocker": True}
    if scan.sidecar.get("MRAcquisitionType") == "2D" and "SliceTiming" not in scan.sidecar:
        offsets: dict[int, float] = {}
        for h in headers:
            offsets[_slice_of(h, scan)] = round(float(h[_TRIGGER]) / 1000 - firsts[_phase(h)], 4)
        if sorted(offsets) == list(range(scan.geometry.size[2])):
            keys["SliceTiming"] = [offsets[k] for k in sorted(offsets)]
    return keys


def _slice_of(header: Mapping[str, str], scan: Scan) -> int:
    """The slice (k) that an image lies in."""
    normal = np.reshape(scan.geometry.direction, (3, 3))[:, 2]
    place = np.array([float(each) for each in header[_PLACE].split("\\")])
    return round(float(normal @ (place - scan.geometry.origin)) / scan.geometry.spacing[2])


def siemens_labeling(folder: Path, number: object) -> str | None:
    """The labelling type of a Siemens series that dcm2niix gives none of: PCASL, CASL, PASL; None where it is not said.

    Enhanced DICOM has (0018,9250), ASL Contrast. Classic DICOM of XA has it not, but the protocol in it names its
    radio-frequency pulses, which of the product's pCASL are called pCASL_rf000 and so on (neurolabusc's dcm_qa_xa30i).
    """
    content = _first_file(folder, number)
    stated = _CONTRAST.search(content)
    if stated:
        return _CONTRASTS[stated[1]]
    return "PCASL" if _PCASL_PULSES.search(content) else None


def siemens_delays(folder: Path, number: object) -> tuple[float, ...]:
    """The delays (s) that the protocol in a Siemens series lists, where it says that there are several; else none.

    ``sAsl.ulDelayArraySize`` of the 64 places of ``sAsl.sPostLabelingDelay`` are in use (neurolabusc's dcm_qa_xa30i).
    """
    content = _first_file(folder, number)
    size = _DELAY_COUNT.search(content)
    if size is None or int(size[1]) < 2:
        return ()
    listed = {int(place): int(value) / 1e6 for place, value in _DELAYS.findall(content)}
    return tuple(listed.get(place, 0.0) for place in range(int(size[1])))  # zeros are not written


def _first_file(folder: Path, number: object) -> bytes:
    """The beginning of the first file of a series; nothing where there is none."""
    path, _ = next(_headers(folder, number, ()), (None, None))
    if path is None:
        return b""
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)


def _headers(folder: Path, series: object, tags: Sequence[str]) -> Iterator[tuple[Path, dict[str, str]]]:
    """The tags, of each file of one series (None: of all); files that are no DICOM are skipped."""
    for path in files_below(folder):
        if series is not None and not _may_be_of(path, str(series)):
            continue
        header = _header(path, (_SERIES, *tags))
        if header is not None and (series is None or header.get(_SERIES) == str(series)):
            yield path, header


def _may_be_of(path: Path, series: str) -> bool:
    """Whether a file's beginning does not say another series number: far quicker than to read its header."""
    try:
        with path.open("rb") as file:
            stated = _NUMBER.findall(file.read(_BEGINNING))
    except OSError:
        return False
    return not stated or series.encode() in [number.strip(b" \0") for number in stated]


def _header(path: Path, tags: Sequence[str]) -> dict[str, str] | None:
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.LoadPrivateTagsOn()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return None
    return {tag: reader.GetMetaData(tag).strip() for tag in filter(reader.HasMetaDataKey, tags)}


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
