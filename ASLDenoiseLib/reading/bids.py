"""BIDS sidecars and aslcontext tables, read as an `Acquisition` and a context.

Keys are those of the BIDS specification 1.9, "Arterial Spin Labeling perfusion data". Unknown keys are ignored; a known
key with a wrong type is refused, never guessed.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..files import composed, parse_json, read_text
from ..remedies import GiveImage, SetField
from ..series import Acquisition, DelayOrder, Geometry, Labeling, M0Type, Origin, VolumeType
from .delay_lists import LISTS, spread
from .images import image_stem, is_image_name

_FIELDS = {f.name: f for f in fields(Acquisition) if f.name != "origins"}
_PERFUSION = (VolumeType.CONTROL, VolumeType.LABEL, VolumeType.DELTAM)
_A_VOLUME = ("post_labeling_delay", "label_duration", "repetition_time")  # may hold a number a volume
_WORDS = {t.value.lower(): t for t in VolumeType}
# What dcm2niix calls some values in its JSON (its BIDS/README); taken where the BIDS key is absent.
_CONVERTER_NAMES = (
    ("PostLabelingDelay", "PostLabelDelay"),
    ("PostLabelingDelay", "InitialPostLabelDelay"),
    ("LabelingDuration", "TagDuration"),
    ("BolusCutOffDelayTime", "BolusDuration"),
)


_NAMING_KEYS = ("PulseSequenceType", "PulseSequenceDetails", "SequenceName", "SeriesDescription", "ProtocolName")
_LOOK_LOCKER_NAME = re.compile(r"look[-_ ]?locker|quasar", re.IGNORECASE)
_ENCODED_NAME = re.compile(r"hadamard|time[-_ ]?encoded|walsh|te[-_ ]?p?casl", re.IGNORECASE)


def read_json(path: Path) -> dict[str, object]:
    """The object in a sidecar; `InputError` where the file is not readable JSON or not an object."""
    content = parse_json(read_text(path, what="sidecar"), f"The sidecar {path}")
    if not isinstance(content, dict):
        raise InputError(f"The sidecar {path} is not a JSON object; write its keys between braces.")
    return content


def applicable_files(image: Path, suffix: str, ending: str) -> list[Path]:
    """Metadata files that apply to `image` by BIDS' inheritance principle, the least specific first.

    They lie beside the image or, in a data set (a folder with ``dataset_description.json``), in any folder from its
    root down. A file applies when all its entities are among the image's.

    Args:
        image: e.g. ``sub-01_acq-grase_asl.nii.gz``.
        suffix: of the metadata file: ``asl``, ``aslcontext``, ``m0scan``.
        ending: with its dot: ``.json``, ``.tsv``.
    """
    stem = image_stem(image)
    beside = image.parent.resolve()  # not image.resolve(): data sets under git-annex link their images elsewhere
    base = stem.removesuffix("_asl").removesuffix("_m0scan")
    exact = {f"{base}_{suffix}{ending}"} | ({f"{stem}{ending}"} if ending == ".json" else set())
    wanted = set(base.split("_"))
    found: list[tuple[int, int, Path]] = []
    for depth, folder in enumerate(_folders(beside)):
        for path in folder.glob(f"*{suffix}{ending}"):
            parts = path.name.removesuffix(ending).split("_")
            if parts[-1] == suffix and set(parts[:-1]) <= wanted:
                found.append((depth, len(parts), path))
    named = [path for _, _, path in sorted(found, key=lambda item: item[:2])]
    extra = [beside / name for name in sorted(exact) if (beside / name).is_file() and beside / name not in named]
    return named + extra


def _folders(nearest: Path) -> list[Path]:
    """Folders from the data set's root down to `nearest`; `nearest` alone outside a data set."""
    chain = [nearest, *nearest.parents]
    root = next((n for n, folder in enumerate(chain) if (folder / "dataset_description.json").is_file()), 0)
    return chain[root::-1]


def read_sidecar(image: Path, *, suffix: str = "asl") -> dict[str, object]:
    """The merged sidecars of `image`, the nearest and most specific winning; empty when there is none."""
    sidecars = (read_json(path) for path in applicable_files(image, suffix, ".json"))
    return {key: value for sidecar in sidecars for key, value in sidecar.items()}


