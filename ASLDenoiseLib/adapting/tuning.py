"""Learning from noise: gains first, all weights only while that still gains, and stopped by pairs that do not teach."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field

import numpy as np
import torch

from ..compute import Compute
from ..denoising.catalogue import ModelCard, load_model
from ..memory import is_out_of_memory
from ..progress import Progress, silent
from .adaptation import Attempt, Tuned
from .crops import CROP, crops_of
from .gains import HEADS, Gains, plain_state
from .loss import noisy_target_loss
from .samples import LearningSample, answer_to
from .uncertainty import found_factor
from .watching import Watched, compared, watched_errors

_REMEMBERED = 0.9  # of the running mean of what learns, a step: single steps are noisy
_SMALLEST = 16  # voxels in plane: no crop is cut smaller when memory runs out
_WATCHED_AT_ONCE = 4  # scans; with more of them one looks less often

State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class TuneSettings:
    """How a network is tuned.

    Args:
        gain_rate, weight_rate: Adam's at first, of gains and of all weights; each falls to zero as a half cosine.
        gain_steps, weight_steps: at most; without weight steps it is gains alone.
        watch_every: steps.
        patience: looks at the watched pairs without a new best, after which a phase ends.
        gain_share: of the time that gains may take where all weights may follow.
        crop: voxels (K, J, I) that a step sees, at most.
    """

    gain_rate: float = 1e-2
    weight_rate: float = 5e-5
    gain_steps: int = 200
    weight_steps: int = 200
    watch_every: int = 20
    patience: int = 3
    gain_share: float = 0.6
    crop: tuple[int, int, int] = CROP


@dataclass(frozen=True, eq=False)
class _Phase:
    """What learns, how fast, until when (`time.monotonic`), and how its state is read off."""

    way: str
    parameters: Sequence[torch.nn.Parameter]
    applied: Callable[[], AbstractContextManager]
    state: Callable[[], State]
    rate: float
    steps: int
    ends: float


@dataclass(eq=False)
class _Kept:
    """What is best so far of what was watched, and since when."""

    errors: list[np.ndarray]
    state: State
    way: str = "nothing"
    steps: int = 0
    curve: list[tuple[int, float]] = field(default_factory=lambda: [(0, 1.0)])


def tune(
    card: ModelCard,
    samples: Sequence[LearningSample],
    watched: Sequence[Watched],
    *,
    compute: Compute,
    max_seconds: float,
    settings: TuneSettings | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Tuned:
    """Tune a model's network on samples, and keep what is best on the watched pairs.

    What is best by no more than its standard error is not kept: of gains, ``way`` is then ``nothing``; all weights
    follow only where gains were kept, and are held against them.

    Args:
        card: the model; its bundle is left as it is.
        samples: of all scans that teach.
        watched: pairs of these scans that do not teach.
        compute: where; out of memory crops get smaller, then it is the CPU.
        max_seconds: of learning, looks at the watched pairs included.
        settings: rates and steps.
        seed: of the crops.
        progress: told steps, what they gained, and the time that is left.
    """
    return _Tuning(card, samples, list(watched), compute, settings or TuneSettings(), seed, progress).run(max_seconds)


class _Tuning:
    """One tuning on its way."""

    def __init__(self, card, samples, watched, compute, settings, seed, progress) -> None:
        self.card, self.samples, self.watched, self.compute = card, samples, watched, compute
        self.settings, self.progress, self.crop = settings, progress, settings.crop
        self.rng = np.random.default_rng(seed)
        self.every = settings.watch_every * -(-len(watched) // _WATCHED_AT_ONCE)
        self.total = settings.gain_steps + settings.weight_steps
        self.begun = time.monotonic()
        self.network = load_model(card, device=compute.device)
        self.start = self.look()
        self.kept = _Kept(self.start, plain_state(self.network))
        self.tried: list[Attempt] = []

    def run(self, max_seconds: float) -> Tuned:
        """Both phases, then the factor of the SD."""
        s, further = self.settings, self.settings.weight_steps > 0
        self.max_seconds = max_seconds
        gains = Gains(self.network)
        ends = self.begun + max_seconds * (s.gain_share if further else 1.0)
        self.learn(_Phase("gains", gains.parameters, gains.applied, gains.baked, s.gain_rate, s.gain_steps, ends))
        if further and self.kept.way == "gains":
            self.network.load_state_dict(self.kept.state)
            weights = [w for name, w in self.network.named_parameters() if name.split(".")[0] not in HEADS]
            every = _Phase(
                *("all weights", weights, nullcontext, lambda: plain_state(self.network)),
                *(s.weight_rate, s.weight_steps, self.begun + max_seconds),
            )
            self.learn(every, since=s.gain_steps)
        self.network.load_state_dict(self.kept.state)
        factor = None
        if self.card.family.gives_uncertainty:
            factor = found_factor(self.network, self.card, self.watched, self.compute)
        kept, seconds = self.kept, time.monotonic() - self.begun
        told = tuple(kept.curve), tuple(self.tried)
        return Tuned(kept.state, kept.way, kept.steps, seconds, len(gains), factor, *told)

    def learn(self, phase: _Phase, *, since: int = 0) -> None:
        """Learn until time or steps are out or nothing gets better; keep the best if it is surely better."""
        held, best, waited, average = self.kept, None, 0, _Average(phase.parameters)
        optimiser = torch.optim.Adam(phase.parameters, lr=phase.rate)
        crops = crops_of(self.samples, self.card.family.dimensions, self.rng, size=self.crop)
        where = self.compute.device
        with phase.applied():
            for step in range(1, phase.steps + 1):
                for group in optimiser.param_groups:
                    group["lr"] = phase.rate * 0.5 * (1 + np.cos(np.pi * (step - 1) / phase.steps))
                if self.compute.device != where:  # a look fell back: what the optimiser remembers lies elsewhere
                    where, optimiser = self.compute.device, torch.optim.Adam(phase.parameters, lr=phase.rate)
                optimiser, crops = self.step(phase, optimiser, crops)
                average.add(step)
                out = time.monotonic() > phase.ends
                if step % self.every and step < phase.steps and not out:
                    self.tell(phase, since + step, best)
                    continue
                with average.in_place():
                    errors, state = self.look(), phase.state()
                ratio = compared(self.start, errors, self.watched).ratio
                held.curve.append((since + step, ratio))
                waited += 1
                if best is None or ratio < compared(self.start, best.errors, self.watched).ratio:
                    best, waited = _Kept(errors, state, phase.way, since + step, held.curve), 0
                self.tell(phase, since + step, best)
                if out or waited >= self.settings.patience:
                    break
        if best is None:
            return
        found = compared(held.errors, best.errors, self.watched)
        figures = found.gain, found.gain_error, found.surely_fell
        self.tried.append(Attempt(phase.way, best.steps - since, *figures, best.state))
        if found.surely_fell:
            self.kept = best

    def step(
        self, phase: _Phase, optimiser: torch.optim.Optimizer, crops: Iterator
    ) -> tuple[torch.optim.Optimizer, Iterator]:
        """One step, on smaller crops and then the CPU where memory runs out; the optimiser and crops to go on with."""
        while True:
            try:
                parts = next(crops)
                seen, target, weight, regions, noise = (part.to(self.compute.device) for part in parts)
                estimate, _ = answer_to(self.network, seen, self.card.family.dimensions)
                loss = noisy_target_loss((estimate.float() - target) / noise, weight, regions)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                return optimiser, crops
            except (MemoryError, RuntimeError) as error:
                if not is_out_of_memory(error):
                    raise
                self.retreat(error)
                optimiser = torch.optim.Adam(phase.parameters, lr=phase.rate)
                crops = crops_of(self.samples, self.card.family.dimensions, self.rng, size=self.crop)

    def retreat(self, error: Exception) -> None:
        """Smaller crops, then the CPU; the error itself where neither is left."""
        k, j, i = self.crop
        compute = self.compute
        if max(j, i) // 2 >= _SMALLEST:
            self.crop = (k, j // 2, i // 2)
            compute.fall_back(f"learning from pieces of {i // 2} voxels on {compute.device}")
        elif compute.device != "cpu":
            self.crop = self.settings.crop
            compute.fall_back("learning on cpu", device="cpu")
            self.network.to("cpu")
        else:
            raise error

    def look(self) -> list[np.ndarray]:
        """The unbiased error on the watched pairs."""
        return watched_errors(self.network, self.card, self.watched, self.compute)

    def tell(self, phase: _Phase, step: int, best: _Kept | None) -> None:
        """How far it is, what it gained, and the time left at most."""
        gone = time.monotonic() - self.begun
        left = max(0.0, min(self.max_seconds - gone, gone / step * (self.total - step)))
        gained = ""
        if best is not None and np.isfinite(compared(self.start, best.errors, self.watched).gain):
            gained = f", {compared(self.start, best.errors, self.watched).gain:+.2f} dB on pairs apart"
        part = max(step / self.total, min(1.0, gone / max(self.max_seconds, 1e-3)))
        self.progress(part, f"learning {phase.way}, step {step}{gained}, at most {_in_words(left)} left")


class _Average:
    """The running mean of what learns, of the last ten steps or so: that is looked at and kept."""

    def __init__(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        self._parameters = parameters
        self._mean = [parameter.detach().clone() for parameter in parameters]

    @torch.no_grad()
    def add(self, step: int) -> None:
        share = max(1 - _REMEMBERED, 1 / step)
        self._mean = [m.to(p).lerp(p.detach(), share) for m, p in zip(self._mean, self._parameters, strict=True)]

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """While it lasts, the mean is in the place of what was learned last."""
        last = [parameter.data for parameter in self._parameters]
        try:
            for parameter, mean in zip(self._parameters, self._mean, strict=True):
                parameter.data = mean.to(parameter)
            yield
        finally:
            for parameter, value in zip(self._parameters, last, strict=True):
                parameter.data = value.to(parameter)


def _in_words(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
