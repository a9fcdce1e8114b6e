"""ASL series through Slicer's own ways in: what is claimed, what is left to others, what a load leaves behind.

The stand-ins for the C++ halves offer what Slicer declares of them (Base/QTCore/qSlicerFileReader.h,
Base/QTGUI/qSlicerScriptedFileDialog.h).
"""

from __future__ import annotations

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from panel_builders import write_bids
from reading_builders import head, save, series_array, write_series

from ASLDenoiseLib.reading.recognise import POSSIBLE, SURE, confidence_of, holds_asl

VOLUMES = 0.57  # what qSlicerVolumesReader claims of .nii.gz: 0.5 and a hundredth a letter of the ending


class ReaderParent:
    """Of qSlicerScriptedFileReader what a scripted reader is given."""

    def __init__(self):
        import slicer

        self.loadedNodes, self._messages = [], slicer.vtkMRMLMessageCollection()

    def userMessages(self):
        return self._messages


class DialogParent:
    """Of qSlicerScriptedFileDialog what a scripted dialog is given."""

    def __init__(self, *paths):
        self.fileType = self.description = ""
        self.accepted = self.taken = None
        self._paths = paths

    def mimeData(self):
        import qt

        data = qt.QMimeData()
        data.setUrls([qt.QUrl.fromLocalFile(str(path)) for path in self._paths])
        return data

    def acceptMimeData(self, accept):
        self.accepted = accept

    def dropEvent(self):
        return self

    def accept(self):
        self.taken = True


def reader(panel):
    import ASLDenoise

    return ASLDenoise.ASLDenoiseFileReader(ReaderParent())


def in_memory(path, shape):
    nibabel.save(nibabel.Nifti1Image(np.ones(shape, np.float32), np.eye(4)), path)
    return path


def test_a_series_with_a_context_or_a_sidecar_of_labelling_comes_before_the_readers_of_volumes(tmp_path):
    assert confidence_of(write_series(tmp_path / "bids")) == SURE > VOLUMES
    path = save(tmp_path / "perfusion.nii.gz", series_array())
    assert confidence_of(path) == POSSIBLE < VOLUMES, "nothing says that it is ASL, so it is offered and not preferred"
    path.with_name("perfusion.json").write_text(json.dumps({"ArterialSpinLabelingType": "PCASL"}))
    assert confidence_of(path) == SURE


@pytest.mark.parametrize("name", ["sub-01_T1w", "sub-01_m0scan", "t1", "sub-01_bold"])
def test_ordinary_images_are_left_to_the_readers_of_volumes(tmp_path, name):
    (tmp_path / f"{name}.json").write_text(json.dumps({"RepetitionTime": 2.0}))
    assert confidence_of(in_memory(tmp_path / f"{name}.nii.gz", (6, 6, 6))) == 0
    four = confidence_of(in_memory(tmp_path / f"{name}.nii", (6, 6, 6, 3)))
    assert four in (0, POSSIBLE) and four < VOLUMES


def test_what_is_no_image_is_not_claimed_and_makes_no_noise(tmp_path):
    for name, content in (
        ("a.nii", b""),
        ("b.nii.gz", b"no gzip at all"),
        ("c.nrrd", b"NRRD0004"),
        ("d.nii", b"x" * 400),
    ):
        (tmp_path / name).write_bytes(content)
        assert confidence_of(tmp_path / name) == 0.0
    assert confidence_of(tmp_path / "gone.nii.gz") == 0.0


def test_a_nifti_2_and_one_of_the_other_byte_order_are_understood(tmp_path):
    array = np.ones((6, 6, 6, 4), np.float32)
    nibabel.save(nibabel.Nifti2Image(array, np.eye(4)), tmp_path / "two.nii.gz")
    big = nibabel.Nifti1Image(array, np.eye(4), nibabel.Nifti1Header(endianness=">"))
    nibabel.save(big, tmp_path / "big.nii")
    assert confidence_of(tmp_path / "two.nii.gz") == confidence_of(tmp_path / "big.nii") == POSSIBLE


def test_a_folder_is_taken_where_it_holds_asl_and_left_to_others_where_not(tmp_path):
    from dicom_builders import ASL, pairs, write_dicom, write_examination

    write_series(tmp_path / "bids" / "sub-01" / "perf")
    assert holds_asl(tmp_path / "bids")
    assert holds_asl(write_examination(tmp_path / "study"))
    write_dicom(tmp_path / "head", pairs(2), 3, "t1_mprage_sag", *ASL[:0])
    assert not holds_asl(tmp_path / "head")
    (tmp_path / "other").mkdir()
    save(tmp_path / "other" / "t1.nii.gz", head())
    assert not holds_asl(tmp_path / "other")


