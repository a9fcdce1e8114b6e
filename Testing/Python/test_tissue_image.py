"""The image by which a series of several delays is registered shows tissue, not arteries that are bright early."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from arrival_builders import UNMOVED
from delay_builders import ScanOfDelays, scan_of_delays

from ASLDenoiseLib.compute import Compute
from ASLDenoiseLib.pipeline import preparation_steps as steps
from ASLDenoiseLib.pipeline.reading_steps import read
from ASLDenoiseLib.pipeline.request import Head, Request
from ASLDenoiseLib.pipeline.state import RunState
from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.progress import silent

DELAYS = (0.3, 0.7, 1.2, 1.8, 2.4)  # s
LEFT_ARTERIES = 1.5  # s, by which arteries are empty


@pytest.fixture(params=[True, False], ids=["M0", "no M0"])
def scan(request) -> ScanOfDelays:
    """Differences with three arteries, which are five times as bright as grey matter at early delays."""
    made = scan_of_delays(delays=DELAYS, repeats=2, kind="deltam", noise=0.2, with_m0=request.param)
    array = made.series.array.copy()
    early = np.array(made.series.acquisition.post_labeling_delay) < LEFT_ARTERIES
    array[np.ix_(early, [2, 3], [8], [4, 8, 12])] += 5 * 8.0
    return replace(made, series=replace(made.series, array=array))


def calibrated(scan: ScanOfDelays) -> RunState:
    run = RunState(Request(scan.series, Head(tissue=scan.tissue), UNMOVED), Compute("cpu"))
    for step in (read, steps.inspect_series, steps.quantify_pairs):
        step(run, silent)
    return run


def contrast(image: np.ndarray, scan: ScanOfDelays) -> float:
    """Arteries over grey matter."""
    return image[2:4, 8][:, [4, 8, 12]].mean() / image[scan.tissue.gm.array > 0.5].mean()


def test_vessels_do_not_dominate_the_image_for_registration(scan):
    run = calibrated(scan)
    plain = mean_difference(difference_volumes(run.aligned)).array
    assert contrast(plain, scan) > 3.0
    assert contrast(run.raw.array, scan) < 0.6 * contrast(plain, scan)


def test_it_is_the_difference_at_the_reference_delay_where_all_label_arrives_at_once():
    early = scan_of_delays(delays=(1.5, 1.8, 2.4), att=0.8, noise=0.0, repeats=1, kind="deltam")
    run = calibrated(early)
    at = np.array(early.series.acquisition.post_labeling_delay) == 1.8
    np.testing.assert_allclose(run.raw.array, early.series.array[at].mean(axis=0), rtol=1e-4, atol=1e-4)


def test_a_series_without_anatomy_is_registered_by_that_image():
    bare = scan_of_delays(delays=DELAYS, repeats=2, kind="deltam", noise=0.2, with_m0=False)
    run = calibrated(bare)
    assert steps.alignment_target(run.aligned, run.raw) is run.raw


def test_the_raw_image_of_one_delay_is_its_plain_mean():
    one = scan_of_delays(delays=(1.8,), repeats=3, noise=0.5)
    run = calibrated(one)
    np.testing.assert_array_equal(run.raw.array, mean_difference(difference_volumes(run.aligned)).array)
