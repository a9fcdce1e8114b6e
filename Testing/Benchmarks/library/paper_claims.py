"""The papers' comparisons: of networks that see slices (reference, loss, kinetic model), and volumes or slabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np

from ASLDenoiseLib.spatial.smoothing import blur

from .cases import Case
from .comparisons import (
    LONG,
    SPIKES,
    Bench,
    Rows,
    Scans,
    Way,
    bias_difference,
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
INPUTS = (2, 4, 8, 16)  # pairs of an average that the article denoises


# Networks that see slices


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


# Networks that see volumes or slabs


def averaging(bench: Bench, scans: Scans) -> list[str]:
    """Averages before the network against after it, windowed against interleaved."""
    if "unet3d" not in bench.cards:
        return ["unet3d is not installed; there is nothing to compare."]
    ways: dict[str, Way] = {f"mean of {LONG} pairs": raw}
    for group in INPUTS:
        for order, interleaved in (("windowed", False), ("interleaved", True)):
            ways[f"{group} pairs a group, {order}"] = bench.way("unet3d", group=group, interleaved=interleaved)
    ways[f"all {LONG} in one"] = bench.way("unet3d")
    rows = measure(scans.drifting, ways, (PSNR, SSIM, "NMAE", "GM bias (%)", "WM bias (%)"))
    most = f"{INPUTS[-1]} pairs a group, windowed"
    windowed = pooled(
        difference(rows, f"{g} pairs a group, windowed", f"{g} pairs a group, interleaved", PSNR) for g in INPUTS
    )
    found = [
        outcome(
            f"{INPUTS[-1]} a group over {INPUTS[0]}",
            difference(rows, most, f"{INPUTS[0]} pairs a group, windowed", PSNR),
            " dB",
        ),
        outcome(
            f"all in one over {INPUTS[0]} a group",
            difference(rows, f"all {LONG} in one", f"{INPUTS[0]} pairs a group, windowed", PSNR),
            " dB",
        ),
        outcome("windowed over interleaved", windowed, " dB"),
    ]
    text = (
        f"unet3d on {LONG} pairs: groups are averaged, denoised and averaged again. These scans have fluctuations that "
        "last (memory 0.9 from volume to volume) and a head that drifts (SD 0.3 mm), without which the order of pairs "
        "would mean nothing."
    )
    paper = "averaging before the network beats averaging after it, and windowed beats interleaved groups."
    return section(rows, text, concluded(paper, found))


def calibration(bench: Bench, scans: Scans) -> list[str]:
    """With and without the M0 as a second channel."""
    rows: Rows = {}
    names = (PSNR, "SNR", "GM bias (%)", "WM bias (%)")
    labels = [f"{count} pairs" for count in INPUTS]
    for count, label in zip(INPUTS, labels, strict=True):
        ways = {"mean": raw, **bench.ways(("unet3d", "unet3d-m0"))}
        cases = [first(c, count) for c in scans.long]
        rows |= measure(cases, {f"{name}, {label}": way for name, way in ways.items()}, names)

    def gained(figure: str, which: Sequence[str], how: Callable = difference) -> np.ndarray:
        return pooled(how(rows, f"unet3d-m0, {label}", f"unet3d, {label}", figure) for label in which)

    found = [
        outcome(f"with M0, PSNR of {labels[0]}", gained(PSNR, labels[:1]), " dB"),
        outcome(f"of {labels[-1]}", gained(PSNR, labels[-1:]), " dB"),
        outcome("SNR, all inputs", gained("SNR", labels)),
        outcome("size of the GM bias", gained("GM bias (%)", labels, bias_difference), " points"),
        outcome("of the WM bias", gained("WM bias (%)", labels, bias_difference), " points"),
    ]
    text = f"Means of the first pairs of {LONG}. 'Holds' for a bias means that the M0 makes it larger."
    paper = "the M0 almost always helps, depending on the SNR of the input; elsewhere it is said to bias CBF."
    return section(rows, text, concluded(paper, found, bench.unlike("unet3d", "unet3d-m0")))


def matching(bench: Bench, scans: Scans) -> list[str]:
    """Networks trained on poorer references, on inputs of every SNR."""
    counts = (*INPUTS, LONG)
    ways = {"mean": raw, **bench.ways(("unet3d-gt25", "unet3d-gt50", "unet3d"))}
    table_rows: Rows = {name: [{} for _ in scans.long] for name in ways}
    for count in counts:
        for name, cells in measure([first(c, count) for c in scans.long], ways, (PSNR,)).items():
            for row, cell in zip(table_rows[name], cells, strict=True):
                row[f"PSNR, {count} pairs (dB)"] = cell[PSNR]

    def over(one: str, other: str, count: int) -> np.ndarray:
        return difference(table_rows, one, other, f"PSNR, {count} pairs (dB)")

    found = [
        outcome("unet3d-gt25 over its input of 8 pairs", over("unet3d-gt25", "mean", 8), " dB"),
        outcome("unet3d-gt50 over its input of 16", over("unet3d-gt50", "mean", 16), " dB"),
        outcome("unet3d over its input of 32", over("unet3d", "mean", 32), " dB"),
        outcome("gt25 (trained on 2 and 4) over gt100 on 2 pairs", over("unet3d-gt25", "unet3d", 2), " dB"),
        outcome("gt100 (trained on 2 to 16) over gt25 on 16 pairs", over("unet3d", "unet3d-gt25", 16), " dB"),
    ]
    text = (
        f"Trained towards means of 8 (gt25), 16 (gt50) or {LONG} (gt100: unet3d) of {LONG} pairs, tested on means of "
        "the first pairs against the truth. In training here the input's own SNR is drawn from one range for all "
        "three; what differs is how many of the reference's pairs the input holds, and so the noise of the reference."
    )
    paper = (
        "a network denoises beyond the reference it was trained with, and is best where the SNR of training and use "
        "match."
    )
    return section(table_rows, text, concluded(paper, found, bench.unlike("unet3d", "unet3d-gt50", "unet3d-gt25")))


def transformer(bench: Bench, scans: Scans) -> list[str]:
    """The transformer against the U-Nets."""
    ways = {"mean of 10 of 40 pairs": raw, **bench.ways(("unet2d-lfn", "unet3d", "slab-transformer"))}
    rows = measure(scans.plain, ways, (PSNR, SSIM, "NMAE", "SNR", "GM bias (%)", "WM bias (%)"))
    found = [
        outcome("over the 3D U-Net, PSNR", difference(rows, "slab-transformer", "unet3d", PSNR), " dB"),
        outcome("SSIM", difference(rows, "slab-transformer", "unet3d", SSIM)),
        outcome("over the 2D U-Net, PSNR", difference(rows, "slab-transformer", "unet2d-lfn", PSNR), " dB"),
    ]
    text = (
        "Mean of 10 of 40 pairs in. The 3D U-Net and the transformer have the same reference, not quite the same loss."
    )
    paper = "the transformer beats convolutional networks (Shou 2024; the article names transformers without figures)."
    return section(rows, text, concluded(paper, found, bench.unlike("slab-transformer", "unet3d", "unet2d-lfn")))
