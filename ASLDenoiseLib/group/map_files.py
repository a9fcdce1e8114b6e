"""The maps of a study on disk: NIfTI with sidecars, and all scans' maps in one 4D file, written scan by scan."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from ..reporting.derivatives import save_volume, sidecar_path
from ..reporting.provenance import to_json
from ..result.maps import MNI
from ..result.table import tsv_text
from ..series import Geometry, Volume
from .map_table import KINDS

_FASTEST = 1  # of gzip; noise hardly gets smaller by more


def write_map(folder: Path, key: str, volume: Volume, *, suffix: str, told: Mapping[str, object]) -> tuple[Path, Path]:
    """Write a map of `map_table.KINDS` with its sidecar, which also holds what is `told`; returns both paths."""
    kind = KINDS[key]
    path = folder / kind.file_name(suffix)
    save_volume(volume, path, description=f"{kind.label} [{volume.unit or 'no unit'}]")
    content = {"Description": kind.description, **({"Units": volume.unit} if volume.unit else {}), **told}
    return path, _write_json(sidecar_path(path), content)


class Stack:
    """A 4D file of the maps of all scans, which grows by one at a time; a context, which closes it.

    Args:
        folder: for the image, its sidecar and the table of its volumes.
        which: raw or processed; for the names.
        suffix, unit: of the scans' maps.
        rows: scan, participant, session of each volume, in their order; as many are to be added.
        grid: of every map.
    """

    def __init__(
        self, folder: Path, which: str, *, suffix: str, unit: str, rows: Sequence[tuple[str, str, str]], grid: Geometry
    ) -> None:
        self.path = folder / f"{MNI}_desc-{which}_stat-all_{suffix}.nii.gz"
        self._table = [("volume", "scan", "participant", "session")]
        self._table += [(str(n), scan, person, session or "n/a") for n, (scan, person, session) in enumerate(rows)]
        self._unit, self._file = unit, _opened(self.path, grid, len(rows))
        self._description = f"The {which} maps of all scans; the table of the same name says which volume is whose."

    def add(self, array: np.ndarray | None, grid: Geometry) -> None:
        """The next scan's map (K, J, I); None: nothing was measured."""
        array = np.full(grid.shape, np.nan) if array is None else array
        self._file.write(np.ascontiguousarray(array, "<f4").tobytes())

    @property
    def files(self) -> tuple[Path, Path, Path]:
        """Image, sidecar and table."""
        return self.path, sidecar_path(self.path), sidecar_path(self.path).with_suffix(".tsv")

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()
        if kind is None:
            _, sidecar, table = self.files
            _write_json(sidecar, {"Description": self._description, "Units": self._unit})
            table.write_text(tsv_text(self._table), encoding="utf-8", newline="\n")


def _opened(path: Path, grid: Geometry, count: int) -> BinaryIO:
    """A compressed NIfTI-1 whose header is written, ready for its voxels."""
    import nibabel

    header = nibabel.Nifti1Header()
    header.set_data_shape((*grid.size, count))
    header.set_data_dtype(np.float32)
    header.set_zooms((*grid.spacing, 1.0))
    header.set_xyzt_units("mm")
    header.set_sform(grid.affine_ras, code=1)
    header.set_qform(grid.affine_ras, code=1)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    file = gzip.GzipFile(path, "wb", compresslevel=_FASTEST, mtime=0)
    file.write(header.binaryblock + bytes(4))
    return file


def _write_json(path: Path, content: Mapping[str, object]) -> Path:
    path.write_text(to_json(content), encoding="utf-8", newline="\n")
    return path
