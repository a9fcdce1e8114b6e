"""The user's choices, as a parameter node of the scene.

Annotations here are evaluated (`parameterNodeWrapper` reads them), so this file does not postpone them.
"""

from enum import Enum
from typing import Annotated

import slicer
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper


class Way(Enum):
    """The task of Apply."""

    DENOISE = "denoise"
    SUPERRESOLVE = "superresolve"
    QUANTIFY = "quantify"

    def label(self):
        return {
            Way.DENOISE: _("Denoise"),
            Way.SUPERRESOLVE: _("Super-resolve"),
            Way.QUANTIFY: _("Quantify the mean alone"),
        }[self]


class Device(Enum):
    """The device that networks run on."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    MPS = "mps"


class Grid(Enum):
    """The voxels of a super-resolved map."""

    T1 = "t1"
    SPACING = "spacing"
    LIKE = "like"

    def label(self):
        return {
            Grid.T1: _("As in the T1"),
            Grid.SPACING: _("Size of my choice"),
            Grid.LIKE: _("As in another volume"),
        }[self]


class Alignment(Enum):
    """The alignment of the T1 to the series."""

    FIND = "find"
    START = "start"
    KEEP = "keep"

    def label(self):
        return {
            Alignment.FIND: _("Found from many starts"),
            Alignment.START: _("Found from where the T1 lies"),
            Alignment.KEEP: _("The T1 stays where it lies"),
        }[self]


class Outliers(Enum):
    """The method that finds volumes which would corrupt the mean; the values are the library's names."""

    ZSCORE = "zscore"
    NONE = "none"
    AOC = "aoc"
    SCORE = "score"
    PAOCSL = "paocsl"
    HUBER = "huber"

    def label(self):
        return {
            Outliers.ZSCORE: _("Remove noisy slices (recommended)"),
            Outliers.NONE: _("Leave everything in"),
            Outliers.AOC: _("Remove what strays from the mean"),
            Outliers.SCORE: _("Remove extreme pairs"),
            Outliers.PAOCSL: _("Remove unlikely slices"),
            Outliers.HUBER: _("Weigh down what strays"),
        }[self]

    def tip(self):
        """Its technical name, and where it is from."""
        return {
            Outliers.ZSCORE: _("z-score of the noise of each slice, after Tan et al. 2009"),
            Outliers.NONE: _("none"),
            Outliers.AOC: _("AOC, adaptive outlier cleaning"),
            Outliers.SCORE: _("SCORE, Dolui et al. 2017"),
            Outliers.PAOCSL: _("PAOCSL, prior-guided adaptive outlier cleaning"),
            Outliers.HUBER: _("Huber's M-estimator"),
        }[self]


class Kinetics(Enum):
    """The kinetic model of several delays; the values are the library's names."""

    WHITE_PAPER = "white-paper"
    GENERAL = "general"

    def label(self):
        return {
            Kinetics.WHITE_PAPER: _("As for one delay (recommended)"),
            Kinetics.GENERAL: _("With the T1 of tissue"),
        }[self]

    def tip(self):
        """Its technical name, and what it takes for granted."""
        return {
            Kinetics.WHITE_PAPER: _("White-paper mode: label decays with the T1 of blood throughout."),
            Kinetics.GENERAL: _("Buxton's general model: label that has arrived decays with the T1 of tissue."),
        }[self]


class CompareBy(Enum):
    """The way raw and processed are compared over the T1."""

    FADE = "fade"
    SWIPE = "swipe"
    FLICKER = "flicker"

    def label(self):
        return {
            CompareBy.FADE: _("Fade"),
            CompareBy.SWIPE: _("Swipe"),
            CompareBy.FLICKER: _("Flicker"),
        }[self]


@parameterNodeWrapper
class ASLDenoiseParameterNode:
    """The panel's state, saved with the scene. Empty text stands for the default.

    `asl` is a sequence or a multi-volume: a union of node classes cannot be kept, so it is any node here, and the
    selector offers those two. `decided` names the inputs that the user chose, which filling in must not change.
    """

    asl: slicer.vtkMRMLNode
    t1: slicer.vtkMRMLScalarVolumeNode
    m0: slicer.vtkMRMLScalarVolumeNode
    segmentation: slicer.vtkMRMLSegmentationNode
    tissueFromSegmentation: bool = False
    atlas: slicer.vtkMRMLLabelMapVolumeNode
    mirrorRegions: bool = False
    decided: list[str]

    way: Way = Way.DENOISE
    model: str = ""
    method: str = ""
    denoiseFirst: bool = False
    grid: Grid = Grid.T1
    spacingX: Annotated[float, WithinRange(0.5, 10.0)] = 1.0
    spacingY: Annotated[float, WithinRange(0.5, 10.0)] = 1.0
    spacingZ: Annotated[float, WithinRange(0.5, 10.0)] = 1.0
    like: slicer.vtkMRMLScalarVolumeNode
    ownPointSpread: bool = False
    pointSpreadX: Annotated[float, WithinRange(0.0, 20.0)] = 0.0
    pointSpreadY: Annotated[float, WithinRange(0.0, 20.0)] = 0.0
    pointSpreadZ: Annotated[float, WithinRange(0.0, 20.0)] = 0.0

    device: Device = Device.AUTO
    pairs: str = ""
    takenOut: str = ""
    putBack: str = ""
    group: Annotated[int, WithinRange(0, 999)] = 0
    interleaved: bool = False
    motion: bool = True
    regressMotion: bool = True
    regressCsf: bool = False
    regressGlobal: bool = False
    atropos: bool = False
    outliers: Outliers = Outliers.ZSCORE
    smoothing: Annotated[float, WithinRange(0.0, 20.0)] = 0.0
    m0Smoothing: Annotated[float, WithinRange(0.0, 20.0)] = 0.0
    audit: bool = True
    pairsNeeded: bool = False
    splitHalf: bool = False
    adapt: bool = False
    kinetics: Kinetics = Kinetics.WHITE_PAPER
    macrovascular: bool = False
    spatialPrior: bool = True
    alignment: Alignment = Alignment.FIND
    arrival: slicer.vtkMRMLScalarVolumeNode
    arrivalReference: slicer.vtkMRMLScalarVolumeNode
    mni: bool = False
    outputFolder: str = ""
    outputName: str = ""
    cohortFolder: str = ""
    adaptScans: list[str]
    adaptName: str = ""
    adaptFrom: str = ""
    adaptMinutes: Annotated[int, WithinRange(1, 600)] = 20

    shownMap: str = ""
    opacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.55
    scale: str = ""
    compareBy: CompareBy = CompareBy.FADE
    fade: Annotated[float, WithinRange(0.0, 1.0)] = 1.0
    report: str = ""
