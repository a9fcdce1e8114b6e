"""Training a denoiser on phantoms: one loop for every task, resumable anywhere, watched on anatomies kept out."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch

from ..denoising.catalogue import find_model, load_model
from ..errors import InputError
from ..moving import replace_file
from ..progress import Progress, silent, span
from .anatomy_pack import anatomy_names, is_pack, load_strokes
from .families import find_network_family
from .pool import GrowingPool, Pool, PoolPlan
from .recipe import Recipe
from .tasks import build_task
from .volumes import Volumes

_EVERY = 200  # steps between checks on the validation pool, or
_SECONDS = 120.0  # seconds
_LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}  # by axes
_FINITE = 20  # steps between looks at the loss, each of which a GPU must be waited for


@dataclass(frozen=True)
class TrainingOutcome:
    """What a run left: averaged weights, steps and seconds spent, the last validation gain, and what it learned from.

    `facts` are what the task found out on the validation pool, for the model's metadata; `strokes` is how many real
    stroke masks shaped lesions.
    `finished` is true after all steps, or when the time budget was used up and the rate had come down with it.
    """

    weights: dict[str, torch.Tensor]
    steps: int
    seconds: float
    gain_db: float
    finished: bool
    device: str = "cpu"
    anatomies: tuple[str, ...] = ()
    phantoms: int = 0
    facts: Mapping[str, object] = field(default_factory=dict)
    strokes: int = 0


def train(
    recipe: Recipe,
    *,
    anatomy: Path,
    work: Path,
    device: str = "cpu",
    max_minutes: float | None = None,
    max_steps: int | None = None,
    workers: int = 0,
    lesions: Path | None = None,
    progress: Progress = silent,
) -> TrainingOutcome:
    """Train `recipe`, resuming from ``work/<name>.pt`` when it is there; curves go to ``work/<name>.csv``.

    The rate follows half a cosine over the share of steps or of `max_minutes` that is spent, whichever is larger, so
    that a short run ends annealed too. Every step draws from a seed of its own: a run that was stopped goes on as an
    unbroken one would, on this device or another. With `workers` it goes on with the same weights, averages, rate and
    phantoms, but not number by number: how many phantoms there are at a step depends on how fast they are drawn.

    Args:
        anatomy: folder of label maps (`learning.anatomy`), or a pack of anatomies (`learning.anatomy_pack`).
        work: folder for phantoms, checkpoint and curves.
        device: ``cpu``, ``cuda`` or ``mps``.
        max_minutes: time budget of the training itself, over all sessions, phantoms not counted; None: no limit.
        max_steps: stop (resumable, not annealed) after so many steps of this session.
        workers: processes that draw phantoms while the network learns; 0 draws all of them first.
        lesions: folder of stroke masks (`learning.stroke_masks`), of which those that train shape some of the
            phantoms' lesions, or a pack that holds them; None: those of the pack of anatomies, where it holds any.
    """
    work.mkdir(parents=True, exist_ok=True)
    names, others = anatomy_names(anatomy), {*recipe.validation, *recipe.held_out}
    training = tuple(name for name in names if name not in others)
    validating = tuple(name for name in names if name in recipe.validation)
    if not training or not validating:
        raise InputError(f"{anatomy} lacks anatomies to train on or the validation anatomy; see the recipe.")
    run = _Run(recipe, device, work)
    run.resume()
    keep = device if run.task.pool_on_device else "cpu"
    strokes = anatomy if lesions is None and is_pack(anatomy) else lesions
    shapes = [] if strokes is None else [mask.number for mask in load_strokes(strokes)]
    kept = {"work": work, "strokes": strokes if shapes else None, "shapes": shapes}
    watched = plan_pool(anatomy, validating, recipe, recipe.validation_phantoms, **kept)
    validation = watched.all_at_once(device).to(keep)
    plan = plan_pool(anatomy, training, recipe, recipe.phantoms, **kept)
    if workers:
        pool = GrowingPool(plan, workers, keep)
    else:
        pool = Pool(plan.all_at_once(device, span(progress, 0.0, 0.2)).to(keep))
    try:
        run.go(pool, validation, max_minutes, max_steps, span(progress, 0.2, 1.0))
        phantoms = len(pool.volumes())
    finally:
        pool.close()
    return TrainingOutcome(
        {k: v.detach().cpu().contiguous() for k, v in run.average.module.state_dict().items()},
        run.step,
        run.spent,
        run.gain,
        run.over(max_minutes),
        device,
        training,
        phantoms,
        run.task.facts(run.average.module, validation, device),
        len(shapes),
    )


def plan_pool(
    source: Path,
    names: Sequence[str],
    recipe: Recipe,
    count: int,
    *,
    work: Path,
    strokes: Path | None,
    shapes: Sequence[int],
) -> PoolPlan:
    """`count` phantoms of the anatomies `names`; recipes that want the same phantoms share the folder they lie in.

    `shapes` are the numbers of the masks of `strokes`.
    """
    wanted = json.dumps([asdict(recipe.phantom), recipe.pool_seed, [*names], [*shapes]], sort_keys=True)
    folder = work / f"pool-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    seed = recipe.pool_seed + (10**6 if {*names} & {*recipe.validation} else 0)
    return PoolPlan(source, tuple(names), recipe.phantom, count, seed, folder, strokes)


def averaging(decay: float) -> Callable:
    """The update of an exponential moving average that starts with short memory: min(decay, (1 + n) / (10 + n))."""

    @torch.no_grad()
    def update(averaged: Sequence[torch.Tensor], current: Sequence[torch.Tensor], count: torch.Tensor | int) -> None:
        n = float(count)
        torch._foreach_lerp_(list(averaged), list(current), 1 - min(decay, (1 + n) / (10 + n)))

    return update


def learning_rate(recipe: Recipe, step: int, spent: float, max_minutes: float | None) -> float:
    """The rate at a step: warm-up, then half a cosine over the share of steps or time that is spent."""
    done = min(1.0, share_done(recipe, step, spent, max_minutes))
    return recipe.learning_rate * min(1.0, (step + 1) / recipe.warm_up) * 0.5 * (1 + math.cos(math.pi * done))


def share_done(recipe: Recipe, step: int, spent: float, max_minutes: float | None) -> float:
    """The share of the steps, or of the time (`spent`, s) where it is larger, that is done."""
    return max(step / recipe.steps, 0.0 if max_minutes is None else spent / max(1e-9, 60 * max_minutes))


@dataclass(eq=False)
class _Run:
    """The state of one training."""

    recipe: Recipe
    device: str
    work: Path
    step: int = 0
    spent: float = 0.0
    gain: float = float("nan")
    losses: deque[torch.Tensor] = field(default_factory=lambda: deque(maxlen=_EVERY))

    def __post_init__(self) -> None:
        torch.manual_seed(self.recipe.seed)
        self.task = build_task(self.recipe)
        self.layout = _LAYOUTS[2 + self.task.family.dimensions]
        self.network = laid_out(self.task.prepared(first_weights(self.recipe)).to(self.device))
        average = averaging(self.recipe.average_decay)
        self.average = torch.optim.swa_utils.AveragedModel(self.network, multi_avg_fn=average)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=self.recipe.learning_rate, fused=self.device == "cuda"
        )
        self.checkpoint = self.work / f"{self.recipe.name}.pt"

    def resume(self) -> None:
        """Take up the checkpoint, if there is one."""
        if not self.checkpoint.exists():
            return
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.spent, self.gain = state["step"], state["spent"], state["gain"]

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        part = self.checkpoint.with_suffix(".part")
        state = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimizer")}
        torch.save({**state, "step": self.step, "spent": self.spent, "gain": self.gain}, part)
        replace_file(part, self.checkpoint)

    def over(self, max_minutes: float | None) -> bool:
        """Whether all steps are done, or the time is up."""
        return self.step >= self.recipe.steps or (max_minutes is not None and self.spent >= 60 * max_minutes)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor | tuple[torch.Tensor, ...]:
        """The network in bfloat16 where that is safe; what a task calls for its loss."""
        inputs = tuple(x.to(memory_format=self.layout) for x in inputs)
        with torch.autocast(torch.device(self.device).type, dtype=torch.bfloat16):
            return self.network(*inputs)

    def go(
        self,
        pool: Pool | GrowingPool,
        validation: Volumes,
        max_minutes: float | None,
        max_steps: int | None,
        progress: Progress,
    ) -> None:
        """Steps until all are done, or time or `max_steps` is up."""
        recipe, task = self.recipe, self.task
        board = _tensorboard(self.work / "tensorboard" / recipe.name)
        pool.volumes()  # the first of them are not waited for at the training's cost
        started, before = time.monotonic(), self.spent
        first, validated = self.step, time.monotonic()
        self.network.train()
        while not self.over(max_minutes):
            rate = learning_rate(recipe, self.step, self.spent, max_minutes)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            seed = recipe.seed * 1_000_003 + self.step
            torch.manual_seed(seed)  # dropout
            batch = task.batch(pool.volumes(), torch.Generator().manual_seed(seed + 500_000), self.device)
            loss = task.loss(self.forward, batch)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
            self.optimizer.step()
            self.average.update_parameters(self.network)
            self.step += 1
            self.losses.append(loss.detach())
            if self.step % _FINITE == 0 and not math.isfinite(float(self.losses[-1])):
                raise InputError(f"Training {recipe.name} diverged by step {self.step}; lower its learning rate.")
            self.spent = before + time.monotonic() - started
            enough, over = max_steps is not None and self.step - first >= max_steps, self.over(max_minutes)
            if enough or over or self.step % _EVERY == 0 or time.monotonic() - validated > _SECONDS:
                self.gain = task.gain(self.average.module, validation, self.device)
                validated = time.monotonic()
                if not over:  # looking at the validation pool counts, except at the end
                    self.spent = before + time.monotonic() - started
                mean = float(torch.stack([*self.losses]).mean())
                _log(self.work / f"{recipe.name}.csv", self.step, self.spent, mean, self.gain)
                if board is not None:
                    board.add_scalar("loss", mean, self.step)
                    board.add_scalar("validation_gain_db", self.gain, self.step)
                self.save()
                done = share_done(recipe, self.step, self.spent, max_minutes)
                progress(done, f"step {self.step}, loss {mean:.4f}, validation {self.gain:+.2f} dB")
            if enough:
                break
        if board is not None:
            board.close()


def laid_out(network: torch.nn.Module) -> torch.nn.Module:
    """The network with every convolution's weights in the layout that is fast for it, of slices and of volumes."""
    for weight in network.parameters():
        if weight.ndim in _LAYOUTS:
            weight.data = weight.data.contiguous(memory_format=_LAYOUTS[weight.ndim])
    return network


