"""Write a finished run as BIDS derivatives: a whole result or none.

Everything is written and flushed to disk in a folder aside first. Only then is it moved: in one rename where the
destination is new, file by file (each in one step) where it exists. A failure puts back what was there.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..result import Result
from ..result.table import columns, rows, rows_tsv
from ..series import Geometry, Volume
from . import dataset, html, provenance, timeline
from .dataset import BIDSIGNORE, DESCRIPTION, README
from .request_file import REQUEST, request_to_json
from .software import NAME

READOUTS_JSON = "readouts.json"
READOUTS_TSV = "readouts.tsv"
OUTLIERS_TSV = "outliers.tsv"
REPORT = "report.html"


@dataclass(frozen=True)
class WrittenFiles:
    """The paths of a run's files: the folder, each map by its key, the report, and every file, these included."""

    folder: Path
    maps: Mapping[str, Path]
    report: Path
    files: tuple[Path, ...]


Attachment = Callable[[Path], None]


def write_result(
    result: Result, out: Path, *, command: str = "", attachments: Mapping[str, Attachment] | None = None
) -> WrittenFiles:
    """Write maps, sidecars, readouts, report and data set description into `out`.

    Args:
        result: the finished run; its maps are written in their own unit, float32, NaN kept.
        out: the folder; made where absent. Other files in it are left alone.
        command: what was asked for, for provenance.
        attachments: more files, by name: each value writes its file at the path it is given (a Slicer scene, say).

    Raises:
        InputError: `out` cannot hold the result (a file, another data set, not writable); nothing has been written.
        OSError: the disk failed (full, gone); `out` is as it was.
    """
    out = Path(out)
    check_destination(out)
    if not result.series.name or any(c in result.series.name for c in '/\\:*?"<>|\0'):
        raise InputError(f"The series name '{result.series.name}' cannot start a file name; rename the series.")
    texts = {**_timelines(result), **_dataset(result, out, attachments or {})}
    with _staging(out) as staging:
        _write_all(result, staging, command, texts, attachments or {})
        files = sorted(path.relative_to(staging) for path in staging.rglob("*") if path.is_file())
        _move_into_place(staging, files, out)
    maps = {key: out / provenance.map_file(result, key) for key in result.maps}
    return WrittenFiles(out, maps, out / REPORT, tuple(out / path for path in files))


def check_destination(out: Path) -> None:
    """Refuse a folder that cannot or must not be written to; call it before the long work starts.

    Raises:
        InputError: `out` is a file, holds a data set that ASLDenoise did not make, or may not be written to.
    """
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; give a folder to write the results into.")
    nearest = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
        raise InputError(f"{nearest} may not be written to; give a folder that may.")
    description = out / DESCRIPTION
    if description.exists() and NAME not in _generators(description):
        raise InputError(
            f"{out} already holds a data set that {NAME} did not make; give a folder of its own, "
            f"for example {out / 'derivatives' / NAME}."
        )


def save_volume(volume: Volume, path: Path, *, description: str = "") -> None:
    """Write one volume as NIfTI-1: float32, NaN kept, sform and qform code 1, mm.

    Args:
        volume: array (K, J, I), any unit; geometry in LPS mm, stored in RAS mm as NIfTI asks.
        path: ends in .nii or .nii.gz.
        description: up to 79 characters for the header's `descrip`; longer text is cut.
    """
    _save_array(volume.array, volume.geometry, path, description)


def _save_array(array: np.ndarray, geometry: Geometry, path: Path, description: str = "") -> None:
    """Write a volume (K, J, I) or a series (T, K, J, I)."""
    import nibabel as nib

    image = nib.Nifti1Image(array.T, geometry.affine_ras)
    image.header.set_data_dtype("float32")
    image.header.set_xyzt_units("mm")
    image.set_sform(geometry.affine_ras, code=1)
    image.set_qform(geometry.affine_ras, code=1)
    image.header["descrip"] = description.encode("ascii", "replace")[:79]
    nib.save(image, path)


def sidecar_path(image: Path) -> Path:
    """The JSON beside a NIfTI: ``x_cbf.nii.gz`` -> ``x_cbf.json``."""
    return image.with_name(image.name.removesuffix(".gz").removesuffix(".nii") + ".json")


