"""What `adapt` takes as scans, what each is prepared by, and which it refuses before anything is worked out."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
from bids_builders import t1
from reading_builders import PCASL, bend_sidecar, refusal, series_array, write_series
from site_builders import NINE, site

from ASLDenoiseLib.pipeline.request import Denoising, Head, Outputs, Request, SeriesFile
from ASLDenoiseLib.pipeline.request_json import plain_request
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.sites.differences import check_count, refuse_copies, refuse_labellings, warnings_of
from ASLDenoiseLib.sites.look import look_at
from ASLDenoiseLib.sites.scans import find_site_scans


def request_file(path, request):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(plain_request(request)))
    return path


def seen(given):
    return [look_at(scan) for scan in find_site_scans(given)]


def test_a_series_is_prepared_with_the_t1_of_its_subject_and_nothing_but_prepared(tmp_path):
    series, _ = site(tmp_path, "sub-01", "sub-02")
    image = t1(tmp_path, "sub-01")
    (scan,) = find_site_scans([series])
    assert scan.name == "sub-01"
    assert scan.request.head.t1 == image and scan.request.series.path == series
    assert scan.request.denoising is None and scan.request.outputs == Outputs()


def test_a_request_brings_its_t1_fixes_values_and_choice_of_pairs(tmp_path):
    (series,) = site(tmp_path, "sub-01")
    asked = Request(
        SeriesFile(series, values={"label_duration": 1.4}, swap=True),
        Head(tmp_path / "other_T1w.nii.gz"),
        Preparation(pairs="1-8", motion=False),
        Denoising(),
        outputs=Outputs(folder=tmp_path / "out"),
    )
    path = request_file(tmp_path / "out" / "sub-01_request.json", asked)
    (scan,) = find_site_scans([path])
    assert scan.name == "sub-01"
    again = scan.request
    assert again.series.values == {"label_duration": 1.4} and again.series.swap
    assert again.head.t1 == tmp_path / "other_T1w.nii.gz" and again.preparation == asked.preparation
    assert again.denoising is None and again.outputs.folder is None


def test_a_folder_stands_for_its_series_else_for_the_requests_of_its_results(tmp_path):
    site(tmp_path / "set", "sub-01/ses-1", "sub-02/ses-1")
    assert [scan.name for scan in find_site_scans([tmp_path / "set"])] == ["sub-01_ses-1", "sub-02_ses-1"]
    (series,) = site(tmp_path / "more", "sub-09")
    for name in ("b", "a"):
        request_file(tmp_path / "results" / name / f"{name}_request.json", Request(SeriesFile(series)))
    assert [scan.name for scan in find_site_scans([tmp_path / "results"])] == ["a", "b"]
    mixed = find_site_scans([tmp_path / "results", series, tmp_path / "set"])
    assert [scan.name for scan in mixed] == ["a", "b", "sub-09", "sub-01_ses-1", "sub-02_ses-1"]


def test_scans_of_one_name_are_told_apart(tmp_path):
    one, other = (write_series(tmp_path / place) for place in ("a", "b"))
    assert [scan.name for scan in find_site_scans([one, other])] == ["sub-01", "sub-01 (2)"]


def test_what_is_no_scan_is_refused_with_what_to_give_instead(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("x")
    refusal(find_site_scans, [tmp_path / "gone_asl.nii.gz"], mentions=("There is no file", "gone_asl.nii.gz"))
    refusal(find_site_scans, [tmp_path / "empty"], mentions=("holds no ASL series", "DICOM", "_request.json"))
    refusal(find_site_scans, [tmp_path / "notes.txt"], mentions=("notes.txt is no scan", "NIfTI"))


def test_the_same_scan_twice_is_refused_by_its_path_and_by_its_content(tmp_path):
    series, other = site(tmp_path, "sub-01", "sub-02")
    refusal(find_site_scans, [series, other, series.parent / "." / series.name], mentions=("given twice",))
    copy = write_series(tmp_path / "copy", words=NINE, stem="sub-07", array=series_array(NINE, seed=0))
    looked = seen([series, other, copy])
    refusal(refuse_copies, looked, mentions=("sub-01 and sub-07 are the same scan", "leave one"))
    path = request_file(tmp_path / "x_request.json", Request(SeriesFile(series), preparation=Preparation(pairs="1-8")))
    refusal(refuse_copies, seen([series, path]), mentions=("sub-01 and x are the same scan",))


def test_a_scan_of_too_few_pairs_is_named_and_to_be_left_out(tmp_path):
    (few,) = site(tmp_path, "sub-01", words=("label", "control") * 7)
    refusal(seen, [few], mentions=("sub-01 has 7 pairs, and 8 are needed; leave it out",))
    (enough,) = site(tmp_path / "b", "sub-02")
    path = request_file(tmp_path / "y_request.json", Request(SeriesFile(enough), preparation=Preparation(pairs="1-5")))
    refusal(seen, [path], mentions=("y has 5 pairs", "leave it out"))


def test_of_scans_that_are_called_alike_the_file_is_told(tmp_path):
    (one,) = site(tmp_path / "a", "sub-01")
    (few,) = site(tmp_path / "b", "sub-01", words=("label", "control") * 7)
    refusal(seen, [one, few], mentions=(f"sub-01 (2) has 7 pairs, and 8 are needed (in {few}); leave it out",))


def test_several_delays_and_cbf_maps_are_refused(tmp_path):
    words = ("control", "label") * 12
    (several,) = site(tmp_path, "sub-01", words=words)
    bend_sidecar(several, PostLabelingDelay=[float(0.5 + (n // 2) % 4 * 0.5) for n in range(24)], LabelingDuration=1.4)
    refusal(seen, [several], mentions=("sub-01 has several delays", "leave it out"))
    (maps,) = site(tmp_path / "b", "sub-02", words=("cbf",) * 9)
    refusal(seen, [maps], mentions=("sub-02", "CBF maps", "controls and labels"))


def test_what_an_option_of_denoise_mends_is_sent_there_with_the_name_of_the_scan(tmp_path):
    (series,) = site(tmp_path, "sub-04", sidecar={"PostLabelingDelay": None})
    refusal(seen, [series], mentions=("Scan sub-04", "--pld", "run 'denoise' so", "_request.json"))


def test_two_scans_are_too_few(tmp_path):
    check_count(3)
    refusal(check_count, 2, mentions=("at least 3 scans", "2 scans are given", "--adapt"))
    refusal(check_count, 1, mentions=("1 scan is given",))


def test_scans_of_several_sites_are_warned_of_with_what_differs(tmp_path):
    paths = site(tmp_path, "sub-01", "sub-02", "sub-03")
    assert not any("several sites" in sentence for sentence in warnings_of(seen(paths)))
    slices = {"MRAcquisitionType": "2D", "SliceTiming": list(np.arange(16) / 50)}
    (other,) = site(tmp_path / "b", "sub-05", sidecar=slices)
    (told,) = [sentence for sentence in warnings_of(seen([*paths, other])) if "several sites" in sentence]
    assert "readout 3D: 3, 2D: 1" in told and "voxels" not in told
    first, *rest = seen(paths)
    moved = replace(first, spacing=(8.2, 8.2, 8.0), delay=2.5)
    (told,) = [sentence for sentence in warnings_of([moved, *rest]) if "several sites" in sentence]
    assert "voxels" not in told, "3 % of a voxel is no other site"
    assert "post-labelling delay 2.5 s: 1, 1.8 s: 2" in told


def test_scans_of_several_labellings_are_refused(tmp_path):
    first, *rest = seen(site(tmp_path, "sub-01", "sub-02", "sub-03"))
    refuse_labellings([replace(first, labeling=""), *rest])
    pasl = replace(first, labeling="PASL")
    refusal(refuse_labellings, [pasl, *rest], mentions=("PASL: 1, PCASL: 2", "one way at a time"))


def test_one_person_alone_and_a_person_who_teaches_and_judges_are_told(tmp_path):
    paths = site(tmp_path, "sub-01/ses-1", "sub-01/ses-2", "sub-01/ses-3", "sub-02/ses-1")
    assert "one person only" in " ".join(warnings_of(seen(paths[:3])))
    told = " ".join(warnings_of(seen([paths[3], *paths[:3]])))
    assert "sub-01_ses-3, which judges, is of the person of sub-01_ses-1, sub-01_ses-2" in told
    assert "person" not in " ".join(warnings_of(seen(paths)))
    elsewhere = site(tmp_path / "b", "sub-01/ses-1")  # another data set's first
    assert "person" not in " ".join(warnings_of(seen([*paths[:2], *elsewhere])))


def test_scans_without_a_t1_are_told(tmp_path):
    paths = site(tmp_path, "sub-01", "sub-02", "sub-03")
    t1(tmp_path, "sub-02")
    assert any("No T1 guides sub-01, sub-03:" in sentence for sentence in warnings_of(seen(paths)))


def test_a_t1_of_another_session_is_told(tmp_path):
    paths = site(tmp_path, "sub-01/ses-1", "sub-01/ses-2", "sub-02/ses-1")
    t1(tmp_path, "sub-01/ses-1")
    told = [sentence for sentence in warnings_of(seen(paths)) if "another session" in sentence]
    assert told == ["The T1 of sub-01_ses-2 is of another session."]


def test_what_a_scan_is_comes_from_its_files(tmp_path):
    (path,) = site(tmp_path, "sub-01/ses-2")
    (scan,) = seen([path])
    assert (scan.subject, scan.pairs, scan.labeling, scan.readout) == ("01", 9, "PCASL", PCASL["MRAcquisitionType"])
    assert (scan.delay, scan.voxels, scan.t1) == (1.8, "8 x 8 x 8 mm", False)
