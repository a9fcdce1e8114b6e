"""A training run as data: a small JSON file in `recipes/`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from ..errors import InputError
from .families import find_network_family
from .losses import check_loss
from .noise import NoiseSettings
from .phantom import PhantomSettings
from .targets import find_target

RECIPES = Path(__file__).parent / "recipes"
AUGMENTATIONS = ("flips", "rigid")
# What every recipe trains on unless it says otherwise: wide in voxel size, some of it no brain at all.
TRAINING_PHANTOMS = PhantomSettings(
    spacing_xy=(1.8, 4.5), spacing_z=(2.0, 8.0), abstract=0.15, pointwise=0.1, gm_wm_ratio=(1.5, 8.0)
)


@dataclass(frozen=True)
class Recipe:
    """What to train, on what, and for how long.

    Args:
        name: the model's name in the catalogue.
        network: a network that `learning.families` knows; its family says what its inputs are and how it is trained.
        summary: one line for people.
        source: the paper.
        notes: where the recipe departs from it.
        target: a key of `learning.targets.TARGETS`.
        loss: one of `learning.losses.LOSSES`.
        kinetic_share: lambda of the loss ``kinetic``.
        input_smoothing_mm: FWHM of the Gaussian over input and target, in training and in use.
        augmentation: ``flips`` (of i and j, and their exchange) or ``rigid`` (also shifts and turns to 45 degrees).
        patch: voxels (j, i), or (k, j, i) for volumes, cut at random; none takes the whole.
        learning_rate: of Adam at the start; follows half a cosine to zero.
        warm_up: steps over which the rate rises to it.
        batch: samples a step.
        steps: optimiser steps.
        average_decay: of the exponential moving average of the weights that is kept, once it is long enough.
        phantoms, validation_phantoms: volumes in the pools.
        validation, held_out: anatomies never trained on; validation chooses nothing here but is watched.
        outside_weight: weight of the loss outside the brain, relative to inside.
        start_from: a model of the catalogue, or a state dict's file (``.pt``), whose weights to start from.
        seed: fixes draws and initial weights.
        pool_seed: fixes the phantoms; recipes that agree on it and on `phantom` share one pool.
        options: further settings of the family's training task.
    """

    name: str
    network: str
    summary: str = ""
    source: str = ""
    notes: str = ""
    target: str = "noisy"
    loss: str = "l1"
    kinetic_share: float = 0.2
    input_smoothing_mm: float = 0.0
    augmentation: str = "flips"
    patch: tuple[int, ...] = ()
    learning_rate: float = 1e-3
    warm_up: int = 50
    batch: int = 16
    steps: int = 20000
    average_decay: float = 0.999
    phantoms: int = 280
    validation_phantoms: int = 24
    validation: tuple[str, ...] = ("brain-15",)
    held_out: tuple[str, ...] = ("brain-16", "brain-17")
    outside_weight: float = 0.1
    start_from: str | None = None
    seed: int = 0
    pool_seed: int = 20261121
    phantom: PhantomSettings = field(default_factory=lambda: TRAINING_PHANTOMS)
    noise: NoiseSettings = field(default_factory=NoiseSettings)
    options: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        find_network_family(self.network)
        find_target(self.target)
        check_loss(self.loss)
        if self.augmentation not in AUGMENTATIONS:
            raise InputError(f"A recipe's augmentation is one of {list(AUGMENTATIONS)}; correct the recipe.")


def read_recipe(path: Path | str) -> Recipe:
    """Read a recipe file, or one of the recipes that come with the package by its bare name.

    Raises:
        InputError: no such recipe, broken JSON, or an unknown key or value.
    """
    path = Path(path)
    if not path.suffix:
        path = RECIPES / f"{path}.json"
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.json")))
        raise InputError(f"{path} is not a readable recipe ({error}); give a JSON file or one of: {known}.") from error
    for name, kind in (("phantom", PhantomSettings), ("noise", NoiseSettings)):
        if name in values:
            values[name] = _from_json(kind, values[name], f"{path} ({name})")
    return _from_json(Recipe, values, str(path))


def _from_json(kind: type, values: Mapping[str, object], where: str) -> object:
    unknown = set(values) - {f.name for f in fields(kind)}
    if unknown:
        raise InputError(f"{where} has unknown keys {sorted(unknown)}; remove or correct them.")
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
