"""The sites that the benchmark of adapting simulates, and what its page says of a verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ASLDenoiseLib.adapting.adaptation import Adaptation, Attempt, Tuned
from ASLDenoiseLib.denoising.catalogue import find_model
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.series_fit import SeriesFit
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.verdict import Figure, Verdict
from Testing.Benchmarks.adapting import outcome
from Testing.Benchmarks.library import adapting_ways
from Testing.Benchmarks.library.adapting_blocks import real_block, trained_with
from Testing.Benchmarks.library.adapting_heads import NO_T1, OTHER, OWN
from Testing.Benchmarks.library.adapting_site_blocks import fit_block, head_block, rule_block, site_blocks, way_block
from Testing.Benchmarks.library.adapting_sites import SITES, spread_out, with_exchanged_t1s
from Testing.Benchmarks.library.adapting_words import why, word_of

GAIN = Figure("pairs_gain", "unseen pairs", "dB", 5.0, 6.5, 0.2, "more than before", True)
COVERAGE = Figure("coverage", "within the interval", "%", 94.0, 88.5, float("nan"), "90 to 98 %", False)


def kept(*figures: Figure, **further: object) -> dict:
    """What is kept of an adaptation with this verdict."""
    tuned = {"way": "gains", "steps": 40, "gains": 9, "factor": 1.0}
    return {
        "tuned": tuned,
        "verdict": Verdict(figures).to_plain(),
        "time": {"CPU (s)": 90.0, "wall (s)": 99.0},
    } | further


@dataclass(frozen=True)
class Images:
    """What a point spread blurs of a phantom, and what it leaves."""

    perfusion: torch.Tensor
    m0: torch.Tensor
    gm: torch.Tensor


@dataclass(frozen=True)
class Guided:
    """What is exchanged of a scan."""

    brain: Volume
    guides: tuple[Volume, ...]


def test_a_point_spread_keeps_sums_and_leaves_the_tissue():
    image = torch.zeros(9, 11, 13)
    image[4, 5, 6] = 8.0
    through, in_plane = SITES["point spread"].spread
    assert [2 * sum(taps) - taps[0] for taps in (through, in_plane)] == pytest.approx([1.0, 1.0])
    found = spread_out(Images(image, 2 * image, image), through, in_plane)
    assert float(found.perfusion.sum()) == pytest.approx(8.0, rel=1e-5)
    assert float(found.perfusion[6, 5, 6]) == pytest.approx(8 * through[2] * in_plane[0] ** 2, rel=1e-5)  # it rings
    torch.testing.assert_close(found.m0, 2 * found.perfusion)
    assert found.gm is image


def test_exchanged_t1s_are_those_of_the_next_head_laid_on_the_brain_s_middle():
    grid = Geometry((8, 8, 4), (4.0, 4.0, 6.0))

    def scan(at: int) -> Guided:
        array = np.zeros(grid.shape, np.float32)
        array[1:3, 2:5, at : at + 2] = 1
        return Guided(Volume(array, grid), (Volume(array * (at + 1), grid),))

    first, second = with_exchanged_t1s([scan(1), scan(4)])
    assert np.array_equal(first.guides[0].array, 5 * scan(1).brain.array)
    assert np.array_equal(second.guides[0].array, 2 * scan(4).brain.array)


def test_a_refusal_from_the_start_is_kept_in_its_own_words():
    def refuse() -> None:
        raise InputError("Too few pairs; give more.")

    adaptation, part = outcome(refuse)
    assert adaptation is None
    assert (word_of(part), why(part)) == ("refused", "Too few pairs; give more.")


def test_what_refused_is_told_with_its_numbers_and_the_rest_is_not():
    assert word_of(kept(GAIN)) == "accepted"
    assert why(kept(GAIN)) == "-"
    part = kept(GAIN, COVERAGE)
    assert word_of(part) == "refused"
    assert why(part) == "within the interval: 94.00 before, 88.50 after, % (asked: 90 to 98 %)"


def test_told_and_true_gains_stand_in_one_row():
    row = {"gain (dB)": 6.0, "coverage (%)": 94.0}
    part = kept(
        GAIN, unseen={"before": row, "after": row}, gains={"told (dB)": 1.2, "error (dB)": 0.3, "true (dB)": 1.1}
    )
    last = site_blocks({"noise": part})[-1]
    assert "| noise | 5.00 to 6.50 dB (± 0.20) | - | +1.20 ± 0.30 | +1.10 |" in last


def way(name: str, *, kept: bool, true: float, figures: tuple[Figure, ...]) -> dict:
    """What one way of learning gave."""
    on_top = {"told (dB)": 0.2, "error (dB)": 0.05, "true (dB)": 0.18}
    told = {"way": name, "steps": 60, "kept": kept, "watched": [0.3, 0.1], "on_top": on_top, "share": 0.5}
    return told | {"true": true, "verdict": Verdict(figures).to_plain()}


def test_each_way_of_learning_stands_with_what_it_gave_and_whether_it_was_kept():
    ways = [way("gains", kept=True, true=0.4, figures=(GAIN,))]
    ways += [way("all weights", kept=False, true=0.1, figures=(GAIN, COVERAGE))]
    table = way_block({"noise": {"ways": ways}})
    assert "| noise, gains | 60 | +0.30 ± 0.10 | +0.20 ± 0.05 | +0.18 | kept | 50 | +0.40 | accepted |" in table
    assert (
        "| noise, all weights | 60 | +0.30 ± 0.10 | +0.20 ± 0.05 | +0.18 | not kept | 50 | +0.10 | refused by 1 |"
        in (table)
    )


def test_the_rule_is_held_against_gains_alone_and_all_weights_everywhere():
    worse = [
        way("gains", kept=True, true=0.4, figures=(GAIN,)),
        way("all weights", kept=False, true=0.1, figures=(COVERAGE,)),
    ]
    better = [
        way("gains", kept=True, true=0.2, figures=(GAIN,)),
        way("all weights", kept=True, true=0.3, figures=(GAIN,)),
    ]
    nothing = [way("gains", kept=False, true=0.0, figures=(COVERAGE,))]
    table = rule_block({"a": {"ways": worse}, "b": {"ways": better}, "c": {"ways": nothing}})
    assert "| gains alone | +0.300 | 2 of 2 |" in table
    assert "| all weights wherever they were tried | +0.200 | 1 of 2 |" in table
    assert "| all weights only where they still gain | +0.350 | 2 of 2 |" in table


def test_what_another_head_s_t1_does_stands_before_and_after_with_the_verdict_s_own_figure():
    own = Figure("another_head", "the T1 of another head", "dB", -1.5, -1.25, float("nan"), "no more", True)
    row = {
        f"{OWN} (dB)": 3.0,
        f"{NO_T1} (dB)": 2.0,
        f"{OTHER} (dB)": 1.0,
        "moved (ml/100g/min)": 3.5,
        "GM mean (%)": 4.0,
    }
    table = head_block({"noise": {"heads": {"before": row, "after": row}}}, {"noise": kept(own)})
    assert "| noise, before | 3.00 | 2.00 | 1.00 | 3.50 | 4.00 | -1.50 |" in table
    assert "| noise, after | 3.00 | 2.00 | 1.00 | 3.50 | 4.00 | -1.25 |" in table


def test_whether_a_run_finds_it_out_is_told_by_its_light():
    found = {OWN: SeriesFit(0.94, 26.4, 180).to_plain(), OTHER: SeriesFit(0.46, -0.3, 180).to_plain()}
    assert "| noise, brain-16 | 26.4, green | -0.3, red |" in fit_block({"noise": {"fits": {"brain-16": found}}})


def test_real_series_are_judged_by_the_roots_of_mean_squared_errors():
    unseen = {
        name: {"draw 1": value, "draw 2": value} for name, value in (("raw mean", 16), ("before", 9), ("after", 4))
    }
    part = kept(GAIN, unseen=unseen, pairs={"taught": 25, "of": 51})
    assert (
        "| acq-epi, one scan | 25 of 51 pairs | accepted | 4.00 | 3.00 | 2.00 | -1.00 ± 0.00 | +3.52 | - |"
        in real_block({"acq-epi": {"one scan": part}})
    )


def test_what_the_model_was_trained_on_is_read_from_its_card():
    card = find_model("guided-unet")
    assert "from 1.5 to 8" in trained_with(card)
    assert trained_with(replace(card, metadata={})) == ""


def test_a_way_that_was_not_chosen_is_taken_as_far_as_lesions_allow_and_judged_as_the_chosen_one_was(monkeypatch):
    gains = Attempt("gains", 60, 0.3, 0.1, True, {"of": "gains"})
    every = Attempt("all weights", 20, 0.02, 0.05, False, {"of": "all"})
    tuned = Tuned({"of": "half of gains"}, "gains", 60, 1.0, 9, tried=(gains, every))
    adaptation = Adaptation(tuned, Verdict((GAIN,)), {"share_of_learning": 0.5})
    lesson, drawn = SimpleNamespace(probes=["p"], watched=["w"], groups=("g",)), []
    monkeypatch.setattr(adapting_ways, "network_as_it_was", lambda card, compute: "start")
    monkeypatch.setattr(adapting_ways, "adapted", lambda card, tuned, compute: tuned.weights["of"])
    monkeypatch.setattr(
        adapting_ways, "gains_told_and_true", lambda unseen, both: {"true (dB)": (both.before, both.after)}
    )
    monkeypatch.setattr(adapting_ways.Lesson, "drawn", lambda *given: drawn.append(given[1]) or lesson)

    def allowed(card, tuned, probes, watched, compute):
        assert (tuned.way, tuned.weights, probes, watched) == ("all weights", {"of": "all"}, ["p"], ["w"])
        return replace(tuned, weights={"of": "part of all"}), 0.2

    def judged(card, tuned, scans, groups, *, compute, rng):
        assert tuned.weights == {"of": "part of all"} and groups == ("g",)
        return Verdict((COVERAGE,))

    monkeypatch.setattr(adapting_ways, "as_far_as_lesions_allow", allowed)
    monkeypatch.setattr(adapting_ways, "judge", judged)
    first, second = adapting_ways.way_rows(None, adaptation, ["a", "b", "held"], [], None)
    assert (first["share"], first["true"]) == (0.5, ("start", "half of gains"))
    assert first["on_top"] == {"true (dB)": ("start", "gains")} and first["verdict"][0]["met"]
    assert (second["share"], second["true"]) == (0.2, ("start", "part of all"))
    assert second["on_top"] == {"true (dB)": ("gains", "all")} and not second["verdict"][0]["met"]
    assert drawn == [["a", "b"]], "of the scans that teach, for the way that was not chosen alone"
