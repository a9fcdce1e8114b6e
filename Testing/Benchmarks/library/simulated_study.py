"""A simulated study as a BIDS data set: two sessions a person, two scanners, three spoilt scans, and the truth beside.

Of twelve people, 24 scans. A person has one head and one level of perfusion; a session has its own noise, motion and
pose, and perfusion that differs by some per cent. All is fixed by seeds, and no person depends on how many others there
are.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import NormalDist

import numpy as np
import torch

from ASLDenoiseLib.learning.anatomy import Anatomy, read_anatomy
from ASLDenoiseLib.learning.phantom import Phantom, PhantomSettings, draw_phantom
from ASLDenoiseLib.learning.simulate import (
    PROTOCOL,
    ScanSettings,
    SimulatedScan,
    draw_t1,
    make_protocol,
    simulate_scan,
    t1_grid,
)
from ASLDenoiseLib.series import Labeling, M0Type, Volume

from .cases import HELD_OUT, TUNING, anatomy_path
from .command import SHARED, say
from .known_motion import matrix_of_pose

PEOPLE, SESSIONS, PAIRS, SEED = 12, ("1", "2"), 10, 21
GM_CBF, BETWEEN, WITHIN = 65.0, 0.15, 0.05  # ml/100g/min of cortex; SDs of people and of sessions, relative
ONE_T1 = (4, 7, 12)  # people with a T1 in the first session alone
UNLABELLED = 0.02  # of the perfusion, where labelling failed
# kept out of every training first
ANATOMIES = (*HELD_OUT[::-1], TUNING, *(f"brain-{n:02}" for n in range(14, 0, -1)))


class Spoilt(str, Enum):
    """What is wrong with a scan."""

    MOTION = "heavy motion and spikes"
    LABELLING = "labelling failed"
    OTHER_T1 = "another person's T1"


SPOILT = {(3, "2"): Spoilt.MOTION, (8, "1"): Spoilt.LABELLING, (11, "2"): Spoilt.OTHER_T1}


@dataclass(frozen=True)
class Scanner:
    """A scanner, its protocol, and the noise of its scans.

    Args:
        name: for people.
        label: of ``acq-``.
        size, spacing: of its images (i, j, k), voxels and mm.
        scan: a usual scan of it, in which a head moves as much as `motion` mm (SD; lowest and highest of a draw).
        sidecar: what its files state besides.
        blur_z: point spread between slices, SD in voxels.
        t1_spacing: mm.
    """

    name: str
    label: str
    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    scan: ScanSettings
    motion: tuple[float, float] = (0.1, 0.4)
    sidecar: dict[str, object] = field(default_factory=dict)
    blur_z: tuple[float, float] = (0.0, 0.0)
    t1_spacing: float = 1.5


_NOISE = ScanSettings(pairs=PAIRS, physiological=0.003, memory=0.5, common=0.3, pulsation=0.01, unevenness=0.5)
_FLAT = replace(
    make_protocol(Labeling.PCASL, readout="2D", slices=20), m0_type=M0Type.INCLUDED, post_labeling_delay=1.6
)
GRASE = Scanner(
    name="A, 3D GRASE, suppressed, M0 apart",
    label="grase",
    size=(64, 64, 26),
    spacing=(3.4, 3.4, 5.0),
    scan=replace(_NOISE, acquisition=PROTOCOL, gm_snr=1.5, correlation=0.5, correlation_z=0.6),
    sidecar={"Manufacturer": "Siemens", "ManufacturersModelName": "Simulated A", "PulseSequenceType": "3D_GRASE"},
    blur_z=(0.3, 0.6),
)
EPI = Scanner(
    name="B, 2D EPI, not suppressed, M0 included",
    label="epi",
    size=(72, 72, 20),
    spacing=(3.0, 3.0, 6.5),
    scan=replace(_NOISE, acquisition=_FLAT, gm_snr=1.0, correlation=0.4, correlation_z=0.0, physiological=0.001),
    sidecar={"Manufacturer": "Philips", "ManufacturersModelName": "Simulated B", "PulseSequenceType": "2D EPI"},
    t1_spacing=1.4,
)


@dataclass(frozen=True)
class Design:
    """What a study is made of.

    Args:
        people: how many; each has the same scans in a study of more or fewer.
        scanners: the first half of every twelve people are scanned on the first one.
        anatomy: the folder of label maps.
        pairs: of each scan; None: as the scanner has them.
    """

    people: int = PEOPLE
    scanners: tuple[Scanner, Scanner] = (GRASE, EPI)
    anatomy: Path = SHARED / "anatomy"
    pairs: int | None = None

    def scanner(self, person: int) -> Scanner:
        """The scanner of a person, who are counted from 1."""
        return self.scanners[(person - 1) % PEOPLE >= PEOPLE // 2]


@dataclass(frozen=True, eq=False)
class StudyScan:
    """A scan of the study with the truth.

    Args:
        person, session: counted from 1; a label.
        scanner: that it is of.
        scan: the series and its truth; the perfusion that a failed labelling does not show is in the truth.
        t1: of this session, None where there is none.
        settings: it was scanned with.
        cortex: CBF of the cortex, ml/100g/min, before arrival and regional variation.
        spoilt: what is wrong with it.
    """

    person: int
    session: str
    scanner: Scanner
    scan: SimulatedScan
    t1: Volume | None
    settings: ScanSettings
    cortex: float
    spoilt: Spoilt | None

    @property
    def place(self) -> str:
        """The folder of the session: ``sub-01/ses-1``."""
        return f"sub-{self.person:02}/ses-{self.session}"

    @property
    def name(self) -> str:
        """Of the series without ``_asl``."""
        return f"{self.place.replace('/', '_')}_acq-{self.scanner.label}"


def person_scans(person: int, design: Design) -> list[StudyScan]:
    """Both scans of a person."""
    anatomy = _anatomy(person, design)
    return [_scan(person, session, anatomy, design) for session in SESSIONS]


def _scan(person: int, session: str, anatomy: Anatomy, design: Design) -> StudyScan:
    scanner, spoilt = design.scanner(person), SPOILT.get((person, session))
    seed, rng = _seed(person, session), np.random.default_rng([SEED, person, int(session)])
    cortex = cortex_of(person) * (1 + WITHIN * rng.standard_normal())
    pose = rng.normal(size=6) * _pose_sd(3.0)
    head = _head(person, anatomy, scanner, cortex=cortex, pose=pose)
    settings = replace(scanner.scan, motion=float(np.exp(rng.uniform(*np.log(scanner.motion)))))
    if design.pairs:
        settings = replace(settings, pairs=design.pairs)
    shown = head
    if spoilt is Spoilt.MOTION:
        settings = replace(settings, motion=5.0, spikes=0.25)
    if spoilt is Spoilt.LABELLING:  # the noise stays as it would have been
        shown = replace(head, perfusion=UNLABELLED * head.perfusion)
        settings = replace(settings, gm_snr=UNLABELLED * settings.gm_snr)
    scan = simulate_scan(shown, settings, seed=seed)
    truth = scan.cbf.with_array(head.cbf.numpy())
    t1_pose = pose + rng.normal(size=6) * _pose_sd(1.0)
    t1 = _t1(person, session, anatomy, head, design, moved=_between(t1_pose, pose))
    return StudyScan(person, session, scanner, replace(scan, cbf=truth), t1, settings, cortex, spoilt)


def _t1(
    person: int, session: str, anatomy: Anatomy, head: Phantom, design: Design, *, moved: np.ndarray
) -> Volume | None:
    """The T1 of a session, which for one scan is that of the next person."""
    if person in ONE_T1 and session != SESSIONS[0]:
        return None
    if SPOILT.get((person, session)) is Spoilt.OTHER_T1:
        person += 1
        anatomy = _anatomy(person, design)
        head = _head(person, anatomy, design.scanner(person), cortex=cortex_of(person), pose=np.zeros(6))
    grid = t1_grid(anatomy, design.scanner(person).t1_spacing)
    return draw_t1(head, grid, _seed(person, session), moved=moved)


def _head(person: int, anatomy: Anatomy, scanner: Scanner, *, cortex: float, pose: np.ndarray) -> Phantom:
    """A person's head as it lies in a scanner."""
    settings = PhantomSettings(
        size=scanner.size,
        affine=0.04,
        rotation=3.0,
        ventricles=(-0.5, 3.0),
        atrophy=(0.0, 1.0),
        gm_cbf=(cortex, cortex),
        gm_wm_ratio=(2.2, 3.2),
        regional=0.10,
        asymmetry=0.08,
        vessels=0.3,
        lesions=0,
        blur=(0.3, 0.3),
        blur_z=scanner.blur_z,
    )
    back = torch.tensor(np.linalg.inv(matrix_of_pose(pose))).float()
    reverse = torch.eye(4)[[2, 1, 0, 3]]  # matrices are of points (i, j, k), phantoms of (k, j, i)
    acquisition = scanner.scan.acquisition
    return draw_phantom(
        anatomy,
        settings,
        seed=_seed(person),
        spacing=scanner.spacing,
        acquisition=acquisition,
        pose=reverse @ back @ reverse,
    )


