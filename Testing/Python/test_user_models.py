"""Models of the user's own: where they lie, in every list, and what is said of one that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from site_builders import own_model

from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.denoising.catalogue import (
    DEFAULT_MODEL,
    USER_MODELS,
    find_model,
    list_models,
    load_model,
    unusable_models,
    user_models_folder,
)
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.pipeline.request import Denoising, Request, SeriesFile
from ASLDenoiseLib.pipeline.request_json import plain_request, read_request


def test_the_environment_says_where_own_models_lie_else_the_home_folder_does(monkeypatch, tmp_path):
    monkeypatch.setenv(USER_MODELS, str(tmp_path / "x"))
    assert user_models_folder() == tmp_path / "x"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv(USER_MODELS, "~/y")
    assert user_models_folder() == tmp_path / "y"
    monkeypatch.delenv(USER_MODELS)
    assert user_models_folder() == tmp_path / ".asldenoise" / "models"


def test_no_test_sees_a_developers_own_models():
    assert not any(card.own for card in list_models()) and not user_models_folder().exists()


def test_own_models_stand_after_those_that_came_along_by_name(own_folder):
    built_in = [card.name for card in list_models()]
    for name in ("zeta", "alpha"):
        own_model(own_folder, name)
    assert [card.name for card in list_models()] == [*built_in, "alpha", "zeta"]
    card = find_model("alpha")
    assert card.own and card.adapted_from == "dwan-lfn" and not find_model("dwan-lfn").own
    assert find_model("dwan-lfn").adapted_from == ""


def test_an_own_model_is_loaded_as_any_other_is_and_asked_for_by_name(own_folder):
    torch = pytest.importorskip("torch")
    own_model(own_folder)
    x = torch.randn(1, 1, 24, 24)
    with torch.no_grad():
        torch.testing.assert_close(load_model(find_model("mysite"))(x), load_model(find_model("dwan-lfn"))(x))
    assert Denoising("mysite").model == "mysite"


def test_models_says_whose_they_are_and_where_they_lie(own_folder, capsys):
    own_model(own_folder, "mysite", start="dwan-lfn")
    assert main(["models"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("Not installed")]
    assert lines[0].startswith(f"{DEFAULT_MODEL} (default): ")
    assert lines[-2].startswith("mysite (your own, adapted from dwan-lfn): ")
    assert lines[-1] == f"Your own models lie in {own_folder}."


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ("{", "broken"),
        ("[]", "broken"),
        ("{}", "broken"),
        ('{"domain": {}, "network": "a-network-to-come", "sha256": "", "description": ""}', "update ASLDenoise"),
        ('{"domain": {}, "network": "dwan-lfn", "sha256": "", "description": "", "parameters": "many"}', "broken"),
    ],
)
def test_a_broken_own_model_takes_no_other_away_and_is_told_of(own_folder, capsys, metadata, said):
    own_model(own_folder, "good")
    (own_model(own_folder, "bad") / "configs" / "metadata.json").write_text(metadata)
    names = [card.name for card in list_models()]
    assert "good" in names and "bad" not in names and DEFAULT_MODEL in names
    (told,) = unusable_models()
    assert "bad" in told and said in told
    assert main(["models"]) == 0
    assert f"warning: {told}" in capsys.readouterr().err
    with pytest.raises(InputError, match=said):
        find_model("bad")


def test_the_name_of_a_built_in_model_cannot_be_taken(own_folder):
    own_model(own_folder, DEFAULT_MODEL)
    assert not find_model(DEFAULT_MODEL).own
    (told,) = unusable_models()
    assert "rename its folder" in told and DEFAULT_MODEL in told


def test_damaged_weights_of_an_own_model_ask_for_its_folder_not_for_a_reinstallation(own_folder):
    pytest.importorskip("torch")
    folder = own_model(own_folder)
    (folder / "models" / "model.pt").write_bytes(b"x")
    with pytest.raises(InputError, match=r"damaged .*; copy its folder .* again, or adapt again"):
        load_model(find_model("mysite"))
    (folder / "models" / "model.pt").unlink()
    with pytest.raises(InputError, match="missing; copy its folder"):
        load_model(find_model("mysite"))


def test_a_request_for_a_model_that_is_elsewhere_says_how_to_get_it(own_folder, tmp_path):
    folder = own_model(own_folder)
    path = tmp_path / "x_request.json"
    path.write_text(json.dumps(plain_request(Request(SeriesFile(Path("x_asl.nii.gz")), denoising=Denoising("mysite")))))
    assert read_request(path).denoising.model == "mysite"
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(InputError, match=r"no model 'mysite'.* copy its folder .*, or adapt again") as told:
        read_request(path)
    assert str(own_folder) in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize("name", ["", ".", "..", "../my models/mysite", "mysite/configs"])
def test_a_path_is_no_name_of_a_model(own_folder, name):
    own_model(own_folder)
    with pytest.raises(InputError, match="There is no model"):
        find_model(name)


def test_a_bundle_that_is_being_written_is_not_listed(own_folder):
    own_model(own_folder, ".mysite-being-written")
    assert not any(card.own for card in list_models()) and unusable_models() == ()


def test_the_identity_of_a_scan_goes_by_the_weights_of_an_own_model(own_folder, tmp_path):
    from ASLDenoiseLib.participants.identity import identity_of

    def digest(sha256: str) -> str:
        return identity_of(Request(series, denoising=Denoising("mysite")), tmp_path).digest

    series = SeriesFile(tmp_path / "sub-01_asl.nii.gz")
    series.path.touch()
    first = own_model(own_folder)
    before = digest("")
    path = first / "configs" / "metadata.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "sha256": "of other weights"}))
    assert digest("") != before


def test_the_panel_lists_own_models_and_tells_of_one_that_is_not_here(own_folder, desktop, repo_root):
    from slicer_harness.panel import open_panel

    own_model(own_folder)
    panel = open_panel(repo_root / "ASLDenoise" / "ASLDenoise.py")
    try:
        combo, parameters = panel.ui.modelComboBox, panel.widget._parameterNode
        texts = [combo.itemText(i) for i in range(combo.count)]
        assert texts[-1] == "mysite (your own)" and len(set(texts)) == len(texts)
        parameters.model = "of another computer"
        panel.widget.method.refresh()
        assert combo.currentText == "of another computer"
        assert panel.ui.modelTextLabel.text.startswith("Not found on this computer.")
        parameters.model = "mysite"
        panel.widget.method.refresh()
        assert combo.currentText == "mysite (your own)"
        assert "Not found" not in panel.ui.modelTextLabel.text
    finally:
        panel.close()
