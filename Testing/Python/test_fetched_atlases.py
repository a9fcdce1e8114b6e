"""Atlases by name: what nilearn's own fetchers make of files as the servers have them, and what users are told."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import nibabel
import numpy as np
import pytest
from requests.exceptions import ConnectionError as NoConnection

from ASLDenoiseLib.__main__ import make_parser
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline import atlases
from ASLDenoiseLib.pipeline.atlases import atlas_asked, atlas_title, template_finding
from ASLDenoiseLib.pipeline.request import Atlas
from ASLDenoiseLib.reading.fetched_atlases import NAMED_ATLASES, fetch_atlas, names_of_atlases
from ASLDenoiseLib.series import Geometry, Volume
from ASLDenoiseLib.shell.options import atlases_of

FSL_TABLES = {
    "HarvardOxford-Cortical-Lateralized.xml": ["Left Frontal Pole", "Right Frontal Pole"],
    "HarvardOxford-Subcortical.xml": ["Left Thalamus", "Brain-Stem"],
    "Juelich.xml": ["GM Amygdala L", "GM Amygdala R"],
}
AAL = "<atlas><data>{}</data></atlas>".format(
    "".join(f"<label><index>{n}</index><name>{name}</name></label>" for n, name in ((2001, "P_L"), (2002, "P_R")))
)


def put(path: Path, numbers: tuple[int, ...]) -> None:
    """A file as the servers have it: a label image, or the table that goes with it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name.endswith((".nii", ".nii.gz")):
        labels = np.zeros((4, 4, 4), np.int16)
        labels[1, 1], labels[2, 2] = numbers
        nibabel.save(nibabel.Nifti1Image(labels, np.diag([2.0, 2.0, 2.0, 1.0])), path)
    elif path.name in FSL_TABLES:
        lines = [f'<label index="{n}">{name}</label>' for n, name in enumerate(FSL_TABLES[path.name])]
        path.write_text(f"<atlas><data>{''.join(lines)}</data></atlas>")
    elif path.suffix == ".xml":
        path.write_text(AAL)
    elif "Networks_order" in path.name:
        path.write_text("1\t7Networks_LH_Vis_1\t120\t18\t131\t0\n2\t7Networks_RH_Vis_1\t120\t18\t132\t0\n")
    else:  # Yeo's: a heading, then numbers, names and colours
        path.write_text("  0 NONE 0 0 0 0\n  1 7Networks_1 120 18 134 0\n  2 7Networks_2 70 130 180 0\n")


@pytest.fixture
def servers(monkeypatch, tmp_path):
    """nilearn's own fetchers, with files that are put where it would have unpacked them."""
    from nilearn.datasets import atlas

    def fetch_files(data_dir, files, **_):
        numbers = (2001, 2002) if "aal" in str(data_dir) else (1, 2)
        for name, *_ in files:
            put(Path(data_dir) / name, numbers)
        return [str(Path(data_dir) / name) for name, *_ in files]

    monkeypatch.setenv("NILEARN_DATA", str(tmp_path))
    monkeypatch.setattr(atlas, "fetch_files", fetch_files)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("harvard-oxford-cortical", {"1": "Left Frontal Pole", "2": "Right Frontal Pole"}),
        ("harvard-oxford-subcortical", {"1": "Left Thalamus", "2": "Brain-Stem"}),
        ("juelich", {"1": "GM Amygdala L", "2": "GM Amygdala R"}),
        ("aal", {"2001": "P_L", "2002": "P_R"}),
        ("aal3", {"2001": "P_L", "2002": "P_R"}),
        ("schaefer-100", {"1": "7Networks_LH_Vis_1", "2": "7Networks_RH_Vis_1"}),
        ("yeo-7", {"1": "7Networks_1", "2": "7Networks_2"}),
    ],
)
def test_each_atlas_is_a_file_whose_numbers_have_their_names(servers, tmp_path, name, told):
    found = fetch_atlas(name)
    assert found.names == told and tmp_path in found.labels.parents
    numbers = np.unique(nibabel.load(found.labels).get_fdata())
    assert set(map(str, numbers[numbers > 0].astype(int))) == set(told)
    assert found.template == ("MNIColin27" if "aal" in name else "MNI152NLin6Asym")


def test_every_name_is_one_that_this_nilearn_can_fetch(servers):
    for name in NAMED_ATLASES:
        assert fetch_atlas(name).labels.is_file(), name
    for first in ("harvard-oxford-cortical", "juelich", "aal3", "schaefer-1000", "yeo-17", "basc-444"):
        assert first in NAMED_ATLASES and first in names_of_atlases()


def fetching(outcome):
    """nilearn.datasets of which every fetcher does one thing."""

    def fetch(**_):
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return SimpleNamespace(**{atlas.fetcher: fetch for atlas in NAMED_ATLASES.values()})


