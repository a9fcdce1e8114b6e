"""Training tasks: how a family of networks is fed with phantoms, and how its estimate is judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..recipe import Recipe
    from .task import TrainingTask

TASKS = ("slices", "slabs", "volumes", "guided")


def build_task(recipe: Recipe) -> TrainingTask:
    """The task that a recipe names."""
    if recipe.task == "guided":
        from .guided import GuidedTask, GuidedTaskSettings

        return GuidedTask(GuidedTaskSettings(batch=recipe.batch, **recipe.options), recipe.noise, recipe.seed)
    if recipe.task == "volumes":
        from .volumes3d import VolumesTask

        return VolumesTask(recipe)
    if recipe.task == "slabs":
        from .slabs import SlabsTask

        return SlabsTask(recipe)
    from .slices import SlicesTask

    return SlicesTask(recipe)
