"""Time-encoded (Hadamard) series, decoded into a difference for each sub-bolus where the file states how.

One labelling is cut into N - 1 sub-boli; in N volumes each is label or control by a column of a matrix. Keys and
conventions are those of ExploreASL (its xASL_quant_HadamardDecoding): ``TimeEncodedMatrix``, (N - 1) rows of 1 for
control and -1 for label, or ``TimeEncodedMatrixType`` (Hadamard, Walsh) with ``TimeEncodedMatrixSize`` (4, 8), whose
signs are the other way round at Philips; of N delays the first belongs to no sub-bolus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..errors import InputError
from ..findings import note_kind
from ..remedies import Advice, SetField
from ..series import VolumeType
from .delay_lists import LISTS
from .scan import Scan

_SIZES = (4, 8)  # of which the order of the rows is known
_ENCODED = (VolumeType.CONTROL, VolumeType.LABEL)
_DECODED = note_kind(
    "time-decoded",
    "The label was time-encoded, and was decoded",
    "{volumes} volumes of a matrix of {size} gave {repeats} differences for each of {count} delays",
    Advice("look at the maps: motion within one code can no longer be corrected, and spreads over all delays"),
)


def decoded(
    scan: Scan, types: Sequence[VolumeType], values: Mapping[str, object] | None
) -> tuple[Scan, tuple[VolumeType, ...], dict[str, object]]:
    """Scan, context and the user's values, of a time-encoded series whose matrix is stated as decoded differences.

    Others are given back as they are. The differences follow the volumes that were not encoded (M0), repetition by
    repetition; each has the delay and duration of its sub-bolus.

    Args:
        scan: as read.
        types: what its volumes are; control and label are taken as encoded.
        values: fields of `Acquisition` that the user gives; delays and durations of sub-boli are taken from there.

    Raises:
        InputError: the matrix is none, or does not fit the volumes or the delays.
    """
    values = dict(values or {})
    encoded = [t for t, kind in enumerate(types) if kind in _ENCODED]
    matrix = matrix_of(scan.sidecar) if encoded and VolumeType.DELTAM not in types else None
    if matrix is None:
        return scan, tuple(types), values
    size = matrix.shape[1]
    times = {name: values.get(name, scan.sidecar.get(key)) for name, key in LISTS.items()}
    if _echoes(scan.sidecar) > 1 or len(encoded) % size:
        raise _refused(size, f"{len(encoded)} volumes are no multiple of {size * _echoes(scan.sidecar)}")
    places = _codes(encoded, size, times["post_labeling_delay"], len(types))
    differences = decode(scan.array[places], matrix)
    kept = [t for t in range(len(types)) if t not in encoded]
    array = np.concatenate([scan.array[kept], differences.reshape(-1, *scan.array.shape[1:])])
    sidecar = _of_blocks(scan.sidecar, kept, places[:, 0], size - 1, len(types))
    for name, key in LISTS.items():
        if times[name] is not None:
            each = _sub_boli(times[name], size, places, len(types), key)
            spread = [0.0] * len(kept) + each * len(places)
            if values.get(name) is not None:
                values[name] = spread
            else:
                sidecar[key] = spread
    context = (*(types[t] for t in kept), *(VolumeType.DELTAM,) * differences.shape[0] * (size - 1))
    said = _DECODED.finding(volumes=len(encoded), size=size, repeats=len(places), count=size - 1)
    return replace(scan, array=array, sidecar=sidecar, findings=(*scan.findings, said)), tuple(context), values


def matrix_of(sidecar: Mapping[str, object]) -> np.ndarray | None:
    """The matrix (N - 1, N) that a sidecar states, 1 for control and -1 for label; None where it states none.

    Raises:
        InputError: what it states is none, or leaves sub-boli that cannot be told apart.
    """
    stated, kind = sidecar.get("TimeEncodedMatrix"), str(sidecar.get("TimeEncodedMatrixType", "")).strip().lower()
    size = sidecar.get("TimeEncodedMatrixSize")
    if stated is not None:
        return _checked(stated)
    if kind not in ("hadamard", "walsh") or size not in _SIZES:
        return None
    sign = -1.0 if str(sidecar.get("Manufacturer", "")).lower().startswith("philips") else 1.0
    return sign * known_matrix(kind, int(size))


def known_matrix(kind: str, size: int) -> np.ndarray:
    """The matrix (N - 1, N) of a kind, ``hadamard`` or ``walsh``, and size, 4 or 8.

    Rows of Sylvester's matrix: Walsh' by falling number of changes of sign; of Hadamard 4 as they stand, of 8 the last
    first, as ExploreASL has them.
    """
    rows = np.ones((1, 1))
    while len(rows) < size:
        rows = np.block([[rows, rows], [rows, -rows]])
    if kind == "walsh":
        changes = (np.diff(rows, axis=1) != 0).sum(axis=1)
        return rows[np.argsort(-changes)][:-1]
    return rows[1:] if size == 4 else rows[:0:-1]


def decode(volumes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The difference (control minus label) of each sub-bolus, (R, N - 1, K, J, I), of volumes (R, N, K, J, I).

    Volume i is the control less the differences of the sub-boli that are label in column i of `matrix` (N - 1, N).
    """
    size = matrix.shape[1]
    labelled = np.concatenate([np.ones((size, 1)), -(1 - matrix.T) / 2], axis=1)
    weights = np.linalg.inv(labelled)[1:]
    return np.einsum("dn,rn...->rd...", weights, volumes, optimize=True).astype(np.float32)


