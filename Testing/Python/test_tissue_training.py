"""The tissue network's training: heads of label maps, how they are painted, the loop, and the packaged bundle."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tissue_training_builders import SIZE, ball_head, ball_labels  # noqa: E402

from ASLDenoiseLib.errors import InputError  # noqa: E402
from ASLDenoiseLib.learning.tissue.bundle import PACKAGED, describe_weights  # noqa: E402
from ASLDenoiseLib.learning.tissue.drawing import EASY, MODES, DeviceHead, Drawing, draw_head  # noqa: E402
from ASLDenoiseLib.learning.tissue.heads import (  # noqa: E402
    BRAIN,
    HeadClass,
    classes_and_cavity,
    load_heads,
    pack_labels,
    write_heads,
)
from ASLDenoiseLib.learning.tissue.training import (  # noqa: E402
    TissueTraining,
    learning_rate,
    overlap_of,
    tissue_loss,
    train_tissue,
)
from ASLDenoiseLib.networks.tissue_unet import WIDTHS, TissueUNet  # noqa: E402
from ASLDenoiseLib.preparing.tissue_network import weights_folder  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SMALL = Drawing(size=SIZE)
CLEAR = replace(EASY, size=SIZE, noise=(0.0, 0.0), bias=(0.0, 0.0), texture=0.0)
ONE_STEP = TissueTraining(minutes=60, steps=1, batch=1, drawing=SMALL)


@pytest.fixture(scope="module")
def head():
    return DeviceHead.of(ball_head(), "cpu")


# --- heads ----------------------------------------------------------------------------------------------------------


def test_a_packed_head_holds_the_classes_of_its_label_map_and_the_cavity():
    packed = ball_head()
    classes, cavity = classes_and_cavity(packed.voxels)
    k, j, i = np.round(packed.middle).astype(int)
    assert classes[k, j, i] == HeadClass.WM and cavity[k, j, i]
    assert classes[k, j, i + 17] == HeadClass.CORTEX and cavity[k, j, i + 17]
    assert classes[k, j, i + 22] == HeadClass.CSF and cavity[k, j, i + 22]
    assert classes[k, j, i + 25] == HeadClass.BONE and not cavity[k, j, i + 25]
    lowest = np.argwhere(np.isin(classes, BRAIN))[:, 0].min()
    assert (classes[:lowest] == HeadClass.CSF).any() and not cavity[:lowest].any()  # CSF of the spine is none of it


def test_heads_come_back_from_their_file_as_they_were(tmp_path):
    first, second = ball_head("brain-01"), ball_head("brain-15")
    back = load_heads(write_heads([first, second], tmp_path / "heads.npz"))
    assert [head.name for head in back] == ["brain-01", "brain-15"]
    assert np.array_equal(back[0].voxels, first.voxels) and np.array_equal(back[1].middle, second.middle)


def test_a_folder_of_label_maps_gives_the_same_heads(tmp_path):
    nibabel = pytest.importorskip("nibabel")
    labels = ball_labels()[:, ::-1, ::-1].transpose(2, 1, 0).astype(np.int16)  # LPS (k, j, i) to RAS (i, j, k)
    nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), tmp_path / "head-a_labels.nii.gz")
    (read,) = load_heads(tmp_path)
    assert read.name == "head-a" and np.array_equal(read.voxels, ball_head().voxels)


def test_labels_without_a_brain_and_files_without_heads_are_refused(tmp_path):
    with pytest.raises(InputError, match="no brain labels"):
        pack_labels(np.full((4, 4, 4), 516), "skin")
    with pytest.raises(InputError, match="holds no heads"):
        load_heads(tmp_path / "none.npz")


# --- drawing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_every_contrast_gives_a_finite_image_and_fractions_that_sum_to_no_more_than_one(head, mode):
    for seed in range(4):
        image, target = draw_head(head, seed, mode=mode, drawing=SMALL)
        assert image.shape == SIZE and target.shape == (4, *SIZE)
        assert bool(image.isfinite().all()) and float(image.min()) >= 0 and 0.5 < float(image.max()) <= 3
        assert float(target.min()) >= 0 and float(target.sum(dim=0).max()) <= 1 + 1e-5
        assert float(target.sum()) > 100


def test_the_fractions_follow_the_image_a_clear_t1_has_csf_below_grey_below_white_matter(head):
    image, target = draw_head(head, 3, mode="T1", drawing=CLEAR)
    csf, grey, white = (float(image[part > 0.99].mean()) for part in target[:3])
    assert csf < grey < white
    assert grey / white == pytest.approx(0.58 / 0.95, rel=0.02) and csf / white == pytest.approx(0.18 / 0.95, rel=0.05)


def test_a_clear_t2_turns_the_order_round(head):
    image, target = draw_head(head, 3, mode="T2", drawing=CLEAR)
    csf, grey, white = (float(image[part > 0.99].mean()) for part in target[:3])
    assert csf > grey > white


def test_the_same_seed_draws_the_same_head_and_another_seed_another(head):
    (a, at), (b, bt), (c, _) = (draw_head(head, seed, drawing=SMALL) for seed in (5, 5, 6))
    assert torch.equal(a, b) and torch.equal(at, bt) and not torch.equal(a, c)


def test_what_a_cropped_scan_does_not_show_is_neither_in_the_image_nor_in_the_target(head):
    cut = replace(CLEAR, cropped=1.0)
    for seed in range(8):
        image, target = draw_head(head, seed, mode="T1", drawing=cut)
        _, whole = draw_head(head, seed, mode="T1", drawing=CLEAR)
        hidden = (whole.sum(dim=0) > 0.99) & (target.sum(dim=0) == 0)
        if bool(hidden.any()):
            assert float(image[hidden].max()) == 0
            return
    pytest.fail("no scan was cropped")


def test_a_stripped_head_has_nothing_outside_its_cavity_but_noise():
    stripped, head = replace(CLEAR, stripped=1.0), DeviceHead.of(ball_head(), "cpu")
    image, target = draw_head(head, 2, mode="T1", drawing=stripped)
    whole, _ = draw_head(head, 2, mode="T1", drawing=CLEAR)
    assert int((image > 0).sum()) < 0.8 * int((whole > 0).sum()) and float(image[target[2] > 0.99].min()) > 0.5


# --- the loop -------------------------------------------------------------------------------------------------------


def test_the_loss_is_least_for_the_truth_and_the_overlap_is_one():
    target = torch.zeros(1, 4, 4, 4, 4)
    target[:, 1, :2] = 1
    right = torch.cat([1 - target.sum(dim=1, keepdim=True), target], dim=1)
    assert float(tissue_loss(30 * right, target)) == pytest.approx(0.0, abs=1e-3)
    assert float(tissue_loss(30 * right.flip(2), target)) > 10
    assert overlap_of(target, target) == pytest.approx(1.0) and overlap_of(target, 0 * target) == 0


def test_the_rate_warms_up_and_comes_down_to_two_per_cent_with_time_or_steps():
    settings = TissueTraining(minutes=1)
    assert learning_rate(settings, 0, 0.0) == pytest.approx(2e-5)
    assert learning_rate(settings, 500, 0.0) == pytest.approx(2e-3)
    assert learning_rate(settings, 500, 60.0) == pytest.approx(4e-5)
    assert learning_rate(replace(settings, steps=500), 500, 0.0) == pytest.approx(4e-5)


@pytest.mark.trains
def test_training_lowers_the_loss_of_a_head(tmp_path, head):
    settings = TissueTraining(minutes=60, steps=12, batch=1, drawing=replace(CLEAR, size=SIZE))
    image, target = draw_head(head, 99, mode="T1", drawing=settings.drawing)

    def loss(steps: int) -> float:
        network = TissueUNet()
        stopped = replace(settings, steps=steps)
        network.load_state_dict(
            train_tissue([ball_head()], stopped, tmp_path / f"{steps}.pt", told=lambda _: 0).weights
        )
        with torch.inference_mode():
            return float(tissue_loss(network(image[None, None]), target[None]))

    assert loss(12) < loss(1) - 0.02


@pytest.mark.trains
def test_a_stopped_training_goes_on_at_its_step_and_ends_where_an_unbroken_one_does(tmp_path):
    lines = []
    heads, two = [ball_head(), ball_head("brain-16")], replace(ONE_STEP, steps=2)
    first = train_tissue(heads, ONE_STEP, tmp_path / "tissue.pt", told=lines.append)
    second = train_tissue(heads, two, tmp_path / "tissue.pt", told=lines.append)
    elsewhere = train_tissue(heads, two, tmp_path / "other.pt", start=tmp_path / "tissue.pt", told=lines.append)
    assert (first.steps, second.steps, elsewhere.steps) == (1, 2, 2) and np.isfinite([first.loss, second.loss]).all()
    assert first.anatomies == ("head-a",) and set(second.overlap) == set(MODES[:-1])
    assert [line.split(",")[0] for line in lines] == ["step 1", "step 2"]
    unbroken = train_tissue(heads, two, tmp_path / "unbroken.pt", told=lambda _: 0)
    for name, value in unbroken.weights.items():
        assert torch.allclose(value, second.weights[name], atol=1e-5), name
        assert torch.equal(second.weights[name], elsewhere.weights[name]), name


def test_there_must_be_a_head_to_learn_from_and_a_checkpoint_of_this_training(tmp_path):
    with pytest.raises(InputError, match="no head to learn from"):
        train_tissue([ball_head("brain-16")], ONE_STEP, tmp_path / "tissue.pt")
    torch.save({"step": 1}, tmp_path / "tissue.pt")
    with pytest.raises(InputError, match="no checkpoint of this training"):
        train_tissue([ball_head()], ONE_STEP, tmp_path / "tissue.pt")


@pytest.mark.child
def test_the_command_trains_from_a_file_of_heads_with_torch_and_numpy_alone_and_writes_a_bundle(tmp_path):
    write_heads([ball_head()], tmp_path / "heads.npz")
    code = f"""
