"""CBF and arrival time of several delays: fits, denoised before or after, on simulated scans; writes delays.md."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from pathlib import Path

import numpy as np

from ASLDenoiseLib.fitting.regions import fit_region

from .library import delay_methods as ways
from .library.asldro_delays import asldro_scan, has_asldro
from .library.cases import HELD_OUT, TUNING, VOXELS, anatomy_path
from .library.command import begin, options, say, timed
from .library.delay_cases import DEFICIT, DELAYS, LATE, PAIRS, PATCH, DelayScan, simulated_scan, with_patches
from .library.delay_kept import Kept
from .library.delay_methods import WAYS, Fitting
from .library.delay_scores import contrast_kept, delayed_tissue, errors_in, share_of_truth
from .library.tables import mean_row, text_table

SNRS = (0.5, 1.0, 2.0, 5.0)
HEADS = 2
STENOSIS = 2.5  # s
ENOUGH = (1.0, 2.0, 5.0)  # SNRs at which lesions and delayed tissue are looked at
SINGLE = "formula of one delay at 1.8 s, without noise"
STRENGTHS = tuple(product((0.3, 1.0, 2.0), (True, False)))

Row = dict[str, float]
Rows = dict[str, Row]


def tuned(folder: Path, size: int) -> dict[str, float]:
    """The peer's strength, and whether it smooths arrival times, of least mean error on the head kept for that."""
    errors: dict[tuple[float, bool], list[float]] = {each: [] for each in STRENGTHS}
    for snr in SNRS:
        scan = simulated_scan(anatomy_path(TUNING, folder), seed=21, gm_snr=snr, spacing=VOXELS[0], size=grid(size))
        for strength, both in STRENGTHS:
            fit = ways.tuned_peer(Fitting(scan, None, strength, both))
            errors[strength, both].append(errors_in(fit, scan, scan.gm)["CBF RMSE (%)"])
    strength, both = min(errors, key=lambda each: float(np.mean(errors[each])))
    return {"strength": strength, "both": both}


def grid(size: int) -> tuple[int, int, int]:
    return size, size, 24


