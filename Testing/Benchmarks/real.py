"""Denoisers on real series, judged by pairs they have not seen; writes real.md.

There is no truth in a real scan. So k pairs are denoised and compared with the mean of all the others: an unbiased
reference whose own noise is known from their spread and taken off (MSE - mean(s^2/n)). Pairs in common would reward
noise that was left in; there are none.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from ASLDenoiseLib.measuring.image_quality import bias, ccc

from .library.cases import Case, seen
from .library.command import begin, options, say, timed
from .library.disjoint import odd_and_even, pearson
from .library.methods import (
    Method,
    chosen_models,
    classical_methods,
    default_model,
    network_methods,
    require_bm4d,
    tune,
)
from .library.real_scans import NAMES, ORIGIN, Split, real_cases, split
from .library.tables import answer, mean_row, table, text_table

# Real noise is smoother than the phantoms', and wants more.
STRONGER = {"BM4D": (2.0,), "BM4D, noise spectrum": (1.4,)}
SEEN = {"acq-grase": 2, "acq-epi": 5, "acq-picore": 5}


def figures(scan: Split, method: Method) -> dict[str, float]:
    case = scan.case
    difference, seconds = timed(method.run, case)
    array = case.cbf(difference).array
    return {
        "MSE": scan.error_of(difference),
        "peak": float(np.percentile(scan.reference[case.inside], 99)),
        "r": pearson(array, scan.reference, case.inside),
        "GM bias (%)": bias(array, scan.reference, case.gm),
        "WM bias (%)": bias(array, scan.reference, case.wm),
        "s": seconds,
    }


def decibels(above: float, below: float) -> float:
    return float(10 * np.log10(above / below)) if above > 0 and below > 0 else float("nan")


def agreement(whole: Case, method: Method) -> dict[str, float]:
    """Odd against even pairs, each half denoised by itself."""
    odd, even = (whole.cbf(method.run(seen(whole, half))).array for half in odd_and_even(whole.every_pair))
    return {"r of halves": pearson(odd, even, whole.inside), "CCC of halves": ccc(odd, even, whole.inside)}


def tuned_here(whole: Case, count: int) -> dict[str, float]:
    """Each peer's best strength on a further draw of this very series: an advantage no network gets."""
    scan = split(whole, count, draw=99)
    return tune([scan.case], gain=lambda case, difference: -scan.error_of(difference), further=STRONGER)


def mean_of_draws(rows: Sequence[dict[str, float]], raw: Sequence[float]) -> dict[str, float]:
    """Means over draws; RMSE and decibels come from the mean squared errors, which noise makes negative now and
    then."""
    mean = mean_row(rows)
    squared = mean.pop("MSE")
    peak = float(np.mean([r["peak"] for r in rows]))
    del mean["peak"]
    return {
        "RMSE": float(np.sqrt(max(squared, 0.0))),
        "dB over raw": decibels(float(np.mean(raw)), squared),
        "PSNR (dB)": decibels(peak**2, squared),
        **mean,
    }


def compare(whole: Case, networks: Sequence[Method], draws: int) -> tuple[dict[str, dict[str, float]], list[Method]]:
    """Every method's figures on one series, by name, and the methods with the peers as tuned."""
    count = SEEN[whole.label]
    methods = [*classical_methods(tuned_here(whole, count)), *networks]
    splits = [split(whole, count, draw) for draw in range(draws)]
    raw = [s.error_of(s.case.raw) for s in splits]
    rows = {}
    for method in methods:
        rows[method.name] = mean_of_draws([figures(s, method) for s in splits], raw) | agreement(whole, method)
        say(whole.label, method.name)
    return rows, methods


def verdict(label: str, rows: dict[str, dict[str, float]], methods: Sequence[Method], name: str) -> list[str]:
    """Whether the default model is nearer to the unseen pairs than the best classical peer."""
    cells = []
    for kind, words in (("classical", "best classical peer"), ("guided", "best peer guided by anatomy")):
        best = min((m.name for m in methods if m.kind == kind), key=lambda n: rows[n]["RMSE"])
        ours, theirs = rows[name]["RMSE"], rows[best]["RMSE"]
        cells += [f"{words}: {best}, {theirs:.2f}", f"{ours:.2f}", answer(ours < theirs)]
    return [label, *cells]


def parser() -> argparse.ArgumentParser:
    quick = "one draw of the GRASE series; the table is printed alone"
    parser = options(__doc__, "data", "models", "device", "threads", quick=quick)
    parser.add_argument("--draws", type=int, default=3, help="random choices of the seen pairs a series")
    return parser


def main() -> None:
    command = begin(__file__, parser())
    args = command.args
    require_bm4d()
    cards = chosen_models(args.models)
    networks = network_methods(cards, device=args.device)
    name = next(m.name for m in networks if m.model == default_model(cards))
    names, draws = (NAMES[:1], 1) if args.quick else (NAMES, args.draws)
    tables, verdicts = [], []
    for whole in real_cases(args.data, names):
        rows, methods = compare(whole, networks, draws)
        n, k = len(whole.every_pair.context), SEEN[whole.label]
        verdicts.append(verdict(f"{whole.label}, {k} of {n}", rows, methods, name))
        tables += [f"## {whole.label}: {k} of {n} pairs against the mean of the other {n - k}", table(rows)]
    command.publish(
        "Denoisers on real series",
        f"One healthy adult, Siemens Prisma 3 T, {ORIGIN}: 3D "
        "GRASE pCASL, 2D EPI pCASL (delay only 0.2 s, so vascular) and 2D PASL PICORE (bolus times assumed); the T1 "
        "is of an earlier visit, segmented and registered as a run does. No model was trained or chosen on these "
        "pairs.",
        f"Means over {draws} random choices of the seen pairs. RMSE (ml/100g/min) is noise-corrected: the reference's "
        "variance, from the spread of its pairs, is taken off. PSNR is from it, its peak the 99th percentile of the "
        "reference in the brain. Bias is against the reference, r is not noise-corrected. Halves are the odd and the "
        "even pairs of the whole scan, denoised apart; guides are common to both, so what a method reads off anatomy "
        "counts as agreement. The peers' strengths are their best on a further draw of the same series, which favours "
        "them.",
        f"## Is {name} nearer to the unseen pairs than every peer? (RMSE)",
        text_table(("series", "against", name, "nearer", "against", name, "nearer"), verdicts),
        *tables,
    )


if __name__ == "__main__":
    main()
