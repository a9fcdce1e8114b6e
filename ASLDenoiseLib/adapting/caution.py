"""How far to go from the network as it was to what was learned: no further than lesions allow.

Where noise is as large as lesions, or guides tell more than pairs do, the error falls while lesions fade. Between both
networks' weights lies a line; the furthest place on it is taken at which lesions that are added to the scans that teach
come through as before, and lesions of the guides alone move perfusion no more. The verdict is by other pairs, other
lesions and another scan.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..compute import Compute
from ..denoising.catalogue import ModelCard, load_model
from .adaptation import Tuned
from .gains import plain_state
from .scan import AdaptationScan
from .teaching_lesions import teaching_lesions
from .uncertainty import found_factor
from .watching import Watched, answer, compared, watch, watched_errors

SHARES = (1.0, 0.75, 0.5, 0.35, 0.25, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03)  # of what was learned
# Of a lesion, and of what a guide's lesion moved before, at most: less than the verdict asks of another scan, where
# the draw makes them more or less.
LOST, MOVED = 0.02, 0.02
_MOST = 3  # scans that are asked


@dataclass(frozen=True, eq=False)
class Probe:
    """A scan as it is, with lesions in its pairs, and with lesions in its guides.

    Args:
        plain, ill, misled: what a network sees of each.
        added: (K, J, I) the lesions of the pairs, scanner units.
        painted: bool (K, J, I), the lesions of the guides.
    """

    plain: Watched
    ill: Watched
    misled: Watched
    added: np.ndarray
    painted: np.ndarray

    def response(self, network: torch.nn.Module, card: ModelCard, compute: Compute) -> np.ndarray:
        """The share of darker and of brighter lesions that comes through, and what the guides' moved (of the brain)."""
        base, ill, misled = (answer(network, card, w, compute)[0] for w in (self.plain, self.ill, self.misled))
        inside = self.plain.blocks >= 0
        kept = [_share(ill - base, self.added, inside & where) for where in (self.added < 0, self.added > 0)]
        level = float(np.nanmean(np.abs(base[inside])))
        moved = float(np.nanmean(np.abs(misled - base)[self.painted & inside])) if self.painted.any() else 0.0
        return np.array([*kept, moved / level if level else 0.0])


def draw_probe(card: ModelCard, scan: AdaptationScan, given: np.ndarray, rng: np.random.Generator) -> Probe:
    """Lesions for the mean of the pairs at `given`."""
    struck = teaching_lesions(scan, given, rng)
    ill, misled = replace(struck.scan, guides=scan.guides), replace(scan, guides=struck.scan.guides)
    seen = (watch(card, each, given, given[:2]) for each in (scan, ill, misled))
    return Probe(*seen, struck.scan.pairs.array[0] - scan.pairs.array[0], struck.painted)


def draw_probes(
    card: ModelCard, scans: Sequence[AdaptationScan], given: Sequence[np.ndarray], rng: np.random.Generator
) -> list[Probe]:
    """Lesions in up to three scans."""
    return [draw_probe(card, *each, rng) for each in list(zip(scans, given, strict=True))[:_MOST]]


def as_far_as_lesions_allow(
    card: ModelCard, tuned: Tuned, probes: Sequence[Probe], watched: list[Watched], compute: Compute
) -> tuple[Tuned, float]:
    """The weights furthest on the way to what was learned, and how far (0..1); what then gains nothing is not kept."""
    if tuned.way == "nothing":
        return tuned, 0.0
    network = load_model(card, device=compute.device)
    start = plain_state(network)
    begin = watched_errors(network, card, watched, compute)
    before = _responses(network, card, probes, compute)

    def allowed(share: float) -> bool:
        network.load_state_dict(between(start, tuned.weights, share))
        return _no_worse(before, _responses(network, card, probes, compute))

    if allowed(1.0):
        return tuned, 1.0
    less = SHARES[1:]  # lesions fade the more the further it goes: halve what is left to ask
    place = bisect_left(less, True, key=allowed)
    if place == len(less):
        return replace(tuned, weights=start, way="nothing", steps=0, curve=()), 0.0
    share = less[place]
    network.load_state_dict(between(start, tuned.weights, share))
    found = compared(begin, watched_errors(network, card, watched, compute), watched)
    if not found.surely_fell:
        return replace(tuned, weights=start, way="nothing", steps=0, curve=((tuned.steps, found.ratio),)), 0.0
    curve = (*tuned.curve, (tuned.steps, found.ratio))
    factor = tuned.uncertainty_factor
    if factor is not None:
        factor = found_factor(network, card, watched, compute)
    weights = between(start, tuned.weights, share)
    return replace(tuned, weights=weights, uncertainty_factor=factor, curve=curve), share


def between(
    start: Mapping[str, torch.Tensor], end: Mapping[str, torch.Tensor], share: float
) -> dict[str, torch.Tensor]:
    """Weights at a share of the way from `start` to `end`; what is no fraction (a counter) is that of the end."""
    return {n: torch.lerp(v, end[n], share) if v.is_floating_point() else end[n] for n, v in start.items()}


def _responses(network: torch.nn.Module, card: ModelCard, probes: Sequence[Probe], compute: Compute) -> np.ndarray:
    return np.nanmean([probe.response(network, card, compute) for probe in probes], axis=0)


def _no_worse(before: np.ndarray, after: np.ndarray) -> bool:
    kept = np.abs(after[:2] - 1) <= np.abs(before[:2] - 1) + LOST
    return bool(np.all(kept | np.isnan(before[:2])) and after[2] <= before[2] * (1 + MOVED) + 1e-4)


def _share(change: np.ndarray, added: np.ndarray, where: np.ndarray) -> float:
    known = where & np.isfinite(change)
    total = float(added[known].sum())
    return float(change[known].sum()) / total if total else float("nan")
