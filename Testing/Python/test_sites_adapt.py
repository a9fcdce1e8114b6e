"""Adapting from paths to a bundle: kept only if it earned its place, whole or not at all, with a card."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from bids_builders import t1
from reading_builders import refusal
from site_builders import GAIN, MEANS, Learned, own_model, site

from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, find_model, list_models, load_model, user_models_folder
from ASLDenoiseLib.denoising.domain import domain_findings
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.findings import Finding, Severity
from ASLDenoiseLib.pipeline import run as runs
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.progress import silent
from ASLDenoiseLib.series import Labeling
from ASLDenoiseLib.sites import bundle, prepare
from ASLDenoiseLib.sites.adapt import AdaptRequest, run_adaptation
from ASLDenoiseLib.sites.task import AdaptTask
from ASLDenoiseLib.sites.verdict_text import verdict_rows
from ASLDenoiseLib.verdict import Figure

torch = pytest.importorskip("torch")
START = "dwan-lfn"


@pytest.fixture(scope="module")
def series(tmp_path_factory):
    return site(tmp_path_factory.mktemp("scans") / "site")


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    """Scans are prepared without motion, nuisances and outliers, and those of the module once."""
    monkeypatch.setattr(prepare, "prepared", quick_state)


STATES = {}


def quick_state(request, progress=silent, *, heads=None):
    path = str(request.series.path)
    if path not in STATES:
        STATES[path] = runs.prepared(quick(request.series.path), progress)
    progress(1.0, "done")
    return replace(STATES[path])


def quick(path):
    return runs.Request(path, preparation=Preparation(motion=False, nuisance=(), outliers="none"))


def asked(series, name="mysite", **more):
    return AdaptRequest(tuple(series), name, START, device="cpu", **more)


def test_a_model_that_earned_its_place_is_in_the_catalogue_with_the_weights_it_learned(series, own_folder):
    learned = Learned(GAIN)
    done = run_adaptation(asked(series, seed=5, max_minutes=3), adapting=learned)
    assert done.earned and done.card_folder == own_folder / "mysite"
    assert [scan.name for scan in learned.seen] == ["sub-01", "sub-02", "sub-03"]
    assert (learned.given["max_minutes"], learned.given["seed"]) == (3, 5)
    card, start = find_model("mysite"), find_model(START)
    assert card.own and card.adapted_from == START
    for name, weight in load_model(start).state_dict().items():
        assert torch.equal(load_model(card).state_dict()[name], 1.5 * weight), name
    assert card.metadata["uncertainty_factor"] == 1.3
    assert card.metadata["adapted_from"]["sha256"] == start.sha256
    assert card.metadata["verdict"][0]["after"] == 0.62 and card.metadata["verdict"][0]["met"] is True
    training = card.metadata["training"]
    assert (training["way"], training["steps"], training["seed"], training["device"]) == ("gains", 240, 5, "cpu")
    assert [scan["usable"] for scan in training["saw"]["scans"]] == [9, 9, 9]
    assert {path.relative_to(card.folder).as_posix() for path in card.folder.rglob("*") if path.is_file()} == {
        *("configs/metadata.json", "configs/inference.json", "models/model.pt", "docs/README.md")
    }
    assert list(own_folder.iterdir()) == [card.folder], "nothing of the writing is left"


def test_a_model_that_did_not_is_not_written_and_its_numbers_are_told(series, own_folder):
    own_folder.rmdir()
    done = run_adaptation(asked(series), adapting=Learned(GAIN, MEANS))
    assert not done.earned and done.card_folder is None and not own_folder.exists()
    text = str(done)
    assert "mysite did not earn its place and was not written" in text and f"use {START} as it is" in text
    assert "GM mean against raw, held-out scan 3.10 % (before 0.400 %), asked: within 2 %" in text
    assert [row[-1] for row in verdict_rows(done.adaptation.verdict)] == ["yes", "NO"]
    assert "0.620 ± 0.11" in text


def test_scans_are_prepared_as_a_run_prepares_them(series, own_folder, monkeypatch):
    learned = Learned(GAIN)
    monkeypatch.setattr(prepare, "prepared", runs.prepared)
    run_adaptation(asked([quick(path) for path in series]), adapting=learned)
    state = runs.prepared(quick(series[1]))
    scan = learned.seen[1]
    np.testing.assert_array_equal(scan.pairs.array, state.pairs.array)
    np.testing.assert_array_equal(scan.brain.array, state.brain.array)
    np.testing.assert_array_equal(scan.quantification.factor.array, state.quantification.factor.array)
    assert scan.tissue is not None and (scan.weights is None) == (state.weights is None)


def test_the_card_says_what_it_saw_and_names_no_path(series, own_folder):
    untold = Figure("t1", "a lesion on the T1 alone", "%", *[math.nan] * 3, "not asked: the scan has no T1", True)
    done = run_adaptation(asked(series), adapting=Learned(GAIN, untold))
    card = (done.card_folder / "docs" / "README.md").read_text("utf-8")
    for needed in (
        "# mysite",
        f"`{START}`",
        "| sub-01 | 01 | 9 | PCASL | 1.8 s | 3D | 8 x 8 x 8 mm | no | teaches |",
        "| sub-03 | 03 | 9 | PCASL | 1.8 s | 3D | 8 x 8 x 8 mm | no | judges |",
        "sub-03, was held out",
        "| unbiased error, held-out scan | 0 | 0.620 ± 0.11 | dB | above 0 by one error | yes |",
        "| a lesion on the T1 alone | n/a | n/a | % | not asked: the scan has no T1 | - |",
        "Research use only",
        "--model mysite",
        "- Pairs that taught: 5, 5",
        "- One gain a channel, 240 steps: better on the pairs that said when to stop by +0.27 ± 0.10 dB; kept",
        "- All weights after it, 40 steps: better on the pairs that said when to stop by +0.02 ± 0.04 dB; not kept",
    ):
        assert needed in card, needed
    for text in (card, (done.card_folder / "configs" / "metadata.json").read_text("utf-8")):
        assert str(series[0].parents[2]) not in text and str(own_folder) not in text


def test_what_comes_back_from_a_child_needs_no_torch(series, own_folder, monkeypatch):
    monkeypatch.setattr("ASLDenoiseLib.sites.adapt._adapting", lambda: Learned(GAIN))
    task = pickle.loads(pickle.dumps(AdaptTask(asked(series))))
    told = []
    done = task.run(lambda fraction, text: told.append((fraction, text)))
    assert done.adaptation.tuned.weights == {} and b"torch" not in pickle.dumps(done)
    fractions = [round(fraction, 6) for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert told[-1] == (1.0, "done") and any(text.startswith("sub-02: ") for _, text in told)
    assert task.seconds > 20 * 60 and task.inputs == {}


@pytest.mark.parametrize("name", [DEFAULT_MODEL, DEFAULT_MODEL.upper(), START])
def test_the_name_of_a_model_that_came_along_is_refused(series, own_folder, name):
    refusal(asked, series, name, mentions=(name, "comes with ASLDenoise", "give another"))


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", "../x", ".hidden", "my site", "naïve", "con", "NUL.x", "x."]
)
def test_a_name_that_is_no_plain_file_name_is_refused(series, own_folder, name):
    refusal(asked, series, name, mentions=("no plain name", "letters"))


def test_a_name_that_is_there_is_never_overwritten(series, own_folder):
    folder = own_model(own_folder, "mysite")
    before = (folder / "configs" / "metadata.json").read_bytes()
    refusal(asked, series, "MySite", mentions=("already", "another name", f"delete {folder}"))
    (own_folder / "half").mkdir()
    refusal(asked, series, "half", mentions=("already", str(own_folder / "half")))
    request = asked(series, "late")

    class Slow(Learned):
        def __call__(self, *args, **given):
            own_model(own_folder, "late")  # somebody else was quicker
            return super().__call__(*args, **given)

    refusal(run_adaptation, request, adapting=Slow(GAIN), mentions=("late", "already"))
    assert (
        "training" in find_model("late").metadata and find_model("late").metadata["sha256"] == find_model(START).sha256
    )
    assert (folder / "configs" / "metadata.json").read_bytes() == before


def test_a_model_that_cannot_be_adapted_is_refused(series, own_folder, monkeypatch):
    monkeypatch.setattr(type(find_model(START).family), "adapts", False)
    refusal(asked, series, mentions=(START, "cannot be adapted", DEFAULT_MODEL))
    refusal(AdaptRequest, tuple(series), "x", "nonsense", mentions=("no model 'nonsense'",))


@pytest.mark.parametrize(
    ("more", "said"),
    [({"max_minutes": 0}, "minutes"), ({"max_minutes": float("nan")}, "minutes"), ({"seed": -1}, "seed")],
)
def test_numbers_of_no_use_are_refused(series, own_folder, more, said):
    refusal(asked, series, mentions=(said,), **more)


def test_two_scans_are_refused_before_anything_is_prepared(series, own_folder, monkeypatch):
    monkeypatch.setattr(prepare, "prepared", lambda *args, **more: pytest.fail("prepared"))
    refusal(run_adaptation, asked(series[:2]), mentions=("at least 3 scans",))
    refusal(run_adaptation, asked([*series, series[0]]), mentions=("given twice",))


def test_a_folder_for_models_that_cannot_be_written_to_is_told_before_the_work(series, own_folder, monkeypatch):
    monkeypatch.setattr(prepare, "prepared", lambda *args, **more: pytest.fail("prepared"))
    (own_folder / "file").write_text("x")
    monkeypatch.setenv("ASLDENOISE_MODELS", str(own_folder / "file" / "models"))
    refusal(run_adaptation, asked(series), mentions=("cannot be written to", "ASLDENOISE_MODELS"))


def test_a_scan_whose_usable_pairs_are_too_few_is_named(series, own_folder, monkeypatch):
    def fewer(request, progress, **more):
        state = quick_state(request, progress)
        if "sub-02" in str(request.series.path):
            state.weights = np.ones((9, 1, 1, 1))
            state.weights[:3] = 0
        return state

    monkeypatch.setattr(prepare, "prepared", fewer)
    refusal(run_adaptation, asked(series), mentions=("sub-02 has 6 usable pairs of 9", "8 are needed", "leave it out"))
    assert list(own_folder.iterdir()) == []


def test_a_scan_that_cannot_be_prepared_is_named_and_nothing_is_written(series, own_folder, monkeypatch):
    def failing(request, progress, **more):
        raise InputError("The image has no contrast; give another.")

    monkeypatch.setattr(prepare, "prepared", failing)
    refusal(run_adaptation, asked(series), adapting=Learned(GAIN), mentions=("Scan sub-01: The image has no contrast",))
    assert list(own_folder.iterdir()) == []


def test_a_disk_that_fails_while_the_bundle_is_written_leaves_nothing_behind(series, own_folder, monkeypatch):
    def full(folder, *parts):
        (folder / "models").mkdir()
        raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr(bundle, "write_parts", full)
    refusal(run_adaptation, asked(series), adapting=Learned(GAIN), mentions=("disk is full", "was not written"))
    assert list(own_folder.iterdir()) == [] and not any(card.own for card in list_models())


def test_what_several_scans_find_of_one_t1_is_found_once(tmp_path, own_folder, monkeypatch):
    series = site(tmp_path / "one", "sub-01/ses-1", "sub-01/ses-2", "sub-02/ses-1")
    t1(tmp_path / "one", "sub-01/ses-1")
    kept = []

    def prepared(request, progress, *, heads):
        kept.append(heads)
        return quick_state(request, progress)

    monkeypatch.setattr(prepare, "prepared", prepared)
    run_adaptation(asked(series), adapting=Learned(GAIN))
    assert kept[0] is not None and kept[0] == kept[1] and not kept[0].folder.exists()


def test_warnings_are_told_before_the_long_part(tmp_path, own_folder, monkeypatch):
    series = site(tmp_path / "one", "sub-01/ses-1", "sub-01/ses-2", "sub-01/ses-3")
    told = []

    def prepared(request, progress, *, heads):
        assert any("one person only" in sentence for sentence in told)
        return quick_state(request, progress)

    monkeypatch.setattr(prepare, "prepared", prepared)
    done = run_adaptation(asked(series), tell=told.append, adapting=Learned(GAIN))
    assert list(done.warnings) == told
    assert "one person only" in (done.card_folder / "docs" / "README.md").read_text("utf-8")


def test_doubts_about_a_scan_and_its_t1_are_told_by_its_name_once(series, own_folder, monkeypatch):
    doubt = Finding("t1-other-head", Severity.WARNING, "The T1 may be of another head", "it does not fit")
    note = Finding("motion-still", Severity.NOTE, "The head lay still", "it did not move")

    def doubtful(request, progress, **more):
        state = quick_state(request, progress)
        state.findings = [doubt, doubt, note] if "sub-02" in str(request.series.path) else []
        return state

    monkeypatch.setattr(prepare, "prepared", doubtful)
    told = []
    run_adaptation(asked(series), tell=told.append, adapting=Learned(GAIN))
    assert told.count("sub-02: The T1 may be of another head (it does not fit).") == 1
    assert not any("lay still" in sentence or sentence.startswith("sub-01: The T1") for sentence in told)


def test_the_domain_is_that_of_the_scans_within_the_one_before(series, own_folder):
    run_adaptation(asked(series), adapting=Learned(GAIN))
    domain, before = find_model("mysite").domain, find_model(START).domain
    assert domain["voxel_in_plane_mm"] == (7.6, 8.4), "outside of the one before, as the scans are"
    assert domain["pairs"] == (2, 12) and before["pairs"] == (1, 60)
    within = bundle.site_domain({"pairs": (4.0, 10.0)}, [run_saw()])
    assert within["pairs"] == [4.0, 10.0]


def run_saw():
    from ASLDenoiseLib.sites.saw import SawScan

    return SawScan("a", "01", 9, 9, "PCASL", "3D", 1.8, (3.0, 3.0, 5.0), "3 x 3 x 5 mm", True, 2.0)


def test_a_scan_of_other_voxels_or_labelling_than_the_site_had_gets_the_usual_finding(series, own_folder):
    run_adaptation(asked(series), adapting=Learned(GAIN))
    card, state = find_model("mysite"), quick_state(runs.Request(series[0]))
    assert domain_findings(card, state.pairs, state.brain) == []
    other = replace(state.pairs, acquisition=replace(state.pairs.acquisition, labeling=Labeling.PASL, readout="2D"))
    found = domain_findings(card, other, state.brain)
    assert {finding.code for finding in found} == {"outside-model-domain"}
    assert "The labelling is PASL, outside what model mysite was trained on" in found[0].what
    assert found[0].why == "it was trained on PCASL" and "readout is 2D" in found[1].what
    silent = replace(state.pairs, acquisition=replace(state.pairs.acquisition, readout=None))
    assert domain_findings(card, silent, state.brain) == []


def test_an_adapted_model_can_be_adapted_again_and_denoises_as_any_other(series, own_folder):
    import ASLDenoiseLib as ad

    run_adaptation(asked(series), adapting=Learned(GAIN))
    done = run_adaptation(AdaptRequest(tuple(series), "again", "mysite", device="cpu"), adapting=Learned(GAIN))
    assert find_model("again").adapted_from == "mysite" and done.start == "mysite"
    result = ad.denoise(series[0], model="mysite", preparation=quick(series[0]).preparation, device="cpu")
    assert result.model["name"] == "mysite" and result.model["adapted_from"]["name"] == START
    assert np.isfinite(result.maps[result.processed].array).any()


def test_ad_adapt_is_the_same_and_prints_the_table(series, own_folder, monkeypatch):
    import ASLDenoiseLib as ad

    monkeypatch.setattr("ASLDenoiseLib.sites.adapt._adapting", lambda: Learned(GAIN))
    done = ad.adapt(*map(str, series), name="mine", start=START, device="cpu")
    page = done._repr_html_()
    assert "<table" in page and "earned its place" in page and "unbiased error" in page.lower()
    assert repr(done) == f"<SiteAdaptation mine of {START}, 3 scans: earned its place>"
    assert str(done).splitlines()[0].split() == ["Figure", "Before", "After", "Unit", "Asked", "Met"]
    assert user_models_folder() / "mine" == done.card_folder
    assert json.loads((done.card_folder / "configs" / "inference.json").read_text("utf-8"))["network_def"]
