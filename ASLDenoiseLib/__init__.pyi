"""What `__init__.py` imports at first use, for editors and type checkers; a test holds the two together."""

from .denoising.catalogue import ModelCard
from .denoising.catalogue import list_models as models
from .errors import InputError
from .findings import Finding
from .inspecting.fixes import apply_fix as fix
from .inspecting.fixes import fixes_of as fixes
from .inspecting.inspection import inspect
from .participants.cohort import Cohort
from .participants.console import cohort
from .pipeline.console import denoise, quantify, superresolve
from .pipeline.console import measure_map as measure
from .pipeline.request import (
    ArrivalMap,
    Atlas,
    DelayFit,
    Denoising,
    Head,
    Outputs,
    Region,
    Request,
    SeriesFile,
    SuperResolution,
)
from .pipeline.request_json import read_request
from .pipeline.run import run
from .pipeline.template_space import in_template_space
from .preparing.choices import Preparation
from .reading.images import read_image
from .reading.read import read_series as read
from .reading.study import read_t1
from .reporting.derivatives import write_result as write
from .resources import sample_data
from .result import Readout, Result
from .series import Acquisition, ASLSeries, Geometry, Parameter, Tissue, Volume
from .sites.adapt import AdaptRequest, SiteAdaptation
from .sites.console import adapt

__version__: str
__all__ = [
    "ASLSeries",
    "Acquisition",
    "AdaptRequest",
    "ArrivalMap",
    "Atlas",
    "Cohort",
    "DelayFit",
    "Denoising",
    "Finding",
    "Geometry",
    "Head",
    "InputError",
    "ModelCard",
    "Outputs",
    "Parameter",
    "Preparation",
    "Readout",
    "Region",
    "Request",
    "Result",
    "SeriesFile",
    "SiteAdaptation",
    "SuperResolution",
    "Tissue",
    "Volume",
    "adapt",
    "cohort",
    "denoise",
    "fix",
    "fixes",
    "in_template_space",
    "inspect",
    "measure",
    "models",
    "quantify",
    "read",
    "read_image",
    "read_request",
    "read_t1",
    "run",
    "sample_data",
    "superresolve",
    "write",
    "__version__",
]