def test_the_reader_is_called_as_slicer_calls_it(panel, tmp_path):
    path = write_series(tmp_path)
    own = reader(panel)
    assert own.fileType() == "ASLSeriesFile" and isinstance(own.description(), str)
    assert own.extensions() == ["ASL series (*.nii *.nii.gz)"]
    assert type(own.canLoadFileConfidence(str(path))) is float, "or Slicer takes it for 0"
    assert own.canLoadFile(str(path)) is True and own.canLoadFile(str(tmp_path / "none.nii.gz")) is False


def test_add_data_loads_a_series_with_m0_and_t1_and_the_panel_has_it_selected(panel, made, tmp_path):
    import slicer

    path = write_bids(tmp_path, made)
    own = reader(panel)
    assert own.load({"fileName": str(path), "fileType": "ASLSeriesFile"}) is True
    names = [slicer.mrmlScene.GetNodeByID(node).GetName() for node in own.parent.loadedNodes]
    assert names == ["sub-01_asl", "sub-01_T1w", "sub-01_m0scan"]
    assert panel.ui.aslSelector.currentNode().GetName() == "sub-01_asl"
    assert panel.ui.t1Selector.currentNode().GetName() == "sub-01_T1w"


def test_slicer_finds_the_reader_by_its_name_and_loads_with_it(panel, made, tmp_path):
    import slicer

    path = write_bids(tmp_path, made, t1=False)
    assert slicer.app.coreIOManager().registeredFileReaderCount("ASLSeriesFile") == 1
    assert slicer.app.coreIOManager().fileType(str(path)) == "ASLSeriesFile"
    node = slicer.util.loadNodeFromFile(path, "ASLSeriesFile", {})
    assert node.GetName() == "sub-01_asl" and node is panel.ui.aslSelector.currentNode()
    (tmp_path / "sub-02_asl.nii.gz").write_text("not an image")
    with pytest.raises(RuntimeError, match=r"sub-02_asl"):
        slicer.util.loadNodeFromFile(tmp_path / "sub-02_asl.nii.gz", "ASLSeriesFile", {})


def test_a_script_can_say_what_the_file_lacks(panel, made, tmp_path):
    import slicer

    from ASLDenoiseLib.scene.series import read_acquisition, read_context

    path = write_bids(tmp_path, made, t1=False)
    (path.parent / "sub-01_aslcontext.tsv").unlink()
    own = reader(panel)
    given = {"context": "control,label", "values": {"suppression_pulses": 2}}
    assert own.load({"fileName": str(path), **given}) is True
    node = slicer.mrmlScene.GetNodeByID(own.parent.loadedNodes[0])
    assert [kind.value for kind in read_context(node)][:2] == ["control", "label"]
    assert read_acquisition(node).suppression_pulses == 2


def test_what_cannot_be_read_is_a_message_of_slicers_and_nothing_is_loaded(panel, tmp_path):
    import slicer

    path = tmp_path / "sub-01_asl.nii.gz"
    path.write_text("not an image")
    before = slicer.mrmlScene.GetNumberOfNodes()
    own = reader(panel)
    assert own.load({"fileName": str(path)}) is False
    assert "sub-01_asl.nii.gz" in own.parent.userMessages().GetAllMessagesAsString()
    assert slicer.mrmlScene.GetNumberOfNodes() == before and own.parent.loadedNodes == []


def test_a_folder_dropped_on_the_window_is_loaded_in_the_panel(panel, made, tmp_path, monkeypatch):
    import slicer
    from slicer_harness.panel import process_events

    import ASLDenoise

    selected = []
    monkeypatch.setattr(slicer.util, "selectModule", selected.append)
    write_bids(tmp_path / "data", made)
    parent = DialogParent(tmp_path / "data")
    dialog = ASLDenoise.ASLDenoiseFileDialog(parent)
    assert "ASL" in parent.description and parent.fileType
    dialog.isMimeDataAccepted()
    assert parent.accepted is True
    dialog.dropEvent()
    assert parent.taken and dialog.execDialog() is True and selected == ["ASLDenoise"]
    assert process_events(lambda: panel.ui.aslSelector.currentNode() is not None, timeout=60)
    assert panel.ui.aslSelector.currentNode().GetName() == "sub-01_asl"


def test_other_drops_are_left_to_slicer(panel, tmp_path):
    import ASLDenoise

    (tmp_path / "other").mkdir()
    file = Path(save(tmp_path / "t1.nii.gz", head()))
    for paths in ((tmp_path / "other",), (file,), (tmp_path / "other", file), ()):
        parent = DialogParent(*paths)
        dialog = ASLDenoise.ASLDenoiseFileDialog(parent)
        dialog.isMimeDataAccepted()
        assert parent.accepted is False
        assert dialog.execDialog() is False
