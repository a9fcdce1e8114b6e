"""The peers that people install: DLASL's graph against convolutions done by hand, and what ANTs and DIPY are given."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from scipy.ndimage import correlate

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.quantifying.cbf import Quantification
from ASLDenoiseLib.series import ASLSeries, Geometry, Tissue, Volume, VolumeType
from Testing.Benchmarks.library import dlasl, packaged_peers
from Testing.Benchmarks.library.cases import Case

NETWORK = torch.nn.Identity()


def conv(name, source, *, filters, size=3, dilation=1, bias=False, **changed):
    config = {
        "filters": filters,
        "kernel_size": [size, size],
        "strides": [1, 1],
        "padding": "same",
        "data_format": "channels_last",
        "dilation_rate": [dilation, dilation],
        "activation": "linear",
        "use_bias": bias,
    }
    return layer("Conv2D", name, [source], **(config | changed))


def layer(kind, name, sources, **config):
    inbound = [[[source, 0, 0, {}] for source in sources]] if sources else []
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": inbound}


def small_layers():
    """Two paths of one wide block, the second dilated, fused, and a skip: DLASL in little."""
    return [
        layer("InputLayer", "input", []),
        conv("a", "input", filters=2, bias=True),
        conv("b", "input", filters=2, bias=True),
        conv("a1", "a", filters=3),
        layer("Activation", "ra", ["a1"], activation="relu"),
        conv("a2", "ra", filters=2),
        layer("Add", "sa", ["a", "a2"]),
        conv("b1", "b", filters=3, dilation=4),
        layer("Activation", "rb", ["b1"], activation="relu"),
        conv("b2", "rb", filters=2),
        layer("Add", "sb", ["b", "b2"]),
        layer("Concatenate", "both", ["sa", "sb"], axis=-1),
        conv("skip", "input", filters=1, size=1),
        conv("fuse", "both", filters=1, size=1),
        layer("Add", "end", ["skip", "fuse"]),
    ]


def small_weights():
    rng = np.random.default_rng(0)
    shapes = {"a": (1, 2), "b": (1, 2), "a1": (2, 3), "a2": (3, 2), "b1": (2, 3), "b2": (3, 2)}
    kernels = {name: rng.normal(0, 0.4, (3, 3, *shape)).astype(np.float32) for name, shape in shapes.items()}
    kernels |= {name: rng.normal(0, 0.4, (1, 1, n, 1)).astype(np.float32) for name, n in (("skip", 1), ("fuse", 4))}
    bias = {name: rng.normal(0, 0.4, 2).astype(np.float32) for name in ("a", "b")}
    return {name: (kernel, bias.get(name)) for name, kernel in kernels.items()}


def by_hand(image, kernel, bias=None, dilation=1):
    """A convolution of (channels, H, W) as Keras means it: correlation with zeros beyond the edge."""
    high, wide, before, after = kernel.shape
    spread = np.zeros(((high - 1) * dilation + 1, (wide - 1) * dilation + 1, before, after))
    spread[::dilation, ::dilation] = kernel
    made = [sum(correlate(image[c], spread[..., c, o], mode="constant") for c in range(before)) for o in range(after)]
    return np.stack(made) + (0 if bias is None else bias[:, None, None])


def expected_of(image, weights):
    relu = lambda x: np.maximum(x, 0)  # noqa: E731
    a, b = by_hand(image, *weights["a"]), by_hand(image, *weights["b"])
    a = a + by_hand(relu(by_hand(a, *weights["a1"])), *weights["a2"])
    b = b + by_hand(relu(by_hand(b, *weights["b1"], dilation=4)), *weights["b2"])
    return by_hand(np.concatenate([a, b]), *weights["fuse"]) + by_hand(image, *weights["skip"])


@pytest.fixture
def model_path(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "model_068.hdf5"
    with h5py.File(path, "w") as file:
        config = {"layers": small_layers(), "output_layers": [["end", 0, 0]]}
        file.attrs["model_config"] = json.dumps({"class_name": "Model", "config": config})
        for made in small_layers():
            file.create_group(f"model_weights/{made['name']}")
        for name, (kernel, bias) in small_weights().items():
            group = file.create_group(f"model_weights/{name}/{name}")
            group["kernel:0"] = kernel
            if bias is not None:
                group["bias:0"] = bias
    return path


def test_the_graph_of_a_file_is_what_its_convolutions_give_by_hand(model_path):
    image = np.random.default_rng(1).normal(0, 1, (1, 13, 17))
    with torch.inference_mode():
        found = dlasl.read_model(model_path)(torch.from_numpy(image.astype(np.float32))[None])[0].numpy()
    np.testing.assert_allclose(found, expected_of(image, small_weights()), atol=1e-5)


@pytest.mark.parametrize(
    "wrong",
    [
        layer("MaxPooling2D", "end", ["input"]),
        layer("Activation", "end", ["input"], activation="tanh"),
        layer("Concatenate", "end", ["input", "input"], axis=1),
        conv("end", "input", filters=1, size=1, strides=[2, 2]),
        conv("end", "input", filters=1, size=1, padding="valid"),
    ],
)
def test_a_graph_of_other_layers_is_refused(wrong):
    with pytest.raises(InputError, match="DLASL"):
        dlasl.KerasGraph([layer("InputLayer", "input", []), wrong], "end", {"end": (np.ones((1, 1, 1, 1)), None)})


def test_a_file_that_states_no_graph_is_refused(tmp_path):
    h5py = pytest.importorskip("h5py")
    h5py.File(tmp_path / "model_099.hdf5", "w").close()
    with pytest.raises(InputError, match="does not state its graph"):
        dlasl.read_model(tmp_path / "model_099.hdf5")


def test_the_installed_weights_have_the_published_graph():
    folder = dlasl.weights_folder()
    if folder is None or importlib.util.find_spec("h5py") is None:
        pytest.skip("pyasl-osipi or h5py is not installed")
    for number in dlasl.MODELS:
        layers = dlasl.read_model(dlasl.model_file(folder, number)).convolutions.values()
        shapes = sorted((c.in_channels, c.out_channels, c.dilation[0], c.kernel_size[0]) for c in layers)
        blocks = [(32, 128, 1, 3)] * 3 + [(32, 128, 8, 3)] * 3 + [(128, 32, 1, 3)] * 6
        assert shapes == sorted([(1, 1, 1, 1), (1, 32, 1, 3), (1, 32, 1, 3), (64, 1, 1, 1), *blocks])


def test_weights_that_are_not_there_are_none(tmp_path):
    assert dlasl.weights_folder(tmp_path) is None


def test_the_network_sees_cbf_clipped_over_255_and_two_outside_the_brain():
    seen = []

    class Watch(torch.nn.Module):
        def forward(self, x):
            seen.append(x.numpy())
            return x + 1.0

    cbf = np.array([[[-10.0, 60.0, 200.0], [30.0, np.nan, 90.0]]])
    mask = np.array([[[1, 1, 1], [1, 1, 0]]], bool)
    found = dlasl.denoised(cbf, mask, Watch())
    # rows run along i: (slices, 1, I, J)
    expected = np.array([[0, 60, 150], [30, 0, 2]]).T / 255
    np.testing.assert_allclose(seen[0][0, 0], expected, atol=1e-6)
    assert found.max() == 150 and found[0, 1, 2] == 0


def test_resampling_stretches_the_grid_from_its_first_voxel():
    ramp = np.arange(12.0)[:, None, None] * np.ones((12, 8, 8))
    there = dlasl.resampled(ramp, (6, 8, 8))
    np.testing.assert_allclose(there[1:-1, 4, 4], [2, 4, 6, 8], atol=0.05)
    assert dlasl.resampled(ramp, ramp.shape) is ramp


@pytest.fixture(scope="module")
def case():
    """A bright block in white noise of SD 10 a pair, ten pairs; CBF is twice the difference, within the grid's edge."""
    grid = Geometry((24, 22, 12), (3.0, 3.0, 4.0))
    truth = np.full(grid.shape, 30.0)
    truth[3:9, 6:16, 7:17] = 60.0
    brain = np.zeros(grid.shape)
    brain[1:-1, 2:-2, 2:-2] = 1
    noise = np.random.default_rng(0).normal(0, 10, (10, *grid.shape))
    pairs = ASLSeries((truth + noise).astype(np.float32), grid, (VolumeType.DELTAM,) * 10)
    mask = Volume(brain, grid)
    factor = Quantification(mask.with_array(np.where(brain > 0, 2.0, np.nan)), ())
    tissue = Tissue(mask, mask, None, mask, "by hand")
    return Case("block", pairs, mask, mask, (), tissue, factor, Volume(truth, grid), pairs)


