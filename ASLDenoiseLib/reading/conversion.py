"""A folder of DICOM as images: converted once by dcm2niix, looked at by their headers, read when they are wanted.

dcm2niix 1.0.20260724 gives of a Philips Ingenia Elition 3D pCASL series (classic DICOM, 2 x 8 volumes): one 4D NIfTI
whose volumes are control, label, control, label ... in time, as in private tag (2005,1429); voxel values in Philips'
precise floating-point scale (the display value over rescale slope times scale slope, about 1e7 here), so that series of
one examination compare; no labelling type, delay or label duration in the JSON; a RepetitionTime estimated from
acquisition times (15.8 s), wrong for a segmented readout, and the scanner's own (4.23 s) as RepetitionTimeExcitation.
The first control/label pair is 2.5 times as bright as the rest, acquired without background suppression, which is in no
tag (the finding ``dummy-volumes``).
"""

from __future__ import annotations

import atexit
import gzip
import json
import re
import shutil
import subprocess
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from ..series import Geometry, Origin
from .dicom_tags import files_below
from .images import read_array4d
from .scan import Scan
from .vendor_images import Header, ImageKind, header_of, image_kind

_PERSONAL = re.compile(r"Patient(?!Position)|.*Physician|.*InstanceUID|StudyID|AccessionNumber|AcquisitionDateTime")
_LIMIT = 1800  # s; a hung converter must not hang the caller for ever
_kept: dict[Path, tuple[object, Conversion]] = {}  # the last folder alone: its files take space


@dataclass(frozen=True, eq=False)
class ConvertedImage:
    """One image of a folder, by its header.

    Args:
        path: a temporary NIfTI.
        folder: the folder of DICOM.
        sidecar: dcm2niix's JSON without what names the patient; ``ConvertedName`` is the file's stem.
        volumes: 0 where it cannot be used.
        geometry: None where it cannot be used.
        problem: why it cannot be used; empty where it can.
        patient, study: what tells them from others in the folder; empty where the files do not.
    """

    path: Path
    folder: Path
    sidecar: dict[str, object]
    volumes: int = 0
    geometry: Geometry | None = None
    problem: str = ""
    patient: str = ""
    study: str = ""

    @property
    def header(self) -> Header:
        """What the rules of `vendor_images` look at."""
        spacing = (0.0, 0.0, 0.0) if self.geometry is None else self.geometry.spacing
        return header_of(self.sidecar, volumes=self.volumes, spacing=spacing)

    @property
    def kind(self) -> ImageKind:
        """What it is, by its header."""
        return ImageKind.OTHER if self.problem else image_kind(self.header)

    @property
    def number(self) -> int | None:
        """The DICOM series number."""
        number = self.sidecar.get("SeriesNumber")
        return number if isinstance(number, int) else None

    def same_patient(self, other: ConvertedImage) -> bool:
        """Whether nothing says that they are of different patients."""
        return not (self.patient and other.patient) or self.patient == other.patient

    @property
    def title(self) -> str:
        """The series description, else the file's stem."""
        return str(self.sidecar.get("SeriesDescription") or self.path.stem)

    def __str__(self) -> str:
        number = "" if self.number is None else f"series {self.number}: "
        if self.geometry is None:
            return f"{number}{self.title}, {self.problem}"
        size, volumes = "x".join(str(n) for n in self.geometry.size), self.volumes
        kind = "" if self.kind is ImageKind.OTHER else f", {self.kind.value}"
        return f"{number}{self.title}, {size}, {volumes} volume{'s' * (volumes != 1)}{kind}"

    def load(self) -> Scan:
        """Read its voxels.

        Raises:
            InputError: they are damaged, all zero or no numbers; the sentence names the folder of DICOM.
        """
        try:
            array, geometry = read_array4d(self.path)
        except InputError as error:
            what = str(error).replace(str(self.path), f"'{self.title}' (series {self.number}) in {self.folder}")
            raise InputError(what) from error
        name = re.sub(r"[^A-Za-z0-9]+", "-", self.title).strip("-") or "asl"
        return Scan(array, geometry, self.sidecar, Origin.DICOM, name)


@dataclass(frozen=True, eq=False)
class Conversion:
    """The images of one folder, by series number; `trouble` is what dcm2niix said where it ended with an error."""

    folder: Path
    images: tuple[ConvertedImage, ...]
    trouble: str = ""
    files: object = field(default=None, repr=False)  # the temporary folder lives as long as this

    def of_kind(self, *kinds: ImageKind) -> list[ConvertedImage]:
        """The usable images of these kinds."""
        return [image for image in self.images if not image.problem and image.kind in kinds]


def convert(folder: Path) -> Conversion:
    """The images in a folder of DICOM, sub-folders included; the last folder is kept for a next call.

    Raises:
        InputError: dcm2niix is missing, does not end, or finds no images.
    """
    state = _state_of(folder)
    known = _kept.get(folder.resolve())
    if known is None or known[0] != state:
        _kept.clear()
        known = _kept[folder.resolve()] = (state, _converted(folder))
    return known[1]


