"""Phantoms to learn from: drawn before training, or by worker processes while it goes on."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, fields
from pathlib import Path

import torch

from ..errors import InputError
from ..progress import Progress, silent
from .anatomy import Anatomy
from .anatomy_pack import load_anatomies, load_strokes
from .phantom import PhantomSettings
from .stroke_masks import StrokeMask
from .volumes import SHARE, Volumes, make_share, make_volumes, read_share

Material = tuple[Sequence[Anatomy], Sequence[StrokeMask]]
_FIRST = 64  # phantoms that must be there before training begins


@dataclass(frozen=True)
class PoolPlan:
    """Which phantoms a pool holds.

    Args:
        source: a folder of label maps or a pack of anatomies (`anatomy_pack`).
        names: the anatomies, which take turns.
        settings: what phantoms are drawn from.
        count: phantoms.
        seed: of the first; the next ones count up.
        cache: the folder whose files keep them.
        strokes: a folder of masks or a pack that holds some, whose shapes lesions may have; None: none.
    """

    source: Path
    names: tuple[str, ...]
    settings: PhantomSettings
    count: int
    seed: int
    cache: Path
    strokes: Path | None = None

    def all_at_once(self, device: str = "cpu", progress: Progress = silent) -> Volumes:
        """Every phantom, drawn in this process where it is not yet in the cache."""
        heads, masks = self.material()
        return make_volumes(heads, self.settings, device=device, strokes=masks, progress=progress, **self.kept)

    def material(self) -> Material:
        """The anatomies, and the masks of strokes."""
        masks = [] if self.strokes is None else load_strokes(self.strokes)
        return load_anatomies(self.source, self.names), masks

    @property
    def kept(self) -> dict[str, object]:
        """How many phantoms, from which seed on, and where."""
        return {"count": self.count, "seed": self.seed, "cache": self.cache}


class Pool:
    """A pool that is complete."""

    def __init__(self, volumes: Volumes) -> None:
        self._volumes = volumes

    def volumes(self) -> Volumes:
        """The phantoms."""
        return self._volumes

    def close(self) -> None:
        """Nothing is to be ended."""


@dataclass(eq=False)
class GrowingPool:
    """A pool on a device that worker processes go on filling; close it at the end.

    Workers draw the shares of `plan` in order and write them to its cache, and `volumes` takes up what has come. The
    phantoms are the same as drawn at once; how many of them there are at a step depends on how fast they come.

    Args:
        plan: which phantoms.
        workers: processes, each on one core; started anew (spawn), so that they hold nothing of this one's device.
        device: where the phantoms are kept.
    """

    plan: PoolPlan
    workers: int
    device: str
    _kept: Volumes | None = None
    _here: Volumes | None = None
    _coming: deque[Future] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._executor = ProcessPoolExecutor(
            self.workers, multiprocessing.get_context("spawn"), initializer=_prepare, initargs=(self.plan,)
        )
        self._coming.extend(self._executor.submit(_draw, first) for first in range(0, self.plan.count, SHARE))

    def volumes(self) -> Volumes:
        """What there is by now; the first time it waits until there is enough to begin with.

        Raises:
            InputError: a worker ended, usually because the memory ran out.
        """
        least = min(_FIRST, self.plan.count)
        while self._coming and (self._have() < least or self._coming[0].done()):
            try:
                self._take(read_share(self._coming.popleft().result()))
            except BrokenProcessPool as error:
                raise InputError(
                    "A process that draws phantoms ended, perhaps for lack of memory; train with fewer --workers."
                ) from error
        return self._here

    def _have(self) -> int:
        return 0 if self._here is None else len(self._here)

    def _take(self, share: Volumes) -> None:
        if self._kept is None:  # room for all of them, once
            parts = {f.name: getattr(share, f.name) for f in fields(Volumes)}
            room = {n: p.new_zeros((self.plan.count, *p.shape[1:]), device=self.device) for n, p in parts.items()}
            self._kept = Volumes(**room)
        first = self._have()
        share = share.head(self.plan.count - first)
        for each in fields(Volumes):
            getattr(self._kept, each.name)[first : first + len(share)] = getattr(share, each.name).to(self.device)
        self._here = self._kept.head(first + len(share))

    def close(self) -> None:
        """End the workers, after the share that each is at."""
        self._executor.shutdown(wait=True, cancel_futures=True)


_ready: tuple[PoolPlan, Material] | None = None  # in a worker: its plan, and what that draws from


def _prepare(plan: PoolPlan) -> None:
    global _ready
    torch.set_num_threads(1)
    _ready = plan, plan.material()


def _draw(first: int) -> Path:
    plan, (heads, masks) = _ready
    return make_share(heads, plan.settings, first, strokes=masks, **plan.kept)
