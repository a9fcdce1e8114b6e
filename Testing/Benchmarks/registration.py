"""T1 to ASL registration from wrong headers, on simulated heads whose alignment is known; writes registration.md.

Each start turns and shifts the T1 by its header, about its middle, up to 15 degrees and 20 mm; the tissue's brain goes
with it, as it would in a run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.learning.anatomy import read_anatomy
from ASLDenoiseLib.learning.phantom import PhantomSettings
from ASLDenoiseLib.learning.simulate import ScanSettings, SimulatedHead, make_protocol, simulate_head
from ASLDenoiseLib.preparing.brain_mask import brain_mask
from ASLDenoiseLib.preparing.registration import judge_alignment, register_rigid
from ASLDenoiseLib.preparing.tissue_t1 import tissue_from_t1
from ASLDenoiseLib.series import Geometry, Labeling, Volume, VolumeType

from .library.cases import anatomy_path
from .library.command import begin, options, say, timed
from .library.tables import text_table

MOST_MM, MOST_DEGREES = 20.0, 15.0
WITHIN_MM, WITHIN_DEGREES = 1.0, 1.0


@dataclass(frozen=True)
class Setting:
    """A scan and how many wrong headers it is tried from; a `suppressed` target is the control, else the M0."""

    label: str
    anatomy: str
    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    starts: int
    readout: str = "3D"
    suppressed: bool = False

    @property
    def scan(self) -> tuple:
        """What settings of one scan have in common."""
        return self.anatomy, self.size, self.spacing, self.readout


WHOLE, SLAB, THICK = ((64, 64, 24), (3.4, 3.4, 5.0)), ((64, 64, 10), (3.4, 3.4, 5.0)), ((64, 64, 16), (3.0, 3.0, 8.0))
SETTINGS = (
    Setting("M0, 3D 3.4x3.4x5 mm", "brain-16", *WHOLE, 50),
    Setting("suppressed control, 3D 3.4x3.4x5 mm", "brain-16", *WHOLE, 6, suppressed=True),
    Setting("M0, slab of 50 mm, 3.4x3.4x5 mm", "brain-17", *SLAB, 6),
    Setting("M0, 2D 3x3x8 mm", "brain-13", *THICK, 6, "2D"),
)


@dataclass(frozen=True)
class Outcome:
    """One registration: its errors over the brain, whether it warned, and how long it took."""

    mm: float
    degrees: float
    warned: bool
    seconds: float

    @property
    def right(self) -> bool:
        """Within 1 mm and 1 degree."""
        return self.mm <= WITHIN_MM and self.degrees <= WITHIN_DEGREES


def turn(axis: np.ndarray, radians: float) -> np.ndarray:
    """The 3x3 rotation about an axis of any length (Rodrigues)."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(radians) * cross + (1 - np.cos(radians)) * cross @ cross


def wrong_header(geometry: Geometry, rng: np.random.Generator) -> np.ndarray:
    """4x4, LPS mm: a turn about the middle of the image and a shift, evenly up to 15 degrees and 20 mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = turn(rng.normal(size=3), np.deg2rad(rng.uniform(0, MOST_DEGREES)))
    way = rng.normal(size=3)
    middle = (geometry.affine_lps @ [*(np.array(geometry.size) - 1) / 2, 1])[:3]
    shift = way / np.linalg.norm(way) * rng.uniform(0, MOST_MM)
    matrix[:3, 3] = middle + shift - matrix[:3, :3] @ middle
    return matrix


def moved(volume: Volume, matrix: np.ndarray) -> Volume:
    """The image with its header changed, not a voxel of it."""
    g = volume.geometry
    direction = matrix[:3, :3] @ np.reshape(g.direction, (3, 3))
    origin = (matrix @ [*g.origin, 1])[:3]
    return replace(volume, geometry=Geometry(g.size, g.spacing, tuple(origin), tuple(direction.ravel())))


def error(found: np.ndarray, truth: np.ndarray, points: np.ndarray) -> tuple[float, float]:
    """Mean mm over points (n, 4) of the T1's brain, and degrees, between two transforms."""
    relative = found[:3, :3] @ truth[:3, :3].T
    cosine = np.clip((np.trace(relative) - 1) / 2, -1, 1)
    distances = np.linalg.norm(points @ (found - truth)[:3].T, axis=1)
    return float(distances.mean()), float(np.rad2deg(np.arccos(cosine)))


def suppressed_control(head: SimulatedHead) -> Volume:
    """The mean control with white matter dark and CSF bright, as background suppression leaves them in 3D GRASE."""
    control, tissue = head.scan.series.mean(VolumeType.CONTROL), head.scan.tissue
    return control.with_array(control.array * (1 - 0.4 * tissue.wm.array + 0.6 * tissue.csf.array))


