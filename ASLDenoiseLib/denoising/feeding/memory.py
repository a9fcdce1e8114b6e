"""Running a network without running out of memory: smaller portions, then the CPU, said aloud."""

from __future__ import annotations

import logging

import torch

from ...memory import is_out_of_memory

_log = logging.getLogger(__name__)
_BATCH = 16  # slices at once; halved when memory runs out
_SMALLEST = 32  # voxels: no patch of a volume is cut smaller in plane


def run_network(network: torch.nn.Module, stack: torch.Tensor, *, device: str) -> tuple[torch.Tensor, str]:
    """`network` over (B, C, J, I) in batches; on running out of memory smaller batches, then the CPU."""
    batch = _BATCH
    while True:
        try:
            with torch.inference_mode():
                parts = [network(part.to(device)).float().cpu() for part in stack.split(batch)]
            return torch.cat(parts), device
        except (MemoryError, RuntimeError) as error:  # on the CPU torch raises a plain RuntimeError
            if not is_out_of_memory(error):
                raise
            _forget(device)
            if batch > 1:
                batch //= 2
            elif device != "cpu":
                batch, device, network = _BATCH, "cpu", network.to("cpu")
            else:
                raise
            _log.warning("Out of memory: going on with %d slices at once on %s.", batch, device)


def run_on_volume(network: torch.nn.Module, volume: torch.Tensor, *, device: str) -> tuple[torch.Tensor, str]:
    """`network` over a volume (1, C, K, J, I) in one piece; on running out of memory in patches, then on the CPU.

    Patches keep all slices, overlap by a half in plane, and are blended by Gaussian weights.
    """
    from monai.inferers import sliding_window_inference

    whole = max(volume.shape[-2:])
    size = whole
    while True:
        try:
            with torch.inference_mode():
                if size >= whole:
                    return network(volume.to(device)).float().cpu(), device
                patch = (volume.shape[-3], min(size, volume.shape[-2]), min(size, volume.shape[-1]))
                result = sliding_window_inference(
                    volume, patch, 1, network, overlap=0.5, mode="gaussian", sw_device=device, device="cpu"
                )
                return result.float(), device
        except (MemoryError, RuntimeError) as error:  # on the CPU torch raises a plain RuntimeError
            if not is_out_of_memory(error):
                raise
            _forget(device)
            if size // 2 >= _SMALLEST:
                size = size // 2
            elif device != "cpu":
                size, device, network = whole, "cpu", network.to("cpu")
            else:
                raise
            _log.warning("Out of memory: going on with patches of %d voxels on %s.", size, device)


def _forget(device: str) -> None:
    if device == "cuda":
        torch.cuda.empty_cache()