import sys
sys.modules.update(dict.fromkeys(("monai", "nibabel", "scipy", "skimage", "SimpleITK", "ants")))
from ASLDenoiseLib.learning.tissue.__main__ import main
out, size = {str(tmp_path / "out")!r}, ("--size", "32", "32", "32")
sys.exit(main(["--labels", {str(tmp_path / "heads.npz")!r}, "--out", out, "--steps", "1", "--batch", "1", *size]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    bundle = tmp_path / "out" / "bundle"
    assert json.loads((bundle / "configs" / "metadata.json").read_text("utf-8"))["training"]["steps"] == 1
    TissueUNet().load_state_dict(torch.load(bundle / "models" / "model.pt", weights_only=True))


# --- the packaged bundle --------------------------------------------------------------------------------------------


def test_the_packaged_bundle_tells_of_the_weights_that_lie_in_it():
    folder = weights_folder()
    metadata = json.loads((folder / "configs" / "metadata.json").read_text("utf-8"))
    assert metadata["sha256"] == hashlib.sha256((folder / "models" / "model.pt").read_bytes()).hexdigest()
    weights = torch.load(folder / "models" / "model.pt", weights_only=True)
    assert metadata["parameters"] == sum(w.numel() for w in weights.values()) == 2_327_997
    assert {w.dtype for w in weights.values()} == {torch.float16}
    saw = metadata["training"]["saw"]
    assert saw["anatomies"] == [f"brain-{n:02d}" for n in range(1, 15)]
    assert saw["never"] == ["brain-15", "brain-16", "brain-17"]
    assert "not for diagnosis" in metadata["intended_use"]


def test_the_packaged_description_is_what_its_function_writes(tmp_path):
    written, there = tmp_path / "bundle", weights_folder()
    (written / "models").mkdir(parents=True)
    (written / "models" / "model.pt").write_bytes((there / "models" / "model.pt").read_bytes())
    describe_weights(written, PACKAGED)
    assert (written / "docs" / "README.md").read_text("utf-8") == (there / "docs" / "README.md").read_text("utf-8")
    mine, packaged = (json.loads((f / "configs" / "metadata.json").read_text("utf-8")) for f in (written, there))
    for version in ("version", "monai_version", "pytorch_version"):  # of whoever wrote it
        del mine[version], packaged[version]
    assert mine == packaged


def test_pip_and_cmake_take_the_tissue_network_along():
    assert '"Tissue/**"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert '"Resources/*"' in (ROOT / "CMakeLists.txt").read_text("utf-8")


def test_our_network_is_monais_layer_by_layer():
    nets = pytest.importorskip("monai.networks.nets", reason="MONAI is not here")
    options = {"channels": WIDTHS, "strides": (2,) * 4, "num_res_units": 2, "norm": "INSTANCE", "act": "LEAKYRELU"}
    theirs = nets.UNet(spatial_dims=3, in_channels=1, out_channels=5, **options).eval()
    ours = TissueUNet().eval()
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    x = torch.randn(1, 1, 32, 48, 16)
    with torch.inference_mode():
        assert torch.allclose(ours(x), theirs(x), atol=1e-5)