def _checked(stated: object) -> np.ndarray:
    try:
        matrix = np.asarray(stated, float)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] and (matrix[0] == 1).all():
        matrix = matrix[1:]  # a first row of controls alone
    fits = matrix.ndim == 2 and matrix.shape[0] + 1 == matrix.shape[1] and set(np.unique(matrix)) <= {-1.0, 1.0}
    if not fits or np.linalg.matrix_rank(np.vstack([np.ones(matrix.shape[1]), matrix])) < matrix.shape[1]:
        raise InputError(
            "TimeEncodedMatrix is no matrix of N - 1 rows of N numbers, 1 for control and -1 for label, that differ; "
            "correct it, or give decoded differences."
        )
    return matrix


def _echoes(sidecar: Mapping[str, object]) -> int:
    """The number of echoes, which are stored as volumes of their own."""
    times = sidecar.get("EchoTime")
    return len(set(map(str, times))) if isinstance(times, list) else 1


def _codes(encoded: Sequence[int], size: int, delays: object, volumes: int) -> np.ndarray:
    """The positions (R, N) of the volumes of each code, in the order of the matrix's columns.

    One code after another, unless a list of a delay a volume says that repeats of one column lie side by side.
    """
    places = np.array(encoded).reshape(-1, size)
    repeats = len(places)
    if isinstance(delays, (list, tuple)) and len(delays) == volumes and repeats > 1:
        own = np.array([delays[t] for t in encoded], dtype=object).reshape(size, repeats)
        if all(len(set(row)) == 1 for row in own.tolist()) and len(set(own[:, 0].tolist())) == size:
            return np.array(encoded).reshape(size, repeats).T
    return places


def _sub_boli(stated: object, size: int, places: np.ndarray, volumes: int, key: str) -> list[float]:
    """A delay or duration for each sub-bolus, of one number, or of a list of N - 1, of N, or of one a volume."""
    if isinstance(stated, (int, float)) and key == "LabelingDuration":
        return [float(stated)] * (size - 1)
    found = list(stated) if isinstance(stated, (list, tuple)) else []
    if len(found) == volumes:
        found = [found[t] for t in places[0]]
    if len(found) == size:
        found = found[1:]
    if len(found) != size - 1 or not all(isinstance(each, (int, float)) for each in found):
        field = next(name for name, other in LISTS.items() if other == key)
        text = f"give {size - 1} numbers, one a sub-bolus in the order of the matrix's rows"
        raise _refused(size, f"{key} does not give one for each of {size - 1} sub-boli", SetField(field, text=text))
    return [float(each) for each in found]


def _of_blocks(
    sidecar: Mapping[str, object], kept: Sequence[int], firsts: Sequence[int], count: int, volumes: int
) -> dict[str, object]:
    """The sidecar with its lists of one a volume as those of the decoded series."""
    places = [*kept, *(int(first) for first in firsts for _ in range(count))]
    lists = {key: value for key, value in sidecar.items() if isinstance(value, list) and len(value) == volumes}
    spared = ("SliceTiming", "TimeEncodedMatrix")
    changed = {key: [value[t] for t in places] for key, value in lists.items() if key not in spared}
    return {**sidecar, **changed, "TotalAcquiredPairs": None}


def _refused(size: int, why: str, *remedies: SetField) -> InputError:
    what = f"The label is time-encoded by a matrix of {size} and cannot be decoded: {why}"
    return InputError(what, remedies or [Advice("correct what is stated, or give decoded differences")])
