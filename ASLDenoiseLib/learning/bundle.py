"""A trained model as a MONAI bundle: metadata, inference configuration, weights and card."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from ..denoising.families import DenoiserFamily
from ..reporting.software import own_version, software_versions
from .families import find_network_family
from .recipe import Recipe
from .tasks import build_task
from .training import TrainingOutcome

_MONAI = "1.6.1"  # the form that bundles have is of this version; training does not need it
_LARGE = 1_000_000  # parameters; the package with all its models stays below 100 MB
_PHANTOMS = "Phantoms drawn from individual brain label maps of the public SynthSeg repository (Apache-2.0)"
_STROKES = "; lesions shaped as stroke masks of the public StrokeOutcomeOptimizationProjectDemo (BSD-2-Clause)"
_BRAIN_OVER_GM = 0.6  # the brain's mean over the GM mean: how the noise's SNR in GM reads in `mean_snr`


def write_bundle(recipe: Recipe, trained: TrainingOutcome, folder: Path) -> Path:
    """Write the bundle of a training; returns the folder.

    Benchmark figures are added to the card by hand from Testing/Benchmarks, with the command that made them.
    """
    for name in ("configs", "models", "docs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    weights = trained.weights
    if sum(w.numel() for w in weights.values()) >= _LARGE:  # in half precision, which loading undoes
        weights = {name: w.half() if w.is_floating_point() else w for name, w in weights.items()}
    buffer = io.BytesIO()
    torch.save(weights, buffer)
    (folder / "models" / "model.pt").write_bytes(buffer.getvalue())
    metadata = _metadata(recipe, trained, hashlib.sha256(buffer.getvalue()).hexdigest())
    for name, content in (("metadata", metadata), ("inference", _inference(recipe))):
        (folder / "configs" / f"{name}.json").write_text(json.dumps(content, indent=2) + "\n")
    card = folder / "docs" / "README.md"
    if not card.exists():  # a card is written by people; never overwrite it
        card.write_text(_first_card(metadata))
    return folder


def _metadata(recipe: Recipe, trained: TrainingOutcome, sha256: str) -> dict:
    phantom, family, task = recipe.phantom, find_network_family(recipe.network), build_task(recipe)
    return {
        "version": own_version(),
        "monai_version": software_versions().get("monai", _MONAI),
        "pytorch_version": torch.__version__.split("+")[0],
        "name": recipe.name,
        "task": family.purpose,
        "description": recipe.summary or recipe.name,
        "source": recipe.source,
        "notes": recipe.notes,
        "network": recipe.network,
        "parameters": sum(w.numel() for w in trained.weights.values() if w.is_floating_point()),
        "sha256": sha256,
        "licence": "Apache-2.0",
        "intended_use": "Research use only; not for diagnosis.",
        "data_source": _PHANTOMS + (_STROKES if trained.strokes else "") + task.data_source,
        "input_smoothing_mm": recipe.input_smoothing_mm,
        **trained.facts,
        "domain": {
            "voxel_in_plane_mm": list(phantom.spacing_xy),
            "slice_thickness_mm": list(phantom.spacing_z),
            **(_of_a_mean(recipe) if isinstance(family, DenoiserFamily) else {}),
        },
        "training": {
            "saw": {
                "anatomies": list(trained.anatomies),
                "phantoms": trained.phantoms,
                "samples": trained.steps * recipe.batch,
                **({"stroke_masks": trained.strokes} if trained.strokes else {}),
                "target": task.target_description,
            },
            "recipe": {**asdict(recipe), "start_from": _start_of(recipe)},
            "steps": trained.steps,
            "of_steps": recipe.steps,
            "seconds": round(trained.seconds),
            "device": trained.device,
            "validation_gain_db": None if math.isnan(trained.gain_db) else round(trained.gain_db, 2),
        },
        "network_data_format": {
            "inputs": {"image": _format(recipe, family.inputs(recipe.input_smoothing_mm))},
            "outputs": {"pred": _format(recipe, family.outputs)},
        },
    }


def _of_a_mean(recipe: Recipe) -> dict[str, list[float]]:
    """What of the domain concerns the mean difference that denoisers see."""
    low, high = recipe.noise.gm_snr
    return {"mean_snr": [round(_BRAIN_OVER_GM * low, 2), high], "pairs": [1, 60]}


def _start_of(recipe: Recipe) -> str | None:
    """What the recipe starts from, without the folder that a file of weights lay in."""
    return None if recipe.start_from is None else Path(recipe.start_from).name


def _format(recipe: Recipe, channels: Sequence[str]) -> dict:
    return {
        "type": find_network_family(recipe.network).data,
        "format": "magnitude",
        "num_channels": len(channels),
        "spatial_shape": ["*"] * find_network_family(recipe.network).dimensions,
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": False,
        "channel_def": {str(n): meaning for n, meaning in enumerate(channels)},
    }


def _inference(recipe: Recipe) -> dict:
    return {
        "imports": ["$import torch"],
        "bundle_root": ".",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": {"_target_": find_network_family(recipe.network).networks[recipe.network].replace(":", ".")},
        "checkpoint": "$torch.load(@bundle_root + '/models/model.pt', map_location=@device, weights_only=True)",
        "inferer": {"_target_": "SimpleInferer"},
    }


def _first_card(metadata: dict) -> str:
    """The card of a new bundle, from its metadata; figures of the benchmarks are added by hand."""
    training, domain = metadata["training"], metadata["domain"]
    saw = training["saw"]
    limits = "\n".join(f"| {name} | {low:g} to {high:g} |" for name, (low, high) in domain.items())
    gain = training["validation_gain_db"]
    lines = [
        f"# {metadata['name']}",
        f"{metadata['description']}. {metadata['parameters']:,} parameters. Research use only; not for diagnosis.",
        f"Source: {metadata['source']}." if metadata["source"] else "",
        f"Departures from it: {metadata['notes']}" if metadata["notes"] else "",
        "## What it saw",
        f"{saw['samples']:,} samples drawn from {saw['phantoms']} simulated volumes of {len(saw['anatomies'])} "
        f"anatomies (phantoms, never a real scan), with noise drawn afresh for each. Target: {saw['target']}. "
        f"{training['steps']:,} of {training['of_steps']:,} planned steps, {training['seconds'] / 60:.1f} minutes on "
        f"{training['device']}. On an anatomy kept out of training: {math.nan if gain is None else gain:+.2f} dB PSNR "
        "over the input.",
        "## Domain",
        f"| figure | trained on |\n|---|---|\n{limits}",
        "Input outside this range gives a finding; compare the denoised map with the raw one with care. Lesions seen "
        "in training change perfusion by simple factors; real pathology may differ, and denoising lowers the contrast "
        "of small lesions.",
        "## Use",
        f"```\npython -m ASLDenoiseLib denoise SERIES --model {metadata['name']} --out DIR\n```",
        f"Licence {metadata['licence']}. Weights SHA256 `{metadata['sha256']}`. "
        f"Training data: {metadata['data_source']}.",
    ]
    return "\n\n".join(line for line in lines if line) + "\n"
