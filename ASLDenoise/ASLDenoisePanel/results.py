"""The Results section: the choice of a run, its readouts, and saving table and report."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from .combo_boxes import chosen, fill
from .documents import ReportKeeper, reportFile
from .readouts_table import ReadoutsTable
from .report import printPdf
from .views import ViewsSection

_NOWHERE = ""
_LAST_SAVED = "ASLDenoise/LastSaved"


class ResultsSection:
    """Shows the result of the last run, also of a saved scene.

    Args:
        ui: the widgets of the panel by name.
        report: called with a sentence on what was done.
        shown: called with the nodes of the run that is shown from now on, or None.
        keeper: makes reports (`documents.ReportKeeper` where none is given).
    """

    def __init__(self, ui, report, shown, keeper=None):
        self._ui, self._report, self._shownRun = ui, report, shown
        self._keeper = ReportKeeper(report, self._onReportKept) if keeper is None else keeper
        self._parameters, self._nodes, self._result = None, None, None
        self._tips = {button: button.toolTip for button in (ui.reportButton, ui.pdfButton, ui.methodsButton)}
        self.views = ViewsSection(ui)
        self._table = ReadoutsTable(ui.readoutsTable, ui.moreButton)
        ui.runComboBox.connect("activated(int)", self._onRun)
        ui.copyButton.connect("clicked()", self.copyTable)
        ui.tableButton.connect("clicked()", self._onSaveTable)
        ui.reportButton.connect("clicked()", self._onOpenReport)
        ui.pdfButton.connect("clicked()", self._onSavePdf)
        ui.methodsButton.connect("clicked()", self.copyMethods)
        self.clear()

    @property
    def nodes(self):
        """The nodes of the run that is shown, or None."""
        return self._nodes

    def findingsOf(self, series) -> tuple:
        """The findings of the run that is shown, where it is one of this series."""
        return self._findings if series is not None and series is self._series else ()

    def outdateFindings(self) -> None:
        """Have no findings any more: the series has been changed since the run."""
        self._findings = ()

    def setParameters(self, parameters) -> None:
        """Keep choices in this parameter node from now on; None for none."""
        self._parameters = parameters
        self.views.setParameters(parameters)

    def clear(self) -> None:
        """Show that there is no run."""
        self._nodes = self._result = self._series = None
        self._findings = ()
        self.views.clear()
        fill(self._ui.runComboBox, [], None)
        self._ui.resultsLabel.text = _("No result yet. Raw and processed will stand beside each other here.")
        self._setVisible(False)
        self._shownRun(None)

    def present(self, nodes) -> None:
        """Show a run that has just finished (`ASLDenoiseLib.scene.present.PresentedNodes`)."""
        self._result = nodes.result
        self._parameters.report = _NOWHERE
        self._parameters.shownMap = ""
        self._parameters.fade = 1.0
        self.restore(newest=nodes.folder)
        self._keeper.make(nodes.result, nodes.folder)

    def abandon(self) -> None:
        """Make no report any more: the scene closes, or the module ends."""
        self._keeper.abandon()

    def restore(self, *, newest=None) -> None:
        """Show the run that is shown already, else the newest that the scene holds, else none.

        Args:
            newest: the folder of a run that has just come in.
        """
        runs = _runs(slicer.mrmlScene)
        current = newest if newest is not None else None if self._nodes is None else self._nodes.folder
        if not runs:
            if self._nodes is not None or self._result is not None:
                self.clear()
            return
        folder = current if current in runs else next(iter(runs))
        fill(self._ui.runComboBox, [(run.name, run.folder, run.name) for run in runs.values()], folder)
        several = len(runs) > 1
        self._ui.runLabel.setVisible(several)
        self._ui.runComboBox.setVisible(several)
        if newest is None and self._nodes is not None and self._nodes.folder == folder:
            return
        from ASLDenoiseLib.scene.choose import nodes_of
        from ASLDenoiseLib.scene.documents import findings_in, series_in

        scene = slicer.mrmlScene
        self._nodes = nodes_of(scene, runs[folder])
        self._findings, self._series = findings_in(scene, folder), series_in(scene, folder)
        if newest is None and folder != current:
            self._result = None
        self._fillAll(runs[folder].name)

    def refresh(self) -> None:
        """Set the slice views as the parameter node says."""
        self.views.refresh()

    def copyTable(self) -> None:
        """Copy the readouts to the clipboard as tab-separated text, under patient, series and run."""
        from ASLDenoiseLib.scene.readouts import readouts_sheet

        run = self._ui.runComboBox.currentText
        slicer.app.clipboard().setText(readouts_sheet(self._nodes.readouts, patient=self._patient(), run=run))
        self._report(_("The readouts are on the clipboard."))

    def copyMethods(self) -> None:
        """Copy the methods paragraph of the run to the clipboard; it is taken from the report, which a scene keeps."""
        from ASLDenoiseLib.reporting.methods_html import methods_in

        def use(path):
            text = methods_in(path.read_text("utf-8"))
            if text:
                slicer.app.clipboard().setText(text)
                self._report(_("The methods paragraph is on the clipboard."))
            else:
                self._report(
                    _("This run was made by an earlier version, without a methods paragraph: Apply makes one.")
                )

        self.withReport(use)

    def saveTable(self, path) -> None:
        """Write the readouts as tab-separated values.

        Raises:
            OSError: the file could not be written.
        """
        from ASLDenoiseLib.scene.readouts import readouts_tsv

        Path(path).write_text(readouts_tsv(self._nodes.readouts), encoding="utf-8", newline="\n")

    def setReport(self, path) -> None:
        """Keep the path of the shown run's report in the output folder."""
        self._parameters.report = str(path)
        if self._nodes is not None:
            self._enableReport()

    def withReport(self, use) -> None:
        """Call `use` with the path of the report; one that is still being made is waited for."""
        kept = self._parameters.report
        path = Path(kept) if kept and Path(kept).is_file() else reportFile(self._nodes.folder)
        if path is not None:
            use(path)
        elif self._result is not None:
            if not self._keeper.making(self._nodes.folder):
                self._keeper.make(self._result, self._nodes.folder)
            self._report(_("Making the report..."))
            self._keeper.whenMade(lambda folder: self._useMade(folder, use))

    def _useMade(self, folder, use) -> None:
        path = reportFile(folder)
        if path is not None:
            self._report(_("The report is ready."))
            use(path)

    def _onReportKept(self, folder) -> None:
        if self._nodes is not None and folder == self._nodes.folder:
            self._enableReport()

    def _enableReport(self) -> None:
        from ASLDenoiseLib.scene.documents import report_in

        there = self._result is not None or Path(self._parameters.report or "-").is_file()
        there = there or bool(report_in(slicer.mrmlScene, self._nodes.folder))
        for button, tip in self._tips.items():
            button.enabled = there
            missing = _("This scene was saved without the report of the run: press Apply to make it.")
            button.toolTip = tip if there else missing

    def _fillAll(self, name) -> None:
        from ASLDenoiseLib.scene.readouts import pairs_in, readout_rows

        nodes, ui = self._nodes, self._ui
        self._setVisible(True)
        table = nodes.readouts
        self._table.show(*(((),) if table is None else (readout_rows(table), pairs_in(table))))
        ui.resultsLabel.text = "<br>".join(part for part in (f"<b>{name}</b>", self._table.caption) if part)
        self.views.show(nodes)
        self._shownRun(nodes)
        self._enableReport()
        self.views.refresh()

    def _setVisible(self, visible) -> None:
        ui = self._ui
        for name in (
            "readoutsTable",
            "moreButton",
            "copyButton",
            "tableButton",
            "reportButton",
            "pdfButton",
            "methodsButton",
        ):
            getattr(ui, name).setVisible(visible)
        self.views.setVisible(visible)
        if not visible:
            ui.runLabel.setVisible(False)
            ui.runComboBox.setVisible(False)

    def _onRun(self, index) -> None:
        folder = chosen(self._ui.runComboBox)
        if folder is not None and folder != self._nodes.folder:
            self._result, self._parameters.report = None, _NOWHERE
            self.restore(newest=folder)

    def _patient(self) -> str:
        from ASLDenoiseLib.scene.hierarchy import patient_of

        return patient_of(slicer.mrmlScene, self._nodes.folder)

    def _saveName(self, title, ending, kinds) -> str:
        """The path that the user chooses; a name that begins with patient, series and model is proposed."""
        from ASLDenoiseLib.scene.readouts import file_stem

        name = f"{file_stem(self._nodes.readouts, patient=self._patient())}_{ending}"
        proposed = str(Path(str(slicer.util.settingsValue(_LAST_SAVED, ""))) / name)
        path = qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, proposed, kinds)
        if path:
            slicer.app.userSettings().setValue(_LAST_SAVED, str(Path(path).parent))
        return path

    def _onSaveTable(self) -> None:
        path = self._saveName(_("Save the readouts"), "readouts.tsv", _("Tab-separated values") + " (*.tsv)")
        if path:
            self._tried(lambda: self.saveTable(path), path)

    def _onOpenReport(self) -> None:
        self.withReport(lambda path: qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path))))

    def _onSavePdf(self) -> None:
        path = self._saveName(_("Save the report"), "report.pdf", "PDF (*.pdf)")
        if path:
            self.withReport(lambda report: self._tried(lambda: printPdf(report.read_text("utf-8"), Path(path)), path))

    def _tried(self, save, path) -> None:
        try:
            save()
        except OSError as error:
            text = _("The file could not be written ({error}); choose another folder, or free some space.")
            slicer.util.errorDisplay(text.format(error=error))
        else:
            self._report(_("Saved {path}.").format(path=path))


def _runs(scene) -> dict:
    """The runs of the scene by their folders; `scene.choose`, slow to import, only where there may be any."""
    from ASLDenoiseLib.scene.hierarchy import RUN_ATTRIBUTE, all_items, hierarchy

    tree = hierarchy(scene)
    if not any(tree.GetItemAttribute(item, RUN_ATTRIBUTE) for item in all_items(scene)):
        return {}
    from ASLDenoiseLib.scene.choose import runs_in

    return {run.folder: run for run in runs_in(scene)}
