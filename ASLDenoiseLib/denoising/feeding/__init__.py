"""How each family of networks is fed with a mean difference; `inference.py` looks the feeder up by the network's key.

A feeder takes a `Mean`, the network and a device, scales and shapes the mean as the network was trained, and gives back
a `Fed` in the units of the input. To add a family: write its feeder in a file here and name it in `FEEDERS`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .mean import Feeder

FEEDERS = {
    "dwan": "slices:feed_slices",
    "unet2d": "slices:feed_slices",
    "dilated-net": "slices:feed_slices",
    "deepasl": "slices:feed_slices",
    "slab-transformer": "slices:feed_slabs",
    "unet3d": "volumes:feed_volume",
    "unet3d-m0": "volumes:feed_volume_with_m0",
    "guided-unet": "guided:feed_guided",
}


def find_feeder(network: str) -> Feeder:
    """The feeder of a network of `catalogue.NETWORKS`."""
    module, name = FEEDERS[network].split(":")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)
