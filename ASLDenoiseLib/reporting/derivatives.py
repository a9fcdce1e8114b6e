"""Write a finished run as BIDS derivatives: a whole result or none, under names that begin with the series'.

So the results of several series share a folder, and each run replaces its own files alone (`listing`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files import trouble
from ..given import fitted
from ..moving import replace_file
from ..result import Result
from ..result.maps import Role
from ..result.table import columns, rows, rows_tsv
from ..series import ASLSeries, Geometry, Volume
from ..software import NAME
from ..windows_paths import fault_in, is_windows, may_write_in
from . import dataset, delays_table, html, pairs_table, provenance, timeline
from .dataset import BIDSIGNORE, DESCRIPTION, README
from .listing import (
    COURSE,
    CURVES,
    INPUTS,
    LISTING,
    METHODS,
    MOTION,
    OUTLIERS_TSV,
    PAIRS,
    READOUTS_JSON,
    READOUTS_TSV,
    REPORT,
    REQUEST,
    check_files,
    check_length,
    check_name,
    file_digest,
    file_name,
    listings_in,
    new_listing,
    possible_names,
    still_there,
    to_plain,
)
from .request_file import request_to_json
from .staging import move_into_place, staging_for, sync


@dataclass(frozen=True)
class WrittenFiles:
    """The paths of a run's files.

    Args:
        folder: that holds them.
        maps: each map by its key.
        report: the page that shows all.
        readouts: the table, tab-separated.
        request: what was asked for; None where the result came from no request.
        files: every file, these included.
    """

    folder: Path
    maps: Mapping[str, Path]
    report: Path
    readouts: Path
    request: Path | None
    files: tuple[Path, ...]


Attachment = Callable[[Path], None]


Beside = Callable[[Result, Path], AbstractContextManager]


@fitted
def write_result(
    result: Result,
    out: Path | str,
    *,
    command: str = "",
    attachments: Mapping[str, Attachment] | None = None,
    beside: Beside | None = None,
    dataset_root: Path | str | None = None,
) -> WrittenFiles:
    """Write maps, sidecars, readouts, report and data set description into `out`.

    Args:
        result: the finished run; its maps are written in their own unit, float32, NaN kept.
        out: the folder; made where absent. Other files in it are left alone.
        command: what was asked for, for provenance.
        attachments: more files, by the end of their name: each value writes its file at the path it is given (a Slicer
            scene, say). They are the last, and the report lies beside them.
        beside: a context around the writing of the result's files into a folder, the report the first of them: it may
            make attachments meanwhile, and leaves nothing else there.
        dataset_root: the data set that `out` lies in, which somebody else describes (`dataset.root_texts`); None: `out`
            is one, and is described here.

    Raises:
        InputError: `out` cannot hold the result (a file, another data set, not writable, a file of somebody's own under
            one of its names); nothing has been written.
        OSError: the disk failed (full, gone); `out` is as it was.
    """
    out, name, attachments = Path(out), result.series.name, attachments or {}
    check_destination(out, dataset_root=dataset_root)
    check_name(name)
    earlier = listings_in(out)
    listing = new_listing(result.series, dataset.contents(result, attachments=attachments))
    known = {each.shared.get(README) for each in earlier.values()}
    shared = dataset.root_texts(out, {**earlier, name: listing}, known=known) if dataset_root is None else {}
    with staging_for(out) as staging:
        with nullcontext() if beside is None else beside(result, staging):
            _write_own(result, staging, command, attachments)
        own = _files_in(staging)
        check_files(out, result.series, [*own, file_name(name, LISTING)])
        for path, text in shared.items():
            _write_text(staging / path, text)
        digests = {path: file_digest(staging / path) for path in (*own, *shared)}
        files = {**still_there(out, earlier.get(name)), **{path: digests[path] for path in own}}
        listing = replace(listing, files=files, shared={path: digests[path] for path in shared})
        _write_text(staging / file_name(name, LISTING), provenance.to_json(to_plain(listing)))
        for path in (*staging.rglob("*"), staging):
            sync(path)
        move_into_place(staging, _in_order(_files_in(staging)), out)
    maps = {key: out / provenance.map_file(result, key) for key in result.maps}
    report, readouts, request = (out / file_name(name, what) for what in (REPORT, READOUTS_TSV, REQUEST))
    written = tuple(out / path for path in (*own, *shared, file_name(name, LISTING)))
    return WrittenFiles(out, maps, report, readouts, request if result.request else None, written)


def check_destination(
    out: Path | str,
    *,
    series: ASLSeries | None = None,
    attachments: Iterable[str] = (),
    dataset_root: Path | str | None = None,
) -> None:
    """Refuse a folder that cannot or must not be written to; call it before the long work starts.

    Args:
        out: the folder.
        series: whose results will be written, where it is known.
        attachments: what else will be written, by the end of its name.
        dataset_root: the data set that `out` lies in; None: `out` itself.

    Raises:
        InputError: `out` is a file, holds a data set that ASLDenoise did not make, or may not be written to; or a file
            of somebody's own has the name of a result of the series.
    """
    try:
        _check_destination(Path(out), series, attachments, Path(dataset_root or out))
    except OSError as error:  # a name too long, a link in a circle
        raise InputError(trouble(error) or f"{out} cannot be used ({error}); give another folder.") from error


def _check_destination(out: Path, series: ASLSeries | None, attachments: Iterable[str], root: Path) -> None:
    fault = fault_in(out.absolute()) if is_windows() else ""
    if fault:
        raise InputError(f"Results cannot be written into {out}, since {fault}; give another folder.")
    broken = next((p for p in (out, *out.absolute().parents) if p.is_symlink() and not p.exists()), None)
    if broken is not None:
        raise InputError(f"{broken} is a symbolic link that leads nowhere; give a folder to write the results into.")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file; give a folder to write the results into.")
    nearest = next((folder for folder in (out, *out.absolute().parents) if folder.exists()), None)
    if nearest is None:
        raise InputError(f"There is no disk {out.absolute().anchor}; connect it, or give a folder on another.")
    if not nearest.is_dir():
        raise InputError(f"{nearest} is a file, so that {out} cannot be made; give another folder.")
    if not may_write_in(nearest):
        raise InputError(f"{nearest} may not be written to; give a folder that may.")
    description = root / DESCRIPTION
    if description.exists() and NAME not in _generators(description):
        raise InputError(
            f"{root} already holds a data set that {NAME} did not make; give a folder of its own, "
            f"for example {root / 'derivatives' / NAME}."
        )
    for name in (DESCRIPTION, BIDSIGNORE, README):
        if (root / name).is_dir():
            raise InputError(f"{root / name} is a folder where a file is to be written; give another folder.")
    if series is not None:
        check_name(series.name)
        names = possible_names(series.name, attachments)
        check_length(out, names)
        check_files(out, series, names)


def save_volume(volume: Volume, path: Path, *, description: str = "", mask: bool = False) -> None:
    """Write one volume as NIfTI-1: float32, NaN kept, sform and qform code 1, mm.

    Args:
        volume: array (K, J, I), any unit; geometry in LPS mm, stored in RAS mm as NIfTI asks.
        path: ends in .nii or .nii.gz.
        description: up to 79 characters for the header's `descrip`; longer text is cut.
        mask: it holds 0 and 1 alone, which whole numbers of 8 bits keep.
    """
    _save_array(volume.array, volume.geometry, path, description, "uint8" if mask else "float32")


def save_course(array: np.ndarray, geometry: Geometry, path: Path, *, description: str = "") -> None:
    """Write volumes (T, K, J, I) that share a grid as one NIfTI, as `save_volume` does one."""
    _save_array(array, geometry, path, description)


def _save_array(
    array: np.ndarray, geometry: Geometry, path: Path, description: str = "", kind: str = "float32"
) -> None:
    """Write a volume (K, J, I) or a series (T, K, J, I)."""
    import nibabel as nib

    image = nib.Nifti1Image(array.T.astype(kind, copy=False), geometry.affine_ras)
    image.header.set_data_dtype(kind)
    image.header.set_xyzt_units("mm")
    image.set_sform(geometry.affine_ras, code=1)
    image.set_qform(geometry.affine_ras, code=1)
    image.header["descrip"] = description.encode("ascii", "replace")[:79]
    nib.save(image, path)


def sidecar_path(image: Path) -> Path:
    """The JSON beside a NIfTI: ``x_cbf.nii.gz`` -> ``x_cbf.json``."""
    return image.with_name(image.name.removesuffix(".gz").removesuffix(".nii") + ".json")


def _write_own(result: Result, folder: Path, command: str, attachments: Mapping[str, Attachment]) -> None:
    """Write every file of the series, but for the listing."""

    def named(what: str) -> Path:
        return folder / file_name(result.series.name, what)

    with ThreadPoolExecutor(1) as packing:  # zlib leaves Python to the report meanwhile
        packed = packing.submit(_save_maps, result, folder)
        _write_whole(named(REPORT), html.report_html(result, command=command))
        packed.result()
    for key in result.maps:
        image = folder / provenance.map_file(result, key)
        _write_text(sidecar_path(image), provenance.to_json(provenance.sidecar(result, key, command=command)))
    _write_text(named(READOUTS_JSON), provenance.to_json(provenance.readouts_json(result, command=command)))
    _write_text(named(READOUTS_TSV), rows_tsv(columns(result), rows(result)))
    _write_text(named(METHODS), result.methods_text)
    for what, text in _tables(result).items():
        _write_text(named(what), text)
    if result.request:
        inputs = file_name(result.series.name, INPUTS)
        content = request_to_json(result.request, folder, _save_array, inputs=inputs)
        _write_text(named(REQUEST), provenance.to_json(content))
    for what, write in attachments.items():
        write(named(what))


def _save_maps(result: Result, folder: Path) -> None:
    for key, volume in result.maps.items():
        kind = result.kind(key)
        mask = kind.role is Role.MASK and bool(np.isin(volume.array, (0, 1)).all())
        description = f"{kind.label} [{volume.unit or 'no unit'}]"
        save_volume(volume, folder / provenance.map_file(result, key), description=description, mask=mask)


def _files_in(folder: Path) -> list[str]:
    """Every file below a folder, by its path in it."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _in_order(files: Sequence[str]) -> list[Path]:
    """The listing first: who is killed in between has left nothing that is not known to be of this series. The readouts
    last: whoever waits for them finds all the others in place.
    """
    return [Path(name) for name in sorted(files, key=lambda name: (name.endswith(READOUTS_JSON), not _lists(name)))]


