"""Files that are in the way: each is refused in one sentence that calls it as the user did."""

from __future__ import annotations

import errno
import gzip
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
from reading_builders import SIZE, head, refusal, save, write_series

from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.files import read_text, trouble
from ASLDenoiseLib.progress import make_progress, silent
from ASLDenoiseLib.reading.bids import read_context, read_json
from ASLDenoiseLib.reading.images import is_single_volume, read_array4d, read_image
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.reading.transforms import read_transform
from ASLDenoiseLib.reporting import derivatives
from ASLDenoiseLib.shell import processing

PIXDIM, DIM, SLOPE, FORMS, SFORM = 76, 40, 112, 252, 280  # offsets in a NIfTI header


def patched(path: Path, *changes: tuple[int, str, tuple]) -> Path:
    """A head as uncompressed NIfTI, with numbers of its header replaced: offset, format, values."""
    whole = bytearray(save(path, head()).read_bytes())
    for offset, kind, values in changes:
        struct.pack_into(kind, whole, offset, *values)
    path.write_bytes(whole)
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([(PIXDIM + 4, "<f", (0.0,)), (FORMS, "<2h", (1, 0))], "0 x 8 x 8 mm"),
        ([(PIXDIM + 4, "<f", (np.nan,)), (FORMS, "<2h", (1, 0))], "mm; correct the voxel size"),
        ([(SFORM, "<f", (np.nan,))], "not finite"),
        ([(SFORM, "<f", (np.inf,))], "not finite"),
        ([(SFORM, "<12f", (8, 8, 0, 0, 8, 8, 0, 0, 0, 0, 8, 0))], "do not span space"),
        ([(SFORM, "<12f", (0,) * 12)], "zero column"),
        ([(DIM, "<8h", (3, 32000, 32000, 32000, 1, 1, 1, 1))], "truncated"),
        ([(DIM, "<8h", (4, *SIZE, 32000, 1, 1, 1))], "truncated"),
        ([(DIM + 2, "<h", (-24,))], "at least one voxel"),
        ([(DIM, "<h", (9,))], "not a readable"),
        ([(SLOPE, "<f", (np.inf,))], "slope or intercept"),
    ],
)
def test_a_header_that_cannot_be_true_is_refused_by_the_name_of_the_file(tmp_path, changes, words):
    refusal(read_image, patched(tmp_path / "x.nii", *changes), mentions=(f"{tmp_path / 'x.nii'}", words))


def test_a_packed_file_too_small_for_its_header_is_refused_before_memory_is_asked_for(tmp_path):
    path = patched(tmp_path / "x.nii", (DIM, "<8h", (3, 32000, 32000, 32000, 1, 1, 1, 1)))
    (tmp_path / "x.nii.gz").write_bytes(gzip.compress(path.read_bytes()))
    refusal(read_array4d, tmp_path / "x.nii.gz", mentions=("x.nii.gz", "truncated"))


@pytest.mark.parametrize("slope", [0.0, np.nan])
def test_a_slope_that_is_not_set_leaves_the_numbers_as_they_are(tmp_path, slope):
    np.testing.assert_array_equal(
        read_image(patched(tmp_path / "x.nii", (SLOPE, "<f", (slope,)))).array, head().T.astype(np.float32)
    )


def test_a_voxel_size_of_zero_beside_a_whole_affine_does_no_harm(tmp_path):
    assert read_image(patched(tmp_path / "x.nii", (PIXDIM + 4, "<f", (0.0,)))).geometry.spacing == (8, 8, 8)


@pytest.mark.parametrize("kind", ["int8", "uint32", "int64", "uint64", ">i2", ">f8"])
def test_whole_numbers_of_any_width_and_order_are_read(tmp_path, kind):
    order = ">" if kind.startswith(">") else "<"
    image = nibabel.Nifti1Image(head().astype(kind), np.eye(4), nibabel.Nifti1Header(endianness=order), dtype=kind)
    nibabel.save(image, tmp_path / "x.nii.gz")
    np.testing.assert_array_equal(read_image(tmp_path / "x.nii.gz").array, head().T.astype(np.float32))


def test_colours_complex_numbers_and_other_dimensions_are_refused(tmp_path):
    colours = np.zeros(SIZE, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    for name, array, words in (
        ("rgb", colours, "colours"),
        ("complex", head().astype(np.complex64), "magnitude"),
        ("flat", head()[..., 8].astype(np.float32), "2 dimensions"),
        ("five", np.ones((3, 3, 3, 2, 2), np.float32), "5 dimensions"),
    ):
        nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), tmp_path / f"{name}.nii.gz")
        refusal(read_array4d, tmp_path / f"{name}.nii.gz", mentions=(name, words))


def test_a_header_without_its_image_says_which_file_is_missing(tmp_path):
    nibabel.save(nibabel.Nifti1Pair(head().astype(np.float32), np.eye(4)), tmp_path / "x.hdr")
    (tmp_path / "x.img").rename(tmp_path / "y.img")
    refusal(read_image, tmp_path / "x.hdr", mentions=("x.img", "check the path"))
    refusal(read_image, tmp_path / "y.img", mentions=("y.hdr is not beside it",))


