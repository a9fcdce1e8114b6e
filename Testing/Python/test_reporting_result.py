"""A finished run on disk: names, contents, and a whole result or none."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from html.parser import HTMLParser
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.findings import Finding, Severity
from ASLDenoiseLib.remedies import Advice
from ASLDenoiseLib.reporting import derivatives, html, plots
from ASLDenoiseLib.reporting.derivatives import check_destination, write_result
from ASLDenoiseLib.result import Readout, Result, table
from ASLDenoiseLib.series import CBF_UNIT, Acquisition, ASLSeries, Geometry, Origin, Parameter, Tissue, Volume

STEM = "sub-01_acq-test"
SHAPE = (6, 9, 8)  # (K, J, I)


def oblique() -> Geometry:
    """A grid turned about two axes, with a flipped j axis, as scanners give."""
    a, b = np.deg2rad(17), np.deg2rad(-8)
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    turned = about_x @ about_z @ np.diag([1, -1, 1])
    return Geometry(SHAPE[::-1], (2.5, 2.5, 3.09), (-11.0, 25.5, -40.25), tuple(turned.ravel()))


def readouts(gm: float, extra: float) -> tuple[Readout, ...]:
    return (
        Readout("gm_mean", "GM mean", gm, CBF_UNIT, "Mean over grey matter."),
        Readout("contrast", "GM/WM contrast", 2.4, "", "Mean of GM over mean of WM."),
        Readout("tsnr", "tSNR", extra, "", "Mean over SD across pairs."),
    )


@pytest.fixture
def result() -> Result:
    grid = oblique()
    rng = np.random.default_rng(1)
    raw = rng.normal(50, 20, SHAPE).astype(np.float32)
    raw[0, 0, 0] = np.nan
    raw[1, 1, 1] = -12.5
    raw[2, 2, 2] = 0.0
    denoised = np.where(np.isnan(raw), np.nan, 50 + (raw - 50) / 4)
    gm = np.zeros(SHAPE)
    gm[2:5, 2:7, 2:6] = 1
    wm = np.zeros(SHAPE)
    wm[2:5, 2:7, 6:7] = 1
    acquisition = Acquisition(post_labeling_delay=1.8, label_duration=1.8).with_values(
        Origin.SIDECAR, post_labeling_delay=1.8
    )
    series = ASLSeries(
        np.zeros((2, *SHAPE)), grid, ("control", "label"), acquisition, name=STEM, source="perf/sub-01_asl.nii.gz"
    )
    return Result(
        series,
        {
            "desc-mean_cbf": Volume(raw, grid, CBF_UNIT),
            "desc-denoised_cbf": Volume(denoised, grid, CBF_UNIT),
            "desc-mean_pwi": Volume(raw / 10, grid, ""),
        },
        {"desc-mean_cbf": readouts(50.0, math.nan), "desc-denoised_cbf": readouts(55.0, 3.25)},
        Tissue(Volume(gm, grid), Volume(wm, grid), None, Volume(gm + wm, grid), "given masks"),
        (
            Finding(
                "m0-tr-zero", Severity.WARNING, "M0 TR is <0> & odd", "the sidecar says 0", (Advice("state the TR"),)
            ),
        ),
        (*acquisition.parameters(), Parameter("lambda", 0.9, "mL/g", Origin.DEFAULT, "consensus")),
        model={"name": "flagship", "sha256": "ab" * 32},
        timings={"read": 0.5, "denoise": 3.25},
    )


def listing(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_run_leaves_exactly_the_files_of_the_contract(result, tmp_path):
    written = write_result(result, tmp_path / "new" / "out")
    maps = [f"{STEM}_{key}" for key in result.maps]
    expected = {f"{name}{end}" for name in maps for end in (".nii.gz", ".json")}
    expected |= {
        f"{STEM}_{what}" for what in ("readouts.json", "readouts.tsv", "methods.txt", "report.html", "files.json")
    }
    expected |= {"dataset_description.json", "README.md", ".bidsignore"}
    assert set(os.listdir(written.folder)) == expected
    assert {path.name for path in written.files} == expected
    assert os.listdir(tmp_path / "new") == ["out"]
    assert written.maps["desc-denoised_cbf"].name == f"{STEM}_desc-denoised_cbf.nii.gz"


def test_a_map_comes_back_with_its_numbers_nan_geometry_and_unit(result, tmp_path):
    written = write_result(result, tmp_path / "out")
    image = nib.load(written.maps["desc-mean_cbf"])
    np.testing.assert_array_equal(np.asanyarray(image.dataobj).T, result.maps["desc-mean_cbf"].array)
    assert np.isnan(image.dataobj[0, 0, 0])
    assert image.dataobj[1, 1, 1] == -12.5
    assert image.get_data_dtype() == np.float32
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (1, 1)
    assert image.header.get_xyzt_units()[0] == "mm"
    assert CBF_UNIT in bytes(image.header["descrip"].tobytes()).decode()
    np.testing.assert_allclose(image.affine, result.series.geometry.affine_ras, atol=1e-4)
    np.testing.assert_allclose(image.get_qform(), result.series.geometry.affine_ras, atol=1e-3)
    assert Geometry.from_affine_ras(image.affine, image.shape).matches(result.series.geometry)


def test_a_sidecar_says_what_the_map_is_and_where_every_value_came_from(result, tmp_path):
    written = write_result(result, tmp_path / "out", command="asldenoise denoise x")
    content = json.loads(derivatives.sidecar_path(written.maps["desc-denoised_cbf"]).read_text("utf-8"))
    assert content["Units"] == CBF_UNIT
    assert content["Sources"] == ["perf/sub-01_asl.nii.gz"]
    assert content["ComparedWith"] == f"{STEM}_desc-mean_cbf.nii.gz"
    assert content["ResearchUseOnly"] is True
    assert content["Model"]["sha256"] == "ab" * 32
    assert content["Command"] == "asldenoise denoise x"
    assert content["SoftwareVersions"]["numpy"] == np.__version__
    by_name = {p["name"]: p for p in content["Parameters"]}
    delay = {"name": "post_labeling_delay", "value": 1.8, "unit": "s", "origin": "sidecar", "note": ""}
    assert by_name["post_labeling_delay"] == delay
    assert by_name["label_duration"]["origin"] == "user"
    assert (by_name["lambda"]["origin"], by_name["lambda"]["note"]) == ("default", "consensus")
    assert "estimate" in content["Description"]


def test_table_and_json_hold_the_same_values_and_not_measured_is_never_zero(result, tmp_path):
    written = write_result(result, tmp_path / "out")
    content = json.loads((written.folder / f"{STEM}_readouts.json").read_text("utf-8"))
    lines = list(
        csv.DictReader(io.StringIO((written.folder / f"{STEM}_readouts.tsv").read_text("utf-8")), delimiter="\t")
    )
    assert [line["name"] for line in lines] == ["gm_mean", "contrast", "tsnr"]
    for line in lines:
        for key in result.readouts:
            value = content["readouts"][key][line["name"]]["value"]
            assert line[key] == ("n/a" if value is None else repr(value))
    assert content["readouts"]["desc-mean_cbf"]["tsnr"]["value"] is None
    assert content["processed"] == "desc-denoised_cbf"
    assert content["timings_s"] == {"read": 0.5, "denoise": 3.25}
    assert content["findings"][0]["severity"] == "warning"


def test_the_folder_is_a_bids_derivative(result, tmp_path):
    folder = write_result(result, tmp_path / "out").folder
    content = json.loads((folder / "dataset_description.json").read_text("utf-8"))
    assert content["DatasetType"] == "derivative"
    assert content["GeneratedBy"][0]["Name"] == "ASLDenoise"


def test_a_failure_while_writing_leaves_nothing_where_nothing_was(result, tmp_path, monkeypatch):
    def full_disk(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(html, "report_html", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_result(result, tmp_path / "a" / "b" / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_while_writing_leaves_an_earlier_result_whole(result, tmp_path, monkeypatch):
    out = tmp_path / "out"
    write_result(result, out)
    (out / "notes.txt").write_text("mine")
    before = listing(out)
    monkeypatch.setattr(html, "report_html", lambda *_a, **_k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_result(result, out, command="second")
    assert listing(out) == before


@pytest.mark.parametrize("failing", [0, 3, 9])
def test_a_failure_while_moving_into_place_puts_back_what_was_there(result, tmp_path, monkeypatch, failing):
    out = tmp_path / "out"
    write_result(result, out, command="first")
    (out / f"{STEM}_report.html").unlink()  # one file is new this time, and must go again
    before = listing(out)
    replace, calls = os.replace, []

    def sometimes(source, target):
        calls.append(source)
        if len(calls) == failing + 1:
            raise OSError(5, "Input/output error")
        replace(source, target)

    monkeypatch.setattr(os, "replace", sometimes)
    with pytest.raises(OSError, match="Input/output"):
        write_result(result, out, command="second")
    assert len(calls) > failing
    assert listing(out) == before


def test_writing_again_replaces_the_result_and_keeps_other_files(result, tmp_path):
    out = tmp_path / "out"
    write_result(result, out, command="first")
    (out / "notes.txt").write_text("mine")
    written = write_result(result, out, command="second")
    assert json.loads((written.folder / f"{STEM}_readouts.json").read_text("utf-8"))["command"] == "second"
    assert (out / "notes.txt").read_text("utf-8") == "mine"
    assert [name for name in os.listdir(out) if name.startswith(".")] == [".bidsignore"]


def test_a_relative_folder_is_written_to_again_and_attachments_get_full_paths(result, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = []
    for _ in range(2):
        write_result(result, Path("out"), attachments={"scene.mrb": lambda path: (asked.append(path), path.touch())})
    assert (tmp_path / "out" / f"{STEM}_report.html").is_file()
    assert len(asked) == 2 and all(path.is_absolute() for path in asked)


def test_a_readme_and_ignored_names_of_someone_else_stay(result, tmp_path):
    (tmp_path / "README.md").write_text("# My study\n")
    (tmp_path / ".bidsignore").write_text("scratch/\n")
    written = write_result(result, tmp_path)
    assert (tmp_path / "README.md").read_text("utf-8") == "# My study\n"
    assert "README.md" not in {path.name for path in written.files}
    ignored = (tmp_path / ".bidsignore").read_text("utf-8").splitlines()
    assert ignored[0] == "scratch/" and "*_cbf.*" in ignored
    write_result(result, tmp_path)
    assert (tmp_path / ".bidsignore").read_text("utf-8").splitlines() == ignored


def test_the_readme_says_what_every_map_is_in_which_unit(result, tmp_path):
    write_result(result, tmp_path / "out")
    text = (tmp_path / "out" / "README.md").read_text("utf-8")
    for key in result.maps:
        row = next(line for line in text.splitlines() if f"`*_{key}.nii.gz`" in line)
        assert (result.maps[key].unit or "scanner units") in row
    assert "research use only" in text


def test_a_raw_data_set_is_never_written_over(result, tmp_path):
    description = tmp_path / "dataset_description.json"
    description.write_text(json.dumps({"Name": "raw", "BIDSVersion": "1.8.0"}))
    with pytest.raises(InputError, match="give a folder of its own"):
        write_result(result, tmp_path)
    assert list(tmp_path.iterdir()) == [description]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="is a file; give a folder"):
        check_destination(tmp_path / "out")


def test_the_text_table_shows_raw_processed_change_and_findings(result):
    lines = table.readouts_table(result).splitlines()
    assert lines[0].split("  ")[0] == "Readout"
    gm = next(line for line in lines if line.startswith("GM mean"))
    assert gm.split() == ["GM", "mean", CBF_UNIT, "50.0", "55.0", "+10.0"]
    assert next(line for line in lines if line.startswith("tSNR")).split() == ["tSNR", "n/a", "3.25", "n/a"]
    assert len(gm) == len(lines[1])  # the columns line up with the rule
    assert any("M0 TR is <0> & odd" in line for line in lines)


@pytest.mark.parametrize(
    ("value", "text"),
    [(52.3456, "52.3"), (0.01234, "0.0123"), (1234.5, "1234"), (-3.14159, "-3.14"), (0.0, "0"), (math.nan, "n/a")],
)
def test_a_number_is_shown_at_three_figures_and_never_rounded_away(value, text):
    assert table.format_value(value) == text


def test_change_is_relative_to_the_size_of_raw_and_absent_where_raw_is_zero():
    assert table.percent_change(-10.0, -5.0) == 50.0
    assert math.isnan(table.percent_change(0.0, 5.0))
    assert math.isnan(table.percent_change(math.nan, 5.0))


class Tags(HTMLParser):
    """The tags of a page, and whether each was closed in turn."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_report_stands_alone_and_says_what_it_must(result):
    page = Tags()
    page.feed(html.report_html(result, command="denoise 'a b' --model <x>"))
    tags = [tag for tag, _ in page.seen]
    assert page.open == []
    assert "script" not in tags
    assert "link" not in tags
    assert {attrs["src"][:22] for tag, attrs in page.seen if tag == "img"} == {"data:image/png;base64,"}
    for words in ("For research use only", "GM mean", CBF_UNIT, "+10.0", "n/a", "ab" * 32, "denoise 'a b' --model <x>"):
        assert words in page.text
    for p in result.parameters:
        assert p.name in page.text
        assert p.origin.value in page.text


