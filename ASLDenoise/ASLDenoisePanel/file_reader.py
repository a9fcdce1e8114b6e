"""ASL series in Slicer's own ways in: Add Data, drag and drop on the window, and `slicer.util.loadNodeFromFile`.

Slicer finds both classes by their names in the module's file, and calls them as its C++ classes declare
(Base/QTCore/qSlicerScriptedFileReader, Base/QTGUI/qSlicerScriptedFileDialog). What reads is the panel's own task.
"""

from __future__ import annotations

import logging
from pathlib import Path

import slicer
import vtk
from slicer.i18n import tr as _

from .drag_and_drop import onePath
from .loading import finished, intoScene
from .packages import PackagesMissing, ensurePackages
from .remedies import panelFailure
from .tasks import LoadSeries, SeriesChoice

_TYPE = "ASLSeriesFile"
_MODULE = "ASLDenoise"


class SeriesFileReader:
    """Reads a NIfTI with sidecars as an ASL series; ordinary images are left to the readers of volumes.

    Besides `fileName`, `load` takes `context` (the order of the volumes) and `values` (fields of `Acquisition`) for
    what the files do not state: ``slicer.util.loadNodeFromFile(path, "ASLSeriesFile", {"context": "control,label"})``.
    """

    def __init__(self, parent):
        self.parent = parent

    def description(self):
        """The name of the kind of file, for people."""
        return _("ASL series")

    def fileType(self):
        """The name of the kind of file, for scripts."""
        return _TYPE

    def extensions(self):
        """The endings of such files, with what they are."""
        return [_("ASL series") + " (*.nii *.nii.gz)"]

    def canLoadFile(self, filePath):
        """Whether it could be an ASL series."""
        return self.canLoadFileConfidence(filePath) > 0

    def canLoadFileConfidence(self, filePath):
        """How sure it is that it is one, 0 to 1; above 0.6 it comes before the readers of volumes."""
        from ASLDenoiseLib.reading.recognise import confidence_of

        try:
            return float(confidence_of(Path(filePath)))
        except Exception:  # this is asked of any file; one that is odd is none of ours
            logging.debug("ASL Denoise: %s could not be looked at", filePath, exc_info=True)
            return 0.0

    def load(self, properties):
        """Load the series, with the M0 and the T1 that lie beside it; returns whether that worked."""
        from ASLDenoiseLib.running.events import Failed

        path = Path(properties["fileName"])
        try:
            ensurePackages()
            task = LoadSeries(path, context=properties.get("context"), values=dict(properties.get("values") or {}))
            loaded = finished(task)
        except PackagesMissing as error:
            return self._refuse(str(error))
        if isinstance(loaded, Failed):
            return self._refuse(panelFailure(loaded))
        if isinstance(loaded, SeriesChoice):
            return self._refuse(_("It holds several ASL series: load one of them with the module ASL Denoise."))
        nodes = intoScene(loaded)
        self.parent.loadedNodes = nodes.ids
        panel = _panel()
        if panel is not None:
            panel.take(nodes)
        return True

    def _refuse(self, sentence) -> bool:
        self.parent.userMessages().AddMessage(vtk.vtkCommand.ErrorEvent, sentence)
        return False


class SeriesFileDialog:
    """Takes a folder that is dropped on Slicer's window: BIDS, or DICOM of a whole examination."""

    def __init__(self, qSlicerFileDialog):
        self.qSlicerFileDialog = qSlicerFileDialog
        qSlicerFileDialog.fileType = _("ASL series folder")
        qSlicerFileDialog.description = _("Load an ASL series from this folder (BIDS or DICOM)")
        self._folder = None

    def isMimeDataAccepted(self):
        """Say whether what is dragged is one folder with ASL in it."""
        from ASLDenoiseLib.reading.recognise import holds_asl

        path = onePath(self.qSlicerFileDialog.mimeData())
        self._folder = path if path is not None and path.is_dir() and holds_asl(path) else None
        self.qSlicerFileDialog.acceptMimeData(self._folder is not None)

    def dropEvent(self):
        """Take the drop; Slicer calls `execDialog` once the drag has ended."""
        if self._folder is not None:
            self.qSlicerFileDialog.dropEvent().accept()

    def execDialog(self):
        """Load the folder in the module's panel, which asks where it holds several series."""
        folder, self._folder = self._folder, None
        if folder is None:
            return False
        slicer.util.selectModule(_MODULE)
        panel = _panel()
        if panel is None:
            return False
        panel.load(folder)
        return True


def _panel():
    """The module's panel, or None where it was not opened yet."""
    return getattr(slicer.modules, f"{_MODULE}Widget", None)