def drawn(folder: Path, n: int, snr: float, size: int, **further: float) -> DelayScan:
    """The n-th kept-out head: anatomies and voxel sizes take turns."""
    path = anatomy_path(HELD_OUT[(n + n // len(VOXELS)) % len(HELD_OUT)], folder)
    return simulated_scan(path, seed=11 + n, gm_snr=snr, spacing=VOXELS[n % len(VOXELS)], size=grid(size), **further)


def each_way(scan: DelayScan, given: Mapping, figures: Callable[[ways.Fit, Fitting], Row]) -> Rows:
    """Figures of every way on one scan."""
    fitting = Fitting(scan, **given)
    found = {}
    for name, way in WAYS.items():
        fit, seconds = timed(way, fitting)
        found[name] = figures(fit, fitting) | {"s": seconds}
    return found


def accuracy(scan: DelayScan, given: Mapping) -> Rows:
    """Errors in grey and white matter, and how far their means are from that of the mean curve of the raw data."""
    curve = {
        name: fit_region(scan.raw, m.astype(float), scan.model)[0] for name, m in (("GM", scan.gm), ("WM", scan.wm))
    }

    def figures(fit: ways.Fit, fitting: Fitting) -> Row:
        row = {}
        for name, mask in (("GM", scan.gm), ("WM", scan.wm)):
            row |= {f"{name} {what}": value for what, value in errors_in(fit, scan, mask).items()}
            row[f"{name} from the mean curve (%)"] = 100 * (float(np.nanmean(fit.cbf[mask])) / curve[name] - 1)
        return row

    return each_way(scan, given, figures)


def delayed(scan: DelayScan, given: Mapping) -> Rows:
    """Mean CBF and arrival time in delayed tissue, against the truth."""
    where = delayed_tissue(scan)
    found = each_way(scan, given, lambda fit, _: share_of_truth(fit.cbf, fit.att, scan, where))
    return {SINGLE: share_of_truth(scan.single, None, scan, where), **found}


def lesions(healthy: DelayScan, given: Mapping) -> Rows:
    """How much of a deficit, and of a patch of late blood, is left; against the same noise without them."""
    scan = with_patches(healthy)
    without = {name: way(fitting) for fitting in [Fitting(healthy, **given)] for name, way in WAYS.items()}
    fitting = Fitting(scan, **given)
    return {
        name: {what: contrast_kept(way(fitting), without[name], scan, what) for what in scan.lesions}
        for name, way in WAYS.items()
    }


def by_level(found: Mapping[float, Sequence[Rows]], columns: Iterable[str], form: str = "{:.1f}") -> str:
    """Means over scans: a line a way, and for every SNR the figures of `columns`, joined by a slash."""
    names = list(next(iter(found.values()))[0])
    body = []
    for name in names:
        cells = []
        for rows in found.values():
            row = mean_row([each[name] for each in rows])
            cells.append(" / ".join("-" if not np.isfinite(row[c]) else form.format(row[c]) for c in columns))
        body.append([name, *cells])
    return text_table(["way", *(f"SNR {snr:g}" for snr in found)], body)


def accuracy_section(found: Mapping[float, Sequence[Rows]]) -> list[str]:
    blocks = []
    for tissue, map_name in product(("GM", "WM"), ("CBF", "ATT")):
        unit, form = ("%", "{:.1f}") if map_name == "CBF" else ("s", "{:.2f}")
        stem = f"{tissue} {map_name}"
        columns = (f"{stem} bias ({unit})", f"{stem} RMSE ({unit})", f"{stem} within 1 SD (%)")
        blocks += [f"### {stem}: bias / RMSE ({unit}) / within 1 SD (%)", by_level(found, columns, form)]
    blocks += [
        "### Mean CBF against the fit of the mean curve of the raw data, GM / WM (%)",
        by_level(found, [f"{t} from the mean curve (%)" for t in ("GM", "WM")]),
        "### Seconds, of the fit and of what only it needs",
        by_level(found, ["s"]),
    ]
    return blocks


def main() -> None:
    quick = "one head of 48x48x24 voxels at two noise levels; the table is printed alone"
    parser = options(__doc__, "anatomy", "threads", quick=quick)
    parser.add_argument("--keep", type=Path, help="a file for the figures of scans that are done, to go on from")
    parser.add_argument("--asldro", type=Path, help="a folder for ASLDRO's scans of single delays, to make them once")
    command = begin(__file__, parser)
    args, kept = command.args, Kept(command.args.keep)
    snrs, heads, size = ((1.0, 5.0), 1, 48) if args.quick else (SNRS, HEADS, 64)
    peer = kept.of("tuning", lambda: tuned(args.anatomy, size))
    given = {"card": ways.default_denoiser(), **peer}
    every = {
        snr: [
            kept.of(f"head {n}, SNR {snr:g}", lambda: accuracy(drawn(args.anatomy, n, snr, size), given))  # noqa: B023
            for n in range(heads)
        ]
        for snr in snrs
    }
    few, levels = 1, (1.0,) if args.quick else ENOUGH
    slow = {
        snr: [
            kept.of(
                f"stenosis {n}, SNR {snr:g}",
                lambda: delayed(drawn(args.anatomy, n, snr, size, stenosis=STENOSIS), given),  # noqa: B023
            )
            for n in range(few)
        ]
        for snr in levels
    }
    spared = {
        snr: [
            kept.of(f"lesions {n}, SNR {snr:g}", lambda: lesions(drawn(args.anatomy, n, snr, size), given))  # noqa: B023
            for n in range(few)
        ]
        for snr in levels
    }
    other = kept.of("ASLDRO", lambda: accuracy(asldro_scan(args.asldro), given)) if elsewhere(args) else None
    blocks = [about(heads, peer), "## GM SNR of a delay's mean", *accuracy_section(every)]
    blocks += ["## Delayed tissue", *delayed_section(slow), "## Lesions", *lesion_section(spared)]
    if other is not None:
        blocks += ["## On another simulator", *other_section(other)]
    command.publish("Several delays", *blocks)


def elsewhere(args: Namespace) -> bool:
    """Whether the other simulator's scan is to be had."""
    if args.quick:
        return False
    if not has_asldro():
        say("skipped: ASLDRO; pip install --no-deps asldro, and pip install jsonschema")
    return has_asldro()


def about(heads: int, peer: Mapping[str, float]) -> str:
    listed, smoothed = ", ".join(f"{d:g}" for d in DELAYS), "CBF and arrival time" if peer["both"] else "CBF alone"
    return (
        f"{heads} simulated heads that no model was trained on ({' and '.join(HELD_OUT)}), pCASL, delays of {listed} "
        f"s, {PAIRS} pairs of each, label of 1.8 s, M0 and T1 with its tissue in place. The SNR is that of the mean "
        "difference in grey matter at the delay where it is largest; later ones have less. Truth: CBF of tissue once "
        "all label has arrived, and the arrival time of what flows through a voxel. The peer is a spatial variational "
        f"fit as BASIL has it, as published and by its error in GM CBF tuned on {TUNING} ({smoothed} smoothed, learned "
        f"precision x {peer['strength']:g}). "
        "Denoised are, by the default model with T1 and M0 and the residual audit, the mean of each "
        "delay (before the fit) or the CBF of each repeat (after it)."
    )


def delayed_section(found: Mapping[float, Sequence[Rows]]) -> list[str]:
    [true] = {
        round(np.mean([rows[SINGLE]["true ATT (s)"] for rows in each]), 2) for each in [next(iter(found.values()))]
    }
    return [
        f"A stenosis slows the left carotid's territories. In grey and white matter that blood reaches at 2.3 to 2.7 s "
        f"(mean {true:g} s): mean CBF as a share of the true one (%), and mean arrival time (s).",
        by_level(found, ["CBF of the truth (%)", "ATT (s)"], "{:.2f}"),
    ]


def lesion_section(found: Mapping[float, Sequence[Rows]]) -> list[str]:
    return [
        f"Balls of {PATCH:g} mm in grey matter that neither T1 nor M0 shows: CBF less by {-100 * DEFICIT:g} %, and "
        f"blood at {LATE:g} s. What is left of the change (%), of CBF in the first, of arrival time in the second.",
        by_level(found, ["deficit", "late"]),
    ]


def other_section(rows: Rows) -> list[str]:
    columns = [
        f"{t} {m}" for t in ("GM", "WM") for m in ("CBF bias (%)", "CBF RMSE (%)", "ATT bias (s)", "ATT RMSE (s)")
    ]
    body = [[name, *(f"{row[c]:.2f}" for c in columns)] for name, row in rows.items()]
    return [
        "One scan by ASLDRO (PyPI asldro, MIT): the ICBM 2009a average head sampled at points, white complex noise, "
        "CBF and arrival time constants of a tissue, label that decays with the T1 of tissue once "
        "it is there (fitted so). The truth is the fit of the same scan without noise.",
        text_table(["way", *columns], body),
    ]


if __name__ == "__main__":
    main()
