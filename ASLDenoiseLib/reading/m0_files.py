"""Which M0 image beside a series is meant, where several differ in their phase encoding.

An echo-planar image is distorted along its phase encoding, the other way round where that is reversed. An M0 of the
reverse direction is often acquired to correct the distortion, beside one of the same direction as the series.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..remedies import GiveImage
from ..series import Geometry
from .bids import find_m0, read_sidecar
from .images import image_stem, is_image_name
from .scan import Scan

_KEY = "PhaseEncodingDirection"
_ALIGNED = 0.8  # cosine between two axes that are called one


def choose_m0(image: Path) -> tuple[Path | None, tuple[str, ...]]:
    """The M0 image (`bids.find_m0`) of an ``_asl`` image, or None, and those that were passed over, with the reason.

    Of several, those of the series' phase encoding come before those of another. The entity ``dir`` may differ where
    sidecars or the series' own name say which direction each has.

    Raises:
        InputError: several fit equally.
    """
    scans = [p for p in sorted(image.parent.glob("*_m0scan.*")) if is_image_name(p)]
    stated = {p: _direction(p, "m0scan") for p in scans}
    own = _direction(image, "asl")
    related = [p for p in scans if own and stated[p] and _but_direction(p) <= _but_direction(image)]
    same = [p for p in related if stated[p] == own]
    against = [p for p in related if stated[p] != own] if same else []
    found = find_m0(image, without=against)
    if found is None:
        candidates = same or related
        if len(candidates) > 1:
            names = ", ".join(p.name for p in candidates)
            raise InputError(f"Several M0 images belong to {image.name} ({names})", [GiveImage("m0", "choose one")])
        found = candidates[0] if candidates else None
    return found, tuple(f"{p.name}, of phase encoding {stated[p]} and not {own}," for p in against)


def directions(scan: Scan, m0: Scan) -> tuple[str, ...]:
    """Phase encoding of an M0 and of its series where they differ in the patient, for people; empty where not."""
    if scan.path is None or m0.path is None:
        one, other = (str(each.sidecar.get(_KEY, "")) for each in (m0, scan))
    else:
        one, other = _direction(m0.path, "m0scan"), _direction(scan.path, "asl")
    if not one or not other:
        return ()
    axes = [_axis(text, each.geometry) for text, each in ((one, m0), (other, scan))]
    if any(axis is None for axis in axes):
        return () if one == other else (one, other)
    return () if float(axes[0] @ axes[1]) > _ALIGNED else (one, other)


def _direction(image: Path, suffix: str) -> str:
    """The phase encoding that a sidecar states (``j-``), else the entity ``dir`` of the name, else ''."""
    stated: Mapping[str, object] = read_sidecar(image, suffix=suffix)
    named = [part.removeprefix("dir-").upper() for part in image_stem(image).split("_") if part.startswith("dir-")]
    return str(stated.get(_KEY) or "") or "".join(named[:1])


def _but_direction(image: Path) -> set[str]:
    """The entities of an image without its ``dir``."""
    return {part for part in image_stem(image).split("_")[:-1] if not part.startswith("dir-")}


def _axis(text: str, geometry: Geometry) -> np.ndarray | None:
    """A direction such as ``j-`` as a unit vector, LPS; None of other words."""
    if text[:1] not in "ijk" or text[1:] not in ("", "-"):
        return None
    column = np.reshape(geometry.direction, (3, 3))[:, "ijk".index(text[:1])]
    return -column if text.endswith("-") else column
