"""How many pairs are enough: errors told from a scan alone beside those against its truth; writes pairs_needed.md.

Two hundred small scans and a Gaussian show whether intervals hold what they promise, against the error of other scans
of the same truth. Simulated heads, and the network as a run has it, show the same of whole scans. Then real series.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ASLDenoiseLib.measuring.pairs_needed import crossing, pairs_needed, sizes
from ASLDenoiseLib.pipeline.pairs_needed_step import denoised_of
from ASLDenoiseLib.pipeline.request import Denoising, Head, Request
from ASLDenoiseLib.pipeline.run import completed
from ASLDenoiseLib.pipeline.state import RunState
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.result.pairs_needed import PairsNeeded

from .library.cases import SCENARIOS, Scenario, kept_out_head
from .library.command import begin, options, say
from .library.real_scans import NAMES, real_series
from .library.tables import answer, number, text_table

REPEATS = 50  # small scans of each kind
TRUTHS = 60  # further ones, whose mean error is taken for the true one
SHAPE = (8, 16, 16)


@dataclass(frozen=True)
class Small:
    """A kind of small scan: pairs, SD of a pair's noise, of what all voxels of a pair share, SD of both Gaussians."""

    pairs: int
    noise: float
    shared: float
    correlated: float  # voxels
    blur: float  # voxels


SMALL = (Small(40, 80, 5, 0.7, 0.8), Small(40, 95, 0, 0.0, 1.0), Small(20, 120, 3, 0.7, 1.0), Small(8, 40, 3, 0.7, 0.8))
HEADS = ((0, 0), (1, 1), (2, 2), (3, 3))  # which head, which scenario


def small_scans(kind: Small, random: np.random.Generator, truth: np.ndarray, pairs: int) -> np.ndarray:
    """Pairs of a truth, noisier on one side."""
    from scipy.ndimage import gaussian_filter

    noise = np.stack([gaussian_filter(random.normal(size=SHAPE), kind.correlated) for _ in range(pairs)])
    noise *= kind.noise / noise.std() * np.linspace(0.5, 1.5, SHAPE[2])
    return truth + noise + kind.shared * random.normal(size=(pairs, 1, 1, 1))


def small_row(kind: Small) -> list[str]:
    """How often intervals hold the true error, and the true number of pairs."""
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng(1)
    truth = gaussian_filter(random.normal(size=SHAPE), 1.2)
    truth = 40 + 18 * truth / truth.std()

    def error(n: int, blur: float) -> float:
        means = (small_scans(kind, random, truth, n).mean(axis=0) for _ in range(TRUTHS))
        return float(np.mean([np.square(gaussian_filter(mean, blur) - truth).mean() for mean in means]))

    numbers = sizes(kind.pairs)
    true = [error(n, kind.blur) for n in numbers]
    needed = crossing(numbers, true, error(kind.pairs, 0.0))
    found = []
    for _ in range(REPEATS):
        pairs = small_scans(kind, random, truth, kind.pairs)
        blurred = lambda chosen, pairs=pairs: gaussian_filter(pairs[chosen].mean(axis=0), kind.blur)  # noqa: E731
        found.append(pairs_needed(pairs, blurred, inside=np.ones(SHAPE, bool), unit=""))
    ratio = [np.mean([each.denoised[k].square for each in found]) / true[k] for k in range(len(true))]
    held = [e.low <= t <= e.high for each in found for e, t in zip(each.denoised, true, strict=True)]
    answers = [each.low <= needed <= each.high for each in found]
    middle = np.median([each.needed for each in found])
    shares = [f"{100 * np.mean(each):.0f}" for each in (held, answers)]
    figures = [f"{kind.noise:g}", f"{min(ratio):.2f}-{max(ratio):.2f}", *shares]
    return [str(kind.pairs), *figures, f"{needed:.1f}", f"{middle:.1f}"]


def noise_free(anatomy: Path, n: int, scenario: Scenario) -> np.ndarray:
    """The difference of the n-th head without noise, as every pair shows it: (K, J, I), scanner units."""
    quiet = replace(scenario, pairs=1, gm_snr=1e5)
    return difference_volumes(kept_out_head(anatomy, n, quiet, physiological=0.0).scan.series).array[0]


