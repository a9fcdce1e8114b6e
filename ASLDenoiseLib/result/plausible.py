"""Readouts that cannot be: a number that no living brain has is marked where it stands, with the reason, and named.

The limits are wide on purpose. Grey matter at rest has 40 to 100 ml/100g/min, in children more (Alsop et al. 2015, Magn
Reson Med 73:102; Biagi et al. 2007, J Magn Reson Imaging 25:696); what is marked here is no rare case but an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..findings import Finding, FindingKind
from ..remedies import Advice
from ..series import CBF_UNIT
from . import Readout
from .maps import kind_of

_HIGHEST_GM = 200.0  # ml/100g/min
_HIGHEST_WM = 100.0
_MEANS = ("gm_mean", "gm_median", "gm_mean_weighted", "gm_mean_pvc", "wm_mean")
_IMPLAUSIBLE = FindingKind(
    "implausible-readout",
    "{label} cannot be what it is measured as: {values}",
    "{why}",
    Advice("do not use this number: look at the raw map, the M0, the order of control and label, and the tissue"),
    meaning="A mean CBF below zero, grey matter above 200 or white matter above 100 ml/100g/min, or white matter as "
    "bright as grey; the table marks each such number.",
)


def implausible(name: str, value: float, unit: str) -> str:
    """Why a readout cannot be true, in one clause; empty where it can, or where it was not measured.

    Args:
        name: of the readout.
        value: in `unit`.
        unit: of the readout.

    >>> implausible("wm_mean", -9.9, "ml/100g/min")
    'no tissue has negative perfusion: noise outweighs the signal, or control and label are exchanged'
    >>> implausible("gm_mean", 52.0, "ml/100g/min")
    ''
    """
    if (name in _MEANS or _is_region_mean(name)) and value < 0:
        return "no tissue has negative perfusion: noise outweighs the signal, or control and label are exchanged"
    if name == "gm_wm_contrast" and value < 1:
        return "white matter is as bright as grey: the tissue does not lie on the brain, or noise outweighs the signal"
    if unit != CBF_UNIT:
        return ""
    highest = _HIGHEST_WM if name == "wm_mean" else _HIGHEST_GM if name in _MEANS else None
    if highest is not None and value > highest:
        return f"more than {highest:g} {unit} is beyond living tissue: the M0, its scale or the times may be wrong"
    return ""


def implausible_findings(readouts: Mapping[str, Sequence[Readout]]) -> Iterable[Finding]:
    """A finding for each readout that cannot be true in one map or more.

    Args:
        readouts: of each map, by its key.
    """
    labels = {key: kind_of(key, readouts).label for key in readouts}
    found: dict[str, list[tuple[str, Readout, str]]] = {}
    for key, of_map in readouts.items():
        for readout in of_map:
            why = implausible(readout.name, readout.value, readout.unit)
            if why:
                found.setdefault(readout.name, []).append((labels[key], readout, why))
    for told in found.values():
        _, first, why = told[0]
        values = ", ".join(f"{readout.value:.3g} ({label})" for label, readout, _ in told)
        yield _IMPLAUSIBLE.finding(label=first.label, values=f"{values} {first.unit}".strip(), why=why)


def _is_region_mean(name: str) -> bool:
    return name.startswith("roi_") and name.endswith("_mean")
