"""Running out of memory: recognised in every dialect, retreated from, and told."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from job_builders import UNMOVED, made_series

from ASLDenoiseLib.memory import is_out_of_memory
from ASLDenoiseLib.pipeline.job import Job
from ASLDenoiseLib.pipeline.retreat import retreating
from ASLDenoiseLib.running import device as devices
from ASLDenoiseLib.series import Finding, Origin, Parameter, Severity

torch = pytest.importorskip("torch")
from ASLDenoiseLib.denoising import inference  # noqa: E402
from ASLDenoiseLib.denoising.catalogue import load_model  # noqa: E402
from ASLDenoiseLib.denoising.feeding.memory import run_network  # noqa: E402


@dataclass(frozen=True)
class Outcome:
    """As much of a result as a retreat touches."""

    findings: tuple[Finding, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    where: list[str] = field(default_factory=list)


@pytest.fixture
def card(monkeypatch):
    """A machine with a graphics card."""
    monkeypatch.setattr(devices, "resolve_device", lambda choice: "cuda" if choice == "auto" else choice)


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


FULL = torch.OutOfMemoryError("CUDA out of memory.")


def failing_on(*names: str, error: Exception = FULL):
    where: list[str] = []

    def way(series, *, device="auto", progress, **options):
        where.append(device)
        progress(0.4, "preparing")
        if device in names:
            raise error
        parameter = Parameter("device", device, "", Origin.USER)
        return Outcome((), (parameter, Parameter("pairs", options.get("pairs"), "", Origin.USER)), where)

    return way, where


def test_a_run_that_a_card_has_no_room_for_is_made_again_on_the_cpu_and_says_so(card):
    way, where = failing_on("auto")
    seen: list[tuple[float, str]] = []
    outcome = retreating(way)("series", progress=lambda *said: seen.append(said), pairs="1-4")
    assert where == ["auto", "cpu"]
    (finding,) = outcome.findings
    assert finding.code == "out-of-memory" and finding.severity is Severity.NOTE
    assert "again on the cpu" in finding.why
    assert (0.4, "memory ran out, going on with " + finding.why) in seen
    device, pairs = outcome.parameters
    assert (device.value, device.origin) == ("cpu", Origin.DEFAULT) and "'auto' ran out" in device.note
    assert pairs == Parameter("pairs", "1-4", "", Origin.USER)


def test_there_is_no_retreat_from_the_cpu(card):
    for device in ("cpu", "cuda"):
        way, where = failing_on("cpu", "cuda", error=MemoryError())
        with pytest.raises(MemoryError):
            retreating(way)("series", device=device)
        assert where == ([device] if device == "cpu" else ["cuda", "cpu"])


def test_another_error_is_no_reason_to_retreat(card):
    way, where = failing_on("cuda", error=RuntimeError("shapes differ"))
    with pytest.raises(RuntimeError, match="shapes differ"):
        retreating(way)("series", device="cuda")
    assert where == ["cuda"]


def test_a_run_without_trouble_is_left_as_it_is():
    way, _ = failing_on()
    outcome = retreating(retreating(way))("series", device="cpu")
    assert outcome.findings == () and outcome.parameters[0] == Parameter("device", "cpu", "", Origin.USER)


class Narrow(torch.nn.Module):
    """A network that runs out of memory over more than `most` voxels at once."""

    def __init__(self, network: torch.nn.Module, most: int) -> None:
        super().__init__()
        self.network, self.most = network, most

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.numel() > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self.network(x)


def test_smaller_portions_are_told_in_progress_and_as_one_finding_however_often_wrapped():
    def way(series, *, device, progress):
        progress(0.7, "denoising")
        run_network(Narrow(torch.nn.Identity(), 4 * 64), torch.ones(16, 1, 8, 8), device=device)
        return Outcome()

    seen: list[tuple[float, str]] = []
    outcome = retreating(retreating(way))("series", device="cpu", progress=lambda *said: seen.append(said))
    (finding,) = outcome.findings
    assert finding.why == "8 slices at once on cpu; 4 slices at once on cpu"
    assert next(fraction for fraction, text in seen if "8 slices at once on cpu" in text) == 0.7
    assert way("series", device="cpu", progress=lambda *said: None).findings == ()


def test_a_real_run_goes_on_in_smaller_portions_and_its_result_says_so(monkeypatch):
    def narrow(model, device):
        return Narrow(load_model(model, device=device), 3000)  # three slices of the series below

    monkeypatch.setattr(inference, "load_model", narrow)
    job, texts = Job.denoise(made_series(), preparation=UNMOVED, device="cpu", model="unet2d-lfn"), []
    result = job.run(lambda fraction, text: texts.append(text))
    (finding,) = [f for f in result.findings if f.code == "out-of-memory"]
    assert "2 slices at once on cpu" in finding.why
    assert "memory ran out, going on with 2 slices at once on cpu" in texts
    assert np.isfinite(result.maps["desc-denoised_cbf"].array).any()
