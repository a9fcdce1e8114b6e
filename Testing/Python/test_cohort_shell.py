"""The command ``cohort`` and ``ad.cohort``: what they take, print and return, with scans that run in this process."""

from __future__ import annotations

import json

import pytest
from bids_builders import data_set
from cohort_runs import Here, pretended
from reading_builders import bend_sidecar, refusal

import ASLDenoiseLib as ad
from ASLDenoiseLib.__main__ import main, make_parser
from ASLDenoiseLib.participants import cohort as module
from ASLDenoiseLib.participants.clusters import Workers
from ASLDenoiseLib.pipeline.request_json import FORMAT
from ASLDenoiseLib.shell.cohort import cohort_of, workers_of


@pytest.fixture
def pools(monkeypatch):
    here = Here()
    for name in ("run_cohort", "plan_cohort"):
        monkeypatch.setitem(getattr(module, name).__kwdefaults__, "pools", here)
    return here


@pytest.fixture
def bids(tmp_path):
    return data_set(tmp_path / "set", "sub-01/ses-1", "sub-02/ses-1")


def template(folder, **parts):
    path = folder / "template.json"
    path.write_text(json.dumps({"format": FORMAT, **parts}))
    return str(path)


def test_it_takes_the_arguments_of_a_bids_app():
    line = [
        "cohort",
        "in",
        "out",
        "participant",
        "group",
        "--participant_label",
        "01",
        "sub-02",
        "--session-label",
        "a",
    ]
    args = make_parser().parse_args([*line, "--workers", "3", "--threads", "2"])
    args.command_line = "typed"
    asked = cohort_of(args)
    assert (str(asked.bids), str(asked.out), asked.levels) == ("in", "out", ("participant", "group"))
    assert (asked.participants, asked.sessions) == (("01", "sub-02"), ("a",))
    assert asked.template.outputs.mni and asked.template.outputs.scene and asked.template.outputs.command == "typed"
    assert workers_of(args) == Workers(3, 2)
    for wrong in (["everything"], ["participant", "--scheduler", "a", "--cluster", "b"]):
        with pytest.raises(SystemExit):
            make_parser().parse_args(["cohort", "in", "out", *wrong])


def test_an_atlas_lies_in_mni_space_unless_it_says_otherwise_which_is_refused(tmp_path, bids, capsys):
    args = make_parser().parse_args(["cohort", "in", "out", "participant", "--atlas", "lobes.nii.gz"])
    args.command_line = ""
    (atlas,) = cohort_of(args).template.outputs.atlases
    assert (atlas.labels.name, atlas.space) == ("lobes.nii.gz", "mni")
    assert main(["cohort", str(bids), str(tmp_path / "out"), "participant", "--atlas", "lobes.nii.gz@t1"]) == 2
    assert "lies on one scan" in capsys.readouterr().err


def test_a_dry_run_lists_every_scan_with_what_it_lacks_and_writes_nothing(tmp_path, bids, pools, capsys):
    (bids / "sub-02/ses-1/perf/sub-02_ses-1_aslcontext.tsv").unlink()
    before = sorted(bids.rglob("*"))
    line = ["cohort", str(bids), str(tmp_path / "out"), "participant", "--dry-run"]
    assert main(line) == 2
    printed = capsys.readouterr()
    rows = printed.out.splitlines()
    assert rows[0].split() == ["scan", "T1", "M0", "state"]
    assert rows[1].split() == ["sub-01_ses-1", "none", "separate", "to", "run"]
    assert rows[2] == "    warning: It has no T1: tissue is guessed from perfusion."
    assert "sub-02_ses-1  none  -         cannot be run" in printed.out
    assert "2 scans: 1 to run, 1 that cannot be run." in rows
    assert not (tmp_path / "out").exists() and sorted(bids.rglob("*")) == before and pools.ran == []
    assert main([*line, "--participant-label", "01"]) == 1, "warnings, as inspect"


def test_a_dry_run_says_what_is_finished_and_what_somebody_changed(tmp_path, bids, pools, capsys):
    line = ["cohort", str(bids), str(tmp_path / "out"), "participant", "--progress", "none"]
    assert main(line) == 0
    assert main([*line, "--dry-run"]) == 0
    assert "2 scans: 0 to run, 2 finished already." in capsys.readouterr().out
    (tmp_path / "out/sub-01/ses-1/perf/sub-01_ses-1_report.html").write_text("mine")
    assert main([*line, "--dry-run"]) == 1
    assert "sub-01_ses-1_report.html was changed since it was written." in capsys.readouterr().out


def test_what_failed_is_printed_with_its_sentence_and_gives_status_1(tmp_path, bids, pools, capsys):
    bend_sidecar(bids / "sub-02/ses-1/perf/sub-02_ses-1_asl.nii.gz", PostLabelingDelay=None)
    assert main(["cohort", str(bids), str(tmp_path / "out"), "participant"]) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("1 of 2 scans are done, 1 failed; their results are in")
    assert "  sub-02_ses-1: The post-labelling delay" in printed.out and "in its sidecar" in printed.out
    assert "2 scans: 1 to run, 1 that cannot be run." in printed.err
    assert "warning: sub-01_ses-1, sub-02_ses-1: It has no T1" in printed.err, "told once, of both"


