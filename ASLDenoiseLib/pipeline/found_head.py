"""What is found of a T1 before a run: whether it belongs to the series; the run takes over what it need not redo."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import numpy as np

from ..findings import Finding
from ..preparing.registration import RigidRegistration
from ..preparing.series_fit import SeriesFit
from ..preparing.tissue import SegmentedTissue
from ..series import Volume


@dataclass(frozen=True, eq=False)
class FoundHead:
    """The T1 segmented and registered to a series, and whether it belongs to it.

    Args:
        fit: whether the T1 belongs to the series.
        findings: what was noticed about the T1 and its alignment.
        tissue: of the T1, in its space.
        registration: of the T1 to the series.
        target: the image of the series that the T1 was registered to.
        brain: 0/1, the brain of the series as it was found in its own images.
        t1_digest: of the T1 that was segmented; `pair_digest` of all that went into the registration.
    """

    fit: SeriesFit
    findings: tuple[Finding, ...]
    tissue: SegmentedTissue = field(repr=False)
    registration: RigidRegistration = field(repr=False)
    target: Volume = field(repr=False)
    brain: Volume = field(repr=False)
    t1_digest: str = ""
    pair_digest: str = ""


def digest(*things: Volume | np.ndarray | None) -> str:
    """A text that differs where images, their grids or matrices do."""
    found = hashlib.blake2b(digest_size=16)
    for thing in things:
        if isinstance(thing, Volume):
            found.update(repr(thing.geometry).encode())
        array = thing.array if isinstance(thing, Volume) else thing
        found.update(b"none" if array is None else np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
