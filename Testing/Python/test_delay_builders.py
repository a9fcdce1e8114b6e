"""The series of several delays that tests are given hold what they say."""

from __future__ import annotations

import numpy as np
import pytest
from delay_builders import M0, difference_of, scan_of_delays

from ASLDenoiseLib.preparing.averaging import mean_difference
from ASLDenoiseLib.preparing.delays import delays_of, series_of_delay
from ASLDenoiseLib.preparing.pairs import difference_volumes
from ASLDenoiseLib.quantifying.calibration import calibrate
from ASLDenoiseLib.quantifying.cbf import quantification
from ASLDenoiseLib.series import Labeling

# asldro's values (methods.md): f 60, arrival .5, label 1 s, alpha 1, T1 1.4, T1b 1.6, lambda .9, M0 1, in 1e-3
TIMES = np.array([0.6, 1.0, 1.5, 2.0, 2.5])
KNOWN = {
    Labeling.CASL: (1.56824490, 6.81803742, 11.5620023, 8.04479775, 5.59754007),
    Labeling.PASL: (1.51966825, 5.80054220, 8.27976281, 5.76102787, 4.00850156),
}


@pytest.mark.parametrize("labeling", KNOWN)
def test_the_curve_written_out_here_is_that_of_the_general_model(labeling, monkeypatch):
    monkeypatch.setattr("delay_builders.EFFICIENCY", {labeling: 1.0})
    delays = TIMES if labeling is Labeling.PASL else TIMES - 1.0
    made = difference_of(60.0, 0.5, delay=delays, duration=1.0, labeling=labeling, t1_tissue=1.4, t1_blood=1.6)
    np.testing.assert_allclose(made / M0 * 1e3, KNOWN[labeling], rtol=1e-8)


@pytest.mark.parametrize("order", ["delay by delay", "repeat by repeat", "shuffled"])
@pytest.mark.parametrize(("labeling", "last"), [("PCASL", 3.0), ("CASL", 3.0), ("PASL", 3.2)])
def test_late_delays_are_the_cbf_by_the_formula_of_one_delay(labeling, last, order):
    made = scan_of_delays(labeling=labeling, delays=(0.5, 1.5, last), repeats=2, order=order)
    delays = delays_of(made.series)
    assert [(d.delay, len(d.pairs)) for d in delays] == [(0.5, 2), (1.5, 2), (last, 2)]
    late = series_of_delay(made.series, delays[-1])
    factor = quantification(late.acquisition, calibrate(late), made.tissue.brain)
    cbf = factor.cbf(mean_difference(difference_volumes(late))).array
    np.testing.assert_allclose(cbf[made.brain], made.cbf.array[made.brain], rtol=1e-3)


def test_differences_of_control_and_label_are_those_given_as_such():
    options = {"delays": (0.0, 1.0, 2.0), "durations": (0.8, 1.4, 1.8), "repeats": 1, "slice_time": 0.04}
    pairs, deltam = (scan_of_delays(kind=kind, **options).series for kind in ("pairs", "deltam"))
    np.testing.assert_allclose(difference_volumes(pairs).array, deltam.array, atol=1e-4)
    assert [(d.delay, d.duration) for d in delays_of(deltam)] == [(0.0, 0.8), (1.0, 1.4), (2.0, 1.8)]
    assert deltam.acquisition.slice_timing[1] == pytest.approx(0.04)