@pytest.mark.parametrize(
    ("line", "mentions"),
    [
        (["{set}", "{set}", "participant"], "is the BIDS data set itself"),
        (["{set}/sub-01", "{out}", "participant"], "no BIDS data set"),
        (["{set}", "{out}", "participant", "--participant-label", "7"], "participant '7'"),
        (["{set}", "{out}", "participant", "--request", "{set}/none.json"], "no request"),
        (["{set}", "{out}", "participant", "--workers", "0"], "number of workers is 0"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_status_2(line, mentions, tmp_path, bids, pools, capsys):
    places = {"set": bids, "out": tmp_path / "out"}
    assert main(["cohort", *(word.format(**places) for word in line)]) == 2
    printed = capsys.readouterr()
    (sentence,) = printed.err.splitlines()
    assert mentions in sentence and sentence.endswith(".") and printed.out == ""
    assert not (tmp_path / "out").exists()


def test_an_out_that_may_not_be_written_to_is_one_sentence(tmp_path, bids, pools, capsys, monkeypatch):
    (tmp_path / "out").mkdir()
    monkeypatch.setattr("os.access", lambda path, mode, **how: str(path) != str(tmp_path / "out"))
    assert main(["cohort", str(bids), str(tmp_path / "out"), "participant"]) == 2
    assert capsys.readouterr().err == f"{tmp_path / 'out'} may not be written to; give a folder that may.\n"
    assert list((tmp_path / "out").iterdir()) == []


def test_who_stops_it_is_told_how_far_it_came_with_status_130(tmp_path, bids, monkeypatch, capsys):
    def stopped(task):
        if task.scan.participant == "02":
            raise KeyboardInterrupt
        return pretended(task)

    monkeypatch.setitem(module.run_cohort.__kwdefaults__, "pools", Here(stopped))
    assert main(["cohort", str(bids), str(tmp_path / "out"), "participant"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "Stopped: 1 of 2 scans are done; the same command goes on."


def test_a_template_is_what_is_done_with_each_scan(tmp_path, bids, monkeypatch):
    asked = []

    def noting(task):
        asked.append(task.request)
        return pretended(task)

    monkeypatch.setitem(module.run_cohort.__kwdefaults__, "pools", Here(noting))
    path = template(tmp_path, preparation={"pairs": "1-4"}, outputs={"scene": True})
    assert main(["cohort", str(bids), str(tmp_path / "out"), "participant", "--request", path]) == 0
    assert {request.preparation.pairs for request in asked} == {"1-4"}
    assert {request.denoising for request in asked} == {None}
    assert {request.outputs.name for request in asked} == {"sub-01_ses-1", "sub-02_ses-1"}


def test_the_console_s_call_gives_records_failures_and_tables(tmp_path, bids, pools):
    bend_sidecar(bids / "sub-02/ses-1/perf/sub-02_ses-1_asl.nii.gz", PostLabelingDelay=None)
    told = []
    out = tmp_path / "out"
    study = ad.cohort(
        str(bids), out, levels=("participant",), progress=lambda fraction, text: told.append((fraction, text))
    )
    assert study.folder == out and [record.name for record in study.records] == ["sub-01_ses-1", "sub-02_ses-1"]
    assert list(study.failed) == ["sub-02_ses-1"] and "2 scans, 1 failed" in repr(study)
    assert told == [(1.0, "sub-01_ses-1 is over")]
    table = study.scans
    assert list(table["status"]) == ["done", "failed"] and table["raw_gm_mean"][0] == 60.0


def test_the_console_s_call_takes_a_request_and_an_atlas(tmp_path, bids, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "ASLDenoiseLib.participants.console.run_cohort", lambda cohort, **how: asked.append((cohort, how))
    )
    request = ad.Request("a_asl.nii.gz", preparation=ad.Preparation(pairs="1-4"))
    atlas = ad.Atlas("lobes.nii.gz", space="mni")
    ad.cohort(bids, tmp_path / "out", request=request, atlas=atlas, participants=["01"], workers=2)
    ((cohort, how),) = asked
    assert cohort.template.preparation.pairs == "1-4" and cohort.template.outputs.atlases == (atlas,)
    assert cohort.participants == ("01",) and how["workers"] == Workers(2)
    refusal(ad.cohort, bids, tmp_path, request=3, mentions=("'request' is 3",))


def test_progress_in_json_is_lines_of_json_alone_and_counts_what_was_finished_before(tmp_path, bids, pools, capsys):
    line = ["cohort", str(bids), str(tmp_path / "out"), "participant", "--progress", "json"]
    assert main([*line, "--participant-label", "01"]) == 0
    capsys.readouterr()
    assert main(line) == 0
    told = [json.loads(each) for each in capsys.readouterr().err.splitlines()]
    assert [(each["done"], each["failed"], each["text"]) for each in told] == [(2, 0, "sub-02_ses-1: done")]
