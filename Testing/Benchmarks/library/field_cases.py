"""Every field case, and which of them are known not to come out right."""

from __future__ import annotations

from . import field_cases_files, field_cases_m0, field_cases_values
from .field_rules import FieldCase

CASES: tuple[FieldCase, ...] = (*field_cases_values.CASES, *field_cases_m0.CASES, *field_cases_files.CASES)
# Why cases do not come out right yet.
_REASONS: dict[str, tuple[str, ...]] = {
    "a T1 in ms, or a field or T1 of zero, is not noticed": (
        "blood-t1-option-in-ms",
        "blood-t1-sidecar-in-ms",
        "tissue-t1-sidecar-in-ms",
        "milliseconds-fixed",
        "field-in-gauss",
        "field-zero",
        "blood-t1-zero",
    ),
    "the T1 of tissue is that of 3 T at every field": (
        "tissue-t1-at-1.5-t",
        "tissue-t1-at-7-t",
    ),
    "options on suppression do not answer the finding": (
        "suppression-by-option",
        "suppression-in-efficiency",
        "no-suppression-by-option",
    ),
    "a Look-Locker readout is not noticed": ("look-locker",),
    "a label duration a volume is refused without a remedy": (
        "label-duration-by-volume",
        "label-duration-by-volume-fixed",
        "label-duration-by-volume-option",
    ),
    "microseconds are called milliseconds": ("times-in-microseconds",),
    "GE's M0 is taken as relaxing for its whole TR": ("ge-m0-saturation",),
    "the vendor's CBF is preferred to its difference": ("cbf-beside-difference",),
    "a factor of 10 is offered for whatever makes CBF implausible": (
        "m0-a-fifth",
        "label-displaced",
        "duration-a-tenth",
    ),
    "the brain that is found in a difference alone leaves out white matter": ("ge-dicom-difference",),
}
UNMENDED = {name: reason for reason, names in _REASONS.items() for name in names}
