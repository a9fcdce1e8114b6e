"""The data that every room works on: Geometry, Volume, Acquisition, ASLSeries, Tissue.

Arrays are C-ordered ``(K, J, I)``, a series ``(T, K, J, I)``, as SimpleITK and ``slicer.util.arrayFromVolume`` give
them. Geometry is ITK's: LPS origin and direction, spacing in mm. NaN means 'not measured'; zero means zero.
No torch and no slicer here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np

from .errors import InputError
from .findings import Finding
from .given import settle
from .m0_source import M0Source
from .notebook import html_of
from .ranges import RANGES, impossible
from .remedies import SetField

CBF_UNIT = "ml/100g/min"
SCANNER_UNIT = "scanner units"  # of a difference that nothing calibrates
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])  # and back


class VolumeType(str, Enum):
    """What one volume of a series is; the words of BIDS' aslcontext.tsv."""

    CONTROL = "control"
    LABEL = "label"
    M0SCAN = "m0scan"
    DELTAM = "deltam"
    CBF = "cbf"
    NORF = "noRF"
    NOT_AVAILABLE = "n/a"


# What perfusion can be taken from, in BIDS' order of preference
PERFUSION_KINDS = (
    (VolumeType.CONTROL, VolumeType.LABEL),
    (VolumeType.DELTAM,),
    (VolumeType.CBF,),
)
PERFUSION = sum(PERFUSION_KINDS, ())


class Labeling(str, Enum):
    """How the blood is labelled; BIDS ``ArterialSpinLabelingType``."""

    PCASL = "PCASL"
    CASL = "CASL"
    PASL = "PASL"


class M0Type(str, Enum):
    """Where the calibration image comes from; BIDS ``M0Type``."""

    SEPARATE = "Separate"
    INCLUDED = "Included"
    ESTIMATE = "Estimate"
    ABSENT = "Absent"


class DelayOrder(str, Enum):
    """How delays follow each other where fewer are stated than there are volumes."""

    TURNS = "turns"  # all delays once, then all again
    BLOCKS = "blocks"  # all repeats of one delay, then those of the next


class Origin(str, Enum):
    """Where a parameter value came from. Every value that enters a result carries one."""

    SIDECAR = "sidecar"
    DICOM = "DICOM"
    IMAGE = "image"
    DEFAULT = "default"
    USER = "user"


@dataclass(frozen=True)
class Parameter:
    """One value that entered a result, with its unit and where it came from.

    >>> str(Parameter("post_labeling_delay", 1.8, "s", Origin.SIDECAR))
    'post_labeling_delay = 1.8 s (sidecar)'
    """

    name: str
    value: object
    unit: str
    origin: Origin
    note: str = ""

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        note = f"; {self.note}" if self.note else ""
        return f"{self.name} = {self.value}{unit} ({self.origin.value}{note})"


