"""Training tasks: how batches for a family of networks are drawn from phantoms, and how its estimate is judged."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from ..families import find_network_family

if TYPE_CHECKING:
    from ..recipe import Recipe
    from .task import TrainingTask


def build_task(recipe: Recipe) -> TrainingTask:
    """The task that the family of a recipe's network names, here (``.published:SlicesTask``) or anywhere."""
    module, name = find_network_family(recipe.network).task.split(":")
    return getattr(importlib.import_module(module, __name__), name)(recipe)
