"""The label map of a person that another program made: which file it is, and what its numbers are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.preparing.tissue import tissue_from_labels
from ASLDenoiseLib.reading.atlas import atlas_names
from ASLDenoiseLib.reading.freesurfer_names import freesurfer_names
from ASLDenoiseLib.reading.segmentations import find_segmentation, segmentation_names
from ASLDenoiseLib.series import Geometry, Volume


def made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def found(folder: Path, participant: str, session: str = "") -> str:
    path = find_segmentation(folder, participant, session)
    return "" if path is None else path.relative_to(folder).as_posix()


def test_freesurfer_s_finest_volume_of_the_session_is_taken_and_that_of_the_person_where_there_is_none(tmp_path):
    made(tmp_path, "sub-01_ses-1/mri/aseg.mgz", "sub-01_ses-1/mri/aparc+aseg.mgz", "sub-01/mri/aseg.mgz")
    made(tmp_path, "sub-03/ses-1/mri/aparc.DKTatlas+aseg.deep.mgz")
    assert found(tmp_path, "01", "1") == "sub-01_ses-1/mri/aparc+aseg.mgz"
    assert found(tmp_path, "sub-01", "ses-2") == "sub-01/mri/aseg.mgz"
    assert found(tmp_path, "01") == "sub-01/mri/aseg.mgz"
    assert found(tmp_path, "03", "1") == "sub-03/ses-1/mri/aparc.DKTatlas+aseg.deep.mgz"
    assert found(tmp_path, "02", "1") == ""


def test_what_lies_in_the_space_of_another_session_or_of_a_longitudinal_template_is_not_taken(tmp_path):
    made(tmp_path, "sub-01_ses-1.long.sub-01/mri/aparc+aseg.mgz", "sub-01_ses-2/mri/aparc+aseg.mgz")
    made(tmp_path, "sub-01_ses-2_T1w_synthseg.nii.gz")
    assert found(tmp_path, "01", "1") == "" and found(tmp_path, "01") == ""


def test_synthseg_s_map_of_the_t1_is_found_wherever_it_lies_and_one_of_a_t2_is_not(tmp_path):
    made(tmp_path / "flat", "sub-01_ses-1_T1w_synthseg.nii.gz", "sub-011_ses-1_T1w_synthseg.nii.gz")
    made(tmp_path / "flat", "sub-02_T2w_synthseg.nii.gz", "sub-03_synthseg.mgz")
    made(tmp_path / "deep", "sub-01/ses-1/anat/sub-01_ses-1_T1w_synthseg.nii.gz")
    assert found(tmp_path / "flat", "01", "1") == "sub-01_ses-1_T1w_synthseg.nii.gz"
    assert found(tmp_path / "flat", "02") == ""
    assert found(tmp_path / "flat", "03", "1") == "sub-03_synthseg.mgz"
    assert found(tmp_path / "deep", "01", "1") == "sub-01/ses-1/anat/sub-01_ses-1_T1w_synthseg.nii.gz"


def test_of_bids_derivatives_the_finest_with_freesurfer_s_numbers_is_taken_and_none_in_another_space(tmp_path):
    anat = "sub-01/anat/sub-01_"
    made(tmp_path, f"{anat}desc-aseg_dseg.nii.gz", f"{anat}desc-aparcaseg_dseg.nii.gz", f"{anat}dseg.nii.gz")
    made(tmp_path, "sub-02/anat/sub-02_space-MNI152NLin6Asym_desc-aparcaseg_dseg.nii.gz")
    assert found(tmp_path, "01") == f"{anat}desc-aparcaseg_dseg.nii.gz"
    assert found(tmp_path, "02") == ""


def test_a_plain_dseg_is_taken_only_where_its_table_shows_freesurfer_s_numbers(tmp_path):
    made(tmp_path, "sub-01/anat/sub-01_dseg.nii.gz", "dataset_description.json")
    table = tmp_path / "sub-01" / "anat" / "sub-01_dseg.tsv"
    table.write_text("index\tname\n1\tGray Matter\n2\tWhite Matter\n3\tCSF\n")
    assert found(tmp_path, "01") == ""  # BIDS has grey matter as 1, which elsewhere is CSF
    table.write_text("index\tname\n2\tleft white\n41\tright white\n10\tleft thalamus\n")
    assert found(tmp_path, "01") == "sub-01/anat/sub-01_dseg.nii.gz"
    assert atlas_names(segmentation_names(tmp_path / "sub-01/anat/sub-01_dseg.nii.gz"))[10] == "left thalamus"


def test_the_table_at_the_root_names_labels_of_every_person_and_freesurfer_s_names_stand_where_there_is_none(tmp_path):
    made(tmp_path, "sub-01/anat/sub-01_desc-aparcaseg_dseg.nii.gz", "dataset_description.json")
    image = tmp_path / "sub-01" / "anat" / "sub-01_desc-aparcaseg_dseg.nii.gz"
    assert segmentation_names(image)["1035"] == "ctx-lh-insula"
    (tmp_path / "desc-aseg_dseg.tsv").write_text("index\tname\n1\tof another\n")
    assert segmentation_names(image)["53"] == "Right-Hippocampus"
    (tmp_path / "desc-aparcaseg_dseg.tsv").write_text("index\tname\n1035\tinsula\n")
    assert atlas_names(segmentation_names(image)) == {1035: "insula"}


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"There is no folder .*; give a SUBJECTS_DIR"):
        find_segmentation(tmp_path / "none", "01")


def test_every_number_that_tissue_is_told_from_has_a_name():
    names = freesurfer_names()
    assert (names[3], names[42], names[16], names[2034]) == (
        *("Left-Cerebral-Cortex", "Right-Cerebral-Cortex", "Brain-Stem"),
        "ctx-rh-transversetemporal",
    )
    assert len(set(names.values())) == len(names)
    grid = Geometry((len(names), 1, 1), (1.0, 1.0, 1.0))
    of_all = Volume(np.array(list(names), np.float32).reshape(grid.shape), grid)
    assert tissue_from_labels(of_all, grid).brain.array.sum() > 0  # no number that is of no scheme
