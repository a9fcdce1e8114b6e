"""One image file, or one converted DICOM series, before it is known to be an ASL series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..files import composed
from ..findings import Finding
from ..series import Geometry, Origin, VolumeType
from .bids import read_sidecar
from .images import image_stem, read_array4d, require_contrast


@dataclass(frozen=True, eq=False)
class Scan:
    """An image as read, with its metadata.

    Args:
        array: float32 (T, K, J, I), scanner units.
        geometry: the grid of every volume.
        sidecar: BIDS (or dcm2niix) keys.
        origin: of the sidecar's values.
        name: stem for output names.
        path: the file it came from, None for DICOM.
        context: of the DICOM, one type a volume; None where it states none.
        m0: the M0 scan that was found beside it in a DICOM folder.
        findings: what is to be said of the rest of that folder.
    """

    array: np.ndarray
    geometry: Geometry
    sidecar: Mapping[str, object] = field(default_factory=dict)
    origin: Origin = Origin.SIDECAR
    name: str = "asl"
    path: Path | None = None
    context: tuple[VolumeType, ...] | None = None
    m0: Scan | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def where(self) -> str:
        """The source of the values, for errors."""
        return "the DICOM" if self.path is None else f"the sidecar of {self.path.name}"


def read_scan(path: Path, *, suffix: str = "asl", sidecar: bool = True) -> Scan:
    """Read a NIfTI (or MGZ) with its sidecars, if wanted; errors as in `images.read_array4d` and `bids.read_json`."""
    array, geometry = read_array4d(path)
    require_contrast(array, f"The image {path}")
    name = composed(image_stem(path).removesuffix(f"_{suffix}"))
    return Scan(array, geometry, read_sidecar(path, suffix=suffix) if sidecar else {}, name=name, path=path)
