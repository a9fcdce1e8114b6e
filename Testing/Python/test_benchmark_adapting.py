"""The sites that the benchmark of adapting simulates, and what its page says of a verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from ASLDenoiseLib.denoising.catalogue import find_model
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.verdict import Figure, Verdict
from Testing.Benchmarks.adapting import gains_block, outcome, real_block, site_blocks, trained_with, why, word_of
from Testing.Benchmarks.library.adapting_sites import SITES, spread_out, with_exchanged_t1s

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
    assert "| noise | +1.10 | 1.5 | accepted | - | - | refused |" in gains_block(
        {"noise": part}, {"noise": {"refused": "no"}}
    )


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
