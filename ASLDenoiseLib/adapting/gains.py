"""One gain a channel: the few numbers of a network that a single scan can teach without spoiling the rest.

GainTuning (Mohan et al. 2021): each convolution's output channels are multiplied by gains that start at one; only the
gains learn. A bias-free network stays bias-free. The gains are then multiplied into the weights, so that the adapted
network is of the same kind as the one it came from.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

_BY_CHANNEL = (nn.Conv2d, nn.Conv3d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.Linear)
HEADS = ("spread",)  # what reads features without teaching them, and tells the SD of the error


def tuned_layers(network: nn.Module) -> dict[str, nn.Module]:
    """The layers that get gains, by name: all convolutions and linear layers but those of the SD head."""
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, _BY_CHANNEL) and name.split(".")[0] not in HEADS
    }


class Gains:
    """Gains of one of every output channel of a network that is otherwise left as it is.

    Args:
        network: on its device; none of its weights learns while the gains are `applied`.
    """

    def __init__(self, network: nn.Module) -> None:
        self._layers = tuned_layers(network)
        self._network = network
        self.values = {name: nn.Parameter(torch.ones(_channels(layer))) for name, layer in self._layers.items()}

    def __len__(self) -> int:
        return sum(gain.numel() for gain in self.values.values())

    @property
    def parameters(self) -> list[nn.Parameter]:
        """What learns."""
        return list(self.values.values())

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Multiply what each layer gives by its gains, while the weights stand still."""
        learning = {weight: weight.requires_grad for weight in self._network.parameters()}
        hooks = [layer.register_forward_hook(_multiply_by(self.values[name])) for name, layer in self._layers.items()]
        self._network.requires_grad_(False)
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
            for weight, learns in learning.items():
                weight.requires_grad_(learns)

    @torch.no_grad()
    def baked(self) -> dict[str, torch.Tensor]:
        """The state dict, on the CPU, of a plain network of the same kind that gives the same."""
        state = plain_state(self._network)
        for name, layer in self._layers.items():
            gain = self.values[name].detach().cpu()
            state[f"{name}.weight"] *= gain.reshape(_along_output(layer))
            if layer.bias is not None:
                state[f"{name}.bias"] *= gain
        return state


def plain_state(network: nn.Module) -> dict[str, torch.Tensor]:
    """A network's weights as they are now, on the CPU, which no further learning changes."""
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}


def _channels(layer: nn.Module) -> int:
    return layer.out_features if isinstance(layer, nn.Linear) else layer.out_channels


def _along_output(layer: nn.Module) -> tuple[int, ...]:
    """The shape in which gains lie along the outputs of a layer's weight."""
    transposed = isinstance(layer, nn.ConvTranspose2d | nn.ConvTranspose3d)
    if transposed and layer.groups > 1:
        raise NotImplementedError("gains of grouped transposed convolutions")
    axis = 1 if transposed else 0
    return tuple(-1 if n == axis else 1 for n in range(layer.weight.ndim))


def _multiply_by(gain: nn.Parameter):
    def hook(layer: nn.Module, inputs: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
        along = gain if isinstance(layer, nn.Linear) else gain.reshape(-1, *[1] * (output.ndim - 2))
        return output * along.to(output)  # wherever the network went when memory ran out

    return hook
