"""ASLDenoise: denoise and quantify arterial spin labelling MRI. For research use only.

>>> import ASLDenoiseLib as ad                      # doctest: +SKIP
>>> series = ad.read("sub-01_asl.nii.gz")           # doctest: +SKIP
>>> result = ad.denoise(series)                     # doctest: +SKIP
>>> result.readouts["desc-denoised_cbf"]            # doctest: +SKIP

Names are imported when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

_PUBLIC = {
    "read": ("reading.read", "read_series"),
    "read_image": ("reading.images", "read_image"),
    "inspect": ("reading.inspecting", "inspect"),
    "fixes": ("reading.mending", "fixes_of"),
    "fix": ("reading.mending", "apply_fix"),
    "denoise": ("pipeline", "denoise"),
    "superresolve": ("pipeline", "superresolve"),
    "quantify": ("pipeline", "quantify"),
    "Preparation": ("preparing.choices", "Preparation"),
    "in_template_space": ("group_space", "in_template_space"),
    "measure": ("pipeline", "measure_map"),
    "models": ("denoising.catalogue", "list_models"),
    "write": ("reporting.derivatives", "write_result"),
    "InputError": ("errors", "InputError"),
    "Acquisition": ("series", "Acquisition"),
    "ASLSeries": ("series", "ASLSeries"),
    "Finding": ("series", "Finding"),
    "Geometry": ("series", "Geometry"),
    "Tissue": ("series", "Tissue"),
    "Volume": ("series", "Volume"),
    "Readout": ("result", "Readout"),
    "Result": ("result", "Result"),
}
__all__ = sorted([*_PUBLIC, "__version__"])


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    value = getattr(importlib.import_module(f".{module}", __name__), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
