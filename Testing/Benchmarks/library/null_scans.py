"""Scans of gel phantoms: label and control images of real scanners, and nothing that is perfused."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.preparing.pairs import difference_volumes, some_pairs
from ASLDenoiseLib.quantifying.cbf import as_it_is
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.series import SCANNER_UNIT, ASLSeries, Tissue, Volume, VolumeType
from ASLDenoiseLib.spatial.masks import largest_piece

from .cases import HELD_OUT, Case, anatomy_path, draw_head, guides_in_place, seen
from .command import say

ORIGIN = "from the public repositories neurolabusc/dcm_qa_philips_asl and dcm_qa_xa30i (BSD-2-Clause)"
_BRIGHT = 0.3  # of the brightest controls: gel, and not the air round it
_STEADY = 1.5  # times the usual signal: beyond it a pair was not suppressed as the others were


@dataclass(frozen=True, eq=False)
class NullScan:
    """Differences of a gel.

    Args:
        label: for people.
        pairs: (N, K, J, I), scanner units.
        gel: 0/1 on their grid.
        control: the mean control image.
    """

    label: str
    pairs: ASLSeries
    gel: Volume
    control: Volume

    @property
    def inside(self) -> np.ndarray:
        """Bool (K, J, I)."""
        return self.gel.array > 0


def null_scan(label: str, series: ASLSeries) -> NullScan:
    """The gel of a series and its differences; pairs that the scanner suppressed otherwise are left out."""
    differences, controls = difference_volumes(series), series.array[series.indices(VolumeType.CONTROL)]
    level = controls.mean(axis=(1, 2, 3))
    usual = np.flatnonzero(level < _STEADY * np.median(level))
    control = series.volume(0).with_array(controls[usual].mean(axis=0), name="mean control")
    gel = largest_piece(control.array > _BRIGHT * np.percentile(control.array, 99))
    return NullScan(label, some_pairs(differences, usual), control.with_array(gel), control)


def _philips_2d(path: Path) -> ASLSeries:
    return read_series(path, context="label,control")


def _siemens_2d(path: Path) -> ASLSeries:
    with tempfile.TemporaryDirectory() as folder, tarfile.open(path) as archive:
        archive.extractall(folder, filter="data")
        return read_series(folder, context="m0scan,label,control")


@dataclass(frozen=True)
class Source:
    """A gel phantom's series: its name, its place below the folder of data, its reader, and how many pairs at a time
    are denoised."""

    label: str
    place: str
    read: Callable[[Path], ASLSeries]
    counts: tuple[int, ...]

    def scan(self, data: Path) -> NullScan | None:
        """The scan; None, and a word, where it is not there."""
        if not (data / self.place).exists():
            say(f"skipped: {self.place} is not below the folder of data")
            return None
        return null_scan(self.label, self.read(data / self.place))


SOURCES = (
    Source("Philips 2D pCASL", "phantom/philips-2d-pcasl-30pairs.nii.gz", _philips_2d, (30, 10, 4, 2)),
    Source("Philips 3D pCASL", "dicom/philips-phantom-pcasl-3d", read_series, (7, 2)),
    Source("Siemens 2D pCASL", "dicom/siemens-xa30i-phantom-study.tar.gz", _siemens_2d, (3,)),
)


def laid_over(scan: NullScan, anatomy: Path) -> Case:
    """The scan as if it were of a simulated head: its M0, its T1's contrast classes and its tissue, over the gel.

    The head is drawn on the grid of the scan and shifted by whole voxels, so that its middle is that of the gel; the
    brain is what of it lies on the gel.
    """
    geometry = scan.gel.geometry
    head = draw_head(
        anatomy_path(HELD_OUT[0], anatomy), spacing=geometry.spacing, gm_snr=1.0, pairs=1, seed=41, size=geometry.size
    )
    tissue, m0, guides = head.scan.tissue, head.scan.series.m0, guides_in_place(head)
    shift = np.round(_middle(scan.inside) - _middle(tissue.brain.array > 0)).astype(int)

    def over(volume: Volume) -> Volume:
        return scan.gel.with_array(np.roll(volume.array, shift, axis=(0, 1, 2)), name=volume.name)

    brain = scan.gel.with_array(scan.inside & (over(tissue.brain).array > 0), name="brain")
    laid = Tissue(over(tissue.gm), over(tissue.wm), over(tissue.csf), brain, "a simulated head's")
    return _case(scan, brain, over(m0), tuple(over(g) for g in guides), laid)


def as_gel(scan: NullScan) -> Case:
    """The scan as it is: the gel is the brain, its mean control the M0, and no head tells of tissue."""
    nothing = scan.gel.with_array(np.zeros(scan.gel.array.shape))
    return _case(scan, scan.gel, scan.control, (), Tissue(nothing, nothing, None, scan.gel, "none"))


def _case(scan: NullScan, brain: Volume, m0: Volume, guides: Sequence[Volume], tissue: Tissue) -> Case:
    unit = as_it_is(brain, SCANNER_UNIT)
    return Case(scan.label, scan.pairs, brain, m0, tuple(guides), tissue, unit, None, scan.pairs)


def _middle(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(axis=0)


def portions(case: Case, count: int, *, most: int) -> list[Case]:
    """Up to `most` scans of `count` successive pairs each, none in two of them."""
    total = len(case.every_pair.context)
    starts = range(0, total - count + 1, count)
    return [seen(case, some_pairs(case.every_pair, np.arange(s, s + count)), f"{case.label}, {count}") for s in starts][
        :most
    ]


def turned(case: Case) -> Case:
    """Every other pair with label and control exchanged: whatever differed between them all along is gone."""
    signs = np.where(np.arange(len(case.every_pair.context)) % 2, -1.0, 1.0)[:, None, None, None]
    pairs = replace(case.every_pair, array=case.every_pair.array * signs)
    return replace(case, label=f"{case.label}, turned", pairs=pairs, every_pair=pairs)