def _state_of(folder: Path) -> frozenset[tuple[str, int, int]]:
    """Names, sizes and times of all files: what changes when a file does."""
    stats = ((str(path), path.stat()) for path in files_below(folder))
    return frozenset((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


def _converted(folder: Path) -> Conversion:
    try:
        import dcm2niix
    except ImportError as error:
        raise InputError("Reading DICOM needs the Python package dcm2niix; install it or give a NIfTI.") from error
    files = tempfile.TemporaryDirectory(prefix="asldenoise-", ignore_cleanup_errors=True)
    atexit.register(files.cleanup)
    # -x i: a single 3D volume is not turned, so that an M0 lies on the grid of its series
    command = [str(dcm2niix.bin), "-b", "y", "-ba", "n", "-z", "n", "-f", "%s_%p", "-d", "9", "-x", "i"]
    command += ["-o", files.name]
    said, failed = _run(command, folder, folder)
    unpacked = Path(files.name) / "unpacked"
    if _unpack(folder, unpacked):
        more, failed_too = _run(command, unpacked, folder)
        said, failed = [*said, *more], failed or failed_too
    images = tuple(_image(path, folder) for path in sorted(Path(files.name).glob("*.nii")))
    if not images:
        raise InputError(_nothing_found(folder, said))
    images = tuple(sorted(images, key=lambda image: (image.number is None, image.number or 0, image.path.name)))
    complaint = next((line for line in said if "error" in line.lower()), "an error status")
    return Conversion(folder, images, complaint if failed else "", files)


def _run(command: list[str], source: Path, folder: Path) -> tuple[list[str], bool]:
    """What dcm2niix says of `source`, and whether it failed; `folder` is what the user gave."""
    try:
        done = subprocess.run([*command, str(source)], capture_output=True, timeout=_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"dcm2niix did not finish on {folder}; convert it to NIfTI and give that.") from error
    said = [line for stream in (done.stderr, done.stdout) for line in stream.decode(errors="replace").splitlines()]
    said = [line.strip().rstrip(".") for line in said if line.strip()]
    # without images it is no failure of theirs: those of the folder may be packed
    return said, bool(done.returncode) and not any("Unable to find any DICOM" in line for line in said)


def _unpack(folder: Path, unpacked: Path) -> int:
    """Unpack the gzipped DICOM files below a folder, which dcm2niix passes over; returns how many there are."""
    count = 0
    for path in files_below(folder):
        if path.suffix.lower() != ".gz":
            continue
        try:
            with gzip.open(path) as packed:
                if packed.read(132)[128:] != b"DICM":
                    continue
                packed.seek(0)
                unpacked.mkdir(exist_ok=True)
                with (unpacked / f"{count}.dcm").open("wb") as file:
                    shutil.copyfileobj(packed, file)
            count += 1
        except (OSError, EOFError, zlib.error):
            continue  # a damaged file is left out, as dcm2niix does with others
    return count


def _nothing_found(folder: Path, said: list[str]) -> str:
    niftis = sorted(path.name for path in folder.iterdir() if path.name.lower().endswith((".nii", ".nii.gz")))
    if niftis:
        listed = ", ".join(niftis[:5]) + (" ..." if len(niftis) > 5 else "")
        what = f"The folder {folder} holds neither DICOM images nor an image named _asl, but {listed}"
        return f"{what}; give one of these files."
    why = f" ({said[0]})" if said else ""
    return f"dcm2niix found no DICOM images in {folder}{why}; give a NIfTI or a folder of DICOM."


def _image(path: Path, folder: Path) -> ConvertedImage:
    """An image by its header; whatever is wrong with it is its `problem`."""
    import nibabel

    keys = {**_sidecar(path.with_suffix(".json")), "ConvertedName": path.stem}
    patient = str(keys.get("PatientID") or keys.get("PatientName") or "")
    sidecar = {key: value for key, value in keys.items() if not _PERSONAL.match(key)}
    who = {"patient": patient, "study": str(keys.get("StudyInstanceUID", ""))}
    try:
        image = nibabel.load(path)
        shape, kind = image.shape, image.get_data_dtype()
        while len(shape) > 4 and shape[-1] == 1:
            shape = shape[:-1]
        if kind.kind not in "iuf":
            return ConvertedImage(
                path, folder, sidecar, **who, problem="in colour" if kind.fields else f"of type {kind}"
            )
        if len(shape) not in (3, 4) or 0 in shape:
            return ConvertedImage(path, folder, sidecar, **who, problem=f"of size {'x'.join(map(str, shape))}")
        geometry = Geometry.from_affine_ras(image.affine, shape[:3])
    except Exception as error:  # any way in which a file can be damaged: the image is left out, and said so
        return ConvertedImage(path, folder, sidecar, **who, problem=f"not readable ({type(error).__name__})")
    return ConvertedImage(path, folder, sidecar, shape[3] if len(shape) == 4 else 1, geometry, **who)


def _sidecar(path: Path) -> dict[str, object]:
    """The JSON of dcm2niix; empty where it is missing or damaged (a description with odd characters, say)."""
    try:
        pairs = json.loads(path.read_text("utf-8", errors="replace"), strict=False, object_pairs_hook=list)
    except (OSError, ValueError, RecursionError):
        return {}
    return settled_keys(pairs) if isinstance(pairs, list) else {}


def settled_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The keys, with the ASL pulse train duration where it belongs.

    dcm2niix writes DICOM tag (0018,9258), the duration of the labelling pulse train, as PostLabelingDelay (dcm2niix
    issue 748: a label duration of 0.8 s and a delay of 2 s gave a delay of 0.8 s). Its other sources of a delay also
    give a duration or are PASL; a delay of theirs stands before that of the tag.
    """
    keys = dict(pairs)
    delays = [value for key, value in pairs if key == "PostLabelingDelay"]
    if str(keys.get("Manufacturer", "")).lower().startswith("ge") or not delays:
        return keys
    if len(delays) > 1:
        return {**keys, "PostLabelingDelay": delays[0], "LabelingDuration": keys.get("LabelingDuration", delays[-1])}
    if "LabelingDuration" not in keys and keys.get("ArterialSpinLabelingType") != "PASL":
        keys["LabelingDuration"] = keys.pop("PostLabelingDelay")
    return keys
