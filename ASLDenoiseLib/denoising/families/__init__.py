"""Families of denoising networks: how each sees a mean difference, in training and in use, as one object.

To add a family, write its file here: `register` puts it into `NETWORKS`, and nothing else names it. The files load
neither torch nor a network until a family is used.
"""

from __future__ import annotations

import importlib
import pkgutil

from .family import NETWORKS, DenoiserFamily, Sample, class_at, find_family, register
from .mean import Mean, Prediction, over_brain_mean

__all__ = [
    "NETWORKS",
    "DenoiserFamily",
    "Mean",
    "Prediction",
    "Sample",
    "class_at",
    "find_family",
    "over_brain_mean",
    "register",
]

for _file in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_file.name}")
