"""CBF of one delay corrected by the arrival times of another scan, in delayed and other tissue; writes arrival.md.

One head whose left territories get their blood late is scanned at one delay, and at six for the arrival times, which a
run fits. The correction is given the true times, the fitted ones as they lie, those of a scan that lies elsewhere and
is registered by its CBF map, and those 2 mm beside their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.learning.anatomy import read_anatomy
from ASLDenoiseLib.learning.phantom import PhantomSettings
from ASLDenoiseLib.learning.simulate import ScanSettings, SimulatedHead, make_protocol, simulate_head
from ASLDenoiseLib.measuring.masks import grey_matter
from ASLDenoiseLib.pipeline.request import ArrivalMap, Denoising, Head, Request
from ASLDenoiseLib.pipeline.run import run
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.result import Result, maps
from ASLDenoiseLib.series import Labeling, Volume

from .library.cases import HELD_OUT, SIZE, SPACING, anatomy_path
from .library.command import begin, options, say
from .library.tables import text_table
from .registration import moved, turn

DELAY, DELAYS = 1.8, (0.5, 1.0, 1.5, 2.0, 2.5, 3.0)  # s
SLOWED = 2.5  # s, of the left carotid's territories
LATE = 2.2  # s; grey matter of later blood is what is called delayed
PAIRS = {"one": 12, "several": 5}  # of the one delay, and of each of the several
SNRS = (1.0, 2.0)  # of grey matter in one pair
BESIDE = 2.0  # mm
SHIFT = np.array([5.0, -6.0, 4.0])  # mm
STILL = Preparation(motion=False, nuisance=())
TIMES = ("fitted to the means", "fitted, denoised")


@dataclass(frozen=True, eq=False)
class Both:
    """A head scanned at one delay and at several."""

    one: SimulatedHead
    several: SimulatedHead

    @property
    def late(self) -> np.ndarray:
        """Bool (K, J, I): delayed grey matter."""
        return self.grey & (self.several.scan.att.array > LATE)

    @property
    def grey(self) -> np.ndarray:
        """Bool (K, J, I)."""
        return grey_matter(self.several.scan.tissue)


def scanned(name: str, folder: Path, snr: float, seed: int) -> Both:
    """The same head at both; the seed of its noise is the scan's own."""
    anatomy = read_anatomy(anatomy_path(name, folder))
    settings = PhantomSettings(size=SIZE, stenosis=SLOWED, vessels=0.0, lesion_chance=0.0)

    def head(delays: tuple[float, ...], pairs: int) -> SimulatedHead:
        protocol = make_protocol(Labeling.PCASL, delays=delays)
        scan = ScanSettings(pairs=pairs, gm_snr=snr, acquisition=protocol)
        return simulate_head(anatomy, phantom=settings, spacing=SPACING, scan=scan, seed=seed)

    return Both(head((DELAY,), PAIRS["one"]), head(DELAYS, PAIRS["several"]))


def elsewhere(volume: Volume) -> Volume:
    """The image as a scan has it in which the head lies 6 degrees and some 9 mm from here, by its header."""
    matrix = np.eye(4)
    middle = (volume.geometry.affine_lps @ [*(np.array(volume.geometry.size) - 1) / 2, 1])[:3]
    matrix[:3, :3] = turn(np.array([1.0, 0.4, -0.6]), np.deg2rad(6.0))
    matrix[:3, 3] = middle + SHIFT - matrix[:3, :3] @ middle
    return moved(volume, matrix)


def beside(volume: Volume) -> Volume:
    """The image 2 mm towards the left."""
    x, y, z = volume.geometry.origin
    return replace(volume, geometry=replace(volume.geometry, origin=(x + BESIDE, y, z)))


def ways(both: Both, fitted: Result) -> Iterator[tuple[str, ArrivalMap]]:
    """What the correction is given."""
    att, brain = both.several.scan.att, both.several.scan.tissue.brain.array > 0
    yield "true times", ArrivalMap(att.with_array(np.where(brain, att.array, np.nan)), space="asl")
    found = (maps.RAW_ATT, maps.ATT_MEAN_ERROR, maps.RAW), (maps.DENOISED_ATT, maps.ATT_UNCERTAINTY, maps.DENOISED)
    for name, keys in zip(TIMES, found, strict=True):
        att, error, cbf = (fitted.maps[key] for key in keys)
        yield name, ArrivalMap(att, error, space="asl")
        yield f"{name}, registered from elsewhere", ArrivalMap(*map(elsewhere, (att, error, cbf)))
        yield f"{name}, {BESIDE:g} mm beside", ArrivalMap(beside(att), beside(error), space="asl")