def first_weights(recipe: Recipe) -> torch.nn.Module:
    """The network as training finds it: fresh, or with the weights of what the recipe starts from.

    Raises:
        InputError: that model is of another network, there is none of that name, or no such file of weights.
    """
    if recipe.start_from is None:
        return find_network_family(recipe.network).build(recipe.network)
    if recipe.start_from.endswith(".pt"):
        return _from_file(recipe)
    card = find_model(recipe.start_from)
    if card.network != recipe.network:
        raise InputError(
            f"{recipe.name} cannot start from {card.name}: that is a {card.network}, not a {recipe.network}; "
            "correct start_from in the recipe."
        )
    return load_model(card)


def _from_file(recipe: Recipe) -> torch.nn.Module:
    """The recipe's network with a file's state dict, of as many input channels or, where it can take them, of fewer."""
    network = find_network_family(recipe.network).build(recipe.network)
    try:
        state = torch.load(recipe.start_from, map_location="cpu", weights_only=True)
        getattr(network, "load_earlier", network.load_state_dict)(state)
    except (OSError, RuntimeError, KeyError) as error:
        raise InputError(
            f"{recipe.start_from} is no file of weights of a {recipe.network} ({error}); correct start_from."
        ) from error
    return network


def _tensorboard(folder: Path) -> object | None:
    """A TensorBoard writer where TensorBoard is installed."""
    with suppress(ImportError):
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(folder))
    return None


def _log(path: Path, step: int, seconds: float, loss: float, gain: float) -> None:
    fresh = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle)
        if fresh:
            writer.writerow(["step", "seconds", "loss", "validation_gain_db"])
        writer.writerow([step, f"{seconds:.1f}", f"{loss:.5f}", f"{gain:.3f}"])
