"""A run that super-resolves: from a series or one CBF map to a finer map, its report and its files."""

from __future__ import annotations

import json
from dataclasses import replace

import nibabel
import numpy as np
import pytest
from motion_builders import GRID, PERFUSED, brain, drawn, quantifiable, scan, tissue

from ASLDenoiseLib import pipeline
from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.reporting.derivatives import save_volume
from ASLDenoiseLib.reporting.html import report_html
from ASLDenoiseLib.reporting.superres_plot import superres_png
from ASLDenoiseLib.series import ASLSeries, Geometry, Volume, VolumeType
from ASLDenoiseLib.superresolving.targets import target_grid

pytestmark = pytest.mark.usefixtures("worked_out")

STILL = Preparation(motion=False)


@pytest.fixture(scope="module")
def series() -> ASLSeries:
    return replace(quantifiable(scan(np.zeros((12, 6)))), name="sub-09")


@pytest.fixture(scope="module")
def result(series):
    return pipeline.superresolve(series, tissue=tissue(), method="smooth", spacing=(3.0, 3.0, 3.0), preparation=STILL)


def test_a_series_gives_a_finer_map_beside_the_acquired_one_and_says_it_is_an_estimate(result):
    fine, raw = result.maps["desc-superres_cbf"], result.maps["desc-mean_cbf"]
    assert next(iter(result.maps)) == "desc-mean_cbf" and result.processed == "desc-superres_cbf"
    assert fine.geometry.spacing == (3.0, 3.0, 3.0) and fine.unit == raw.unit == "ml/100g/min"
    assert any(f.code == "superres-estimate" for f in result.findings)
    assert {p.name: p.value for p in result.parameters}["superresolution"] == "smooth"
    assert [r.name for r in result.readouts["desc-superres_cbf"]] == [r.name for r in result.readouts["desc-mean_cbf"]]


def test_averaged_back_it_is_the_acquired_map_within_its_noise(result):
    residual = result.maps["desc-residual_cbf"].array
    noise = float(np.nanmedian(result.maps["desc-meanerror_cbf"].array))
    assert result.maps["desc-residual_cbf"].geometry.matches(GRID)
    assert np.sqrt(np.nanmean(residual**2)) < 2 * noise


@pytest.mark.runs
def test_the_report_shows_it_beside_the_acquired_map(result):
    html = report_html(result)
    assert "Super-resolved" in html and "Averaged back to the acquired voxels" in html
    assert superres_png(result).startswith(b"\x89PNG")
    plain = replace(result, maps={k: v for k, v in result.maps.items() if k != "desc-superres_cbf"})
    assert superres_png(plain) is None and "Averaged back" not in report_html(plain)


def test_the_t1s_own_grid_is_cut_to_what_was_measured_and_keeps_its_lattice():
    low = Volume(np.where(brain().array > 0.5, 50.0, np.nan), GRID)
    t1 = Volume(np.zeros((200, 240, 220)), Geometry((220, 240, 200), (1.0, 1.0, 1.0), (-110.0, -120.0, -100.0)))
    moved = np.eye(4)
    moved[:3, 3] = (7.0, -3.0, 5.0)
    target = target_grid(low, moved, t1=t1)
    assert target.in_t1_space and np.array_equal(target.to_asl, moved)
    steps = (np.array(target.geometry.origin) - t1.geometry.origin) / t1.geometry.spacing
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)
    assert np.prod(target.geometry.size) < 0.4 * t1.array.size
    corners = target.geometry.affine_lps @ np.array([[0, 0, 0, 1], [*target.geometry.size, 1]]).T
    reached = (moved @ corners)[:3]
    places = np.argwhere(np.isfinite(low.array))[:, ::-1] @ GRID.affine_lps[:3, :3].T + GRID.affine_lps[:3, 3]
    assert (reached[:, 0] <= places.min(axis=0)).all() and (reached[:, 1] >= places.max(axis=0)).all()


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"spacing": (2.0, 2.0, 2.0), "like": GRID}, "give one of them"),
        ({}, "no T1 whose grid"),
        ({"spacing": (2.0, -1.0, 2.0)}, "three positive numbers"),
        ({"spacing": (0.31, 0.31, 0.31)}, "more than memory allows"),
        ({"spacing": (2.0, 2.0, 2.0), "method": "guided"}, "needs a T1"),
        ({"spacing": (2.0, 2.0, 2.0), "method": "magic"}, "no super-resolution method 'magic'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(series, wanted, words):
    with pytest.raises(InputError, match=words):
        pipeline.superresolve(series, tissue=tissue(), preparation=STILL, **{"method": "smooth", **wanted})


@pytest.mark.runs
def test_one_cbf_map_goes_through_the_shell(tmp_path, capsys):
    cbf = np.where(brain().array > 0.5, 10 * drawn(PERFUSED, np.zeros(6)), np.nan)
    path = tmp_path / "sub-03_cbf.nii.gz"
    save_volume(Volume(cbf, GRID, "ml/100g/min"), path)
    out = tmp_path / "out"
    arguments = ["superres", str(path), "--method", "spline", "--spacing", "3", "3", "3", "--out", str(out)]
    assert main([*arguments, "--progress", "none", "--no-scene"]) == 0
    assert "Super-resolved (an estimate)" in capsys.readouterr().out
    fine = nibabel.load(out / "sub-03_desc-superres_cbf.nii.gz")
    np.testing.assert_allclose(fine.header.get_zooms(), 3.0)
    sidecar = json.loads((out / "sub-03_desc-superres_cbf.json").read_text("utf-8"))
    assert sidecar["Units"] == "ml/100g/min" and sidecar["ComparedWith"] == "sub-03_desc-mean_cbf.nii.gz"


def test_a_map_in_the_space_of_the_t1_hangs_under_its_transform(result):
    pytest.importorskip("slicer", reason="the real MRML scene needs slicer-core")
    from ASLDenoiseLib.scene.headless import make_scene
    from ASLDenoiseLib.scene.present import present

    t1 = Volume(brain().array * 100, GRID)
    there = replace(result, t1=t1, in_t1_space=frozenset({"desc-superres_cbf"}))
    nodes = present(there, scene=make_scene())
    assert nodes.shown is nodes.maps["desc-superres_cbf"]
    assert nodes.shown.GetParentTransformNode() is nodes.t1_to_asl is nodes.t1.GetParentTransformNode()
    assert nodes.maps["desc-mean_cbf"].GetParentTransformNode() is None


def test_a_series_of_one_cbf_volume_is_not_asked_for_its_labelling():
    cbf = ASLSeries(np.where(brain().array > 0.5, 50.0, np.nan)[None], GRID, (VolumeType.CBF,))
    found = pipeline.superresolve(cbf, tissue=tissue(), method="linear", spacing=(3.0, 3.0, 3.0))
    values = found.maps["desc-superres_cbf"].array
    assert np.nanmedian(values) == pytest.approx(50, abs=0.1)
