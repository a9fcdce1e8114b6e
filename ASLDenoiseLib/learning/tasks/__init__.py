"""Training tasks: how a family of networks is fed with phantoms, and how its estimate is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...denoising.families import class_at, find_family

if TYPE_CHECKING:
    from ..recipe import Recipe
    from .task import TrainingTask


def build_task(recipe: Recipe) -> TrainingTask:
    """The task that the family of a recipe's network names."""
    return class_at(find_family(recipe.network).task)(recipe)
