"""Delays of DICOM: GE's eASL, whose times are the user's to give, and the phases of Philips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from delay_builders import scan_of_delays
from dicom_builders import ASL, GE_DIFFERENCE, GE_M0, brain, write_dicom

from ASLDenoiseLib.inspecting.delay_checks import fitted_delays
from ASLDenoiseLib.inspecting.inspection import inspect, require_quantifiable
from ASLDenoiseLib.preparing.delays import delays_of
from ASLDenoiseLib.quantifying.calibration import controls_stand_in
from ASLDenoiseLib.reading import dicom_tags
from ASLDenoiseLib.reading.dicom_tags import philips_volumes
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.reading.scan import Scan
from ASLDenoiseLib.series import Geometry, Origin, VolumeType

GE = "GE MEDICAL SYSTEMS"
DELAYS, DURATIONS = (0.7, 1.0, 1.3, 1.6, 2.0, 2.5, 3.0), (0.3, 0.4, 0.5, 0.6, 0.7, 0.9, 1.1)


def codes(series):
    return {finding.code: finding for finding in inspect(series)}


def test_seven_differences_of_ge_are_fitted_with_the_times_of_the_protocol(tmp_path):
    write_dicom(
        tmp_path, [brain(500 - 40 * n, seed=n) for n in range(7)], 6, "eASL: 7 delays", *GE_DIFFERENCE, maker=GE
    )
    write_dicom(tmp_path, [brain(1000)], 7, "(PD) eASL", *GE_M0, maker=GE)
    bare = codes(read_series(tmp_path))
    assert "--pld 0.7,1,1.3" in bare["ge-several-differences"].remedy and "missing-pld" in bare
    values = {"labeling": "PCASL", "post_labeling_delay": DELAYS, "label_duration": DURATIONS, "m0_scale": 96}
    series = read_series(tmp_path, values=values)
    assert [(each.delay, each.duration) for each in delays_of(series)] == list(zip(DELAYS, DURATIONS, strict=True))
    require_quantifiable(series)
    found = codes(series)
    assert "7 delays" in found["multi-pld"].why and "ge-several-differences" not in found


SLICES, PHASES, REPEATS = 4, 3, 2


def _headers(*, shift=0.3, step=0.25, between=0.022):
    """What Philips' files say of two repetitions of three phases; trigger times in ms."""
    found = []
    for label in ("CONTROL", "LABEL"):  # in no order
        for time in range(1, REPEATS + 1):
            for phase in range(PHASES, 0, -1):
                for k in range(SLICES):
                    trigger = 1000 * (shift + step * (phase - 1) + between * k)
                    tags = {"0020|0100": str(time), "2001|1008": str(phase), "2005|1429": label}
                    tags |= {"0020|0032": f"-10\\-10\\{5.0 * k:g}", "0018|1060": f"{trigger:g}"}
                    found.append((f"{label}-{time}-{phase}-{k}.dcm", tags))
    return found


def _scan(**keys):
    geometry = Geometry((3, 3, SLICES), (4.0, 4.0, 5.0), (-10.0, -10.0, 0.0))
    sidecar = {"Manufacturer": "Philips", "MRAcquisitionType": "2D", "FlipAngle": 40, **keys}
    return Scan(np.ones((2 * PHASES * REPEATS, SLICES, 3, 3), np.float32), geometry, sidecar, Origin.DICOM)


@pytest.fixture
def philips(monkeypatch):
    """Makes of headers what `philips_volumes` tells; the order of the files is noted, not compared."""

    def told(headers, scan):
        orders = []
        monkeypatch.setattr(dicom_tags, "_headers", lambda *_: iter(headers))
        monkeypatch.setattr(dicom_tags, "_same_order", lambda paths, _: orders.append(list(paths)) or True)
        return philips_volumes(None, scan), orders

    return told


def test_philips_phases_are_delays_in_the_order_of_dcm2niix(philips):
    (context, keys), (order,) = philips(_headers(), _scan())
    assert [kind.value for kind in context] == (["control"] * PHASES + ["label"] * PHASES) * REPEATS
    assert [name.rsplit("-", 1)[0] for name in order[:4]] == ["CONTROL-1-1", "CONTROL-1-2", "CONTROL-1-3", "LABEL-1-1"]
    np.testing.assert_allclose(keys["PostLabelingDelay"], [0.3, 0.55, 0.8] * 2 * REPEATS)
    assert keys["LookLocker"] is True and keys["SliceTiming"] == [0.0, 0.022, 0.044, 0.066]


