"""Do T1 and series belong together? The check before a run, the figure of a run, and what shows it in the views."""

from __future__ import annotations

import slicer
from slicer.i18n import tr as _

from .colours import AMBER, GREY, RED
from .fit_views import FitViews
from .kept import KeptPreparation
from .packages import PackagesMissing, ensurePackages
from .parameters import Alignment
from .placing import handlesOn, placedUnder
from .remedies import panelError, panelFailure, panelRemedy
from .running import Driver
from .tasks import CheckFit

_COLOURS = {"green": "#2e8b57", "amber": AMBER, "red": RED, "unknown": GREY}


class FitSection:
    """A traffic light, its figure, and buttons that show both images.

    Args:
        ui: the widgets of the panel by name.
        logic: makes requests of choices.
        apply: called to start a run.
        maps: called to show the maps of the run again.
    """

    def __init__(self, ui, logic, apply, maps):
        self._ui, self._logic, self._apply = ui, logic, apply
        self._parameters, self._key, self._found, self._run = None, None, None, None
        self._driver, self.kept = Driver(), KeptPreparation()
        self._handles = None  # the transform that is being moved
        buttons = {"outline": ui.outlineButton, "flicker": ui.flickerButton, "checkerboard": ui.checkerboardButton}
        self.views = FitViews(buttons, maps)
        ui.fitCheckButton.connect("clicked()", self._onCheck)
        ui.placeButton.connect("clicked()", self.placeByHand)
        ui.fromThereButton.connect("clicked()", self.runFromThere)

    @property
    def running(self) -> bool:
        """Whether a check is under way."""
        return self._driver.running

    def setParameters(self, parameters) -> None:
        """Keep choices in this parameter node from now on; None for none."""
        self.rest()
        self._parameters = parameters

    def refresh(self) -> None:
        """Show what is known of the selected images; a check of others is forgotten."""
        p = self._parameters
        key = None if p is None else _keyOf(p)
        if key != self._key:
            self._forgetCheck()
            self._key = key
        self._show()

    def showRun(self, nodes) -> None:
        """Show the figure of this run (`ASLDenoiseLib.scene.choose.RunNodes`) from now on; None for none."""
        self._run = nodes
        if nodes is not None:
            self._forgetCheck()
        self._show()

    def check(self) -> None:
        """Segment and register the T1 in a child process, and say whether it belongs to the series."""
        from ASLDenoiseLib.errors import InputError

        try:
            ensurePackages()
            request = self._logic.requestOf(self._parameters)
        except (InputError, PackagesMissing) as error:
            self._say(panelError(error))
            return
        self._forgetCheck()
        self._driver.start(
            CheckFit(request, self.kept.folder),
            progress=lambda event: self._say(_("Checking: {what}...").format(what=event.text)),
            done=self._onFound,
            failed=lambda failed: self._say(panelFailure(failed)),
            cancelled=lambda event: self._show(),
        )
        self._show()

    def takeOver(self, request, folder) -> bool:
        """Hand on what the check prepared to a run of the same inputs, which then need not do it again."""
        from ASLDenoiseLib.pipeline.again import can_begin_again, hand_over

        if not self.kept.there or not can_begin_again(request, self.kept.folder):
            return False
        try:
            hand_over(self.kept.folder, folder)
        except OSError:
            return False
        return True

    def placeByHand(self) -> None:
        """Put the T1 under a transform with handles, over the series where it lies."""
        from ASLDenoiseLib.errors import InputError
        from ASLDenoiseLib.scene.series import first_volume
        from ASLDenoiseLib.scene.series_place import proxies_of

        p = self._parameters
        self.views.leave()
        try:
            self._handles = placedUnder(p.t1)
        except InputError as error:
            self._say(panelError(error))
            return
        handlesOn(self._handles, True)
        below = p.m0 or next(iter(proxies_of(p.asl)), None) or first_volume(p.asl)
        self.views.layOver(below, p.t1)
        self._say(_("Drag the handles in the slice views until the T1 lies on the series, then run from there."))
        self._enable()

    def runFromThere(self) -> None:
        """Run, with the search for the alignment starting where the T1 lies."""
        self.rest()
        self._parameters.alignment = Alignment.START
        self._apply()

    def rest(self) -> None:
        """Stop what moves and put the views back, as when the module is left."""
        self.views.leave()
        if self._handles is not None and self._handles.GetScene() is not None:
            handlesOn(self._handles, False)
        self._handles = None

    def abandon(self) -> None:
        """End a check, and forget all."""
        self._driver.abandon()
        self.rest()
        self._forgetCheck()
        self._key = self._run = None
        self.kept.discard()

    def _onCheck(self) -> None:
        if self.running:
            self._driver.cancel()
        else:
            self.check()

    def _onFound(self, found) -> None:
        from ASLDenoiseLib.scene.fit_nodes import nodes_of_check

        p = self._parameters
        if p is None or p.t1 is None:
            return
        self._found = found
        self.views.nodes = nodes_of_check(p.t1, found.target, found.brain, found.t1_to_asl)
        self._show()

    def _forgetCheck(self) -> None:
        self._driver.abandon()
        if self._found is not None:
            from ASLDenoiseLib.scene.fit_nodes import remove_check

            self.views.leave()
            self._found = self.views.nodes = None
            if slicer.mrmlScene is not None:
                remove_check(slicer.mrmlScene)

    def _show(self) -> None:
        """The light and the figure: of a check, else of the run that is shown, else how to come by one."""
        ui, p = self._ui, self._parameters
        there = p is not None and p.t1 is not None
        ui.fitCheckButton.text = _("Cancel") if self.running else _("Check now")
        if self._found is not None:
            self._light(self._found.fit, self._found.findings, _("Checked"))
        elif not self.running:
            fit = None if self._run is None or self._run.readouts is None else _fitOf(self._run)
            self.views.nodes = None if fit is None else _nodesOf(self._run)
            if fit is not None:
                self._light(fit, (), _("The run that is shown"))
            elif there:
                self._say(_("Not checked yet: a run checks it, or do it now (about a minute)."))
            else:
                self._say(_("Select a T1 to check whether it belongs to the series."))
        self._enable()

    def _light(self, fit, findings, of) -> None:
        words = {
            "green": _("Green: they belong together"),
            "amber": _("Amber: in doubt"),
            "red": _("Red: they do not belong together"),
            "unknown": _("Grey: cannot be told"),
        }
        word = fit.light.value
        dot = f'<span style="color:{_COLOURS[word]}; font-size:x-large">\u25cf</span>'
        self._ui.fitLightLabel.text = f"{dot} <b>{words[word]}</b>"
        told = [f"{of}. {fit.sentence}"]
        for finding in findings:
            if not fit.sentence.startswith(finding.what):
                told.append(f"{finding.what}.")
            told.append(f"{_capital(panelRemedy(finding.remedies))}.")
        self._ui.fitLabel.text = " ".join(told)
        self._ui.fitLightLabel.setVisible(True)

    def _say(self, text) -> None:
        self._ui.fitLightLabel.setVisible(False)
        self._ui.fitLabel.text = text

    def _enable(self) -> None:
        p, ui = self._parameters, self._ui
        both = p is not None and p.t1 is not None and p.asl is not None
        ui.fitCheckButton.setEnabled(both)
        ui.placeButton.setEnabled(both)
        ui.fromThereButton.setEnabled(both and self._handles is not None)
        self.views.enable()


def _keyOf(p) -> tuple:
    """What a check is of; another makes it void."""
    nodes = [None if node is None else node.GetID() for node in (p.asl, p.t1, p.m0)]
    place = None if p.t1 is None else p.t1.GetTransformNodeID()
    return (*nodes, place, p.alignment)


def _fitOf(run):
    from ASLDenoiseLib.scene.readouts import fit_in

    return fit_in(run.readouts)


def _nodesOf(run):
    from ASLDenoiseLib.scene.choose import raw_node
    from ASLDenoiseLib.scene.fit_nodes import nodes_of_run

    return nodes_of_run(run.folder, run.t1, run.m0 or raw_node(run))


def _capital(text) -> str:
    return text[:1].upper() + text[1:]
