"""Running a network without running out of memory: smaller portions, then the CPU, said aloud; so is what MPS lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..compute import Compute
from ..device_errors import is_device_refusal
from ..devices import first_line
from ..memory import is_out_of_memory

if TYPE_CHECKING:
    import torch

_BATCH = 16  # slices at once; halved when memory runs out
_SMALLEST = 32  # voxels: no patch of a volume is cut smaller in plane


def run_network(network: torch.nn.Module, stack: torch.Tensor, compute: Compute) -> torch.Tensor:
    """`network` over (B, C, J, I) in batches; on running out of memory smaller batches, then the CPU."""
    import torch

    def run(batch: int) -> torch.Tensor:
        return torch.cat([_joined(network(part.to(compute.device))).cpu() for part in stack.split(batch)])

    return _fitting(run, network, compute, "{} slices at once", first=_BATCH, least=1)


def run_on_volume(network: torch.nn.Module, volume: torch.Tensor, compute: Compute) -> torch.Tensor:
    """`network` over a volume (1, C, K, J, I) in one piece; on running out of memory in patches, then on the CPU.

    Patches keep all slices, overlap by a half in plane, and are blended by Gaussian weights.
    """
    k, j, i = volume.shape[-3:]

    def run(size: int) -> torch.Tensor:
        if size >= max(j, i):
            return _joined(network(volume.to(compute.device))).cpu()
        from monai.inferers import sliding_window_inference  # a second to load, and memory hardly ever runs out

        patch, where = (k, min(size, j), min(size, i)), {"sw_device": compute.device, "device": "cpu"}
        return sliding_window_inference(
            volume, patch, 1, lambda x: _joined(network(x)), overlap=0.5, mode="gaussian", **where
        )

    return _fitting(run, network, compute, "patches of {} voxels", first=max(j, i), least=_SMALLEST)


def _joined(output: torch.Tensor | tuple[torch.Tensor, ...]) -> torch.Tensor:
    """What a network gives in several parts, as channels of one output."""
    import torch

    return output.float() if isinstance(output, torch.Tensor) else torch.cat([part.float() for part in output], dim=1)


def _fitting(
    run: Callable[[int], torch.Tensor], network: torch.nn.Module, compute: Compute, form: str, *, first: int, least: int
) -> torch.Tensor:
    """What `run` gives of portions of the `first` size, or as small as memory asks for, down to `least`."""
    import torch

    size = first
    while True:
        try:
            with torch.inference_mode():
                return run(size)
        except (MemoryError, RuntimeError, TypeError) as error:  # on the CPU torch raises a plain RuntimeError
            if compute.device == "mps" and is_device_refusal(error):  # a card that failed cannot even be copied from
                size = first
                network.to("cpu")
                compute.fall_back(f"{form.format(size)} on cpu", device="cpu", refused=first_line(error))
                continue
            if not is_out_of_memory(error) or (size // 2 < least and compute.device == "cpu"):
                raise
            if compute.device == "cuda":
                torch.cuda.empty_cache()
            device, size = (compute.device, size // 2) if size // 2 >= least else ("cpu", first)
            network.to(device)
            compute.fall_back(f"{form.format(size)} on {device}", device=device)
