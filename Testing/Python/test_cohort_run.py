"""A cohort from data set to records: what fails is told, what is finished is not done twice, and nothing is lost."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from bids_builders import data_set, t1
from bids_validator import NO_VALIDATOR, VALIDATOR, errors
from cohort_runs import QUICK, Here, pretended, truly
from reading_builders import bend_sidecar, refusal

from ASLDenoiseLib.group.record import Status, read_records
from ASLDenoiseLib.participants import cohort as module
from ASLDenoiseLib.participants.clusters import Workers
from ASLDenoiseLib.participants.cohort import CohortRequest, plan_cohort, run_cohort
from ASLDenoiseLib.participants.execute import failed_record
from ASLDenoiseLib.participants.heads import SharedHeads
from ASLDenoiseLib.participants.lock import OutLock
from ASLDenoiseLib.participants.plan import Watch

PLACES = ("sub-01/ses-1", "sub-01/ses-2", "sub-02/ses-1")
NAMES = [place.replace("/", "_") for place in PLACES]


@pytest.fixture
def bids(tmp_path):
    return data_set(tmp_path / "set", *PLACES)


def asked(bids: Path, **changes) -> CohortRequest:
    return CohortRequest(
        **{"bids": bids, "out": bids.parent / "out", "levels": ("participant",), "template": QUICK, **changes}
    )


def spoil(bids: Path, place: str) -> None:
    (bids / place / "perf" / f"{place.replace('/', '_')}_asl.json").write_text("{")


@pytest.mark.runs
@pytest.mark.skipif(VALIDATOR is None, reason=NO_VALIDATOR)
@pytest.mark.usefixtures("worked_out")
def test_scans_are_run_a_broken_one_is_told_and_out_is_a_valid_derivative(bids):
    spoil(bids, "sub-02/ses-1")
    done = run_cohort(asked(bids), pools=Here(truly))
    assert [(each.name, each.status) for each in done.records] == [
        ("sub-01_ses-1", Status.DONE),
        ("sub-01_ses-2", Status.DONE),
        ("sub-02_ses-1", Status.FAILED),
    ]
    assert "not valid JSON" in done.failed["sub-02_ses-1"]
    first = done.records[0]
    assert first.values["raw_gm_mean"] > 0 and first.seconds > 0 and first.stamps
    folder = bids.parent / "out" / "sub-01" / "ses-1" / "perf"
    assert (folder / "sub-01_ses-1_report.html").is_file()
    assert not (folder / "dataset_description.json").exists()
    assert not errors(bids.parent / "out")
    again = Here(truly)
    assert repr(run_cohort(asked(bids), pools=again).records) == repr(done.records)
    assert again.ran == []


def test_what_is_finished_is_not_done_again_and_what_was_changed_is(bids):
    first, again, third, fourth = Here(), Here(), Here(), Here()
    run_cohort(asked(bids), pools=first)
    assert sorted(first.ran) == NAMES
    run_cohort(asked(bids), pools=again)
    assert again.ran == []
    bend_sidecar(bids / "sub-01/ses-2/perf/sub-01_ses-2_asl.nii.gz", PostLabelingDelay=2.0)
    (bids.parent / "out" / "sub-02/ses-1/perf/sub-02_ses-1_report.html").unlink()
    run_cohort(asked(bids), pools=third)
    assert third.ran == ["sub-01_ses-2", "sub-02_ses-1"]
    run_cohort(asked(bids, template=replace(QUICK, device="cpu")), pools=fourth)
    assert fourth.ran == []


def test_a_failed_scan_is_tried_again_and_a_scan_whose_worker_died_leaves_the_others(bids):
    def dying(task):
        if task.scan.name == NAMES[0]:
            raise RuntimeError("The worker process ended three times while it ran this scan.")
        return pretended(task)

    done = run_cohort(asked(bids), pools=Here(dying))
    assert done.failed == {NAMES[0]: "The worker process ended three times while it ran this scan."}
    again = Here()
    assert run_cohort(asked(bids), pools=again).failed == {} and again.ran == [NAMES[0]]


def test_a_scan_of_which_nothing_can_be_run_has_its_record_and_its_sentence(bids):
    spoil(bids, "sub-01/ses-1")
    pools = Here()
    done = run_cohort(asked(bids), pools=pools)
    assert NAMES[0] not in pools.ran and "not valid JSON" in done.failed[NAMES[0]]
    assert pools.folders == [bids, bids.parent / "out"], "that workers must see"


def test_who_stops_is_told_how_far_it_came_and_the_same_goes_on(bids):
    def stopped(task):
        if task.scan.name == NAMES[2]:
            raise KeyboardInterrupt
        return pretended(task)

    with pytest.raises(KeyboardInterrupt) as caught:
        run_cohort(asked(bids), pools=Here(stopped))
    assert str(caught.value) == "Stopped: 2 of 3 scans are done; the same command goes on."
    again = Here()
    run_cohort(asked(bids), pools=again)
    assert again.ran == [NAMES[2]]


def test_a_full_disk_ends_it_at_once_and_what_is_done_is_kept(bids):
    full = "A file could not be read or written: the disk is full; make room on it, and run again."

    def filling(task):
        return pretended(task) if task.scan.name == NAMES[0] else failed_record(task, full)

    pools = Here(filling)
    refusal(run_cohort, asked(bids), pools=pools, mentions=("the disk is full", "1 scans are still to do", "is kept"))
    assert len(pools.ran) == 2
    again = Here()
    run_cohort(asked(bids), pools=again)
    assert again.ran == NAMES[1:]


def test_a_disk_that_fails_under_the_cohort_s_own_files_is_one_sentence(bids, monkeypatch):
    def full(out, bids):
        raise OSError(28, "No space left on device", str(out))

    monkeypatch.setattr(module, "describe", full)
    refusal(run_cohort, asked(bids), pools=Here(), mentions=("the disk is full", "what is done is kept"))


def test_a_refused_cohort_writes_nothing(bids):
    out = bids.parent / "out"
    refusal(run_cohort, asked(bids, participants=("09",)), pools=Here(), mentions=("participant '09'",))
    refusal(run_cohort, asked(bids, out=bids), pools=Here(), mentions=("is the BIDS data set itself",))
    assert not out.exists() and not (bids / "cohort").exists()
    refusal(CohortRequest, bids, out, ("all",), mentions=("no level 'all'",))


def test_a_plan_inspects_and_writes_nothing(bids):
    plan = plan_cohort(asked(bids), pools=Here())
    assert not (bids.parent / "out").exists()
    assert [check.name for check in plan.checks] == NAMES and len(plan.tasks) == 3


def test_a_label_chooses_scans_and_the_records_of_others_stay(bids):
    run_cohort(asked(bids), pools=Here())
    done = run_cohort(asked(bids, participants=("02",)), pools=Here())
    assert [record.name for record in done.records] == NAMES


def test_scans_of_one_t1_take_turns_and_share_a_folder_that_is_gone_at_the_end(bids):
    t1(bids, "sub-01/ses-1")
    t1(bids, "sub-02/ses-1")
    held = {}

    def noting(task):
        held[task.scan.name] = task.heads
        if task.heads is not None:
            task.heads.mkdir(parents=True, exist_ok=True)
        return pretended(task)

    pools = Here(noting)
    run_cohort(asked(bids), workers=Workers(2), pools=pools)
    assert pools.ran == ["sub-01_ses-1", "sub-02_ses-1", "sub-01_ses-2"]
    assert held["sub-01_ses-1"] == held["sub-01_ses-2"] is not None and held["sub-02_ses-1"] is None
    assert not (bids.parent / "out" / "cohort" / "heads").exists()


def test_of_many_t1s_a_few_at_a_time_are_kept(bids):
    plan = plan_cohort(asked(bids), pools=Here())
    many = []
    for number in range(5):
        for session in "12":
            scan = replace(plan.scans[0], name=f"{number}-{session}", t1=Path(f"{number}_T1w.nii"))
            many.append(replace(plan.tasks[0], scan=scan))
    heads = SharedHeads(bids.parent / "out", [task.scan for task in many])
    order = [task.scan.name for task in heads.in_order(many, abreast=1)]
    assert order == ["0-1", "1-1", "0-2", "1-2", "2-1", "3-1", "2-2", "3-2", "4-1", "4-2"]


def test_the_record_says_by_what_it_is_known(bids):
    run_cohort(asked(bids), pools=Here())
    record = read_records(bids.parent / "out")[0]
    assert len(record.digest) == 64
    assert "sub-01/ses-1/perf/sub-01_ses-1_asl.nii.gz" in record.stamps
    assert (
        "sub-01/ses-1/perf/sub-01_ses-1_asl.nii.gz"
        in json.loads((bids.parent / "out" / "cohort" / "sub-01_ses-1.json").read_text("utf-8"))["stamps"]
    )


def test_a_second_cohort_in_the_same_out_is_refused_and_what_a_killed_one_left_goes(bids):
    out = bids.parent / "out"
    left = out / "sub-01" / ".asldenoise-0123456789ab.partial"
    left.mkdir(parents=True)

    def meanwhile(task):
        refusal(run_cohort, asked(bids), pools=Here(), mentions=("Another cohort runs in",))
        return pretended(task)

    assert run_cohort(asked(bids), pools=Here(meanwhile)).failed == {}
    assert not left.exists()


def test_a_disk_without_locks_is_a_note_before_the_scans_run(bids, monkeypatch):
    @contextmanager
    def unlocked(out):
        yield OutLock(False, "The disk has no locks.")

    monkeypatch.setattr(module, "locked", unlocked)
    notes = []
    done = run_cohort(asked(bids), pools=Here(), watch=Watch(planned=lambda plan: notes.extend(plan.notes)))
    assert notes == ["The disk has no locks."] and done.notes == ("The disk has no locks.",)
