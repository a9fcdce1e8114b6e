"""`--adapt` in a run: what learning is given, who uses what it learned, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from adaptation_builders import EARNED, REFUSED, Taught, adaptation
from delay_builders import scan_of_delays
from request_builders import UNMOVED, made_series

from ASLDenoiseLib.adapting import one_scan
from ASLDenoiseLib.adapting.groups import FEWEST_ALONE
from ASLDenoiseLib.compute import Compute
from ASLDenoiseLib.denoising.catalogue import find_model
from ASLDenoiseLib.denoising.families.guided import GuidedFamily
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline.adapt_step import adapt_network, adaptation_told, is_adapted
from ASLDenoiseLib.pipeline.denoising_steps import denoise_mean
from ASLDenoiseLib.pipeline.estimate import usual_seconds
from ASLDenoiseLib.pipeline.pairs_needed_step import denoised_of
from ASLDenoiseLib.pipeline.request import DelayFit, Denoising, Head, Request
from ASLDenoiseLib.pipeline.request_json import plain_request, read_request
from ASLDenoiseLib.pipeline.run import completed, completed_again
from ASLDenoiseLib.pipeline.state import RunState
from ASLDenoiseLib.pipeline.step import Workload
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.progress import silent
from ASLDenoiseLib.reporting.derivatives import write_result
from ASLDenoiseLib.reporting.html import report_html
from ASLDenoiseLib.reporting.notebook import result_html
from ASLDenoiseLib.result import maps
from ASLDenoiseLib.result.adaptation import SHARED, ScanAdaptation
from ASLDenoiseLib.verdict import Figure, Verdict

PAIRS = 13


def asked(series=None, *, preparation=UNMOVED, **denoising) -> Request:
    series = made_series(PAIRS) if series is None else series
    return Request(series, preparation=preparation, denoising=Denoising(adapt=True, **denoising), device="cpu")


def teach(monkeypatch, **made) -> Taught:
    taught = Taught(**made)
    monkeypatch.setattr(one_scan, "adapt_to_scan", taught)
    return taught


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder for what the run that does not ask for it prepared."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def plain(kept):
    """The run that does not ask for it."""
    return completed(replace(asked(), denoising=Denoising()), keep_in=kept).result


@pytest.fixture(scope="module")
def taught_and_run():
    """A run with odd against even pairs whose adaptation is earned; pair 2 is left out by the user."""
    with pytest.MonkeyPatch.context() as patched:
        taught = teach(patched, factor=3.0)
        preparation = replace(UNMOVED, taken_out="2")
        result = completed(asked(preparation=preparation, split_half=True))
    return taught, result


def note_of(result, code):
    (finding,) = [each for each in result.findings if each.code.startswith("adaptation-")]
    assert finding.code == code and finding.severity.value == "note"
    return f"{finding.what}. {finding.why}"


def told(result) -> dict[str, object]:
    return {parameter.name: parameter for parameter in result.parameters}


@pytest.mark.runs
def test_learning_is_given_what_the_network_is_given(taught_and_run):
    taught, run = taught_and_run
    ((card, scan, options),) = taught.calls
    assert card.name == "guided-unet" and options["compute"] is run.compute and options["seed"] == 0
    assert scan.pairs is run.pairs and scan.weights is run.weights and scan.brain is run.brain
    assert scan.guides is run.guides and scan.tissue is run.tissue and scan.quantification is run.quantification
    taken = list(run.timings)
    assert taken[taken.index("guides") : taken.index("halves")] == ["guides", "adapt", "denoise", "audit"]


@pytest.mark.runs
def test_the_map_and_the_halves_are_of_the_adapted_network(taught_and_run):
    _, run = taught_and_run
    factor = run.quantification.factor.array
    own = denoised_of(run, np.array([0, 3, 5, 7, 9, 11])).array * factor
    inside = run.brain.array > 0
    np.testing.assert_allclose(run.result.maps[maps.DENOISED_ODD].array[inside], own[inside], rtol=1e-4, atol=1e-3)
    other = replace(run, adaptation=None)
    unadapted = denoised_of(other, np.array([0, 3, 5, 7, 9, 11])).array * factor
    assert np.nanmax(np.abs(unadapted - own)[inside]) > 0.5
    assert SHARED in run.result.split_half.sentence and SHARED in report_html(run.result)
    assert type(run.result.split_half).from_plain(run.result.split_half.to_plain()) == run.result.split_half


@pytest.mark.runs
def test_the_sd_is_multiplied_by_the_factor_that_was_found_again(taught_and_run):
    _, run = taught_and_run
    card, deviations = find_model("guided-unet"), []
    for factor in (None, 2 * card.metadata["uncertainty_factor"]):
        one = replace(run, adaptation=adaptation(card, factor=factor), findings=[], parameters=[])
        denoise_mean(one, silent)
        deviations.append(one.denoised.uncertainty.array)
    measured = np.isfinite(deviations[0])
    np.testing.assert_allclose(deviations[1][measured], 2 * deviations[0][measured], rtol=1e-5)


@pytest.mark.runs
def test_everything_that_is_handed_on_names_the_adapted_model_with_its_gain(taught_and_run, tmp_path):
    result = taught_and_run[1].result
    assert result.adaptation.used and result.adaptation.pairs == PAIRS - 1
    assert result.model["name"] == "guided-unet, adapted to this scan"
    assert result.model["sha256"] == find_model("guided-unet").sha256
    parameters = told(result)
    assert parameters["adapted"].value == "yes" and "742 gains in 120 steps, seed 0" in parameters["adapted"].note
    gain = parameters["adaptation_gain"]
    assert (gain.value, gain.unit) == (0.71, "dB") and "standard error 0.2; unseen pairs" in gain.note
    sentence = "742 gains of guided-unet learned from the noise of its 12 pairs, and gained +0.71 ± 0.2 dB"
    assert sentence in str(result) and "<h2>Adapting to this scan" in (page := report_html(result))
    assert "GM mean against raw" in page and "within 2 %" in page
    write_result(result, tmp_path)
    name = result.series.name
    sidecar = json.loads((tmp_path / f"{name}_desc-denoised_cbf.json").read_text("utf-8"))
    assert sidecar["Model"]["name"] == "guided-unet, adapted to this scan"
    readouts = json.loads((tmp_path / f"{name}_readouts.json").read_text("utf-8"))["adaptation"]
    assert readouts["used"] is True and ScanAdaptation.from_plain(readouts).to_plain() == readouts
    assert sentence in result_html(result)
    assert not [each for each in result.findings if each.code.startswith("adaptation-")]


@pytest.mark.runs
def test_what_did_not_earn_its_place_leaves_every_map_as_it_is_and_says_so_with_numbers(plain, monkeypatch):
    teach(monkeypatch, earned=False, factor=3.0)
    result = completed(asked()).result
    assert result.maps.keys() == plain.maps.keys()
    for key, volume in plain.maps.items():
        np.testing.assert_array_equal(result.maps[key].array, volume.array, err_msg=key)
    assert result.model == plain.model and told(result)["adapted"].value == "no"
    said = note_of(result, "adaptation-not-earned")
    assert (
        "9.6 -> 9.7 ± 0.2 dB, asked: more than before by more than 2 standard errors" in said
        and "used as it is" in said
    )
    assert "GM mean" not in said  # which was met
    assert "did not earn their place" in report_html(result)


def state_of(request: Request, **known) -> RunState:
    """A run on its way to the step, as far as the step looks at what came before."""
    pairs = difference_volumes(request.series)
    brain = request.series.m0.with_array(request.series.m0.array > 0)
    return RunState(request, Compute("cpu"), series=request.series, brain=brain, **{"pairs": pairs, **known})


def without(count: int) -> np.ndarray:
    """Weights of pairs of which the first few are left out."""
    return (np.arange(PAIRS) >= count).astype(float)[:, None, None, None]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (lambda: state_of(asked(made_series(FEWEST_ALONE - 1))), "11 pairs are averaged. some pairs teach and others"),
        (lambda: state_of(asked(), weights=without(2)), "11 pairs are averaged"),
        (lambda: state_of(asked(group=4)), "averaged in groups before the network"),
        (lambda: state_of(asked(), acquired_delays=(1, 2, 3)), "3 delays. the prior of their fit denoises them"),
        (lambda: state_of(replace(asked(), fit=DelayFit(spatial=False)), acquired_delays=(1, 2, 3)), "too few pairs"),
        (lambda: state_of(asked(), pairs=replace(made_series(PAIRS), context=("cbf",) * 2 * PAIRS)), "holds CBF maps"),
    ],
)
def test_where_it_cannot_be_tried_a_note_says_why_and_nothing_is_learned(state, words, monkeypatch):
    taught, state = teach(monkeypatch), state()
    adapt_network(state, silent)
    assert not taught.calls and state.adaptation is None and adaptation_told(state) is None
    assert words in note_of(state, "adaptation-untried")
    assert told(state)["adapted"].value == "no" and told(state)["adapted"].note in note_of(state, "adaptation-untried")


def test_twelve_pairs_that_count_are_enough(monkeypatch):
    taught, state = teach(monkeypatch), state_of(asked(), weights=without(1))
    adapt_network(state, silent)
    assert len(taught.calls) == 1 and adaptation_told(state).pairs == FEWEST_ALONE and not state.findings


def test_what_learning_refuses_is_a_note(monkeypatch):
    def refuse(card, scan, **options):
        raise InputError("Of this scan nothing can be told apart; leave it out.")

    monkeypatch.setattr(one_scan, "adapt_to_scan", refuse)
    state = state_of(asked())
    adapt_network(state, silent)
    assert "nothing can be told apart" in note_of(state, "adaptation-untried") and not is_adapted(state)


@pytest.mark.runs
def test_a_run_of_several_delays_goes_on(monkeypatch):
    taught, scan = teach(monkeypatch), scan_of_delays()
    request = Request(scan.series, Head(tissue=scan.tissue), UNMOVED, Denoising(adapt=True), device="cpu")
    result = completed(request).result
    assert "6 delays" in note_of(result, "adaptation-untried") and not taught.calls
    assert result.timings["adapt"] >= 0 and result.adaptation is None


@pytest.mark.runs
def test_a_run_again_from_the_pairs_as_prepared_learns(plain, kept, monkeypatch):
    taught = teach(monkeypatch)
    again = completed_again(replace(asked(), series=plain.series), kept).result
    assert len(taught.calls) == 1 and again.adaptation.used
    change = again.maps[maps.DENOISED].array - plain.maps[maps.DENOISED].array
    assert np.nanmax(np.abs(change)) > 0.5
    np.testing.assert_array_equal(again.maps[maps.RAW].array, plain.maps[maps.RAW].array)


@pytest.mark.runs
@pytest.mark.trains
def test_the_same_request_learns_the_same_again(monkeypatch, plain, kept):
    learn, tuned = one_scan.adapt_to_scan, []

    def shortly(card, scan, **options):
        few = replace(one_scan.SETTINGS, gain_steps=2, watch_every=1)
        tuned.append(learn(card, scan, **options, settings=few))
        earned = Verdict(tuple(replace(figure, met=True) for figure in tuned[-1].verdict.figures))
        return replace(tuned[-1], verdict=earned)  # whatever two steps gained, so that it is used

    monkeypatch.setattr(one_scan, "adapt_to_scan", shortly)
    monkeypatch.setattr(one_scan, "as_far_as_lesions_allow", lambda card, tuned, *_: (tuned, 1.0))  # all of it
    one, other = (completed_again(replace(asked(), series=plain.series), kept).result for _ in range(2))
    for key, volume in one.maps.items():
        np.testing.assert_array_equal(volume.array, other.maps[key].array, err_msg=key)
    assert one.adaptation.used and one.adaptation.gains > 500 and one.adaptation.pairs == PAIRS
    assert tuned[0].tuned.curve == tuned[1].tuned.curve and len(tuned[0].tuned.curve) == 3


def test_it_is_asked_for_alone_its_time_is_told_and_json_brings_it_back(tmp_path):
    request, work = asked("series.nii.gz"), Workload((64, 64, 24), 60)
    assert usual_seconds(request, work) > usual_seconds(replace(request, denoising=Denoising()), work) + 10
    several = replace(work, delays=6)
    plain = replace(request, denoising=Denoising())
    assert usual_seconds(request, several) < usual_seconds(plain, several) + 1
    path = tmp_path / "asked_request.json"
    path.write_text(json.dumps(plain_request(request)))
    assert read_request(path).denoising.adapt is True
    told = plain_request(request)
    del told["denoising"]["adapt"]  # as earlier versions wrote it
    path.write_text(json.dumps(told))
    assert read_request(path).denoising.adapt is False


def test_a_model_that_cannot_be_adapted_is_refused_when_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(GuidedFamily, "adapts", False)
    assert not Denoising().adapt
    with pytest.raises(InputError, match=r"guided-unet cannot be adapted"):
        Denoising(adapt=True)


def test_of_so_few_pairs_that_their_error_has_no_logarithm_the_gain_is_in_per_cent():
    share = Figure("pairs_gain", "unseen pairs: error, of that of the raw mean", "%", 9.0, 2.5, 1.5, "less", True)
    assert replace(EARNED, verdict=Verdict((share,))).gained_words == "+6.5 ± 1.5 % of the raw mean's error"
    unknown = replace(EARNED, verdict=Verdict((replace(share, unit="dB", before=float("nan")),)))
    assert unknown.gained_words == "" and "gained" not in unknown.sentence


def test_the_sentences_say_the_gain_or_that_it_was_not_enough():
    assert EARNED.sentence.endswith("gained +0.71 ± 0.2 dB on pairs apart.")
    assert (
        "place (+0.1 ± 0.2 dB on pairs apart); it was used as it is" in REFUSED.sentence
        and "asked: more than before by more than 2 standard errors" in REFUSED.shortfall
    )
    assert ScanAdaptation.from_plain(json.loads(json.dumps(REFUSED.to_plain(), allow_nan=False))).used is False
