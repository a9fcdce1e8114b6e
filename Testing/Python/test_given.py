"""What callers give is taken as it is meant, or refused in one sentence; never an error from deep inside."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from reading_builders import refusal, write_series
from request_builders import made_series

import ASLDenoiseLib as ad
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.given import fitted
from ASLDenoiseLib.pipeline import console
from ASLDenoiseLib.pipeline.request_json import FORMAT
from ASLDenoiseLib.series import Labeling, Origin, VolumeType

GRID = ad.Geometry((4, 3, 2), (1.0, 1.0, 1.0))
ONES = np.ones(GRID.shape, np.float32)


def test_numbers_of_numpy_are_numbers():
    for number in (np.float32(2.5), np.float64(2.5), np.array(2.5)):
        assert ad.Preparation(smoothing=number).smoothing == 2.5
        assert type(ad.Preparation(smoothing=number).smoothing) is float
        assert ad.Acquisition(label_duration=number).label_duration == 2.5
    for number in (np.int64(3), np.array(3), np.float32(3), 3.0):
        assert ad.Denoising(group=number).group == 3 and type(ad.Denoising(group=number).group) is int
    assert ad.Preparation(motion=np.bool_(False)).motion is False
    assert ad.Acquisition(post_labeling_delay=np.array([1.0, 2.0])).post_labeling_delay == (1.0, 2.0)


def test_paths_may_be_text_and_lists_may_be_tuples():
    head = ad.Head(t1="T1w.nii.gz", gm="gm.nii.gz", wm="wm.nii.gz", t1_to_asl="x.tfm")
    assert (head.t1, head.gm, head.t1_to_asl) == (Path("T1w.nii.gz"), Path("gm.nii.gz"), Path("x.tfm"))
    assert ad.SeriesFile("a.nii.gz", m0="m0.nii.gz", fixes=["m0-scale"]).fixes == ("m0-scale",)
    assert ad.Request("a.nii.gz").series == ad.SeriesFile(Path("a.nii.gz"))
    assert ad.Outputs(regions=[ad.Region("a", "a.nii.gz")], folder="out").regions[0].mask == Path("a.nii.gz")
    assert ad.Preparation(nuisance=["csf"]).nuisance == ("csf",)
    assert ad.SuperResolution("smooth", np.array([2, 2, 2])).spacing == (2, 2, 2)
    assert ad.Head("t1.nii", t1_start=np.eye(4).tolist()).t1_start.shape == (4, 4)


def test_dictionaries_stand_for_the_dataclass_that_is_meant():
    asked = ad.Request(
        {"path": "a.nii.gz"},
        {"t1": "t1.nii.gz"},
        {"pairs": "1-8", "motion": False},
        {"model": "unet2d-lfn"},
        outputs={"folder": "out", "regions": [{"name": "a", "mask": "a.nii.gz"}]},
    )
    assert asked.preparation == ad.Preparation(pairs="1-8", motion=False)
    assert asked.outputs.regions == (ad.Region("a", Path("a.nii.gz")),)
    refusal(ad.Request, "a.nii.gz", preparation={"pear": "1"}, mentions=("Preparation has no 'pear'", "pairs"))
    refusal(ad.Request, {"m0": 1.0}, mentions=("SeriesFile is incomplete", "path"))


def test_grids_and_images_of_numpy_and_lists_are_taken():
    turned = ad.Geometry(np.array([4, 3, 2]), np.ones(3), [0, 0, 0], np.eye(3))
    assert turned == GRID and type(turned.size[0]) is int and turned.matches(GRID)
    for array in (ONES.astype(np.float64), ONES.astype(np.int16), ONES.tolist()):
        assert ad.Volume(array, GRID).array.dtype == np.float32
    series = ad.ASLSeries(np.ones((2, *GRID.shape)), GRID, ["control", "label"])
    assert series.context == (VolumeType.CONTROL, VolumeType.LABEL)
    acquisition = ad.Acquisition(labeling="PCASL").with_values("user", m0_scale=np.float32(2))
    assert acquisition.labeling is Labeling.PCASL and acquisition.origins["m0_scale"] is Origin.USER


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ad.Preparation(smoothing="2"), "'smoothing' of Preparation is '2'.*give a number"),
        (lambda: ad.Preparation(motion="no"), "give True or False"),
        (lambda: ad.Preparation(pairs=[1, 4]), "give text or None"),
        (lambda: ad.Preparation(nuisance="csf"), "give a list of text"),
        (lambda: ad.Preparation(outliers=None), "give text"),
        (lambda: ad.Denoising(group=2.5), "give a whole number or None"),
        (lambda: ad.Denoising(group=True), "give a whole number or None"),
        (lambda: ad.Denoising(model=3), "give text"),
        (lambda: ad.Head(t1=3), "give a path or an image"),
        (lambda: ad.Head("t1.nii", t1_to_asl=np.eye(3)), "give a path or a 4x4 matrix"),
        (lambda: ad.Head("t1.nii", t1_to_asl=np.zeros((4, 4))), "4x4 matrix"),
        (lambda: ad.SuperResolution("smooth", (2, 2)), "give a list of 3 numbers or None"),
        (lambda: ad.SuperResolution("smooth", "222"), "give a list of 3 numbers or None"),
        (lambda: ad.Outputs(folder=""), "give a path or None"),
        (lambda: ad.Outputs(regions={"a": "b.nii"}), "give a list of ad.Regions"),
        (lambda: ad.SeriesFile(None), "give a path"),
        (lambda: ad.SeriesFile("a.nii", values=[1]), "give a dictionary"),
        (lambda: ad.Request(None), "give ad.SeriesFile or an ASL series"),
        (lambda: ad.Request("a.nii", preparation="fast"), "give ad.Preparation"),
        (lambda: ad.Geometry((4, 3), (1, 1, 1)), "give a list of 3 whole numbers"),
        (lambda: ad.Geometry((4, 3, 2.5), (1, 1, 1)), "give a list of 3 whole numbers"),
        (lambda: ad.Geometry((4, 3, 2), "abc"), "give a list of 3 numbers"),
        (lambda: ad.Volume("voxels", GRID), "no real numbers"),
        (lambda: ad.Volume([[1], [1, 2]], GRID), "no table of numbers|no real numbers"),
        (lambda: ad.Volume(ONES, np.eye(4)), "give ad.Geometry"),
        (lambda: ad.ASLSeries(ONES[None], GRID, ["controll"]), "one of control, label"),
        (lambda: ad.ASLSeries(ONES[None], GRID, "control"), "give a list"),
        (lambda: ad.ASLSeries(ONES[None], GRID, ["cbf"], m0=1000.0), "give an image"),
        (lambda: ad.Acquisition(label_duration="1.8"), "give a number"),
        (lambda: ad.Acquisition(labeling="ASL"), "one of PCASL, CASL, PASL"),
        (lambda: ad.Tissue(None, None, None, None, "x"), "give an image"),
        (lambda: ad.read(3), "'path' is 3"),
        (lambda: ad.read(None), "give a path"),
        (lambda: ad.read("a.nii", m0=[1]), "'m0' is"),
        (lambda: ad.read("a.nii", values="pld"), "give a dictionary or None"),
        (lambda: ad.read_image(None), "give a path"),
        (lambda: ad.read_request(3), "give a path"),
        (lambda: ad.inspect("a_asl.nii.gz"), r"give an ASL series \(ad\.read reads one\)"),
        (lambda: ad.fix(made_series(), None), "'name' is None"),
        (lambda: ad.fixes("a.nii"), "ASL series"),
        (lambda: ad.run("request.json"), "give ad.Request"),
        (lambda: ad.write(made_series(), "out"), "give the result of a run"),
        (lambda: ad.denoise(made_series(), preparation=3), "give ad.Preparation"),
        (lambda: ad.denoise(made_series(), device=None), "'device' is None"),
        (lambda: ad.denoise(np.ones(3)), "'series' is"),
        (lambda: ad.quantify(made_series(), t1=3), "'t1' is 3"),
        (lambda: ad.quantify(made_series(), regions=["a"]), "give a dictionary or None"),
        (lambda: ad.quantify(made_series(), progress=3), "give a function"),
        (lambda: ad.superresolve(made_series(), spacing=2), "give a list of 3 numbers or None"),
        (lambda: ad.measure(ONES, None), "'cbf' is"),
        (lambda: ad.in_template_space(None), "give the result of a run"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_sentence_that_names_it(make, words):
    with pytest.raises(InputError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_a_path_stands_for_a_series_and_for_images(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(console, "run", lambda request, progress: asked.append(request))
    ad.quantify(str(write_series(tmp_path)), t1="t1.nii.gz", regions={"a": "a.nii.gz"}, preparation={"motion": False})
    assert asked[0].series.path == tmp_path / "sub-01_asl.nii.gz" and asked[0].head.t1 == Path("t1.nii.gz")
    assert asked[0].outputs.regions[0].mask == Path("a.nii.gz") and not asked[0].preparation.motion


def test_values_of_numpy_state_an_acquisition(tmp_path):
    path = write_series(tmp_path)
    for number in (np.float32(2.0), np.int64(2), np.array(2.0)):
        assert ad.read(str(path), values={"post_labeling_delay": number}).acquisition.post_labeling_delay == 2.0
    assert ad.read(path, m0=np.float32(900)).acquisition.m0_estimate == 900.0


@pytest.mark.parametrize(
    "part",
    [
        {"series": 3},
        {"series": []},
        {"series": {"path": ["a"]}},
        {"series": {"path": {"file": 3}}},
        {"series": {"voxels": 1}},
        {"series": {"voxels": {"file": 1}}},
        {"head": {"tissue": {"tissue_maps": {"gm": {}}}}},
        {"head": {"t1": "t1.nii", "t1_to_asl": {"matrix": [[1, 2], [3]]}}},
        {"head": {"t1": "t1.nii", "t1_to_asl": {"matrix": "eye"}}},
        {"superresolution": {"like": {"grid": {"sizes": 3}}}},
        {"superresolution": {"like": {"grid": {"size": "a", "spacing": None}}}},
        {"preparation": {"smoothing": "a"}},
        {"preparation": {"pairs": 3}},
        {"outputs": {"regions": {"a": 1}}},
        {"outputs": {"name": 3}},
        {"outputs": None},
        {"device": 3},
        {"denoising": [1]},
    ],
)
def test_a_request_with_a_part_of_a_wrong_type_is_refused_in_one_sentence(tmp_path, part):
    path = tmp_path / "x_request.json"
    path.write_text(json.dumps({"format": FORMAT, "series": {"path": {"file": "a"}}, **part}))
    with pytest.raises(InputError) as caught:
        ad.read_request(path)
    assert not re.search(r"\n", str(caught.value)) and str(caught.value).endswith(".")


def test_a_function_of_fitted_arguments_keeps_its_name_and_refuses_unknown_ones():
    @fitted
    def doubled(number: float, *, times: int = 2) -> float:
        return number * times

    assert doubled.__name__ == "doubled" and doubled(np.float32(2), times=np.int64(3)) == 6
    with pytest.raises(TypeError):
        doubled(1.0, often=2)
