"""What a run would hand on of a scan: the network's answer with its residual audited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from ..auditing import audit_residual
from ..compute import Compute
from ..denoising.catalogue import ModelCard, load_model
from ..denoising.inference import denoise_pairs
from .adaptation import Tuned
from .scan import AdaptationScan


@dataclass(frozen=True, eq=False)
class Answer:
    """A denoised mean difference (K, J, I), scanner units, and the SD of its error; None where the network has none."""

    difference: np.ndarray
    deviation: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Denoiser:
    """A network as a run uses it.

    Args:
        card: tells the family and the factor of the SD.
        network: its weights.
        compute: where.
    """

    card: ModelCard
    network: torch.nn.Module
    compute: Compute

    def __call__(self, scan: AdaptationScan) -> Answer:
        """Denoise the mean of a scan's pairs and audit it, as a run does with the same pairs."""
        given = {"m0": scan.guides.m0, "guides": scan.guides.maps, "weights": scan.weights}
        found = denoise_pairs(scan.pairs, scan.brain, self.card, compute=self.compute, network=self.network, **given)
        audit = audit_residual(
            found.difference,
            scan.pairs,
            scan.brain,
            tissue=scan.tissue,
            factor=scan.quantification.factor,
            weights=scan.weights,
            uncertainty=found.uncertainty,
        )
        deviation = None if audit.uncertainty is None else audit.uncertainty.array
        return Answer(audit.difference.array, deviation)


def network_as_it_was(card: ModelCard, compute: Compute) -> Denoiser:
    """The model of a bundle."""
    return Denoiser(card, load_model(card, device=compute.device), compute)


def adapted(card: ModelCard, tuned: Tuned, compute: Compute) -> Denoiser:
    """The model with the weights and the factor of its SD that tuning left."""
    network = card.family.build(card.network)
    network.load_state_dict(dict(tuned.weights))
    return Denoiser(adapted_card(card, tuned), network, compute)


def adapted_card(card: ModelCard, tuned: Tuned) -> ModelCard:
    """The card with the factor of the SD that tuning found, for a run to use it with the tuned weights."""
    if tuned.uncertainty_factor is None:
        return card
    metadata: Mapping[str, object] = {**card.metadata, "uncertainty_factor": tuned.uncertainty_factor}
    return replace(card, metadata=metadata)
