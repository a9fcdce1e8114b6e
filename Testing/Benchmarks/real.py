"""Denoisers on real series, judged by pairs they have not seen; writes real.md.

There is no truth in a real scan. So k of a run's own clean pairs are denoised and compared with the mean of all the
others: an unbiased reference whose own noise is known from their spread and taken off (MSE - mean(s^2/n)). Pairs in
common would reward noise that was left in; there are none.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ASLDenoiseLib.measuring.image_quality import bias, ccc, decibels, pearson

from .library.cases import Case, halves
from .library.command import begin, options, say, timed
from .library.methods import (
    Method,
    Tunable,
    chosen_models,
    default_model,
    network_methods,
    peer_methods,
    tunable_peers,
    tune,
)
from .library.real_scans import NAMES, ORIGIN, Split, real_cases, split, without_rim
from .library.tables import answer, mean_row, table, text_table

# Real noise is smoother than the phantoms', and wants more.
STRONGER = {"BM4D": (2.0,), "BM4D, noise spectrum": (1.4,)}
SEEN = {"acq-grase": 2, "acq-epi": 5, "acq-picore": 5}
BRAIN, RIMLESS = "RMSE", "RMSE without rim"

Errors = dict[str, np.ndarray]  # noise-corrected mean squared errors, one a draw, by what they are taken in


@dataclass(frozen=True)
class Measured:
    """A method on one series: its squared errors draw by draw, and its line of the table."""

    method: Method
    errors: Errors
    row: dict[str, float]


def figures(scan: Split, method: Method) -> dict[str, float]:
    case = scan.case
    difference, seconds = timed(method.run, case)
    array = case.cbf(difference).array
    return {
        BRAIN: scan.error_of(difference),
        RIMLESS: scan.error_of(difference, without_rim(case)),
        "peak": float(np.nanpercentile(scan.reference[case.inside], 99)),
        "r": pearson(array, scan.reference, case.inside),
        "GM bias (%)": bias(array, scan.reference, case.gm),
        "WM bias (%)": bias(array, scan.reference, case.wm),
        "s": seconds,
    }


def root(squared: np.ndarray) -> float:
    """The root of a mean of squared errors, zero where noise makes it negative."""
    return float(np.sqrt(max(float(np.mean(squared)), 0.0)))


def agreement(whole: Case, method: Method) -> dict[str, float]:
    """Odd against even pairs, each half denoised by itself."""
    odd, even = (whole.cbf(method.run(half)).array for half in halves(whole))
    return {"r of halves": pearson(odd, even, whole.inside), "CCC of halves": ccc(odd, even, whole.inside)}


def tuned_here(whole: Case, count: int, tunable: Mapping[str, Tunable]) -> list[Method]:
    """Each peer's best strength on a further draw of this very series: an advantage no network gets."""
    scan = split(whole, count, draw=99)
    return tune([scan.case], tunable, gain=lambda case, difference: -scan.error_of(difference), further=STRONGER)


def measured(method: Method, whole: Case, splits: Sequence[Split], raw: float) -> Measured:
    """The errors of each draw, and means over draws; RMSE and decibels come from the mean squared errors, which noise
    makes negative now and then. `raw` is the plain mean's squared error."""
    rows = [figures(each, method) for each in splits]
    errors = {name: np.array([row.pop(name) for row in rows]) for name in (BRAIN, RIMLESS)}
    mean, squared = mean_row(rows), float(np.mean(errors[BRAIN]))
    first = {
        **{name: root(each) for name, each in errors.items()},
        "dB over raw": decibels(raw, squared),
        "PSNR (dB)": decibels(mean.pop("peak") ** 2, squared),
    }
    return Measured(method, errors, first | mean | agreement(whole, method))


def compare(whole: Case, networks: Sequence[Method], tunable: Mapping[str, Tunable], draws: int) -> list[Measured]:
    """Every method on one series, the peers as tuned on it."""
    count = SEEN[whole.label]
    splits = [split(whole, count, draw) for draw in range(draws)]
    raw = float(np.mean([s.error_of(s.case.raw) for s in splits]))
    found = []
    for method in (*peer_methods(tuned_here(whole, count, tunable)), *networks):
        found.append(measured(method, whole, splits, raw))
        say(whole.label, method.name)
    return found