def figures(cbf: Volume, truth: np.ndarray, where: np.ndarray) -> tuple[str, str]:
    """Mean error, %, and RMSE, ml/100g/min, where it was measured."""
    inside = where & np.isfinite(cbf.array)
    error = cbf.array[inside] - truth[inside]
    return f"{100 * error.mean() / truth[inside].mean():+.1f}", f"{np.sqrt(np.square(error).mean()):.1f}"


def row(both: Both, result: Result, key: str, sd: str) -> list[str]:
    """Of one map: delayed grey matter, the other, what is not measured of delayed, and what its SD covers there."""
    truth, cbf = both.several.scan.cbf.array, result.maps[key]
    late, other = both.late, both.grey & ~both.late
    lost = 100 * np.mean(~np.isfinite(cbf.array[late]))
    covered = np.abs(cbf.array - truth)[late] < result.maps[sd].array[late] if sd in result.maps else np.zeros(0)
    known = np.isfinite(cbf.array[late])
    share = f"{100 * covered[known].mean():.0f}" if covered.size and known.any() else "-"
    return [*figures(cbf, truth, late), *figures(cbf, truth, other), f"{lost:.1f}", share]


def rows(both: Both, snr: float, device: str) -> Iterator[tuple[str, str, float, list[str]]]:
    """Map, times, SNR, and figures, of the plain mean and the denoised map."""
    head = Head(tissue=both.one.scan.tissue)
    asked = Request(both.one.scan.series, head, STILL, Denoising(), device=device)
    fitted = run(Request(both.several.scan.series, head, STILL, Denoising(), device=device))
    say(f"fitted the several delays at {snr:g}")
    plain = run(asked)
    shown = (("plain mean", maps.RAW, maps.MEAN_ERROR), ("denoised", maps.DENOISED, maps.UNCERTAINTY))
    for label, key, sd in shown:
        yield label, "none: the formula alone", snr, row(both, plain, key, sd)
    for name, arrival in ways(both, fitted):
        result = run(replace(asked, arrival=arrival))
        say(name)
        for label, key, sd in shown:
            yield label, name, snr, row(both, result, key, sd)


def averaged(each: list[list[str]]) -> list[str]:
    """The mean of figures over heads, as text."""
    values = [[float(text) if text != "-" else np.nan for text in cells] for cells in each]
    means = np.mean(values, axis=0)
    signed = (0, 2)
    return ["-" if np.isnan(m) else f"{m:+.1f}" if n in signed else f"{m:.1f}" for n, m in enumerate(means)]


def main() -> None:
    """Make the page."""
    quick = "one head at a GM SNR of 2"
    command = begin(__file__, options(__doc__, "anatomy", "device", "threads", quick=quick))
    snrs, heads = (SNRS[-1:], HELD_OUT[:1]) if command.quick else (SNRS, HELD_OUT)
    found: dict[tuple[str, str, float], list[list[str]]] = {}
    for snr in snrs:
        for number, name in enumerate(heads):
            both = scanned(name, command.args.anatomy, snr, seed=91 + number)
            say(f"{name} at {snr:g}: {both.late.sum()} voxels of delayed grey matter")
            for label, times, of, cells in rows(both, snr, command.args.device):
                found.setdefault((label, times, of), []).append(cells)
    table_head = ["map", "arrival times", "GM SNR", "delayed GM, mean error, %", "RMSE", "other GM, mean error, %"]
    table_head += ["RMSE", "delayed GM not measured, %", "errors within 1 SD, %"]
    body = [[label, times, f"{snr:g}", *averaged(each)] for (label, times, snr), each in found.items()]
    body.sort(key=lambda cells: (cells[2], cells[0] == "denoised"))
    text = (
        f"pCASL of {DELAY:g} s ({PAIRS['one']} pairs); blood of the left territories arrives after some {SLOWED:g} s, "
        f"delayed is grey matter later than {LATE:g} s. The times come from {len(DELAYS)} delays of {PAIRS['several']} "
        f"pairs each, at the same SNR of one pair, fitted by a run. Mean of kept-out heads ({len(heads)}); RMSE in "
        "ml/100g/min. 'Registered from elsewhere' lies 6 degrees and some 9 mm away by its header."
    )
    command.publish("Arrival times of another scan", text, text_table(table_head, body))


if __name__ == "__main__":
    main()