def _between(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The matrix, LPS mm, from a head in one pose to the same in another."""
    return matrix_of_pose(second) @ np.linalg.inv(matrix_of_pose(first))


def _pose_sd(mm: float) -> np.ndarray:
    """SDs of shifts (mm) and of turns (radians) that go with them, 0.8 degrees a mm."""
    return np.array([mm] * 3 + [np.deg2rad(0.8 * mm)] * 3)


def cortex_of(person: int) -> float:
    """A person's CBF of cortex, ml/100g/min: twelve people stand at the quantiles of what people have."""
    places = np.random.default_rng(SEED).permutation(PEOPLE)
    quantile = (places[(person - 1) % PEOPLE] + 0.5) / PEOPLE
    return GM_CBF * (1 + BETWEEN * NormalDist().inv_cdf(quantile))


def _anatomy(person: int, design: Design) -> Anatomy:
    return read_anatomy(anatomy_path(ANATOMIES[(person - 1) % len(ANATOMIES)], design.anatomy))


def _seed(person: int, session: str = "0") -> int:
    return SEED * 100_000 + person * 10 + int(session)


def write_study(out: Path, design: Design, *, workers: int = 1) -> None:
    """Write a whole study; persons that are there already are written again.

    Raises:
        OSError: the folder cannot be written.
    """
    from .study_files import write_data_set, write_truth_table

    write_data_set(out, design)
    people = range(1, design.people + 1)
    make = partial(_write_person, out=out, design=design)
    if workers == 1:
        rows = list(map(make, people))
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            rows = list(pool.map(make, people))
    write_truth_table(out, [row for each in rows for row in each])


def _write_person(person: int, *, out: Path, design: Design) -> list[dict[str, object]]:
    """Write a person's files; what the table of the truth says of the scans."""
    from .study_files import truth_row, write_scan

    torch.set_num_threads(1)  # so that sums are the same whatever runs beside
    rows = []
    for scan in person_scans(person, design):
        write_scan(out, scan)
        rows.append(truth_row(scan))
        say(f"{scan.name}{f': {scan.spoilt.value}' if scan.spoilt else ''}")
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m Testing.Benchmarks.library.simulated_study")
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder of the data set")
    parser.add_argument("--people", type=int, default=PEOPLE, help=f"two scans each (default: {PEOPLE})")
    parser.add_argument("--pairs", type=int, help=f"of each scan (default: {PAIRS})")
    parser.add_argument("--anatomy", type=Path, default=Design.anatomy, help="the folder of label maps")
    parser.add_argument("--workers", type=int, default=1, help="people simulated at a time")
    args = parser.parse_args(arguments)
    write_study(args.out, Design(args.people, anatomy=args.anatomy, pairs=args.pairs), workers=args.workers)


if __name__ == "__main__":
    main()