def rmse_apart(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """RMSE of `ours` less that of `theirs`, of squared errors a draw, and its standard error over draws (jackknife).

    The draws of one series share pairs, so the error is a little too small; NaN for a single draw.
    """
    n = len(ours)
    without = [root(np.delete(ours, i)) - root(np.delete(theirs, i)) for i in range(n)] if n > 1 else [np.nan]
    error = np.sqrt((n - 1) / n * np.sum(np.square(without - np.mean(without)))) if n > 1 else np.nan
    return root(ours) - root(theirs), float(error)


def verdicts(label: str, found: Sequence[Measured], name: str) -> list[list[str]]:
    """Whether a method is nearer to the unseen pairs than the plain mean and the best peer, with and without rim."""
    ours = next(each for each in found if each.method.name == name)
    raw = next(each for each in found if each.method.kind == "raw")
    rivals = [each for each in found if each.method.kind in ("classical", "guided", "pretrained")]
    lines = []
    for where, words in ((BRAIN, "brain"), (RIMLESS, "without its rim")):
        best = min(rivals, key=lambda each: each.row[where])
        line = [label, words, f"{ours.row[where]:.2f}"]
        for other in (raw, best):
            apart, error = rmse_apart(ours.errors[where], other.errors[where])
            said = f"{apart:+.2f}" + (f" ± {error:.2f}" if np.isfinite(error) else "")
            named = f"{other.row[where]:.2f}" if other is raw else f"{other.method.name}, {other.row[where]:.2f}"
            line += [named, said, answer(apart < 0)]
        lines.append(line)
    return lines


def parser() -> argparse.ArgumentParser:
    quick = "one draw of the GRASE series; the table is printed alone"
    parser = options(__doc__, "data", "models", "dlasl", "device", "threads", quick=quick)
    parser.add_argument("--draws", type=int, default=4, help="random choices of the seen pairs a series")
    return parser


def main() -> None:
    command = begin(__file__, parser())
    args = command.args
    tunable = tunable_peers(args.dlasl)
    cards = chosen_models(args.models)
    networks = network_methods(cards, device=args.device)
    name = next(m.name for m in networks if m.model == default_model(cards))
    names, draws = (NAMES[:1], 1) if args.quick else (NAMES, args.draws)
    tables, judged = [], []
    for whole in real_cases(args.data, names):
        found = compare(whole, networks, tunable, draws)
        n, k = len(whole.every_pair.context), SEEN[whole.label]
        judged += verdicts(f"{whole.label}, {k} of {n}", found, name)
        rows = {each.method.name: each.row for each in found}
        tables += [f"## {whole.label}: {k} of {n} pairs against the mean of the other {n - k}", table(rows)]
    asked = ("nearer", f"{name} less the mean", f"{name} less the peer")
    command.publish(
        "Denoisers on real series",
        f"One healthy adult, Siemens Prisma 3 T, {ORIGIN}: 3D "
        "GRASE pCASL, 2D EPI pCASL (delay only 0.2 s, so vascular) and 2D PASL PICORE (bolus times assumed). Pairs, "
        "weights, brain, tissue and guides are what a run gives its denoiser: motion corrected, nuisances regressed, "
        "outliers left out (all judged on the whole series), the T1 of an earlier visit segmented and registered. No "
        "model was trained or chosen on these pairs.",
        f"Means over {draws} random choices of the seen pairs. RMSE (ml/100g/min) is noise-corrected: the reference's "
        "variance, from the spread of its pairs, is taken off. The rim is the brain's voxels that share a face in "
        "plane with what is not brain. PSNR is from the RMSE in the brain, its peak the 99th percentile of the "
        "reference there. Bias is against the reference, r is not noise-corrected. Halves are the odd and the "
        "even pairs of the whole scan, denoised apart; guides are common to both, so what a method reads off anatomy "
        "counts as agreement. The peers' strengths are their best on a further draw of the same series, which favours "
        "them. DLASL knows CBF from 0 to 150 ml/100g/min, as its package clips it.",
        f"## Is {name} nearer to the unseen pairs than the plain mean and every peer?",
        "RMSE, and the difference with its standard error over draws (jackknife).",
        text_table(
            ("series", "where", name, "plain mean", asked[1], asked[0], "best peer", asked[2], asked[0]),
            judged,
        ),
        *tables,
    )


if __name__ == "__main__":
    main()
