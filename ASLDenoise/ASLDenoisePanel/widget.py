"""The panel: its sections, its states, and the way from Apply to a result."""

from __future__ import annotations

import qt
import slicer
import vtk
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from ASLDenoiseLib.scene.series import series_node

from .acquisition import AcquisitionSection
from .adapt import AdaptSection
from .agreement import AgreementSection
from .choices import expectation, readiness
from .cohort import CohortSection
from .computing import ComputingSection
from .drag_and_drop import DropFilter
from .findings import FindingsSection
from .fit import FitSection
from .inputs import InputsSection
from .kept import KeptPreparation
from .logic import ASLDenoiseLogic, unwatch, watch
from .method import MethodSection
from .panel_frame import PanelFrame
from .parameters import Way
from .paths import resource
from .preview import PreviewSection
from .progress import ProgressArea
from .regions import RegionsSection
from .results import ResultsSection
from .run import Run
from .scrolling import bringIntoSight
from .states import State, obstacle
from .tab_stops import giveTabStops
from .timeline import TimelineSection
from .transfer import Transfer
from .view_observer import ViewObserver

# closed to changes while a run is under way
_SECTIONS = ("inputs", "acquisition", "findings", "fit", "method", "advanced")
# whose choices are in the parameter node
_KEEP = ("inputs", "method", "computing", "results", "timeline", "regions", "fit", "cohort", "adapt")


class ASLDenoiseWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel of the module."""

    def __init__(self, parent=None):
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = self._guiTag = None
        self._series = None  # the node whose acquisition and findings are shown
        self._problem = ""  # what cannot be understood about it
        ScriptedLoadableModuleWidget.__init__(self, parent)

    # Set-up, entering and leaving, scenes that open and close

    def setup(self):
        """Build the panel; nothing heavy is imported."""
        ScriptedLoadableModuleWidget.setup(self)
        self.uiWidget = slicer.util.loadUI(str(resource("UI/ASLDenoise.ui")))
        self.ui = slicer.util.childWidgetVariables(self.uiWidget)
        self._frame = PanelFrame(self.uiWidget, self.ui.runWidget)
        self.layout.addWidget(self._frame.widget, 1)
        giveTabStops(self.uiWidget)
        qt.QWidget.setTabOrder(self.ui.removeModelButton, self.ui.applyButton)  # from top to bottom
        self.uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = ASLDenoiseLogic()
        self.progress = ProgressArea(self.ui)
        self.kept = KeptPreparation()
        self.fit = FitSection(self.ui, self.logic, self.onApplyButton, self._showMaps)
        self.run = Run(self.logic, self.progress, self._onPresented, self._onState, self.kept, self.fit.takeOver)
        self.transfer = Transfer(self.progress, self._onLoaded, self._onTransfer)
        self.inputs = InputsSection(self.ui, self.load)
        self.acquisition = AcquisitionSection(self.ui, self._onAcquisitionChanged)
        self.findings = FindingsSection(self.ui, self._onFix)
        self.method = MethodSection(self.ui)
        self.computing = ComputingSection(self.ui, self._checkCanApply, self._inspecting, self.run.cool)
        self.timeline = TimelineSection(self.ui, self.kept, self.runAgain, self._showPlot, self._showMaps, self._isBusy)
        self.agreement = AgreementSection(self.ui, self._onCompareHalves, self._showPlot, self._showTwo)
        self.regions = RegionsSection(self.ui, self.progress.done, lambda: self._entered)
        self.results = ResultsSection(self.ui, self.progress.done, self._onRunShown)
        self.cohort = CohortSection(self.ui, self.progress.done, self._isRunning)
        self.adapt = AdaptSection(self.ui, self._whyBusy, self._onState, self.method)
        self.preview = PreviewSection(self.findings, lambda: self._parameterNode, self._checkCanApply)
        watch(self._onShownElsewhere)
        self._drops = [DropFilter(widget, self.load) for widget in (self.uiWidget, self.ui.runWidget)]
        self._later = qt.QTimer()
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.connect("timeout()", self._onSceneChanged)
        self.ui.applyButton.connect("clicked(bool)", self.onApplyButton)
        self.ui.advancedCollapsibleButton.connect("contentsCollapsed(bool)", self._onAdvanced)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        for event in (scene.EndCloseEvent, scene.EndImportEvent):
            self.addObserver(scene, event, self.onSceneEnd)
        for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent):
            self.addObserver(scene, event, self._onNodes)
        self.addObserver(scene, scene.EndSaveEvent, self.cohort.onSceneSaved)
        self._viewObserver = ViewObserver(self.results.views)
        self._showSeries(None)
        self.initializeParameterNode()

    def cleanup(self):
        """End the processes and observers of the module."""
        self._later.stop()
        unwatch(self._onShownElsewhere)
        self._abandon()
        self.computing.abandon()
        self.fit.abandon()
        self.kept.discard()
        self.setParameterNode(None)
        self.regions.cleanup()
        self.cohort.cleanup()
        self.adapt.cleanup()
        self.removeObservers()
        self._viewObserver.removeObservers()

    def enter(self):
        """Connect the panel: the user opens the module."""
        if self._guiTag is None:
            self.initializeParameterNode()

    def exit(self):
        """Disconnect the panel: the user opens another module; a run goes on."""
        self.fit.rest()
        self.results.views.rest()
        self._disconnect()

    def onSceneStartClose(self, caller, event):
        """End a run on the scene that closes, and clear the panel."""
        self._abandon()
        self.fit.abandon()
        self.results.views.leaveLayout()
        self.setParameterNode(None)
        self.results.clear()
        self.kept.discard()
        self.acquisition.forgetTyped()
        self._showSeries(None)
        self._checkCanApply()

    def onSceneEnd(self, caller, event):
        """Show the scene that was closed or opened, as it was saved."""
        self._viewObserver.observe()
        if self._entered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Show the scene's parameter node, and observe it."""
        self.setParameterNode(self.logic.getParameterNode())
        self.inputs.autofill()
        self.inputs.leaveOut()
        self.results.restore()
        self._refresh()

    def setParameterNode(self, parameters):
        """Show and change this parameter node from now on; None for none."""
        self._disconnect()
        self._parameterNode = parameters
        for name in _KEEP:
            getattr(self, name).setParameters(parameters)
        if parameters is not None:
            self._guiTag = parameters.connectGui(self.ui)
            self.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, self._onParameters)

    def _disconnect(self):
        if self._guiTag is not None:
            self._parameterNode.disconnectGui(self._guiTag)
            self._guiTag = None
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._onParameters)

    def _abandon(self):
        self.preview.stop()
        self.transfer.abandon()
        self.run.abandon()
        self.results.abandon()

    # The parameter node and the scene have changed

    def _onParameters(self, caller=None, event=None):
        if self._parameterNode is not None:
            self._forgetRefusal()
            self._refresh()

    def _forgetRefusal(self):
        """Reset a failed run once its inputs have changed."""
        if self.run.state is State.ERROR:
            self.run.reset()

    @property
    def _entered(self):
        """Whether the panel is shown; one that was opened on its own always is."""
        return getattr(self.parent, "isEntered", True)

    def _onNodes(self, caller, event):
        if self._entered:
            self._later.start()  # once for many, and after the node that was added has its contents

    def _onSceneChanged(self):
        if self._parameterNode is not None:
            if not self.run.running:
                self.inputs.autofill()
            self.inputs.leaveOut()
            self.results.restore()
            self._refresh()

    def _refresh(self):
        series = self._parameterNode.asl
        self.inputs.refresh()
        self.method.refresh()
        self.computing.refresh()
        self.results.refresh()
        self.timeline.refresh()
        self.regions.refresh()
        self.fit.refresh()
        self.cohort.refresh()
        self.adapt.refresh()
        if series is not self._series:
            if self.run.state in (State.DONE, State.ERROR):
                self.run.reset()
            self._showSeries(series)
        self._checkCanApply()

    def _showSeries(self, series):
        self._series = series
        self._problem = self.acquisition.show(self._series)
        self.findings.keep(self.results.findingsOf(series))
        self.preview.inspect()
        if series is not None:
            self.computing.soon()

    def _onAcquisitionChanged(self):
        self._forgetRefusal()
        self.results.outdateFindings()
        self._showSeries(self._parameterNode.asl)
        self.inputs.refresh()
        self.method.refresh()
        self._checkCanApply()

    def _onFix(self, fix):
        target = self.preview.apply(fix)
        if target is not self._series:
            self.inputs.select(asl=target)
        self._onAcquisitionChanged()

    def _onAdvanced(self, collapsed):
        if not collapsed:
            self.computing.check()

    def _inspecting(self):
        """Whether processes are at work that others are to wait for."""
        return self.preview.running or self._isBusy()

    def _obstacle(self):
        p = self._parameterNode
        if p is None:
            return _("Select an ASL series, or load one from disk.")
        unusable, busy = self._problem or self.preview.unusable, self.transfer.busy or self.adapt.busy
        return obstacle(readiness(p, unusable=unusable, needsT1=self.method.needsT1, busy=busy))

    @property
    def state(self):
        """The state of the panel, a `State`."""
        if self.run.state is not State.READY:
            return self.run.state
        return State.EMPTY if self._obstacle() else State.READY

    def _checkCanApply(self, caller=None, event=None):
        """Enable Apply and show how long it takes, or show why it is off."""
        button = self.ui.applyButton
        if self.run.running:
            button.text, button.enabled = _("Cancel"), True
            button.toolTip = _("End the run; the scene stays as it was.")
            self.ui.reasonLabel.setVisible(False)
            return
        reason = self._obstacle()
        p = self._parameterNode
        resolve = p is not None and p.way is Way.SUPERRESOLVE
        what = _("Estimate a finer map.") if resolve else _("Denoise the series and compare raw with denoised.")
        estimate = "" if reason else expectation(p)
        button.text, button.enabled = _("Apply"), not reason
        button.toolTip = reason or f"{what} {estimate}"
        trouble = "" if p is None or p.way is Way.QUANTIFY else self.computing.note
        self.ui.reasonLabel.text = "\n".join(filter(None, (reason or estimate, trouble)))
        self.ui.reasonLabel.setVisible(not self.transfer.busy)  # the line below the bar says it already
        if (
            not reason
            and self.run.state in (State.READY, State.DONE)
            and not self._inspecting()
            and self.computing.listed
        ):
            self.run.warm()

    # Apply, loading, and their results

    def onApplyButton(self):
        """Apply, or Cancel while a run is under way."""
        if self.run.running:
            self.ui.applyButton.enabled = False
            self.run.cancel()
        elif not self._obstacle():
            self.fit.rest()
            self.computing.abandon()
            self.run.start(self._parameterNode)
            self.computing.update()

    def runAgain(self):
        """Make the maps again with the choices as they are, from the pairs as the run before prepared them."""
        if not self.run.running and not self._obstacle():
            self.run.start(self._parameterNode, again=True)

    def _isRunning(self):
        """Whether something is under way that a scene which closes would end."""
        return self.run.running or bool(self.transfer.busy)

    def _isBusy(self):
        return self._isRunning() or self.adapt.running

    def _whyBusy(self):
        """What a model cannot be adapted beside, in words; empty where nothing is under way."""
        return _("A run is under way: wait for it, or cancel it.") if self.run.running else self.transfer.busy

    def _onCompareHalves(self):
        self._parameterNode.splitHalf = True
        self.runAgain()

    def _showPlot(self, chart):
        self.results.views.showPlot(chart)

    def _showTwo(self, left, right):
        self.results.views.showTwo(left, right)

    def _showMaps(self):
        self.results.views.renew()

    def _onRunShown(self, nodes):
        self.findings.keep(() if nodes is None else self.results.findingsOf(self._series))
        self.timeline.show(nodes)
        self.agreement.show(nodes)
        self.regions.show(nodes)
        self.fit.showRun(nodes)

    def load(self, path, number=None, context=None):
        """Load a series from a file or folder (of several the one of that number), unless a run is under way.

        `context` says what its volumes are: ``cbf`` for the scanner's own CBF map.
        """
        if not self.run.running and self._parameterNode is not None:
            self.inputs.offer(None)
            typed = self.acquisition.typed()
            self.transfer.load(path, number, context or typed.get("context"), typed.get("values"))

    def take(self, nodes):
        """Select what Slicer's own reader of files has loaded (`loading.LoadedNodes`), unless a run is under way."""
        if not self.run.running and self._parameterNode is not None:
            self._onLoaded(nodes)

    def _onLoaded(self, nodes):
        """Select what was loaded; returns a sentence about it, or ''."""
        self.acquisition.forgetTyped()
        series, t1, m0 = nodes.sequence, nodes.t1, nodes.m0
        p, chosen, note = self._parameterNode, {"asl": series, "m0": m0}, ""
        another = p.asl is not None and p.asl is not series
        if t1 is not None:
            chosen["t1"] = t1
        elif another and (p.t1 is not None or p.segmentation is not None):
            chosen |= {"t1": None, "segmentation": None}  # those of another head, for all that is known
            note = _("No T1 lies beside it, so none is selected: select its T1 if it has one.")
        self.inputs.select(**chosen)
        return note

    def _onTransfer(self, several=None):
        if several is not None:
            self.inputs.offer(several)
        self._onState()

    def _onState(self):
        for name in _SECTIONS:
            getattr(self.ui, f"{name}CollapsibleButton").setEnabled(not self.run.running)
        self.timeline.refresh()
        self.cohort.refresh()
        self.adapt.refresh()
        self.ui.halvesButton.enabled = not self._isBusy()
        self._checkCanApply()

    def _onShownElsewhere(self, nodes, asl):
        """Show a run of the selected series that was started from the console as one that was started here."""
        p = self._parameterNode
        if self.run.running or p is None or asl is None or p.asl is not series_node(asl):
            return
        self.results.present(nodes)
        self.findings.show(nodes.result.findings)
        self.run.doneElsewhere(_("Done from the Python console."), nodes.result.findings)

    def _onPresented(self, nodes):
        self.timeline.keptFor(nodes.folder)
        self.results.present(nodes)
        self.regions.adopt(nodes)
        self.ui.resultsCollapsibleButton.collapsed = False
        bringIntoSight(self.ui.resultsCollapsibleButton)
        if self._parameterNode.outputFolder:
            self.transfer.writeTo(nodes.result, self._parameterNode.outputFolder, self.results.setReport)
