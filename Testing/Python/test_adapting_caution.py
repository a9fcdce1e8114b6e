"""What was learned is gone after no further than lesions of the scans that teach allow."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from adapting_builders import small_scan  # noqa: E402

from ASLDenoiseLib.adapting.adaptation import Tuned  # noqa: E402
from ASLDenoiseLib.adapting.caution import SHARES, as_far_as_lesions_allow, between, draw_probes  # noqa: E402
from ASLDenoiseLib.adapting.watching import watch  # noqa: E402
from ASLDenoiseLib.compute import Compute  # noqa: E402
from ASLDenoiseLib.denoising.catalogue import find_model, load_model  # noqa: E402
from ASLDenoiseLib.denoising.guiding import CHANNEL_MEANINGS  # noqa: E402

CARD = find_model("guided-unet")
PLAIN = next(n for n, text in enumerate(CHANNEL_MEANINGS) if text.startswith("its mean, window"))


def learned(change) -> Tuned:
    """Weights after `change` of the default model's."""
    network = load_model(CARD)
    with torch.no_grad():
        change(network)
    return Tuned({n: v.clone() for n, v in network.state_dict().items()}, "gains", 10, 1.0, 1058, 1.0, ((0, 1.0),))


def smoothing(network) -> None:
    network.last.weight.zero_()
    network.mixture.weight.zero_()
    network.mixture.weight[:, PLAIN] = 1


def gone(tuned: Tuned) -> tuple[Tuned, float]:
    scan, given = small_scan(12, noise=60.0), np.arange(6)
    watched = [watch(CARD, scan, given, np.arange(6, 12))]
    probes = draw_probes(CARD, [scan], [given], np.random.default_rng(0))
    return as_far_as_lesions_allow(CARD, tuned, probes, watched, Compute("cpu"))


def test_between_two_networks_lie_their_weights():
    start, end = {"w": torch.zeros(2), "n": torch.tensor(1)}, {"w": torch.ones(2), "n": torch.tensor(5)}
    found = between(start, end, 0.25)
    assert found["w"].tolist() == [0.25, 0.25] and found["n"] == 5


@pytest.mark.trains
def test_learning_that_smooths_lesions_away_is_gone_after_a_little_or_not_at_all():
    found, share = gone(learned(smoothing))
    assert share in {0.0, *SHARES} and share <= 0.5
    start, end = load_model(CARD).state_dict(), learned(smoothing).weights
    for name, weight in found.weights.items():
        torch.testing.assert_close(weight, torch.lerp(start[name], end[name], share))
    assert found.way == ("gains" if share else "nothing")


def test_learning_that_leaves_lesions_alone_is_kept_whole():
    tuned = learned(lambda network: network.mixture.weight.mul_(1.001))
    found, share = gone(tuned)
    assert share == 1.0 and found is tuned


def test_what_learned_nothing_is_asked_nothing():
    tuned = Tuned({}, "nothing", 0, 1.0, 1058)
    assert as_far_as_lesions_allow(CARD, tuned, [], [], Compute("cpu")) == (tuned, 0.0)


def test_a_probe_tells_lesions_of_pairs_from_those_of_guides():
    scan = small_scan(12)
    [probe, *_] = draw_probes(CARD, [scan], [np.arange(6)], np.random.default_rng(0))
    darker, brighter, moved = probe.response(load_model(CARD), CARD, Compute("cpu"))
    assert 0.2 < darker < 1.1 and 0.2 < brighter < 1.1 and moved > 0
    assert not probe.added[probe.painted].any()
