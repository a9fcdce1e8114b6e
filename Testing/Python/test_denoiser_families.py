"""A denoiser is one object: what its family says holds in training, in bundles and in use; a new one is one file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from training_builders import TINY, pool, write_heads  # noqa: E402

from ASLDenoiseLib.denoising import catalogue, inference  # noqa: E402
from ASLDenoiseLib.denoising.catalogue import ModelCard, find_model, list_models  # noqa: E402
from ASLDenoiseLib.denoising.families import (  # noqa: E402
    NETWORKS,
    DenoiserFamily,
    Sample,
    find_family,
    register,
)
from ASLDenoiseLib.denoising.families.mean import Prediction  # noqa: E402
from ASLDenoiseLib.denoising.gaussian_windows import window_of_mm  # noqa: E402
from ASLDenoiseLib.denoising.guiding import NOISE_CHANNELS  # noqa: E402
from ASLDenoiseLib.denoising.inference import denoise_pairs  # noqa: E402
from ASLDenoiseLib.denoising.memory import run_on_volume  # noqa: E402
from ASLDenoiseLib.errors import InputError  # noqa: E402
from ASLDenoiseLib.learning.bundle import write_bundle  # noqa: E402
from ASLDenoiseLib.learning.tasks import build_task  # noqa: E402
from ASLDenoiseLib.learning.training import train  # noqa: E402
from ASLDenoiseLib.series import ASLSeries, Geometry, Volume  # noqa: E402

GRID = Geometry((20, 24, 6), (9.0, 9.0, 20.0))
SHIPPED = tuple(NETWORKS)  # before any test adds one


def series() -> tuple[ASLSeries, Volume]:
    """Six pairs of perfusion 20 in a block of brain, noise SD 5 in each."""
    brain = np.zeros(GRID.shape)
    brain[1:5, 4:20, 4:16] = 1
    noise = np.random.default_rng(0).normal(0, 5, (6, *GRID.shape))
    return ASLSeries(20 * brain + noise, GRID, ("deltam",) * 6), Volume(brain, GRID)


def sample(shape: tuple[int, int, int] = (6, 16, 20)) -> Sample:
    def images(count: int) -> torch.Tensor:
        return torch.rand((2, count, *shape), generator=torch.Generator().manual_seed(count))

    spacing = torch.tensor([[5.0, 3.4, 3.4], [4.0, 3.0, 3.0]])
    return Sample(images(1), torch.ones(2, 1, *shape), spacing, images(1), images(3), images(NOISE_CHANNELS))


class TinyNetwork(torch.nn.Module):
    """The difference, less what one convolution of its two channels makes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.noise = torch.nn.Conv3d(2, 1, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :1] - self.noise(x)


class TinyFamily(DenoiserFamily):
    """Volumes in units of their largest magnitude, and a mean of 20 mm beside them."""

    networks = {"tiny-network": f"{__name__}:TinyNetwork"}  # noqa: RUF012
    task = ".published:VolumesTask"
    dimensions = 3

    def channels(self, sample):
        mean = window_of_mm(sample.brain.shape[-3:], sample.spacing, 20.0)(sample.difference * sample.brain)
        return torch.cat([sample.difference, mean], dim=1)

    def inputs(self, smoothing_mm=0.0):
        return "mean difference over its largest magnitude", "its mean of 20 mm"

    def sample_of(self, mean):
        array = np.nan_to_num(mean.array).astype(np.float32)
        scale = float(np.abs(array).max())
        brain = torch.from_numpy(mean.brain.array.astype(np.float32))[None, None]
        spacing = torch.tensor([mean.pairs.geometry.spacing[::-1]])
        return Sample(torch.from_numpy(array / scale)[None, None], brain, spacing), scale

    def predict(self, mean, network, compute):
        sample, scale = self.sample_of(mean)
        return Prediction(scale * run_on_volume(network, self.channels(sample), compute)[0, 0].numpy(), scale)


@pytest.fixture
def tiny_family() -> Iterator[type[DenoiserFamily]]:
    yield register(TinyFamily)
    del NETWORKS["tiny-network"]


def test_a_new_family_trains_is_bundled_and_denoises_with_nothing_else_told_of_it(tiny_family, tmp_path, monkeypatch):
    recipe = replace(TINY, name="tiny", network="tiny-network", steps=2)
    trained = train(recipe, anatomy=write_heads(tmp_path), work=tmp_path / "work")
    assert trained.steps == 2 and trained.finished
    write_bundle(recipe, trained, tmp_path / "models" / "tiny")

    monkeypatch.setattr(catalogue, "models_folder", lambda: tmp_path / "models")
    card = find_model("tiny")
    assert isinstance(card.family, tiny_family) and not card.guided
    image = card.metadata["network_data_format"]["inputs"]["image"]
    assert image["num_channels"] == 2 and image["channel_def"]["1"] == "its mean of 20 mm"
    assert image["spatial_shape"] == ["*"] * 3
    assert f"{__name__}.TinyNetwork" in (card.folder / "configs" / "inference.json").read_text("utf-8")

    pairs, brain = series()
    denoised = denoise_pairs(pairs, brain, card)
    assert np.isfinite(denoised.difference.array).all() and denoised.uncertainty is None
    assert not np.allclose(denoised.difference.array, pairs.array.mean(axis=0), atol=0.1)


