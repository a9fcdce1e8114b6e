"""Tuning: what pairs apart say is kept, and nothing else; reproducible, and on less memory."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from adapting_builders import card_of, small_scan, truth  # noqa: E402

from ASLDenoiseLib.adapting import tuning  # noqa: E402
from ASLDenoiseLib.adapting.samples import make_sample  # noqa: E402
from ASLDenoiseLib.adapting.tuning import TuneSettings, tune  # noqa: E402
from ASLDenoiseLib.adapting.watching import answer, watch  # noqa: E402
from ASLDenoiseLib.compute import Compute  # noqa: E402
from ASLDenoiseLib.denoising.catalogue import find_model, load_model  # noqa: E402

pytestmark = pytest.mark.trains

QUICK = TuneSettings(gain_rate=3e-2, gain_steps=12, weight_steps=0, watch_every=4, crop=(8, 16, 16))


@pytest.fixture
def spoilt(tmp_path):
    """The default model that gives two thirds of what it should."""
    network = load_model(find_model("guided-unet"))
    with torch.no_grad():
        network.mixture.weight *= 0.66
        network.last.weight *= 0.66
    return card_of(network, tmp_path)


def tuned(card, settings=QUICK, compute=None, **options):
    scan = small_scan(16, noise=20.0)
    samples = [
        make_sample(card, scan, *each) for each in ((np.arange(4), np.arange(4, 8)), (np.arange(4, 8), np.arange(4)))
    ]
    watched = [watch(card, scan, np.arange(8), np.arange(8, 16))]
    options = {"max_seconds": 600.0, "settings": settings, **options}
    found = tune(card, samples, watched, compute=compute or Compute("cpu"), **options)
    return found, watched[0], scan


def true_error(weights, card, watched, scan) -> float:
    network = card.family.build(card.network)
    network.load_state_dict(weights)
    found = answer(network.eval(), card, watched, Compute("cpu"))[0]
    return float(np.nanmean(np.square(found - truth())[scan.brain.array > 0]))


def test_gains_mend_a_spoilt_network_and_unseen_pairs_say_how_much(spoilt):
    found, watched, scan = tuned(spoilt)
    assert found.way == "gains" and 0 < found.steps <= 12 and found.gains == 1058
    before = true_error(load_model(spoilt).state_dict(), spoilt, watched, scan)
    after = true_error(found.weights, spoilt, watched, scan)
    assert after < 0.6 * before
    told = dict(found.curve)
    assert told[0] == 1 and told[found.steps] == min(told.values()) == pytest.approx(after / before, abs=0.15)


def test_all_weights_follow_where_gains_were_kept(spoilt):
    settings = TuneSettings(3e-2, 1e-3, 4, 8, watch_every=4, crop=(8, 16, 16))
    found, *_ = tuned(spoilt, settings)
    assert found.way == "all weights" and found.steps > 4
    original = load_model(spoilt).state_dict()
    assert torch.equal(found.weights["spread.0.weight"], original["spread.0.weight"])
    gains, every = found.tried
    assert [(each.way, each.kept) for each in found.tried] == [("gains", True), ("all weights", True)]
    assert (gains.steps, every.steps) == (4, found.steps - 4) and every.weights is found.weights
    told = dict(found.curve)
    ratio = 10 ** (-(gains.gain + every.gain) / 10)
    assert ratio == pytest.approx(told[found.steps], rel=1e-6) and gains.error > 0


def test_what_gains_nothing_is_not_kept():
    card = find_model("guided-unet")
    found, *_ = tuned(card, TuneSettings(gain_rate=0.0, gain_steps=8, watch_every=4, crop=(8, 16, 16)))
    assert found.way == "nothing" and found.steps == 0 and max(step for step, _ in found.curve) == 8
    original = load_model(card).state_dict()
    assert all(torch.equal(found.weights[name], value) for name, value in original.items())
    [gains] = found.tried  # all weights do not follow
    assert gains.way == "gains" and not gains.kept and gains.gain == pytest.approx(0, abs=1e-3)


def test_a_seed_gives_the_same_weights_again(spoilt):
    settings = TuneSettings(gain_rate=3e-2, gain_steps=4, weight_steps=0, watch_every=4, crop=(4, 12, 12))
    one, other, another = (tuned(spoilt, settings, seed=seed)[0] for seed in (1, 1, 2))
    assert all(torch.equal(one.weights[name], other.weights[name]) for name in one.weights)
    assert any(not torch.equal(one.weights[name], another.weights[name]) for name in one.weights)


def test_time_that_is_out_ends_learning_with_a_last_look(spoilt):
    found, *_ = tuned(spoilt, max_seconds=0.0)
    assert [step for step, _ in found.curve] == [0, 1]


def test_memory_that_runs_out_gives_smaller_pieces_and_it_goes_on(spoilt, monkeypatch):
    sizes = []

    def tight(network, seen, dimensions):
        sizes.append(seen.shape[-1])
        if seen.shape[-1] > 16:
            raise RuntimeError("not enough memory: you tried to allocate")
        return answer_to(network, seen, dimensions)

    answer_to = tuning.answer_to
    monkeypatch.setattr(tuning, "answer_to", tight)
    told: list[str] = []
    settings = TuneSettings(gain_rate=1e-2, gain_steps=2, weight_steps=0, watch_every=2, crop=(8, 32, 32))
    tuned(spoilt, settings, Compute("cpu", told.append))
    assert sizes[0] == 24 and sizes[1:] == [16, 16]
    assert told == ["memory ran out, going on with learning from pieces of 16 voxels on cpu"]


def test_progress_tells_steps_gain_and_time_left(spoilt):
    told: list[tuple[float, str]] = []
    tuned(spoilt, progress=lambda part, text: told.append((part, text)))
    parts = [part for part, _ in told]
    assert parts == sorted(parts) and parts[-1] <= 1
    assert "learning gains, step 12" in told[-1][1] and "dB on pairs apart, at most" in told[-1][1]


def test_what_is_looked_at_is_the_running_mean_and_learning_goes_on_from_the_last_step():
    value = torch.nn.Parameter(torch.zeros(2))
    average = tuning._Average([value])
    for step in range(1, 5):
        value.data = torch.full((2,), float(step))
        average.add(step)
    with average.in_place():
        assert value.tolist() == [2.5, 2.5]
    assert value.tolist() == [4.0, 4.0]
