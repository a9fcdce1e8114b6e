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
    for name in ("configs", "models", "docs"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "models" / "model.pt").write_bytes(weights.content)
    inference = monai_inference(str(metadata["network"]), family)
    for name, content in (("metadata", metadata), ("inference", inference)):
        text = json.dumps(content, indent=2) + "\n"
        (folder / "configs" / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")
    if not (folder / CARD).exists():
        (folder / CARD).write_text(card, encoding="utf-8", newline="\n")


def data_format(family: NetworkFamily, smoothing_mm: float = 0.0) -> dict[str, object]:
    """What the networks of a family take and give, channel by channel, as MONAI's metadata have it."""
    return {
        "inputs": {"image": _format(family, family.inputs(smoothing_mm))},
        "outputs": {"pred": _format(family, family.outputs)},
    }


def monai_inference(network: str, family: NetworkFamily) -> dict[str, object]:
    """The network, for MONAI's own tools."""
    return {
        "imports": ["$import torch"],
        "bundle_root": ".",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_def": {"_target_": family.networks[network].replace(":", ".")},
        "checkpoint": "$torch.load(@bundle_root + '/models/model.pt', map_location=@device, weights_only=True)",
        "inferer": {"_target_": "SimpleInferer"},
    }


def domain_rows(domain: Mapping[str, Sequence[float]]) -> str:
    """The domain as a table of a card."""
    limits = "\n".join(f"| {name} | {low:g} to {high:g} |" for name, (low, high) in domain.items())
    return f"| figure | trained on |\n|---|---|\n{limits}"


def _format(family: NetworkFamily, channels: Sequence[str]) -> dict[str, object]:
    return {
        "type": family.data,
        "format": "magnitude",
        "num_channels": len(channels),
        "spatial_shape": ["*"] * family.dimensions,
        "dtype": "float32",
        "value_range": [],
        "is_patch_data": False,
        "channel_def": {str(n): meaning for n, meaning in enumerate(channels)},
    }
