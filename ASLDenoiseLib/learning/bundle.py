"""A trained model as a MONAI bundle: metadata, inference configuration, weights and card."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path

import torch

from ..denoising.bundle import MONAI, data_format, domain_rows, pack_weights, write_parts
from ..denoising.families import DenoiserFamily
from ..software import own_version, software_versions
from .families import find_network_family
from .recipe import Recipe
from .tasks import build_task
from .training import TrainingOutcome

_LARGE = 1_000_000  # parameters; the package with all its models stays below 100 MB
_PHANTOMS = "Phantoms drawn from individual brain label maps of the public SynthSeg repository (Apache-2.0)"
_STROKES = "; lesions shaped as stroke masks of the public StrokeOutcomeOptimizationProjectDemo (BSD-2-Clause)"
_BRAIN_OVER_GM = 0.6  # the brain's mean over the GM mean: how the noise's SNR in GM reads in `mean_snr`


def write_bundle(recipe: Recipe, trained: TrainingOutcome, folder: Path) -> Path:
    """Write the bundle of a training; returns the folder.

    Benchmark figures are added to the card by hand from Testing/Benchmarks, with the command that made them.
    """
    weights = trained.weights
    if sum(w.numel() for w in weights.values()) >= _LARGE:  # in half precision, which loading undoes
        weights = {name: w.half() if w.is_floating_point() else w for name, w in weights.items()}
    packed = pack_weights(weights)
    metadata = _metadata(recipe, trained, packed.sha256)
    write_parts(folder, packed, metadata, _first_card(metadata), find_network_family(recipe.network))
    return folder


def _metadata(recipe: Recipe, trained: TrainingOutcome, sha256: str) -> dict:
    phantom, family, task = recipe.phantom, find_network_family(recipe.network), build_task(recipe)
    return {
        "version": own_version(),
        "monai_version": software_versions().get("monai", MONAI),
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
        "network_data_format": data_format(family, recipe.input_smoothing_mm),
    }


def _of_a_mean(recipe: Recipe) -> dict[str, list[float]]:
    """What of the domain concerns the mean difference that denoisers see."""
    low, high = recipe.noise.gm_snr
    return {"mean_snr": [round(_BRAIN_OVER_GM * low, 2), high], "pairs": [1, 60]}


def _start_of(recipe: Recipe) -> str | None:
    """What the recipe starts from, without the folder that a file of weights lay in."""
    return None if recipe.start_from is None else Path(recipe.start_from).name


def _first_card(metadata: dict) -> str:
    """The card of a new bundle, from its metadata; figures of the benchmarks are added by hand."""
    training = metadata["training"]
    saw = training["saw"]
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
        domain_rows(metadata["domain"]),
        "Input outside this range gives a finding; compare the denoised map with the raw one with care. Lesions seen "
        "in training change perfusion by simple factors; real pathology may differ, and denoising lowers the contrast "
        "of small lesions.",
        "## Use",
        f"```\npython -m ASLDenoiseLib denoise SERIES --model {metadata['name']} --out DIR\n```",
        f"Licence {metadata['licence']}. Weights SHA256 `{metadata['sha256']}`. "
        f"Training data: {metadata['data_source']}.",
    ]
    return "\n\n".join(line for line in lines if line) + "\n"
