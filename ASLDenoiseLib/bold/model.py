"""The bundles that predict CBF from BOLD: the network, and its control that sees anatomy; not in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..denoising.catalogue import ModelCard, load_weights, read_card
from ..resources import resources_folder
from .family import BoldFamily, find_bold_family

if TYPE_CHECKING:
    import torch

MODEL, CONTROL = "bold-dwan", "bold-anatomy"


def experimental_folder() -> Path:
    """Where the bundles lie that no other command offers."""
    return resources_folder() / "Experimental"


@dataclass(frozen=True, eq=False)
class BoldModel:
    """A network ready for use, and how it sees a run."""

    card: ModelCard
    family: BoldFamily
    network: torch.nn.Module


def load_bold_model(name: str, *, device: str = "cpu", folder: Path | None = None) -> BoldModel:
    """A bundle's network, in evaluation mode on `device`.

    Raises:
        InputError: there is no such bundle, or its weights are not those of its card.
    """
    card = read_card((folder or experimental_folder()) / name)
    family = find_bold_family(card.network)
    network = family.build(card.network)
    network.load_state_dict(load_weights(card))
    return BoldModel(card, family, network.to(device).eval())
