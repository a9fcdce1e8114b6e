"""The command ``adapt``: what it takes, prints and returns."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from site_builders import GAIN, MEANS, Learned, site
from training_builders import write_heads

from ASLDenoiseLib.__main__ import main, make_parser
from ASLDenoiseLib.denoising.catalogue import DEFAULT_MODEL, find_model, load_model
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.sites import prepare

pytest.importorskip("torch")
QUIET = ["--from", "dwan-lfn", "--device", "cpu", "--progress", "none"]


@pytest.fixture
def learned(monkeypatch):
    real = prepare.prepared

    def quickly(request, progress, **more):
        preparation = Preparation(motion=False, nuisance=(), outliers="none")
        return real(replace(request, preparation=preparation), progress, **more)

    monkeypatch.setattr(prepare, "prepared", quickly)

    def becomes(*figures):
        fake = Learned(*figures)
        monkeypatch.setattr("ASLDenoiseLib.sites.adapt._adapting", lambda: fake)
        return fake

    return becomes


def test_it_takes_scans_a_name_and_a_model_to_start_from():
    args = make_parser().parse_args(["adapt", "a_asl.nii.gz", "set", "x_request.json", "--name", "mysite"])
    assert [str(scan) for scan in args.scans] == ["a_asl.nii.gz", "set", "x_request.json"]
    assert (args.start, args.max_minutes, args.seed, args.device) == (DEFAULT_MODEL, 20.0, 0, "auto")
    with pytest.raises(SystemExit):
        make_parser().parse_args(["adapt", "a", "b", "c"])


def test_an_earned_model_exits_with_0_says_where_it_lies_and_is_listed(tmp_path, own_folder, learned, capsys):
    fake = learned(GAIN)
    site(tmp_path / "set")
    assert main(["adapt", str(tmp_path / "set"), "--name", "mysite", "--seed", "3", *QUIET]) == 0
    out = capsys.readouterr()
    assert "Figure" in out.out and str(own_folder / "mysite") in out.out and "--model mysite" in out.out
    assert "warning: No T1 guides" in out.err and fake.given["seed"] == 3
    assert main(["models"]) == 0
    assert "mysite (your own, adapted from dwan-lfn)" in capsys.readouterr().out


def test_a_refused_model_exits_with_1_and_leaves_nothing(tmp_path, own_folder, learned, capsys):
    learned(MEANS)
    paths = [str(path) for path in site(tmp_path / "set")]
    assert main(["adapt", *paths, "--name", "mysite", *QUIET]) == 1
    out = capsys.readouterr().out
    assert "did not earn its place" in out and "Not met: GM mean against raw" in out and "denoise SERIES" not in out
    assert list(own_folder.iterdir()) == []


def test_what_cannot_be_used_exits_with_2_and_one_sentence(tmp_path, own_folder, learned, capsys):
    learned(GAIN)
    paths = [str(path) for path in site(tmp_path / "set")]
    for arguments in (
        [*paths[:2], "--name", "mysite"],
        [*paths, "--name", "a/b"],
        [*paths, "--name", DEFAULT_MODEL],
        [*paths, paths[0], "--name", "mysite"],
        [*paths, str(tmp_path / "gone_asl.nii.gz"), "--name", "mysite"],
    ):
        assert main(["adapt", *arguments, *QUIET]) == 2
        error = capsys.readouterr().err.strip()
        assert len(error.splitlines()) == 1 and error.endswith("."), error
    assert list(own_folder.iterdir()) == []


@pytest.mark.runs
def test_three_simulated_scans_are_learned_from_and_judged_to_the_end(tmp_path, own_folder, capsys):
    """Whatever the verdict: it has numbers, and the folder holds a model that works if, and only if, it is earned."""
    heads = write_heads(tmp_path)
    scans = []
    for seed in range(3):
        out = tmp_path / f"scan-{seed}"
        line = ["simulate", str(heads / "head-a_labels.nii.gz"), "--out", str(out), "--seed", str(seed)]
        assert main([*line, "--size", "24", "24", "10", "--spacing", "6", "6", "8", "--pairs", "9"]) == 0
        (asl,) = out.rglob("*_asl.nii.gz")
        shutil.rmtree(asl.parents[1] / "anat")  # its segmentation would take half of a minute
        scans.append(str(asl))
    capsys.readouterr()
    status = main(["adapt", *scans, "--name", "mysite", "--max-minutes", "0.2", *QUIET])
    out = capsys.readouterr()
    assert status in (0, 1), out.err
    assert out.out.splitlines()[0].split() == ["Figure", "Before", "After", "Unit", "Asked", "Met"]
    assert own_folder.joinpath("mysite").is_dir() == (status == 0) == ("earned its place beside" in out.out)
    assert ("Not met: " in out.out) == (status == 1)
    if status == 0:
        card = find_model("mysite")
        assert load_model(card) is not None and card.metadata["verdict"]
