"""The catalogue of trained models: each one a MONAI bundle, below Resources/Models or in the user's own folder.

A bundle holds ``configs/metadata.json`` (what it is, domain, figures, SHA256 of the weights),
``configs/inference.json`` (the network, for MONAI's own tools), ``models/model.pt`` (a state dict, float32) and
``docs/README.md`` (the card). The user's own are made by `sites` from scans of one site. Weights that are published
apart (`apart`) may lie in the user's folder, too: such a model is ours all the same, and known by our own card.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..resources import resources_folder
from .apart import APART, how_to_get
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
        folder: the bundle that has the weights.
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

    Those of the user's that cannot be used are left out; `unusable_models` tells of them, and `models_not_installed` of
    those whose weights are published apart and are not here.

    >>> card = list_models()[0]
    >>> card.name, card.domain["pairs"]
    ('guided-unet', (1.0, 60.0))
    """
    installed = (card for card in _built_in() if not _is_away(card))
    return (*installed, *(card for card in _own() if isinstance(card, ModelCard)))


def models_not_installed() -> tuple[ModelCard, ...]:
    """The cards of those models whose weights are published apart and neither came along nor were unpacked."""
    return tuple(card for card in _built_in() if _is_away(card))


def why_not_installed(name: str) -> str:
    """A sentence on a model of `models_not_installed`: how to get it; empty for any other name."""
    if name not in {card.name for card in models_not_installed()}:
        return ""
    return f"The model {name} is published apart and is not installed; {how_to_get(user_models_folder())}."


def unusable_models() -> tuple[str, ...]:
    """A sentence on each of the user's own bundles that cannot be used."""
    return tuple(str(error) for error in _own() if isinstance(error, InputError))


def find_model(name: str) -> ModelCard:
    """The card of a model by name.

    Raises:
        InputError: there is no such model, or it is broken or not installed; the message lists those there are, and
            says where one of the user's own belongs, or how to get one that is published apart.
    """
    folder = user_models_folder()
    cards = {card.name: card for card in list_models()}
    if name in cards:
        return cards[name]
    if away := why_not_installed(name):
        raise InputError(away)
    if _metadata_of(folder / name).is_file() and (folder / name).parent == folder:
        read_card(folder / name, own=True)  # says what is wrong with it
    raise InputError(
        f"There is no model '{name}'; choose one of: {', '.join(cards) or 'none is installed'}; or, if it was adapted "
        f"on another computer, copy its folder from there into {folder}, or adapt again."
    )


def _built_in() -> list[ModelCard]:
    """Those that came along; one that is published apart lies in the user's folder where it was unpacked there."""
    cards = []
    for folder in sorted(_bundles(models_folder()), key=lambda f: (f.name != DEFAULT_MODEL, f.name)):
        card = read_card(folder)
        if _is_away(card):
            unpacked = user_models_folder() / folder.name
            found = _weights_of(unpacked).is_file() and _has_weights_of(card, unpacked)
            card = replace(card, folder=unpacked) if found else card
        cards.append(card)
    return cards


def _is_away(card: ModelCard) -> bool:
    return card.name in APART and not _weights_of(card.folder).is_file()


def _has_weights_of(card: ModelCard, unpacked: Path) -> bool:
    """Whether a bundle in the user's folder says that it has the weights of a card; loading sees to it that it has."""
    try:
        return read_card(unpacked, own=True).sha256 == card.sha256
    except InputError:
        return False


def _own() -> list[ModelCard | InputError]:
    """The user's own, or what is wrong with each."""
    built_in = {folder.name: folder for folder in _bundles(models_folder())}
    found: list[ModelCard | InputError] = []
    for folder in _bundles(user_models_folder()):
        if folder.name in built_in:
            said = _said_of_namesake(folder, read_card(built_in[folder.name]))
            found += [InputError(said)] if said else []
            continue
        try:
            found.append(read_card(folder, own=True))
        except InputError as error:
            found.append(error)
    return found


def _said_of_namesake(folder: Path, card: ModelCard) -> str:
    """What is wrong with a bundle of the user's that is called as one of ours; empty for one published apart."""
    same = card.name in APART and _has_weights_of(card, folder)
    if not _is_away(card):
        named = f"A model of your own has the name of one that comes with ASLDenoise, {card.name}"
        return "" if same else f"{named}; rename its folder {folder}."
    if not same:
        return f"{folder} is not the {card.name} of this version; rename or delete it, and {how_to_get(folder.parent)}."
    return (
        "" if _weights_of(folder).is_file() else f"The weights of {card.name} are missing; {how_to_get(folder.parent)}."
    )


def _bundles(folder: Path) -> list[Path]:
    """The folders with a bundle, by name; those whose names begin with a dot are being written."""
    try:
        found = [path for path in folder.iterdir() if not path.name.startswith(".") and _metadata_of(path).is_file()]
    except OSError:  # not there, or not to be read
        return []
    return sorted(found, key=lambda path: path.name)


def _metadata_of(folder: Path) -> Path:
    return folder / "configs" / "metadata.json"


def _weights_of(folder: Path) -> Path:
    return folder / "models" / "model.pt"


def _mended(own: bool, folder: Path) -> str:
    if own:
        return f"copy its folder {folder} again, or adapt again"
    return how_to_get(folder.parent) if folder.parent == user_models_folder() else "reinstall ASLDenoise"


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

    path = _weights_of(card.folder)
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        missing = f"The weights of {card.name} are missing"
        raise InputError(f"{missing}; {_mended(card.own, card.folder)}.") from error
    if found != card.sha256:
        damaged = f"The weights of {card.name} are damaged (their SHA256 differs)"
        raise InputError(f"{damaged}; {_mended(card.own, card.folder)}.")
    return torch.load(path, map_location="cpu", weights_only=True)
