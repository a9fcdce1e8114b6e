"""A trained model as a MONAI bundle: metadata, inference configuration, weights and card."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict
from pathlib import Path

import torch

from .. import __version__
from ..denoising.catalogue import NETWORKS
from .recipe import Recipe
from .training import Trained


def write_bundle(recipe: Recipe, trained: Trained, folder: Path) -> Path:
    """Write the bundle of a finished training; returns the folder.

    Benchmark figures are added to the card by hand from Testing/Benchmarks, with the command that made them.
    """
    configs, models, docs = folder / "configs", folder / "models", folder / "docs"
    for part in (configs, models, docs):
        part.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    torch.save(trained.weights, buffer)
    (models / "model.pt").write_bytes(buffer.getvalue())
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    _write(configs / "metadata.json", _metadata(recipe, trained, sha256))
    _write(configs / "inference.json", _inference(recipe))
    card = docs / "README.md"
    if not card.exists():  # a card is written by people; never overwrite it
        card.write_text(f"# {recipe.name}\n\nSee configs/metadata.json.\n")
    return folder


def _write(path: Path, content: dict) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")


def _metadata(recipe: Recipe, trained: Trained, sha256: str) -> dict:
    phantom, noise = recipe.phantom, recipe.noise
    parameters = sum(w.numel() for w in trained.weights.values())
    return {
        "version": __version__,
        "monai_version": "1.6.1",
        "pytorch_version": torch.__version__.split("+")[0],
        "name": recipe.name,
        "task": "Denoising of mean ASL perfusion differences",
        "description": "2D DWAN, trained on simulated scans by learning from noise (noisy target, L1)",
        "network": recipe.network,
        "parameters": parameters,
        "sha256": sha256,
        "licence": "Apache-2.0",
        "intended_use": "Research use only; not for diagnosis.",
        "data_source": "Phantoms drawn from individual brain label maps of the public SynthSeg repository (Apache-2.0)",
        "domain": {
            "voxel_in_plane_mm": list(phantom.spacing_xy),
            "slice_thickness_mm": list(phantom.spacing_z),
            "mean_snr": [round(0.6 * noise.gm_snr[0], 2), noise.gm_snr[1]],
        },
        "training": {
            "recipe": asdict(recipe),
            "steps": trained.steps,
            "seconds": round(trained.seconds),
            "validation_gain_db": round(trained.gain_db, 2),
        },
        "network_data_format": {
            "inputs": {"image": _channel("mean difference divided by its mean in the brain")},
            "outputs": {"pred": _channel("denoised difference, same scale")},
        },
    }


def _channel(meaning: str) -> dict:
    return {
        "type": "perfusion difference",
        "format": "magnitude",
        "num_channels": 1,
        "spatial_shape": ["*", "*"],
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": False,
        "channel_def": {"0": meaning},
    }


def _inference(recipe: Recipe) -> dict:
    module, name = NETWORKS[recipe.network].split(":")
    return {
        "imports": ["$import torch"],
        "bundle_root": ".",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": {"_target_": f"{module}.{name}"},
        "checkpoint": "$torch.load(@bundle_root + '/models/model.pt', map_location=@device, weights_only=True)",
        "inferer": {"_target_": "SimpleInferer"},
    }
