"""Gains: one a channel, the only thing that learns, and multiplied into the weights in the end."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

from ASLDenoiseLib.adapting.gains import Gains  # noqa: E402
from ASLDenoiseLib.denoising.catalogue import find_model, load_model  # noqa: E402
from ASLDenoiseLib.networks.guided_unet import GuidedUNet  # noqa: E402


class Mixed(nn.Module):
    """A convolution of each kind, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv3d(2, 4, 2, stride=2)
        self.line = nn.Linear(3, 3)
        self.up = nn.ConvTranspose3d(4, 3, 2, stride=2)
        self.spread = nn.Conv3d(3, 1, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        y = self.up(torch.relu(self.line(torch.relu(self.down(x)))))
        return y, self.spread(y)


def drawn(gains: Gains) -> None:
    with torch.no_grad():
        for n, value in enumerate(gains.parameters):
            value.copy_(1 + 0.3 * torch.randn(value.shape, generator=torch.Generator().manual_seed(n)))


def test_baked_gains_give_what_applied_gains_give():
    torch.manual_seed(0)
    network, x = Mixed(), torch.randn(1, 2, 4, 6, 6)
    gains = Gains(network)
    before = network(x)[0]
    drawn(gains)
    with gains.applied():
        applied = network(x)
    plain = Mixed()
    plain.load_state_dict(gains.baked())
    for one, other in zip(plain(x), applied, strict=True):
        torch.testing.assert_close(one, other)
    assert not torch.allclose(applied[0], before) and torch.equal(network(x)[0], before)


def test_there_is_one_gain_an_output_channel_and_none_of_the_sd_head():
    network = GuidedUNet(widths=(4, 6, 8))
    gains = Gains(network)
    channels = sum(
        m.out_channels for n, m in network.named_modules() if hasattr(m, "out_channels") and "spread" not in n
    )
    assert len(gains) == channels and not any("spread" in name for name in gains.values)
    drawn(gains)
    baked = gains.baked()
    assert all(torch.equal(baked[name], value) for name, value in network.state_dict().items() if "spread" in name)


def test_only_gains_learn():
    network = GuidedUNet(widths=(4, 6, 8))
    gains = Gains(network)
    with gains.applied():
        network(torch.randn(1, 11, 4, 8, 8))[0].square().mean().backward()
    assert all(weight.grad is None and weight.requires_grad for weight in network.parameters())
    assert sum(float(value.grad.abs().sum()) for value in gains.parameters) > 0


def test_a_bias_free_network_stays_homogeneous():
    network = load_model(find_model("guided-unet"))
    gains, x = Gains(network), torch.randn(1, 11, 4, 12, 12)
    drawn(gains)
    with gains.applied(), torch.no_grad():
        torch.testing.assert_close(network(2 * x)[0], 2 * network(x)[0], rtol=1e-3, atol=1e-3)
