"""The files that make a folder of results a BIDS derivative: description, README, and names that BIDS does not have.

BIDS 1.10 has no names for CBF maps and perfusion-weighted images yet, nor for reports. A validator passes over what
``.bidsignore`` lists, as other ASL pipelines do it.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..result import Result
from .software import NAME, own_version

DESCRIPTION = "dataset_description.json"
BIDSIGNORE = ".bidsignore"
README = "README.md"
BIDS_VERSION = "1.10.0"
_TITLE = f"# {NAME}: perfusion maps"
_BEYOND_BIDS = (
    "*_cbf.*",
    "*_pwi.*",
    "*_timeseries.*",
    "readouts.*",
    "outliers.tsv",
    "report.html",
    "request.json",
    "inputs/",
)


def dataset_description() -> dict[str, object]:
    """The description that makes the folder a BIDS derivative."""
    return {
        "Name": f"{NAME}: perfusion maps and readouts",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": NAME, "Version": own_version()}],
    }


def bidsignore(*, attachments: Iterable[str] = (), before: str = "") -> str:
    """The text of ``.bidsignore``: what it said before, then our names that BIDS does not have."""
    return "".join(f"{line}\n" for line in dict.fromkeys([*before.splitlines(), *_BEYOND_BIDS, *attachments]))


def readme(result: Result, *, attachments: Iterable[str] = ()) -> str:
    """The README of the folder: what every file is, and that it is for research use only."""
    lines = [
        _TITLE,
        "",
        f"Made by {NAME} {own_version()} from an arterial spin labelling series. For research use only; not for",
        "diagnosis or treatment. A processed map is an estimate: read it beside the raw one. `report.html` shows all",
        "of it on one page.",
        "",
        "| file | is |",
        "|---|---|",
        *(f"| `*_{key}.nii.gz` | {_row(result, key)} |" for key in result.maps),
        "| `readouts.tsv`, `readouts.json` | what was measured in every map; the same with all that it rests on |",
        "| `report.html` | findings, readouts, pictures, the origin of every value |",
        "| `request.json`, `inputs` | what was asked for, for `python -m ASLDenoiseLib run`; the images it names |",
    ]
    if result.motion is not None:
        lines.append("| `*_desc-motion_timeseries.tsv` | how the head moved |")
    if result.outliers is not None:
        lines.append("| `outliers.tsv` | what was left out of the mean, and why |")
    lines += [f"| `{name}` | the maps in 3D Slicer: a scene, or a picture of it |" for name in attachments]
    lines += [
        "",
        "NaN in a map: not measured. The JSON beside a map has its unit, sources and every parameter with its origin.",
    ]
    return "\n".join(lines) + "\n"


def is_our_readme(text: str) -> bool:
    """Whether a README is one of ours, and may be replaced."""
    return text.startswith(_TITLE)


def _row(result: Result, key: str) -> str:
    unit = result.maps[key].unit or "scanner units"
    return f"{result.kind(key).label}, {unit}. {result.kind(key).description}"
