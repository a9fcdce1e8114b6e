"""Files as other systems leave them: what macOS puts beside those of a copied disk, accents, letters in two cases."""

from __future__ import annotations

import json
import os
import shutil
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from bids_builders import data_set, participants_tsv, t1
from dicom_builders import ASL, pairs, write_dicom
from reading_builders import refusal, write_series
from scene_builders import made_result

import ASLDenoiseLib as ad
from ASLDenoiseLib.files import composed, is_litter
from ASLDenoiseLib.learning.anatomy import label_maps
from ASLDenoiseLib.participants.find import find_scans
from ASLDenoiseLib.reading.bids import find_m0
from ASLDenoiseLib.reading.dicom_tags import files_below
from ASLDenoiseLib.reading.read import read_series
from ASLDenoiseLib.reporting.listing import listings_in
from ASLDenoiseLib.sites.scans import _requests_in

APPLE_DOUBLE = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(range(256)) * 15  # 4 KiB, as on such disks
APART, WHOLE = unicodedata.normalize("NFD", "Müller"), "Müller"


def littered(folder: Path) -> Path:
    """A folder as macOS leaves it on a disk that is not its own."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(APPLE_DOUBLE)
    for place in [folder, *(path for path in folder.rglob("*") if path.is_dir())]:
        (place / ".DS_Store").write_bytes(b"\0\0\0\1Bud1" + bytes(6000))
    return folder


def test_what_macos_puts_beside_files_is_known_by_its_name():
    assert [is_litter(Path(name)) for name in ("._sub-01_asl.nii.gz", ".DS_Store", ".bidsignore", "sub-01.json")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_data_set_that_macos_copied_reads_as_it_did(tmp_path):
    root = data_set(tmp_path / "set", "sub-01/ses-1", "sub-02")
    t1(root, "sub-01/ses-1")
    participants_tsv(root, ["sub-01", "sub-02"])
    before = find_scans(root)
    series = read_series(before.scans[0].series)
    littered(root)
    assert find_scans(root) == before
    again = read_series(before.scans[0].series)
    assert again.acquisition == series.acquisition and again.context == series.context
    assert np.array_equal(again.m0.array, series.m0.array)


def test_a_folder_of_dicom_that_macos_copied_reads_as_it_did(tmp_path):
    write_dicom(tmp_path / "asl", pairs(), 5, "pcasl_3d", *ASL)
    before = files_below(tmp_path / "asl")
    littered(tmp_path / "asl")
    assert files_below(tmp_path / "asl") == before != []


def test_requests_label_maps_and_results_that_macos_copied_are_found_once(tmp_path):
    (tmp_path / "one_request.json").write_text("{}")
    (tmp_path / "a_labels.nii.gz").touch()
    ad.write(made_result(), tmp_path / "out")
    name = made_result().series.name
    littered(tmp_path)
    assert [path.name for path in _requests_in(tmp_path)] == ["one_request.json"]
    assert list(label_maps(tmp_path)) == ["a"]
    assert list(listings_in(tmp_path / "out")) == [name]
    ad.write(made_result(), tmp_path / "out", command="again")


def test_two_scans_whose_names_differ_in_case_alone_are_refused_before_one_overwrites_the_other(tmp_path):
    root = data_set(tmp_path / "set", "sub-a1", "sub-A1")
    refusal(find_scans, root, mentions=("sub-A1_asl.nii.gz and sub-a1/perf/sub-a1_asl", "case of letters", "rename"))


@pytest.mark.skipif(os.name == "nt", reason="it needs names that differ in their normal form")
def test_a_label_with_an_accent_is_found_however_the_disk_spells_it(tmp_path):
    root = data_set(tmp_path / "set", f"sub-{APART}")
    participants_tsv(root, [f"sub-{WHOLE}"])
    assert APART != WHOLE == composed(APART)
    found = find_scans(root, participants=[WHOLE])
    assert [(scan.name, scan.participant) for scan in found.scans] == [(f"sub-{WHOLE}", WHOLE)]
    assert found.notes == (), "the table and the folder mean the same person"
    assert find_scans(root, participants=[APART]).scans == found.scans


def test_an_m0_is_of_the_series_that_its_sidecar_names_in_another_spelling(tmp_path):
    image = write_series(tmp_path, stem=APART, m0=None)
    other = tmp_path / "other_m0scan.nii.gz"
    shutil.copy(image, other)
    named = json.dumps({"IntendedFor": f"perf/{WHOLE}_asl.nii.gz"}, ensure_ascii=False)
    other.with_name("other_m0scan.json").write_text(named, encoding="utf-8")
    assert find_m0(image) == other


def test_results_of_a_name_with_accents_have_one_spelling_and_are_replaced_by_their_own_series(tmp_path):
    assert read_series(write_series(tmp_path, stem=APART)).name == WHOLE
    out = tmp_path / "out"
    made = made_result()
    object.__setattr__(made.series, "name", WHOLE)
    ad.write(made, out)
    for path in list(out.glob(f"{WHOLE}*_files.json")):  # as a disk of macOS gives the names back
        path.rename(path.with_name(unicodedata.normalize("NFD", path.name)))
    assert list(listings_in(out)) == [WHOLE]
