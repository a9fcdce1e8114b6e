"""The families of networks that can be trained: the denoisers, and what is no denoiser."""

from __future__ import annotations

from ..bold.family import BOLD_NETWORKS
from ..denoising.families import NetworkFamily, find_family


def find_network_family(network: str) -> NetworkFamily:
    """The family of a network that a recipe names.

    Raises:
        InputError: there is no such network.
    """
    return BOLD_NETWORKS.get(network) or find_family(network)
