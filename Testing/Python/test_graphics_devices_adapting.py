"""Adapting and predicting from BOLD where a graphics processor will not do it: the CPU does, and it is told."""

from __future__ import annotations

import json

import numpy as np
import pytest
from request_builders import UNMOVED, made_series
from site_builders import GAIN, Learned, site

from ASLDenoiseLib.compute import Compute, or_on_the_cpu
from ASLDenoiseLib.pipeline import run as running
from ASLDenoiseLib.pipeline.request import Denoising, Request
from ASLDenoiseLib.pipeline.run import completed
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.sites import adapt as adapting
from ASLDenoiseLib.sites import prepare
from ASLDenoiseLib.sites.adapt import AdaptRequest, run_adaptation

torch = pytest.importorskip("torch")
from adapting_builders import small_scan  # noqa: E402
from device_builders import fake_device  # noqa: E402
from reading_builders import head, save  # noqa: E402

from ASLDenoiseLib.__main__ import main  # noqa: E402
from ASLDenoiseLib.adapting.one_scan import adapt_to_scan  # noqa: E402
from ASLDenoiseLib.adapting.tuning import TuneSettings  # noqa: E402
from ASLDenoiseLib.denoising.catalogue import find_model  # noqa: E402

UNLEARNED = ("convolution_backward",)  # what the device lacks: it denoises, and cannot learn
QUICK = TuneSettings(gain_rate=3e-2, gain_steps=2, weight_steps=0, watch_every=2, crop=(8, 16, 16))
REFUSAL = "ConvTranspose 3D is not supported on MPS"


def test_what_was_refused_is_done_again_on_the_cpu_and_said():
    told: list[str] = []
    compute, asked = Compute("mps", told.append), []

    def do() -> str:
        asked.append(compute.device)
        if compute.device == "mps":
            raise RuntimeError(REFUSAL)
        return "done"

    assert or_on_the_cpu(do, compute, "learning") == "done" and asked == ["mps", "cpu"]
    (sentence,) = compute.sentences
    assert told == [f"mps refused (RuntimeError: {REFUSAL}), going on with learning again on the cpu"]
    assert sentence == f"The graphics processor would not do it: {told[0]}."


def test_memory_that_ran_out_on_a_card_leads_to_the_cpu_in_other_words():
    compute = Compute("cuda")

    def do() -> int:
        if compute.device == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return 3

    assert or_on_the_cpu(do, compute, "learning") == 3
    assert compute.sentences == ("Memory ran out, and it went on with learning again on the cpu.",)


@pytest.mark.parametrize(("device", "words"), [("cpu", REFUSAL), ("mps", "mat1 and mat2 shapes differ")])
def test_what_the_cpu_cannot_or_nothing_can_is_not_tried_again(device, words):
    asked = []

    def do() -> None:
        asked.append(1)
        raise RuntimeError(words)

    with pytest.raises(RuntimeError, match=words):
        or_on_the_cpu(do, Compute(device), "learning")
    assert asked == [1]


@pytest.mark.trains
def test_a_device_that_cannot_learn_leaves_the_learning_to_the_cpu_which_gives_what_it_always_gives():
    card, scan = find_model("guided-unet"), small_scan(12, noise=20.0)
    how = {"settings": QUICK, "max_seconds": 600.0}
    expected = adapt_to_scan(card, scan, compute=Compute("cpu"), **how)
    compute = Compute("mps")
    with fake_device("mps", lacks=UNLEARNED) as device:
        found = or_on_the_cpu(lambda: adapt_to_scan(card, scan, compute=compute, **how), compute, "adapting")
    assert {"conv3d", "convolution"} & set(device.done), "it was tried there"
    assert compute.device == "cpu" and "aten::convolution_backward" in compute.sentences[0]
    assert found.tuned.curve == expected.tuned.curve
    assert all(torch.equal(found.tuned.weights[name], value) for name, value in expected.tuned.weights.items())


@pytest.mark.trains
def test_a_run_that_adapts_goes_on_on_the_cpu_with_a_finding(monkeypatch):
    monkeypatch.setattr(running, "resolve_device", lambda choice: "mps")
    request = Request(made_series(12), preparation=UNMOVED, denoising=Denoising(adapt=True))
    with fake_device("mps", lacks=UNLEARNED):
        state = completed(request)
    (finding,) = [each for each in state.result.findings if each.code == "device-refused"]
    assert "the step 'adapt' again on the cpu" in finding.why and "convolution_backward" in finding.why
    assert state.adaptation is not None and state.compute.device == "cpu"


class Refusing(Learned):
    """Learning that the graphics processor will not do."""

    def __call__(self, card, scans, **given):
        if given["compute"].device == "mps":
            raise NotImplementedError("The operator 'aten::x' is not currently implemented for the MPS device.")
        return super().__call__(card, scans, **given)


def test_a_site_s_model_is_learned_on_the_cpu_and_its_card_says_so(tmp_path, own_folder, monkeypatch):
    monkeypatch.setattr(adapting, "resolve_device", lambda choice: "mps")
    quick = Preparation(motion=False, nuisance=(), outliers="none")
    monkeypatch.setattr(
        *(prepare, "prepared"),
        lambda request, progress, **more: running.prepared(Request(request.series.path, preparation=quick), progress),
    )
    told: list[str] = []
    asked = AdaptRequest(tuple(site(tmp_path / "site")), "mysite", "dwan-lfn")
    done = run_adaptation(asked, tell=told.append, adapting=Refusing(GAIN))
    assert done.earned and told[-1] == done.warnings[-1]
    assert "mps refused" in told[-1] and "going on with adapting again on the cpu" in told[-1]
    assert find_model("mysite").metadata["training"]["device"] == "cpu"
    assert told[-1] in (done.card_folder / "docs" / "README.md").read_text("utf-8")


@pytest.mark.parametrize("lacks", [("convolution", "conv2d"), ()])
def test_bold_is_predicted_on_the_cpu_where_the_device_will_not(tmp_path, monkeypatch, capsys, lacks):
    course = 500.0 * head()[..., None] * (1 + 0.05 * np.random.default_rng(0).random((*head().shape, 8)))
    bold, mask = save(tmp_path / "bold.nii.gz", course.astype(np.float32)), save(tmp_path / "mask.nii.gz", head())
    given = ["bold", str(bold), "--mask", str(mask), "--progress", "none"]
    assert main([*given, "--out", str(tmp_path / "cpu"), "--device", "cpu"]) == 0
    monkeypatch.setattr("ASLDenoiseLib.devices.resolve_device", lambda choice: "mps")
    rules = {"lacks": lacks} if lacks else {"most": 64.0}
    with fake_device("mps", **rules):
        assert main([*given, "--out", str(tmp_path / "mps")]) == 0
    said = capsys.readouterr().err
    assert ("warning: The graphics processor would not do it: mps refused" if lacks else "Memory ran out") in said
    expected, found = (
        json.loads((tmp_path / name / "bold_desc-experimentalBold_figures.json").read_text("utf-8"))
        for name in ("cpu", "mps")
    )
    assert expected["computed"] == "Networks ran on cpu." and found["computed"].startswith("Networks ran on cpu. ")
    assert found["figures"] == expected["figures"]
