"""Regions through a whole run: on the T1 and on the series, thin, of an atlas; in shell, console and request alike."""

from __future__ import annotations

import numpy as np
import pytest
from region_builders import box, directly, rigid

import ASLDenoiseLib as ad
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline.request import Atlas, Head, Outputs, Region, Request
from ASLDenoiseLib.pipeline.request_json import plain_request
from ASLDenoiseLib.pipeline.run import run
from ASLDenoiseLib.preparing.choices import Preparation
from ASLDenoiseLib.scene.segments import mask_of
from ASLDenoiseLib.series import Geometry, Tissue, Volume
from ASLDenoiseLib.spatial.resampling import resample

pytestmark = pytest.mark.usefixtures("worked_out")
STILL = Preparation(motion=False, nuisance=(), outliers="none")
RAW = "desc-mean_cbf"


@pytest.fixture(scope="module")
def sample():
    files = ad.sample_data()
    series, t1 = ad.read(files.asl), ad.read_image(files.t1)
    away = rigid(degrees=4.0, shift=(25.0, -6.0, 3.0))  # the T1 of another session: 25 mm off
    grid = Geometry(t1.geometry.size, t1.geometry.spacing, *_moved(t1.geometry, np.linalg.inv(away)))
    return series, Volume(t1.array, grid, name="T1w"), away


def _moved(grid: Geometry, matrix: np.ndarray) -> tuple[tuple, tuple]:
    affine = matrix @ grid.affine_lps
    return tuple(affine[:3, 3]), tuple((affine[:3, :3] / grid.spacing).ravel())