def _lists(name: str) -> bool:
    return name.endswith(f"_{LISTING}")


def _tables(result: Result) -> dict[str, str]:
    """Texts of the tables over pairs and volumes, by the end of their file's name; only those there are."""
    texts = {}
    motion = timeline.motion_tsv(result)
    if motion:
        texts[f"{MOTION}.tsv"] = motion
        texts[f"{MOTION}.json"] = provenance.to_json(timeline.motion_columns(result))
    pairs = pairs_table.pairs_tsv(result)
    if pairs:
        texts[f"{PAIRS}.tsv"] = pairs
        texts[f"{PAIRS}.json"] = provenance.to_json(pairs_table.pairs_json(result))
    course = timeline.course_tsv(result)
    if course:
        texts[f"{COURSE}.tsv"] = course
        texts[f"{COURSE}.json"] = provenance.to_json(timeline.course_columns(result))
    curves = delays_table.curves_tsv(result)
    if curves:
        texts[f"{CURVES}.tsv"] = curves
        texts[f"{CURVES}.json"] = provenance.to_json(delays_table.curves_json(result))
    outliers = timeline.outliers_tsv(result)
    return {**texts, **({OUTLIERS_TSV: outliers} if outliers else {})}


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _write_whole(path: Path, text: str) -> None:
    """Write a text that somebody waits for: it is there under its name only when it is complete."""
    part = path.with_name(f".{path.name}.part")
    _write_text(part, text)
    replace_file(part, path)


def _generators(description: Path) -> list[str]:
    """The names under GeneratedBy in a dataset_description.json; empty where it has none."""
    try:
        return [str(entry.get("Name")) for entry in json.loads(description.read_text("utf-8"))["GeneratedBy"]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return []
