"""Simulated dual-echo runs: the numbers of the Davis model and of both echoes, and what echoes do and do not share."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
from training_builders import pool  # noqa: E402

from ASLDenoiseLib.learning.dual_echo import (  # noqa: E402
    DualEchoSettings,
    air_places,
    bold_change,
    changed_rate,
    echo_signal,
    metabolism_of,
    resting_rate,
)
from ASLDenoiseLib.learning.dual_echo_run import SCALE, draw_flow, draw_head, draw_run  # noqa: E402

NONE = (0.0, 0.0)
QUIET = replace(
    DualEchoSettings(), drift=NONE, respiration=NONE, cardiac=NONE, motion=NONE, veins=NONE, susceptibility=NONE
)
SILENT = replace(QUIET, pair_snr=(1e9, 1e9))
AT_REST = {"regional": NONE, "common": NONE, "blocks": NONE}
DAVIS = {"ceiling": 0.08, "alpha": 0.38, "beta": 1.5, "coupling": 2.0}


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def head_and_run(settings: DualEchoSettings, n: int = 4, seed: int = 0):
    generator = rng(seed)
    head = draw_head(pool(n)[:], settings, generator)
    return head, draw_run(head, settings, generator)


def test_flow_up_by_a_half_raises_bold_by_what_davis_says() -> None:
    assert float(metabolism_of(torch.tensor(1.5), 2.0)) == pytest.approx(1.25)
    by_hand = 0.08 * (1 - 1.5 ** (0.38 - 1.5) * 1.25**1.5)
    assert float(bold_change(torch.tensor(1.5), **DAVIS)) == pytest.approx(by_hand, rel=1e-5)
    assert by_hand == pytest.approx(0.009, abs=5e-4)  # worked out with a calculator: 0.6350 x 1.3975 = 0.8874


def test_bold_does_not_change_at_rest_nor_beyond_its_ceiling() -> None:
    assert float(bold_change(torch.tensor(1.0), **DAVIS)) == 0.0
    assert float(bold_change(torch.tensor(0.6), **DAVIS)) < 0
    enough = bold_change(torch.tensor(1e6), **{**DAVIS, "coupling": 1e9})  # flow without metabolism
    assert float(enough) == pytest.approx(0.08, rel=1e-4)


def test_the_rate_changes_so_that_the_second_echo_changes_as_asked() -> None:
    rate, change = torch.tensor(20.0), torch.tensor(0.01)
    after = changed_rate(rate, change, 0.028)
    ratio = echo_signal(torch.tensor(1.0), after, 0.028) / echo_signal(torch.tensor(1.0), rate, 0.028)
    assert float(ratio) == pytest.approx(1.01, rel=1e-6)
    early = echo_signal(torch.tensor(1.0), after, 0.010) / echo_signal(torch.tensor(1.0), rate, 0.010)
    assert float(early) == pytest.approx(1.01 ** (10 / 28), rel=1e-6)


def test_echoes_decay_by_the_rates_of_grey_and_white_matter() -> None:
    one, none = torch.tensor(1.0), torch.tensor(0.0)
    assert float(echo_signal(one, resting_rate(one, none, none, none), 0.028)) == pytest.approx(math.exp(-0.56))
    assert float(echo_signal(one, resting_rate(none, one, none, none), 0.010)) == pytest.approx(math.exp(-0.22))
    assert float(resting_rate(one, none, none, 0.1)) == pytest.approx(26.0)  # a tenth of venous blood


def test_signal_is_lost_above_nose_and_ears_and_not_at_the_vertex() -> None:
    brain = torch.zeros(1, 22, 42, 32)
    brain[:, 1:21, 1:41, 1:31] = 1
    near = air_places(brain)[0]
    assert float(near[6, 7, 16]) > 0.8  # fronto-basal, in the middle
    assert float(near[4, 21, 4]) > 0.4  # temporal
    assert float(near[19].max()) < 0.01


def test_without_noise_the_single_cbf_is_the_truth_and_bold_the_mean_of_the_pair() -> None:
    head, run = head_and_run(replace(SILENT, **AT_REST))
    inside = (run.truth > 20) & (head.magnetisation[:, None] > 0.3)
    assert torch.allclose(run.single[inside], run.truth[inside], rtol=2e-2)
    half = head.suppression * head.magnetisation - head.magnetisation * head.cbf / SCALE / 2
    wanted = echo_signal(half, head.rate, 0.028)[:, None].expand_as(run.bold)
    assert torch.allclose(run.bold, wanted, rtol=1e-4, atol=1e-6)


def test_flow_stays_within_forty_per_cent_of_rest_and_moves_regions_apart() -> None:
    brain = torch.ones(6, 8, 24, 24)
    flow = draw_flow(brain, DualEchoSettings(), rng(1))
    assert flow.shape == (6, 40, 8, 24, 24)
    assert float(flow.min()) >= 0.6 and float(flow.max()) <= 1.4
    assert float(flow.std(dim=1).mean()) > 0.05  # over time
    apart = flow - flow.mean(dim=(2, 3, 4), keepdim=True)
    assert float(apart.std(dim=1).mean()) > 0.03  # and not all of it everywhere alike


def test_bold_follows_flow_over_time_where_nothing_disturbs() -> None:
    head, run = head_and_run(replace(SILENT, pairs=30, suppression=(1.0, 1.0)))
    course, flow = run.bold[:, :, 2, 8, 8], run.truth[:, :, 2, 8, 8]
    for b in range(len(course)):
        assert float(torch.corrcoef(torch.stack([course[b], flow[b]]))[0, 1]) > 0.9
    assert float(head.level.min()) > 0


def test_thermal_noise_of_the_echoes_is_apart() -> None:
    settings = replace(QUIET, pairs=40, **AT_REST)
    _, run = head_and_run(settings)
    bold = (run.bold - run.bold.mean(1, keepdim=True)).flatten()
    single = (run.single - run.single.mean(1, keepdim=True)).flatten()
    assert abs(float(torch.corrcoef(torch.stack([bold, single]))[0, 1])) < 0.01


def test_motion_shows_in_both_echoes_at_the_same_places() -> None:
    _, run = head_and_run(replace(SILENT, motion=(0.3, 0.3), pairs=12, **AT_REST))
    bold = (run.bold - run.bold.mean(1, keepdim=True)).flatten()
    _, still = head_and_run(replace(SILENT, pairs=12, **AT_REST))
    assert float(bold.std()) > 20 * float((still.bold - still.bold.mean(1, keepdim=True)).std())


def test_one_pair_is_extremely_noisy() -> None:
    head, run = head_and_run(replace(DualEchoSettings(), motion=NONE), n=8)
    error = (run.single - run.truth).std(dim=(1, 2, 3, 4))
    level = (head.cbf * head.gm).sum((1, 2, 3)) / head.gm.sum((1, 2, 3))
    snr = level / error
    assert float(snr.max()) < 1.3 and float(snr.min()) > 0.1


def test_the_noise_of_bold_does_not_tell_how_much_cbf_a_subject_has() -> None:
    def noise_of(gm_cbf: float) -> float:
        _, run = head_and_run(replace(QUIET, gm_cbf=(gm_cbf, gm_cbf), **AT_REST))
        return float((run.bold - run.bold.mean(1, keepdim=True)).std())

    assert noise_of(85.0) == pytest.approx(noise_of(35.0), rel=1e-3)


def test_runs_are_fixed_by_their_seed() -> None:
    (_, one), (_, again), (_, other) = (head_and_run(DualEchoSettings(), seed=s) for s in (3, 3, 4))
    assert torch.equal(one.bold, again.bold) and torch.equal(one.single, again.single)
    assert not torch.equal(one.bold, other.bold)
