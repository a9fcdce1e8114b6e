"""Where the phantoms of a training come from: a pack of anatomies, workers, and boxes cut out on the device."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from phantom_builders import ball_head  # noqa: E402
from training_builders import TINY, pool, write_heads  # noqa: E402

from ASLDenoiseLib.errors import InputError  # noqa: E402
from ASLDenoiseLib.learning.anatomy import read_anatomy  # noqa: E402
from ASLDenoiseLib.learning.anatomy_pack import anatomy_names, load_anatomies, load_strokes, write_pack  # noqa: E402
from ASLDenoiseLib.learning.phantom import draw_phantom  # noqa: E402
from ASLDenoiseLib.learning.pool import GrowingPool, PoolPlan  # noqa: E402
from ASLDenoiseLib.learning.stroke_masks import StrokeMask  # noqa: E402
from ASLDenoiseLib.learning.tasks.crops import cut_at_random  # noqa: E402
from ASLDenoiseLib.learning.volumes import Volumes  # noqa: E402

ABSENT_ON_A_BARE_MACHINE = ("nibabel", "monai", "SimpleITK", "scipy", "ants", "skimage", "nilearn")


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("heads")
    write_heads(folder)
    return write_pack(load_anatomies(folder), folder / "heads.npz")


def plan_of(source: Path, cache: Path, count: int = 10) -> PoolPlan:
    return PoolPlan(source, ("head-a",), TINY.phantom, count, 5, cache)


def same(a: Volumes, b: Volumes) -> bool:
    return all(torch.equal(getattr(a, n), getattr(b, n)) for n in ("perfusion", "m0", "brain", "t1", "spacing"))


def test_a_pack_gives_the_phantoms_that_its_label_maps_give(packed) -> None:
    assert anatomy_names(packed) == ("head-a", "head-b")
    (head,) = load_anatomies(packed, ["head-a"])
    label_map = read_anatomy(packed.parent / "head-a_labels.nii.gz")
    assert np.array_equal(head.classes, label_map.classes)
    one, other = (draw_phantom(each, TINY.phantom, seed=3) for each in (head, label_map))
    assert torch.equal(one.perfusion, other.perfusion)


def test_ventricles_survive_packing(tmp_path) -> None:
    (head,) = load_anatomies(write_pack([ball_head()], tmp_path / "ball.npz"))
    assert np.array_equal(head.packed, ball_head().packed)


def test_strokes_come_out_of_a_pack_as_they_went_in_and_shape_lesions(packed, tmp_path) -> None:
    voxels = torch.zeros(42, 42, 42, dtype=torch.bool)
    voxels[1:-1, 1:-1, 1:-1] = True
    stroke = StrokeMask(7, voxels, torch.tensor([-20.0, -30.0, 0.0]), torch.ones(3))
    path = write_pack(load_anatomies(packed), tmp_path / "both.npz", strokes=[stroke])
    assert anatomy_names(path) == anatomy_names(packed) and not load_strokes(packed)
    (found,) = load_strokes(path)
    assert found.number == 7 and torch.equal(found.voxels, voxels) and torch.equal(found.origin, stroke.origin)
    all_ill = replace(TINY.phantom, lesions=1, lesion_chance=1.0, lesion_strokes=1.0, lesion_kinds=(1.0, 0.0, 0.0))
    plans = (
        replace(plan_of(path, tmp_path / str(n), 2), settings=all_ill, strokes=strokes)
        for n, strokes in enumerate((None, path))
    )
    balls, strokes = (plan.all_at_once() for plan in plans)
    assert strokes.lesion.any() and not torch.equal(balls.lesion, strokes.lesion)


def test_what_is_no_pack_is_refused_in_words(tmp_path) -> None:
    path = tmp_path / "heads.npz"
    path.write_text("no")
    with pytest.raises(InputError, match="ASLDenoiseLib anatomies"):
        load_anatomies(path)
    with pytest.raises(InputError, match="ASLDenoiseLib anatomies"):
        anatomy_names(tmp_path / "absent.npz")


@pytest.mark.child
def test_workers_draw_the_phantoms_that_would_have_been_drawn_at_once(packed, tmp_path) -> None:
    at_once = plan_of(packed, tmp_path / "one").all_at_once()
    growing = GrowingPool(plan_of(packed, tmp_path / "other"), workers=1, device="cpu")
    try:
        volumes = growing.volumes()  # ten are less than what training begins with, so it waits for all
    finally:
        growing.close()
    assert len(volumes) == 10 and same(volumes, at_once)


def test_a_larger_pool_draws_what_a_smaller_ones_last_file_lacks(packed, tmp_path) -> None:
    few = plan_of(packed, tmp_path, 2).all_at_once()
    more = plan_of(packed, tmp_path, 3).all_at_once()
    again = plan_of(packed, tmp_path, 1).all_at_once()
    assert (len(few), len(more), len(again)) == (2, 3, 1)
    assert same(few, more.head(2)) and same(again, few.head(1))


def test_boxes_lie_round_brain_and_hold_the_same_voxels_of_every_image() -> None:
    volumes = pool(3, (6, 16, 16))
    counted = torch.arange(3 * 6 * 16 * 16.0).reshape(3, 6, 16, 16)
    brain = torch.zeros(3, 6, 16, 16, dtype=torch.bool)
    brain[:, 2, 3, 12] = True
    classes = torch.stack([counted, counted + 1, counted + 2], dim=1)
    volumes = Volumes(
        *(counted, counted + 5, volumes.gm, volumes.wm, brain, brain, classes, volumes.gm_level, volumes.spacing)
    )
    index = torch.tensor([2, 0, 2, 1] * 8)
    boxes = cut_at_random(volumes, index, (4, 7, 7), torch.Generator().manual_seed(0))
    assert boxes.perfusion.shape == (32, 4, 7, 7) and boxes.t1.shape == (32, 3, 4, 7, 7)
    assert boxes.brain.sum(dim=(1, 2, 3)).eq(1).all()
    assert torch.equal(boxes.m0, boxes.perfusion + 5) and torch.equal(boxes.t1[:, 2], boxes.perfusion + 2)
    assert torch.equal((boxes.perfusion[:, 0, 0, 0] // (6 * 16 * 16)).long(), index)
    steps = {tuple(each.diff(dim=d).flatten()[0].item() for d in (0, 1, 2)) for each in boxes.perfusion}
    assert len(steps) > 8  # mirrored along three axes, j and i exchanged
    assert {abs(s[0]) for s in steps} == {256.0} and {abs(s[2]) for s in steps} == {1.0, 16.0}


def test_a_volume_smaller_than_the_box_is_taken_whole() -> None:
    boxes = cut_at_random(pool(2), torch.tensor([0, 1]), (16, 40, 40), torch.Generator().manual_seed(0))
    assert boxes.perfusion.shape == (2, 6, 16, 16)


@pytest.mark.child
@pytest.mark.trains
def test_one_command_trains_and_bundles_where_there_is_torch_and_numpy_alone(packed, repo_root, tmp_path) -> None:
    absent = tmp_path / "absent"
    absent.mkdir()
    for name in ABSENT_ON_A_BARE_MACHINE:
        (absent / f"{name}.py").write_text("raise ImportError('not on a bare machine')")
    recipe = {
        **{"name": "bare", "network": "guided-unet", "batch": 2, "steps": 3, "phantoms": 9, "validation_phantoms": 1},
        "validation": ["head-b"],
        "phantom": {"size": [16, 16, 6], "spacing_xy": [9, 9], "spacing_z": [20, 20]},
        "noise": {"rim": [0, 6], "resampled": 0.5},
    }
    (tmp_path / "bare.json").write_text(json.dumps(recipe))
    paths = os.pathsep.join([str(absent), str(repo_root)])
    command = [sys.executable, "-m", "ASLDenoiseLib", "train", "bare.json", "--anatomy", str(packed), "--workers", "1"]
    done = subprocess.run(
        [*command, "--device", "cpu", "--max-minutes", "5"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    bundle = tmp_path / "out" / "training" / "bare" / "bundle"
    assert done.stdout.splitlines()[-1] == str(bundle.relative_to(tmp_path))
    metadata = json.loads((bundle / "configs" / "metadata.json").read_text("utf-8"))
    assert metadata["training"]["steps"] == 3 and metadata["training"]["saw"]["phantoms"] == 9
    assert metadata["uncertainty_factor"] > 0