def scanned(setting: Setting, folder: Path) -> SimulatedHead:
    """The head of a setting: 10 pairs at a single-pair GM SNR of 1."""
    protocol = make_protocol(Labeling.PCASL, readout=setting.readout, slices=setting.size[2])
    return simulate_head(
        read_anatomy(anatomy_path(setting.anatomy, folder)),
        phantom=PhantomSettings(size=setting.size),
        spacing=setting.spacing,
        scan=ScanSettings(pairs=10, gm_snr=1.0, acquisition=protocol),
        seed=71,
    )


def outcomes(head: SimulatedHead, brain: Volume, target: Volume, starts: int) -> list[Outcome]:
    """Every start, each with a warning or not."""
    mask = brain_mask(head.scan.series.m0)
    inside = np.argwhere(brain.array > 0.5)[::200, ::-1]
    places = np.c_[inside, np.ones(len(inside))] @ brain.geometry.affine_lps.T
    rng, results = np.random.default_rng(3), []
    for _ in range(starts):
        wrong = wrong_header(head.t1.geometry, rng)
        t1, moving_mask = moved(head.t1, wrong), moved(brain, wrong)
        truth = head.t1_to_asl @ np.linalg.inv(wrong)
        found, seconds = timed(register_rigid, t1, target, fixed_mask=mask, moving_mask=moving_mask)
        results.append(Outcome(*error(found.matrix, truth, places @ wrong.T), bool(found.warning), seconds))
    return results


def told_wrong(head: SimulatedHead, brain: Volume, target: Volume, starts: int) -> list[tuple[bool, bool]]:
    """Whether `judge_alignment` warns of (the true transform, the header as it is), from wrong headers."""
    mask, rng, told = brain_mask(head.scan.series.m0), np.random.default_rng(4), []
    for _ in range(starts):
        wrong = wrong_header(head.t1.geometry, rng)
        t1, moving_mask = moved(head.t1, wrong), moved(brain, wrong)
        judged = (
            judge_alignment(t1, target, matrix, fixed_mask=mask, moving_mask=moving_mask).warning != ""
            for matrix in (head.t1_to_asl @ np.linalg.inv(wrong), head.t1_to_asl)
        )
        told.append(tuple(judged))
    return told


def cells(label: str, results: list[Outcome]) -> list[str]:
    """A line of the table."""
    failures = [each for each in results if not each.right]
    mm, degrees = (np.array([getattr(each, name) for each in results]) for name in ("mm", "degrees"))
    return [
        label,
        f"{len(results) - len(failures)} of {len(results)}",
        f"{np.median(mm):.2f}, {mm.max():.2f}",
        f"{np.median(degrees):.2f}, {degrees.max():.2f}",
        f"{sum(each.warned for each in failures)} of {len(failures)}",
        f"{sum(each.warned and each.right for each in results)}",
        f"{np.mean([each.seconds for each in results]):.1f}",
    ]


def main() -> None:
    """Register from every start; a head that several settings share is segmented once."""
    command = begin(__file__, options(__doc__, "anatomy", "threads", quick="the first two settings, three starts each"))
    quick, heads, lines, judged = command.quick, {}, [], []
    for setting in SETTINGS[:2] if quick else SETTINGS:
        if setting.scan not in heads:
            head = scanned(setting, command.args.anatomy)
            heads[setting.scan] = head, tissue_from_t1(head.t1).brain
        head, brain = heads[setting.scan]
        target = suppressed_control(head) if setting.suppressed else head.scan.series.m0
        starts = 3 if quick else setting.starts
        lines.append(cells(setting.label, outcomes(head, brain, target, starts)))
        told = told_wrong(head, brain, target, min(starts, 5))
        judged.append([setting.label, *(f"{sum(t[n] for t in told)} of {len(told)}" for n in range(2))])
        say(" | ".join(lines[-1] + judged[-1][1:]))
    head = ("target", "within 1 mm and 1 degree", "mm: median, worst", "degrees: median, worst")
    command.publish(
        "T1 to ASL registration from wrong headers",
        f"Simulated heads of known alignment. Each start turns the T1's header by up to {MOST_DEGREES:.0f} degrees "
        f"about a random axis and shifts it by up to {MOST_MM:.0f} mm, on top of 3 degrees and 5 mm that the head "
        "moved. The brain of the T1 comes from `tissue_from_t1`, that of the scan from `brain_mask`. Errors: mean over "
        "the brain.",
        text_table((*head, "failures that warned", "false warnings", "seconds"), lines),
        "`judge_alignment` asked of the true transform and of the same as if the header were right:",
        text_table(("target", "true transform, warned", "wrong transform, warned"), judged),
    )


if __name__ == "__main__":
    main()
