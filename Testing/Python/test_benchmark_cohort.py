"""The simulated study that the benchmark of cohorts runs on: whose its scans are, what is spoilt, and its files."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from study_builders import small_design

import ASLDenoiseLib as ad
from ASLDenoiseLib.series import M0Type
from Testing.Benchmarks.library.simulated_study import (
    BETWEEN,
    GM_CBF,
    PEOPLE,
    SESSIONS,
    SPOILT,
    WITHIN,
    Spoilt,
    StudyScan,
    cortex_of,
    person_scans,
    write_study,
)


@pytest.fixture
def design(monkeypatch):
    return small_design(monkeypatch)


def grey_perfusion(scan: StudyScan) -> tuple[float, float]:
    """The mean of grey matter in the truth, and in what the pairs show, relative to the M0."""
    series, grey = scan.scan.series, scan.scan.tissue.gm.array > 0.7
    shown = series.array[1::2] - series.array[0::2]
    return float(scan.scan.cbf.array[grey].mean()), float((shown.mean(0) / series.m0.array)[grey].mean())


def test_sessions_are_one_head_in_two_poses_whose_perfusion_differs_by_the_cortex_alone(design):
    one, two = person_scans(5, design)
    assert one.cortex != two.cortex
    assert one.cortex == pytest.approx(two.cortex, rel=6 * WITHIN)
    first, second = (scan.scan.tissue.gm.array for scan in (one, two))
    assert not np.array_equal(first, second)
    assert first.sum() == pytest.approx(second.sum(), rel=0.02)
    assert grey_perfusion(one)[0] / grey_perfusion(two)[0] == pytest.approx(one.cortex / two.cortex, rel=0.05)
    assert not np.array_equal(one.t1.array, two.t1.array)


def test_people_differ_by_the_spread_that_is_stated():
    cortex = np.array([cortex_of(person) for person in range(1, PEOPLE + 1)])
    assert len(set(cortex)) == PEOPLE
    assert cortex.mean() == pytest.approx(GM_CBF, rel=1e-6)
    assert cortex.std(ddof=1) / GM_CBF == pytest.approx(BETWEEN, rel=0.1)


def test_where_labelling_failed_the_pairs_show_nothing_of_the_perfusion_that_is_there(design):
    [(person, session)] = [where for where, what in SPOILT.items() if what is Spoilt.LABELLING]
    scans = dict(zip(SESSIONS, person_scans(person, design), strict=True))
    spoilt, other = scans.pop(session), *scans.values()
    assert spoilt.spoilt is Spoilt.LABELLING and other.spoilt is None
    assert grey_perfusion(spoilt)[0] == pytest.approx(grey_perfusion(other)[0], rel=6 * WITHIN)
    assert abs(grey_perfusion(spoilt)[1]) < 0.2 * grey_perfusion(other)[1]


def test_a_study_is_read_by_its_sidecars_and_made_again_is_the_very_same(design, tmp_path):
    for name in ("one", "again"):
        write_study(tmp_path / name, design)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert [
        path for path in files if (tmp_path / "one" / path).read_bytes() != (tmp_path / "again" / path).read_bytes()
    ] == []
    series = ad.read(tmp_path / "one" / "sub-01" / "ses-2" / "perf" / "sub-01_ses-2_acq-grase_asl.nii.gz")
    assert series.acquisition.post_labeling_delay == 1.8
    assert series.acquisition.m0_type is M0Type.SEPARATE and series.m0 is not None
    assert series.acquisition.manufacturer == "Siemens"
