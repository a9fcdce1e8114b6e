"""What a cohort does with every scan: a template's choices, and each scan's own series, head and place."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from reading_builders import head, refusal, save

from ASLDenoiseLib.participants.scan import CohortScan
from ASLDenoiseLib.participants.template import (
    Template,
    left_out,
    read_template,
    request_of,
    require_files,
    template_of,
)
from ASLDenoiseLib.pipeline.request import Atlas, Denoising, Head, Outputs, Request, SeriesFile
from ASLDenoiseLib.pipeline.request_json import FORMAT, plain_request
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.series import Geometry, Volume

SCAN = CohortScan("sub-02_ses-1", "02", "1", Path("set/sub-02_ses-1_asl.nii.gz"), Path("set/sub-02_T1w.nii.gz"))
BARE = CohortScan("sub-03", "03", "", Path("set/sub-03_asl.nii.gz"))


def written(folder: Path, **parts: object) -> Path:
    path = folder / "made_request.json"
    path.write_text(json.dumps({"format": FORMAT, **parts}))
    return path


def test_without_a_template_a_scan_is_denoised_by_the_default_model_with_mni_space_and_scene(tmp_path):
    request = request_of(SCAN, Template(), tmp_path)
    assert request.denoising == Denoising() and request.preparation == Preparation()
    assert request.series == SeriesFile(SCAN.series) and request.head.t1 == SCAN.t1
    outputs = request.outputs
    assert outputs.mni and outputs.scene and outputs.name == "sub-02_ses-1"
    assert outputs.folder == tmp_path / "sub-02" / "ses-1" / "perf" and outputs.dataset == tmp_path


def test_a_scan_without_t1_runs_without_what_needs_one_and_says_so(tmp_path):
    atlas = Atlas(Path("lobes.nii.gz"), space="mni")
    template = Template(outputs=Outputs(mni=True, atlases=(atlas,)))
    request = request_of(BARE, template, tmp_path)
    assert not request.outputs.mni and request.outputs.atlases == ()
    assert left_out(BARE, template) == ("It runs without MNI space and the regions of the atlas, for want of a T1.",)
    assert left_out(SCAN, template) == () and request_of(SCAN, template, tmp_path).outputs.atlases == (atlas,)


def test_the_request_of_any_result_is_a_template_its_own_series_t1_and_places_replaced(tmp_path):
    series = SeriesFile(
        Path("/x/sub-01_asl.nii.gz"), 1000.0, "label,control", {"labeling_efficiency": 0.8}, True, ("drop-first",), 3
    )
    outputs = Outputs(mni=True, folder=tmp_path / "results", name="mine", scene=True)
    of_one = Request(series, Head(Path("/x/t1.nii.gz")), Preparation(pairs="1-10"), outputs=outputs, device="cpu")
    path = tmp_path / "sub-01_request.json"
    path.write_text(json.dumps(plain_request(of_one)))
    template = read_template(path)
    request = request_of(SCAN, template, tmp_path / "out")
    kept = {"m0": 1000.0, "context": "label,control", "values": {"labeling_efficiency": 0.8}, "swap": True}
    assert request.series == SeriesFile(SCAN.series, **kept, fixes=("drop-first",))
    assert (request.denoising, request.preparation.pairs, request.device) == (None, "1-10", "cpu")
    assert (request.head.t1, request.outputs.name, request.outputs.mni) == (SCAN.t1, SCAN.name, True)
    assert request.outputs.folder == tmp_path / "out" / SCAN.place
    again = request_of(SCAN, template_of(of_one), tmp_path / "out")
    assert plain_request(again) == plain_request(request)


def test_a_template_needs_no_series(tmp_path):
    template = read_template(written(tmp_path, denoising={"model": "dwan-lfn"}, outputs={"mni": True}))
    assert request_of(SCAN, template, tmp_path).denoising == Denoising("dwan-lfn")
    assert template.outputs.mni and not template.outputs.scene


def test_a_series_that_was_in_memory_leaves_its_choices_and_not_its_sidecar(tmp_path):
    series = {"voxels": {"file": "gone.nii.gz"}, "context": ["label", "control"], "acquisition": {}}
    template = read_template(written(tmp_path, series=series, preparation={"motion": False}))
    request = request_of(SCAN, template, tmp_path)
    assert request.series == SeriesFile(SCAN.series) and not request.preparation.motion


FILE = {"file": "x.nii.gz"}
OF_ONE_SCAN = {
    "an M0 image": {"series": {"path": FILE, "m0": FILE}},
    "a mask of grey matter": {"head": {"gm": FILE, "wm": FILE}},
    "a label map": {"head": {"labels": FILE}},
    "tissue": {"head": {"tissue": {"tissue_maps": {"gm": FILE}}}},
    "a transform of the T1": {"head": {"t1": FILE, "t1_to_asl": FILE}},
    "pairs taken out by hand": {"preparation": {"taken_out": "3"}},
    "the grid of an image": {"superresolution": {"like": FILE}},
    "regions drawn on its images": {"outputs": {"regions": [{"name": "a", "mask": FILE}]}},
    "an arrival time map": {"arrival": {"att": FILE}},
    "lies on one scan": {"outputs": {"atlases": [{"labels": FILE, "space": "t1"}]}},
}


@pytest.mark.parametrize("what", OF_ONE_SCAN)
def test_what_belongs_to_one_scan_is_refused_in_one_sentence(what, tmp_path):
    refusal(read_template, written(tmp_path, **OF_ONE_SCAN[what]), mentions=(what,))


def test_a_template_that_is_none_is_refused(tmp_path):
    refusal(read_template, tmp_path / "none.json", mentions=("no request",))
    refusal(read_template, written(tmp_path, denosing={}), mentions=("'denosing'", "denoising"))
    refusal(read_template, written(tmp_path, denoising={"model": "none"}), mentions=("no model 'none'",))
    refusal(read_template, written(tmp_path, preparation=3), mentions=("preparation", "3"))
    path = tmp_path / "other.json"
    path.write_text("{}")
    refusal(read_template, path, mentions=("not a request of this version",))


def test_an_atlas_in_memory_goes_with_a_template(tmp_path):
    labels = Volume(np.ones((2, 2, 2), np.float32), Geometry((2, 2, 2), (1.0, 1.0, 1.0)))
    outputs = Outputs(atlases=(Atlas(labels, {"1": "all"}, "mni"),))
    template = template_of(Request(SeriesFile(Path("a_asl.nii.gz")), Head(Path("t1.nii.gz")), outputs=outputs))
    (atlas,) = request_of(SCAN, template, tmp_path).outputs.atlases
    assert atlas.labels is labels and atlas.names == {"1": "all"}


def test_a_label_map_of_the_head_serves_as_tissue_and_as_regions(tmp_path):
    pytest.importorskip("ASLDenoiseLib.reading.segmentations")
    labels = save(tmp_path / "sub-02_synthseg.nii.gz", head())
    scan = CohortScan("sub-02", "02", "", SCAN.series, SCAN.t1, labels)
    request = request_of(scan, Template(), tmp_path)
    assert (request.head.labels, request.head.tissue_space) == (labels, "t1")
    (atlas,) = request.outputs.atlases
    assert (atlas.labels, atlas.space) == (labels, "t1") and atlas.names["17"] == "Left-Hippocampus"


def test_files_of_a_template_that_are_not_there_are_refused_once(tmp_path):
    require_files(Template())
    for atlas, mentions in (
        (Atlas(tmp_path / "none.nii.gz", space="mni"), "no atlas"),
        (Atlas(save(tmp_path / "a.nii.gz", head()), tmp_path / "none.tsv", "mni"), "no table of names"),
    ):
        refusal(require_files, Template(outputs=Outputs(atlases=(atlas,))), mentions=(mentions,))
    series = SeriesFile(Path("x_asl.nii.gz"), context=tmp_path / "none.tsv")
    refusal(require_files, Template(series=series), mentions=("no context file",))
