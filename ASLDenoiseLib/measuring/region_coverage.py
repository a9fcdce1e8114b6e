"""Regions of which a map has measured too little for their figures to stand for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from ..findings import Finding, FindingKind
from ..remedies import Advice
from ..result import Readout

LEAST_COVERAGE = 50.0  # %, of the region as it was drawn
_NAMED = 12  # regions in a finding; the table has all
_ENDING = "_coverage"
_LOW = FindingKind(
    "region-coverage",
    "{count} of {all} regions lie less than half in what the maps have measured: {names}",
    "the share of the region that lies in measured voxels is below {least:.0f} %, the coverage readout has it",
    Advice("leave the figures of these regions out, or read them as of the part that was measured"),
    severities="warning or note",
    meaning="Regions of which less than half was measured: the scan does not reach them, or has no value there. A note "
    "where none of them has a figure at all, since the scan does not reach any.",
)


def coverage_findings(readouts: Mapping[str, Sequence[Readout]], unreached: Collection[str] = ()) -> Iterable[Finding]:
    """One finding that names every region of less than `LEAST_COVERAGE` in a map; none where all have more.

    Args:
        readouts: of each map, by its key.
        unreached: names of regions that the grid of the series does not reach at all.
    """
    covered: dict[str, list[float]] = {}
    for readout in (each for of_map in readouts.values() for each in of_map):
        if readout.name.startswith("roi_") and readout.name.endswith(_ENDING):
            covered.setdefault(readout.label.removesuffix(" coverage"), []).append(readout.value)
    low = {name: min(values) for name, values in covered.items() if not min(values) >= LEAST_COVERAGE}
    told = [f"{name} ({share:.0f} %)" for name, share in sorted(low.items(), key=lambda item: item[1])]
    told += [f"{name} (not reached)" for name in sorted(unreached)]
    if told:
        more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
        yield _LOW.finding(
            severity="warning" if any(share > 0 for share in low.values()) else "note",
            count=len(told),
            all=len(covered) + len(unreached),
            names=", ".join(told[:_NAMED]) + more,
            least=LEAST_COVERAGE,
        )
