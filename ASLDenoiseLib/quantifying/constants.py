"""The constants of quantification, each with its origin: stated, or a named default."""

from __future__ import annotations

import numpy as np

from ..series import Acquisition, Labeling, Origin, Parameter

PARTITION_COEFFICIENT = 0.9  # mL/g, Alsop et al. 2015
SUPPRESSION_EFFICIENCY = 0.95  # kept by each background suppression pulse (ASLPrep's convention)
_T1_BLOOD = {1.5: 1.35, 3.0: 1.65, 7.0: 2.087}  # s, at field strength in T
_T1_TISSUE = {1.5: 1.197, 3.0: 1.607, 7.0: 1.939}  # s, at field strength in T (ASLPrep)
_NEAR = 0.2  # T; scanners report 2.89 or 1.494 for their nominal field
_EFFICIENCY = {Labeling.PCASL: 0.85, Labeling.PASL: 0.98, Labeling.CASL: 0.68}


def _resolved(acquisition: Acquisition, name: str, unit: str, default: float, note: str = "") -> Parameter:
    """The stated value of a field, else its default."""
    value = getattr(acquisition, name)
    if value is None:
        return Parameter(name, default, unit, Origin.DEFAULT, note)
    return Parameter(name, value, unit, acquisition.origins[name])


def field_strength(acquisition: Acquisition) -> Parameter:
    """Field strength in T; 3 T when it is not stated."""
    return _resolved(acquisition, "field_strength", "T", 3.0, "not stated, the commonest assumed")


def t1_blood(acquisition: Acquisition) -> Parameter:
    """T1 of arterial blood in s: 1.35 at 1.5 T, 1.65 at 3 T, 2.087 at 7 T, else 0.110 B0 + 1.316 (ASLPrep)."""
    field = float(field_strength(acquisition).value)
    default, note = round(0.110 * field + 1.316, 4), f"0.110 B0 + 1.316 at {field:g} T"
    nearest = min(_T1_BLOOD, key=lambda b: abs(b - field))
    if abs(nearest - field) < _NEAR:
        default, note = _T1_BLOOD[nearest], f"at {nearest:g} T"
    return _resolved(acquisition, "t1_blood", "s", default, note)


def t1_tissue(acquisition: Acquisition) -> Parameter:
    """T1 of tissue in s, for M0 relaxation: 1.197 at 1.5 T, 1.607 at 3 T, 1.939 at 7 T (ASLPrep), else interpolated.

    Below 1.5 and above 7 T the value of that end is taken on with the cube root of the field (Bottomley et al. 1984).
    """
    field = float(field_strength(acquisition).value)
    fields, values = zip(*_T1_TISSUE.items(), strict=True)
    nearest = min(fields, key=lambda b: abs(b - field))
    default, note = _T1_TISSUE[nearest], f"at {nearest:g} T"
    if abs(nearest - field) >= _NEAR:
        within = min(max(field, fields[0]), fields[-1])
        at_end = float(np.interp(within, fields, values))
        default, note = round(at_end * (field / within) ** (1 / 3), 4), f"interpolated at {field:g} T"
    return _resolved(acquisition, "t1_tissue", "s", default, note)


def partition_coefficient(acquisition: Acquisition) -> Parameter:
    """Brain-blood partition coefficient in mL/g; 0.9 when it is not stated."""
    return _resolved(acquisition, "partition_coefficient", "mL/g", PARTITION_COEFFICIENT)


def labeling_efficiency(acquisition: Acquisition) -> Parameter:
    """Labelling efficiency, including the loss to background suppression.

    A stated LabelingEfficiency covers the whole sequence. The default is that of the labelling type times 0.95 for each
    background suppression pulse that is stated.
    """
    labeling = acquisition.labeling or Labeling.PCASL
    pulses = acquisition.suppression_pulses if acquisition.background_suppression is not False else 0
    value = _EFFICIENCY[labeling] * SUPPRESSION_EFFICIENCY ** (pulses or 0)
    note = f"{labeling.value} {_EFFICIENCY[labeling]:g}"
    if pulses:
        note += f" times {SUPPRESSION_EFFICIENCY:g}^{pulses} for the suppression pulses"
    elif acquisition.background_suppression and pulses is None:
        note += ", suppression pulses not stated and so not corrected for"
    return _resolved(acquisition, "labeling_efficiency", "", round(value, 6), note)
