"""The whole way: the command ``cohort`` on workers of Dask, from a BIDS data set to the page of the group."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from bids_builders import data_set, t1
from bids_validator import VALIDATOR, errors
from conftest import ROOT

from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.group.record import Status, read_records
from ASLDenoiseLib.pipeline.request_json import FORMAT

pytest.importorskip("distributed")
pytestmark = pytest.mark.child


def test_a_study_from_one_command_and_again(tmp_path, capfd):
    bids = data_set(tmp_path / "set", "sub-01/ses-1", "sub-01/ses-2", "sub-02/ses-1", "sub-03/ses-1")
    t1(bids, "sub-01/ses-1")
    (bids / "sub-03/ses-1/perf/sub-03_ses-1_asl.json").write_text("{")
    quick = {"preparation": {"motion": False, "nuisance": [], "outliers": "none"}}
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"format": FORMAT, **quick}))
    out = bids / "derivatives" / "ASLDenoise"
    line = ["cohort", str(bids), str(out), "participant", "group", "--request", str(template), "--workers", "2"]
    assert main(line) == 1, "one cannot be run"
    printed = capfd.readouterr()
    assert "3 of 4 scans are done, 1 failed" in printed.out and "  sub-03_ses-1: The sidecar" in printed.out
    records = {record.name: record for record in read_records(out)}
    assert [name for name, record in records.items() if record.status is Status.FAILED] == ["sub-03_ses-1"]
    assert all(record.seconds > 0 and record.memory > 0 for record in records.values() if not record.sentence)
    assert (out / "sub-01/ses-2/perf/sub-01_ses-2_report.html").is_file()
    rows = (out / "group" / "scans.tsv").read_text("utf-8").splitlines()
    assert len(rows) == 5 and (out / "group" / "report.html").is_file()
    assert json.loads((out / "dataset_description.json").read_text("utf-8"))["SourceDatasets"] == [{"URL": "../.."}]
    if VALIDATOR is not None:
        assert not errors(out)
    written = {path: path.stat().st_mtime_ns for path in out.glob("sub-*/**/*") if path.is_file()}
    assert main(line) == 1
    assert "4 scans: 0 to run, 3 finished already, 1 that cannot be run." in capfd.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in written} == written


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_it_cleanly_and_the_same_command_goes_on(tmp_path):
    bids = data_set(tmp_path / "set", "sub-01", "sub-02", "sub-03", "sub-04")
    template = tmp_path / "template.json"
    quick = {"preparation": {"motion": False, "nuisance": [], "outliers": "none"}}
    template.write_text(json.dumps({"format": FORMAT, **quick}))
    out = tmp_path / "out"
    line = [sys.executable, "-m", "ASLDenoiseLib", "cohort", str(bids), str(out), "participant", "--workers", "1"]
    line += ["--request", str(template)]
    how = {"cwd": ROOT, "env": {**os.environ, "PYTHONPATH": str(ROOT)}, "text": True}
    running = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, **how)
    try:
        until = time.monotonic() + 300
        while not list(out.glob("cohort/sub-*.json")) and time.monotonic() < until and running.poll() is None:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=60)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    done = len(read_records(out))
    assert 1 <= done < 4
    assert running.returncode == 130
    assert told.splitlines()[-1] == f"Stopped: {done} of 4 scans are done; the same command goes on."
    assert not list(out.rglob("*.partial"))
    again = subprocess.run(line, capture_output=True, check=False, **how)
    assert again.returncode == 0, again.stderr
    assert f"4 scans: {4 - done} to run, {done} finished already." in again.stderr
    assert len(read_records(out)) == 4
