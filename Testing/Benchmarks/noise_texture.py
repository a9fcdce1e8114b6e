"""Level and texture of noise: real series beside simulated scans and the noise of training; writes noise_texture.md.

Noise is what pairs differ by from their mean. A model that is trained on noise of another texture fails on real
series, so what it is trained on must lie around them: the table says whether it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ASLDenoiseLib.learning.noise import NoiseSettings, draw_noise, draw_noise_parameters
from ASLDenoiseLib.learning.phantom import Phantom
from ASLDenoiseLib.learning.simulate import ScanSettings, draw_scan_settings, simulate_scan
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.series import ASLSeries, VolumeType

from .library.cases import HELD_OUT, anatomy_path, draw_still
from .library.command import begin, options
from .library.real_scans import real_cases, real_series
from .library.tables import text_table

SPACINGS = ((2.5, 2.5, 3.09), (3.0, 3.0, 5.0), (3.5, 3.5, 5.0))
LEAST_SLICE = 0.1  # of a slice that must be brain for its spectrum to count
BANDS = ((0.0, 1 / 6), (1 / 6, 1 / 3), (1 / 3, 1 / 2))  # cycles a voxel


@dataclass(frozen=True, eq=False)
class Pairs:
    """Differences (N, K, J, I), the brain, its GM and its CSF (bool), and the controls (N, K, J, I) where there are."""

    array: np.ndarray
    inside: np.ndarray
    gm: np.ndarray
    csf: np.ndarray
    controls: np.ndarray | None = None


def lag_one(values: np.ndarray) -> float:
    """Correlation of successive values (T, ...) once their straight trend is taken away, pooled over what follows T."""
    t = np.arange(len(values)) - (len(values) - 1) / 2
    rest = values - values.mean(axis=0)
    rest = rest - np.multiply.outer(t, np.tensordot(t, rest, (0, 0)) / np.sum(t**2))
    return float(np.sum(rest[1:] * rest[:-1]) / np.sum(rest**2))


def neighbours(noise: np.ndarray, inside: np.ndarray, axis: int) -> float:
    """Correlation of standardised noise (N, K, J, I) with the next voxel along `axis` (0 k, 1 j, 2 i) in the brain."""
    n = inside.shape[axis]
    first, second = np.take(noise, range(n - 1), axis + 1), np.take(noise, range(1, n), axis + 1)
    both = np.take(inside, range(n - 1), axis) & np.take(inside, range(1, n), axis)
    a, b = first[:, both], second[:, both]
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


def band_powers(noise: np.ndarray, inside: np.ndarray) -> list[float]:
    """Mean power in plane in `BANDS` of radial frequency, relative to that of all below half a cycle a voxel."""
    slices = inside.mean(axis=(1, 2)) > LEAST_SLICE
    power = np.abs(np.fft.fft2(np.where(inside, noise, 0)[:, slices])) ** 2
    power = power.mean(axis=(0, 1))
    radius = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n) for n in power.shape), indexing="ij"))
    whole = power[radius < BANDS[-1][1]].mean()
    return [float(power[(radius >= low) & (radius < high)].mean() / whole) for low, high in BANDS]


def figures(pairs: Pairs) -> dict[str, float]:
    """What the table tells of one series."""
    n, inside = len(pairs.array), pairs.inside
    noise = (pairs.array - pairs.array.mean(axis=0)) * np.sqrt(n / (n - 1))
    sd = np.sqrt(np.mean(noise**2, axis=0))
    level = float(np.sqrt(np.mean(sd[pairs.gm] ** 2)))
    standard = np.where(inside, noise / np.maximum(sd, 1e-6), 0)
    everywhere = standard[:, inside].mean(axis=1)
    low, mid, high = band_powers(standard, inside)
    result = {
        "GM SNR of a pair": float(pairs.array[:, pairs.gm].mean()) / level,
        "r along i": neighbours(standard, inside, 2),
        "r along j": neighbours(standard, inside, 1),
        "r along k": neighbours(standard, inside, 0),
        "power low": low,
        "power mid": mid,
        "power high": high,
        "SD of the global part": float(everywhere.std()),
        "lag-1 r of the global part": lag_one(everywhere),
        "unevenness of the SD": unevenness(sd, inside),
        "SD in CSF over GM": float(np.sqrt(np.mean(sd[pairs.csf] ** 2))) / level,
    }
    if pairs.controls is not None:
        mean = pairs.controls[:, inside].mean(axis=1)
        result["global control SD, %"] = float(100 * mean.std() / mean.mean())
        result["global control lag-1 r"] = lag_one(mean)
    return result


def unevenness(sd: np.ndarray, inside: np.ndarray) -> float:
    """Relative SD over the brain of the noise SD, averaged over cubes of five voxels to take its own noise away."""
    from scipy.ndimage import uniform_filter

    weight = uniform_filter(inside.astype(np.float64), 5)
    smooth = np.sqrt(
        np.maximum(uniform_filter(np.where(inside, sd.astype(np.float64) ** 2, 0), 5), 0) / np.maximum(weight, 1e-3)
    )[inside]
    return float(smooth.std() / smooth.mean())


def of_series(series: ASLSeries, inside: np.ndarray, gm: np.ndarray, wm: np.ndarray) -> Pairs:
    """The pairs of a series within a mask (bool), with its fractions of GM and WM."""
    controls = series.array[series.indices(VolumeType.CONTROL)]
    array = difference_volumes(series).array
    return Pairs(array, inside, inside & (gm > 0.7), inside & (gm + wm < 0.3), controls)


def phantoms(anatomies: Sequence[Path], count: int) -> list[Phantom]:
    """Heads at rest; anatomies and voxel sizes take turns."""
    return [
        draw_still(anatomies[n % len(anatomies)], seed=700 + n, spacing=SPACINGS[n % len(SPACINGS)])
        for n in range(count)
    ]


def scanned(phantom: Phantom, settings: ScanSettings, seed: int) -> dict[str, float]:
    scan = simulate_scan(phantom, settings, seed=seed)
    return figures(of_series(scan.series, phantom.brain.numpy() > 0, phantom.gm.numpy(), phantom.wm.numpy()))


def trained_on(phantom: Phantom, seed: int, pairs: int = 12) -> dict[str, float]:
    """The noise of a mean that training draws, as if `pairs` of it were pairs."""
    g = torch.Generator().manual_seed(seed)
    brain = (phantom.brain > 0).float()[None, None]
    gm = phantom.gm > 0.7
    level = phantom.perfusion[gm].mean()[None]
    fluid = (brain - phantom.gm - phantom.wm).clamp(0, 1)
    static = phantom.m0[None, None]
    draw = draw_noise_parameters(level, tuple(brain.shape[2:]), NoiseSettings(), g, csf=fluid, static=static)
    noise = torch.cat([draw_noise(draw, brain, g)[0] for _ in range(pairs)])
    inside = brain[0, 0].numpy() > 0
    csf = inside & (phantom.gm + phantom.wm < 0.3).numpy()
    return figures(Pairs((phantom.perfusion + noise).numpy(), inside, gm.numpy(), csf))


def spread(rows: list[dict[str, float]], name: str) -> tuple[float, float]:
    values = [r[name] for r in rows if name in r]
    return (float(np.min(values)), float(np.max(values))) if values else (np.nan, np.nan)


def cell(low: float, high: float | None = None) -> str:
    if not np.isfinite(low):
        return "-"
    return f"{low:.2f}" if high is None else f"{low:.2f} to {high:.2f}"


def report(real: dict[str, dict[str, float]], simulated: dict[str, list[dict[str, float]]]) -> list[str]:
    """The table, a line a figure, and what does not lie within the range of a simulation."""
    names = list(dict.fromkeys(n for row in real.values() for n in row))
    body, missed = [], []
    for name in names:
        ranges = {label: spread(rows, name) for label, rows in simulated.items()}
        body.append([name, *(cell(row[name]) for row in real.values()), *(cell(*ranges[label]) for label in simulated)])
        for label, (low, high) in ranges.items():
            out = [k for k, row in real.items() if np.isfinite(low) and not low <= row[name] <= high]
            if out and label != "defaults":
                missed.append(f"- {name}, {label}: {', '.join(f'{k} ({real[k][name]:.2f})' for k in out)}")
    return [
        text_table(["figure", *real, *simulated], body),
        "Real values outside the range of a simulation:",
        "\n".join(missed or ["- none"]),
    ]


def main() -> None:
    parser = options(__doc__, "data")
    parser.add_argument("--draws", type=int, default=16)
    command = begin(__file__, parser)
    args = command.args
    real = {}
    for case in real_cases(args.data):
        series = real_series(args.data, case.label)
        inside = (case.brain.array > 0) & (case.every_pair.array.std(axis=0) > 0)
        real[case.label] = figures(of_series(series, inside, case.tissue.gm.array, case.tissue.wm.array))
    heads = phantoms([anatomy_path(a, args.data / "anatomy") for a in HELD_OUT], args.draws)
    simulated = {
        "defaults": [scanned(p, ScanSettings(pairs=12), n) for n, p in enumerate(heads[:3])],
        "drawn scans": [scanned(p, draw_scan_settings(n, pairs=24), n) for n, p in enumerate(heads)],
        "training noise": [trained_on(p, n) for n, p in enumerate(heads)],
    }
    command.publish(
        "Noise: real series and simulations",
        "Noise is what pairs differ by from their mean, in the "
        "brain, each voxel over its own SD. r: correlation with the next voxel. Power: in plane, thirds of the radial "
        "frequency up to half a cycle a voxel, relative to their mean (white noise: 1, 1, 1). The global part is the "
        "mean over the brain; lag-1 r is over successive pairs or controls, after a straight trend.",
        f"`defaults` is `ScanSettings()`; `drawn scans` {args.draws} draws of `draw_scan_settings`; `training noise` "
        "as many of `NoiseSettings()`, where the SNR is that of a mean. Simulated on held-out anatomies: lowest to "
        "highest. A lag-1 r of 8 to 51 pairs is itself uncertain by 0.35 to 0.14.",
        *report(real, simulated),
    )


if __name__ == "__main__":
    main()