@pytest.mark.parametrize("network", SHIPPED)
def test_channels_are_those_the_family_names_and_the_network_takes_and_gives(network):
    family = find_family(network)
    seen = family.channels(sample())
    assert seen.shape[1] == len(family.inputs()) and seen.ndim == 2 + family.dimensions
    with torch.no_grad():
        output = family.build(network).eval()(seen[:1])
    parts = output if isinstance(output, tuple) else (output,)
    assert len(parts) == len(family.outputs) == 1 + family.gives_uncertainty
    assert all(part.shape == (1, 1, *seen.shape[2:]) for part in parts)


@pytest.mark.parametrize("network", SHIPPED)
def test_channels_are_made_on_the_device_of_the_sample(network):
    given = replace(sample(), smoothing_mm=4.0)  # on 'meta' nothing is computed, and other devices do not mix with it
    moved = {name: part.to("meta") for name, part in vars(given).items() if isinstance(part, torch.Tensor)}
    seen = find_family(network).channels(replace(given, **moved))
    assert seen.device.type == "meta" and seen.shape == find_family(network).channels(given).shape


def test_every_shipped_bundle_says_of_its_channels_what_its_family_says():
    for card in list_models():
        smoothing = card.metadata["input_smoothing_mm"]
        form = card.metadata["network_data_format"]
        (image,), (prediction,) = form["inputs"].values(), form["outputs"].values()
        assert tuple(image["channel_def"].values()) == card.family.inputs(smoothing), card.name
        assert tuple(prediction["channel_def"].values()) == card.family.outputs, card.name
        assert image["spatial_shape"] == ["*"] * card.family.dimensions
        network = card.family.networks[card.network].replace(":", ".")
        assert f'"_target_": "{network}"' in (card.folder / "configs" / "inference.json").read_text("utf-8")


class Reached(Exception):
    """The family's channels were asked for."""


@pytest.mark.parametrize("network", SHIPPED)
def test_training_and_use_take_their_channels_from_the_same_method(network, monkeypatch):
    def channels(family, sample):
        raise Reached

    monkeypatch.setattr(type(find_family(network)), "channels", channels)
    recipe = replace(TINY, network=network, options={"crop": (4, 8, 8)} if find_family(network).uses_guides else {})
    with pytest.raises(Reached):
        build_task(recipe).batch(pool(), torch.Generator(), "cpu")
    monkeypatch.setattr(inference, "load_model", lambda card, device: None)
    pairs, brain = series()
    with pytest.raises(Reached):
        denoise_pairs(pairs, brain, ModelCard("x", None, network, "", "", {}, {}), m0=brain.with_array(1 + brain.array))


def test_the_gaussian_of_the_inputs_is_in_plane_for_slices_and_slabs_and_in_all_directions_for_volumes():
    point = torch.zeros(1, 1, 3, 15, 15)
    point[..., 1, 7, 7] = 1
    given = Sample(point, torch.ones_like(point), torch.full((1, 3), 3.0), torch.ones_like(point), smoothing_mm=6.0)
    through = {n: find_family(n).channels(given) for n in ("dwan", "slab-transformer", "unet3d", "unet3d-m0")}
    assert not through["dwan"][0].any() and through["dwan"][1, 0, 7, 8] > 0.1
    assert not through["slab-transformer"][1, 0].any() and through["slab-transformer"][1, 1, 7, 8] > 0.1
    assert through["unet3d"][0, 0, 0, 7, 7] > 0.05
    assert torch.equal(through["unet3d-m0"][:, :1], through["unet3d"])


def test_the_ends_of_the_scan_within_a_sample_are_their_own_neighbours():
    three = torch.arange(3.0).view(1, 1, 3, 1, 1).expand(2, -1, -1, -1, -1)
    ends = torch.tensor([[1, 2], [0, 1]])  # of the first the scan begins with the middle slice, of the other it ends
    given = Sample(three, torch.ones_like(three), torch.ones(2, 3), ends=ends)
    slabs = find_family("slab-transformer").channels(given)[..., 0, 0]
    assert slabs[1].tolist() == [1, 1, 2] and slabs[4].tolist() == [0, 1, 1]


def test_guides_of_one_value_are_no_guides():
    given, family = sample(), find_family("guided-unet")
    nothing = family.channels(replace(given, t1=None, m0=None))
    one_value = replace(given, t1=torch.zeros_like(given.t1), m0=torch.ones_like(given.m0))
    assert torch.equal(family.channels(one_value), nothing)
    assert not torch.allclose(family.channels(given), nothing, atol=1e-3)


def test_a_family_answers_for_its_models_without_loading_torch():
    code = (
        "import sys; from ASLDenoiseLib.denoising.catalogue import list_models, models_not_installed; "
        "cards = (*list_models(), *models_not_installed()); "
        "print([c.name for c in cards if c.guided], 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['guided-unet', 'diffusion'] False"


def test_an_unknown_network_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="no network 'nonsense'; choose one of: deepasl"):
        find_family("nonsense")
