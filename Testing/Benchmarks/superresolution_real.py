"""A real map halved and brought back, and brought to the T1's grid; writes superresolution_real.md.

There is no truth, but there are pairs: the map of the odd pairs is averaged over blocks of 2 x 2 x 2 voxels, brought
back, and compared with the even pairs at full resolution, whose own noise is known and taken off. The T1 is of an
earlier visit. --picture draws the maps, to be looked at; real images are not kept in the repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ASLDenoiseLib.measuring.image_quality import bias
from ASLDenoiseLib.preparing.averaging import standard_error
from ASLDenoiseLib.preparing.tissue import tissue_on
from ASLDenoiseLib.preparing.tissue_t1 import tissue_from_t1
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.spatial.resampling import with_spacing
from ASLDenoiseLib.superresolving import LowResolution, PointSpread, SuperResolvedMap, super_resolve, usual_point_spread
from ASLDenoiseLib.superresolving.forward import acquisition_model
from ASLDenoiseLib.superresolving.targets import target_grid

from .library.cases import Case, halves
from .library.command import begin, options, say, timed
from .library.disjoint import noise_corrected_mse, pearson
from .library.real_scans import ORIGIN, case_of, real_run
from .library.tables import by, mean_row, table

NAME = "acq-grase"
INTERPOLATIONS = ("nearest", "linear", "spline", "gaussian")
METHODS = (*INTERPOLATIONS, "smooth", "guided", "network")


@dataclass(frozen=True, eq=False)
class Scan:
    """A series as a run prepares it, with its T1 and where that lies (4x4, LPS mm)."""

    case: Case
    t1: Volume
    t1_to_asl: np.ndarray


def map_of(case: Case) -> tuple[Volume, Volume]:
    """The CBF of the seen pairs and its standard error, NaN outside the brain."""
    return case.cbf(case.raw), case.cbf(standard_error(case.pairs, case.weights))


def read_scan(data: Path) -> Scan:
    """The series with its brain and tissue, and its T1."""
    run = real_run(data, NAME)
    return Scan(case_of(run, NAME), run.t1, run.t1_to_asl)


def halved(scan: Scan, case: Case) -> LowResolution:
    """What a scanner of twice the voxel would have given of these pairs, to be brought back to their own grid.

    Its noise is read off the halved pairs: neighbours share noise, so an eighth of the variance would be too little.
    """
    cbf, _ = map_of(case)
    fine, inside = cbf.geometry, np.isfinite(cbf.array)
    coarse = with_spacing(fine, tuple(2 * s for s in fine.spacing))
    model = acquisition_model(fine, coarse, measured=inside)
    each = [model.acquire(case.cbf(case.raw.with_array(pair))).array for pair in case.kept]
    spread = np.nanvar(each, axis=0, ddof=1) / len(each)
    level = float(np.sqrt(np.nanmean(spread)))  # few pairs know each voxel's badly
    return LowResolution(model.acquire(cbf), fine, scan.t1, scan.t1_to_asl, sd=level, point_spread=spread_of(fine))


def spread_of(fine: Geometry) -> PointSpread:
    """Of the scanner at the resolution it acquired: in the halved map, and in the unseen pairs alike."""
    return usual_point_spread("3D", fine.spacing)


def as_acquired(array: np.ndarray, fine: Geometry) -> np.ndarray:
    """A map of the brain itself as the scanner gives it at this resolution."""
    inside = np.isfinite(array)
    model = acquisition_model(fine, fine, point_spread=spread_of(fine), measured=inside)
    return np.where(inside, model.forward(np.nan_to_num(array)), np.nan)


def brought_back(scan: Scan) -> tuple[dict[str, dict[str, float]], dict[str, np.ndarray]]:
    """Figures and maps of every method: odd pairs halved, against even pairs, and the other way round."""
    odd, even = halves(scan.case)
    rows, maps = {}, {}
    for name in METHODS:
        each = []
        for seen, unseen in ((odd, even), (even, odd)):
            cbf, _ = map_of(seen)
            reference, unsure = map_of(unseen)
            result, seconds = timed(super_resolve, halved(scan, seen), method=name)
            made = result.fine
            array = made.array if name in INTERPOLATIONS else as_acquired(made.array, made.geometry)
            each.append(figures(scan, array, cbf.array, reference.array, unsure.array) | {"s": seconds})
            maps.setdefault(name, made.array)
        rows[name] = mean_row(each)
        say(name, rows[name])
    return rows, maps


def figures(scan: Scan, made: np.ndarray, own: np.ndarray, unseen: np.ndarray, error: np.ndarray) -> dict[str, float]:
    """Against the unseen pairs, noise taken off, and against the very map that was halved, noise and all."""
    inside = scan.case.inside & np.isfinite(made) & np.isfinite(own)
    squared = noise_corrected_mse(made, unseen, error, inside)
    return {
        "RMSE, unseen pairs": float(np.sqrt(max(squared, 0.0))),
        "r, unseen pairs": pearson(made, unseen, inside),
        "RMSE, own noisy map": float(np.sqrt(np.mean((made - own)[inside] ** 2))),
        "GM (%)": bias(made, unseen, scan.case.gm & inside),
        "WM (%)": bias(made, unseen, scan.case.wm & inside),
    }


def to_the_t1(scan: Scan) -> tuple[dict[str, dict[str, float]], dict[str, SuperResolvedMap]]:
    """The map of all pairs on the T1's grid, and what it says there."""
    cbf, error = map_of(scan.case)
    target = target_grid(cbf, scan.t1_to_asl, t1=scan.t1)
    level = float(np.sqrt(np.nanmean(error.array**2)))
    low = LowResolution(cbf, target.geometry, scan.t1, scan.t1_to_asl, target.to_asl, level, spread_of(cbf.geometry))
    tissue = tissue_on(target.geometry, tissue_from_t1(scan.t1))
    rows, made = {}, {}
    for name in ("linear", "spline", "guided"):
        found, seconds = timed(super_resolve, low, method=name)
        made[name] = found
        array, inside = found.fine.array, np.isfinite(found.fine.array)
        grey, white = (tissue.gm.array > 0.9) & inside, (tissue.wm.array > 0.95) & inside
        rows[name] = {
            "GM mean": float(array[grey].mean()),
            "WM mean": float(array[white].mean()),
            "GM/WM": float(array[grey].mean() / array[white].mean()),
            "negative (% of the brain)": 100 * float((array[inside] < 0).mean()),
            "residual RMS / noise": float(np.sqrt(np.nanmean(found.residual.array**2)) / level),
            "s": seconds,
        }
        say(name, rows[name])
    return rows, made


