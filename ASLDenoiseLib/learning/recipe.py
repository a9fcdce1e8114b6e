"""A training run as data: a small JSON file in `recipes/`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path

from ..errors import InputError
from .noise import NoiseSettings
from .phantom import PhantomSettings

RECIPES = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Recipe:
    """What to train, on what, and for how long.

    Args:
        name: the model's name in the catalogue.
        network: a key of `denoising.catalogue.NETWORKS`.
        target: ``noisy`` (learning from noise: an independent noisy mean) or ``clean`` (the phantom's truth).
        loss: ``l1`` (converges to the median) or ``l2`` (to the mean).
        learning_rate: of Adam at the start; follows half a cosine to zero over `steps`.
        batch: slices a step.
        steps: optimiser steps.
        average_decay: of the exponential moving average of the weights that is kept.
        phantoms_per_anatomy: volumes drawn from each anatomy.
        validation, held_out: anatomies never trained on; validation chooses nothing here but is watched.
        outside_weight: weight of the loss outside the brain, relative to inside.
        seed: fixes draws and initial weights.
    """

    name: str
    network: str
    target: str = "noisy"
    loss: str = "l1"
    learning_rate: float = 1e-3
    batch: int = 64
    steps: int = 3000
    average_decay: float = 0.995
    phantoms_per_anatomy: int = 24
    validation: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    outside_weight: float = 0.1
    seed: int = 0
    phantom: PhantomSettings = field(default_factory=PhantomSettings)
    noise: NoiseSettings = field(default_factory=NoiseSettings)

    def __post_init__(self) -> None:
        if self.target not in ("noisy", "clean") or self.loss not in ("l1", "l2"):
            raise InputError("A recipe's target is 'noisy' or 'clean' and its loss 'l1' or 'l2'; correct the recipe.")


def read_recipe(path: Path | str) -> Recipe:
    """Read a recipe file, or one of the recipes that come with the package by its bare name.

    Raises:
        InputError: no such recipe, broken JSON, or an unknown key.
    """
    path = Path(path)
    if not path.suffix:
        path = RECIPES / f"{path}.json"
    try:
        values = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        known = ", ".join(sorted(p.stem for p in RECIPES.glob("*.json")))
        raise InputError(f"{path} is not a readable recipe ({error}); give a JSON file or one of: {known}.") from error
    unknown = set(values) - {f.name for f in fields(Recipe)}
    if unknown:
        raise InputError(f"{path} has unknown keys {sorted(unknown)}; remove or correct them.")
    for name, kind in (("phantom", PhantomSettings), ("noise", NoiseSettings)):
        if name in values:
            values[name] = kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in values[name].items()})
    return Recipe(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})
