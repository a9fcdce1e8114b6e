"""What an image of an examination is, by what vendors write into its header: one table of all of them.

`image_kind` asks the rules from the top; the first that fits counts. A header is dcm2niix's JSON: ``ImageType``,
``SeriesDescription``, ``Manufacturer`` and so on. Sources, by rule:

GE: ImageType of M0, difference and CBF map as in ExploreASL issue 421; CBF maps whose description is ``CBF:`` and the
time of day, dcm2niix issue 382; ``Cerebral Blood Flow`` and ``Transit delay`` of eASL, dcm2niix issue 957 and
ExploreASL issue 1516; two 3D images, perfusion-weighted and proton density, the notes on GE in dcm2niix' GE/README.

Siemens: ORIGINAL, PRIMARY, ASL of the product and of tgse_pcasl and ep2d_pcasl, and DERIVED, PRIMARY, ASL with SUB or
SUBTRACTION of ``Perfusion_Weighted`` (the data of neurolabusc's dcm_qa_asl and dcm_qa_xa30i); RELCBF, MOCO and TTEST of
the earlier product.

Philips: ``SOURCE - NAME`` holds controls and labels, the series NAME beside it the scanner's differences (the data of
dcm_qa_philips_asl); PERFUSION of its maps, ExploreASL issue 1280.

T1: BidsGuess of dcm2niix, else the names of the vendors' magnetisation-prepared gradient echoes (MPRAGE; BRAVO, FSPGR;
TFE), else a 3D gradient echo with an inversion time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum


class ImageKind(Enum):
    """What an image is, in the words in which it is listed."""

    SERIES = "ASL series"
    DIFFERENCE = "ASL difference"
    M0 = "M0"
    CBF = "CBF map of the scanner"
    MAP = "map of the scanner"
    T1 = "T1"
    OTHER = "other"


@dataclass(frozen=True)
class Header:
    """What the rules look at.

    Args:
        maker: the manufacturer, lower case.
        types: the values of ImageType, upper case.
        words: description, protocol, sequence and file name, as they are.
        volumes: how many.
        spacing: mm along (i, j, k).
        keys: all of the JSON.
    """

    maker: str
    types: tuple[str, ...]
    words: str
    volumes: int
    spacing: tuple[float, float, float]
    keys: Mapping[str, object]


_MOST_M0_VOLUMES = 4  # a longer scan is a series that names its M0 volumes
_COARSEST_T1 = 3.0  # mm a side of a voxel
_LARGEST_T1 = 10.0  # mm^3 a voxel: no ASL series is so fine
_ASL_LIKE = re.compile(r"asl|spin.?label", re.IGNORECASE)
_PERFUSION_LIKE = re.compile(r"perf(?!orm)", re.IGNORECASE)
_WITH_CONTRAST = re.compile(r"(?<![a-z])(dsc|dce)|ep2d_perf|permeab|bolus.?track", re.IGNORECASE)
_M0_LIKE = re.compile(r"(?<![a-z0-9])m0(?![0-9])|m0scan", re.IGNORECASE)
_CALIBRATION_LIKE = re.compile(r"calib|proton.?density", re.IGNORECASE)
_COIL_LIKE = re.compile(r"asset|coil|sense|3.?pl", re.IGNORECASE)
_CBF_LIKE = re.compile(r"(?<![a-z])(rel)?cbf(?![a-z])|cerebral.?blood.?flow", re.IGNORECASE)
_MAP_LIKE = re.compile(r"(?<![a-z])(att|bat|cbv|aat)(?![a-z])|transit|arrival", re.IGNORECASE)
_T1_LIKE = re.compile(
    r"mp-?rage|mp2rage.*uni|bravo|spgr|(?<![a-z])tfl|(?<![a-z])tfe|(?<![a-z0-9])s?t1(?![0-9])|inversion.?recovery",
    re.IGNORECASE,
)
_NOT_T1 = re.compile(
    r"(?<![a-z])loc(?![a-z])|locali[sz]er|scout|survey|calib|coil|sense.?ref|t1.?map|r1.?map|(?<![a-z0-9])t2|flair|dwi"
    r"|dti|diffusion|bold|fmri|(?<![a-z])tof|angio|(?<![a-z])mra(?![a-z])|swi|qsm|(?<![a-z0-9])b[01](?![0-9])"
    r"|field.?map|inv-?[12](?![0-9])|projection",
    re.IGNORECASE,
)
_AFTER_CONTRAST = re.compile(
    r"(?<![a-z])(post|gd|gad|gado[a-z]*|ce|km|kontrast|contrast)(?![a-z])|\+ ?c(?![a-z])", re.IGNORECASE
)
_BEFORE_CONTRAST = re.compile(r"non?.?contrast|(?<![a-z])(pre|nativ|without|w/?o)(?![a-z]{4})", re.IGNORECASE)
_DERIVED = {"DERIVED", "SUBTRACTION", "PERFUSION", "CBF", "RELCBF", "TTEST", "MOCO", "PHASE", "P", "IMAGINARY", "REAL"}
_NO_MAGNITUDE = {"PHASE", "P", "IMAGINARY", "REAL"}


def header_of(keys: Mapping[str, object], *, volumes: int, spacing: tuple[float, float, float]) -> Header:
    """The header of a converted image from its JSON."""
    types = keys.get("ImageType", [])
    types = types if isinstance(types, list) else [types]
    names = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName", "PulseSequenceDetails")
    words = " ".join(str(keys.get(name, "")) for name in (*names, "ConvertedName"))
    maker = str(keys.get("Manufacturer", "")).lower()
    return Header(maker, tuple(str(t).upper() for t in types), words, volumes, spacing, keys)


def image_kind(header: Header) -> ImageKind:
    """What an image is.

    >>> ge = {"Manufacturer": "GE", "SeriesDescription": "3D ASL", "ImageType": ["ORIGINAL", "PRIMARY", "ASL"]}
    >>> image_kind(header_of(ge, volumes=1, spacing=(1.9, 1.9, 4.0))).value
    'M0'
    >>> ge["ImageType"] = ["DERIVED", "PRIMARY", "ASL", "PERFUSION", "ASL"]
    >>> image_kind(header_of(ge, volumes=1, spacing=(1.9, 1.9, 4.0))).value
    'ASL difference'
    """
    return next(kind for rule, kind in _RULES if rule(header))


def after_contrast(header: Header) -> bool:
    """Whether the header says that contrast agent was given before."""
    agent = any(header.keys.get(key) for key in ("ContrastBolusAgent", "ContrastBolusIngredient"))
    named = str(header.keys.get("SeriesDescription", header.words))
    return agent or bool(_AFTER_CONTRAST.search(named) and not _BEFORE_CONTRAST.search(named))


def _ge(*types: str) -> Callable[[Header], bool]:
    """Of GE, with all these values of ImageType."""
    return lambda h: h.maker.startswith("ge") and set(types) <= set(h.types)


def _ge_m0(h: Header) -> bool:
    return h.maker.startswith("ge") and h.types[:3] == ("ORIGINAL", "PRIMARY", "ASL") and h.volumes <= _MOST_M0_VOLUMES


def _is_cbf(h: Header) -> bool:
    """Its type says CBF, or the description does of an image that does not say it is original."""
    named = bool(_CBF_LIKE.search(str(h.keys.get("SeriesDescription", ""))))
    return bool({"CBF", "RELCBF"} & set(h.types)) or (named and "ORIGINAL" not in h.types)


def _is_map(h: Header) -> bool:
    """Something that the scanner made of the series: a difference, a t test, a corrected series, a transit time."""
    made = bool(_DERIVED & set(h.types)) and not _NO_MAGNITUDE & set(h.types)
    return made and (_is_asl(h) or bool(_PERFUSION_LIKE.search(h.words) or _MAP_LIKE.search(h.words)))


def _is_asl(h: Header) -> bool:
    """It says so, or it is perfusion-weighted and nothing says that contrast agent was tracked."""
    if "ArterialSpinLabelingType" in h.keys or "ASL" in h.types or _ASL_LIKE.search(h.words):
        return True
    perfusion = _guess(h).endswith("_asl") or bool(_PERFUSION_LIKE.search(h.words))
    return perfusion and not (_WITH_CONTRAST.search(h.words) or after_contrast(h))


def _is_m0(h: Header) -> bool:
    """Few volumes that say M0, or calibration or proton density of an ASL sequence."""
    if h.volumes > _MOST_M0_VOLUMES:
        return False
    if _M0_LIKE.search(h.words):
        return True
    calibration = _CALIBRATION_LIKE.search(h.words) and not _COIL_LIKE.search(h.words)
    return bool(calibration) and _is_asl(h)


def _guess(h: Header) -> str:
    """The suffix that dcm2niix guesses for BIDS; empty where it does not."""
    guess = h.keys.get("BidsGuess")
    return str(guess[-1]) if isinstance(guess, list) and guess else ""


def _is_t1(h: Header) -> bool:
    """One fine 3D volume of a T1-weighted gradient echo, acquired as it is."""
    fine = max(h.spacing) <= _COARSEST_T1 and h.spacing[0] * h.spacing[1] * h.spacing[2] <= _LARGEST_T1
    derived = _DERIVED & set(h.types) and "UNI" not in h.types  # MP2RAGE's T1-weighted image is made of two
    if h.volumes != 1 or not fine or h.keys.get("MRAcquisitionType") == "2D" or derived:
        return False
    if _guess(h).endswith("_T1w"):
        return True
    named = str(h.keys.get("SeriesDescription", h.words))
    if _NOT_T1.search(named):
        return False
    return bool(_T1_LIKE.search(h.words)) or _inversion_recovery(h)


def _inversion_recovery(h: Header) -> bool:
    """A 3D gradient echo with an inversion time between those that null CSF and water."""
    sequence, time = str(h.keys.get("ScanningSequence", "")), h.keys.get("InversionTime")
    prepared = isinstance(time, (int, float)) and 0.2 <= time <= 1.5
    return h.keys.get("MRAcquisitionType") == "3D" and "GR" in sequence and "EP" not in sequence and prepared


_RULES: tuple[tuple[Callable[[Header], bool], ImageKind], ...] = (
    (_ge("CBF"), ImageKind.CBF),
    (_ge("DERIVED", "ASL", "PERFUSION"), ImageKind.DIFFERENCE),
    (_ge_m0, ImageKind.M0),
    (_is_cbf, ImageKind.CBF),
    (_is_map, ImageKind.MAP),
    (lambda h: bool(_DERIVED & set(h.types)) and "UNI" not in h.types, ImageKind.OTHER),
    (_is_m0, ImageKind.M0),
    (_is_asl, ImageKind.SERIES),
    (_is_t1, ImageKind.T1),
    (lambda h: True, ImageKind.OTHER),
)
