"""What every bundle of a model is made of, whoever writes it: weights, MONAI's inference, the form of data, a card."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .families import NetworkFamily

MONAI = "1.6.1"  # the form that bundles have is of this version; neither training nor use needs it
CARD = Path("docs/README.md")


@dataclass(frozen=True)
class PackedWeights:
    """A state dict as the bytes of ``models/model.pt``, and their SHA256."""

    content: bytes
    sha256: str


def pack_weights(weights: Mapping[str, object]) -> PackedWeights:
    """The weights of a network as a bundle holds them."""
    import torch

    buffer = io.BytesIO()
    torch.save(dict(weights), buffer)
    content = buffer.getvalue()
    return PackedWeights(content, hashlib.sha256(content).hexdigest())


def write_parts(
    folder: Path, weights: PackedWeights, metadata: Mapping[str, object], card: str, family: NetworkFamily
) -> None:
    """Write the parts of a bundle below a folder; a card that is there, which is written by people, stays.

    Raises:
        OSError: the disk failed.
    """
    (folder / "models").mkdir(parents=True, exist_ok=True)
    (folder / "models" / "model.pt").write_bytes(weights.content)
    target = family.networks[str(metadata["network"])].replace(":", ".")
    describe_weights(folder, metadata, card, target)


def describe_weights(folder: Path, metadata: Mapping[str, object], card: str, target: str) -> None:
    """Write what lies beside the weights of a bundle; a card that is there stays.

    Args:
        folder: of the bundle.
        metadata: as MONAI has them.
        card: for people.
        target: the class of the network, with its module.

    Raises:
        OSError: the disk failed.
    """
    for name in ("configs", "docs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name, content in (("metadata", metadata), ("inference", _monai_inference(target))):
        text = json.dumps(content, indent=2) + "\n"
        (folder / "configs" / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")
    if not (folder / CARD).exists():
        (folder / CARD).write_text(card, encoding="utf-8", newline="\n")


def data_format(family: NetworkFamily, smoothing_mm: float = 0.0) -> dict[str, object]:
    """What the networks of a family take and give, channel by channel, as MONAI's metadata have it."""
    return {
        "inputs": {"image": channel_format(family.data, family.inputs(smoothing_mm), family.dimensions)},
        "outputs": {"pred": channel_format(family.data, family.outputs, family.dimensions)},
    }


def _monai_inference(target: str) -> dict[str, object]:
    """The network, for MONAI's own tools."""
    return {
        "imports": ["$import torch"],
        "bundle_root": ".",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": {"_target_": target},
        "checkpoint": "$torch.load(@bundle_root + '/models/model.pt', map_location=@device, weights_only=True)",
        "inferer": {"_target_": "SimpleInferer"},
    }


def domain_rows(domain: Mapping[str, Sequence[float]]) -> str:
    """The domain as a table of a card."""
    limits = "\n".join(f"| {name} | {low:g} to {high:g} |" for name, (low, high) in domain.items())
    return f"| figure | trained on |\n|---|---|\n{limits}"


def channel_format(
    data: str, channels: Sequence[str], dimensions: int, *, kind: str = "magnitude"
) -> dict[str, object]:
    """What images of these channels are, as MONAI's metadata have it; `data` says what kind of image."""
    return {
        "type": data,
        "format": kind,
        "num_channels": len(channels),
        "spatial_shape": ["*"] * dimensions,
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": False,
        "channel_def": {str(n): meaning for n, meaning in enumerate(channels)},
    }
