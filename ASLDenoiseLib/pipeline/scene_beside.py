"""Scene and picture of a run, written by a child process beside the run itself.

The child loads Slicer's libraries while the run still computes, and makes scene and picture while the run writes its
other files. Where it cannot, they are made here, after the others.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from ..errors import InputError
from ..memory import give_back
from ..moving import remove_folder, replace_file
from ..progress import Progress, silent
from ..reporting.listing import REPORT, file_name
from ..result import Result
from ..running.runner import Runner, TaskCancelled, TaskFailed
from ..scene.attachments import PICTURE, SCENE, scene_attachments

_MODULES = (
    *("numpy", "slicer", "vtk.util.numpy_support", "ASLDenoiseLib.result", "ASLDenoiseLib.scene.present"),
    *("ASLDenoiseLib.scene.choose", "ASLDenoiseLib.scene.render", "ASLDenoiseLib.scene.store"),
)
_LONGEST = 3600.0  # s that the child may wait for the run to be measured
_FOLDER = ".beside"  # in the folder that files are written in; never one of them
_LOOK = 0.01  # s between looks for the report


@dataclass(frozen=True, eq=False)
class WriteScene:
    """Write picture and scene of a result into `folder`; the report, which the scene holds as well, is awaited.

    Args:
        result: the finished run.
        folder: for the two files; it is there.
        report: the page, as the run writes it: whole or not there.
    """

    seconds: ClassVar[None] = None
    inputs: ClassVar[Mapping[str, object]] = MappingProxyType({})
    result: Result
    folder: Path
    report: Path

    def run(self, progress: Progress = silent) -> None:
        """Write them; whoever has no report to come ends this process."""
        writers, _ = scene_attachments(self.result, report=self._report)
        for what in (PICTURE, SCENE):  # the scene waits for the report
            writers[what](self.folder / file_name(self.result.series.name, what))

    def _report(self) -> str:
        while not self.report.is_file():
            time.sleep(_LOOK)
        return self.report.read_text("utf-8")


class SceneBeside:
    """The scene's child of one run: `warm` early, `writing` as files are being written, `end` in any case."""

    def __init__(self, runner: Callable[[], Runner] = Runner):
        self._runner = runner()
        self._folder, self._written = Path(), False

    @staticmethod
    def possible() -> bool:
        """Whether there are Slicer's libraries to make a scene with."""
        return find_spec("slicer") is not None

    def warm(self) -> None:
        """Have the child load what it will need."""
        give_back()
        self._runner.warm(_MODULES, seconds=_LONGEST)

    @contextmanager
    def writing(self, result: Result, folder: Path) -> Iterator[None]:
        """Have it write, beside a run that writes its files into `folder`; it has ended when these are written."""
        give_back()
        self._folder = folder / _FOLDER
        self._folder.mkdir()
        shown = replace(result, t1_tissue=None)  # large, and no part of the scene
        self._runner.start(WriteScene(shown, self._folder, folder / file_name(result.series.name, REPORT)))
        try:
            yield
        finally:
            self._runner.cancel()
            self._wait()
            remove_folder(self._folder)

    def attachments(self, result: Result) -> Mapping[str, Callable[[Path], None]]:
        """Writers of scene and picture by the ends of their names, which fetch what the child has written.

        What the child could not do is done here, so that what is wrong is told as ever.
        """
        here = functools.cache(lambda: scene_attachments(result)[0])

        def write(what: str, path: Path) -> None:
            if self._wait():
                replace_file(self._folder / path.name, path)
            else:
                here()[what](path)

        return {what: functools.partial(write, what) for what in (SCENE, PICTURE)}

    def end(self) -> None:
        """End the child, if it is still there."""
        self._runner.cool()
        self._runner.cancel()

    def _wait(self) -> bool:
        """Wait for the child to end; whether it has written both."""
        if self._runner.running:
            try:
                self._runner.wait(every=0.01)
                self._written = True
            except (TaskFailed, TaskCancelled, InputError):
                self._written = False
        return self._written
