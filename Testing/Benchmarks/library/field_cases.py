"""Every field case, and which of them are known not to come out right."""

from __future__ import annotations

from . import field_cases_files, field_cases_m0, field_cases_values
from .field_rules import FieldCase

CASES: tuple[FieldCase, ...] = (*field_cases_values.CASES, *field_cases_m0.CASES, *field_cases_files.CASES)
# By name: why a case does not come out right yet.
UNMENDED: dict[str, str] = {}
