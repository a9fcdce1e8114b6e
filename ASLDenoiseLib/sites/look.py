"""What can be said of a scan before anything is worked out: it is read, and refused where it cannot be learned from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..adapting.groups import FEWEST_PAIRS
from ..errors import InputError
from ..inspecting.inspection import require_quantifiable
from ..pipeline.delays import several_delays
from ..pipeline.reading_steps import series_of
from ..pipeline.request import Request, SeriesFile
from ..preparing.pairs import choose_pairs, pair_members
from ..reading.images import entity
from ..remedies import Advice, sentence_of
from ..reporting.listing import voxels_digest
from .scans import SiteScan, person_of

_LEAVE_OUT = Advice("leave it out")


@dataclass(frozen=True)
class Seen:
    """What a scan is.

    Args:
        name: as `scans.SiteScan`.
        subject: the label of the subject; empty where its name has none.
        person: tells people apart (`scans.person_of`); empty where nothing does.
        pairs: that are chosen.
        labeling, readout: as stated, empty where not.
        delay: post-labelling delay, of PASL inversion time, s; None where it is not stated.
        spacing: mm along (i, j, k).
        field_strength: T; None where it is not stated.
        t1: whether there is a T1; `other_session`: whether its name says another session than the scan's.
        digest: of its voxels.
    """

    name: str
    subject: str
    person: str
    pairs: int
    labeling: str
    readout: str
    delay: float | None
    spacing: tuple[float, float, float]
    field_strength: float | None
    t1: bool
    other_session: bool
    digest: str

    @property
    def voxels(self) -> str:
        """``3.4 x 3.4 x 5 mm``."""
        return " x ".join(f"{each:.3g}" for each in self.spacing) + " mm"


def look_at(scan: SiteScan) -> Seen:
    """Read a scan and say what it is.

    Raises:
        InputError: it cannot be read, or be learned from: it holds CBF maps, several delays, or too few pairs.
    """
    try:
        return _seen(scan)
    except InputError as error:
        raise of_scan(scan, error) from error


def of_scan(scan: SiteScan, error: InputError) -> InputError:
    """The error with the name of its scan, and with a way to what only the options of other commands mend.

    Where several scans are called alike, its file stands beside it.
    """
    what = error.what if scan.name in error.what else f"Scan {scan.name}: {error.what}"
    what += f" (in {scan.file})" if scan.file else ""
    if all(isinstance(each, Advice) for each in error.remedies):
        return InputError(what, error.remedies)
    told = sentence_of(error.remedies)
    return InputError(f"{what}; {told}: run 'denoise' so, and give the *_request.json of its result.")


def refuse_few(name: str, pairs: int, what: str = "pairs") -> None:
    """Refuse a scan of fewer pairs than can teach, stop and judge.

    Raises:
        InputError: it has fewer than `FEWEST_PAIRS`.
    """
    if pairs < FEWEST_PAIRS:
        raise InputError(f"{name} has {pairs} {what}, and {FEWEST_PAIRS} are needed", [_LEAVE_OUT])


def _seen(scan: SiteScan) -> Seen:
    request = scan.request
    series = series_of(request.series)
    require_quantifiable(series)
    if series.holds_cbf:
        raise InputError(
            f"{scan.name} holds CBF maps, and it is pairs that are learned from",
            [Advice("give the series of controls and labels that they were made of")],
        )
    chosen = choose_pairs(series, request.preparation.pairs)
    if several_delays(chosen, request):
        raise InputError(f"{scan.name} has several delays, and scans of one delay are learned from", [_LEAVE_OUT])
    members = pair_members(chosen)
    refuse_few(scan.name, len(members))
    acquisition, (subject, person) = series.acquisition, person_of(request)
    return Seen(
        scan.name,
        subject,
        person,
        len(members),
        "" if acquisition.labeling is None else acquisition.labeling.value,
        acquisition.readout or "",
        series.timing(members[0][0])[0],
        series.geometry.spacing,
        acquisition.field_strength,
        request.head.t1 is not None,
        _of_other_session(request),
        voxels_digest(series),
    )


def _of_other_session(request: Request) -> bool:
    t1, series = request.head.t1, request.series
    if not (isinstance(t1, Path) and isinstance(series, SeriesFile)):
        return False
    return entity(t1, "ses") != entity(series.path, "ses")