@dataclass(frozen=True)
class Geometry:
    """Where a voxel grid lies in the patient.

    Args:
        size: voxels along (i, j, k), the reverse of an array's shape.
        spacing: mm along (i, j, k).
        origin: centre of voxel (0, 0, 0), mm, LPS.
        direction: row-major 3x3 cosines, LPS; column a is the direction of array axis a of (i, j, k).

    Raises:
        InputError: a size or spacing is not positive, or the axes do not span space.
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        if np.shape(self.direction) == (3, 3):
            object.__setattr__(self, "direction", tuple(np.ravel(self.direction)))
        settle(self)
        object.__setattr__(self, "size", tuple(int(n) for n in self.size))
        for name in ("spacing", "origin", "direction"):
            object.__setattr__(self, name, tuple(float(v) for v in getattr(self, name)))
        if len(self.size) != 3 or min(self.size) < 1:
            raise InputError(f"An image needs three dimensions of at least one voxel, not {self.size}.")
        if not (np.all(np.isfinite(self.spacing)) and min(self.spacing) > 0):
            raise InputError(f"The voxel spacing {self.spacing} mm is not positive; correct the image's header.")
        if not abs(np.linalg.det(np.reshape(self.direction, (3, 3)))) > 1e-3:
            raise InputError("The image's axes do not span space; correct the orientation in its header.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Array shape (K, J, I)."""
        return self.size[::-1]

    def __str__(self) -> str:
        spacing = " x ".join(f"{s:.3g}" for s in self.spacing)
        return f"{' x '.join(map(str, self.size))} voxels of {spacing} mm"

    @property
    def voxel_volume(self) -> float:
        """mm^3."""
        return float(np.prod(self.spacing))

    @property
    def affine_lps(self) -> np.ndarray:
        """4x4 matrix from voxel (i, j, k, 1) to LPS mm."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.reshape(self.direction, (3, 3)) * self.spacing
        matrix[:3, 3] = self.origin
        return matrix

    @property
    def affine_ras(self) -> np.ndarray:
        """4x4 matrix from voxel (i, j, k, 1) to RAS mm, as NIfTI stores it."""
        return LPS_FROM_RAS @ self.affine_lps

    @classmethod
    def from_affine_ras(cls, affine: np.ndarray, size: Iterable[int]) -> Geometry:
        """The geometry of a NIfTI affine (RAS, mm) and size (i, j, k)."""
        lps = LPS_FROM_RAS @ np.asarray(affine, float)
        spacing = np.linalg.norm(lps[:3, :3], axis=0)
        if not np.all(spacing > 0):
            raise InputError("The image's affine has a zero column; correct the orientation in its header.")
        return cls(tuple(size), tuple(spacing), tuple(lps[:3, 3]), tuple((lps[:3, :3] / spacing).ravel()))

    def matches(self, other: Geometry, *, tolerance: float = 1e-2) -> bool:
        """Whether both are the same grid, to `tolerance` mm at its far corner."""
        if self.size != other.size:
            return False
        corners = np.array([[0, 0, 0, 1], [*self.size, 1]], float).T
        return bool(np.allclose(self.affine_lps @ corners, other.affine_lps @ corners, atol=tolerance))


def measured(array: np.ndarray) -> np.ndarray:
    """`array` as float32 whose infinite values are NaN, not measured; a copy only where type or values change.

    A number beyond float32 is infinite there.
    """
    values = np.asarray(array)
    if values.dtype != np.float32 or not values.flags.c_contiguous:  # numpy also copies what comes from a child
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.ascontiguousarray(values, dtype=np.float32)
    infinite = np.isinf(values)
    return np.where(infinite, np.float32(np.nan), values) if infinite.any() else values


def _frozen_array(array: np.ndarray) -> np.ndarray:
    """`array` itself where it is read-only float32 without infinities, else such a view of it, or a `measured` copy."""
    try:
        given = np.asarray(array)
    except ValueError as error:  # lists of different lengths
        raise InputError("The array is no table of numbers; give one of numpy, float32.") from error
    if given.dtype.kind not in "biuf":
        raise InputError(f"The array holds no real numbers ({given.dtype}); give numbers, for example float32.")
    frozen = measured(given)
    if frozen is not given or given.flags.writeable:
        frozen = frozen.view()
        frozen.flags.writeable = False
    return frozen


@dataclass(frozen=True, eq=False)
class Volume:
    """A 3D image: float32 array (K, J, I), geometry, and the unit its numbers carry.

    Raises:
        InputError: array and geometry disagree.
    """

    array: np.ndarray
    geometry: Geometry
    unit: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        settle(self, leave=("array",))
        object.__setattr__(self, "array", _frozen_array(self.array))
        if self.array.shape != self.geometry.shape:
            raise InputError(f"The array is {self.array.shape}, its geometry {self.geometry.shape} (K, J, I).")

    def __repr__(self) -> str:
        return f"<Volume {', '.join(filter(None, (self.name, str(self.geometry), self.unit)))}>"

    def _repr_html_(self) -> str:
        return html_of(self)

    def with_array(self, array: np.ndarray, *, unit: str | None = None, name: str | None = None) -> Volume:
        """The same grid with other numbers."""
        unit, name = self.unit if unit is None else unit, self.name if name is None else name
        return replace(self, array=array, unit=unit, name=name)


def _stated(bids: str, unit: str = "", label: str = "") -> Any:
    """A field that is None where it is not stated."""
    return field(default=None, metadata={"bids": bids, "unit": unit, "label": label})


@dataclass(frozen=True)
class Acquisition:
    """How the series was acquired. `None` means 'not stated'; `origins` says where each stated value came from.

    Each field's metadata give its BIDS name, unit and a label for people (see `parameters`).

    Raises:
        InputError: a value is outside what it can be (a negative time, a field strength of 0), and no other unit that
            it may be in explains it (`ranges`).
    """

    labeling: Labeling | None = _stated("ArterialSpinLabelingType", label="Labelling")  # noqa: RUF009
    # of PASL the inversion time
    post_labeling_delay: float | tuple[float, ...] | None = _stated("PostLabelingDelay", "s", "Post-labelling delay")
    label_duration: float | tuple[float, ...] | None = _stated("LabelingDuration", "s", "Label duration")
    delay_order: DelayOrder | None = _stated("PostLabelingDelayOrder", label="Order of delays")  # noqa: RUF009
    bolus_cut_off: bool | None = _stated("BolusCutOffFlag", label="Bolus cut-off")
    bolus_duration: float | None = _stated("BolusCutOffDelayTime", "s", "Bolus duration")  # TI1
    bolus_technique: str | None = _stated("BolusCutOffTechnique", label="Bolus cut-off technique")
    field_strength: float | None = _stated("MagneticFieldStrength", "T", "Field strength")
    background_suppression: bool | None = _stated("BackgroundSuppression", label="Background suppression")
    suppression_pulses: int | None = _stated("BackgroundSuppressionNumberPulses", label="Background suppression pulses")
    labeling_efficiency: float | None = _stated("LabelingEfficiency", label="Labelling efficiency")
    readout: str | None = _stated("MRAcquisitionType", label="Readout")
    slice_timing: tuple[float, ...] | None = _stated("SliceTiming", "s", "Slice timing")
    slice_encoding_direction: str | None = _stated("SliceEncodingDirection", label="Slice encoding direction")
    repetition_time: float | tuple[float, ...] | None = _stated("RepetitionTimePreparation", "s", "Repetition time")
    look_locker: bool | None = _stated("LookLocker", label="Look-Locker readout")
    flip_angle: float | None = _stated("FlipAngle", "degrees", "Flip angle")  # of a Look-Locker readout alone
    time_encoding: str | None = _stated("TimeEncodedMatrixType", label="Time encoding")  # Hadamard; ExploreASL's key
    total_pairs: int | None = _stated("TotalAcquiredPairs", label="Pairs acquired")
    m0_type: M0Type | None = _stated("M0Type", label="M0")  # noqa: RUF009
    m0_estimate: float | None = _stated("M0Estimate", label="M0 estimate")
    m0_repetition_time: float | None = _stated("M0RepetitionTime", "s", "M0 repetition time")
    m0_scale: float | None = _stated("M0Scale", label="M0 scale")
    t1_blood: float | None = _stated("BloodT1", "s", "T1 of blood")
    t1_tissue: float | None = _stated("TissueT1", "s", "T1 of tissue")
    partition_coefficient: float | None = _stated(
        "BrainBloodPartitionCoefficient", "mL/g", "Brain-blood partition coefficient"
    )
    manufacturer: str | None = _stated("Manufacturer", label="Manufacturer")
    origins: Mapping[str, Origin] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settle(self, remedy=lambda name, text: SetField(name, text=text))
        stated = {f.name for f in fields(self) if f.name != "origins" and getattr(self, f.name) is not None}
        origins = {name: Origin(self.origins.get(name, Origin.USER)) for name in sorted(stated)}
        object.__setattr__(self, "origins", MappingProxyType(origins))
        _check_ranges(self)

    def __reduce__(self):  # a mapping proxy cannot be pickled; a plain dict can
        values = (getattr(self, f.name) for f in fields(self) if f.name != "origins")
        return Acquisition, (*values, dict(self.origins))

    @property
    def delays(self) -> tuple[float, ...]:
        """The distinct post-labelling delays, s, ascending; zeros (of M0 volumes) left out unless they are all."""
        return _distinct(self.post_labeling_delay)

    @property
    def label_durations(self) -> tuple[float, ...]:
        """The distinct label durations, s, ascending; zeros (of M0 volumes) left out unless they are all."""
        return _distinct(self.label_duration)

    @property
    def timings(self) -> tuple[float | tuple[float, ...] | None, float | tuple[float, ...] | None]:
        """Post-labelling delay and label duration, of PASL inversion time and bolus duration, s, as they are stated."""
        pasl = self.labeling is Labeling.PASL
        return self.post_labeling_delay, self.bolus_duration if pasl else self.label_duration

    def timing(self, index: int) -> tuple[float | None, float | None]:
        """`timings` of one volume."""
        delay, duration = (_of_volume(stated, index) for stated in self.timings)
        return delay, duration

    def with_values(self, origin: Origin, **values: object) -> Acquisition:
        """A copy in which each given value replaces the old one and is marked as coming from `origin`."""
        return replace(self, **values, origins={**self.origins, **dict.fromkeys(values, origin)})

    def parameters(self) -> tuple[Parameter, ...]:
        """Every stated value with its unit and origin, in field order."""
        return tuple(
            Parameter(f.name, _plain(getattr(self, f.name)), f.metadata["unit"], self.origins[f.name])
            for f in fields(self)
            if f.name in self.origins
        )


def _distinct(stated: float | tuple[float, ...] | None) -> tuple[float, ...]:
    if stated is None:
        return ()
    values = np.atleast_1d(np.asarray(stated, float))
    kept = values[values > 0]
    return tuple(float(v) for v in np.unique(np.round(kept if kept.size else values, 6)))


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else list(value) if isinstance(value, tuple) else value


def _check_ranges(acquisition: Acquisition) -> None:
    for f in fields(acquisition):
        value = getattr(acquisition, f.name)
        if f.name not in RANGES or value is None:
            continue
        if not np.all(np.isfinite(np.asarray(value, float))):
            raise InputError(f"{f.metadata['bids']} is not a finite number", [SetField(f.name)])
        wrong = impossible(f.name, value)
        if wrong is not None:
            low, high = RANGES[f.name].possible
            unit = f" {f.metadata['unit']}".rstrip()
            what = (
                f"{f.metadata['bids']} is {wrong:g}{unit}, which cannot be: it lies between {low:g} and {high:g}{unit}"
            )
            raise InputError(what, [SetField(f.name, text="correct it")])


@dataclass(frozen=True, eq=False)
class ASLSeries:
    """A 4D ASL series: array (T, K, J, I), what each volume is, how it was acquired, and its calibration image.

    Args:
        array: float32 (T, K, J, I), scanner units (cbf volumes: ml/100g/min).
        geometry: the grid of every volume.
        context: one VolumeType a volume.
        acquisition: parameters with their origins.
        m0: the calibration image on the same grid, or None. `Included` M0 volumes are already averaged into it.
        name: the BIDS stem, e.g. ``sub-01_acq-grase`` (without ``_asl``), for naming outputs.
        source: what it was read from, for provenance.
        fixes: what was fixed since, by name (`inspecting.fixes`), for provenance.
        m0_source: how `m0` came about; None where that is not known.
        findings: what reading it had to say, of which M0 was taken, say.

    Raises:
        InputError: shapes disagree.
    """

    array: np.ndarray
    geometry: Geometry
    context: tuple[VolumeType, ...]
    acquisition: Acquisition = field(default_factory=Acquisition)
    m0: Volume | None = None
    name: str = "asl"
    source: str = ""
    fixes: tuple[Parameter, ...] = ()
    m0_source: M0Source | None = None
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        settle(self, leave=("array",))
        object.__setattr__(self, "array", _frozen_array(self.array))
        shape, grid, types = self.array.shape, self.geometry.shape, len(self.context)
        if len(shape) != 4 or shape[1:] != grid:
            raise InputError(f"A series is (T, K, J, I); this array is {shape}, {grid} asked.")
        if types != shape[0]:
            raise InputError(
                f"The series has {shape[0]} volumes but its context names {types}; give one volume_type a volume."
            )
        if self.m0 is not None and not self.m0.geometry.matches(self.geometry):
            raise InputError("The M0 image is not on the grid of the series; resample it to the series first.")

    def __str__(self) -> str:
        counts = [f"{len(self.indices(kind))} {kind.value}" for kind in dict.fromkeys(self.context)]
        return f"{self.name}: {self.geometry}, {', '.join(counts)}"

    def __repr__(self) -> str:
        return f"<ASLSeries {self}{'' if self.m0 is None else ', M0'}>"

    def _repr_html_(self) -> str:
        return html_of(self)

    def indices(self, *types: VolumeType) -> list[int]:
        """Positions of the volumes of the given types, in order."""
        return [i for i, c in enumerate(self.context) if c in types]

    @property
    def perfusion(self) -> tuple[VolumeType, ...]:
        """The kinds of volume that perfusion is taken from; all four where the context names none of them whole.

        BIDS prefers control and label to ``deltam``, and that to ``cbf``. A scanner's own ``cbf`` is taken beside
        differences that nothing calibrates: without an M0, a labelling type or a delay.
        """
        a, there = self.acquisition, set(self.context)
        calibrated = self.m0 is not None or a.m0_estimate is not None
        if VolumeType.CBF in there and not (calibrated and a.labeling is not None and any(a.delays)):
            return (VolumeType.CBF,)
        return next((kinds for kinds in PERFUSION_KINDS if there.issuperset(kinds)), PERFUSION)

    @property
    def holds_cbf(self) -> bool:
        """Whether perfusion is taken from CBF maps, so that nothing need be quantified."""
        return self.perfusion == (VolumeType.CBF,)

    def timing(self, index: int) -> tuple[float | None, float | None]:
        """Post-labelling delay (PASL: inversion time) and label duration (PASL: bolus duration) of one volume, s.

        None is not stated. `InputError` where values are stated volume by volume and are not as many as the volumes.
        """
        for stated, name in zip(self.acquisition.timings, ("PostLabelingDelay", "LabelingDuration"), strict=True):
            if isinstance(stated, tuple) and len(stated) != len(self.context):
                what = f"{name} holds {len(stated)} values but the series has {len(self.context)} volumes"
                raise InputError(what, [SetField("post_labeling_delay", text="give one number or one a volume")])
        return self.acquisition.timing(index)

    def volume(self, index: int) -> Volume:
        """One volume (K, J, I)."""
        return Volume(self.array[index], self.geometry, name=f"{self.name}_{self.context[index].value}-{index}")

    def mean(self, *types: VolumeType) -> Volume:
        """The mean of all volumes of the given types (NaN where any is NaN)."""
        return Volume(self.array[self.indices(*types)].mean(axis=0), self.geometry, name=self.name)


def _of_volume(stated: float | tuple[float, ...] | None, index: int) -> float | None:
    """What is stated once, or volume by volume, of one volume; rounded to microseconds."""
    value = stated[index] if isinstance(stated, tuple) else stated
    return None if value is None else round(value, 6)


@dataclass(frozen=True, eq=False)
class Tissue:
    """Tissue on a grid: probabilities (0..1) of grey matter, white matter and CSF, and the brain they lie in.

    `source` names what they come from (given masks, T1 segmentation, M0 guess); `warning` is one sentence on why they
    cannot be trusted, empty where they can.
    """

    gm: Volume
    wm: Volume
    csf: Volume | None
    brain: Volume
    source: str
    warning: str = ""

    def __post_init__(self) -> None:
        settle(self)
        for other in (self.wm, self.csf, self.brain):
            if other is not None and not other.geometry.matches(self.gm.geometry):
                raise InputError("The tissue maps are not on one grid; resample them to the CBF map first.")
