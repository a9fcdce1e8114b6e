"""Adapting to a site and to one scan: what is refused at once, and what a verdict is made of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from adapting_builders import card_of, small_scan  # noqa: E402

from ASLDenoiseLib.adapting.adapt import adapt_to_scans  # noqa: E402
from ASLDenoiseLib.adapting.handed_on import adapted_card  # noqa: E402
from ASLDenoiseLib.adapting.one_scan import adapt_to_scan  # noqa: E402
from ASLDenoiseLib.adapting.tuning import TuneSettings  # noqa: E402
from ASLDenoiseLib.compute import Compute  # noqa: E402
from ASLDenoiseLib.denoising.catalogue import find_model, load_model  # noqa: E402
from ASLDenoiseLib.errors import InputError  # noqa: E402
from ASLDenoiseLib.series import Acquisition, Labeling  # noqa: E402

CARD = find_model("guided-unet")
CPU = {"compute": Compute("cpu")}
NOTHING = TuneSettings(gain_rate=0.0, gain_steps=1, weight_steps=0, watch_every=1, crop=(4, 12, 12))


def labelled(scan, kind: Labeling):
    return replace(scan, pairs=replace(scan.pairs, acquisition=Acquisition(labeling=kind)))


def test_two_scans_are_too_few_for_a_site():
    with pytest.raises(InputError, match="takes 3 scans or more, and there are 2"):
        adapt_to_scans(CARD, [small_scan(8), small_scan(8, seed=1)], **CPU)


def test_a_scan_of_seven_pairs_is_refused_by_its_name():
    scans = [small_scan(8), small_scan(7, name="short"), small_scan(8)]
    with pytest.raises(InputError, match="Of short 7 pairs count"):
        adapt_to_scans(CARD, scans, **CPU)


def test_scans_of_two_ways_of_labelling_are_refused():
    scans = [labelled(small_scan(8, seed=n), kind) for n, kind in enumerate((Labeling.PCASL, Labeling.PASL) * 2)]
    with pytest.raises(InputError, match=r"labelled in several ways \(PASL, PCASL\)"):
        adapt_to_scans(CARD, scans, **CPU)


def test_one_scan_takes_twelve_pairs_that_count():
    weights = np.ones((12, 8, 1, 1), np.float32)
    weights[0] = 0
    with pytest.raises(InputError, match="takes 12 pairs or more, and 11 of scan-0 count"):
        adapt_to_scan(CARD, replace(small_scan(12), weights=weights), **CPU)


@pytest.mark.trains
def test_a_network_that_learned_nothing_is_refused_with_its_numbers():
    found = adapt_to_scans(CARD, [small_scan(8, seed=n) for n in range(3)], settings=NOTHING, **CPU)
    assert found.tuned.way == "nothing" and not found.verdict.earned
    [figure] = found.verdict.unmet
    assert figure.name == "watched_gain" and figure.after == pytest.approx(0, abs=1e-3)
    assert not adapt_to_scan(CARD, small_scan(12), settings=NOTHING, **CPU).verdict.earned


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory):
    """The default model that gives two thirds of what it should."""
    network = load_model(CARD)
    with torch.no_grad():
        network.mixture.weight *= 0.66
        network.last.weight *= 0.66
    return card_of(network, tmp_path_factory.mktemp("spoilt"))


@pytest.mark.trains
def test_a_site_is_judged_by_pairs_and_a_scan_that_did_not_teach_and_asked_for_its_safety(spoilt):
    told: list[float] = []
    scans = [small_scan(12, noise=20.0, seed=n) for n in range(3)]
    settings = TuneSettings(gain_rate=3e-2, gain_steps=8, weight_steps=0, watch_every=4, crop=(8, 16, 16))
    found = adapt_to_scans(spoilt, scans, settings=settings, progress=lambda part, text: told.append(part), **CPU)
    names = [figure.name for figure in found.verdict.figures]
    lesions = [f"lesion_{kind}_{n}" for n in (3, 4, 6) for kind in ("hypo", "hyper")]
    others = ["noise_alone", "t1_lesion", "m0_lesion", "removed_gm", "coverage", "another_head"]
    assert names == ["pairs_gain", "scan_gain", "gm_mean", "wm_mean", *lesions, *others]
    assert found.tuned.way == "gains" and told == sorted(told) and told[-1] == 1
    gains = [figure for figure in found.verdict.figures if figure.name.endswith("gain")]
    assert all(np.isfinite([figure.before, figure.after]).all() for figure in gains)
    assert found.verdict.earned == all(figure.met for figure in found.verdict.figures)
    assert found.saw["held_out"] == "scan-2" and found.saw["pairs_that_taught"] == [6, 6]


@pytest.mark.trains
def test_one_scan_is_judged_by_pairs_that_did_not_teach(spoilt):
    settings = TuneSettings(gain_rate=3e-2, gain_steps=8, weight_steps=0, watch_every=4, crop=(8, 16, 16))
    found = adapt_to_scan(spoilt, small_scan(16, noise=20.0), settings=settings, **CPU)
    assert [figure.name for figure in found.verdict.figures] == ["pairs_gain", "gm_mean", "wm_mean"]
    assert found.saw["pairs_that_judged"] == [4]
    card = adapted_card(spoilt, found.tuned)
    assert card.metadata["uncertainty_factor"] == found.tuned.uncertainty_factor != CARD.metadata["uncertainty_factor"]
