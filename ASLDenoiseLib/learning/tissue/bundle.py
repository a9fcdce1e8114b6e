"""The tissue network as a MONAI bundle: metadata, inference configuration, weights and card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from ...denoising import bundle
from ...networks.tissue_unet import TissueUNet
from ...preparing.tissue_network import CLASSES, SPACING
from ...software import own_version, software_versions
from .training import TRAINING, WATCHED, TissueTraining, TrainedTissue

NAME = "tissue-unet"
COMMAND = "python -m ASLDenoiseLib.learning.tissue --labels LABELS --out out/tissue --minutes 9 --device cuda"
_INPUTS = ("intensity over its 99th percentile, at most 2",)
_LABEL_MAPS = "Heads painted from individual brain label maps of the public SynthSeg repository (Apache-2.0)"


@dataclass(frozen=True)
class TissueRecord:
    """How weights came about, as the metadata tell it.

    Args:
        anatomies: label maps that were learned from.
        batch, steps: heads a step, and steps.
        seconds, device: of the training itself.
    """

    anatomies: tuple[str, ...]
    batch: int
    steps: int
    seconds: float
    device: str

    @classmethod
    def of(cls, trained: TrainedTissue, settings: TissueTraining) -> TissueRecord:
        """That of a training."""
        return cls(trained.anatomies, settings.batch, trained.steps, trained.seconds, trained.device)


PACKAGED = TissueRecord(TRAINING, 4, 5848, 750, "cuda (H100, shared)")  # of the weights that ASLDenoise brings


def write_tissue_bundle(weights: Mapping[str, torch.Tensor], record: TissueRecord, folder: Path) -> Path:
    """Write the bundle of a training, weights in half precision, which loading undoes; returns the folder."""
    packed = bundle.pack_weights({name: w.half() if w.is_floating_point() else w for name, w in weights.items()})
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "models" / "model.pt").write_bytes(packed.content)
    return describe_weights(folder, record)


def describe_weights(folder: Path, record: TissueRecord) -> Path:
    """Write what goes with the ``models/model.pt`` of a folder; a card that is there stays. Returns the folder."""
    sha256 = hashlib.sha256((folder / "models" / "model.pt").read_bytes()).hexdigest()
    target = f"{TissueUNet.__module__}.{TissueUNet.__name__}"
    bundle.describe_weights(folder, _metadata(record, sha256), _card(record), target)
    return folder


def _metadata(record: TissueRecord, sha256: str) -> dict[str, object]:
    settings = TissueTraining()
    return {
        "version": own_version(),
        "monai_version": software_versions().get("monai", bundle.MONAI),
        "pytorch_version": torch.__version__.split("+")[0],
        "name": NAME,
        "task": "Tissue of an anatomical image of any contrast, whole, stripped or cropped",
        "description": "Residual 3D U-Net taught on label maps painted in random contrasts (SynthSeg's way)",
        "source": "Billot et al., Med Image Anal 2023;86:102789 (training); Kerfoot et al. 2019 (network)",
        "network": NAME,
        "parameters": sum(p.numel() for p in TissueUNet().parameters()),
        "sha256": sha256,
        "precision": "half",
        "licence": "Apache-2.0",
        "intended_use": "Research use only; not for diagnosis. Fractions of tissue, for perfusion of each.",
        "data_source": _LABEL_MAPS,
        "domain": {"spacing_mm": SPACING, "size": list(settings.drawing.size)},
        "training": {
            "saw": {
                "anatomies": list(record.anatomies),
                "never": list(WATCHED),
                "samples": record.steps * record.batch,
                "target": "fractions of tissue in cells of 2 mm of the label map",
            },
            "steps": record.steps,
            "batch": record.batch,
            "seconds": round(record.seconds),
            "device": record.device,
            "optimizer": "AdamW",
            "learning_rate": settings.rate,
            "schedule": "half a cosine to 2 % over the time",
            "weight_decay": settings.weight_decay,
            "average_decay": settings.average_decay,
            "precision": "bfloat16",
        },
        "network_data_format": {
            "inputs": {"image": bundle.channel_format("anatomical image", _INPUTS, 3)},
            "outputs": {"pred": bundle.channel_format("logits", CLASSES, 3, kind="segmentation")},
        },
    }


def _card(record: TissueRecord) -> str:
    """The card of a new bundle."""
    parameters = sum(p.numel() for p in TissueUNet().parameters())
    heads = record.steps * record.batch
    return f"""# {NAME}

**What it is.** A residual 3D U-Net of five levels ({parameters:,} parameters) that tells CSF, grey matter, white
matter and brain stem in an anatomical image of any contrast, at {SPACING:g} mm, as fractions of each voxel, and the
cranial cavity as what is none of the rest.

**What it is for.** Research use only; not for diagnosis. Where perfusion of grey and white matter is measured: the
first guess of a run's tissue, which the T1's own brightness refines.

**What it saw.** No image of a person: heads painted in random contrasts from {len(record.anatomies)} individual label
maps of the public SynthSeg repository (Apache-2.0), the way of SynthSeg (Billot et al., Med Image Anal
2023;86:102789). Every head is bent, stretched and mirrored anew, painted as a T1, T2, FLAIR, PD or in free values,
given texture, at times balls of another value in the brain, thick slices, a coil's sensitivity, noise, and is at
times stripped or cropped. {", ".join(WATCHED[:-1])} and {WATCHED[-1]} were never learned from.

**How it was trained.** {heads:,} heads drawn in {record.steps:,} steps of {record.batch}, {record.seconds:.0f} s on
{record.device}; cross-entropy and soft Dice of fractions, AdamW at 2e-3 with half a cosine to 2 %, weight decay 1e-4,
average of the weights (0.998). Anew, on any device ([models.md](../../../../Docs/models.md#training)):

    {COMMAND}

**How well it does.** Dice of heads that were kept out, other contrasts and a real T1, beside Atropos:
[tissue.md](../../../../Testing/Benchmarks/tissue.md).

**Where it falls short.** Label maps have one value a class but for texture and balls of another value: it has seen no
real atrophy, stroke or tumour. An image without an upright head in it is not for it.

Licence Apache-2.0. Weights, stored in half precision, and their SHA256: `configs/metadata.json`.
"""