def test_trigger_times_that_run_on_are_no_delays(philips):
    (_, keys), _ = philips(_headers(step=9.1), _scan())
    assert keys == {}
    (_, keys), _ = philips(_headers(step=0.0), _scan())
    assert keys == {}


def test_slice_timing_that_is_stated_or_of_3d_is_left_alone(philips):
    for scan in (_scan(MRAcquisitionType="3D"), _scan(SliceTiming=[0.0] * SLICES)):
        (_, keys), _ = philips(_headers(), scan)
        assert "SliceTiming" not in keys and "PostLabelingDelay" in keys


def test_one_phase_is_no_delay(philips):
    headers = [(name, tags) for name, tags in _headers() if tags["2001|1008"] == "1"]
    scan = Scan(np.ones((2 * REPEATS, SLICES, 3, 3), np.float32), _scan().geometry, _scan().sidecar, Origin.DICOM)
    (context, keys), _ = philips(headers, scan)
    assert [kind.value for kind in context] == ["control", "label"] * REPEATS and keys == {}


def test_a_series_of_phases_is_fitted_as_a_look_locker_one(philips, monkeypatch, tmp_path):
    from ASLDenoiseLib.reading import dicom

    scan = _scan(RepetitionTimeExcitation=0.25, ArterialSpinLabelingType="PASL", BolusCutOffDelayTime=0.2)
    told, _ = philips(_headers(), scan)
    monkeypatch.setattr(dicom, "philips_volumes", lambda *_: told)
    made = dicom._by_philips(scan, tmp_path)
    assert "RepetitionTimeExcitation" not in made.sidecar, "it is that of one phase"
    assert "0.3, 0.55, 0.8 s" in made.findings[0].why and "Look-Locker" in made.findings[0].remedy


def test_controls_of_a_look_locker_readout_do_not_stand_in_for_the_m0():
    series = scan_of_delays(with_m0=False, noise=1).series
    locked = series.acquisition.with_values(Origin.USER, look_locker=True, flip_angle=25.0)
    assert controls_stand_in(series) and not controls_stand_in(replace(series, acquisition=locked))
    said = codes(replace(series, acquisition=locked))["m0-absent"].why
    assert "Look-Locker" in said and series.indices(VolumeType.CONTROL)
    assert fitted_delays(series)


def _protocol(*delays, size=None):
    """The lines of a Siemens protocol, times in microseconds; zeros are not written."""
    lines = [f"sAsl.ulDelayArraySize\t = \t{size or len(delays)}"]
    lines += [f"sAsl.sPostLabelingDelay[{n}]\t = \t{int(1e6 * delay)}" for n, delay in enumerate(delays) if delay]
    return "\n".join(lines)


def _siemens(folder, protocol):
    tags = {"t0020_4000": protocol}
    write_dicom(folder, [brain(800 - 20 * (n % 2), seed=n) for n in range(6)], 5, "asl_3d_tra", *ASL, **tags)
    return folder


def test_the_first_of_several_delays_of_siemens_is_not_taken_for_all(tmp_path):
    """dcm2niix writes sPostLabelingDelay[0] alone, whatever ulDelayArraySize says."""
    folder = _siemens(tmp_path / "a", _protocol(0, 0.5, 1.0))
    order = {"context": "control,label", "values": {"labeling": "PCASL"}}
    found = codes(read_series(folder, **order))
    assert "3 delays, 0, 0.5, 1 s" in found["siemens-several-delays"].why and "missing-pld" in found
    times = {"post_labeling_delay": (0, 0.5, 1.0), "label_duration": (0.8, 1.3, 1.8), "labeling": "PCASL"}
    series = read_series(folder, context="control,label", values=times)
    assert [each.delay for each in fitted_delays(series)] == [0.0, 0.5, 1.0]
    assert "siemens-several-delays" not in codes(series)
    for n, one in enumerate((_protocol(1.8), _protocol(1.8, 1.8, 1.8, size=1), _protocol(1.8, 1.8))):
        said = read_series(_siemens(tmp_path / str(n), one), **order).findings
        assert "siemens-several-delays" not in {finding.code for finding in said}
