"""Training a denoiser on phantom slices: one loop, resumable, watched on anatomies kept out."""

from __future__ import annotations

import csv
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from ..denoising.catalogue import build_network
from ..running.progress import Progress, silent
from .anatomy import read_anatomies
from .noise import draw_noise, draw_noise_parameters
from .recipe import Recipe
from .slices import Slices, make_slices


@dataclass(frozen=True)
class Trained:
    """What a run left: the averaged weights, steps and seconds spent, and the last validation PSNR gain (dB)."""

    weights: dict[str, torch.Tensor]
    steps: int
    seconds: float
    gain_db: float
    finished: bool


def sample_batch(
    slices: Slices, recipe: Recipe, generator: torch.Generator, device: str
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """A batch (input, target, truth, weight), each (B, 1, J, I): two means with independent noise of equal strength.

    The scale is jittered by 10 % because the masked mean of a real, noisy input is itself uncertain.
    """
    index = torch.randint(len(slices), (recipe.batch,), generator=generator)
    truth = slices.perfusion[index][:, None].to(device)
    brain = slices.brain[index][:, None].float().to(device)
    level = slices.gm_level[index].to(device)
    if torch.rand((), generator=generator) < 0.5:
        truth, brain = truth.flip(-1), brain.flip(-1)
    if torch.rand((), generator=generator) < 0.5:
        truth, brain = truth.flip(-2), brain.flip(-2)
    if torch.rand((), generator=generator) < 0.5:
        truth, brain = truth.transpose(-1, -2), brain.transpose(-1, -2)
    jitter = (1 + 0.1 * torch.randn(recipe.batch, generator=generator)).clamp(0.7, 1.3).to(device)[:, None, None, None]
    noise_generator = torch.Generator(device).manual_seed(int(torch.randint(2**31, (), generator=generator)))
    draw = draw_noise_parameters(level, truth.shape[-2:], recipe.noise, noise_generator)
    outside = 0.3 + 0.7 * torch.rand((recipe.batch, 1, 1, 1), generator=generator).to(device)
    fade = brain + outside * (1 - brain)
    noisy = truth + fade * draw_noise(draw, brain, noise_generator)
    target = truth
    if recipe.target == "noisy":
        target = truth + fade * draw_noise(draw, brain, noise_generator)
    weight = brain + recipe.outside_weight * (1 - brain)
    return noisy * jitter, target * jitter, truth * jitter, weight


def loss_of(kind: str, estimate: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Weighted mean absolute (``l1``) or squared (``l2``) difference."""
    difference = (estimate - target).abs() if kind == "l1" else (estimate - target).square()
    return (weight * difference).sum() / weight.sum()


def validation_gain(network: torch.nn.Module, slices: Slices, recipe: Recipe, device: str) -> float:
    """PSNR gain over the input (dB) in the brain, over a fixed draw of validation slices."""
    generator = torch.Generator().manual_seed(recipe.seed + 1)
    network.eval()
    before = after = 0.0
    with torch.no_grad():
        for _ in range(max(1, 128 // recipe.batch)):
            noisy, _, truth, weight = sample_batch(slices, recipe, generator, device)
            inside = (weight == 1).float()
            level = truth.square().mul(inside).sum(dim=(1, 2, 3)).clamp_min(1e-6)
            before += float((((noisy - truth) ** 2 * inside).sum(dim=(1, 2, 3)) / level).log10().mean())
            after += float((((network(noisy) - truth) ** 2 * inside).sum(dim=(1, 2, 3)) / level).log10().mean())
    network.train()
    return 10 * (before - after) / max(1, 128 // recipe.batch)


def train(
    recipe: Recipe,
    *,
    anatomy: Path,
    work: Path,
    device: str = "cpu",
    max_minutes: float | None = None,
    progress: Progress = silent,
) -> Trained:
    """Train `recipe`, resuming from ``work/<name>.pt`` when it is there; curves go to ``work/<name>.csv``.

    Args:
        anatomy: folder of label maps (`learning.anatomy`).
        work: folder for slices, checkpoint and curves.
        device: ``cpu``, ``cuda`` or ``mps``; a checkpoint moves between them.
        max_minutes: stop early (resumable) after this long; None runs to the end.
    """
    kept_out = {*recipe.validation, *recipe.held_out}
    work.mkdir(parents=True, exist_ok=True)
    everyone = read_anatomies(anatomy)
    training = [a for a in everyone if a.name not in kept_out]
    watched = [a for a in everyone if a.name in recipe.validation]
    slices = make_slices(training, recipe, cache=work / f"{recipe.name}-slices.npz", device=device, progress=progress)
    validation = make_slices(watched, recipe, cache=work / f"{recipe.name}-validation.npz", device=device)

    torch.manual_seed(recipe.seed)
    network = build_network(recipe.network).to(device, memory_format=torch.channels_last)
    average = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.average_decay)
    )
    optimizer = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate)
    generator = torch.Generator().manual_seed(recipe.seed)
    step, spent, gain = 0, 0.0, float("nan")
    checkpoint = work / f"{recipe.name}.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        generator.set_state(state["generator"].cpu())
        step, spent, gain = state["step"], state["spent"], state["gain"]

    def save() -> None:
        part = checkpoint.with_suffix(".part")
        torch.save(
            {
                "network": network.state_dict(),
                "average": average.state_dict(),
                "optimizer": optimizer.state_dict(),
                "generator": generator.get_state(),
                "step": step,
                "spent": spent,
                "gain": gain,
            },
            part,
        )
        part.replace(checkpoint)

    started, since = time.monotonic(), time.monotonic()
    losses: list[float] = []
    while step < recipe.steps:
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * 0.5 * (1 + math.cos(math.pi * step / recipe.steps))
        noisy, target, _, weight = sample_batch(slices, recipe, generator, device)
        noisy = noisy.contiguous(memory_format=torch.channels_last)
        with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
            estimate = network(noisy)
        loss = loss_of(recipe.loss, estimate.float(), target, weight)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        average.update_parameters(network)
        step += 1
        losses.append(float(loss.detach()))
        out_of_time = max_minutes is not None and time.monotonic() - started > 60 * max_minutes
        if step % 100 == 0 or step == recipe.steps or out_of_time:
            spent, since = spent + time.monotonic() - since, time.monotonic()
            gain = validation_gain(average.module, validation, recipe, device)
            _log(work / f"{recipe.name}.csv", step, spent, float(np.mean(losses[-100:])), gain)
            save()
            progress(step / recipe.steps, f"step {step}, loss {np.mean(losses[-100:]):.4f}, validation {gain:+.2f} dB")
        if out_of_time:
            break
    weights = {k: v.detach().cpu().contiguous() for k, v in average.module.state_dict().items()}
    return Trained(weights, step, spent, gain, step >= recipe.steps)


def _log(path: Path, step: int, seconds: float, loss: float, gain: float) -> None:
    fresh = not path.exists()
    with path.open("a", newline="") as handle:
        writer = csv.writer(handle)
        if fresh:
            writer.writerow(["step", "seconds", "loss", "validation_gain_db"])
        writer.writerow([step, f"{seconds:.1f}", f"{loss:.5f}", f"{gain:.3f}"])
