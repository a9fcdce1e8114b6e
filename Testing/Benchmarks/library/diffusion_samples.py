"""A conditional diffusion sample by sample: each as a way to denoise, and what it adds to the map it starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import torch

from ASLDenoiseLib.denoising.catalogue import ModelCard, load_model
from ASLDenoiseLib.denoising.inference import DenoisingResult
from ASLDenoiseLib.measuring.image_quality import pearson
from ASLDenoiseLib.networks.diffusion import DiffusionDenoiser, Sampling, seed_of

from .cases import Case
from .lesions import false_lesions
from .methods import ALL, denoise_with
from .safety_figures import Way

ADDED = "SD of what a sample adds / of what is missing"
ALIKE, TRUE = "r of what two samples add", "r of it with what is missing"


class OneSample(torch.nn.Module):
    """The network with the sample of a number as its answer, or the mean of the first `count`.

    The SD is that of all, or of the first `count`. Samples of a scan are drawn once.
    """

    def __init__(
        self,
        network: DiffusionDenoiser,
        kept: dict[int, torch.Tensor],
        number: int | None = None,
        count: int | None = None,
    ) -> None:
        super().__init__()
        self.network, self.kept, self.number, self.count = network, kept, number, count

    def forward(self, seen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The sample of `number`, None their mean, and the SD as the network's own forward gives it."""
        seed = seed_of(seen)
        if seed not in self.kept:
            self.kept[seed] = self.network.samples(seen)
        samples = self.kept[seed][: self.count]
        answer = samples.mean(dim=0) if self.number is None else samples[self.number]
        return answer, samples.std(dim=0) * (1 + 1 / len(samples)) ** 0.5


@dataclass(frozen=True, eq=False)
class Sampler:
    """A diffusion with one way to draw its samples, with T1 and M0.

    Args:
        card: of the diffusion.
        sampling: how samples are drawn; None as the network has it.
        device: where.
    """

    card: ModelCard
    sampling: Sampling | None = None
    device: str = "cpu"
    _kept: dict[int, torch.Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        network = load_model(self.card, device=self.device)
        network.sampling = self.sampling or network.sampling
        object.__setattr__(self, "network", network)

    def mean(self, name: str) -> Way:
        """The mean of the samples, as a run has it."""
        return self._way(name, None, self.card)

    def one(self, name: str, number: int = 0) -> Way:
        """A single sample; its uncertainty is the SD of all, without the card's factor."""
        return self._way(name, number, self.as_it_is)

    def plain(self, name: str, count: int | None = None) -> Way:
        """The mean again, or that of the first `count`, with the SD of the samples without the card's factor."""
        return self._way(name, None, self.as_it_is, count)

    @property
    def as_it_is(self) -> ModelCard:
        """The card without a factor of its uncertainty."""
        return replace(self.card, metadata={**self.card.metadata, "uncertainty_factor": 1.0})

    def _way(self, name: str, number: int | None, card: ModelCard, count: int | None = None) -> Way:
        network = OneSample(self.network, self._kept, number, count)

        def run(case: Case) -> DenoisingResult:
            return denoise_with(card, case, ALL, device=self.device, network=network)

        return Way(name, ALL, run)


def added_by(samples: Sequence[np.ndarray], start: np.ndarray, case: Case) -> dict[str, float]:
    """What single samples (CBF) add to the map that they start from, and whether it is there.

    Of the differences sample - start: their SD over that of truth - start; the correlation of two samples'; and of one
    with truth - start. Regions of lesion size, as of false lesions: those by which a sample differs from the start, and
    those by which a sample, the samples' mean and the start differ from the truth.
    """
    inside, truth = case.inside & np.isfinite(start), case.truth
    missing, added = truth.array - start, [each - start for each in samples]
    level = float(truth.array[case.gm].mean())

    def regions(array: np.ndarray, other: np.ndarray) -> float:
        return float(false_lesions(truth.with_array(array), truth.with_array(other), case.brain, level).count)

    return {
        ADDED: float(np.mean([a[inside].std() for a in added]) / missing[inside].std()),
        ALIKE: float(np.mean([pearson(a, b, inside) for a, b in combinations(added, 2)])),
        TRUE: float(np.mean([pearson(a, missing, inside) for a in added])),
        "regions added": float(np.mean([regions(each, start) for each in samples])),
        "false regions, one sample": float(np.mean([regions(each, truth.array) for each in samples])),
        "false regions, their mean": regions(np.mean(samples, axis=0), truth.array),
        "false regions, the start": regions(start, truth.array),
    }
