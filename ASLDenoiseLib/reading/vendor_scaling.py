"""How vendors scale M0 and perfusion images against each other.

GE stores 3D ASL difference images 32 times the number of excitations (NEX) larger than its M0, which is read 2 s after
a saturation, whatever the repetition time (ExploreASL, issues 2125 and 2138). Some Siemens products
store the M0 at a tenth. Philips stores integers with slopes: of one image the display value is
``stored * RescaleSlope + RescaleIntercept``, and the display value over ``RescaleSlope * ScaleSlope`` is the one that
compares between images of an examination (Chenevert et al. 2014, Translational Oncology 7:65).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

GE_GAIN = 32.0  # of a difference image against its M0, for each excitation
GE_EXCITATIONS = (1, 2, 3, 4)
GE_M0_SATURATION = 2.0  # s
SIEMENS_GAIN = 10.0
# What an M0 may have to be multiplied by, and, for the reverse mistake, divided by.
VENDOR_FACTORS = tuple(s for f in (SIEMENS_GAIN, *(GE_GAIN * n for n in GE_EXCITATIONS)) for s in (f, 1 / f))
_PHILIPS_KEYS = ("PhilipsRescaleSlope", "PhilipsScaleSlope", "UsePhilipsFloatNotDisplayScaling")


def philips_m0_factor(series: Mapping[str, object], m0: Mapping[str, object]) -> float | None:
    """The factor that puts the M0 on the scale of the series, or None where the sidecars do not state it.

    dcm2niix writes the slopes and, in ``UsePhilipsFloatNotDisplayScaling``, whether its NIfTI holds the comparable
    value (1) or the display value (0).

    >>> display = {"PhilipsRescaleSlope": 2.0, "PhilipsScaleSlope": 0.25, "UsePhilipsFloatNotDisplayScaling": 0}
    >>> philips_m0_factor({**display, "UsePhilipsFloatNotDisplayScaling": 1}, display)
    2.0
    """
    of_series, of_m0 = _display_over_comparable(series), _display_over_comparable(m0)
    return None if of_series is None or of_m0 is None else of_series / of_m0


def _display_over_comparable(sidecar: Mapping[str, object]) -> float | None:
    """The factor by which an image's values are larger than the comparable ones."""
    values = [sidecar.get(key) for key in _PHILIPS_KEYS]
    if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in values):
        return None
    rescale, scale, comparable = values
    if comparable:
        return 1.0
    return rescale * scale if rescale * scale > 0 else None
