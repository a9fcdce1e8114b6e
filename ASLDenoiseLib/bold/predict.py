"""CBF predicted from a BOLD run, moment by moment, and beside it what anatomy alone would have said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..compute import Compute
from ..denoising.families.mean import brain_box
from ..denoising.memory import run_network
from ..errors import InputError
from ..progress import Progress, silent, span
from .family import UNIT, BoldCourse
from .model import BoldModel
from .run import BoldRun

_AT_ONCE = 4  # images of a run between two words of progress


@dataclass(frozen=True, eq=False)
class BoldPrediction:
    """EXPERIMENTAL: CBF predicted, not measured; ml/100g/min on the scale of the training, NaN outside the brain.

    Args:
        course: (T, K, J, I), whose mean over brain and run is that of `anatomy`: the level is not in BOLD.
        anatomy: (K, J, I), from the mean of the run alone.
    """

    course: np.ndarray
    anatomy: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """The mean over the run (K, J, I)."""
        return self.course.mean(0)

    @property
    def difference(self) -> np.ndarray:
        """Predicted less anatomy-only (K, J, I)."""
        return self.mean - self.anatomy


def predict_cbf(
    run: BoldRun, model: BoldModel, control: BoldModel, *, compute: Compute, progress: Progress = silent
) -> BoldPrediction:
    """What both networks make of a run; the control sees its mean alone, once, and gives the level."""
    anatomy = predict_course(run, control, compute=compute, moments=np.arange(1), progress=span(progress, 0.0, 0.05))
    course = predict_course(run, model, compute=compute, progress=span(progress, 0.05, 1.0))
    return BoldPrediction(course * level_of(course, anatomy[0]), anatomy[0])


def level_of(course: np.ndarray, anatomy: np.ndarray) -> float:
    """What a course (T, K, J, I) is multiplied by, to have the mean of the anatomy-only map (K, J, I).

    A network may take its level from what goes with CBF in the heads it learned from alone, as their noise did.

    Raises:
        InputError: one of them has no positive mean.
    """
    level, wanted = float(np.nanmean(course)), float(np.nanmean(anatomy))
    if not (level > 0 and wanted > 0):
        raise InputError("The networks predict no CBF above zero from this run; give the magnitude of a BOLD run.")
    return wanted / level


def predict_course(
    run: BoldRun,
    model: BoldModel,
    *,
    compute: Compute,
    moments: np.ndarray | None = None,
    progress: Progress = silent,
) -> np.ndarray:
    """What one network makes of a run at `moments` (all), (M, K, J, I) ml/100g/min, NaN outside the brain."""
    import torch

    k, j, i = brain_box(run.brain)
    inside = run.brain.array > 0
    moments = np.arange(len(run.images)) if moments is None else moments
    images = np.where(inside, np.nan_to_num(run.images), 0.0)[:, k, j, i]
    brain = torch.from_numpy(inside[k, j, i].astype(np.float32))[None]
    course = BoldCourse(torch.from_numpy(images.astype(np.float32))[None], brain, torch.tensor([run.level]))
    found = np.full((len(moments), *inside.shape), np.nan, np.float32)
    for first in range(0, len(moments), _AT_ONCE):
        these = moments[first : first + _AT_ONCE]
        seen = model.family.channels(course, torch.from_numpy(these))[0]
        network = model.network.to(compute.device)  # another network of the run may have left the device
        result = run_network(network, seen.flatten(0, 1).contiguous(), compute)[:, 0]
        part = found[first : first + len(these)]
        part[:, k, j, i] = UNIT * result.reshape(len(these), *brain.shape[1:]).numpy()
        part[:, ~inside] = np.nan
        progress(min(1.0, (first + len(these)) / len(moments)), f"{model.card.name}, image {first + len(these)}")
    return found
