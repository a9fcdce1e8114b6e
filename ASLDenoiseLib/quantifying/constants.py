"""The constants of quantification, each resolved to a value and where it came from: stated, or a named default."""

from __future__ import annotations

from ..series import Acquisition, Labeling, Origin, Parameter

PARTITION_COEFFICIENT = 0.9  # mL/g, Alsop et al. 2015
SUPPRESSION_EFFICIENCY = 0.95  # kept by each background suppression pulse (ASLPrep's convention)
_T1_BLOOD = {1.5: 1.35, 3.0: 1.65, 7.0: 2.087}  # s, at field strength in T
_T1_TISSUE_3T = 1.607  # s
_EFFICIENCY = {Labeling.PCASL: 0.85, Labeling.PASL: 0.98, Labeling.CASL: 0.68}


def _given(acquisition: Acquisition, name: str, unit: str) -> Parameter | None:
    value = getattr(acquisition, name)
    return None if value is None else Parameter(name, value, unit, acquisition.origins[name])


def field_strength(acquisition: Acquisition) -> Parameter:
    """Field strength in T; 3 T when it is not stated."""
    note = "not stated, the commonest assumed"
    return _given(acquisition, "field_strength", "T") or Parameter("field_strength", 3.0, "T", Origin.DEFAULT, note)


def t1_blood(acquisition: Acquisition) -> Parameter:
    """T1 of arterial blood in s: 1.35 at 1.5 T, 1.65 at 3 T, 2.087 at 7 T, else 0.110 B0 + 1.316 (ASLPrep)."""
    stated = _given(acquisition, "t1_blood", "s")
    if stated:
        return stated
    field = float(field_strength(acquisition).value)
    nearest = min(_T1_BLOOD, key=lambda b: abs(b - field))
    if abs(nearest - field) < 0.2:  # scanners report 2.89 or 1.494 for their nominal field
        return Parameter("t1_blood", _T1_BLOOD[nearest], "s", Origin.DEFAULT, f"at {nearest:g} T")
    return Parameter(
        "t1_blood", round(0.110 * field + 1.316, 4), "s", Origin.DEFAULT, f"0.110 B0 + 1.316 at {field:g} T"
    )


def t1_tissue(acquisition: Acquisition) -> Parameter:
    """T1 of tissue in s, for M0 relaxation; 1.607 (3 T) when it is not stated."""
    stated = _given(acquisition, "t1_tissue", "s")
    return stated or Parameter("t1_tissue", _T1_TISSUE_3T, "s", Origin.DEFAULT, "at 3 T")


def partition_coefficient(acquisition: Acquisition) -> Parameter:
    """Brain-blood partition coefficient in mL/g; 0.9 when it is not stated."""
    stated = _given(acquisition, "partition_coefficient", "mL/g")
    return stated or Parameter("partition_coefficient", PARTITION_COEFFICIENT, "mL/g", Origin.DEFAULT)


def labeling_efficiency(acquisition: Acquisition) -> Parameter:
    """Labelling efficiency with what background suppression leaves of it.

    A stated LabelingEfficiency is taken as it is: it covers the whole sequence. Otherwise the default of the
    labelling type times 0.95 for each background suppression pulse that is stated.
    """
    stated = _given(acquisition, "labeling_efficiency", "")
    if stated:
        return stated
    labeling = acquisition.labeling or Labeling.PCASL
    pulses = acquisition.suppression_pulses if acquisition.background_suppression is not False else 0
    value = _EFFICIENCY[labeling] * SUPPRESSION_EFFICIENCY ** (pulses or 0)
    note = f"{labeling.value} {_EFFICIENCY[labeling]:g}"
    if pulses:
        note += f" times {SUPPRESSION_EFFICIENCY:g}^{pulses} for the suppression pulses"
    elif acquisition.background_suppression and pulses is None:
        note += ", suppression pulses not stated and so not corrected for"
    return Parameter("labeling_efficiency", round(value, 6), "", Origin.DEFAULT, note)
