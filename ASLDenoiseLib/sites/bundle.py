"""The bundle of a model that earned its place, whole or not at all, in the user's own folder of models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..adapting.adaptation import Adaptation
from ..denoising.bundle import MONAI, data_format, pack_weights, write_parts
from ..denoising.catalogue import ModelCard
from ..errors import InputError
from ..files import trouble
from ..moving import rename_folder
from ..reporting.provenance import plain
from ..reporting.staging import staging_for, sync
from ..software import own_version, software_versions
from .card import card_text
from .names import check_name
from .saw import SawScan

_VOXELS, _SNR, _PAIRS = 0.05, (0.5, 1.25), 1.25  # how far an input may be from what was seen before it is told


def write_site_bundle(
    name: str,
    start: ModelCard,
    adaptation: Adaptation,
    saw: Sequence[SawScan],
    *,
    seed: int,
    device: str,
    warnings: Sequence[str] = (),
) -> Path:
    """Write the bundle of an adapted model; returns its folder.

    Args:
        name: of the model.
        start: the model it was adapted from.
        adaptation: weights and verdict.
        saw: its scans, the last of which judged.
        seed, device: of the learning.
        warnings: on the scans, for the card.

    Raises:
        InputError: the name was taken meanwhile, or the disk failed: nothing was written.
    """
    folder = check_name(name)
    packed = pack_weights(adaptation.tuned.weights)
    metadata = site_metadata(name, start, adaptation, saw, sha256=packed.sha256, seed=seed, device=device)
    told = {**metadata, "warnings": list(warnings)}
    try:
        with staging_for(folder) as staging:
            write_parts(staging, packed, told, card_text(told, adaptation, saw), start.family)
            check_name(name)  # nothing is replaced
            rename_folder(staging, folder)
            sync(folder.parent)
    except OSError as error:
        sentence = trouble(error, otherwise="the model was not written")
        if not sentence:
            raise
        raise InputError(sentence) from error
    return folder


def site_metadata(
    name: str,
    start: ModelCard,
    adaptation: Adaptation,
    saw: Sequence[SawScan],
    *,
    sha256: str,
    seed: int,
    device: str,
) -> dict[str, Any]:
    """What the bundle says of itself, as plain JSON."""
    tuned, was = adaptation.tuned, start.metadata
    kept = ("task", "network", "parameters", "licence", "input_smoothing_mm", "seconds_64x64x24")
    factor = tuned.uncertainty_factor if tuned.uncertainty_factor is not None else was.get("uncertainty_factor")
    smoothing = float(was.get("input_smoothing_mm", 0.0))
    return {
        "version": own_version(),
        "monai_version": software_versions().get("monai", MONAI),
        "pytorch_version": software_versions().get("torch", ""),
        "name": name,
        "description": f"{start.name} adapted to {len(saw)} scans of the user's own site",
        "source": str(was.get("source", "")),
        "notes": "",
        "sha256": sha256,
        **{each: was[each] for each in kept if each in was},
        "intended_use": "Research use only; not for diagnosis. For scans of the site and protocol that it saw.",
        "data_source": f"{was.get('data_source', '')}; then {len(saw)} scans of the user's own",
        **({} if factor is None else {"uncertainty_factor": factor}),
        "domain": site_domain(start.domain, saw),
        "site": site_words(saw),
        "adapted_from": {"name": start.name, "sha256": start.sha256, "version": str(was.get("version", ""))},
        "training": {
            "saw": {**plain(adaptation.saw), "scans": [each.to_plain() for each in saw]},
            "way": tuned.way,
            "gains": tuned.gains,
            "steps": tuned.steps,
            "seconds": round(tuned.seconds),
            "device": device,
            "seed": seed,
            "curve": [list(point) for point in tuned.curve],
        },
        "verdict": adaptation.verdict.to_plain(),
        "network_data_format": data_format(start.family, smoothing),
    }


def site_domain(parent: Mapping[str, tuple[float, float]], saw: Sequence[SawScan]) -> dict[str, list[float]]:
    """What the scans were like, within what the model before was trained on, unless they lie outside of that."""
    in_plane = [(each.spacing[0] + each.spacing[1]) / 2 for each in saw]
    thickness = [each.spacing[2] for each in saw]
    snr = [each.mean_snr for each in saw if each.mean_snr is not None]
    seen = {
        "voxel_in_plane_mm": (min(in_plane) * (1 - _VOXELS), max(in_plane) * (1 + _VOXELS)),
        "slice_thickness_mm": (min(thickness) * (1 - _VOXELS), max(thickness) * (1 + _VOXELS)),
        "pairs": (2.0, float(math.ceil(_PAIRS * max(each.usable for each in saw)))),
    }
    if snr:
        seen["mean_snr"] = (_SNR[0] * min(snr), _SNR[1] * max(snr))
    return {name: _within(limits, parent.get(name)) for name, limits in seen.items()}


def site_words(saw: Sequence[SawScan]) -> dict[str, list[str]]:
    """Labelling and readout of the scans that state them."""
    found = {name: sorted({getattr(each, name) for each in saw} - {""}) for name in ("labeling", "readout")}
    return {name: words for name, words in found.items() if words}


def _within(seen: tuple[float, float], parent: tuple[float, float] | None) -> list[float]:
    low, high = seen
    if parent is not None and max(low, parent[0]) < min(high, parent[1]):
        low, high = max(low, parent[0]), min(high, parent[1])
    return [round(low, 3), round(high, 3)]
