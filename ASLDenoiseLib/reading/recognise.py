"""Whether a file or folder looks like ASL: from its name, what lies beside it and a few kilobytes, before it is read.

Slicer asks this of every file that is dropped on it or added, so nothing heavy is imported and little is read.
"""

from __future__ import annotations

import gzip
import os
import re
import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ..errors import InputError
from .bids import applicable_files, read_sidecar
from .dicom_tags import is_dicom
from .images import CBF_SUFFIX, image_stem

SURE, POSSIBLE = 0.8, 0.3  # Slicer's readers of volumes claim 0.5 and a hundredth a letter of the ending
_KEYS = ("ArterialSpinLabelingType", "PostLabelingDelay", "InitialPostLabelDelay", "LabelingDuration", "TagDuration")
_NO_SERIES = re.compile(r"_(m0scan|T1w|T2w|FLAIR|dseg|probseg|mask)$")
_SERIES_NAME = re.compile(r"_asl\.nii(\.gz)?$|_aslcontext\.tsv$", re.IGNORECASE)
_IN_DICOM = re.compile(rb"(?<![a-z])((e|p?c?)asl|perfusion|perf|arterial.spin)(?![a-z])", re.IGNORECASE)
_MOST_FILES, _MOST_OPENED, _BEGINNING = 20000, 60, 16384


def confidence_of(path: Path) -> float:
    """How sure it is that a NIfTI is an ASL series: `SURE`, `POSSIBLE` for another series or a CBF map, or 0.

    Args:
        path: of the image; what lies beside it is looked at, too.
    """
    if not path.name.lower().endswith((".nii", ".nii.gz")):
        return 0.0
    stem = image_stem(path)
    if _NO_SERIES.search(stem):
        return 0.0
    if stem.endswith(CBF_SUFFIX):
        return POSSIBLE
    volumes = _volumes(path)
    if volumes > 1 and (stem.endswith("_asl") or _is_stated(path)):
        return SURE
    return POSSIBLE if volumes > 1 else 0.0


def holds_asl(folder: Path) -> bool:
    """Whether a folder seems to hold an ASL series, BIDS or DICOM; of many files a sample is opened."""
    files = list(islice(_files(folder), _MOST_FILES))
    if any(_SERIES_NAME.search(path.name) for path in files):
        return True
    others = [path for path in files if path.suffix.lower() in ("", ".dcm", ".ima") or path.name[:1].isdigit()]
    step = max(1, len(others) // _MOST_OPENED)
    return any(_IN_DICOM.search(_beginning(path)) for path in others[::step] if is_dicom(path))


def _is_stated(path: Path) -> bool:
    """Whether a context lies beside it, or its sidecar speaks of labelling."""
    if applicable_files(path, "aslcontext", ".tsv"):
        return True
    try:
        sidecar = read_sidecar(path)
    except InputError:
        return False
    return any(sidecar.get(key) is not None for key in _KEYS)


def _volumes(path: Path) -> int:
    """The number of volumes that a NIfTI's header states; 0 where it is none."""
    try:
        with (gzip.open if path.name.lower().endswith(".gz") else open)(path, "rb") as file:
            header = file.read(352)
    except (OSError, EOFError, zlib.error):
        return 0
    if len(header) < 348:
        return 0
    for order in "<>":
        size, *shape = struct.unpack(f"{order}i36x8h", header[:56])
        if size == 348 and 1 <= shape[0] <= 7:
            return max(1, shape[4]) if shape[0] > 3 else 1
        if size == 540:  # NIfTI-2
            shape = struct.unpack(f"{order}8q", header[16:80])
            return max(1, shape[4]) if shape[0] > 3 else 1
    return 0


def _files(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names if not name.startswith("."))


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_BEGINNING)
    except OSError:
        return b""
