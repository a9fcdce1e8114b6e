"""Running out of memory: recognised in every dialect, retreated from, and told."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from request_builders import UNMOVED, made_series

from ASLDenoiseLib.findings import Severity
from ASLDenoiseLib.memory import give_back, is_out_of_memory
from ASLDenoiseLib.pipeline import run as running
from ASLDenoiseLib.pipeline.request import Denoising, Request
from ASLDenoiseLib.pipeline.run import run
from ASLDenoiseLib.series import Origin

torch = pytest.importorskip("torch")
from ASLDenoiseLib.denoising import inference  # noqa: E402
from ASLDenoiseLib.denoising.catalogue import load_model  # noqa: E402

FULL = torch.OutOfMemoryError("CUDA out of memory.")


@pytest.fixture
def card(monkeypatch):
    """A machine with a graphics card, which 'auto' takes."""
    monkeypatch.setattr(running, "resolve_device", lambda choice: "cuda" if choice == "auto" else choice)


def asked(device="auto", **options) -> Request:
    return Request(made_series(), preparation=UNMOVED, denoising=Denoising(**options), device=device)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
        RuntimeError("itk::ERROR: Failed to allocate memory for image."),
        ImportError("libtorch.so: failed to map segment from shared object"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
    ],
)
def test_every_library_s_way_to_say_it_is_understood(error):
    assert is_out_of_memory(error)


def test_what_torch_and_numpy_really_say_is_understood():
    for allocate in (lambda: torch.empty(2**55), lambda: np.empty(2**59)):
        with pytest.raises((RuntimeError, MemoryError)) as caught:
            allocate()
        assert is_out_of_memory(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("out of memory"), KeyError("memory")])
def test_other_errors_are_not_taken_for_it(error):
    assert not is_out_of_memory(error)


def failing_on(monkeypatch, *names: str, error: Exception = FULL) -> list[str]:
    """Have the network's step fail on these devices; the devices it was tried on, in order."""
    where, real = [], inference.denoise_pairs

    def denoise_pairs(*arguments, compute, **options):
        where.append(compute.device)
        if compute.device in names:
            raise error
        return real(*arguments, compute=compute, **options)

    monkeypatch.setattr(inference, "denoise_pairs", denoise_pairs)
    return where


def test_a_step_that_a_card_has_no_room_for_is_done_again_on_the_cpu_and_says_so(card, monkeypatch):
    where, seen = failing_on(monkeypatch, "cuda"), []
    result = run(asked(), lambda *said: seen.append(said))
    assert where == ["cuda", "cpu"]
    (finding,) = [f for f in result.findings if f.code == "out-of-memory"]
    assert finding.severity is Severity.NOTE and "'denoise' again on the cpu" in finding.why
    said = next((fraction, text) for fraction, text in seen if "memory ran out, going on with " + finding.why == text)
    before = [fraction for fraction, text in seen if text == "denoising"]
    assert said[0] == before[-1]
    (device,) = [p for p in result.parameters if p.name == "device"]
    assert (device.value, device.origin) == ("cpu", Origin.DEFAULT) and "'cuda' ran out" in device.note
    assert [p.name for p in result.parameters].count("model") == 1


@pytest.mark.parametrize(("device", "tried"), [("cpu", ["cpu"]), ("cuda", ["cuda", "cpu"])])
def test_there_is_no_retreat_from_the_cpu(card, monkeypatch, device, tried):
    where = failing_on(monkeypatch, "cpu", "cuda", error=MemoryError())
    with pytest.raises(MemoryError):
        run(asked(device))
    assert where == tried


def test_another_error_is_no_reason_to_retreat(card, monkeypatch):
    where = failing_on(monkeypatch, "cuda", error=RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        run(asked("cuda"))
    assert where == ["cuda"]


class Narrow(torch.nn.Module):
    """A network that runs out of memory over more than `most` voxels at once."""

    def __init__(self, network: torch.nn.Module, most: int) -> None:
        super().__init__()
        self.network, self.most = network, most

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.numel() > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.network(x)


@pytest.mark.runs
def test_a_real_run_goes_on_in_smaller_portions_and_its_result_says_so(monkeypatch):
    def narrow(model, device):
        return Narrow(load_model(model, device=device), 3000)  # three slices of the series below

    monkeypatch.setattr(inference, "load_model", narrow)
    texts = []
    result = run(asked("cpu", model="unet2d-lfn"), lambda fraction, text: texts.append(text))
    (finding,) = [f for f in result.findings if f.code == "out-of-memory"]
    assert "2 slices at once on cpu" in finding.why
    assert "memory ran out, going on with 2 slices at once on cpu" in texts
    assert np.isfinite(result.maps["desc-denoised_cbf"].array).any()
    (device,) = [p for p in result.parameters if p.name == "device"]
    assert (device.value, device.origin) == ("cpu", Origin.USER)


def test_a_run_without_trouble_says_nothing_of_memory():
    result = run(asked("cpu", model="unet2d-lfn"))
    assert "out-of-memory" not in {f.code for f in result.findings}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc and glibc are Linux's")
def test_what_is_free_again_goes_back_to_the_system():
    pieces = [bytearray(50_000) for _ in range(2000)]  # too small for the C library to give each back by itself
    last = bytearray(50_000)
    del pieces[:]
    before = _resident()
    give_back()
    assert before - _resident() > 50 and last is not None


def _resident() -> float:
    """MB of this process in memory."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
