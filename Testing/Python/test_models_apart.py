"""Models whose weights are published apart: what is said where they are not here, and that unpacked ones are found."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from site_builders import own_model

from ASLDenoiseLib.__main__ import main
from ASLDenoiseLib.denoising import apart, catalogue
from ASLDenoiseLib.denoising.catalogue import (
    DEFAULT_MODEL,
    find_model,
    list_models,
    load_model,
    models_not_installed,
    unusable_models,
    why_not_installed,
)
from ASLDenoiseLib.denoising.own_models import remove_model
from ASLDenoiseLib.errors import InputError
from ASLDenoiseLib.sites.names import check_name

ROOT = Path(__file__).resolve().parents[2]
AWAY = "dwan-lfn"  # a small one, taken for one that is published apart
LARGEST = 5 * 1024 * 1024  # bytes of weights that the published repository holds of a model to compare with


def weights(folder: Path) -> Path:
    return folder / "models" / "model.pt"


@pytest.fixture
def whole(tmp_path) -> Path:
    """The bundle as the archive has it."""
    return shutil.copytree(find_model(AWAY).folder, tmp_path / "archive" / AWAY)


@pytest.fixture
def published(whole, tmp_path, monkeypatch, own_folder) -> Path:
    """The folder of models of a published repository: the default, and the card of the one that is apart."""
    folder = tmp_path / "Models"
    shutil.copytree(find_model(DEFAULT_MODEL).folder, folder / DEFAULT_MODEL)
    shutil.copytree(whole, folder / AWAY)
    weights(folder / AWAY).unlink()
    monkeypatch.setattr(catalogue, "APART", (AWAY,))
    monkeypatch.setattr(catalogue, "models_folder", lambda: folder)
    return folder


def names() -> list[str]:
    return [card.name for card in list_models()]


def test_a_checkout_lacks_all_weights_that_are_published_apart_or_none():
    """One that lacks some was not made by the publishing command."""
    there = [weights(catalogue.models_folder() / name).is_file() for name in apart.APART]
    assert all(there) or not any(there)
    assert {card.name for card in models_not_installed()} == (set() if all(there) else set(apart.APART))
    assert DEFAULT_MODEL not in apart.APART


def test_every_model_to_compare_with_that_is_large_is_published_apart():
    sizes = {path.parent.parent.name: path.stat().st_size for path in catalogue.models_folder().glob("*/models/*.pt")}
    assert {name for name, size in sizes.items() if size > LARGEST} <= set(apart.APART)


def test_the_archive_is_at_the_address_of_the_repository_and_of_this_version():
    import ASLDenoiseLib

    told, version = apart.how_to_get(Path("x")), ASLDenoiseLib.__version__
    cited = re.search(r"^repository-code: (.+)$", (ROOT / "CITATION.cff").read_text("utf-8"), re.MULTILINE)[1]
    assert f'set(EXTENSION_HOMEPAGE "{cited}")' in (ROOT / "CMakeLists.txt").read_text("utf-8")
    assert f"{cited}/releases/tag/v{version}," in told and apart.archive_name(version) in told


def test_where_its_weights_are_not_here_one_sentence_says_where_they_are(published, own_folder, capsys):
    assert names() == [DEFAULT_MODEL] and unusable_models() == ()
    assert main(["models"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 3 and said[1].startswith(f"Not installed, to compare with: {AWAY}; to have them, unpack ")
    assert said[1].endswith(f" into {own_folder}.") and "/releases/tag/v" in said[1]


def test_a_run_with_it_is_refused_by_one_sentence_that_says_how_to_get_it(published, own_folder, tmp_path, capsys):
    from ASLDenoiseLib.resources import sample_data

    asked = ["denoise", str(sample_data().asl), "--model", AWAY, "--out", str(tmp_path / "out")]
    assert main(asked) == 2
    said = capsys.readouterr().err.strip()
    assert f"The model {AWAY} is published apart and is not installed; unpack " in said
    assert said.endswith(f"into {own_folder}.") and "\n" not in said and not (tmp_path / "out").exists()
    assert why_not_installed(DEFAULT_MODEL) == why_not_installed("nonsense") == ""


def test_unpacked_it_is_the_model_that_it_was(published, own_folder, whole, capsys):
    torch = pytest.importorskip("torch")
    (came,) = models_not_installed()
    shutil.copytree(whole, own_folder / AWAY)
    card = find_model(AWAY)
    assert names() == [DEFAULT_MODEL, AWAY] and unusable_models() == models_not_installed() == ()
    assert not card.own and card.sha256 == came.sha256 and card.metadata == came.metadata
    x = torch.randn(1, 1, 24, 24)
    with torch.no_grad():
        assert torch.isfinite(load_model(card)(x)).all()
    assert main(["models"]) == 0
    said = capsys.readouterr().out
    assert f"\n{AWAY}: {card.summary} [" in said and "Not installed" not in said


def test_its_weights_are_held_to_the_card_that_came_along_not_to_the_one_beside_them(published, own_folder, whole):
    pytest.importorskip("torch")
    unpacked = shutil.copytree(whole, own_folder / AWAY)
    weights(unpacked).write_bytes(b"other weights")
    with pytest.raises(InputError, match=r"are damaged .*; unpack .*\.zip"):
        load_model(find_model(AWAY))
    weights(unpacked).unlink()
    (told,) = unusable_models()
    assert "missing; unpack" in told and names() == [DEFAULT_MODEL]


@pytest.mark.parametrize("told", ['{"sha256": "of other weights"}', "{", "{}"])
def test_another_bundle_of_its_name_is_not_taken_for_it(published, own_folder, told):
    own_model(own_folder, AWAY, start=DEFAULT_MODEL)
    (own_folder / AWAY / "configs" / "metadata.json").write_text(told, "utf-8")
    (said,) = unusable_models()
    assert "rename or delete it, and unpack" in said and names() == [DEFAULT_MODEL]
    with pytest.raises(InputError, match="published apart"):
        find_model(AWAY)


def test_where_the_weights_came_along_the_unpacked_ones_change_nothing(published, own_folder, whole):
    shutil.copytree(whole / "models", published / AWAY / "models", dirs_exist_ok=True)
    shutil.copytree(whole, own_folder / AWAY)
    assert find_model(AWAY).folder == published / AWAY and unusable_models() == ()
    (own_folder / AWAY / "configs" / "metadata.json").write_text("{}", "utf-8")
    (told,) = unusable_models()
    assert find_model(AWAY).folder == published / AWAY and "rename its folder" in told


def test_its_name_is_taken_and_it_is_not_removed_as_one_of_the_users_own(published, own_folder, whole):
    with pytest.raises(InputError, match="comes with ASLDenoise"):
        check_name(AWAY.upper())
    shutil.copytree(whole, own_folder / AWAY)
    with pytest.raises(InputError, match="stays"):
        remove_model(find_model(AWAY))
    assert weights(own_folder / AWAY).is_file()


def test_missing_weights_of_any_other_model_are_no_choice_of_the_publishers(published):
    pytest.importorskip("torch")
    weights(published / DEFAULT_MODEL).unlink()
    assert names() == [DEFAULT_MODEL]
    with pytest.raises(InputError, match="missing; reinstall"):
        load_model(find_model(DEFAULT_MODEL))


def test_the_panel_lists_what_is_here_and_says_how_to_get_what_is_not(published, own_folder, whole, desktop, repo_root):
    from slicer_harness.panel import open_panel

    panel = open_panel(repo_root / "ASLDenoise" / "ASLDenoise.py")
    try:
        combo, parameters = panel.ui.modelComboBox, panel.widget._parameterNode
        assert [combo.itemData(i) for i in range(combo.count)] == [DEFAULT_MODEL]
        parameters.model = AWAY
        panel.widget.method.refresh()
        assert panel.ui.modelTextLabel.text == why_not_installed(AWAY) != ""
        shutil.copytree(whole, own_folder / AWAY)
        panel.widget.method.listModels()
        panel.widget.method.refresh()
        assert combo.currentText == "DWAN (lfn), to compare with" and "published apart" not in combo.toolTip
        assert panel.ui.modelTextLabel.text.startswith(find_model(AWAY).summary)
    finally:
        panel.close()