def rms(case, volume) -> float:
    return float(np.sqrt(np.mean(np.square(volume.array - case.truth.array)[case.inside])))


def test_a_pretrained_network_answers_in_the_unit_and_on_the_grid_of_the_pairs(case, model_path, monkeypatch):
    monkeypatch.setattr(dlasl, "read_model", lambda path: NETWORK)
    own = dlasl.on_own_grid(68, folder=model_path.parent)(case)
    inside, cbf = case.inside, 2 * case.raw.array
    np.testing.assert_allclose(2 * own.array[inside], np.clip(cbf[inside], 0, 150), rtol=1e-4)
    np.testing.assert_array_equal(own.array[~inside], case.raw.array[~inside])
    there_and_back = dlasl.as_packaged(68, folder=model_path.parent)(case)
    assert rms(case, there_and_back) < 1.5 * rms(case, case.raw)


@pytest.mark.parametrize("make", [packaged_peers.dipy_non_local_means, packaged_peers.ants_denoise])
def test_what_is_installed_denoises_inside_the_brain_alone(case, make):
    pytest.importorskip("dipy" if make is packaged_peers.dipy_non_local_means else "ants")
    found = make(1)(case)
    assert rms(case, found) < 0.9 * rms(case, case.raw)
    assert abs((found.array - case.truth.array)[case.inside].mean()) < 1


def test_patch2self_regresses_each_pair_on_the_others(case):
    pytest.importorskip("dipy")
    found = packaged_peers.patch2self(case)
    np.testing.assert_array_equal(found.array[~case.inside], case.raw.array[~case.inside])
    # least squares of a pair on nine others, with an offset, by hand
    values = np.asarray(case.pairs.array[:, case.inside], float)
    box = packaged_peers.brain_box(case.brain.array > 0)
    data = np.where(case.inside, case.pairs.array, 0)[(slice(None), *box)].reshape(10, -1)
    fits = []
    for n in range(10):
        others = np.delete(data, n, axis=0)
        features = np.stack([np.ones(data.shape[1]), *others], axis=1)
        weights = np.linalg.lstsq(features, data[n], rcond=None)[0]
        fits.append(weights[0] + weights[1:] @ np.delete(values, n, axis=0))
    np.testing.assert_allclose(found.array[case.inside], np.mean(fits, axis=0), atol=1e-3)