def read_context(path: Path) -> tuple[VolumeType, ...]:
    """Read an ``_aslcontext.tsv``: one `VolumeType` a row under the heading ``volume_type``, in any case.

    Raises:
        InputError: the file is unreadable, lacks the column or holds an unknown word.
    """
    text = read_text(Path(path), what="context file")
    try:
        rows = [row for row in csv.reader(text.splitlines(), delimiter="\t") if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise InputError(f"The context file {path} is no table ({error}); give an _aslcontext.tsv.") from error
    heads = [cell.strip().lower() for cell in rows[0]] if rows else []
    if "volume_type" not in heads:
        raise InputError(f"The context file {path} has no column 'volume_type'; make that its first line.")
    column = heads.index("volume_type")
    return as_context((row[column] if column < len(row) else "" for row in rows[1:]), where=str(path))


def as_context(words: Iterable[str], *, where: str = "the context") -> tuple[VolumeType, ...]:
    """The volume types of words; `InputError` where one is none of BIDS'."""
    context = []
    for word in words:
        kind = _WORDS.get(str(getattr(word, "value", word)).strip().lower())
        if kind is None:
            known = ", ".join(t.value for t in VolumeType)
            raise InputError(f"'{str(word).strip()}' in {where} is no volume type; use one of {known}.")
        context.append(kind)
    return tuple(context)


def expanded_context(pattern: Sequence[str | VolumeType], volumes: int) -> tuple[VolumeType, ...]:
    """The context of `volumes` entries by a pattern whose control/label (or deltam) part repeats.

    Leading words other than control, label, deltam and cbf count once: ``m0scan, n/a, label, control`` over 18 volumes
    is one M0, one left out, and eight label/control pairs.

    Raises:
        InputError: the pattern is empty, too long, or does not fill the series evenly.

    >>> [v.value for v in expanded_context(["m0scan", "label", "control"], 5)]
    ['m0scan', 'label', 'control', 'label', 'control']
    """
    words = as_context(pattern)
    if len(words) == volumes:
        return words
    repeating = (*_PERFUSION, VolumeType.CBF)
    start = next((i for i, word in enumerate(words) if word in repeating), len(words))
    head, cycle = words[:start], words[start:]
    rest = volumes - len(head)
    if not cycle or rest < len(cycle) or rest % len(cycle):
        raise InputError(
            f"The context pattern of {len(words)} does not fill the series of {volumes} volumes evenly; "
            "name leading M0 or dummy volumes (m0scan, n/a) or give one word a volume."
        )
    return head + cycle * (rest // len(cycle))


def acquisition_from(
    sidecar: Mapping[str, object],
    *,
    origin: Origin = Origin.SIDECAR,
    where: str = "the sidecar",
    given: Collection[str] = (),
) -> Acquisition:
    """The acquisition that a sidecar states; per-volume arrays stay whole until `reduce_arrays`.

    Args:
        sidecar: BIDS keys.
        origin: of every value.
        where: names the source in errors.
        given: fields that the user states; what the sidecar says of them is not looked at.

    Raises:
        InputError: a value has a wrong type or an impossible value.
    """
    keys = dict(sidecar)
    for key, name in _CONVERTER_NAMES:
        if keys.get(key) is None:
            keys[key] = keys.get(name)
    if keys.get("FlipAngle") is not None and "flip_angle" not in given:
        keys["FlipAngle"] = _one_angle(keys)
    if keys["PostLabelingDelay"] is None and str(keys.get("ArterialSpinLabelingType")).upper() == "PASL":
        keys["PostLabelingDelay"] = keys.get("InversionTime")  # which is what BIDS means by the delay of PASL
    keys["RepetitionTimePreparation"] = preparation_time(sidecar)
    pulses, times = "BackgroundSuppressionNumberPulses", keys.get("BackgroundSuppressionPulseTime")
    if keys.get(pulses) is None and times is not None and "suppression_pulses" not in given:
        keys[pulses] = len(np.atleast_1d(_numbers(times, "BackgroundSuppressionPulseTime", "s", where)))
    keys |= _by_its_name(sidecar)
    values = {}
    for name, f in _FIELDS.items():
        raw = keys.get(f.metadata["bids"])
        if raw is not None and raw != "n/a" and name not in given:
            values[name] = parse_value(name, raw, where=where)
    return Acquisition().with_values(origin, **values)


def _one_angle(sidecar: Mapping[str, object]) -> object:
    """The flip angle of a Look-Locker readout, of a list the one that all share; None of others, which need none."""
    angles = np.atleast_1d(np.asarray(sidecar["FlipAngle"], object)).tolist()
    named = _by_its_name(sidecar)
    locked = sidecar.get("LookLocker") or named.get("LookLocker")
    kept = {str(angle): angle for angle in angles if angle not in (0, None, "n/a")}
    return next(iter(kept.values())) if locked and len(kept) == 1 else None


def _by_its_name(sidecar: Mapping[str, object]) -> dict[str, object]:
    """What no key states but the sequence's name tells: a Look-Locker readout, or a time-encoded label."""
    names = " ".join(str(sidecar.get(key, "")) for key in _NAMING_KEYS)
    found = {}
    if sidecar.get("LookLocker") is None and _LOOK_LOCKER_NAME.search(names):
        found["LookLocker"] = True
    encoded = _ENCODED_NAME.search(names)
    if sidecar.get("TimeEncodedMatrixType") is None and encoded:
        found["TimeEncodedMatrixType"] = encoded[0]
    return found


def preparation_time(sidecar: Mapping[str, object]) -> object:
    """RepetitionTimePreparation (s) as stated, else the repetition time a converter wrote, else None.

    For Philips, dcm2niix writes the scanner's repetition time as RepetitionTimeExcitation where its own estimate from
    acquisition times, RepetitionTime, disagrees (segmented 3D readouts); the scanner's is taken.
    """
    if sidecar.get("RepetitionTimePreparation") is not None:
        return sidecar["RepetitionTimePreparation"]
    if str(sidecar.get("Manufacturer", "")).lower().startswith("philips") and "RepetitionTimeExcitation" in sidecar:
        return sidecar["RepetitionTimeExcitation"]
    return sidecar.get("RepetitionTime")


def find_m0(image: Path, *, without: Sequence[Path] = ()) -> Path | None:
    """The ``_m0scan`` image of an ``_asl`` image, or None; `InputError` where several fit equally.

    It is none of `without`, and has the same stem, else its sidecar's IntendedFor names the image, else its entities
    are among the image's.
    """
    base = image_stem(image).removesuffix("_asl")
    scans = [p for p in sorted(image.parent.glob("*_m0scan.*")) if is_image_name(p) and p not in without]
    exact = [p for p in scans if image_stem(p) == f"{base}_m0scan"]
    wanted = set(base.split("_"))
    related = [p for p in scans if set(image_stem(p).split("_")[:-1]) <= wanted]
    found = exact or [p for p in scans if _intended_for(p, image)] or related
    if len(found) > 1:
        names = ", ".join(p.name for p in found)
        raise InputError(f"Several M0 images belong to {image.name} ({names})", [GiveImage("m0", "choose one")])
    return found[0] if found else None


def _intended_for(scan: Path, image: Path) -> bool:
    named = read_sidecar(scan, suffix="m0scan").get("IntendedFor", [])
    named = named if isinstance(named, list) else [named]
    named = (composed(str(name)).replace("\\", "/").split("/")[-1] for name in named)
    return composed(image.name) in named


def with_user_values(acquisition: Acquisition, values: Mapping[str, object] | None) -> Acquisition:
    """`acquisition` with the user's values, by field name; `None` changes nothing.

    Raises:
        InputError: a name is no field of `Acquisition`, or a value has a wrong type.
    """
    parsed = {}
    for name, raw in (values or {}).items():
        if name not in _FIELDS:
            raise InputError(f"'{name}' is no acquisition value; use one of {', '.join(_FIELDS)}.")
        if raw is not None:
            parsed[name] = parse_value(name, raw, where="the given values")
    if "suppression_pulses" in parsed:  # their number says whether there are any
        parsed.setdefault("background_suppression", parsed["suppression_pulses"] > 0)
    return acquisition.with_values(Origin.USER, **parsed)


def parse_value(name: str, raw: object, *, where: str) -> object:
    """One raw value as the type of its `Acquisition` field; an `InputError` names the BIDS key and `where`."""
    metadata = _FIELDS[name].metadata
    raw = raw.item() if isinstance(raw, np.ndarray) and raw.ndim == 0 else raw
    return _PARSERS.get(name, _number)(raw, metadata["bids"], metadata["unit"], where)


def reduce_arrays(acquisition: Acquisition, context: Sequence[VolumeType], geometry: Geometry) -> Acquisition:
    """Check per-volume and per-slice arrays against the series, and reduce those with one value to it.

    A delay, label duration or repetition time that is the same for all control, label and deltam volumes becomes that
    one number.

    Lists of one a pair or one a delay are brought to one a volume first (`delay_lists.spread`).

    Raises:
        InputError: an array fits neither the volumes, nor the slices.
    """
    axis = "ijk".index((acquisition.slice_encoding_direction or "k")[0])
    timing = acquisition.slice_timing
    if timing is not None and len(timing) != geometry.size[axis]:
        raise InputError(
            f"SliceTiming holds {len(timing)} times but the series has {geometry.size[axis]} slices; "
            "give one time a slice."
        )
    for name in _A_VOLUME:
        value = getattr(acquisition, name)
        if not isinstance(value, tuple):
            continue
        if name in LISTS:
            value = spread(name, value, context, acquisition.delay_order)
            acquisition = acquisition.with_values(acquisition.origins[name], **{name: value})
        if len(value) != len(context):
            what = (
                f"{_FIELDS[name].metadata['bids']} holds {len(value)} values but the series has {len(context)} volumes"
            )
            raise InputError(what, [SetField(name, text="give one number or one a volume")])
        wanted = {round(v, 6) for v, kind in zip(value, context, strict=True) if kind in _PERFUSION}
        if len(wanted) == 1:
            acquisition = acquisition.with_values(acquisition.origins[name], **{name: wanted.pop()})
    return acquisition


def _number(raw: object, key: str, unit: str, where: str) -> float:
    if isinstance(raw, (list, tuple)) and len(raw) == 1:
        raw = raw[0]
    if isinstance(raw, (bool, np.bool_)) or not isinstance(raw, (int, float, np.integer, np.floating)):
        raise InputError(f"{key} in {where} is {raw!r}; write it as a plain number{f' in {unit}' if unit else ''}.")
    try:
        value = float(raw)
    except OverflowError:  # a whole number of more than 308 digits
        value = math.inf
    if not math.isfinite(value):
        field = next((name for name, f in _FIELDS.items() if f.metadata["bids"] == key), "")
        raise InputError(f"{key} in {where} is not a finite number", [SetField(field, text="correct it")])
    return value


def _numbers(raw: object, key: str, unit: str, where: str) -> float | tuple[float, ...]:
    if isinstance(raw, (list, tuple, np.ndarray)) and len(raw) != 1:
        if not len(raw):
            raise InputError(f"{key} in {where} is an empty list; give its values or leave it out.")
        return tuple(_number(value, key, unit, where) for value in raw)
    return _number(raw, key, unit, where)


def _array(raw: object, key: str, unit: str, where: str) -> tuple[float, ...]:
    if not isinstance(raw, (list, tuple, np.ndarray)):
        raise InputError(f"{key} in {where} is {raw!r}; write it as a list of numbers{f' in {unit}' if unit else ''}.")
    return tuple(_number(value, key, unit, where) for value in raw)


def _first(raw: object, key: str, unit: str, where: str) -> float:
    """BolusCutOffDelayTime: with Q2TIPS start and end of the saturation train, of which the start is TI1."""
    return float(np.atleast_1d(_numbers(raw, key, unit, where))[0])


def _integer(raw: object, key: str, unit: str, where: str) -> int:
    value = _number(raw, key, unit, where)
    if value != int(value):
        raise InputError(f"{key} in {where} is {value:g}; write a whole number.")
    return int(value)


def _boolean(raw: object, key: str, unit: str, where: str) -> bool:
    if isinstance(raw, (bool, np.bool_)):
        return bool(raw)
    raise InputError(f"{key} in {where} is {raw!r}; write true or false.")


def _text(raw: object, key: str, unit: str, where: str) -> str:
    if not isinstance(raw, str):
        raise InputError(f"{key} in {where} is {raw!r}; write it as text.")
    return raw.strip()


def _choice(*words: str, to: Callable[[str], object] = str) -> Callable[[object, str, str, str], object]:
    """A parser that takes one of `words` whatever its case."""

    def parse(raw: object, key: str, unit: str, where: str) -> object:
        text = str(getattr(raw, "value", raw)).strip()
        for word in words:
            if text.lower() == word.lower():
                return to(word)
        raise InputError(f"{key} in {where} is {text!r}; write one of {', '.join(words)}.")

    return parse


_PARSERS: dict[str, Callable[[object, str, str, str], object]] = {
    "labeling": _choice(*(kind.value for kind in Labeling), to=Labeling),
    "delay_order": _choice(*(order.value for order in DelayOrder), to=DelayOrder),
    "m0_type": _choice(*(kind.value for kind in M0Type), to=M0Type),
    "readout": _choice("2D", "3D"),
    "slice_encoding_direction": _choice("i", "j", "k", "i-", "j-", "k-"),
    "post_labeling_delay": _numbers,
    "repetition_time": _numbers,
    "label_duration": _numbers,
    "bolus_duration": _first,
    "slice_timing": _array,
    "bolus_cut_off": _boolean,
    "background_suppression": _boolean,
    "look_locker": _boolean,
    "suppression_pulses": _integer,
    "total_pairs": _integer,
    "bolus_technique": _text,
    "time_encoding": _text,
    "manufacturer": _text,
}
