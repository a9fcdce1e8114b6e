"""ASLDenoise: denoise and quantify arterial spin labelling MRI. For research use only.

>>> import ASLDenoiseLib as ad
>>> sample = ad.sample_data()  # or your own files
>>> series = ad.read(sample.asl)
>>> series
<ASLSeries sub-phantom: 64 x 64 x 22 voxels of 3.4 x 3.4 x 6 mm, 10 label, 10 control, M0>
>>> ad.inspect(series)
()
>>> result = ad.denoise(series, t1=ad.read_image(sample.t1))  # doctest: +SKIP
>>> result.readouts["desc-denoised_cbf"]                      # doctest: +SKIP

The last two take a minute. Names are imported when they are first used, so that importing the package costs nothing;
``__init__.pyi`` tells editors and type checkers what they are.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

_PUBLIC = {
    "read": ("reading.read", "read_series"),
    "read_image": ("reading.images", "read_image"),
    "inspect": ("inspecting.inspection", "inspect"),
    "fixes": ("inspecting.fixes", "fixes_of"),
    "fix": ("inspecting.fixes", "apply_fix"),
    "denoise": ("pipeline.console", "denoise"),
    "superresolve": ("pipeline.console", "superresolve"),
    "quantify": ("pipeline.console", "quantify"),
    "run": ("pipeline.run", "run"),
    "read_request": ("pipeline.request_json", "read_request"),
    "Request": ("pipeline.request", "Request"),
    "SeriesFile": ("pipeline.request", "SeriesFile"),
    "Head": ("pipeline.request", "Head"),
    "Denoising": ("pipeline.request", "Denoising"),
    "SuperResolution": ("pipeline.request", "SuperResolution"),
    "Outputs": ("pipeline.request", "Outputs"),
    "Region": ("pipeline.request", "Region"),
    "Preparation": ("preparing.choices", "Preparation"),
    "in_template_space": ("pipeline.template_space", "in_template_space"),
    "measure": ("pipeline.console", "measure_map"),
    "models": ("denoising.catalogue", "list_models"),
    "ModelCard": ("denoising.catalogue", "ModelCard"),
    "sample_data": ("resources", "sample_data"),
    "write": ("reporting.derivatives", "write_result"),
    "InputError": ("errors", "InputError"),
    "Acquisition": ("series", "Acquisition"),
    "ASLSeries": ("series", "ASLSeries"),
    "Finding": ("findings", "Finding"),
    "Geometry": ("series", "Geometry"),
    "Parameter": ("series", "Parameter"),
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
    importlib.import_module(".reporting.notebook", __name__)  # registers what a notebook shows of the nouns
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
