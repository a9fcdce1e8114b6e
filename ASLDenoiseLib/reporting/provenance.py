"""The provenance of every number: the sidecar of a map, the readouts as JSON.

Plain JSON throughout: NaN becomes null, so that any parser reads it and 'not measured' is not zero.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import PurePath

from ..result import Result
from ..result.methods import methods_of
from ..result.table import columns
from ..series import SCANNER_UNIT
from ..series_json import parameter_to_plain, plain
from ..software import software_versions

_OF_READOUT = ("value", "unit", "label", "meaning")


def to_json(content: Mapping[str, object]) -> str:
    """Indented JSON text that ends with a line break."""
    return json.dumps(plain(content), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def sidecar(result: Result, key: str, *, command: str = "") -> dict[str, object]:
    """The JSON that goes beside one map: what it is, its unit, and everything that entered it."""
    content: dict[str, object] = {
        "Description": result.kind(key).description,
        "Units": _bids_unit(result.maps[key].unit or result.kind(key).unit),
        "Sources": [PurePath(result.series.source).as_posix()] if result.series.source else [],
        "ResearchUseOnly": True,
    }
    if key != result.raw and result.raw in result.maps and result.kind(key).unit == result.unit:
        content["ComparedWith"] = map_file(result, result.raw)
    return {
        **content,
        "Parameters": [parameter_to_plain(parameter) for parameter in result.parameters],
        "Model": dict(result.model),
        "Findings": [finding.to_json() for finding in result.findings],
        "Tissue": {"Source": result.tissue.source, "Warning": result.tissue.warning},
        "SoftwareVersions": dict(software_versions()),
        "Command": command,
    }


def readouts_json(result: Result, *, command: str = "") -> dict[str, object]:
    """Every readout of every map by name, and what they rest on."""
    return {
        "research_use_only": True,
        "series": {"name": result.series.name, "source": result.series.source},
        "raw": result.raw,
        "processed": result.processed,
        "maps": {
            key: {"file": map_file(result, key), "label": result.kind(key).label, "unit": volume.unit}
            for key, volume in result.maps.items()
        },
        "readouts": {
            key: {r.name: {part: getattr(r, part) for part in _OF_READOUT} for r in result.readouts[key]}
            for key in columns(result)
        },
        "tissue": {"source": result.tissue.source, "warning": result.tissue.warning},
        **({} if result.fit is None else {"fit": result.fit.to_plain()}),
        **({} if result.adaptation is None else {"adaptation": result.adaptation.to_plain()}),
        **({} if result.audit is None else {"audit": {"said": result.audit.sentence, **asdict(result.audit)}}),
        **({} if result.split_half is None else {"split_half": result.split_half.to_plain()}),
        "parameters": [parameter_to_plain(parameter) for parameter in result.parameters],
        "findings": [finding.to_json() for finding in result.findings],
        "model": dict(result.model),
        "methods": methods_of(result).to_plain(),
        "timings_s": dict(result.timings),
        "software": dict(software_versions()),
        "command": command,
    }


def _bids_unit(unit: str) -> str:
    """A unit as BIDS' ``Units`` names it; 1 of what has none."""
    return "arbitrary" if unit == SCANNER_UNIT else unit or "1"


def map_file(result: Result, key: str) -> str:
    """The file name of a map, e.g. ``sub-01_acq-grase_desc-mean_cbf.nii.gz``."""
    return f"{result.series.name}_{key}.nii.gz"
