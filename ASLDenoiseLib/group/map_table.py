"""The table of the maps of a study: their names, and what they look like."""

from __future__ import annotations

from dataclasses import dataclass

from ..result.map_kind import MapKind
from ..result.maps import MNI

RAW, PROCESSED = "raw", "processed"
LEAST_SHOWN = 0.3  # r below which a picture shows 0, as papers do; the NIfTI keeps every r
_ACROSS = "Over participants, the sessions of one averaged first; NaN is left out voxel by voxel."
_WHAT = {RAW: "raw", PROCESSED: "processed"}


@dataclass(frozen=True)
class GroupMapKind:
    """One map of a study, on the template's grid.

    Args:
        key: how the functions name it.
        desc, stat: entities of its file's name.
        label: for people.
        description: one sentence, for its sidecar.
        of_perfusion: it is in the unit of the scans' maps; else it has none.
        window, colours: as of `result.map_kind.MapKind`; None: it is not shown in the page.
    """

    key: str
    desc: str
    stat: str
    label: str
    description: str
    of_perfusion: bool = True
    window: tuple[float, float] | None = None
    colours: str = MapKind.colours

    def file_name(self, suffix: str) -> str:
        """``space-MNI152NLin2009aSym_desc-raw_stat-mean_cbf.nii.gz``, say; `suffix` is that of the scans' maps."""
        return f"{MNI}_desc-{self.desc}_stat-{self.stat}_{suffix}.nii.gz"


def _of_map(which: str) -> tuple[GroupMapKind, ...]:
    word, told = _WHAT[which], f"{_WHAT[which]} perfusion"
    return (
        GroupMapKind(f"{which}_mean", which, "mean", f"Mean, {word}", f"Mean {told}. {_ACROSS}", window=MapKind.window),
        GroupMapKind(
            f"{which}_sd",
            which,
            "sd",
            f"SD between participants, {word}",
            f"SD (n - 1) of {told}. {_ACROSS}",
            window=(0.0, 30.0),
            colours="viridis",
        ),
        GroupMapKind(
            f"{which}_n", which, "n", f"Participants, {word}", f"Number of participants with {told} there.", False
        ),
        GroupMapKind(
            f"{which}_sessions",
            which,
            "sessionr",
            f"r of two sessions, {word}",
            f"Pearson's r, over participants, of {told} in the first session with that in the second.",
            False,
            (0.0, 1.0),
            "magma",
        ),
    )


KINDS: dict[str, GroupMapKind] = {kind.key: kind for which in (RAW, PROCESSED) for kind in _of_map(which)}
CORRELATION = "correlation"
KINDS[CORRELATION] = GroupMapKind(
    CORRELATION,
    "rawprocessed",
    "r",
    "r of raw with processed",
    f"Pearson's r of raw with processed perfusion. {_ACROSS}",
    False,
    (0.0, 1.0),
    "magma",
)
