"""What the tests of adapting share: small scans with their truth, and models with weights of the test's own."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from outlier_builders import GRID, SHAPE, head

from ASLDenoiseLib.adapting.scan import AdaptationScan
from ASLDenoiseLib.denoising.catalogue import ModelCard, find_model
from ASLDenoiseLib.denoising.guides import GuideMaps
from ASLDenoiseLib.quantifying.cbf import relative
from ASLDenoiseLib.series import ASLSeries, Volume


def truth() -> np.ndarray:
    """The noise-free difference (K, J, I) of `small_scan`."""
    return head()[1].astype(np.float32)


def small_scan(
    count: int = 8, *, noise: float = 40.0, seed: int = 0, t1: bool = True, name: str = ""
) -> AdaptationScan:
    """A cylinder of tissue, 60 in grey and 20 in white matter, with white noise of SD `noise` in each pair."""
    tissue, difference = head()
    rng = np.random.default_rng(seed)
    pairs = ASLSeries(difference + noise * rng.standard_normal((count, *SHAPE)), GRID, ("deltam",) * count)
    m0 = Volume(1000 * (tissue.gm.array + 0.8 * tissue.wm.array + 1.3 * tissue.csf.array), GRID)
    guides = GuideMaps((tissue.csf, tissue.gm, tissue.wm) if t1 else (), "T1" if t1 else "", m0)
    return AdaptationScan(name or f"scan-{seed}", pairs, tissue.brain, None, guides, tissue, relative(tissue.brain))


def card_of(network: torch.nn.Module, folder: Path, *, start: str = "guided-unet") -> ModelCard:
    """The card of a model whose bundle, in a folder, holds the weights of `network`."""
    path = folder / "models" / "model.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)
    return replace(find_model(start), folder=folder, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