def test_the_report_escapes_what_came_from_outside(result):
    text = html.report_html(result)
    assert "M0 TR is &lt;0&gt; &amp; odd" in text
    assert "M0 TR is <0>" not in text


def test_the_report_of_a_run_without_a_model_has_no_change_and_says_so(result):
    raw = "desc-mean_cbf"
    plain = Result(result.series, {raw: result.maps[raw]}, {raw: result.readouts[raw]}, result.tissue)
    text = html.report_html(plain)
    assert "No model was used" in text
    assert "Change" not in text
    assert "Change" not in table.readouts_table(plain)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1), (1, -1, 1)])
def test_whatever_the_storage_order_left_is_drawn_right_posterior_down_and_superior_last(axes, signs):
    direction = np.zeros((3, 3))
    for array_axis, (anatomical, sign) in enumerate(zip(axes, signs, strict=True)):
        direction[anatomical, array_axis] = sign
    grid = Geometry((5, 6, 7), (2.0, 3.0, 4.0), direction=tuple(direction.ravel()))
    far = grid.affine_lps @ [0, 0, 0, 1] - grid.affine_lps @ [2, 2.5, 3, 1]  # of the first voxel, from the centre
    corner = np.zeros(grid.shape)
    corner[0, 0, 0] = 1
    drawn = np.argwhere(plots.radiological(corner, grid))[0]
    expected = [far[2] > 0, far[1] > 0, far[0] > 0]  # superior, posterior, left
    assert [bool(d) for d in drawn] == expected
