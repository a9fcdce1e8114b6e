"""One way to denoise against another, scan by scan, and whether what a paper found holds: for the `papers` command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np

from ASLDenoiseLib.denoising.catalogue import ModelCard
from ASLDenoiseLib.preparing.pairs import some_pairs

from .cases import Case, Scenario, kept_out_head, phantom_case, showing, with_lesions
from .command import say
from .methods import M0, denoise_with
from .scores import figures_of
from .tables import mean_table

Way = Callable[[Case], np.ndarray]
Rows = dict[str, list[dict[str, float]]]

SPIKES = 0.05  # of the slices of every volume
# The noise of a long scan: fluctuations that last, and a head that drifts.
DRIFTING = {"physiological": 0.005, "memory": 0.9, "common": 0.3, "motion": 0.3}
LONG = 32  # pairs of a scan of the 3D denoising article


def raw(case: Case) -> np.ndarray:
    """CBF (K, J, I) of the plain mean of the pairs a method sees."""
    return case.cbf(case.raw).array


@dataclass(frozen=True, eq=False)
class Scans:
    """Scans of 40 pairs, the same with corrupted slices, and scans of 32 pairs whose noise lasts."""

    plain: Sequence[Case]
    corrupted: Sequence[Case]
    drifting: Sequence[Case]

    @cached_property
    def long(self) -> list[Case]:
        """The first 32 pairs of the plain scans."""
        return [first(replace(c, every_pair=some_pairs(c.every_pair, np.arange(LONG))), LONG) for c in self.plain]


def first(case: Case, count: int) -> Case:
    """The scan with its first `count` pairs for a method to see."""
    return showing(case, np.arange(count))


def draw_scans(folder: Path, heads: int, scenes: Sequence[Scenario]) -> Scans:
    """The scans of `heads` heads at each noise level; those whose noise lasts at the first alone."""

    def drawn(n: int, scenario: Scenario, **further: float) -> Case:
        head = kept_out_head(folder, n, scenario, **further)
        say(f"head {n + 1}, {scenario.label} {further or ''}")
        return with_lesions(phantom_case(head, scenario.label, see=scenario.see))

    each = list(product(range(heads), scenes))
    long = Scenario(f"{LONG} pairs", LONG, LONG, scenes[0].gm_snr)
    return Scans(
        [drawn(n, s) for n, s in each],
        [drawn(n, s, spikes=SPIKES) for n, s in each],
        [drawn(n, long, **DRIFTING) for n in range(heads)],
    )


@dataclass(frozen=True, eq=False)
class Bench:
    """The models that are installed, by name, and where they run."""

    cards: Mapping[str, ModelCard]
    device: str = "cpu"

    def way(self, name: str, **options: int | bool) -> Way:
        """CBF by a model; `options` as of `methods.denoise_with`."""
        card = self.cards[name]
        return lambda case: case.cbf(denoise_with(card, case, M0, device=self.device, **options).difference).array

    def samples(self, name: str) -> int:
        """How many samples a model has seen in training."""
        training = self.cards[name].metadata["training"]
        return int(training["steps"]) * int(training["recipe"]["batch"])

    def unlike(self, *names: str) -> str:
        """A sentence where the installed ones of some models have not seen alike many samples in training, else ''."""
        seen_by = {name: self.samples(name) for name in names if name in self.cards}
        if len(set(seen_by.values())) < 2:
            return ""
        return " Not trained alike: " + ", ".join(f"{n} saw {count:,} samples" for n, count in seen_by.items()) + "."

    def ways(self, names: Iterable[str]) -> dict[str, Way]:
        """Those of the models that are installed."""
        return {name: self.way(name) for name in names if name in self.cards}


def measure(cases: Sequence[Case], ways: Mapping[str, Way], names: Sequence[str]) -> Rows:
    """The figures of `names` of every way on every case, in the order of the cases."""
    return {name: [figures_of(case, way(case), names) for case in cases] for name, way in ways.items()}


def difference(rows: Rows, first: str, second: str, figure: str) -> np.ndarray:
    """`first` minus `second`, scan by scan; nothing where one of them was not measured."""
    if first not in rows or second not in rows:
        return np.empty(0)
    return np.array([a[figure] - b[figure] for a, b in zip(rows[first], rows[second], strict=True)])


def bias_difference(rows: Rows, first: str, second: str, figure: str) -> np.ndarray:
    """By how much the magnitude of a bias of `first` exceeds that of `second`, scan by scan."""
    without_sign = {n: [{figure: abs(r[figure])} for r in rows[n]] for n in (first, second) if n in rows}
    return difference(without_sign, first, second, figure)


def pooled(differences: Iterable[np.ndarray]) -> np.ndarray:
    """The mean over comparisons of each scan; comparisons that were not made do not count."""
    made = [d for d in differences if d.size]
    return np.mean(made, axis=0) if made else np.empty(0)


def half_interval(values: Sequence[float]) -> float:
    """Half of the 95 % interval of a mean (Student's t); NaN for a single value."""
    from scipy.stats import t

    n = len(values)
    return float(t.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n)) if n > 1 else float("nan")


def verdict(differences: np.ndarray) -> str:
    """Whether a difference that a paper says is above zero is so: by its 95 % interval (Student's t over scans)."""
    if len(differences) < 2:
        return "too few scans to tell"
    mean, half = float(np.mean(differences)), half_interval(differences)
    if mean > half:
        return "holds"
    return "does not hold" if mean < -half else "no clear difference"


def outcome(what: str, differences: np.ndarray, unit: str = "") -> str:
    """What was found of one claim in words: mean, SD over scans, verdict."""
    if not len(differences):
        return f"{what}: not measured, models are missing"
    spread = f"SD {np.std(differences, ddof=1):.2g}, " if len(differences) > 1 else ""
    scans = f"{len(differences)} scan{'s' if len(differences) > 1 else ''}"
    return f"{what} {np.mean(differences):+.3g}{unit} ({spread}{scans}): {verdict(differences)}"


def concluded(paper: str, outcomes: Iterable[str], unlike: str = "") -> str:
    """The line that ends a section; `unlike` says where training differed by more than the comparison."""
    return f"The paper: {paper} Here: {'; '.join(outcomes)}.{unlike}"


def section(rows: Rows, text: str, conclusion: str) -> list[str]:
    """A text, a line a way with its means over scans, and the conclusion."""
    return [text, mean_table(rows), conclusion]
