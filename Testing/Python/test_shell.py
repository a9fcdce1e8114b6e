"""The shell contract, through `main` as a shell would call it."""

import json

import nibabel
import numpy as np
import pytest
from reading_builders import PAIRS, head, save, series_array, write_series

from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, find_model

pytestmark = pytest.mark.usefixtures("worked_out")


def truncated(folder):
    path = write_series(folder)
    path.write_bytes(path.read_bytes()[:2000])
    return path


def not_a_nifti(folder):
    path = write_series(folder)
    path.write_bytes(b"this is a text file, whatever its name says")
    return path


def broken_json(folder):
    path = write_series(folder)
    (folder / "sub-01_asl.json").write_text('{"PostLabelingDelay": 1.8,')
    return path


def filled(value):
    def make(folder):
        return write_series(folder, array=np.full((*head().shape, len(PAIRS)), value))

    return make


def only_3d(folder):
    path = write_series(folder)
    save(path, series_array(("control",))[..., 0])
    return path


BROKEN = {
    "truncated": truncated,
    "not a NIfTI": not_a_nifti,
    "context too short": lambda folder: write_series(folder, words=PAIRS[:-3], array=series_array(PAIRS)),
    "no PLD": lambda folder: write_series(folder, sidecar={"PostLabelingDelay": None}),
    "broken JSON": broken_json,
    "milliseconds": lambda folder: write_series(folder, sidecar={"PostLabelingDelay": 1800, "LabelingDuration": 1500}),
    "3D only": only_3d,
    "all NaN": filled(np.nan),
    "all zero": filled(0.0),
    "no labels": lambda folder: write_series(folder, words=("control",) * 16, array=series_array(PAIRS)),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("command", ["denoise", "quantify"])
def test_broken_input_gives_one_sentence_and_status_2_and_writes_nothing(kind, command, tmp_path, capsys):
    path = BROKEN[kind](tmp_path / "in")
    out = tmp_path / "out"
    assert main([command, str(path), "--out", str(out), "--progress", "none"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].endswith("."), printed.err
    assert "Traceback" not in printed.err
    assert not out.exists()


@pytest.mark.parametrize("command", ["inspect", "quantify", "denoise", "superres", "measure"])
def test_a_mask_given_as_t1_is_refused_in_one_sentence(command, tmp_path, capsys):
    series, t1 = write_series(tmp_path), tmp_path / "mask.nii.gz"
    save(t1, (head() > 0).astype(np.uint8))
    given = series.with_name("cbf.nii.gz") if command == "measure" else series
    save(series.with_name("cbf.nii.gz"), 50.0 * head())
    out = [] if command in ("inspect", "measure") else ["--out", str(tmp_path / "out")]
    assert main([command, str(given), "--t1", str(t1), *out]) == 2
    told = capsys.readouterr()
    assert "The T1 is a mask, not an image" in told.err and "--t1" in told.err
    assert not (tmp_path / "out").exists()


def test_inspect_says_fine_with_0_doubtful_with_1_and_unusable_with_2(tmp_path, capsys):
    fine = write_series(tmp_path / "fine", sidecar={"TotalAcquiredPairs": 8})
    doubtful = write_series(tmp_path / "doubtful", words=("control", "label") * 8, array=series_array(PAIRS))
    unusable = write_series(tmp_path / "unusable", sidecar={"PostLabelingDelay": None})
    assert main(["inspect", str(fine)]) == 0, capsys.readouterr().out
    assert main(["inspect", str(doubtful)]) == 1
    assert "--swap" in capsys.readouterr().out
    assert main(["inspect", str(unusable)]) == 2


@pytest.mark.runs
def test_parameters_given_in_the_shell_mend_what_the_sidecar_lacks_and_are_marked_so(tmp_path, capsys):
    path = write_series(tmp_path / "in", sidecar={"PostLabelingDelay": None})
    out = tmp_path / "out"
    status = main(["quantify", str(path), "--pld", "1.8", "--out", str(out), "--progress", "none", "--no-scene"])
    assert status == 0, capsys.readouterr().err
    parameters = json.loads((out / "sub-01_readouts.json").read_text("utf-8"))["parameters"]
    delay = next(p for p in parameters if p["name"] == "post_labeling_delay")
    assert (delay["value"], delay["unit"], delay["origin"]) == (1.8, "s", "user")


@pytest.mark.runs
def test_quantify_writes_the_cbf_the_consensus_equation_gives(tmp_path, capsys):
    path = write_series(tmp_path / "in", noise=0.0)
    out = tmp_path / "out"
    assert main(["quantify", str(path), "--out", str(out), "--progress", "none", "--no-scene"]) == 0
    cbf = nibabel.load(out / "sub-01_desc-mean_cbf.nii.gz").get_fdata()
    expected = 6000 * 0.9 * 0.005 * np.exp(1.8 / 1.65) / (2 * 0.85 * 1.65 * (1 - np.exp(-1.5 / 1.65)))
    assert np.nanmedian(cbf) == pytest.approx(expected, rel=1e-3)
    assert "ml/100g/min" in capsys.readouterr().out


@pytest.mark.runs
def test_denoise_writes_raw_beside_denoised_with_sidecars_and_one_table(tmp_path, capsys):
    path = write_series(tmp_path / "in", noise=20.0)
    out = tmp_path / "out"
    arguments = ["denoise", str(path), "--out", str(out), "--device", "cpu", "--progress", "json", "--no-scene"]
    assert main([*arguments, "--pairs", "1-6"]) == 0
    printed = capsys.readouterr()
    assert "Raw mean" in printed.out and "Denoised" in printed.out
    progress = [json.loads(line) for line in printed.err.splitlines() if line.startswith("{")]
    assert progress[-1]["fraction"] == 1 and all(p["elapsed_s"] >= 0 for p in progress)
    names = {p.name for p in out.iterdir()}
    assert {
        "sub-01_desc-mean_cbf.nii.gz",
        "sub-01_desc-denoised_cbf.nii.gz",
        "sub-01_desc-denoised_cbf.json",
        "sub-01_readouts.json",
        "sub-01_readouts.tsv",
        "sub-01_desc-motion_timeseries.tsv",
        "sub-01_desc-motion_timeseries.json",
        "sub-01_outliers.tsv",
        "sub-01_desc-pairs_timeseries.tsv",
        "sub-01_report.html",
        "dataset_description.json",
    } <= names
    sidecar = json.loads((out / "sub-01_desc-denoised_cbf.json").read_text("utf-8"))
    assert sidecar["Units"] == "ml/100g/min"
    assert DEFAULT_MODEL in json.dumps(sidecar)
    assert json.loads((out / "sub-01_desc-uncertainty_cbf.json").read_text("utf-8"))["Units"] == "ml/100g/min"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--model", "no-such-model"],
        ["--pairs", "99"],
        ["--pre-average", "99"],
        ["--roi", "thalamus"],
        ["--gm", "gm.nii.gz"],
        ["--context", "control,nonsense"],
        ["--m0", "nowhere.nii.gz"],
        ["--nuisance", "breathing"],
        ["--smooth", "-3"],
        ["--smooth-m0", "51"],
        ["--t1-to-asl", "nowhere.tfm"],
        ["--mni"],
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_like_broken_input(arguments, tmp_path, capsys):
    path = write_series(tmp_path / "in")
    out = tmp_path / "out"
    assert main(["denoise", str(path), "--out", str(out), "--progress", "none", *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) == 1 and error.endswith("."), error
    assert not out.exists()


def test_models_lists_the_default_model_with_its_hash(capsys):
    assert main(["models"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f"{DEFAULT_MODEL} (default)")
    assert find_model(DEFAULT_MODEL).sha256[:12] in first
