"""Regions: means by a direct count, midlines of heads, errors in repeated scans, seconds; writes regions.md.

Heads are those of the label maps; the panel is driven in the harness.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from ASLDenoiseLib.measuring.regions import asymmetry, region_figures
from ASLDenoiseLib.preparing.midline import mirror_of
from ASLDenoiseLib.result.pair_errors import PairErrors
from ASLDenoiseLib.series import Volume
from ASLDenoiseLib.spatial.regions import Drawing, place
from ASLDenoiseLib.spatial.resampling import average_onto, with_spacing

from .library.cases import anatomy_path
from .library.command import ROOT, begin, options, say
from .library.region_cases import ASL_GRID, T1_GRID, ball, directly, read_head, scanned, turned
from .library.tables import Row, table

_LESION = 0.6  # of the healthy side's CBF


def box(grid, low, size) -> Drawing:
    """A box of voxels (i, j, k)."""
    inside = np.zeros(grid.shape, bool)
    inside[tuple(slice(a, a + n) for a, n in zip(low[::-1], size[::-1], strict=True))] = True
    return Drawing.cropped(inside, grid.affine_lps)


KINDS = {  # grid drawn on, voxels (i, j, k), ASL grid turned by
    "one slice of the T1, 15x18 mm": (T1_GRID, (15, 18, 1), (0, 0, 0)),
    "one slice, ASL oblique": (T1_GRID, (15, 18, 1), (12, -7, 9)),
    "tiny, 2x2x2 mm": (T1_GRID, (2, 2, 2), (0, 0, 0)),
    "tiny, 2x2x2 mm, ASL oblique": (T1_GRID, (2, 2, 2), (12, -7, 9)),
    "30 mm cube of the T1, ASL oblique": (T1_GRID, (30, 30, 30), (12, -7, 9)),
    "drawn on the ASL images": (ASL_GRID, (4, 5, 2), (0, 0, 0)),
}


def accuracy(draws: int) -> dict[str, Row]:
    """Deviations (%) of means from a direct count, and what masks of voxels at least half full gave."""
    rows = {}
    for number, (name, (drawn_on, size, turn)) in enumerate(KINDS.items()):
        rng = np.random.default_rng(number)
        grid = turned(ASL_GRID, turn)
        off, old, refused = [], [], 0
        for _ in range(draws):
            cbf = Volume(rng.normal(55, 20, grid.shape), grid)
            low = [int(rng.integers(n * 0.3, n * 0.6)) for n in drawn_on.size]
            moved = np.eye(4)
            moved[:3, 3] = rng.uniform(-5, 5, 3) if drawn_on is T1_GRID else 0
            drawing = box(drawn_on, low, size)
            true = directly(drawing, cbf, moved, cuts=3 if np.prod(size) > 1e4 else 41 if np.prod(size) < 10 else 15)
            placed = place(drawing, grid, transform=moved)
            off.append(100 * abs(region_figures(placed, cbf.array).mean / true - 1))
            half = placed.index[placed.fraction >= 0.5]
            refused += not len(half)
            if len(half):
                old.append(100 * abs(cbf.array.ravel()[half].mean() / true - 1))
        rows[name] = {
            "off %": float(np.mean(off)),
            "at most %": float(np.max(off)),
            "0/1 voxels: off %": float(np.mean(old)) if old else float("nan"),
            "0/1 voxels: refused %": 100 * refused / draws,
        }
        say(name, rows[name])
    return rows


def midlines(folder, count: int) -> dict[str, Row]:
    """Of every head made symmetrical: the fitted plane, and a lesion's index; and the index of a head as it is."""
    rows = {}
    for number in range(1, count + 1):
        rng = np.random.default_rng(number)
        path = anatomy_path(f"brain-{number:02d}", folder)
        head, mirror = read_head(path, symmetrical=True)
        turn = tuple(rng.uniform(-12, 12, 3))
        image, _, brain = scanned(head, turn, 6.0, number)
        places = np.argwhere(head.cbf.array > 40)
        grid, found = head.cbf.geometry, {}
        side = [p for p in places[rng.permutation(len(places))[:2000]] if abs(_across(p, grid, mirror)) > 30]
        middle = (grid.affine_lps @ [*side[0][::-1], 1.0])[:3]
        lesion, core = (ball(grid, middle, radius) for radius in (16.0, 6.0))
        struck = head.cbf.array.copy()
        k, j, i = np.nonzero(lesion.inside)
        at = np.linalg.inv(grid.affine_lps) @ lesion.affine @ [i, j, k, np.ones(len(i))]
        i, j, k = np.rint(at[:3]).astype(int)
        struck[k, j, i] *= _LESION
        points = np.argwhere(head.brain.array > 0.5)[::97, ::-1] @ grid.affine_lps[:3, :3].T + grid.affine_lps[:3, 3]
        damaged = type(head)(head.t1, head.cbf.with_array(struck), head.brain)
        _, cbf, _ = scanned(damaged, turn, 0.0, number)
        oblique = turned(with_spacing(grid, (2.0, 2.0, 2.0)), turn)
        t1, whole = (average_onto(each, oblique, outside=0.0) for each in (head.t1, head.brain))
        fits = {"T1": mirror_of(t1, whole), "ASL": mirror_of(image, brain)}
        exact = _index(lesion, cbf, mirror)
        for name, fit in fits.items():
            change = fit.matrix - mirror
            found[f"{name}: mm"] = float(np.linalg.norm(points @ change[:3, :3].T + change[:3, 3], axis=1).mean())
            found[f"{name}: index off"] = abs(_index(lesion, cbf, fit.matrix) - exact)
        found["core's index"] = _index(core, cbf, fits["T1"].matrix)
        own, _ = read_head(path, symmetrical=False)
        _, healthy, _ = scanned(own, turn, 0.0, number)
        plane = mirror_of(own.t1, own.brain).matrix
        for radius, name in ((9.0, "3 ml"), (16.0, "17 ml")):
            spots = [(grid.affine_lps @ [*p[::-1], 1.0])[:3] for p in side[:: max(1, len(side) // 12)][:12]]
            indices = [_index(ball(grid, spot, radius), healthy, plane) for spot in spots]
            found[f"healthy {name}: SD"] = float(np.sqrt(np.nanmean(np.square(indices))))
        rows[f"brain-{number:02d}"] = found
        say(number, found)
    rows["mean"] = {name: float(np.mean([row[name] for row in rows.values()])) for name in next(iter(rows.values()))}
    return rows


def _across(place_: np.ndarray, grid, mirror: np.ndarray) -> float:
    """Signed distance (mm) of a voxel (k, j, i) from its mirror image."""
    point = (grid.affine_lps @ [*place_[::-1], 1.0])[:3]
    there = mirror[:3, :3] @ point + mirror[:3, 3]
    return float(np.linalg.norm(point - there))


def _index(drawing: Drawing, cbf: Volume, mirror: np.ndarray) -> float:
    one, other = place(drawing, cbf.geometry), place(drawing, cbf.geometry, transform=mirror)
    return asymmetry(one, other, *(region_figures(side, cbf.array) for side in (one, other))).index


def errors(repeats: int) -> dict[str, Row]:
    """The told SD of a mean over that of the means of scans that were repeated, with noise that voxels share."""
    from scipy.ndimage import gaussian_filter

    grid, rows = ASL_GRID, {}
    middle = (grid.affine_lps @ [*(np.array(grid.size) / 2), 1.0])[:3]
    regions = {"1 ml": 6.2, "5 ml": 10.6, "50 ml": 22.9}
    placed = {name: place(ball(T1_GRID, middle, radius), grid) for name, radius in regions.items()}
    within = np.zeros(grid.shape, bool)
    within[4:-4, 12:-12, 10:-10] = True
    for pairs in (6, 12, 30, 90):
        rng = np.random.default_rng(pairs)
        told = {name: [] for name in regions}
        means = {name: [] for name in regions}
        for _ in range(repeats):
            own = rng.normal(0, 25, (pairs, *grid.shape)).astype(np.float32)
            shared = np.stack([gaussian_filter(each, 1.5) for each in own]) * 4 + rng.normal(0, 2, (pairs, 1, 1, 1))
            scan = 50 + own + shared
            kept, mean = PairErrors.of(scan, None, within), scan.mean(axis=0)
            for name, region in placed.items():
                figures = region_figures(region, mean, kept)
                told[name].append(figures.error)
                means[name].append(figures.mean)
        row = {}
        for name in regions:
            row[f"{name}: told"] = float(np.sqrt(np.mean(np.square(told[name]))))
            row[f"{name}: true"] = float(np.std(means[name], ddof=1))
        rows[f"{pairs} pairs"] = row
        say(pairs, row)
    return rows


def seconds() -> dict[str, Row]:
    """From the stroke of the brush to the row in the panel: 64x64x24, 30 pairs, drawn on a T1 of 1 mm."""
    sys.path[:0] = [str(ROOT / "Testing" / "Python"), str(ROOT / "Testing" / "Harness")]
    from slicer_harness import installed, why_absent

    if why_absent():
        say(why_absent())
        return {}
    from region_builders import add_drawn, live_result
    from slicer_harness.panel import open_panel, process_events

    rows = {}
    with installed():
        from ASLDenoiseLib.scene.present import present

        panel = open_panel(ROOT / "ASLDenoise" / "ASLDenoise.py")
        result = live_result()
        nodes, section = present(result), panel.widget.regions
        panel.widget._onPresented(nodes)
        process_events(lambda: False, timeout=1.0)
        middle = np.array([35.0, -5.0, 5.0])
        for mirror in (False, True):
            panel.widget._parameterNode.mirrorRegions = mirror
            process_events(lambda: False, timeout=1.0)
            for radius in (4, 10, 20, 30):
                name = f"ball of {radius} mm" + (", mirrored too" if mirror else "")
                drawing = ball(result.t1.geometry, middle, radius).moved(result.t1_to_asl)
                started = time.perf_counter()
                add_drawn(nodes.regions, drawing, name)
                process_events(lambda name=name: any(row.name == name for row in section.rows), timeout=20)
                taken = time.perf_counter() - started
                started = time.perf_counter()
                section.update()
                again = time.perf_counter() - started
                voxels = float(np.count_nonzero(drawing.inside))
                rows[name] = {"voxels drawn": voxels, "s to the row": taken, "s unchanged": again}
        panel.close()
    return rows


def main() -> None:
    """All four."""
    command = begin(__file__, options(__doc__, "anatomy", quick="few draws and two heads"))
    draws, heads, repeats = (5, 2, 10) if command.quick else (20, 8, 60)
    blocks = [
        "Means of regions in a map whose voxels differ by 20 of 55 ml/100g/min, against a count of the voxels that "
        "points close together lie in. `0/1 voxels`: the voxels that a region fills to half, as regions were read "
        "before, and how many regions that refused.",
        table(accuracy(draws), first="region"),
        "The mirror plane, fitted to the T1 and to an ASL image of 3.4x3.4x6 mm that is turned by up to 12 degrees, in "
        "heads of label maps made symmetrical: distance of mirrored points from where they belong (mm), and by how "
        "much the asymmetry index of a lesion of 17 ml (CBF times 0.6) is off that of the true plane (percentage "
        "points). `core's index`: of the 1 ml within; -50 %, but for how the voxels lie over "
        "the two sides. `healthy`: the index (RMS, %) of balls in grey matter of the same heads as they are, without "
        "noise, all tissue alike: what anatomy does.",
        table(midlines(command.args.anatomy, heads), first="head"),
        f"The SD that is told of a mean (RMS) and that of the means of {repeats} repeated scans, ml/100g/min, with "
        "noise of each voxel, of neighbours together and of a pair as a whole.",
        table(errors(repeats), first="pairs"),
    ]
    if live := seconds():
        blocks += [
            "From the change of a segment to its row in the panel: 64x64x24 oblique, 30 pairs, drawn on a T1 of 1 mm. "
            "It includes the 0.15 s that the panel waits for the stroke to end. `unchanged`: read again.",
            table(live, first="segment"),
        ]
    command.publish("Regions", *blocks)


if __name__ == "__main__":
    main()
