"""The files that make a folder of results a BIDS derivative: description, README, and names that BIDS does not have.

BIDS 1.10 has no names for maps of CBF, of perfusion-weighted images and of arrival time yet, nor for reports. A
validator passes over what ``.bidsignore`` lists, as other ASL pipelines do it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..result import Result
from ..result.maps import MAPS, RAW, RELATIVE, in_unit
from ..series import SCANNER_UNIT
from .fragments import UNCALIBRATED
from .listing import (
    COURSE,
    CURVES,
    INPUTS,
    LISTING,
    MOTION,
    OUTLIERS_TSV,
    PAIRS,
    READOUTS_JSON,
    READOUTS_TSV,
    REPORT,
    REQUEST,
    Listing,
)
from .software import NAME, own_version

DESCRIPTION = "dataset_description.json"
BIDSIGNORE = ".bidsignore"
README = "README.md"
BIDS_VERSION = "1.10.0"
_SUFFIXES = dict.fromkeys(key.rpartition("_")[2] for key in (*MAPS, *RELATIVE))
_BEYOND_BIDS = (*(f"*_{suffix}.*" for suffix in _SUFFIXES), "*_timeseries.*")


def dataset_description(before: Mapping[str, object]) -> dict[str, object]:
    """The description that makes the folder a BIDS derivative; what it said `before` of anything else stays."""
    others = [entry for entry in before.get("GeneratedBy", []) if entry.get("Name") != NAME]
    return {
        "Name": f"{NAME}: perfusion maps and readouts",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        **before,
        "GeneratedBy": [*others, {"Name": NAME, "Version": own_version()}],
    }


def bidsignore(listings: Iterable[Listing], *, before: str = "") -> str:
    """The text of ``.bidsignore``: what it said before, then our names that BIDS does not have."""
    names = [pattern for listing in listings for pattern in listing.contents if not pattern.endswith(".nii.gz")]
    ours = [*_BEYOND_BIDS, *names, f"*_{INPUTS}/"]
    return "".join(f"{line}\n" for line in dict.fromkeys([*before.splitlines(), *ours]))


def contents(result: Result, *, attachments: Iterable[str] = ()) -> dict[str, str]:
    """What the files of a result are, in a sentence or less: pattern of the name to text."""
    # a map of one key is described by whether its series has an M0, so each series without one has lines of its own
    whose = result.series.name if result.relative else "*"
    told = {f"{whose}_{key}.nii.gz": _row(result, key) for key in result.maps}
    told |= {
        f"*_{READOUTS_TSV}": "what was measured in every map",
        f"*_{READOUTS_JSON}": "the same, with all that it rests on",
        f"*_{REPORT}": "findings, readouts, pictures, the origin of every value",
    }
    if result.request:
        told[f"*_{REQUEST}"] = f"what was asked for, for `python -m ASLDenoiseLib run`; `*_{INPUTS}`: images it names"
    if result.motion is not None:
        told[f"*_{MOTION}.tsv"] = "how the head moved"
    if result.pairs_needed is not None:
        told[f"*_{PAIRS}.tsv"] = "the error of denoised and plain means of some of the pairs"
        told[f"*_{PAIRS}.json"] = "what its columns are, and how many pairs are enough"
    if result.outliers is not None:
        told[f"*_{OUTLIERS_TSV}"] = "what was left out of the mean or put back by hand, why and by whom"
    if result.course is not None:
        told[f"*_{COURSE}.tsv"] = "perfusion and motion of every pair, and what of it is not in the mean"
    if result.delays is not None:
        told[f"*_{CURVES}.tsv"] = "what regions measured at every delay, and the curves that were fitted"
        told[f"*_{CURVES}.json"] = "what its columns are"
    told |= {f"*_{end}": "the maps in 3D Slicer: a scene, or a picture of it" for end in attachments}
    return {**told, f"*_{LISTING}": "the files of a series; a later run of it replaces these, and no other"}


def readme(listings: Iterable[Listing]) -> str:
    """The README of the folder: whose results it holds, what every file is, and that it is for research use only."""
    listings = sorted(listings, key=lambda listing: listing.series)
    rows = {pattern: text for listing in listings for pattern, text in listing.contents.items()}
    raw = in_unit(RAW, SCANNER_UNIT)
    relative = [each.series for each in listings if f"{each.series}_{raw}.nii.gz" in each.contents]
    lines = [
        f"# {NAME}: perfusion maps",
        "",
        f"Made by {NAME} {own_version()} from arterial spin labelling series. For research use only; not for diagnosis",
        "or treatment. A processed map is an estimate: read it beside the raw one. A report shows all of a series on",
        "one page.",
        *(["", f"**Relative perfusion, not CBF: {', '.join(relative)}.** {UNCALIBRATED}"] if relative else []),
        "",
        "| series | report |",
        "|---|---|",
        *(f"| {listing.series} | `{listing.series}_{REPORT}` |" for listing in listings),
        "",
        "| file | is |",
        "|---|---|",
        *(f"| `{pattern}` | {text} |" for pattern, text in rows.items()),
        "",
        "NaN in a map: not measured. The JSON beside a map has its unit, sources and every parameter with its origin.",
    ]
    return "\n".join(lines) + "\n"


def _row(result: Result, key: str) -> str:
    kind = result.kind(key)
    unit = result.maps[key].unit or kind.unit
    return f"{kind.label}{f', {unit}' if unit else ''}. {kind.description}"
