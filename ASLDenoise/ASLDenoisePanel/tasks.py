"""The panel's tasks for a child process beside the run itself: load, inspect, write files, make the report.

Each is sent as it is and run there (an `ASLDenoiseLib.running.task.Task`), so that nothing heavy is ever imported into
Slicer and its window never waits. No Slicer and no Qt here: the child has neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ASLDenoiseLib.errors import InputError

if TYPE_CHECKING:
    from ASLDenoiseLib.findings import Finding
    from ASLDenoiseLib.inspecting.fixes import Fix
    from ASLDenoiseLib.pipeline.found_head import FoundHead
    from ASLDenoiseLib.pipeline.request import Request
    from ASLDenoiseLib.reading.study import FoundSeries
    from ASLDenoiseLib.result import Result
    from ASLDenoiseLib.series import ASLSeries, Volume


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

    folder: Path
    found: tuple[FoundSeries, ...]


@dataclass(frozen=True, eq=False)
class LoadedSeries:
    """A series as read, and the T1 beside it, or None; `note` says of the T1 what there is to say."""

    series: ASLSeries
    t1: Volume | None
    note: str = ""


@dataclass(frozen=True)
class LoadSeries(PanelTask):
    """Read a 4D NIfTI with its sidecars, a BIDS folder or a folder of DICOM; `number` chooses among several.

    `context` and `values` (fields of `Acquisition`) say what the files may lack; what the files state stays. A
    `context` of ``cbf`` is what the volume of any file is: the scanner's own map.
    """

    path: Path
    number: int | None = None
    context: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    def run(self, progress: Any) -> LoadedSeries | SeriesChoice:
        """Read it; what its files lack, or state wrongly, is left out with a finding, and the panel asks for it.

        Raises:
            InputError: the image cannot be read; one sentence with the remedy.
        """
        from ASLDenoiseLib.reading.anyway import read_anyway
        from ASLDenoiseLib.reading.study import series_in

        path = self.path
        progress(0.1, f"reading {path.name}")
        found = series_in(path) if self.number is None else ()
        if len(found) > 1:
            return SeriesChoice(path, found)
        series = read_anyway(path, series=self.number, context=self.context, values=self.values)
        progress(0.8, "looking for the T1")
        t1, note = _t1Beside(path, self.number, series)
        return LoadedSeries(series, t1, " ".join(filter(None, (note, self._notTaken(series)))))

    def _notTaken(self, series: ASLSeries) -> str:
        """A sentence on the given values that the files state otherwise; empty where there are none."""
        from ASLDenoiseLib.series import Origin

        acquisition = series.acquisition
        other = [
            f.metadata["label"]
            for f in fields(acquisition)
            if f.name in self.values
            and acquisition.origins.get(f.name) is not Origin.USER
            and getattr(acquisition, f.name) != self.values[f.name]
        ]
        return f"Its files state {', '.join(other)} otherwise than was typed, and theirs is taken." if other else ""


def _t1Beside(path: Path, number: int | None, series: ASLSeries) -> tuple[Volume | None, str]:
    """The T1 that lies with a series, and what there is to say of it."""
    from ASLDenoiseLib.reading.study import find_t1, read_t1

    beside = find_t1(path, series=number)
    if beside is None:
        return None, ""
    try:
        t1 = read_t1(beside.path, series=series.source, number=number)
    except InputError as error:
        return None, str(error)
    return t1, beside.note


@dataclass(frozen=True, eq=False)
class CheckFit(PanelTask):
    """Check whether the T1 of a request belongs to its series; what that prepares is kept in a folder for the run."""

    request: Request
    folder: Path

    @property
    def inputs(self) -> Mapping[str, object]:
        """The series and images of the request."""
        return self.request.inputs

    def run(self, progress: Any) -> FoundHead:
        """Check it.

        Raises:
            InputError: the series or the T1 cannot be used.
        """
        from ASLDenoiseLib.pipeline.run import found_head

        return found_head(self.request, progress, keep_in=self.folder)


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


@dataclass(frozen=True, eq=False)
class MakeReport(PanelTask):
    """Make the report of a finished run."""

    result: Result

    def run(self, progress: Any) -> str:
        """The report, HTML."""
        from ASLDenoiseLib.reporting.html import report_html

        progress(0.1, "making the report")
        return report_html(self.result, command="the ASLDenoise panel of 3D Slicer")