def _write_all(
    result: Result, folder: Path, command: str, texts: Mapping[str, str], attachments: Mapping[str, Attachment]
) -> None:
    for key, volume in result.maps.items():
        image = folder / provenance.map_file(result, key)
        save_volume(volume, image, description=f"{result.kind(key).label} [{volume.unit or 'no unit'}]")
        _write_text(sidecar_path(image), provenance.to_json(provenance.sidecar(result, key, command=command)))
    _write_text(folder / READOUTS_JSON, provenance.to_json(provenance.readouts_json(result, command=command)))
    _write_text(folder / READOUTS_TSV, rows_tsv(columns(result), rows(result)))
    for name, text in texts.items():
        _write_text(folder / name, text)
    if result.request:
        _write_text(folder / REQUEST, provenance.to_json(request_to_json(result.request, folder, _save_array)))
    _write_text(folder / REPORT, html.report_html(result, command=command))
    for name, write in attachments.items():
        write(folder / name)
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _timelines(result: Result) -> dict[str, str]:
    """Texts of the tables over the course of the series, by file name; only those there are."""
    texts = {}
    motion = timeline.motion_tsv(result)
    if motion:
        stem = f"{result.series.name}_desc-motion_timeseries"
        texts[f"{stem}.tsv"] = motion
        texts[f"{stem}.json"] = provenance.to_json(timeline.motion_columns(result))
    outliers = timeline.outliers_tsv(result)
    return {**texts, **({OUTLIERS_TSV: outliers} if outliers else {})}


def _dataset(result: Result, out: Path, attachments: Iterable[str]) -> dict[str, str]:
    """Texts of what makes `out` a BIDS derivative, by file name; a README of someone else's stays."""
    texts = {
        DESCRIPTION: provenance.to_json(dataset.dataset_description()),
        BIDSIGNORE: dataset.bidsignore(attachments=attachments, before=_text_of(out / BIDSIGNORE)),
    }
    before = _text_of(out / README)
    if not before or dataset.is_our_readme(before):
        texts[README] = dataset.readme(result, attachments=attachments)
    return texts


def _text_of(path: Path) -> str:
    return path.read_text("utf-8", errors="replace") if path.is_file() else ""


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _generators(description: Path) -> list[str]:
    """The names under GeneratedBy in a dataset_description.json; empty where it has none."""
    try:
        return [str(entry.get("Name")) for entry in json.loads(description.read_text("utf-8"))["GeneratedBy"]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []


@contextmanager
def _staging(out: Path) -> Iterator[Path]:
    """A fresh folder on the same disk as `out`, gone afterwards, with the parents made for it if the work fails.

    Inside `out` where that exists, since `out` may be a mount of its own; beside it otherwise.
    """
    missing = [folder for folder in out.absolute().parents if not folder.exists()]
    home = out.absolute() if out.exists() else out.absolute().parent
    home.mkdir(parents=True, exist_ok=True)
    staging = home / f".{out.name}-{uuid.uuid4().hex[:12]}.partial"
    staging.mkdir()
    try:
        yield staging
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        with suppress(OSError):  # someone else may have put a file there meanwhile
            for folder in missing:
                folder.rmdir()
        raise
    shutil.rmtree(staging, ignore_errors=True)


def _move_into_place(staging: Path, files: list[Path], out: Path) -> None:
    if not out.exists():
        os.rename(staging, out)
        _sync(out.absolute().parent)
        return
    kept = staging / "replaced"
    kept.mkdir()
    moved = []
    try:
        # readouts.json last: whoever waits for it finds all the others in place
        for path in sorted(files, key=lambda path: path.name == READOUTS_JSON):
            (out / path).parent.mkdir(exist_ok=True)
            if (out / path).exists():
                (kept / path).parent.mkdir(exist_ok=True)
                _keep(out / path, kept / path)
            os.replace(staging / path, out / path)
            moved.append(path)
        _sync(out)
    except BaseException:
        for path in moved:
            if (kept / path).exists():
                os.replace(kept / path, out / path)
            else:
                (out / path).unlink(missing_ok=True)
        raise


def _keep(target: Path, copy: Path) -> None:
    """A second name for the old file, so that it can come back and is never absent; a copy where links are not had."""
    try:
        os.link(target, copy)
    except OSError:
        shutil.copy2(target, copy)


def _sync(path: Path) -> None:
    """Wait until a file or folder is on disk; Windows cannot open folders for that, and does not need it."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