@pytest.fixture(scope="module")
def asked(sample) -> Request:
    """A T1 that the request itself lays on the series; regions of every kind."""
    series, t1, to_asl = sample
    i, j, k = (n // 2 for n in t1.geometry.size)
    thin = box(t1.geometry, (i + 8, j - 4, k), (i + 16, j + 6, k + 1))
    on_series = box(series.geometry, (20, 30, 10), (23, 33, 12))
    labels = np.zeros(t1.geometry.shape, np.float32)
    labels[k - 5 : k + 5, j - 10 : j + 10, : i - 4], labels[k - 5 : k + 5, j - 10 : j + 10, i + 4 :] = 1, 2
    regions = (Region("thin", mask_of(thin), "t1"), Region("on the series", mask_of(on_series)))
    atlas = Atlas(Volume(labels, t1.geometry), {"1": "one side", "2": "other side"}, "t1")
    head = Head(t1, t1_to_asl=to_asl)
    return Request(series, head, STILL, outputs=Outputs(regions, atlases=(atlas,)))


@pytest.fixture(scope="module")
def result(asked):
    return run(asked)


@pytest.mark.runs
def test_each_region_is_measured_where_the_image_it_was_drawn_on_comes_to_lie(asked, result):
    values, raw = result.values(RAW), result.maps[RAW]
    thin, on_series = (region.mask for region in asked.outputs.regions)
    from ASLDenoiseLib.spatial.regions import Drawing

    expected = directly(Drawing.of(thin), raw, transform=asked.head.t1_to_asl)
    assert values["roi_thin_mean"] == pytest.approx(expected, rel=0.01)
    assert abs(directly(Drawing.of(thin), raw) - expected) > 0.05 * abs(expected)  # 25 mm off it is another value
    assert values["roi_on_the_series_mean"] == pytest.approx(directly(Drawing.of(on_series), raw, cuts=3), rel=0.01)
    assert values["roi_thin_volume"] == pytest.approx(80 * np.prod(thin.geometry.spacing) / 1000)
    for number, name in ((1, "one_side"), (2, "other_side")):
        labels = asked.outputs.atlases[0].labels
        drawn = Drawing.of(labels.with_array(labels.array == number))
        moved = directly(drawn, raw, transform=asked.head.t1_to_asl, cuts=2)
        assert values[f"roi_{name}_mean"] == pytest.approx(moved, rel=0.01)


@pytest.mark.runs
def test_a_run_tells_how_well_a_mean_is_known_and_where_the_other_half_is(result):
    values = result.values(RAW)
    means = [directly_mean(result, pair) for pair in pairs_of(result)]
    told = np.std(means, ddof=1) / np.sqrt(len(means))
    assert values["roi_on_the_series_mean_error"] == pytest.approx(told, rel=0.02)
    assert np.linalg.det(result.mirror) == pytest.approx(-1)
    centre = result.mirror @ [*(result.mirror[:3, 3] / 2), 1]
    np.testing.assert_allclose(centre[:3], result.mirror[:3, 3] / 2, atol=1e-6)  # a point of the plane stays


def pairs_of(result) -> list[np.ndarray]:
    from ASLDenoiseLib.preparing.pairs import difference_volumes

    return list(difference_volumes(result.series).array)


def directly_mean(result, pair: np.ndarray) -> float:
    """A region's mean CBF in one pair: the map is proportional to the difference, voxel by voxel."""
    region = result.regions["on the series"]
    mean = np.mean(pairs_of(result), axis=0).ravel()[region.index]
    scale = result.maps[RAW].array.ravel()[region.index] / mean
    return float(region.fraction @ (pair.ravel()[region.index] * scale) / region.fraction.sum())


@pytest.mark.runs
def test_the_request_of_a_result_says_which_space_each_region_is_in(asked, result, tmp_path):
    plain = plain_request(asked)["outputs"]
    assert [region["space"] for region in plain["regions"]] == ["t1", "asl"]
    assert plain["atlases"][0]["space"] == "t1"
    ad.write(result, tmp_path)
    again = ad.read_request(next(tmp_path.glob("*_request.json")))
    assert [region.space for region in again.outputs.regions] == ["t1", "asl"]
    assert dict(again.outputs.atlases[0].names) == {"1": "one side", "2": "other side"}
    first = again.outputs.atlases[0].labels
    assert ad.read_image(first).array.sum() == asked.outputs.atlases[0].labels.array.sum()


@pytest.mark.runs
def test_the_run_and_measure_agree(asked, result):
    cbf, to_asl = result.maps[RAW], asked.head.t1_to_asl
    regions = {region.name: region for region in asked.outputs.regions}
    found = ad.measure(cbf, result.tissue, regions=regions, atlas=asked.outputs.atlases[0], t1_to_map=to_asl)
    found = {readout.name: readout.value for readout in found}
    told = {name: value for name, value in result.values(RAW).items() if name.startswith("roi_")}
    assert len(told) == 4 * 9
    for name, value in told.items():
        if not name.endswith("mean_error"):  # a map alone has no pairs
            assert found[name] == pytest.approx(value, rel=1e-6, nan_ok=True), name


@pytest.mark.runs
def test_tissue_in_the_space_of_the_t1_goes_with_it(sample, result):
    series, t1, to_asl = sample
    there = result.t1_tissue
    given = Tissue(there.gm, there.wm, there.csf, there.brain, source="given")
    done = run(Request(series, Head(t1, tissue=given, tissue_space="t1", t1_to_asl=to_asl), STILL))
    np.testing.assert_allclose(done.tissue.gm.array, result.tissue.gm.array, atol=1e-4)
    assert done.tissue.source == "given"
    astray = resample(there.gm, series.geometry, outside=0.0)
    assert np.abs(astray.array - done.tissue.gm.array).mean() > 0.02


def test_a_region_of_the_t1_needs_the_t1_and_a_space_is_one_of_a_run(sample):
    series = sample[0]
    mask = Volume(np.ones(series.geometry.shape), series.geometry)
    with pytest.raises(InputError, match="needs the T1"):
        Request(series, outputs=Outputs((Region("a", mask, "t1"),)))
    with pytest.raises(InputError, match="no space of a run"):
        Region("a", mask, "mni")
    with pytest.raises(InputError, match="without the T1"):
        Head(gm=mask, wm=mask, tissue_space="t1")


@pytest.mark.parametrize(
    ("text", "space", "name"),
    [("a.nii.gz", "asl", "a.nii.gz"), ("a.nii.gz@t1", "t1", "a.nii.gz"), ("b@home.nii", "asl", "b@home.nii")],
)
def test_the_shell_says_the_space_after_the_file(text, space, name):
    from ASLDenoiseLib.__main__ import make_parser
    from ASLDenoiseLib.shell.options import request_of

    options = ["--t1", "t1.nii", "--out", "x", "--roi", f"lesion={text}", "--atlas", "labels.nii@mni"]
    args = make_parser().parse_args(["denoise", "s.nii", *options, "--atlas-names", "names.tsv"])
    args.command_line = ""
    outputs = request_of(args).outputs
    assert (outputs.regions[0].mask.name, outputs.regions[0].space) == (name, space)
    assert (outputs.atlases[0].labels.name, outputs.atlases[0].space) == ("labels.nii", "mni")
    assert outputs.atlases[0].names.name == "names.tsv"


NAMES = {
    "dseg.tsv": "index\tname\tcolor\n1\tleft MCA\t#fff\n2\tright MCA\t#000\n",
    "colours.ctbl": "# Color table\n0 Background 0 0 0 0\n1 left_MCA 255 0 0 255\n2 right_MCA 0 255 0 255\n",
    "snap.txt": '# ITK-SNAP\n  1  255 0 0  1 1 1 "left MCA"\n  2  0 255 0  1 1 1 "right MCA"\n',
}


@pytest.mark.parametrize("name", NAMES)
def test_the_names_of_an_atlas_are_read_from_the_usual_tables(name, tmp_path):
    from ASLDenoiseLib.reading.atlas import atlas_names

    (tmp_path / name).write_text(NAMES[name])
    assert atlas_names(tmp_path / name) == {1: "left MCA", 2: "right MCA"}
    (tmp_path / "none.tsv").write_text("colour\tshape\nred\tround\n")
    with pytest.raises(InputError, match="names no label"):
        atlas_names(tmp_path / "none.tsv")
