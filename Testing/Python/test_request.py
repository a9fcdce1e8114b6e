"""A request: refused where it cannot be meant, the same after a journey through JSON, and run again from the shell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from reading_builders import write_series
from request_builders import UNMOVED, made_series, region, same

from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline.request import Denoising, Head, Outputs, Region, Request, SeriesFile, SuperResolution
from ASLDenoiseLib.pipeline.request_json import FORMAT, plain_request, read_request
from ASLDenoiseLib.pipeline.run import completed, run
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.reading.images import read_image
from ASLDenoiseLib.series import Geometry, Tissue, Volume

SERIES = SeriesFile(Path("asl.nii.gz"))
T1 = Head(Path("t1.nii.gz"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Head(gm=Path("gm.nii.gz")), "belong together"),
        (lambda: Head(Path("t1.nii.gz"), t1_to_asl=np.eye(4), t1_start=np.eye(4)), "exclude each other"),
        (lambda: Head(t1_start=np.eye(4)), "without a T1"),
        (lambda: Denoising("no-such-model"), "no model 'no-such-model'"),
        (lambda: Denoising(group=0), "averages nothing"),
        (lambda: SuperResolution("magic"), "no super-resolution method 'magic'"),
        (lambda: SuperResolution(spacing=(2.0, 2.0, 2.0), like=Path("a.nii.gz")), "give one of them"),
        (lambda: SuperResolution(spacing=(2.0, -1.0, 2.0)), "three positive numbers"),
        (lambda: SuperResolution(point_spread=(2.0, -1.0, 2.0)), "three widths"),
        (lambda: Outputs(name="a/b"), "cannot begin a file name"),
        (lambda: Preparation(pairs="1;2"), "not understood"),
        (lambda: Request(SERIES, outputs=Outputs(mni=True)), "MNI space needs a T1"),
        (lambda: Request(SERIES, superresolution=SuperResolution("guided", (2.0,) * 3)), "needs a T1"),
        (lambda: Request(SERIES, superresolution=SuperResolution("smooth")), "no T1 whose grid"),
    ],
)
def test_what_cannot_be_meant_is_refused_when_it_is_said(make, words):
    with pytest.raises(InputError, match=words):
        make()


def requested() -> Request:
    """Every field said, all of it on disk."""
    return Request(
        SeriesFile(
            Path("/data/a_asl.nii.gz"),
            Path("/data/m0.nii.gz"),
            ("control", "label"),
            {"post_labeling_delay": 1.8, "labeling": "PCASL"},
            True,
            ("m0-scale", "drop-last"),
        ),
        Head(
            Path("/data/t1.nii.gz"),
            Path("/data/gm.nii.gz"),
            Path("/data/wm.nii.gz"),
            t1_start=np.diag([1.0, 1.0, 1.0, 1.0]),
        ),
        Preparation("1,4,7-9", False, ("csf",), "score", 2.0, 3.0),
        Denoising("unet2d-lfn", 2, True, False),
        SuperResolution("guided", None, Geometry((4, 5, 6), (1.0, 1.0, 2.0), (3.0, 2.0, 1.0)), (1.0, 0.0, 2.0)),
        Outputs((Region("thalamus", Path("/data/thalamus.nii.gz")),), True, Path("/data/out"), "sub-01", True),
        "cpu",
    )


def test_every_field_survives_json(tmp_path):
    plain = plain_request(requested())
    path = tmp_path / "request.json"
    path.write_text(json.dumps(plain))
    again = read_request(path)
    assert plain_request(again) == plain
    assert again.preparation == requested().preparation and again.denoising == requested().denoising
    assert again.series == requested().series and again.outputs == requested().outputs
    np.testing.assert_array_equal(again.head.t1_start, np.eye(4))


def test_files_that_are_relative_count_from_the_folder_of_the_json(tmp_path):
    path = tmp_path / "request.json"
    path.write_text(json.dumps({"format": FORMAT, "series": {"path": {"file": "raw/a_asl.nii.gz"}}}))
    assert read_request(path).series.path == tmp_path / "raw" / "a_asl.nii.gz"
    path.write_text(json.dumps({"format": FORMAT, "series": {"path": "raw/a_asl.nii.gz"}}))
    assert read_request(path).series.path == tmp_path / "raw" / "a_asl.nii.gz"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not valid JSON"),
        ("[]", "not a request of this version"),
        ('{"format": "ASLDenoise request 0"}', "not a request of this version"),
        (json.dumps({"format": FORMAT, "sequence": 1}), "not understood"),
        (json.dumps({"format": FORMAT}), "not understood"),
        (json.dumps({"format": FORMAT, "series": {"path": 3, "speed": 1}}), "not understood"),
        (json.dumps({"format": FORMAT, "series": {"path": 3}}), "give a path"),
        (
            json.dumps({"format": FORMAT, "series": {"path": {"file": "a"}}, "head": {"t1": {"at": 1}}}),
            "name a file as",
        ),
        (
            json.dumps({"format": FORMAT, "series": {"path": {"file": "a"}}, "denoising": {"model": "x"}}),
            "no model 'x'",
        ),
    ],
)
def test_a_file_that_is_no_request_is_refused_in_one_sentence_with_status_2(text, words, tmp_path, capsys):
    path = tmp_path / "request.json"
    path.write_text(text)
    assert main(["run", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip()
    assert words in said and len(said.splitlines()) == 1 and not (tmp_path / "out").exists()


def test_what_a_shell_run_was_asked_for_stands_beside_its_result_and_gives_the_same_maps_again(tmp_path, capsys):
    path = write_series(tmp_path / "in", noise=20.0, sidecar={"PostLabelingDelay": None})
    first, second = tmp_path / "first", tmp_path / "second"
    asked = ["denoise", str(path), "--pld", "1.8", "--pairs", "1,3-6", "--model", "unet2d-lfn", "--no-motion"]
    assert main([*asked, "--device", "cpu", "--out", str(first), "--no-scene", "--progress", "none"]) == 0
    assert not (first / "sub-01_inputs").exists()  # all of it was on disk already
    assert main(["run", str(first / "sub-01_request.json"), "--out", str(second), "--progress", "none"]) == 0
    written = sorted(p.name for p in first.iterdir())
    assert written == sorted(p.name for p in second.iterdir())
    for name in (name for name in written if name.endswith(".nii.gz")):
        np.testing.assert_array_equal(read_image(first / name).array, read_image(second / name).array)
    readouts = [json.loads((folder / "sub-01_readouts.json").read_text("utf-8")) for folder in (first, second)]
    assert readouts[0]["readouts"] == readouts[1]["readouts"]
    assert readouts[1]["command"].startswith("python -m ASLDenoiseLib run")


def test_what_was_asked_for_in_memory_is_written_with_its_images_and_gives_the_same_result(tmp_path):
    series, grid = made_series(), made_series().geometry
    gm, wm, brain = (Volume(np.full(grid.shape, share), grid) for share in (0.6, 0.3, 1.0))
    head = Head(series.m0, tissue=Tissue(gm, wm, None, brain, "by hand"), t1_to_asl=np.eye(4))
    outputs = Outputs((Region("centre", region()),), folder=tmp_path / "out")
    request = Request(
        series,
        Head(tissue=head.tissue),
        UNMOVED,
        Denoising("unet2d-lfn"),
        outputs=outputs,
        device="cpu",
    )
    done = completed(request)
    saved = {path.name for path in (tmp_path / "out" / "asl_inputs").iterdir()}
    assert {"series.nii.gz", "m0.nii.gz", "tissue-gm.nii.gz", "regions-1.nii.gz"} <= saved
    assert {"asl_request.json", "series.nii.gz"} <= {path.name for path in done.written.files}
    again = read_request(tmp_path / "out" / "asl_request.json")
    assert again.series.acquisition == series.acquisition
    same(run(again), done.result)


def test_results_and_their_inputs_are_replaced_as_a_whole_where_the_folder_exists(tmp_path):
    asked = Request(made_series(), preparation=UNMOVED, outputs=Outputs(folder=tmp_path / "out", name="one"))
    completed(asked)
    (tmp_path / "out" / "one_inputs" / "mine.txt").write_text("kept")
    again = read_request(tmp_path / "out" / "one_request.json")
    same(run(again), completed(asked).result)
    assert (tmp_path / "out" / "one_inputs" / "mine.txt").read_text("utf-8") == "kept"
    assert not [p for p in (tmp_path / "out").iterdir() if p.name.endswith(".partial")]