def draw(path: Path, scan: Scan, maps: dict[str, np.ndarray], made: dict[str, SuperResolvedMap]) -> None:
    """Both experiments as a montage: 0 to 90 ml/100g/min."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    own = map_of(halves(scan.case)[0])[0].array
    shown = {"own map, noisy": own, **maps}
    figure, axes = plt.subplots(2, max(len(shown), len(made)), figsize=(3 * len(shown), 7), squeeze=False)
    for ax in axes.ravel():
        ax.axis("off")
    for ax, (name, array) in zip(axes[0], shown.items(), strict=False):
        ax.imshow(array[array.shape[0] // 2], cmap="inferno", vmin=0, vmax=90, origin="lower")
        ax.set_title(name)
    for ax, (name, found) in zip(axes[1], made.items(), strict=False):
        array = found.fine.array  # the T1 may run any way
        axis = int(np.argmin(array.shape))
        ax.imshow(np.take(array, array.shape[axis] // 2, axis), cmap="inferno", vmin=0, vmax=90, origin="lower")
        ax.set_title(f"{name}, T1's grid")
    figure.tight_layout()
    figure.savefig(path, dpi=70)


def main() -> None:
    parser = options(__doc__, "data", "threads")
    parser.add_argument("--picture", type=Path, help="draw the maps here")
    command = begin(__file__, parser)
    scan = read_scan(command.args.data)
    back, maps = brought_back(scan)
    onto, made = to_the_t1(scan)
    if command.args.picture:
        draw(command.args.picture, scan, maps, made)
    command.publish(
        "Super-resolution of a real map",
        f"One healthy adult, 3D GRASE pCASL ({by(scan.case.brain.geometry.spacing)} mm, 8 pairs), {ORIGIN}; "
        "CBF in ml/100g/min. The T1 is of an earlier visit.",
        "## Halved and brought back",
        "The map of four pairs, averaged over 2 x 2 x 2 voxels and brought back to its own grid; the mean of odd to "
        "even and even to odd. Against the four pairs that were not used, at full resolution, with their noise taken "
        "off (RMSE); against the very map that was halved, where keeping its noise is rewarded (the paper's way of "
        "looking); GM and WM means against the unseen pairs. Methods that undo the readout's point spread (all but the "
        "interpolations) are blurred by it again first, as the unseen pairs are.",
        table(back),
        "## Brought to the T1's 1 mm",
        "All pairs. GM and WM are fractions above 0.9 and 0.95 of the T1's own segmentation: means there differ "
        "between methods by partial volume, which is what super-resolution is to undo. There is no truth here.",
        table(onto),
    )


if __name__ == "__main__":
    main()
