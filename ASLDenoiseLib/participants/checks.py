"""What is missing or doubtful in a scan, and whether it is finished already: looked at before anything runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InputError
from ..files import trouble
from ..findings import Finding, Severity
from ..group.record import ScanRecord
from ..remedies import ApplyFix, Choose, GiveImage, Remedy, SetField, sentence_of
from ..reporting.listing import voxels_digest
from ..series import ASLSeries, VolumeType
from .identity import Identity, finished, identity_of
from .scan import CohortScan
from .template import Template, left_out, request_of

_ORDER = tuple(reversed(Severity))  # the worst first


@dataclass(frozen=True)
class Told:
    """One sentence on a scan, and how much it matters."""

    severity: Severity
    text: str


@dataclass(frozen=True)
class CheckTask:
    """A scan to be looked at.

    Args:
        scan, template: what is to be run.
        bids, out: of the cohort.
        earlier: the scan's record in OUT; None where there is none.
        thorough: inspect the images, too, which takes some ten seconds a scan; a run does so anyway.
    """

    scan: CohortScan
    template: Template
    bids: Path
    out: Path
    earlier: ScanRecord | None = None
    thorough: bool = False

    def __post_init__(self) -> None:
        if self.earlier is not None:  # what was measured is not looked at: it need not travel
            object.__setattr__(self, "earlier", replace(self.earlier, values={}, regions=()))


@dataclass(frozen=True)
class ScanCheck:
    """What was seen of a scan.

    Args:
        name: of the scan.
        told: sentences, the worst first.
        identity: by which it is known; None where its files cannot be read.
        done: it is finished already.
        voxels: SHA-256 of the series' voxels; empty where they cannot be read.
        m0: ``separate``, ``included``, ``a number`` or ``none``; empty where that is not known.
    """

    name: str
    told: tuple[Told, ...] = ()
    identity: Identity | None = None
    done: bool = False
    voxels: str = ""
    m0: str = ""

    @property
    def unusable(self) -> str:
        """Why it cannot be run; empty where it can."""
        return next((each.text for each in self.told if each.severity is Severity.UNUSABLE), "")

    @property
    def worst(self) -> Severity | None:
        """The severity of the worst sentence."""
        return self.told[0].severity if self.told else None


def check_scan(task: CheckTask) -> ScanCheck:
    """Look at one scan; whatever is wrong with its files is told, and nothing is raised."""
    scan = task.scan
    check = ScanCheck(scan.name, tuple(_beforehand(task)))
    try:
        request = request_of(scan, task.template, task.out)
        stamps = None if task.earlier is None else task.earlier.stamps
        check = replace(check, identity=identity_of(request, task.bids, earlier=stamps))
        state = finished(task.earlier, check.identity.digest, task.out)
        if state.done:
            changed = tuple(
                Told(Severity.WARNING, f"{each} was changed since it was written.") for each in state.changed
            )
            return replace(check, done=True, voxels=state.listing.voxels, told=changed)
        return _with_series(check, task, request.series)
    except InputError as error:
        return _with(check, [Told(Severity.UNUSABLE, in_a_cohort(error.what, error.remedies))])
    except OSError as error:
        return _with(check, [Told(Severity.UNUSABLE, trouble(error) or f"Its files cannot be read ({error}).")])
    except MemoryError:
        return _with(check, [Told(Severity.UNUSABLE, "It does not fit into this computer's memory.")])


def with_twins(checks: Sequence[ScanCheck]) -> tuple[ScanCheck, ...]:
    """The checks, with a warning of each scan whose voxels are those of another one."""
    alike: dict[str, list[str]] = defaultdict(list)
    for check in checks:
        if check.voxels:
            alike[check.voxels].append(check.name)

    def told(check: ScanCheck) -> ScanCheck:
        others = [name for name in alike[check.voxels] if name != check.name] if check.voxels else []
        text = f"Its voxels are those of {', '.join(others)}, too: one series under two names."
        return _with(check, [Told(Severity.WARNING, text)]) if others else check

    return tuple(told(check) for check in checks)


def in_a_cohort(what: str, remedies: Iterable[Remedy]) -> str:
    """A sentence on what is wrong, with its remedies as the user of a cohort has them."""
    mend = sentence_of(remedies, _place).strip()
    return f"{what.rstrip('.')}; {mend}." if mend else what


def _beforehand(task: CheckTask) -> Iterator[Told]:
    """What is known before anything is read."""
    severity = Severity.WARNING if task.scan.t1 is None else Severity.NOTE
    yield from (Told(severity, text) for text in (*task.scan.notes, *left_out(task.scan, task.template)))


def _with_series(check: ScanCheck, task: CheckTask, given: object) -> ScanCheck:
    from ..inspecting.acquisition_checks import acquisition_findings
    from ..inspecting.inspection import inspect
    from ..pipeline.reading_steps import series_of, t1_of

    series = series_of(given, maps=task.template.superresolution is not None)
    found = inspect(series) if task.thorough else (*series.findings, *acquisition_findings(series))
    if task.thorough:
        t1_of(task.scan.t1, series=series)
    check = replace(check, voxels=voxels_digest(series), m0=_m0(series))
    return _with(check, [_told(finding) for finding in found])


def _told(finding: Finding) -> Told:
    return Told(finding.severity, in_a_cohort(f"{finding.what} ({finding.why})", finding.remedies))


def _with(check: ScanCheck, told: Iterable[Told]) -> ScanCheck:
    return replace(check, told=tuple(sorted((*told, *check.told), key=lambda each: _ORDER.index(each.severity))))


def _m0(series: ASLSeries) -> str:
    if series.m0 is not None:
        return "included" if VolumeType.M0SCAN in series.context else "separate"
    return "none" if series.acquisition.m0_estimate is None else "a number"


def _place(remedies: Sequence[Remedy]) -> str:
    """Where remedies of one text are done in a cohort: in files of the data set, or in the template."""
    places: dict[str, None] = {}
    for remedy in remedies:
        match remedy:
            case SetField("context"):
                places["in its _aslcontext.tsv"] = None
            case SetField():
                places["in its sidecar"] = None
            case GiveImage("m0"):
                places["as its _m0scan"] = None
            case GiveImage("t1"):
                places["in its anat folder"] = None
            case ApplyFix(name):
                places[f"with the fix {name} in the template request"] = None
            case GiveImage() | Choose():
                places["in the template request"] = None
    return " or ".join(places)