def test_offline_and_on_other_trouble_one_sentence_says_what_to_do(tmp_path):
    offline = NoConnection("HTTPSConnectionPool(...)", request=SimpleNamespace(url="https://osf.io/x"))
    for trouble, words in ((offline, r"no connection to osf\.io"), (OSError(28, "No space left"), "No space left")):
        with pytest.raises(InputError, match=rf"'aal' could not be fetched \(.*{words}.*\); try again online"):
            fetch_atlas("aal", datasets=fetching(trouble))
    with pytest.raises(InputError, match=r"does not know the atlas 'aal' so .*; update nilearn"):
        fetch_atlas("aal", datasets=fetching(TypeError("unexpected keyword argument 'version'")))
    with pytest.raises(InputError, match="has fetched no label image"):
        fetch_atlas("aal", datasets=fetching({"maps": str(tmp_path / "gone.nii"), "labels": []}))


def test_labels_of_older_nilearns_count_from_the_background_or_from_one(tmp_path):
    put(tmp_path / "a.nii", (1, 2))
    maps = {"maps": str(tmp_path / "a.nii")}
    for labels in (["Background", "a", "b"], [b"a", b"b"]):
        assert fetch_atlas("basc-7", datasets=fetching({**maps, "labels": labels})).names == {"1": "a", "2": "b"}
    told = {**maps, "labels": ["a", "b"], "indices": ["2001", "2002"]}
    assert fetch_atlas("aal", datasets=fetching(told)).names == {"2001": "a", "2002": "b"}


def test_a_file_goes_before_a_name_and_what_is_neither_is_refused_with_the_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "aal.nii", (1, 2))
    (tmp_path / "aal.nii").rename(tmp_path / "aal")
    assert atlas_asked("aal", datasets=fetching(AssertionError())).labels == Path("aal")
    assert atlas_asked("aal@t1", datasets=fetching(AssertionError())) == Atlas(Path("aal"), None, "t1")
    with pytest.raises(InputError, match=r"no file shaefer-100 and no atlas of that name; names are harvard-oxford"):
        atlas_asked("shaefer-100")
    assert atlas_asked("labels.nii.gz@mni") == Atlas(
        Path("labels.nii.gz"), None, "mni"
    )  # the reader says it is not there


def test_a_name_lies_in_mni_space_and_says_on_which_template(tmp_path):
    put(tmp_path / "a.nii", (1, 2))
    datasets = fetching({"maps": str(tmp_path / "a.nii"), "labels": ["Background", "a", "b"]})
    for text in ("Schaefer-200", "schaefer-200@mni", Path("schaefer-200")):
        found = atlas_asked(text, datasets=datasets)
        assert (found.labels, found.space, found.template) == (tmp_path / "a.nii", "mni", "MNI152NLin6Asym")
        assert dict(found.names) == {"1": "a", "2": "b"}
    with pytest.raises(InputError, match="lies in MNI space; write schaefer-200 or schaefer-200@mni"):
        atlas_asked("schaefer-200@t1", datasets=datasets)
    told = template_finding(found, atlas_title(found))
    assert told.code == "atlas-template" and "a was drawn on the template MNI152NLin6Asym" in told.what
    assert template_finding(Atlas(tmp_path / "a.nii", None, "mni"), "a") is None


def test_an_atlas_or_an_image_is_taken_as_it_is():
    image = Volume(np.ones((2, 2, 2)), Geometry((2, 2, 2), (1.0, 1.0, 1.0)), name="lobes")
    own = Atlas(image, {"1": "x"}, "mni")
    assert atlas_asked(own) is own and atlas_asked(image).space == "asl" and atlas_title(own) == "lobes"


def test_shell_and_console_take_names(tmp_path, monkeypatch):
    from ASLDenoiseLib.pipeline import console

    put(tmp_path / "a.nii", (1, 2))
    given = {"maps": str(tmp_path / "a.nii"), "labels": ["Background", "a", "b"]}
    monkeypatch.setattr(atlases, "fetch_atlas", lambda name, datasets=None: fetch_atlas(name, datasets=fetching(given)))
    asked = []
    monkeypatch.setattr(console, "run", lambda request, progress: asked.append(request))
    series = tmp_path / "asl.nii"
    t1 = Volume(np.ones((2, 2, 2)), Geometry((2, 2, 2), (1.0, 1.0, 1.0)))
    console.quantify(series, t1=t1, atlas="yeo-7")
    console.quantify(series, t1=t1, atlas=Atlas(t1, None, "t1"))
    assert [each.outputs.atlases[0].space for each in asked] == ["mni", "t1"]
    args = make_parser().parse_args(["denoise", "s.nii", "--t1", "t1.nii", "--out", "x", "--atlas", "yeo-17"])
    assert atlases_of(args)[0].labels == tmp_path / "a.nii"
    args = make_parser().parse_args(["cohort", "bids", "out", "participant", "--atlas", "yeo-17"])
    assert atlases_of(args, usual="mni")[0].template == "MNI152NLin6Asym"
