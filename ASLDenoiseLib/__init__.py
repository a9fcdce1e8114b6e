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

__version__ = "1.0.0"

# As `__init__.pyi` imports them
_MODULES = {
    "denoising.catalogue": "ModelCard, list_models as models",
    "errors": "InputError",
    "findings": "Finding",
    "inspecting.fixes": "apply_fix as fix, fixes_of as fixes",
    "inspecting.inspection": "inspect",
    "participants.cohort": "Cohort",
    "participants.console": "cohort",
    "pipeline.console": "denoise, quantify, superresolve, measure_map as measure",
    "pipeline.request": "ArrivalMap, Atlas, DelayFit, Denoising, Head, Outputs, Region, Request, SeriesFile, "
    "SuperResolution",
    "pipeline.request_json": "read_request",
    "pipeline.run": "run",
    "pipeline.template_space": "in_template_space",
    "preparing.choices": "Preparation",
    "reading.images": "read_image",
    "reading.read": "read_series as read",
    "reading.study": "read_t1",
    "reporting.derivatives": "write_result as write",
    "resources": "sample_data",
    "result": "Readout, Result",
    "sites.adapt": "AdaptRequest, SiteAdaptation",
    "sites.console": "adapt",
    "series": "Acquisition, ASLSeries, Geometry, Parameter, Tissue, Volume",
}
_PUBLIC = {
    name.split(" as ")[-1]: (module, name.split(" as ")[0])
    for module, names in _MODULES.items()
    for name in names.split(", ")
}
__all__ = sorted([*_PUBLIC, "__version__"])


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    value = getattr(importlib.import_module(f".{module}", __name__), attribute)
    globals()[name] = value
    importlib.import_module(".reporting.notebook", __name__)  # registers what a notebook shows
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
