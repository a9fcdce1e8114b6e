"""The files that make a folder of results a BIDS derivative: description, README, and names that BIDS does not have.

BIDS 1.10 has no names for maps of CBF, of perfusion-weighted images and of arrival time yet, nor for reports. A
validator passes over what ``.bidsignore`` lists, as other ASL pipelines do it.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..result import Result
from ..result.maps import MAPS, RAW, RELATIVE, in_unit
from ..series import SCANNER_UNIT
from ..software import NAME, own_version
from .fragments import UNCALIBRATED
from .listing import (
    COURSE,
    CURVES,
    INPUTS,
    LISTING,
    METHODS,
    MOTION,
    OUTLIERS_TSV,
    PAIRS,
    READOUTS_JSON,
    READOUTS_TSV,
    REPORT,
    REQUEST,
    Listing,
    file_digest,
)
from .provenance import to_json

DESCRIPTION = "dataset_description.json"
BIDSIGNORE = ".bidsignore"
README = "README.md"
BIDS_VERSION = "1.10.0"
_SUFFIXES = dict.fromkeys(key.rpartition("_")[2] for key in (*MAPS, *RELATIVE))
_BEYOND_BIDS = (*(f"*_{suffix}.*" for suffix in _SUFFIXES), "*_timeseries.*")


@dataclass(frozen=True)
class Study:
    """What a data set holds besides the results of series, where it is a whole study's.

    Args:
        name: of the data set.
        source: the data set that the series came from, as a path from here.
        folders: series to folder of its results, with a ``/`` at its end.
        contents: what else there is: pattern of ``.bidsignore`` to text for the README.
        expected: how the names of files end that are still to come.
    """

    name: str = f"{NAME}: perfusion maps and readouts"
    source: str = ""
    folders: Mapping[str, str] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)
    expected: tuple[str, ...] = ()


_NO_STUDY = Study()


def root_texts(
    out: Path, listings: Mapping[str, Listing], *, known: Container[str], study: Study = _NO_STUDY
) -> dict[str, str]:
    """Texts of what makes `out` a BIDS derivative, by file name; a README of someone else's, or changed, stays.

    Args:
        out: the root of the data set.
        listings: of the series in it, by their names.
        known: SHA-256 of the READMEs that we left here.
        study: what else it holds.
    """
    before = _text_of(out / DESCRIPTION)
    described = dataset_description(json.loads(before) if before else {}, study)
    texts = {
        DESCRIPTION: to_json(described),
        BIDSIGNORE: bidsignore(listings.values(), before=_text_of(out / BIDSIGNORE), study=study),
    }
    if not (out / README).exists() or file_digest(out / README) in known:
        texts[README] = readme(listings.values(), study)
    return texts


def dataset_description(before: Mapping[str, object], study: Study = _NO_STUDY) -> dict[str, object]:
    """The description that makes the folder a BIDS derivative; what it said `before` of anything else stays."""
    sources = {"SourceDatasets": [{"URL": study.source}]} if study.source else {}
    others = [entry for entry in before.get("GeneratedBy", []) if entry.get("Name") != NAME]
    return {
        "Name": study.name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        **before,
        **sources,
        "GeneratedBy": [*others, {"Name": NAME, "Version": own_version()}],
    }


def bidsignore(listings: Iterable[Listing], *, before: str = "", study: Study = _NO_STUDY) -> str:
    """The text of ``.bidsignore``: what it said before, then our names that BIDS does not have."""
    names = [pattern for listing in listings for pattern in listing.contents if not pattern.endswith(".nii.gz")]
    folders = (name.rstrip("/") for name in study.contents)  # a slash would spare the folder itself
    ours = [*_BEYOND_BIDS, *names, f"*_{INPUTS}/", *folders, *(f"*_{end}" for end in study.expected)]
    return "".join(f"{line}\n" for line in dict.fromkeys([*before.splitlines(), *ours]))


def contents(result: Result, *, attachments: Iterable[str] = ()) -> dict[str, str]:
    """What the files of a result are, in a sentence or less: pattern of the name to text."""
    # a map of one key is described by whether its series has an M0, so each series without one has lines of its own
    whose = result.series.name if result.relative else "*"
    told = {f"{whose}_{key}.nii.gz": _row(result, key) for key in result.maps}
    told |= {
        f"*_{READOUTS_TSV}": "what was measured in every map",
        f"*_{READOUTS_JSON}": "the same, with all that it rests on",
        f"*_{METHODS}": "a methods paragraph of the run for a paper, with its references",
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


def readme(listings: Iterable[Listing], study: Study = _NO_STUDY) -> str:
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
        *(f"| {each.series} | `{study.folders.get(each.series, '')}{each.series}_{REPORT}` |" for each in listings),
        "",
        "| file | is |",
        "|---|---|",
        *(f"| `{pattern}` | {text} |" for pattern, text in (*study.contents.items(), *rows.items())),
        "",
        "NaN in a map: not measured. The JSON beside a map has its unit, sources and every parameter with its origin.",
    ]
    return "\n".join(lines) + "\n"


def _row(result: Result, key: str) -> str:
    kind = result.kind(key)
    unit = result.maps[key].unit or kind.unit
    return f"{kind.label}{f', {unit}' if unit else ''}. {kind.description}"


def _text_of(path: Path) -> str:
    return path.read_text("utf-8", errors="replace") if path.is_file() else ""
