"""Networks on a graphics processor: its types, its memory, what it lacks, and results that come back as the CPU's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from request_builders import UNMOVED, made_series

from ASLDenoiseLib.compute import Compute
from ASLDenoiseLib.device_errors import is_device_refusal
from ASLDenoiseLib.findings import Severity
from ASLDenoiseLib.pipeline import run as running
from ASLDenoiseLib.pipeline.request import Denoising, Request
from ASLDenoiseLib.pipeline.run import run
from ASLDenoiseLib.series import Volume

torch = pytest.importorskip("torch")
from device_builders import fake_device  # noqa: E402

from ASLDenoiseLib.denoising.catalogue import list_models  # noqa: E402
from ASLDenoiseLib.denoising.inference import denoise_pairs  # noqa: E402
from ASLDenoiseLib.denoising.memory import run_network, run_on_volume  # noqa: E402
from ASLDenoiseLib.devices import resolve_device, trouble_on  # noqa: E402

MODELS = {card.network: card for card in reversed(list_models())}  # one of each network


def on(monkeypatch, device):
    """A machine with this device, which 'auto' takes."""
    monkeypatch.setattr(running, "resolve_device", lambda choice: device if choice == "auto" else choice)


def denoised(device="auto", model="guided-unet"):
    return run(Request(made_series(), preparation=UNMOVED, denoising=Denoising(model), device=device))


def test_the_fake_device_refuses_what_the_real_one_does():
    with fake_device("mps") as device:
        a = torch.arange(4.0).to("mps")
        assert a.device.type == "mps" and (a * 2).cpu().tolist() == [0, 2, 4, 6]
        with pytest.raises(TypeError, match="doesn't support float64"):
            torch.zeros(2, dtype=torch.float64).to("mps")
        with pytest.raises(TypeError, match="doesn't support float64"):
            a.double()
        with pytest.raises(RuntimeError, match="same device"):
            a + torch.ones(4)
        assert "mul" in device.done


@pytest.mark.runs
@pytest.mark.parametrize("card", MODELS.values(), ids=MODELS)
def test_every_network_runs_on_mps_without_float64_and_gives_what_it_gives_on_the_cpu(card):
    series = made_series()
    array = np.asarray(series.array)[:4]
    pairs = replace(series, array=array[::2] - array[1::2], context=("deltam",) * (len(array) // 2))
    brain = Volume((series.m0.array > 0).astype(float), series.geometry)
    guides = (brain, brain, brain) if card.guided else ()
    expected = denoise_pairs(pairs, brain, card, m0=series.m0, guides=guides)
    compute = Compute("mps")
    with fake_device("mps") as device:
        found = denoise_pairs(pairs, brain, card, compute=compute, m0=series.m0, guides=guides)
    assert {"convolution", "conv2d", "conv3d", "addmm", "linear"} & set(device.done), "it was computed there"
    assert (found.device, compute.fallbacks, compute.refusals) == ("mps", [], [])
    assert type(found.difference.array) is np.ndarray
    np.testing.assert_allclose(found.difference.array, expected.difference.array, rtol=1e-4, atol=1e-4)


@pytest.mark.runs
def test_a_run_on_mps_gives_the_map_of_the_cpu_and_says_where_it_ran(monkeypatch):
    expected = denoised("cpu").maps["desc-denoised_cbf"].array
    on(monkeypatch, "mps")
    with fake_device("mps"):
        result = denoised()
    assert not [f for f in result.findings if f.code in ("out-of-memory", "device-refused")]
    assert [p.value for p in result.parameters if p.name == "device"] == ["mps"]
    np.testing.assert_allclose(result.maps["desc-denoised_cbf"].array, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.runs
@pytest.mark.parametrize("name", ["mps", "cuda"])
def test_a_card_too_small_for_anything_leads_to_the_cpu_and_a_finding(monkeypatch, name):
    expected = denoised("cpu").maps["desc-denoised_cbf"].array
    on(monkeypatch, name)
    with fake_device(name, most=2**15):
        result = denoised()
    (finding,) = [f for f in result.findings if f.code == "out-of-memory"]
    assert finding.severity is Severity.NOTE and "on the cpu" in finding.why
    (device,) = [p for p in result.parameters if p.name == "device"]
    assert device.value == "cpu" and f"the memory of '{name}' ran out" in device.note
    np.testing.assert_allclose(result.maps["desc-denoised_cbf"].array, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.runs
def test_a_convolution_that_mps_lacks_leads_to_the_cpu_and_a_finding_that_says_so(monkeypatch):
    expected = denoised("cpu").maps["desc-denoised_cbf"].array
    on(monkeypatch, "mps")
    with fake_device("mps", lacks=("conv3d",)):
        result = denoised()
    (finding,) = [f for f in result.findings if f.code == "device-refused"]
    assert finding.severity is Severity.NOTE
    assert "mps refused (" in finding.why and "aten::conv3d" in finding.why and "cpu" in finding.why
    assert not [f for f in result.findings if f.code == "out-of-memory"]
    (device,) = [p for p in result.parameters if p.name == "device"]
    assert device.value == "cpu" and device.note == "'mps' would not do it"
    np.testing.assert_allclose(result.maps["desc-denoised_cbf"].array, expected, rtol=1e-4, atol=1e-3)


class Upsampled(torch.nn.Module):
    """A network with the transposed convolution that MPS lacked for long."""

    def __init__(self):
        super().__init__()
        self.up = torch.nn.ConvTranspose3d(1, 1, 1)

    def forward(self, x):
        return self.up(x)


def test_a_network_moves_to_the_cpu_at_once_where_mps_lacks_an_operation():
    network, compute, volume = Upsampled().eval(), Compute("mps"), torch.rand(1, 1, 4, 40, 40)
    with torch.inference_mode():
        expected = network(volume)
    with fake_device("mps", lacks=("conv_transpose3d",)):
        found = run_on_volume(network.to("mps"), volume, compute)
    assert torch.allclose(found, expected)
    assert (compute.device, compute.moved_from, compute.fallbacks) == ("cpu", "mps", [])
    assert "not supported on MPS" in compute.refusals[0] and "patches of 40 voxels on cpu" in compute.refusals[0]


def test_smaller_portions_are_tried_on_the_card_before_the_cpu():
    network, told = torch.nn.Conv2d(1, 1, 3, padding=1).eval(), []
    compute, stack = Compute("cuda", told.append), torch.rand(16, 1, 32, 32)
    with torch.inference_mode():
        expected = network(stack)
    with fake_device("cuda", most=4 * 32 * 32 * 4):
        found = run_network(network.to("cuda"), stack, compute)
    assert compute.device == "cuda" and compute.fallbacks[-1] == "4 slices at once on cuda"
    assert torch.allclose(found, expected, atol=1e-6) and told[-1].endswith("4 slices at once on cuda")


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (RuntimeError("ConvTranspose 3D is not supported on MPS"), True),
        (
            NotImplementedError("The operator 'aten::x' is not currently implemented for the MPS device. If you want"),
            True,
        ),
        (TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64."), True),
        (RuntimeError("CUDA error: no kernel image is available for execution on the device"), True),
        (RuntimeError("CUDA driver initialization failed, you might not have a CUDA gpu."), True),
        (RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("CUDA error: none"), False),
        (NotImplementedError("no forward"), False),
    ],
)
def test_what_the_device_will_not_do_is_told_from_what_is_wrong_everywhere(error, refusal):
    assert is_device_refusal(error) is refusal


def test_a_device_is_tried_by_a_small_product_before_it_is_taken(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with fake_device("mps"):
        assert trouble_on("mps") == "" and resolve_device("auto") == "mps"
    with fake_device("mps", lacks=("mm",)):
        assert "aten::mm" in trouble_on("mps") and resolve_device("auto") == "cpu"
    assert trouble_on("mps"), "this torch has none"


@pytest.mark.runs
def test_inference_is_in_full_precision_on_every_device(monkeypatch):
    entered, real = [], torch.autocast

    def autocast(kind, *arguments, enabled=True, **options):
        entered.append(enabled)
        return real(kind, *arguments, enabled=enabled, **options)

    monkeypatch.setattr(torch, "autocast", autocast)
    on(monkeypatch, "cuda")
    with fake_device("cuda"):
        denoised()
    assert not any(entered)
