"""The papers' comparisons of networks that see slices: the reference, the loss, the kinetic model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from ASLDenoiseLib.spatial.smoothing import blur

from .cases import Case
from .comparisons import (
    SPIKES,
    Bench,
    Rows,
    Scans,
    Way,
    concluded,
    difference,
    first,
    measure,
    outcome,
    pooled,
    raw,
    section,
)
from .scores import PAPERS_PSNR, PAPERS_SSIM, PSNR, SSIM, pseudo_gold
from .tables import mean_row

LAMBDAS = {"deepasl-l02": 0.2, "deepasl-l05": 0.5, "deepasl-l07": 0.7, "deepasl-l10": 1.0}
DEEPASL_FWHM = 4.0  # mm, in plane
PLANAR = ("unet2d", "dilated", "dwan")


def references(bench: Bench, scans: Scans) -> list[str]:
    """Learning from noise against learning from the pseudo gold standard, by network."""
    both = [(f"{n}-lfn", f"{n}-asldn") for n in PLANAR]
    ways: dict[str, Way] = {"mean of 10 of 40 pairs": raw, "pseudo gold standard": pseudo_gold}
    ways |= bench.ways(name for pair in both for name in reversed(pair))
    names = (PSNR, SSIM, PAPERS_PSNR, PAPERS_SSIM, "SNR", "GM/WM", "GM bias (%)", "WM bias (%)")
    rows = measure(scans.plain, ways, names)

    def gained(figure: str) -> np.ndarray:
        return pooled(difference(rows, noisy, clean, figure) for noisy, clean in both)

    found = [
        outcome("PSNR to the truth", gained(PSNR), " dB"),
        outcome("PSNR as the papers take it", gained(PAPERS_PSNR), " dB"),
        outcome("SNR", gained("SNR")),
        outcome("GM/WM contrast", gained("GM/WM")),
        outcome(
            "SNR of dwan-lfn over that of the pseudo gold standard",
            difference(rows, "dwan-lfn", "pseudo gold standard", "SNR"),
        ),
        outcome(
            "DWAN over the U-Net, PSNR as the papers take it",
            difference(rows, "dwan-lfn", "unet2d-lfn", PAPERS_PSNR),
            " dB",
        ),
        outcome("DWAN over DilatedNet", difference(rows, "dwan-lfn", "dilated-lfn", PAPERS_PSNR), " dB"),
    ]
    paper = (
        "learning from noise has a higher PSNR (by 0.02 to 0.31 dB), SNR (8.06 against 6.36; 5.87 in the pseudo gold "
        "standard) and contrast (2.32 against 2.15) than learning from the pseudo gold standard, and DWAN beats "
        "DilatedNet and the U-Net."
    )
    text = (
        "Mean of 10 of 40 pairs in. '-lfn' learned from independent means of as many pairs, '-asldn' from the pseudo "
        "gold standard, the smoothed mean of four times the pairs. Papers' PSNR and SSIM are against the pseudo gold "
        "standard, the mean of all 40 pairs after a 3 mm Gaussian, which holds the input and so rewards its noise. "
        "Differences below are means over the networks that are installed both ways."
    )
    return section(rows, text, concluded(paper, found, bench.unlike(*(name for pair in both for name in pair))))


def losses(bench: Bench, scans: Scans) -> list[str]:
    """L1 against L2 on scans with and without outliers."""
    rows: Rows = {}
    names = (PSNR, SSIM, "GM bias (%)", "WM bias (%)")
    models = {"L1": "dwan-lfn", "L2": "dwan-lfn-l2"}
    for label, cases in (("no outliers", scans.plain), ("outliers", scans.corrupted)):
        ways = {"mean of 10 pairs": raw, **{k: bench.way(m) for k, m in models.items() if m in bench.cards}}
        rows |= measure(cases, {f"{name}, {label}": way for name, way in ways.items()}, names)
    found = [
        outcome(f"L1 over L2 with {label}, {words}", difference(rows, f"L1, {label}", f"L2, {label}", figure), unit)
        for label, (figure, words, unit) in product(
            ("outliers", "no outliers"), ((PSNR, "PSNR", " dB"), (SSIM, "SSIM", ""))
        )
    ]
    text = (
        f"dwan-lfn and dwan-lfn-l2 on the mean of 10 of 40 pairs. Outliers: each slice of each control and label is "
        f"crossed by stripes with a chance of {100 * SPIKES:g} %."
    )
    paper = "L1 beats L2 (25.28 dB and .803 against 24.40 dB and .677), above all where there are outliers."
    return section(rows, text, concluded(paper, found, bench.unlike(*models.values())))


def in_plane(case: Case) -> np.ndarray:
    """The mean after DeepASL's own smoothing, which does not mix slices."""
    sx, sy, _ = case.raw.geometry.spacing
    smooth = blur(np.nan_to_num(case.raw.array), (sx, sy, 1e6), DEEPASL_FWHM)
    return case.cbf(case.raw.with_array(smooth)).array


def kinetic(bench: Bench, scans: Scans) -> list[str]:
    """DeepASL by the share of its kinetic loss."""
    cases = [first(c, len(c.every_pair.context) * share // 100) for c in scans.plain for share in (20, 40, 60, 80)]
    ways: dict[str, Way] = {"averaging": raw, f"{DEEPASL_FWHM:g} mm Gaussian in plane": in_plane}
    ways |= bench.ways((*LAMBDAS, "dilated-lfn", "dilated-asldn"))
    rows = measure(cases, ways, (PSNR, "RMSE", "CCC", "GM bias (%)", "WM bias (%)"))
    rows = {name: by_scan(cells, 4) for name, cells in rows.items()}
    best = "deepasl-l02"
    against = {
        "averaging": "averaging",
        "its Gaussian alone": f"{DEEPASL_FWHM:g} mm Gaussian in plane",
        "DilatedNet (pseudo gold standard)": "dilated-asldn",
        **{f"lambda {value:g}": name for name, value in LAMBDAS.items() if name != best},
    }
    found = [outcome(f"lambda 0.2 over {w}, PSNR", difference(rows, best, n, PSNR), " dB") for w, n in against.items()]
    text = (
        "Means of 8, 16, 24 and 32 of 40 pairs in, as the paper averages 20 to 80 %; figures are means over the four. "
        "DilatedNet was trained here as section 1 says, in the paper on DeepASL's own pairs."
    )
    paper = (
        "lambda 0.2 is the best of 0.2, 0.5, 0.7 and 1, 7.7 dB over averaging and 2.8 dB over DilatedNet on synthetic "
        "data (1.5 and 0.9 dB on real data)."
    )
    return section(rows, text, concluded(paper, found, bench.unlike(*LAMBDAS, "dilated-asldn")))


def by_scan(cells: Sequence[dict[str, float]], count: int) -> list[dict[str, float]]:
    """Means over each `count` successive cells, which are of one scan."""
    return [mean_row(cells[n : n + count]) for n in range(0, len(cells), count)]
