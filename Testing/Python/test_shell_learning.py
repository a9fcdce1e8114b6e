"""What the options of simulate and train come to."""

from __future__ import annotations

import argparse

import pytest

from ASLDenoiseLib.series import Labeling
from ASLDenoiseLib.shell.learning import add_simulate, add_train, scan_settings

pytest.importorskip("torch")


def settings(*options: str):
    parser = argparse.ArgumentParser()
    add_simulate(parser)
    return scan_settings(parser.parse_args(["head.nii.gz", "--out", "x", *options]))


def test_without_options_the_scan_is_the_quiet_default() -> None:
    from ASLDenoiseLib.learning.simulate import ScanSettings

    assert settings() == ScanSettings()


def test_every_noise_option_reaches_the_scan() -> None:
    scan = settings("--motion", "0.5", "--spikes", "0.1", "--unevenness", "1", "--pulsation", "0.02", "--pairs", "3")
    assert (scan.motion, scan.spikes, scan.unevenness, scan.pulsation, scan.pairs) == (0.5, 0.1, 1.0, 0.02, 3)


def test_a_2d_pasl_scan_is_read_slice_by_slice_without_suppression() -> None:
    acquisition = settings("--labeling", "pasl", "--readout", "2d", "--size", "32", "32", "9").acquisition
    assert acquisition.labeling is Labeling.PASL
    assert acquisition.background_suppression is False
    assert len(acquisition.slice_timing) == 9


def test_several_delays_reach_the_scan_in_the_order_asked_for() -> None:
    one = settings("--pld", "1.5")
    assert one.acquisition.post_labeling_delay == 1.5
    several = settings("--pld", "0,1,2.5", "--label-duration", "1,1.4,1.8", "--delay-order", "shuffled")
    assert several.acquisition.post_labeling_delay == (0.0, 1.0, 2.5)
    assert several.acquisition.label_duration == (1.0, 1.4, 1.8)
    assert several.order == "shuffled"


def test_a_realistic_scan_is_drawn_by_the_seed_and_keeps_what_is_asked_for() -> None:
    one, again, other = (settings("--realistic", "--pairs", "7", "--seed", s) for s in ("1", "1", "2"))
    assert one == again
    assert one.motion != other.motion
    assert one.pairs == other.pairs == 7


def test_fewer_steps_than_the_recipe_has_end_annealed(tmp_path, monkeypatch) -> None:
    from ASLDenoiseLib.learning import training
    from ASLDenoiseLib.shell import learning

    asked = []

    def stop(recipe, **_):
        asked.append(recipe)
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", stop)
    parser = argparse.ArgumentParser()
    add_train(parser)
    args = parser.parse_args(["dwan-lfn", "--anatomy", "a", "--work", str(tmp_path), "--steps", "30"])
    args.device, args.progress = "cpu", "none"
    with pytest.raises(KeyboardInterrupt):
        learning.run_train(args)
    assert asked[0].steps == 30
    assert training.learning_rate(asked[0], 30, 0.0, None) == 0.0
