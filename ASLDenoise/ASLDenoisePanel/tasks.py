"""The panel's tasks for a child process beside the run itself: load, inspect, write files.

Each is sent as it is and run there (an `ASLDenoiseLib.running.task.Task`), so that nothing heavy is ever imported into
Slicer and its window never waits. No Slicer and no Qt here: the child has neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ASLDenoiseLib.errors import InputError

if TYPE_CHECKING:
    from ASLDenoiseLib.findings import Finding
    from ASLDenoiseLib.inspecting.fixes import Fix
    from ASLDenoiseLib.result import Result
    from ASLDenoiseLib.series import ASLSeries, Volume

_SERIES_ENDINGS = ("_asl.nii", "_asl.nii.gz")
_DEEPEST = 4  # folders below a BIDS root that a series lies in: sub, ses, perf
_T1_ENDINGS = ("_T1w.nii.gz", "_T1w.nii")


def seriesIn(folder: Path) -> tuple[Path, ...]:
    """The ASL series of a BIDS data set (or of a part of one) in name order; none for a folder of DICOM."""
    found: list[Path] = []
    level = [folder]
    for _ in range(_DEEPEST):
        found += [p for f in level for p in f.iterdir() if p.name.endswith(_SERIES_ENDINGS)]
        level = [p for f in level for p in sorted(f.iterdir()) if p.is_dir() and not p.name.startswith(".")]
        level = [p for p in level if p.name not in ("derivatives", "sourcedata")]
    return tuple(sorted(found))


def t1Beside(series: Path) -> Path | None:
    """The T1 of the same session in a BIDS data set: the only one, else the one whose name says the least."""
    anat = series.parent.parent / "anat"
    found = [p for ending in _T1_ENDINGS for p in sorted(anat.glob(f"*{ending}"))]
    return min(found, key=lambda p: (len(p.name), p.name), default=None)


class PanelTask:
    """The defaults of the tasks: an unknown time, and nothing kept on the side of the panel."""

    seconds = None

    @property
    def inputs(self) -> Mapping[str, object]:
        """None."""
        return {}


@dataclass(frozen=True)
class SeriesChoice:
    """The series of a folder that holds more than one."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class LoadedSeries:
    """A series as read, and the T1 beside it, or None."""

    series: ASLSeries
    t1: Volume | None


@dataclass(frozen=True)
class LoadSeries(PanelTask):
    """Read a 4D NIfTI with its sidecars, a BIDS folder or a folder of DICOM."""

    path: Path

    def run(self, progress: Any) -> LoadedSeries | SeriesChoice:
        """Read it.

        Raises:
            InputError: it cannot be read as an ASL series; one sentence with the remedy.
        """
        from ASLDenoiseLib.reading.images import read_image
        from ASLDenoiseLib.reading.read import read_series

        path = self.path
        if path.is_dir():
            found = seriesIn(path)
            if len(found) > 1:
                return SeriesChoice(found)
            path = found[0] if found else path
        progress(0.1, f"reading {path.name}")
        series = read_series(path)
        beside = t1Beside(path) if path.is_file() else None
        progress(0.8, "reading the T1" if beside else "done")
        t1 = None if beside is None else read_image(beside, name=beside.name.split(".")[0])
        return LoadedSeries(series, t1)


@dataclass(frozen=True, eq=False)
class InspectedSeries:
    """The findings of a series, the worst first, and its fixes."""

    findings: tuple[Finding, ...]
    fixes: tuple[Fix, ...]


@dataclass(frozen=True, eq=False)
class InspectSeries(PanelTask):
    """Inspect a series, images included."""

    series: ASLSeries

    @property
    def inputs(self) -> Mapping[str, object]:
        """Voxels and M0: a fixed series comes back with these very objects where a fix leaves them alone."""
        return {"array": self.series.array, **({} if self.series.m0 is None else {"m0": self.series.m0})}

    def run(self, progress: Any) -> InspectedSeries:
        """Inspect it; nothing is changed and nothing refused."""
        from ASLDenoiseLib.inspecting.inspection import inspect

        progress(0.1, "inspecting the images")
        inspection = inspect(self.series)
        progress(0.7, "looking for fixes")
        return InspectedSeries(inspection.findings, inspection.fixes)


@dataclass(frozen=True, eq=False)
class WriteResult(PanelTask):
    """Write a finished run as files: maps, sidecars, readouts, report."""

    result: Result
    folder: Path

    def run(self, progress: Any) -> Path:
        """Write them.

        Returns:
            The report.

        Raises:
            InputError: the folder cannot be written to; nothing was written.
        """
        from ASLDenoiseLib.reporting.derivatives import write_result

        progress(0.1, "writing maps, readouts and report")
        try:
            return write_result(self.result, self.folder, command="the ASLDenoise panel of 3D Slicer").report
        except OSError as error:
            raise InputError(
                f"The results could not be written to {self.folder} ({error.strerror or error}); "
                "free some space or choose another folder."
            ) from error
