"""The Inputs section: selectors that fill themselves, loading from disk, and what the series holds."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from ASLDenoiseLib.scene.arrival_nodes import is_arrival
from ASLDenoiseLib.scene.series import first_volume, read_context, volume_count

from .acquisition_rows import countWords
from .autofill import likelyM0, likelySegmentation, likelyT1, madeVolumes, newestSeries
from .combo_boxes import chosen, fill

_LAST_FOLDER = "ASLDenoise/LastFolder"
_SELECTORS = {"asl": "aslSelector", "t1": "t1Selector", "m0": "m0Selector", "segmentation": "segmentationSelector"}


class InputsSection:
    """The images to work on.

    Args:
        ui: the widgets of the panel by name.
        load: called with the path of a file or folder to load, and the number of one of the series in it.
    """

    def __init__(self, ui, load):
        self._ui, self._load, self._parameters = ui, load, None
        self._beside = ()  # T1 and M0, which are not offered as a series
        ui.aslSelector.connect("currentNodeChanged(vtkMRMLNode*)", self._onSeries)
        for name, widget in _SELECTORS.items():
            getattr(ui, widget).connect("nodeActivated(vtkMRMLNode*)", lambda node, name=name: self.decide(name))
        self._menu, self.actions = qt.QMenu(ui.loadButton), {}
        for name, text, load in (
            ("file", _("4D NIfTI file..."), self._onFile),
            ("folder", _("BIDS or DICOM folder..."), self._onFolder),
            ("map", _("CBF map of the scanner (3D NIfTI file)..."), self._onMap),
            ("sample", _("Sample series (simulated)"), self._onSample),
        ):
            self.actions[name] = self._menu.addAction(text)
            self.actions[name].connect("triggered()", load)
        ui.loadButton.setMenu(self._menu)
        ui.foundComboBox.connect("activated(int)", self._onFound)
        self.offer(None)

    def setParameters(self, parameters) -> None:
        """Keep choices in this parameter node from now on; None for none."""
        self._parameters = parameters
        if parameters is not None:
            self._ui.aslSelector.setCurrentNode(parameters.asl)

    def decide(self, name) -> None:
        """Keep that the user chose an input, so that filling in leaves it alone."""
        p = self._parameters
        if p is not None and name not in p.decided:
            p.decided = [*p.decided, name]

    def select(self, **nodes) -> None:
        """Select nodes as the user's choice, by input."""
        for name, node in nodes.items():
            self._parameters.setValue(name, node)
            self.decide(name)

    def autofill(self) -> None:
        """Fill in what the user has not chosen, from what is loaded."""
        p, scene = self._parameters, slicer.mrmlScene
        if p is None or scene is None or scene.IsBatchProcessing():
            return
        for name, guess in (
            ("asl", lambda: newestSeries(scene)),
            ("t1", lambda: likelyT1(scene)),
            ("m0", lambda: likelyM0(scene, p.asl)),
            ("segmentation", lambda: likelySegmentation(scene)),
        ):
            if name not in p.decided:
                node = guess()
                if node is not None and node is not getattr(p, name):
                    p.setValue(name, node)

    def leaveOut(self) -> None:
        """Leave out of the selectors what is no input: the maps of runs, and what a sequence shows anyway."""
        p, scene = self._parameters, slicer.mrmlScene
        if p is None or scene is None or scene.IsBatchProcessing():
            return
        self._beside = (p.t1, p.m0)
        made = madeVolumes(scene)
        for name in ("asl", "t1", "m0", "like", "arrival"):
            others = [p.t1, p.m0] if name == "asl" else []
            hidden = [node for node in (*made, *others) if node is not None and node is not getattr(p, name)]
            if name == "arrival":
                hidden = [node for node in hidden if not is_arrival(node)]
            # a property of qMRMLSortFilterProxyModel, by which Slicer's modules Transforms and Segmentations do this
            model = getattr(self._ui, f"{name}Selector").sortFilterProxyModel()
            model.setProperty("hiddenNodeIDs", [node.GetID() for node in hidden])

    def refresh(self) -> None:
        """Show what the parameter node holds and what the series is."""
        p = self._parameters
        if p is None:
            return
        if self._ui.aslSelector.currentNode() is not p.asl:
            self._ui.aslSelector.setCurrentNode(p.asl)
        if self._beside != (p.t1, p.m0):
            self.leaveOut()
        self._ui.tissueCheckBox.setVisible(p.segmentation is not None)
        self._ui.seriesLabel.text = describe(p.asl)
        self._ui.seriesLabel.setVisible(p.asl is not None)

    def offer(self, choice) -> None:
        """Offer the series of a folder (a `tasks.SeriesChoice`) to the user; None hides the choice."""
        self._folder = None if choice is None else choice.folder
        found = () if choice is None else choice.found
        items = [(_("Choose one of {count}...").format(count=len(found)), "", "")] if found else []
        items += [(each.label, str(each.number), f"{each.number}: {each.label}") for each in found]
        fill(self._ui.foundComboBox, items, "")
        for widget in (self._ui.foundLabel, self._ui.foundComboBox):
            widget.setVisible(bool(found))

    def _onSeries(self, node) -> None:
        if self._parameters is not None and self._parameters.asl is not node:
            self._parameters.asl = node

    def _onFound(self, index) -> None:
        number = chosen(self._ui.foundComboBox)
        if number:
            self._load(self._folder, int(number))

    def _onFile(self) -> None:
        title, kinds = _("Load an ASL series"), _("NIfTI images") + " (*.nii *.nii.gz)"
        self._picked(qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), title, _lastFolder(), kinds))

    def _onMap(self) -> None:
        title, kinds = _("Load a CBF map"), _("NIfTI images") + " (*.nii *.nii.gz)"
        path = qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), title, _lastFolder(), kinds)
        self._picked(path, context="cbf")

    def _onFolder(self) -> None:
        title = _("Load an ASL series from a BIDS or DICOM folder")
        self._picked(qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), title, _lastFolder()))

    def _onSample(self) -> None:
        from ASLDenoiseLib.errors import InputError
        from ASLDenoiseLib.resources import sample_data

        try:
            self._load(sample_data().asl)
        except InputError as error:
            slicer.util.errorDisplay(str(error))

    def _picked(self, path, **known) -> None:
        if path:
            slicer.app.userSettings().setValue(_LAST_FOLDER, str(Path(path).parent))
            self._load(Path(path), **known)


def describe(node) -> str:
    """A series in one line: voxels and their size, and how many volumes of each kind."""
    volumes = volume_count(node)
    if not volumes:
        return "" if node is None else _("The series is empty.")
    first = first_volume(node)
    if first is None:
        return _("The series holds no images.")
    size = " × ".join(str(n) for n in first.GetImageData().GetDimensions())
    spacing = " × ".join(f"{s:.3g}" for s in first.GetSpacing())
    try:
        context = read_context(node)
    except ValueError:
        context = ()
    kinds = countWords(context) if any(kind.value != "n/a" for kind in context) else ""
    counted = kinds or _("{count} volumes").format(count=volumes)
    return _("{size} voxels of {spacing} mm; {volumes}").format(size=size, spacing=spacing, volumes=counted)


def _lastFolder() -> str:
    return str(slicer.util.settingsValue(_LAST_FOLDER, ""))
