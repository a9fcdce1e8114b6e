"""What lies beside a series and was not given: the T1 of the same head."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..console_text import as_typed
from ..errors import InputError
from ..findings import Finding, note_kind
from ..reading.study import find_t1
from ..remedies import Choose

_T1_FOUND = note_kind(
    "t1-found",
    "A T1 of this head is there and not used",
    "{label}",
    Choose("t1", "PATH", "use it for tissue, alignment and guides"),
    meaning="A T1 lies with the series: in the same BIDS session (or another one of the subject), or folder of DICOM.",
)


def study_findings(path: Path, *, series: int | None = None) -> Iterator[Finding]:
    """The finding on a T1 beside a series that was given without one.

    Args:
        path, series: as `reading.read.read_series` takes them.

    Raises:
        InputError: the folder of DICOM has been removed meanwhile.
    """
    try:
        found = find_t1(path, series=series)
    except InputError:
        return
    if found is not None:
        use = Choose("t1", as_typed([str(found.path)]), _T1_FOUND.remedies[0].text)
        yield _T1_FOUND.finding(use, label=found.label)
