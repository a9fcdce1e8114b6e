"""CBF and arrival time of a person's series of several delays, half against half; writes delays_real.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .library import delay_methods as ways
from .library.command import begin, options, say
from .library.delay_halves import DURATIONS, REPEATS, agreement, half, person, prediction, splits, unexplained
from .library.delay_kept import Kept
from .library.delay_methods import WAYS, Fitting
from .library.tables import text_table

DRAWS = 3  # random splits beside that of odd and even

Row = dict[str, float]


def of_split(scan, mask: np.ndarray, repeats: np.ndarray, given: dict) -> dict[str, Row]:
    """Every way on one half and on the other."""
    rest = np.setdiff1d(np.arange(REPEATS), repeats)
    halves = [half(scan, repeats), half(scan, rest)]
    fittings = [Fitting(one, **given) for one in halves]
    found = {}
    for name, way in WAYS.items():
        if name == ways.VB_TUNED:  # there is no truth here to tune it by
            continue
        fits = [way(fitting) for fitting in fittings]
        nearer = [prediction(fits[n], halves[n], halves[1 - n], mask) for n in (0, 1)]
        found[name] = agreement(*fits, mask) | {"prediction (dB)": float(np.mean(nearer))}
    return found


def durations_table(scans: dict[float, tuple], given: dict) -> str:
    """Which label duration explains the scan: the residual, and what one half tells of the other."""
    body = []
    for duration, (scan, mask) in scans.items():
        fit = ways.plain(Fitting(scan, **given))
        told = []
        for repeats in splits(1):
            one, other = (half(scan, r) for r in (repeats, np.setdiff1d(np.arange(REPEATS), repeats)))
            told += [
                prediction(ways.with_prior(Fitting(a, **given)), a, b, mask) for a, b in ((one, other), (other, one))
            ]
        known = mask & (fit.cbf > 3 * fit.cbf_sd)
        body.append(
            [
                f"{duration:g}",
                f"{unexplained(scan, fit, mask):.3f}",
                f"{np.nanmedian(fit.att[known]):.2f}",
                f"{np.mean(told):.2f}",
            ]
        )
    head = ["label (s)", "squared residual over noise", "median ATT (s)", "prediction by MAP (dB)"]
    return text_table(head, body)


def means_table(found: Sequence[dict[str, Row]]) -> str:
    """Mean and SD over splits."""
    names, columns = list(found[0]), list(next(iter(found[0].values())))
    body = []
    for name in names:
        cells = []
        for column in columns:
            values = np.array([rows[name][column] for rows in found])
            digits = 1 if "%" in column else 2
            cells.append(f"{np.nanmean(values):.{digits}f} ± {np.nanstd(values, ddof=1):.{digits}f}")
        body.append([name, *cells])
    return text_table(["way", *columns], body)


def main() -> None:
    parser = options(__doc__, "data", "threads", quick="two splits; the table is printed alone")
    parser.add_argument("--keep", type=Path, help="a file for the figures of splits that are done, to go on from")
    command = begin(__file__, parser)
    args, kept = command.args, Kept(command.args.keep)
    if not command.finds(args.data / "multipld", "data"):
        raise SystemExit(0)
    given = {"card": ways.default_denoiser()}
    scans = {duration: person(args.data, duration) for duration in DURATIONS}
    table = durations_table(scans, given)
    say(table)
    scan, mask = scans[DURATIONS[0]]
    found = [
        kept.of(f"split {repeats.tolist()}", lambda: of_split(scan, mask, repeats, given))  # noqa: B023
        for repeats in splits(1 if args.quick else DRAWS)
    ]
    command.publish(
        "Several delays of a person",
        "One person, 2D pCASL, 64x64x24 voxels of 3.4x3.4x5 mm, six delays of 0.25 to 1.5 s with 8 repeats of each, no "
        "M0 and no T1 (from the public repository physimals/svb_models_asl, Apache-2.0). It is prepared by a run. Of "
        f"each delay 4 repeats are fitted, and the other 4: odd against even, and {len(found) - 1} random splits; "
        f"means and SDs over splits, in {int(mask.sum())} voxels of the mask without its 5 % that are brightest at "
        "the first delay (arteries). Two fits of one bias agree, so agreement alone "
        "favours smoothing; the prediction does not: by how much nearer than the half's own means its fitted curve "
        "comes to the means of the other half, whose noise is taken off.",
        "## Half against half, label of 1.8 s",
        means_table(found),
        "## Which label duration explains the scan",
        table,
    )


if __name__ == "__main__":
    main()
