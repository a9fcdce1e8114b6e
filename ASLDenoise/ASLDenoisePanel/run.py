"""One run, from Apply to its result or to the sentence that says why there is none."""

from __future__ import annotations

import logging
import time
import traceback
from pathlib import Path

from slicer.i18n import tr as _

from .packages import PackagesMissing, ensurePackages, ensureTorch, torchThere
from .remedies import panelError, panelFailure
from .running import Driver
from .states import State


class Run:
    """Starts, follows, cancels; a failed or cancelled run leaves the scene as it was.

    Args:
        logic: makes requests of choices and shows results.
        progress: the area that shows how it goes.
        presented: called with the nodes of a finished run.
        changed: called when `state` has changed.
        kept: where what a run prepares is kept (`kept.KeptPreparation`).
        taken: called with a request and that folder; whether a check has prepared the run, and handed it over.
        driver: does the work.
    """

    def __init__(self, logic, progress, presented, changed, kept, taken=None, driver=None):
        self._logic, self._progress, self._kept = logic, progress, kept
        self._presented, self._changed, self._taken = presented, changed, taken
        self._driver = Driver() if driver is None else driver
        self._asl, self._began, self._how = None, 0.0, ""
        self.state = State.READY

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self.state is State.RUNNING

    @property
    def pid(self) -> int | None:
        """The child process, once there is one."""
        return self._driver.pid

    def start(self, parameters, *, again=False) -> None:
        """Install what is missing, once the user agrees, and start; `again` from the pairs as an earlier run left them.

        Where what that run prepared is gone, or is of other inputs, all is run, and the last line says so.
        """
        from ASLDenoiseLib.errors import InputError
        from ASLDenoiseLib.pipeline.run import RequestTask
        from ASLDenoiseLib.reporting.derivatives import check_destination

        try:
            ensureTorch()
            ensurePackages()
            if parameters.outputFolder:
                check_destination(Path(parameters.outputFolder))
            self._progress.begin()
            request, folder = self._logic.requestOf(parameters), self._kept.folder
            taken = not again and self._taken is not None and self._taken(request, folder)
            task = RequestTask(request, folder, again or taken)
            self._how = _("Done in {seconds} s.")
            if taken:
                self._how = _("Done in {seconds} s, with what the check of the T1 had prepared.")
            elif again:
                self._how = _again() if task.begins_again else _anew()
            self._driver.start(
                task,
                progress=self._progress.show,
                log=self._progress.log,
                done=self._onDone,
                failed=lambda failed: self._fail(panelFailure(failed), failed.details),
                cancelled=self._onCancelled,
            )
        except (InputError, PackagesMissing) as error:
            self._fail(panelError(error))
            return
        self._asl, self._began = parameters.asl, time.monotonic()
        self._become(State.RUNNING)

    def warm(self) -> None:
        """Have the process of the next run load what it needs: Apply is about to come."""
        from ASLDenoiseLib.pipeline.run import LOADED

        if torchThere():
            self._driver.warm(LOADED)

    def cool(self) -> None:
        """End the process that waits for the next run; one that is under way goes on."""
        if not self.running:
            self._driver.abandon()

    def cancel(self) -> None:
        """End the run with all its processes."""
        self._progress.busy(_("Cancelling..."))
        self._driver.cancel()

    def abandon(self) -> None:
        """End the run without another event."""
        self.reset()
        self._driver.abandon()  # last: a panel that is ready again has a process wait for its next run

    def reset(self) -> None:
        """Return to the state before the first run."""
        self._asl = None
        self._progress.reset()
        self._become(State.READY)

    def doneElsewhere(self, text, findings=()) -> None:
        """Show that a run of this series was started elsewhere, from the console, and has finished."""
        self._progress.reset()
        self._progress.done(text, findings)
        self._become(State.DONE)

    def _onDone(self, result) -> None:
        try:
            nodes = self._logic.present(result, self._asl)
        except Exception as error:  # whatever it is, `present` has taken back what it had added
            logging.exception("ASL Denoise: the results could not be shown")
            self._fail(_("The results could not be shown: {error}").format(error=error), traceback.format_exc())
            return
        taken = time.monotonic() - self._began
        self._progress.done(self._how.format(seconds=round(taken)), result.findings)
        self._become(State.DONE)
        self._presented(nodes)

    def _onCancelled(self, event) -> None:
        self._progress.done(_("Cancelled; nothing was changed."))
        self._become(State.READY)

    def _fail(self, sentence, details="") -> None:
        self._progress.failed(sentence, details)
        self._become(State.ERROR)

    def _become(self, state) -> None:
        self.state = state
        self._changed()


def _again() -> str:
    return _("Done in {seconds} s, from the pairs as the run before had prepared them.")


def _anew() -> str:
    return _("Done in {seconds} s. All was run: what was prepared before was gone, or is of other inputs or choices.")
