"""The simulated study that the benchmark of cohorts runs on: whose its scans are, what is spoilt, and its files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

pytest.importorskip("torch")

from cohort_builders import SPOILT as SPOILT_RECORDS
from cohort_builders import failed, study_of
from study_builders import small_design

import ASLDenoiseLib as ad
from ASLDenoiseLib.group.record import write_record
from ASLDenoiseLib.series import M0Type
from Testing.Benchmarks.cohort import order_of
from Testing.Benchmarks.library.cohort_figures import (
    agreement,
    by_session,
    read_table,
    sound,
    voxelwise,
    with_truth,
)
from Testing.Benchmarks.library.cohort_runs import MARK, Progressed, Running, table_differences, worker_process
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


def test_sessions_agree_by_one_way_analysis_of_variance():
    sessions = np.array([[10.0, 12.0], [20.0, 20.0], [30.0, 28.0]])
    found = agreement(sessions)
    assert found["within SD"] == pytest.approx(((2 + 0 + 2) / 3) ** 0.5)
    between, within = 2 * np.var([11, 20, 29], ddof=1), 4 / 3  # mean squares
    assert found["between SD"] == pytest.approx(((between - within) / 2) ** 0.5)
    assert found["ICC"] == pytest.approx((between - within) / (between + within))
    assert found["within CV %"] == pytest.approx(100 * (4 / 3) ** 0.5 / 20)
    voxels = agreement(np.stack([sessions, 2 * sessions], axis=-1))
    assert voxels["ICC"] == pytest.approx([found["ICC"]] * 2)
    assert np.isnan(agreement(sessions[:1])["ICC"])


SCANS = (  # scan, participant, session, raw_gm_mean, seconds
    ("sub-01_ses-1", "01", "1", 50.0, 100.0),
    ("sub-01_ses-2", "01", "2", 52.0, 110.0),
    ("sub-02_ses-1", "02", "1", 60.0, 90.0),
    ("sub-02_ses-2", "02", "2", 20.0, 95.0),
)


def write_made_up(folder, *, seconds: float = 0.0, gm: float = 0.0):
    """The tables of a study and of its truth: of the second person one scan is spoilt."""
    head = "scan\tparticipant\tsession\tstatus\traw_gm_mean\tseconds\n"
    rows = (f"{scan}\t{who}\t{when}\tdone\t{mean + gm}\t{time + seconds}\n" for scan, who, when, mean, time in SCANS)
    (folder / "group").mkdir(parents=True)
    (folder / "group" / "scans.tsv").write_text(head + "".join(rows))
    truth = folder / "derivatives" / "truth"
    truth.mkdir(parents=True)
    spoilt = ("n/a", "n/a", "n/a", "labelling failed")
    lines = (f"{row[0]}\t{what}\t{row[3]}\t20.0\n" for row, what in zip(SCANS, spoilt, strict=True))
    (truth / "scans.tsv").write_text("scan\tspoilt\tgm_mean\twm_mean\n" + "".join(lines))
    return folder


def test_the_tables_of_a_study_are_read_with_their_truth_and_spoilt_scans_are_left_out(tmp_path):
    folder = write_made_up(tmp_path / "one")
    table = with_truth(folder, folder)
    assert table.loc["sub-02_ses-1", "participant"] == "02"
    assert list(sound(table).index) == ["sub-01_ses-1", "sub-01_ses-2"]
    np.testing.assert_array_equal(by_session(table, "raw_gm_mean"), [[50, 52], [60, 20]])


def test_a_scan_that_is_done_again_is_told_by_when_its_files_were_written(tmp_path):
    first, *_ = study_of(tmp_path, people=2)
    write_record(tmp_path, failed("sub-02_ses-2"))
    (tmp_path / "cohort" / "dataset.json").write_text("{}")  # no record
    before = Progressed.of(tmp_path)
    assert len(before.done) == 3 and before.failed == {"sub-02_ses-2"}
    assert before.done_again(Progressed.of(tmp_path)) == set()
    os.utime(tmp_path / "cohort" / f"{first.name}.json", ns=(5, 5))
    os.utime(tmp_path / "cohort" / "sub-02_ses-2.json", ns=(5, 5))
    assert before.done_again(Progressed.of(tmp_path)) == {first.name}


def test_the_order_is_that_of_the_groups_page(tmp_path):
    study_of(tmp_path)
    order = order_of(tmp_path)
    assert len(order) == 24
    assert {scan for scan, why in order.items() if why} == set(SPOILT_RECORDS) == set(list(order)[:3])


def test_sessions_agree_voxel_by_voxel_in_the_maps_of_mni_space(tmp_path):
    import nibabel
    import pandas as pd

    values = {"sub-01_ses-1": 40.0, "sub-01_ses-2": 42.0, "sub-02_ses-1": 60.0, "sub-02_ses-2": 60.0}
    keys = {"raw_map": "desc-mean_cbf", "processed_map": "desc-denoised_cbf"}
    for name, value in values.items():
        array = np.full((91, 109, 91), value, np.float32)
        array[:10] = np.nan  # outside of the series
        for gain, key in zip((1.0, 0.5), keys.values(), strict=True):
            path = tmp_path / f"{name}_space-MNI152NLin2009aSym_{key}.nii.gz"
            nibabel.save(nibabel.Nifti1Image(gain * array, np.eye(4)), path)
    table = pd.DataFrame({"participant": [name[4:6] for name in values], "folder": ".", **keys}, index=list(values))
    found = voxelwise(tmp_path, table)
    assert found["a voxel of grey matter, raw"]["within SD"] == pytest.approx(1.0)
    assert found["a voxel of grey matter, processed"]["mean"] == pytest.approx(0.5 * 50.5)
    people = np.array([[40.0, 42.0], [60.0, 60.0]])
    assert found["a voxel of grey matter, processed"]["ICC"] == pytest.approx(float(agreement(people)["ICC"]))


def test_tables_are_the_same_whatever_time_a_run_took_and_not_where_a_figure_differs(tmp_path):
    one, later, other = (
        write_made_up(tmp_path / name, seconds=seconds, gm=gm)
        for name, seconds, gm in (("one", 0, 0), ("later", 5, 0), ("other", 0, 1e-9))
    )
    assert table_differences(one, later) == []
    assert table_differences(one, other) == ["scans.tsv: raw_gm_mean"]
    text = (other / "group" / "scans.tsv").read_text("utf-8").splitlines(keepends=True)
    (other / "group" / "scans.tsv").write_text("".join(text[:-1]))
    assert table_differences(one, other) == ["scans.tsv: rows or columns"]
    assert len(read_table(other / "group" / "scans.tsv")) == 3


def test_one_process_of_a_command_is_killed_and_the_end_of_its_children_waited_for():
    child = "import time; time.sleep(3)"
    parent = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    environment = os.environ | {MARK: "of-this-test"}
    run = Running(
        subprocess.Popen([sys.executable, "-c", parent], env=environment), "of-this-test", time.perf_counter()
    )
    assert run.killed(lambda: len(run.family()) == 2, victim=lambda family: run.process.pid)
    run.process.wait(10)
    [(_, line)] = run.family().items()
    assert child in line
    assert 0 < run.seconds_to_vanish() < 30


def test_of_a_scan_the_process_that_works_is_found_and_not_the_one_that_watches_it():
    watched = "import os, time; os.fork(); time.sleep(30)"
    child = f"[sys.executable, '-c', {watched!r}, 'ASLDenoiseLib.running' + '.child']"
    worker = f"import subprocess, sys; subprocess.run({child})"
    environment = os.environ | {MARK: "of-this-scan"}
    process = subprocess.Popen([sys.executable, "-c", worker], env=environment)
    run = Running(process, "of-this-scan", time.perf_counter())
    try:
        while len(run.family()) < 3:
            time.sleep(0.05)
        assert worker_process(run.family()) == process.pid
    finally:
        for pid in run.family():
            os.kill(pid, signal.SIGKILL)
        process.wait(10)
