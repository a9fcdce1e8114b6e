"""The catalogue of trained models: each one a MONAI bundle below Resources/Models.

A bundle holds ``configs/metadata.json`` (what it is, domain, figures, SHA256 of the weights),
``configs/inference.json`` (the network, for MONAI's own tools), ``models/model.pt`` (a state dict, float32) and
``docs/README.md`` (the card).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..resources import resources_folder
from .families import DenoiserFamily, find_family

if TYPE_CHECKING:
    import torch

DEFAULT_MODEL = "guided-unet"


@dataclass(frozen=True)
class ModelCard:
    """What the catalogue knows of a model without loading it.

    Args:
        name: as given to ``--model``.
        folder: the bundle.
        network: a key of `families.NETWORKS`.
        sha256: of ``models/model.pt``.
        summary: one line for people.
        domain: what it was trained on (voxel mm, pairs, SNR...), by name to (lowest, highest).
        metadata: the whole of metadata.json.
    """

    name: str
    folder: Path
    network: str
    sha256: str
    summary: str
    domain: Mapping[str, tuple[float, float]]
    metadata: Mapping[str, object]

    @property
    def facts(self) -> str:
        """Size, domain, time, licence and hash in a few words."""
        words = {"voxel_in_plane_mm": "in-plane {} mm", "slice_thickness_mm": "slices {} mm", "mean_snr": "mean SNR {}"}
        parts = [f"{int(self.metadata.get('parameters', 0)):,} parameters"]
        for name, form in words.items():
            if name in self.domain:
                parts.append(form.format("{:g}-{:g}".format(*self.domain[name])))
        parts += [f"{taken:g} s a 64x64x24 volume on {device}" for device, taken in self.seconds.items()]
        return ", ".join([*parts, str(self.metadata.get("licence", "")), f"sha256 {self.sha256[:12]}"])

    @property
    def seconds(self) -> dict[str, float]:
        """What a volume of 64x64x24 voxels takes, by device, where that was measured."""
        return dict(self.metadata.get("seconds_64x64x24", {}))

    @property
    def family(self) -> DenoiserFamily:
        """How the network sees a mean difference."""
        return find_family(self.network)

    @property
    def guided(self) -> bool:
        """Whether T1 and M0 guide the network."""
        return self.family.uses_guides


def models_folder() -> Path:
    """Where the bundles lie."""
    return resources_folder() / "Models"


def read_card(folder: Path) -> ModelCard:
    """Read one bundle's metadata.

    Raises:
        InputError: the metadata are missing, broken or incomplete.
    """
    path = folder / "configs" / "metadata.json"
    try:
        data = json.loads(path.read_text())
        domain = {name: (float(low), float(high)) for name, (low, high) in data["domain"].items()}
        return ModelCard(folder.name, folder, data["network"], data["sha256"], data["description"], domain, data)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"The model bundle {folder.name} is broken ({error!r}); reinstall ASLDenoise.") from error


def list_models() -> tuple[ModelCard, ...]:
    """The cards of all bundles, the default first, then by name.

    >>> card = list_models()[0]
    >>> card.name, card.domain["pairs"]
    ('guided-unet', (1.0, 60.0))
    """
    folders = [path.parent.parent for path in models_folder().glob("*/configs/metadata.json")]
    return tuple(read_card(f) for f in sorted(folders, key=lambda f: (f.name != DEFAULT_MODEL, f.name)))


def find_model(name: str) -> ModelCard:
    """The card of a model by name.

    Raises:
        InputError: there is no such model; the message lists those there are.
    """
    cards = {card.name: card for card in list_models()}
    if name not in cards:
        raise InputError(f"There is no model '{name}'; choose one of: {', '.join(cards) or 'none is installed'}.")
    return cards[name]


def load_model(card: ModelCard, *, device: str = "cpu") -> torch.nn.Module:
    """The trained network, in evaluation mode on `device`.

    Raises:
        InputError: the weights are missing or are not those of the card (SHA256 differs).
    """
    import torch

    path = card.folder / "models" / "model.pt"
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"The weights of {card.name} are missing; reinstall ASLDenoise.") from error
    if found != card.sha256:
        raise InputError(f"The weights of {card.name} are damaged (their SHA256 differs); reinstall ASLDenoise.")
    network = card.family.build(card.network)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.to(device).eval()