@pytest.mark.skipif(os.name == "nt", reason="links and pipes of Unix")
def test_what_is_no_file_is_refused_wherever_a_file_is_meant(tmp_path):
    series = write_series(tmp_path / "in")
    (tmp_path / "loop.nii.gz").symlink_to("loop.nii.gz")
    (tmp_path / "folder.nii.gz").mkdir()
    os.mkfifo(tmp_path / "pipe.nii.gz")
    long = tmp_path / ("x" * 300 + ".nii.gz")
    cases = {"loop.nii.gz": "circle", "folder.nii.gz": "folder", "pipe.nii.gz": "pipe", "gone.nii.gz": "check the path"}
    for read in (read_image, read_transform, lambda path: read_series(series, m0=path)):
        for name, words in cases.items():
            refusal(read, tmp_path / name, mentions=(name, words))
        refusal(read, long, mentions=("too long",))
        refusal(read, Path("/dev/null"), mentions=("/dev/null is a device",))
    for name in ("loop.nii.gz", "pipe.nii.gz"):
        refusal(read_series, tmp_path / name, mentions=(name, cases[name]))
    refusal(read_series, long, mentions=("too long",))
    assert not is_single_volume(tmp_path / "pipe.nii.gz")


def test_an_image_with_one_value_throughout_is_refused_where_a_head_is_meant(tmp_path):
    series, blank = write_series(tmp_path / "in"), save(tmp_path / "blank.nii.gz", np.full(SIZE, 7.0))
    refusal(read_series, series, m0=blank, mentions=("blank.nii.gz", "same value in every voxel"))
    refusal(read_series, save(tmp_path / "b_asl.nii.gz", np.full((*SIZE, 4), 7.0)), mentions=("same value",))
    assert main(["measure", str(blank)]) == 2
    assert read_image(blank).array.min() == 7  # a region may be all there is


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_tables_and_sidecars_are_read_in_the_encoding_that_they_state(tmp_path, encoding, ending):
    (tmp_path / "x.tsv").write_bytes(ending.join(["volume_type", "control", "label", ""]).encode(encoding))
    (tmp_path / "x.json").write_bytes(ending.join(["{", '"Manufacturer": "Müller"', "}"]).encode(encoding))
    assert [kind.value for kind in read_context(tmp_path / "x.tsv")] == ["control", "label"]
    assert read_json(tmp_path / "x.json") == {"Manufacturer": "Müller"}


def test_text_in_another_encoding_and_tables_that_are_none_are_refused(tmp_path):
    (tmp_path / "x.json").write_bytes('{"Manufacturer": "Müller"}'.encode("latin-1"))
    refusal(read_json, tmp_path / "x.json", mentions=("x.json", "not text in UTF-8"))
    (tmp_path / "x.tsv").write_text("volume_type of-what\ncontrol 1\n")
    refusal(read_context, tmp_path / "x.tsv", mentions=("x.tsv", "no column 'volume_type'"))
    (tmp_path / "y.tsv").write_text("volume_type\n" + "x" * 200_000)
    refusal(read_context, tmp_path / "y.tsv", mentions=("y.tsv",))


def test_a_key_that_a_sidecar_names_twice_is_refused_unless_it_says_the_same(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"PostLabelingDelay": 1.8, "PostLabelingDelay": 1.5}')
    refusal(read_json, path, mentions=("PostLabelingDelay", "twice"))
    path.write_text('{"PostLabelingDelay": 1.8, "PostLabelingDelay": 1.8}')
    assert read_json(path) == {"PostLabelingDelay": 1.8}


def test_deep_json_is_refused(tmp_path):
    (tmp_path / "x.json").write_text("[" * 100_000)
    refusal(read_json, tmp_path / "x.json", mentions=("x.json", "not valid JSON"))


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO, errno.ENAMETOOLONG]
)
def test_a_disk_that_fails_is_one_sentence_of_the_shell(monkeypatch, capsys, number):
    def failing(_args):
        raise OSError(number, os.strerror(number), "results")

    monkeypatch.setattr(processing, "run_models", failing)
    assert main(["models"]) == 2
    told = capsys.readouterr().err.strip()
    assert len(told.splitlines()) == 1 and "results" in told and "; no result has been written." in told


def test_an_error_that_no_user_can_mend_keeps_its_traceback(monkeypatch):
    def failing(_args):
        raise OSError("something that nobody foresaw")

    monkeypatch.setattr(processing, "run_models", failing)
    with pytest.raises(OSError, match="nobody foresaw"):
        main(["models"])


def test_a_full_disk_names_the_folder_that_the_user_gave(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(OSError, match="No space") as caught, derivatives.staging_for(out) as staging:
        raise OSError(errno.ENOSPC, "No space left on device", str(staging / "x.nii.gz"))
    assert f"({out})" in trouble(caught.value) and ".partial" not in trouble(caught.value)


def test_a_result_folder_behind_a_link_that_leads_nowhere_or_too_long_a_name_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    refusal(derivatives.check_destination, tmp_path / "link" / "out", mentions=("link", "leads nowhere"))
    refusal(derivatives.check_destination, tmp_path / ("x" * 300), mentions=("too long",))


def test_progress_to_a_standard_error_that_is_closed_is_silent(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert make_progress("auto") is silent and make_progress("json") is silent


def test_text_of_a_folder_is_refused(tmp_path):
    refusal(read_text, tmp_path, mentions=("is a folder",))


@pytest.mark.child
@pytest.mark.skipif(os.name == "nt", reason="pipes of Unix")
def test_a_reader_of_the_output_that_goes_early_ends_the_shell_without_a_word(tmp_path, repo_root):
    series = write_series(tmp_path)
    command = [sys.executable, "-m", "ASLDenoiseLib", "inspect", str(series)]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, cwd=repo_root, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_json_of_a_sidecar_may_hold_what_is_no_number_where_none_is_meant(tmp_path):
    (tmp_path / "x.json").write_text('{"Whatever": NaN, "Other": Infinity}')
    assert json.dumps(read_json(tmp_path / "x.json")) == '{"Whatever": NaN, "Other": Infinity}'
