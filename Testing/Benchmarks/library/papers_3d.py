"""The papers' comparisons of networks that see volumes or slabs: averaging, the M0, the SNR, the transformer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from .comparisons import (
    LONG,
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
from .scores import PSNR, SSIM

INPUTS = (2, 4, 8, 16)  # pairs of an average that the article denoises


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
