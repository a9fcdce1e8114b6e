"""Loading a series from disk into the scene and writing a result to disk, by a child process."""

from __future__ import annotations

from pathlib import Path

from slicer.i18n import tr as _

from .loading import intoScene
from .packages import PackagesMissing, ensurePackages
from .remedies import panelFailure
from .running import Driver
from .tasks import LoadSeries, SeriesChoice, WriteResult


class Transfer:
    """One transfer at a time.

    Args:
        progress: the area that shows how it goes.
        loaded: called with the nodes of a loaded series (`loading.LoadedNodes`); returns a sentence about them, or
            nothing.
        changed: called when `busy` has changed; with a `SeriesChoice` where the user has to choose.
    """

    def __init__(self, progress, loaded, changed):
        self._progress, self._loaded, self._changed = progress, loaded, changed
        self._driver = Driver()
        self.busy = ""

    def load(self, path, number=None, context=None, values=None) -> None:
        """Load an ASL series, and the T1 beside it, from a file or folder; `number` chooses among several.

        `context` and `values` say what its files may lack (`tasks.LoadSeries`).
        """
        if self.busy:
            return
        try:
            ensurePackages()
        except PackagesMissing as error:
            self._progress.failed(str(error))
            return
        text = _("Loading {name}...").format(name=Path(path).name)
        self._start(LoadSeries(Path(path), number, context, values or {}), text, self._onLoaded)

    def writeTo(self, result, folder, done) -> None:
        """Write a run's files to a folder; `done` is called with the path of the report."""
        if self.busy:
            return

        def written(report):
            self._progress.done(_("Written to {folder}.").format(folder=report.parent))
            done(report)

        self._start(WriteResult(result, Path(folder)), _("Writing maps, readouts and report..."), written)

    def abandon(self) -> None:
        """End the transfer without a word."""
        self._driver.abandon()
        self.busy = ""

    def _start(self, task, text, done) -> None:
        def ended(event):
            self.busy = ""
            self._progress.failed(panelFailure(event), event.details)
            self._changed()

        def finished(result):
            self.busy = ""
            done(result)
            if not isinstance(result, SeriesChoice):
                self._changed()

        self.busy = text
        self._progress.reset()
        self._progress.busy(text)
        self._changed()
        self._driver.start(task, done=finished, failed=ended)

    def _onLoaded(self, loaded) -> None:
        if isinstance(loaded, SeriesChoice):
            text = _("The folder holds {count} ASL series; choose one above.")
            self._progress.done(text.format(count=len(loaded.found)))
            self._changed(loaded)
            return
        nodes = intoScene(loaded)
        more = " ".join(filter(None, (loaded.note, self._loaded(nodes))))
        text = _("Loaded {name}.").format(name=loaded.series.name)
        self._progress.done(f"{text} {more}" if more else text)
