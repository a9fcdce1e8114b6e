"""Simulated dual-echo runs of heads that no network learned from, with a lesion that BOLD does not show on request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from ASLDenoiseLib.bold.run import BoldRun
from ASLDenoiseLib.learning.anatomy import read_anatomy
from ASLDenoiseLib.learning.dual_echo import DualEchoSettings
from ASLDenoiseLib.learning.dual_echo_run import DualEchoRun, RestingHead, draw_head, draw_run
from ASLDenoiseLib.learning.phantom import draw_phantom
from ASLDenoiseLib.learning.recipe import read_recipe
from ASLDenoiseLib.learning.volumes import pack
from ASLDenoiseLib.series import Geometry, Volume

from .cases import HELD_OUT

_GREY = 0.5
_RADIUS = 12.0  # mm, of a lesion in CBF alone
LESIONS = (0.4, 1.8)  # times the CBF of the head


@dataclass(frozen=True, eq=False)
class SimulatedRun:
    """A run and the truth behind it.

    Args:
        label: for people.
        head: at rest.
        echoes: what was drawn of it.
        geometry: the grid.
        seed: fixes the draws of the run.
    """

    label: str
    head: RestingHead
    echoes: DualEchoRun
    geometry: Geometry
    seed: int

    @cached_property
    def bold(self) -> BoldRun:
        """What a network is given."""
        images = self.echoes.bold[0].numpy()
        brain = Volume(self.head.brain[0].numpy(), self.geometry, name="brain")
        return BoldRun(images, self.geometry, brain, self.label, "", "simulated pairs")

    @property
    def single(self) -> np.ndarray:
        """The CBF of single pairs (T, K, J, I)."""
        return self.echoes.single[0].numpy()

    @property
    def truth(self) -> np.ndarray:
        """The CBF behind it (T, K, J, I)."""
        return self.echoes.truth[0].numpy()

    @cached_property
    def brain(self) -> np.ndarray:
        """Bool (K, J, I)."""
        return self.head.brain[0].numpy() > 0

    @cached_property
    def grey(self) -> np.ndarray:
        """Bool (K, J, I), of the brain."""
        return self.brain & (self.head.gm[0].numpy() > _GREY)

    @cached_property
    def octants(self) -> list[np.ndarray]:
        """Grey matter in eighths about its centre, bool each."""
        places = np.argwhere(self.grey)
        sides = np.indices(self.grey.shape) > places.mean(0).reshape(3, 1, 1, 1)
        number = sides[0] * 4 + sides[1] * 2 + sides[2]
        return [self.grey & (number == n) for n in range(8)]

    def with_lesion(self, factor: float) -> tuple[SimulatedRun, np.ndarray]:
        """The same draws of a head whose CBF is `factor` times as high in a ball of grey matter, BOLD as it was.

        Returns:
            The run and the lesion's voxels (bool).
        """
        rng = np.random.default_rng(self.seed)
        places = np.argwhere(self.grey)
        middle = places[rng.integers(len(places))]
        spacing = np.array(self.geometry.spacing[::-1]).reshape(3, 1, 1, 1)
        far = np.sqrt((((np.indices(self.grey.shape) - middle.reshape(3, 1, 1, 1)) * spacing) ** 2).sum(0))
        lesion = (far < _RADIUS) & self.brain
        change = torch.from_numpy(np.where(lesion, factor, 1.0).astype(np.float32))[None]
        head = replace(self.head, cbf=self.head.cbf * change)
        return replace(self, head=head, echoes=_scanned(head, self.seed)), lesion


def simulated_runs(anatomy: Path, each: int) -> list[SimulatedRun]:
    """`each` runs of every anatomy kept out; `anatomy` is the folder of label maps."""
    runs = []
    for name in HELD_OUT:
        head = read_anatomy(next(anatomy.glob(f"{name}_labels.nii*")))
        for number in range(each):
            seed = 7000 + 100 * HELD_OUT.index(name) + number
            settings = replace(read_recipe("bold-dwan").phantom, abstract=0.0)
            phantom = draw_phantom(head, settings, seed=seed)
            volumes = pack(phantom, seed=seed)[:]
            resting = draw_head(volumes, DualEchoSettings(), torch.Generator().manual_seed(seed))
            label = f"{name}, run {number + 1}"
            runs.append(SimulatedRun(label, resting, _scanned(resting, seed), phantom.geometry, seed))
    return runs


def _scanned(head: RestingHead, seed: int) -> DualEchoRun:
    return draw_run(head, DualEchoSettings(), torch.Generator().manual_seed(seed + 500_000))
