"""The sample series in Slicer's Sample Data module: registered from the bundled files, loaded by the panel's own code.

`SampleData` here keeps what is registered and checks it as Slicer's does. Read in Slicer's sources
(Modules/Scripted/SampleData/SampleData.py, 2023 to 2026, the signature being the same throughout): a source holds one
entry a file in each of its lists and is refused otherwise; one that is there already is not added again; the button of
a source calls `customDownloader(source)`; `downloadSamples` ignores that, has each uri copied into the cache under its
file name by `urllib.request.urlretrieve`, compares sums, and gives the paths where neither node names nor loading are
asked for.
"""

from __future__ import annotations

import sys
import types
import urllib.request
from pathlib import Path

import pytest

from ASLDenoiseLib.resources import sample_data
from ASLDenoiseLib.series import Origin, VolumeType


class SampleDataSource:
    """As Slicer's: lists of one length, or nothing."""

    def __init__(self, sampleName, uris, fileNames, checksums, loadFiles, customDownloader, thumbnailFileName):
        lengths = {len(uris), len(fileNames), len(checksums), len(loadFiles)}
        if len(lengths) != 1:
            raise ValueError("All fields of sample data source must have the same length")
        self.sampleName, self.uris, self.fileNames, self.checksums = sampleName, uris, fileNames, checksums
        self.loadFiles, self.customDownloader, self.thumbnailFileName = loadFiles, customDownloader, thumbnailFileName


class SampleDataLogic:
    """What modules register with."""

    registered: dict[str, list[SampleDataSource]]

    # Slicer's own signature; a name that is not here would be a TypeError there
    @staticmethod
    def registerCustomSampleDataSource(
        category="Custom",
        sampleName=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileTypes=None,
        loadFiles=None,
        loadFileProperties={},  # noqa: B006
        checksums=None,
        loadFileType=None,
    ):
        assert nodeNames is loadFileTypes is loadFileType is None and not loadFileProperties
        source = SampleDataSource(
            sampleName, uris, fileNames, checksums, loadFiles, customDownloader, thumbnailFileName
        )
        known = SampleDataLogic.registered.setdefault(category, [])
        if not any(vars(source) == vars(one) for one in known):
            known.append(source)


@pytest.fixture
def registered(monkeypatch):
    """A Sample Data module, and what is registered with it by category."""
    module = types.ModuleType("SampleData")
    module.SampleDataLogic = SampleDataLogic
    monkeypatch.setitem(sys.modules, "SampleData", module)
    SampleDataLogic.registered = {}
    return SampleDataLogic.registered


@pytest.fixture
def panel(desktop, registered, repo_root):
    """The panel, in a Slicer with sample data."""
    from slicer_harness.panel import open_panel

    opened = open_panel(repo_root / "ASLDenoise" / "ASLDenoise.py", enter=False)
    yield opened
    opened.close()


@pytest.fixture
def source(panel, registered):
    """The registered source."""
    (only,) = registered["ASL Denoise"]
    return only


def test_the_source_is_whole_and_its_sums_are_those_of_the_bundled_files(source):
    import slicer

    paths = [Path(urllib.request.url2pathname(uri.removeprefix("file:"))) for uri in source.uris]
    assert all(uri.startswith("file:///") for uri in source.uris)
    assert paths[0] == sample_data().asl and sample_data().t1 in paths
    assert [path.name for path in paths] == source.fileNames
    for path, checksum in zip(paths, source.checksums, strict=True):
        if path.name.endswith(".nii.gz"):
            assert checksum == f"SHA256:{slicer.util.computeChecksum('SHA256', str(path))}"
    assert sum(checksum is not None for checksum in source.checksums) == 3


def test_the_thumbnail_is_a_picture_in_the_shape_of_the_buttons(source):
    import qt

    size = qt.QPixmap(source.thumbnailFileName).size()
    assert (size.width(), size.height()) == (360, 240)


def test_the_files_that_the_console_gets_are_a_series_with_its_sidecars(source, tmp_path):
    """`SampleData.downloadSamples` copies them flat into the cache."""
    from ASLDenoiseLib.reading.read import read_series

    for uri, name in zip(source.uris, source.fileNames, strict=True):
        urllib.request.urlretrieve(uri, tmp_path / name)
    assert not any(source.loadFiles)
    series, bundled = (read_series(path) for path in (tmp_path / source.fileNames[0], sample_data().asl))
    assert (series.acquisition, series.context) == (bundled.acquisition, bundled.context)
    assert series.m0 is not None


def test_a_click_opens_the_panel_and_loads_series_acquisition_and_t1(panel, source):
    import slicer
    from slicer_harness.panel import process_events

    from ASLDenoiseLib.scene.series import read_acquisition, series_from_sequence

    source.customDownloader(source)
    assert panel.frame.isEntered and slicer.util.mainWindow().moduleSelector().selectedModule == "ASLDenoise"
    assert process_events(lambda: not panel.widget.transfer.busy, timeout=60)
    parameters = panel.widget.logic.getParameterNode()
    assert parameters.t1.GetName().endswith("T1w")
    assert len(series_from_sequence(parameters.asl).indices(VolumeType.LABEL)) == 10
    acquisition = read_acquisition(parameters.asl)
    assert (acquisition.post_labeling_delay, acquisition.origins["post_labeling_delay"]) == (1.8, Origin.SIDECAR)
    assert parameters.m0 is not None
    assert process_events(lambda: panel.ui.applyButton.enabled, timeout=60), panel.ui.reasonLabel.text


def test_a_damaged_file_is_named_and_nothing_is_loaded(source, panel):
    import slicer
    from slicer_harness import dialogs

    before = slicer.mrmlScene.GetNumberOfNodes()
    source.checksums[0] = f"SHA256:{'0' * 64}"
    source.customDownloader(source)
    assert "sub-phantom_asl.nii.gz" in dialogs.shown[-1].text and "install" in dialogs.shown[-1].text
    assert slicer.mrmlScene.GetNumberOfNodes() == before and not panel.widget.transfer.busy


def test_what_is_registered_waits_for_the_end_of_the_start(registered, repo_root):
    """Modules are made before the main window, and Sample Data may come after this one."""
    from slicer_harness import installed, why_absent

    if why_absent():
        pytest.skip(why_absent())
    from slicer_harness.modules import load_scripted_module

    with installed(main_window=False) as desktop:
        desktop.app._complete_startup = lambda: None
        load_scripted_module(repo_root / "ASLDenoise" / "ASLDenoise.py")
        assert not registered
        del desktop.app._complete_startup
        desktop.app._complete_startup()
        assert list(registered) == ["ASL Denoise"]


def test_a_slicer_without_sample_data_starts_without_a_word(desktop, repo_root, monkeypatch):
    from slicer_harness.modules import load_scripted_module

    monkeypatch.setitem(sys.modules, "SampleData", None)  # an import that fails
    load_scripted_module(repo_root / "ASLDenoise" / "ASLDenoise.py")


def test_no_sample_data_are_registered_where_the_files_are_missing(panel, registered, monkeypatch, tmp_path):
    from ASLDenoisePanel import sampledata

    from ASLDenoiseLib import resources

    registered.clear()
    monkeypatch.setattr(resources, "resources_folder", lambda: tmp_path)
    sampledata.registerSampleData()
    assert not registered


def test_the_stand_in_refuses_lists_of_different_lengths(registered):
    keywords = {"uris": ["a"], "fileNames": ["a"], "checksums": ["a"], "loadFiles": []}
    with pytest.raises(ValueError, match="same length"):
        SampleDataLogic.registerCustomSampleDataSource(**keywords)
