"""The benchmark of what scheduling a cohort costs: its arithmetic, and one small case of it."""

from __future__ import annotations

import pytest

from Testing.Benchmarks.cohort_scheduler import HEAD, NAP, measured, row
from Testing.Benchmarks.library.naps import COLUMNS, REGIONS, Nap, nap


def test_what_is_left_of_the_clock_is_what_a_worker_waits_between_two_scans():
    told = {"seconds": 300.0, "processor": 60.0, "before": 60.2, "after": 80.0, "worker": 70.0}
    line = dict(zip(HEAD, row(10_000, 2, False, told), strict=True))
    assert NAP == 0.05 and line["of which asleep"] == "250.0"
    assert line["ms a scan between scans"] == "10.0"  # 50 s of two workers over 10,000 scans
    assert line["of a scan of 2 min (%)"] == "0.008" and line["ms of processor a scan"] == "6.0"
    assert (line["scans"], line["returned"], line["MiB before"], line["MiB after"]) == ("10,000", "name", "60", "80")


def test_a_nap_comes_back_as_its_name_or_as_a_record_of_a_usual_size():
    assert nap(Nap("sub-00001_ses-1", 0.0)) == "sub-00001_ses-1"
    record = nap(Nap("sub-00001_ses-1", 0.0, whole=True))
    assert len(record.values) == COLUMNS and len(record.regions) == REGIONS


@pytest.mark.child
def test_a_small_case_is_measured_by_the_pool_of_the_command():
    pytest.importorskip("distributed", reason='the extra "cohort" is not installed')
    told = measured(6, 1, whole=True)
    assert told["seconds"] > 6 * NAP and told["processor"] > 0 and told["after"] > 20 and told["worker"] > 20
