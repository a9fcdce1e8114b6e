"""The pretrained denoiser DLASL, as the PyPI package pyasl-osipi (MIT) carries it: a peer that nobody here trained.

The package needs TensorFlow; here its files (HDF5 of Keras) are read with h5py, and the graph that a file states is run
in torch. Nothing of it lies in this repository: `pip install --no-deps pyasl-osipi`, or a folder with its weights.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import nn

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.series import Volume

from .cases import Case
from .peers import Peer

GRID = (64, 64, 24)  # voxels (i, j, k) it was made for
MODELS = (68, 99)
_HIGHEST, _UNIT, _OUTSIDE = 150.0, 255.0, 2.0  # ml/100g/min; what it divides by; what it sees outside the brain
_SLICES = 8  # at a time
_KNOWN = ("InputLayer", "Conv2D", "Activation", "Add", "Concatenate")


def weights_folder(given: Path | None = None) -> Path | None:
    """Where the package's weights are: the folder that is given, else the installed package's; None without either."""
    if given is None:
        found = importlib.util.find_spec("pyasl")
        given = None if found is None else Path(found.submodule_search_locations[0]) / "models"
    return given if given is not None and model_file(given, MODELS[0]).is_file() else None


def model_file(folder: Path, number: int) -> Path:
    return folder / f"model_{number:03d}.hdf5"


class KerasGraph(nn.Module):
    """The graph of a functional Keras model of 2D convolutions, rectifiers, sums and concatenations, in torch.

    Args:
        layers: of the model's configuration, in its order, each after those it takes.
        output: the name of the layer that is the result.
        weights: (kernel (h, w, in, out), bias or None) of each convolution, by the layer's name.

    Args of forward: x (B, 1, H, W), any H and W; returns (B, C, H, W).

    Raises:
        InputError: a layer, or an option of it, is of another kind.
    """

    def __init__(
        self,
        layers: Sequence[Mapping],
        output: str,
        weights: Mapping[str, tuple[np.ndarray, np.ndarray | None]],
    ) -> None:
        super().__init__()
        self.output, self.convolutions, self.steps = output, nn.ModuleDict(), []
        for layer in layers:
            name, kind, config = layer["name"], layer["class_name"], layer["config"]
            activation = config.get("activation", "linear")
            if kind not in _KNOWN or activation not in ("linear", "relu"):
                raise InputError(f"The layer {name} is {kind}, {activation}, unknown here; give a file of DLASL.")
            if kind == "Conv2D":
                self.convolutions[name] = _convolution(config, *weights[name])
            if kind == "Concatenate" and config.get("axis", -1) not in (-1, 3):
                raise InputError(f"The layer {name} joins other axes than channels; give a file of DLASL.")
            sources = [source[0] for node in layer["inbound_nodes"] for source in node]
            self.steps.append((name, kind, activation == "relu", sources))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        made: dict[str, torch.Tensor] = {}
        for name, kind, rectified, sources in self.steps:
            given = [made[s] for s in sources]
            if kind == "InputLayer":
                result = x
            elif kind == "Conv2D":
                result = self.convolutions[name](given[0])
            elif kind == "Concatenate":
                result = torch.cat(given, dim=1)
            else:  # a sum, of one where it is an activation
                result = sum(given)
            made[name] = torch.relu(result) if rectified else result
        return made[self.output]


def _convolution(config: Mapping, kernel: np.ndarray, bias: np.ndarray | None) -> nn.Conv2d:
    """A convolution that keeps the size; Keras' kernels are (h, w, in, out), torch's (out, in, h, w)."""
    kept = config["padding"] == "same" and config["data_format"] == "channels_last"
    if not kept or tuple(config["strides"]) != (1, 1) or any(n % 2 == 0 for n in config["kernel_size"]):
        raise InputError(f"The convolution {config['name']} changes the size of its image; give a file of DLASL.")
    high, wide, before, after = kernel.shape
    dilation = tuple(config["dilation_rate"])
    padding = tuple(d * (n // 2) for d, n in zip(dilation, (high, wide), strict=True))
    layer = nn.Conv2d(before, after, (high, wide), padding=padding, dilation=dilation, bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))))
        if bias is not None:
            layer.bias.copy_(torch.from_numpy(bias))
    return layer


@lru_cache(maxsize=4)
def read_model(path: Path) -> KerasGraph:
    """The network of a Keras file that holds its own configuration.

    Raises:
        InputError: the file states no graph.
    """
    import h5py

    with h5py.File(path) as file:
        if "model_config" not in file.attrs or "model_weights" not in file:
            raise InputError(f"{path.name} does not state its graph; give a file of DLASL.")
        config = json.loads(file.attrs["model_config"])["config"]
        weights = {}
        for name, group in file["model_weights"].items():
            if name in group:
                arrays = {key.split(":")[0]: np.asarray(each, np.float32) for key, each in group[name].items()}
                weights[name] = (arrays["kernel"], arrays.get("bias"))
    return KerasGraph(config["layers"], config["output_layers"][0][0], weights).eval()


def resampled(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """As the package resamples: cubic, voxel 0 on voxel 0 and the grid stretched, whatever the voxels' size."""
    from scipy.ndimage import affine_transform

    if array.shape == tuple(shape):
        return array
    factors = [a / b for a, b in zip(array.shape, shape, strict=True)]
    return affine_transform(array, np.diag(factors), output_shape=tuple(shape), order=3)


def denoised(cbf: np.ndarray, mask: np.ndarray, network: nn.Module) -> np.ndarray:
    """What the package makes of CBF (K, J, I; ml/100g/min) in a mask (bool): slice by slice, 0 to 150, 0 outside."""
    seen = np.clip(np.where(mask, np.nan_to_num(cbf), _OUTSIDE), 0, _HIGHEST) / _UNIT
    slices = torch.from_numpy(seen.transpose(0, 2, 1).astype(np.float32))[:, None]  # its rows run along i
    with torch.inference_mode():
        made = torch.cat([network(slices[n : n + _SLICES]) for n in range(0, len(slices), _SLICES)])
    found = made[:, 0].numpy().transpose(0, 2, 1) * _UNIT
    return np.where(mask, np.clip(found, 0, _HIGHEST), 0.0)


def as_packaged(number: float, *, folder: Path) -> Peer:
    """CBF taken to 64x64x24 voxels, denoised, and brought back; `number` chooses of the two networks."""
    return _peer(int(number), folder, GRID[::-1])


def on_own_grid(number: float, *, folder: Path) -> Peer:
    """The same on the scan's own grid, which its convolutions allow and its package does not do."""
    return _peer(int(number), folder, None)


def _peer(number: int, folder: Path, shape: tuple[int, int, int] | None) -> Peer:
    network = read_model(model_file(folder, number))

    def run(case: Case) -> Volume:
        cbf = np.nan_to_num(case.cbf(case.raw).array)
        inside, shape_of = case.inside.astype(np.float32), shape or case.inside.shape
        mask = resampled(inside, shape_of) > 0  # as the package has it, ringing and all
        found = resampled(denoised(resampled(cbf, shape_of), mask, network), case.inside.shape)
        factor = np.where(case.inside, case.quantification.factor.array, 1)
        return case.raw.with_array(np.where(case.inside, found / factor, case.raw.array))

    return run
