"""What tells tissue in a T1, by name."""

from __future__ import annotations

DEFAULT_SEGMENTER = "network"
SEGMENTERS = {
    "network": "a network for any contrast, seconds (Atropos where it finds no upright head)",
    "atropos": "template, N4 and Atropos, half a minute and more",
}
