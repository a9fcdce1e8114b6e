"""The command `bold`: experimental in every word and file, its control always beside it, and refusals in a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
nibabel = pytest.importorskip("nibabel")
from reading_builders import head, save, write_series  # noqa: E402

from ASLDenoiseLib.__main__ import main  # noqa: E402
from ASLDenoiseLib.bold import model as bold_model  # noqa: E402
from ASLDenoiseLib.bold.family import UNIT  # noqa: E402
from ASLDenoiseLib.bold.figures import pearson, temporal_snr  # noqa: E402
from ASLDenoiseLib.denoising.catalogue import list_models  # noqa: E402
from ASLDenoiseLib.learning.bundle import write_bundle  # noqa: E402
from ASLDenoiseLib.learning.recipe import read_recipe  # noqa: E402
from ASLDenoiseLib.learning.training import TrainingOutcome, first_weights  # noqa: E402

PAIRS = 5
WORDS = ("EXPERIMENTAL", "predicted from BOLD, not measured")
CHANGE = np.array([0.0, 0.01, 0.02, -0.01, -0.02])  # of the signal, by pair; it sums to nothing


@pytest.fixture(scope="module")
def bundles(tmp_path_factory) -> Path:
    """Bundles whose networks add 1 to a tenth of what they see of the middle voxel of their last channel."""
    folder = tmp_path_factory.mktemp("experimental")
    for name in ("bold-dwan", "bold-anatomy"):
        recipe = read_recipe(name)
        weights = {n: torch.zeros_like(w) for n, w in first_weights(recipe).state_dict().items()}
        weights["skip.bias"] += 1.0
        weights["skip.weight"][:, -1, 1, 1] = 0.1
        write_bundle(recipe, TrainingOutcome(weights, 1, 1.0, 0.0, True), folder / name)
    return folder


@pytest.fixture
def experimental(bundles, monkeypatch) -> Path:
    monkeypatch.setattr(bold_model, "experimental_folder", lambda: bundles)
    return bundles


def write_bold(folder: Path, *, volumes: int = 2 * PAIRS, name: str = "sub-x_bold.nii.gz") -> Path:
    """A run of label and control in turn that differ by 1 %, its signal changed pair by pair by `CHANGE`."""
    image = 500.0 * head() * (1 + 0.1 * np.random.default_rng(0).random(head().shape))
    change = np.repeat(CHANGE, 2)[:volumes]
    course = np.stack([image * (1 + c + (0.005 if n % 2 else -0.005)) for n, c in enumerate(change)], -1)
    return save(folder / name, course.astype(np.float32))


def write_mask(folder: Path) -> Path:
    return save(folder / "mask.nii.gz", head().astype(np.float32))


def run(folder: Path, *options: object) -> int:
    given = [str(o) for o in options]
    return main(["bold", *given, "--out", str(folder / "out"), "--device", "cpu", "--progress", "none"])


@pytest.fixture
def results(tmp_path, experimental, capsys) -> tuple[Path, str]:
    assert run(tmp_path, write_bold(tmp_path), "--mask", write_mask(tmp_path)) == 0
    return tmp_path / "out", capsys.readouterr().out


def loaded(path: Path) -> np.ndarray:
    return nibabel.load(path).get_fdata()


def test_every_file_and_the_output_say_experimental(results) -> None:
    out, told = results
    assert all(word in told for word in WORDS)
    images = sorted(out.glob("*.nii.gz"))
    assert [path.name for path in images] == [
        "sub-x_bold_desc-experimentalAnatomyOnly_cbf.nii.gz",
        "sub-x_bold_desc-experimentalBoldMinusAnatomy_cbf.nii.gz",
        "sub-x_bold_desc-experimentalBold_cbf.nii.gz",
        "sub-x_bold_desc-experimentalBold_cbfcourse.nii.gz",
    ]
    for path in images:
        beside = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text("utf-8"))
        assert all(word in beside["Description"] for word in WORDS)
        assert beside["Experimental"] is True and beside["Units"] == "ml/100g/min"
        assert "scale of the simulated heads" in beside["Scale"]
        assert "averaged two by two to 5 images" in beside["Averaging"]
        assert b"EXPERIMENTAL" in nibabel.load(path).header["descrip"].tobytes()
    (page,) = out.glob("*.html")
    assert page.name == "sub-x_bold_desc-experimentalBold_report.html"
    text = page.read_text("utf-8")
    assert all(word in text for word in WORDS) and "controls" in text
    assert "lesion" in text  # what is not in the maps
    figures = json.loads((out / "sub-x_bold_desc-experimentalBold_figures.json").read_text("utf-8"))
    assert figures["warning"] == "EXPERIMENTAL: predicted from BOLD, not measured"


def test_the_course_follows_bold_and_the_control_does_not(results) -> None:
    out, _ = results
    inside = head() > 0
    course = loaded(out / "sub-x_bold_desc-experimentalBold_cbfcourse.nii.gz")[inside]
    assert course.shape[-1] == PAIRS
    time = np.linspace(-1, 1, PAIRS)
    left = CHANGE - time * (CHANGE @ time) / (time @ time)  # linear drift is not seen
    wanted = 1.1 * UNIT * (1 + 0.1 * 50 * left)  # 1.1: the level is the control's
    assert np.allclose(course.mean(0), wanted, rtol=0.02)
    mean, anatomy, apart = (
        loaded(out / f"sub-x_bold_desc-experimental{name}_cbf.nii.gz")[inside]
        for name in ("Bold", "AnatomyOnly", "BoldMinusAnatomy")
    )
    assert np.allclose(mean, course.mean(-1), rtol=1e-4)
    assert np.allclose(apart, mean - anatomy, atol=1e-3)
    assert anatomy.mean() == pytest.approx(UNIT * 1.1, rel=0.01)
    assert apart.mean() == pytest.approx(0.0, abs=1e-3)


def test_outside_the_brain_nothing_is_said(results) -> None:
    out, _ = results
    for path in out.glob("*_cbf.nii.gz"):
        assert np.isnan(loaded(path)[head() == 0]).all()


def test_plain_volumes_are_taken_one_by_one(tmp_path, experimental) -> None:
    assert run(tmp_path, write_bold(tmp_path, volumes=7), "--volumes", "plain", "--mask", write_mask(tmp_path)) == 0
    course = loaded(tmp_path / "out" / "sub-x_bold_desc-experimentalBold_cbfcourse.nii.gz")
    assert course.shape[-1] == 7


def test_measured_cbf_of_the_first_echo_stands_beside_with_its_figures(tmp_path, experimental, capsys) -> None:
    asl = write_series(tmp_path, words=("label", "control") * PAIRS)
    bold, gm = write_bold(tmp_path), write_mask(tmp_path)
    wm = save(tmp_path / "wm.nii.gz", 0 * head().astype(np.float32) + (np.indices(head().shape)[0] == 16))
    assert run(tmp_path, bold, "--mask", gm, "--asl", asl, "--gm", gm, "--wm", wm) == 0
    told = capsys.readouterr().out
    for name in ("r between voxels, predicted", "r between voxels, anatomy only", "GM, r over time", "GM, SNR pred"):
        assert name in told
    beside = tmp_path / "out" / "sub-x_bold_desc-measuredMean_cbf.json"
    assert "Measured: mean of 5" in json.loads(beside.read_text("utf-8"))["Description"]


def refused(folder: Path, capsys, *options: object) -> str:
    """The sentence of a refusal with exit status 2 and nothing written."""
    assert run(folder, *options) == 2
    assert not (folder / "out").exists()
    said = capsys.readouterr().err.strip()
    assert "\n" not in said and said.endswith(".")
    return said


def test_an_odd_number_of_volumes_is_no_pairs(tmp_path, experimental, capsys) -> None:
    said = refused(tmp_path, capsys, write_bold(tmp_path, volumes=9), "--mask", write_mask(tmp_path))
    assert "9 volumes" in said and "--volumes plain" in said


def test_a_single_image_is_no_run(tmp_path, experimental, capsys) -> None:
    said = refused(tmp_path, capsys, write_bold(tmp_path, volumes=2), "--mask", write_mask(tmp_path))
    assert "fewer than 4" in said


def test_a_missing_file_is_said(tmp_path, experimental, capsys) -> None:
    assert "nowhere.nii.gz" in refused(tmp_path, capsys, tmp_path / "nowhere.nii.gz")


def test_a_mask_on_another_grid_is_refused(tmp_path, experimental, capsys) -> None:
    mask = save(tmp_path / "mask.nii.gz", np.ones((4, 4, 4), np.float32))
    assert "not on the grid" in refused(tmp_path, capsys, write_bold(tmp_path), "--mask", mask)


def test_an_asl_series_of_other_pairs_is_refused(tmp_path, experimental, capsys) -> None:
    asl = write_series(tmp_path, words=("label", "control") * 3)
    said = refused(tmp_path, capsys, write_bold(tmp_path), "--mask", write_mask(tmp_path), "--asl", asl)
    assert "3 pairs" in said and "5 images" in said


def test_grey_without_white_matter_is_refused(tmp_path, experimental, capsys) -> None:
    said = refused(tmp_path, capsys, write_bold(tmp_path), "--gm", write_mask(tmp_path))
    assert "--wm" in said


def test_sagittal_slices_are_refused(tmp_path, experimental, capsys) -> None:
    path = write_bold(tmp_path)
    image = nibabel.load(path)
    turned = image.affine[:, [2, 1, 0, 3]]
    nibabel.save(nibabel.Nifti1Image(image.get_fdata(dtype=np.float32), turned), path)
    assert "not axial" in refused(tmp_path, capsys, path)


def test_bundles_of_bold_are_not_among_the_models(experimental) -> None:
    assert not [card.name for card in list_models() if card.name.startswith("bold")]


def test_correlation_and_snr_are_nan_where_they_cannot_be_measured() -> None:
    assert np.isnan(pearson(np.ones(5), np.arange(5)))
    assert pearson(np.arange(5), 2 * np.arange(5) + 1) == pytest.approx(1.0)
    course = np.stack([np.full((2, 2, 2), v) for v in (9.0, 11.0)])
    assert temporal_snr(course, np.ones((2, 2, 2), bool)) == pytest.approx(10.0)
    assert np.isnan(temporal_snr(np.ones((3, 2, 2, 2)), np.ones((2, 2, 2), bool)))
