"""The catalogue of trained models: each one a MONAI bundle, below Resources/Models or in the user's own folder.

A bundle holds ``configs/metadata.json`` (what it is, domain, figures, SHA256 of the weights),
``configs/inference.json`` (the network, for MONAI's own tools), ``models/model.pt`` (a state dict, float32) and
``docs/README.md`` (the card). The user's own are made by `sites` from scans of one site.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..resources import resources_folder
from .families import NETWORKS, DenoiserFamily, find_family

if TYPE_CHECKING:
    import torch

DEFAULT_MODEL = "guided-unet"
USER_MODELS = "ASLDENOISE_MODELS"  # the environment's word for where the user's own models lie
_OWN_PLACE = "~/.asldenoise/models"


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
        own: it is the user's, not one that came with ASLDenoise.
    """

    name: str
    folder: Path
    network: str
    sha256: str
    summary: str
    domain: Mapping[str, tuple[float, float]]
    metadata: Mapping[str, object]
    own: bool = False

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
    def adapted_from(self) -> str:
        """The name of the model that it was adapted from; empty where it was trained from the start."""
        told = self.metadata.get("adapted_from")
        return str(told.get("name", "")) if isinstance(told, Mapping) else ""

    @property
    def family(self) -> DenoiserFamily:
        """How the network sees a mean difference."""
        return find_family(self.network)

    @property
    def guided(self) -> bool:
        """Whether T1 and M0 guide the network."""
        return self.family.uses_guides


def models_folder() -> Path:
    """Where the bundles lie that came with ASLDenoise."""
    return resources_folder() / "Models"


def user_models_folder() -> Path:
    """Where the user's own bundles lie, in Slicer as in the shell; it need not be there.

    The environment's ASLDENOISE_MODELS says where, else it is ``~/.asldenoise/models``.
    """
    stated = os.environ.get(USER_MODELS, "").strip()
    return Path(os.path.expanduser(stated or _OWN_PLACE)).absolute()


def read_card(folder: Path, *, own: bool = False) -> ModelCard:
    """Read one bundle's metadata; `own` says whether it is the user's.

    Raises:
        InputError: the metadata are missing, broken or incomplete, or of a network that this version does not have.
    """
    path = folder / "configs" / "metadata.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        domain = {name: (float(low), float(high)) for name, (low, high) in data["domain"].items()}
        card = ModelCard(folder.name, folder, data["network"], data["sha256"], data["description"], domain, data, own)
        _ = card.facts, card.adapted_from  # can be said
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(f"The model bundle {folder.name} is broken ({error!r}); {_mended(own, folder)}.") from error
    if own and card.network not in NETWORKS:
        of = f"its network '{card.network}' is none of this version"
        raise InputError(f"The model bundle {folder.name} cannot be used ({of}); update ASLDenoise, or adapt again.")
    return card


def list_models() -> tuple[ModelCard, ...]:
    """The cards of all bundles: those that came with ASLDenoise, the default first, then the user's own; by name.

    Those of the user's that cannot be used are left out; `unusable_models` tells of them.

    >>> card = list_models()[0]
    >>> card.name, card.domain["pairs"]
    ('guided-unet', (1.0, 60.0))
    """
    return (*_built_in(), *(card for card in _own() if isinstance(card, ModelCard)))


def unusable_models() -> tuple[str, ...]:
    """A sentence on each of the user's own bundles that cannot be used."""
    return tuple(str(error) for error in _own() if isinstance(error, InputError))


def find_model(name: str) -> ModelCard:
    """The card of a model by name.

    Raises:
        InputError: there is no such model, or it is broken; the message lists those there are, and says where one of
            the user's own belongs.
    """
    folder = user_models_folder()
    cards = {card.name: card for card in list_models()}
    if name in cards:
        return cards[name]
    if _metadata_of(folder / name).is_file() and (folder / name).parent == folder:
        read_card(folder / name, own=True)  # says what is wrong with it
    raise InputError(
        f"There is no model '{name}'; choose one of: {', '.join(cards) or 'none is installed'}; or, if it was adapted "
        f"on another computer, copy its folder from there into {folder}, or adapt again."
    )


def _built_in() -> list[ModelCard]:
    folders = _bundles(models_folder())
    return [read_card(folder) for folder in sorted(folders, key=lambda f: (f.name != DEFAULT_MODEL, f.name))]


def _own() -> list[ModelCard | InputError]:
    """The user's own, or what is wrong with each."""
    built_in = {folder.name for folder in _bundles(models_folder())}
    found: list[ModelCard | InputError] = []
    for folder in _bundles(user_models_folder()):
        if folder.name in built_in:
            named = f"A model of your own has the name of one that comes with ASLDenoise, {folder.name}"
            found.append(InputError(f"{named}; rename its folder {folder}."))
            continue
        try:
            found.append(read_card(folder, own=True))
        except InputError as error:
            found.append(error)
    return found


def _bundles(folder: Path) -> list[Path]:
    """The folders with a bundle, by name; those whose names begin with a dot are being written."""
    try:
        found = [path for path in folder.iterdir() if not path.name.startswith(".") and _metadata_of(path).is_file()]
    except OSError:  # not there, or not to be read
        return []
    return sorted(found, key=lambda path: path.name)


def _metadata_of(folder: Path) -> Path:
    return folder / "configs" / "metadata.json"


def _mended(own: bool, folder: Path) -> str:
    return f"copy its folder {folder} again, or adapt again" if own else "reinstall ASLDenoise"


def load_model(card: ModelCard, *, device: str = "cpu") -> torch.nn.Module:
    """The trained network, in evaluation mode on `device`.

    Raises:
        InputError: as `load_weights`.
    """
    network = card.family.build(card.network)
    network.load_state_dict(load_weights(card))
    return network.to(device).eval()


def load_weights(card: ModelCard) -> dict[str, torch.Tensor]:
    """The state dict of a bundle, whatever family its network is of.

    Raises:
        InputError: the weights are missing or are not those of the card (SHA256 differs).
    """
    import torch

    path = card.folder / "models" / "model.pt"
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        missing = f"The weights of {card.name} are missing"
        raise InputError(f"{missing}; {_mended(card.own, card.folder)}.") from error
    if found != card.sha256:
        damaged = f"The weights of {card.name} are damaged (their SHA256 differs)"
        raise InputError(f"{damaged}; {_mended(card.own, card.folder)}.")
    return torch.load(path, map_location="cpu", weights_only=True)
