"""The columns of the table of regions, ``group/regions.tsv``, and of their means, ``group/region_means.tsv``."""

from __future__ import annotations

from functools import partial

from .columns import PERFUSION, Column

_word = partial(Column, words=True)
_MAPS = {"raw": "the raw map", "processed": "the map that the run was for"}
_FIGURES = (
    ("mean", "mean", "Mean over the region, each voxel by the fraction that the region fills, in {map}.", PERFUSION),
    ("median", "median", "Median over the region, likewise weighted, in {map}.", PERFUSION),
    ("sd", "SD", "SD over the region, likewise weighted, in {map}.", PERFUSION),
    ("snr", "SNR", "Mean of the region over the SD of white matter, in {map}.", ""),
    (
        "error",
        "error of the mean",
        "SD of the region's mean, from how much the pairs that were averaged differ, in {map}; n/a of a denoised map, "
        "whose error the pairs do not tell.",
        PERFUSION,
    ),
)
_INDEX = "100 (L - R) / ((L + R) / 2) of the means of the left and the right region, in {map}; positive: more on the "
_INDEX += "left. N/a across the midline, and where less than half of either side is measured."
_ERROR = "SD of that index in the raw map, from how much the pairs differ."
_BY = (
    "What a region is compared with: name, the region of the same name on the other side; mirror, its own mirror image "
    "in that head; n/a, nothing."
)

WHOSE = (
    _word("scan", "Scan", "Name of the scan, with which the names of its results begin."),
    _word("participant", "Participant", "Label of the participant without sub-."),
    _word("session", "Session", "Label of the session without ses-; n/a where the data set has none."),
    _word("unit", "Unit", "Unit of the perfusion maps."),
)
REGION = (
    _word("atlas", "Atlas", "Whose label the region is; drawn: it is of no atlas."),
    _word("region", "Region", "Name of the region."),
)
ROWS = (
    *WHOSE,
    *REGION,
    *(
        Column(f"{which}_{name}", f"{label}, {which}", text.format(map=words), unit)
        for which, words in _MAPS.items()
        for name, label, text, unit in _FIGURES
    ),
    Column("volume_ml", "Volume", "Volume of the region as it was drawn.", "ml"),
    Column("voxels", "Voxels", "Sum of the fractions of voxels of the series that it fills."),
    Column("coverage_percent", "Coverage", "Share of the region in voxels that the maps have measured.", "%"),
    _word("low_coverage", "Low coverage", "Whether less than half of the region was measured: true, false."),
    Column("asymmetry_raw_percent", "Asymmetry, raw", _INDEX.format(map=_MAPS["raw"]), "%"),
    Column("asymmetry_raw_error_percent", "Asymmetry, raw, error", _ERROR, "%"),
    Column("asymmetry_processed_percent", "Asymmetry, processed", _INDEX.format(map=_MAPS["processed"]), "%"),
    _word("asymmetry_by", "Asymmetry by", _BY),
)
_OVER = "over participants, sessions of one averaged first; scans with low coverage of the region are left out"
_REPEATED = (
    "over participants with two sessions or more; one-way analysis of variance, scans with low coverage left out"
)
_AVERAGED = (
    ("raw_mean", "mean, raw", PERFUSION),
    ("processed_mean", "mean, processed", PERFUSION),
    ("raw_snr", "SNR, raw", ""),
    ("processed_snr", "SNR, processed", ""),
    ("asymmetry_raw_percent", "asymmetry, raw", "%"),
    ("asymmetry_processed_percent", "asymmetry, processed", "%"),
)
AVERAGED = tuple(name for name, _, _ in _AVERAGED)
REPEATED = ("raw_mean", "processed_mean")
MEANS = (
    _word("scans", "Scans", "Which scans: all, or sound: without those that are set apart in ranking.tsv."),
    *WHOSE[-1:],
    *REGION,
    Column("participants", "Participants", "Number of participants in the means."),
    Column("left_out", "Left out", "Number of scans left out because less than half of the region was measured."),
    *(
        Column(f"{name}_{figure}", f"{words} of {label}", f"{words} of {name} {_OVER}.", unit)
        for name, label, unit in _AVERAGED
        for figure, words in (("mean", "Mean"), ("sd", "SD"))
    ),
    *(
        Column(f"{name}_{figure}", f"{words} of {label}", f"{words} of {name} {_REPEATED}.", unit)
        for name, label, of in _AVERAGED[:2]
        for figure, words, unit in (("within_sd", "SD within participants", of), ("icc", "ICC(1,1)", ""))
    ),
)
_KNOWN = {column.name: column for column in (*MEANS, *ROWS)}


def region_column(name: str) -> Column:
    """The column of either table that has a name."""
    return _KNOWN[name]
