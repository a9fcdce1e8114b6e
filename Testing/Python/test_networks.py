import pytest

torch = pytest.importorskip("torch")

from ASLDenoiseLib.denoising.families import find_family  # noqa: E402
from ASLDenoiseLib.errors import InputError  # noqa: E402

INPUTS = {
    "dwan": (2, 1, 37, 50),
    "unet2d": (2, 1, 37, 50),
    "dilated-net": (2, 1, 37, 50),
    "deepasl": (2, 1, 37, 50),
    "slab-transformer": (2, 3, 37, 50),
    "unet3d": (1, 1, 7, 33, 29),
    "unet3d-m0": (1, 2, 7, 33, 29),
}


def build_network(name: str) -> torch.nn.Module:
    return find_family(name).build(name)


def conv(before: int, after: int, taps: int = 9) -> int:
    """Weights and biases of one convolution."""
    return before * after * taps + after


def unet2d() -> int:
    def level(a: int, b: int) -> int:
        return conv(a, b) + conv(b, b) + 2 * b  # a PReLU slope a channel after each

    down = level(1, 32) + level(32, 64) + level(64, 128) + level(128, 256)
    up = sum(conv(2 * w, w, 4) + level(2 * w, w) for w in (128, 64, 32))
    return down + up + conv(32, 1, 1)


def unet3d(inputs: int) -> int:
    def level(a: int, b: int) -> int:
        return conv(a, b, 27) + 2 * conv(b, b, 27)

    down = level(inputs, 16) + level(16, 32) + level(32, 64) + level(64, 128)
    up = sum(conv(a, b, 8) + level(2 * b, b) for a, b in ((128, 128), (128, 64), (64, 32), (32, 16)))
    return down + level(128, 128) + up + conv(16, 1, 1)


def slab_transformer() -> int:
    norm, bias_table = 2 * 84, 15 * 15 * 6
    block = 2 * norm + bias_table + (84 * 252 + 252) + (84 * 84 + 84) + (84 * 168 + 168) + (168 * 84 + 84)
    groups = 2 * (6 * block + conv(84, 84))
    return conv(3, 84) + groups + 2 * norm + conv(84, 84) + conv(84, 1)


COUNTS = {
    "dwan": (592_011, conv(1, 32) + 8 * (conv(32, 128) + conv(128, 32)) + conv(64, 1) + conv(1, 1)),
    "unet2d": (1_926_433, unet2d()),
    "dilated-net": (444_801, conv(1, 64) + 8 * conv(64, 64) + conv(128, 128) + conv(128, 1)),
    "deepasl": (146_785, conv(1, 48) + 7 * conv(48, 48) + 8 * 48 + conv(48, 1)),
    "slab-transformer": (898_873, slab_transformer()),
    "unet3d": (5_362_129, unet3d(1)),
    "unet3d-m0": (5_362_561, unet3d(2)),
}


@pytest.mark.parametrize("name", COUNTS)
def test_a_published_network_has_its_number_of_parameters(name):
    stated, by_hand = COUNTS[name]
    assert sum(p.numel() for p in build_network(name).parameters()) == stated == by_hand


@pytest.mark.parametrize("name", INPUTS)
def test_a_network_keeps_odd_sizes_and_gives_one_channel(name):
    x = torch.rand(INPUTS[name])
    with torch.no_grad():
        y = build_network(name).eval()(x)
    assert y.shape == (x.shape[0], 1, *x.shape[2:])


@pytest.mark.parametrize("name", INPUTS)
def test_every_parameter_of_a_network_takes_part(name):
    torch.manual_seed(0)
    network = build_network(name).eval()
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.01)  # what starts at zero hides what lies before it
    network(torch.rand(INPUTS[name])).square().sum().backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert not [n for n in idle if not n.endswith("bias") and "norm" not in n]


@pytest.mark.parametrize("name", ["unet3d", "slab-transformer"])
def test_gradients_in_bfloat16_are_those_in_float32(name):
    """They were not: volumes two slices deep (the centre of the U-Net) and layer norms lost them."""
    torch.manual_seed(0)
    network = build_network(name).eval()
    x = torch.randn((1, 3, 32, 32) if name == "slab-transformer" else (1, 1, 32, 32, 32))
    for parameter in network.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.01)
    gradients = []
    for low in (False, True):
        network.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=low):
            estimate = network(x)
        (estimate.float() - 1).square().mean().backward()
        gradients.append({n: p.grad.clone() for n, p in network.named_parameters() if p.ndim > 1 or "norm" in n})
    for name, exact in gradients[0].items():
        assert float((gradients[1][name] - exact).norm()) < 0.3 * float(exact.norm()), name


def test_deepasl_gives_the_input_less_its_estimate_of_the_noise_and_starts_by_changing_nothing():
    network, x = build_network("deepasl"), torch.rand(1, 1, 20, 20)
    assert torch.equal(network(x), x)
    torch.nn.init.normal_(network.tail.weight, std=0.1)
    torch.testing.assert_close(network(x), x - network.residual(x))
    assert network.body[1].weight.shape == (48,)


def test_the_transformer_starts_from_the_middle_slice_and_sees_its_neighbours():
    network, x = build_network("slab-transformer").eval(), torch.rand(1, 3, 16, 16)
    assert torch.equal(network(x), x[:, 1:2])
    torch.nn.init.normal_(network.tail.weight, std=0.1)
    changed = x.clone()
    changed[:, 0] += 1
    assert (network(changed) - network(x)).abs().max().item() > 1e-3


def test_the_transformer_attends_beyond_its_window():
    """Shifted windows: a voxel is reached from another window."""
    network = build_network("slab-transformer").eval()
    torch.nn.init.normal_(network.tail.weight, std=0.1)
    x = torch.rand(1, 3, 24, 24, requires_grad=True)
    network(x)[0, 0, 4, 4].backward()
    assert float(x.grad[0, :, 18, 18].abs().max()) > 0


def test_the_dilated_pathway_is_dilated_2_4_8_16_and_the_other_is_not():
    for name in ("dilated-net", "dwan"):
        network = build_network(name)
        for path, expected in ((network.local_path, [1] * 4), (network.global_path, [2, 4, 8, 16])):
            first = [m.dilation[0] for m in path.modules() if isinstance(m, torch.nn.Conv2d) and m.out_channels > 32]
            assert first == expected


def test_the_3d_u_net_halves_64_64_32_four_times_to_128_channels():
    network, seen = build_network("unet3d").eval(), []
    network.centre.register_forward_hook(lambda module, given, output: seen.append(tuple(output.shape)))
    with torch.no_grad():
        network(torch.zeros(1, 1, 32, 64, 64))
    assert seen == [(1, 128, 2, 4, 4)]
    assert {m.p for m in network.modules() if isinstance(m, torch.nn.Dropout3d)} == {0.05}


def test_an_unknown_network_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="choose one of: deepasl, diffusion, dilated-net, dwan"):
        build_network("nonsense")


@pytest.mark.gpu
@pytest.mark.parametrize("name", INPUTS)
def test_a_network_gives_the_same_on_cuda(name):
    network, x = build_network(name).eval(), torch.rand(INPUTS[name])
    with torch.no_grad():
        torch.testing.assert_close(network.to("cuda")(x.cuda()).cpu(), network.to("cpu")(x), rtol=1e-2, atol=1e-2)