def with_truth(state: RunState, truth: np.ndarray) -> tuple[PairsNeeded, list[float], float]:
    """The answer of a run, the squared errors of the same maps against a true difference, and that of their mean."""
    factor, apart = state.quantification.factor.array, {}
    truth = truth * factor
    inside = (state.brain.array > 0) & np.isfinite(factor * state.pairs.array.sum(axis=0)) & np.isfinite(truth)

    def denoised(chosen: np.ndarray) -> np.ndarray:
        array = denoised_of(state, chosen).array * factor
        apart.setdefault(len(chosen), []).append(float(np.square(array - truth)[inside].mean()))
        return array

    told = pairs_needed(state.pairs.array * factor, denoised, inside=inside, unit="ml/100g/min", weights=state.weights)
    plain = float(np.square(state.cleaned.array * factor - truth)[inside].mean())
    return told, [float(np.mean(each)) for each in apart.values()], plain


def head_rows(anatomy: Path, device: str) -> Iterator[list[str]]:
    """A row a number of pairs of each simulated scan."""
    for n, scenario in HEADS:
        head = kept_out_head(anatomy, n, SCENARIOS[scenario])
        still = Preparation(motion=False, nuisance=())
        asked = Request(head.scan.series, Head(tissue=head.scan.tissue), still, Denoising(), device=device)
        told, true, plain = with_truth(completed(asked), noise_free(anatomy, n, SCENARIOS[scenario]))
        say(f"head {n}: {told.sentence}")
        goal = crossing(sizes(told.total), true, plain)
        for error, square in zip(told.denoised, true, strict=True):
            low, high = error.interval
            found = [f"{number('', error.rmse)} ({low:.2f} to {high:.2f})", f"{square**0.5:.2f}"]
            yield [f"{n}", f"{error.pairs} of {told.total}", *found, answer(error.low <= square <= error.high)]
        ends = f"{told.needed:.1f} ({told.low:.1f} to {told.high:.1f})"
        yield [f"{n}", "pairs needed", ends, f"{goal:.1f}", answer(told.low <= goal <= told.high)]
        pair = f"{told.plain_rmse(told.total):.2f}", f"{plain**0.5:.2f}"
        yield [f"{n}", f"plain mean of {told.total}", *pair, "-"]


def real_rows(data: Path, device: str) -> Iterator[list[str]]:
    """A row a number of pairs of each real series, and what is said of it."""
    for name in NAMES:
        state = completed(Request(real_series(data, name), denoising=Denoising(pairs_needed=True), device=device))
        told = state.pairs_needed
        if told is None:
            yield [name, "-", "-", "-"]
            continue
        say(f"{name}: {told.sentence}")
        for error in told.denoised:
            low, high = error.interval
            found = f"{number('', error.rmse)} ({low:.2f} to {high:.2f})"
            yield [name, f"{error.pairs} of {told.total}", found, f"{told.plain_rmse(error.pairs):.2f}"]
        yield [name, told.headline, "", f"{told.plain_rmse(told.total):.2f}"]


def main() -> None:
    """Make the page."""
    command = begin(__file__, options(__doc__, "anatomy", "data", "device", "threads", quick="small scans alone"))
    head = ["pairs", "noise SD", "told over true", "errors held, %", "answers held, %", "true answer", "median answer"]
    blocks = [
        "Root mean squared errors in the brain, ml/100g/min; in brackets 95 % intervals.",
        f"## Small scans and a Gaussian\n\n{REPEATS} scans of each kind; the true error is that of {TRUTHS} others.",
        text_table(head, [small_row(kind) for kind in SMALL]),
    ]
    if not command.quick:
        text = "Tissue given, no motion. True: the same maps against the difference without noise, by the same M0."
        rows = head_rows(command.args.anatomy, command.args.device)
        table = text_table(["scan", "pairs", "denoised, told", "true", "within"], rows)
        blocks += [f"## Simulated heads\n\n{text}", table]
    if command.real is not None:
        rows = real_rows(command.real, command.args.device)
        table = text_table(["series", "pairs", "denoised", "plain mean"], rows)
        blocks += ["## Real series\n\nAs a run prepares them, without a T1.", table]
    command.publish("How many pairs are enough", *blocks)


if __name__ == "__main__":
    main()
