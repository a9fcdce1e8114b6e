"""Bends of the sidecar: keys removed, mixed up, in another unit, of a wrong type or length."""

from __future__ import annotations

import numpy as np

from Testing.Benchmarks.library.field_phantom import MadeScan
from Testing.Python.fuzz_bends import MAGNITUDE, SCALE, Bend, Random, need, pick

_DOUBTFUL = "pld-label-duration-doubtful"
_UNUSUAL = "unusual-value"
# What may be said where a key is absent or unusable, beside a refusal.
_MISSING = {
    "ArterialSpinLabelingType": ("missing-labeling",),
    "PostLabelingDelay": ("missing-pld", _DOUBTFUL),
    "LabelingDuration": ("missing-label-duration", _DOUBTFUL),
    "BolusCutOffDelayTime": ("missing-bolus-duration", _DOUBTFUL),
    "BolusCutOffFlag": ("bolus-not-cut-off",),
    "BolusCutOffTechnique": (),
    "MagneticFieldStrength": ("field-strength-unknown",),
    "MRAcquisitionType": ("readout-unknown",),
    "SliceTiming": ("slice-timing-missing",),
    "BackgroundSuppression": ("background-suppression-unknown",),
    "BackgroundSuppressionNumberPulses": ("background-suppression-unknown",),
    "M0Type": ("m0-absent",),
    "M0Estimate": ("m0-absent",),
    "RepetitionTimePreparation": ("m0-tr-missing",),
    "Manufacturer": (),
}
_TIMES = ("PostLabelingDelay", "LabelingDuration", "BolusCutOffDelayTime")
_NUMBERS = (*_TIMES, "MagneticFieldStrength", "RepetitionTimePreparation", "BackgroundSuppressionNumberPulses")


def _removed(key: str) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        need(key in scan.keys)
        del scan.keys[key]
        return f"{key} removed"

    return Bend(f"{key} removed", "sidecar", apply, _MISSING[key])


def _several_removed(scan: MadeScan, random: Random) -> str:
    keys = [str(key) for key in random.permutation(sorted(scan.keys))[: int(random.integers(2, 6))]]
    need(keys)
    for key in keys:
        del scan.keys[key]
    return f"{', '.join(keys)} removed"


def _everything_removed(scan: MadeScan, random: Random) -> str:
    need(scan.words[-1] != "cbf")
    scan.keys.clear()
    return "every key removed"


def _m0_time_removed(scan: MadeScan, random: Random) -> str:
    need(scan.m0 is not None)
    scan.m0_keys.clear()
    return "the sidecar of the M0 is empty"


def _scaled(key: str, factors: tuple[float, ...], named: tuple[str, ...], *, what: str) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        need(scan.keys.get(key) is not None)
        factor = pick(random, factors)
        value = scan.keys[key]
        need(not isinstance(value, bool) and (isinstance(value, (int, float, list))))
        many = isinstance(value, list)
        scan.keys[key] = [v * factor for v in value] if many else value * factor
        return f"{key} times {factor:g}"

    return Bend(f"{key} {what}", "value", apply, named)


def _swapped(scan: MadeScan, random: Random) -> str:
    """Delay and duration exchanged, where that can be told: as it is for PASL, or with a short label."""
    duration = "BolusCutOffDelayTime" if "BolusCutOffDelayTime" in scan.keys else "LabelingDuration"
    need(all(isinstance(scan.keys.get(key), (int, float)) for key in (duration, "PostLabelingDelay")))
    need(scan.keys[duration] < 1)
    scan.keys[duration], scan.keys["PostLabelingDelay"] = scan.keys["PostLabelingDelay"], scan.keys[duration]
    return f"PostLabelingDelay and {duration} exchanged"


def _duration_holds_delay(scan: MadeScan, random: Random) -> str:
    need("LabelingDuration" in scan.keys and scan.keys.get("PostLabelingDelay") not in (None, 1.8))
    scan.keys["LabelingDuration"] = scan.keys["PostLabelingDelay"]
    return "LabelingDuration holds the delay"


def _m0_time(name: str, factor: float, named: tuple[str, ...]) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        keys = scan.m0_keys if scan.m0 is not None else scan.keys
        need(isinstance(keys.get("RepetitionTimePreparation"), (int, float)))
        keys["RepetitionTimePreparation"] *= factor
        return f"RepetitionTimePreparation of the M0 times {factor:g}"

    return Bend(name, "value", apply, named)


def _odd_value(key: str, value: object) -> object:
    """Values that people and converters write for one."""
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return {
        "text": str(value),
        "text with unit": f"{value} s" if plain else f" {value} ",
        "list of one": [value],
        "nested list": [[value]],
        "object": {"value": value},
        "null": None,
        "true": True,
        "false": False,
        "empty text": "",
        "empty list": [],
        "n/a": "n/a",
        "NaN": float("nan"),
        "infinite": float("inf"),
        "negative": -value if plain else -1,
        "zero": 0,
        "huge": 1e30,
    }


def _typed(name: str) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        key = str(pick(random, sorted(set(_MISSING) & set(scan.keys))))
        scan.keys[key] = _odd_value(key, scan.keys[key])[name]
        return f"{key} = {scan.keys[key]!r}"

    codes = tuple(dict.fromkeys(code for codes in _MISSING.values() for code in codes))
    return Bend(f"a value as {name}", "type", apply, (*codes, *SCALE, _UNUSUAL, "slice-timing-doubtful"))


def _length(key: str) -> Bend:
    def apply(scan: MadeScan, random: Random) -> str:
        need(key in scan.keys)
        count = scan.volumes.shape[2] if key == "SliceTiming" else scan.volumes.shape[-1]
        wrong = int(pick(random, (1, 2, count - 1, count + 1, 2 * count)))
        need(wrong != count and wrong > 1)
        value = scan.keys[key]
        scan.keys[key] = list(np.linspace(0, 0.8, wrong)) if key == "SliceTiming" else [value] * wrong
        return f"{key} holds {wrong} values for {count}"

    return Bend(f"{key} of a wrong length", "type", apply)


def _m0_zero_in_delays(scan: MadeScan, random: Random) -> str:
    """As BIDS has it: a delay a volume, 0 for the M0."""
    need("m0scan" in scan.words and isinstance(scan.keys.get("PostLabelingDelay"), (int, float)))
    for key in ("PostLabelingDelay", "LabelingDuration"):
        value = scan.keys.get(key)
        if value is not None:
            scan.keys[key] = [0 if word == "m0scan" else value for word in scan.words]
    return "a delay a volume, 0 for the M0"


def _several_delays(scan: MadeScan, random: Random) -> str:
    need(scan.words[-1] != "cbf" and isinstance(scan.keys.get("PostLabelingDelay"), (int, float)))
    step = len(scan.protocol.content.split(","))
    first = scan.words.index(scan.protocol.content.split(",")[0])
    scan.keys["PostLabelingDelay"] = [
        0.0 if i < first else 0.5 + 0.3 * ((i - first) // step) for i in range(len(scan.words))
    ]
    return "a delay a pair"


def _unknown_words(scan: MadeScan, random: Random) -> str:
    key = str(pick(random, sorted({"ArterialSpinLabelingType", "M0Type", "MRAcquisitionType"} & set(scan.keys))))
    scan.keys[key] = str(pick(random, ("pseudo-continuous", "FAIR", "yes", "3D GRASE", "unknown", "Seperate")))
    return f"{key} = {scan.keys[key]}"


def _case_of_words(scan: MadeScan, random: Random) -> str:
    for key in ("ArterialSpinLabelingType", "M0Type", "MRAcquisitionType", "Manufacturer"):
        if isinstance(scan.keys.get(key), str):
            scan.keys[key] = str(pick(random, (scan.keys[key].lower(), scan.keys[key].upper())))
    return "words in another case"


BENDS = (
    *map(_removed, _MISSING),
    Bend("several keys removed", "sidecar", _several_removed, tuple(c for codes in _MISSING.values() for c in codes)),
    Bend("every key removed", "sidecar", _everything_removed),
    Bend("sidecar of the M0 empty", "sidecar", _m0_time_removed, ("m0-tr-missing",)),
    Bend("delay and duration exchanged", "value", _swapped, (_DOUBTFUL,)),
    Bend("LabelingDuration holds the delay", "value", _duration_holds_delay, (_DOUBTFUL,)),
    *(_scaled(key, (1000.0,), ("milliseconds",), what="in ms") for key in _TIMES),
    *(_scaled(key, (10.0, 0.1), (_DOUBTFUL, _UNUSUAL, *MAGNITUDE), what="times 10 or 0.1") for key in _TIMES),
    *(_scaled(key, (0.001,), (_DOUBTFUL, _UNUSUAL, *MAGNITUDE), what="over 1000") for key in _TIMES),
    _scaled("SliceTiming", (1000.0,), ("milliseconds",), what="in ms"),
    _scaled("SliceTiming", (0.001,), ("slice-timing-doubtful",), what="over 1000"),
    _scaled("MagneticFieldStrength", (10000.0, 1000.0), (_UNUSUAL,), what="in gauss or mT"),
    _scaled("MagneticFieldStrength", (0.001, 0.0), (_UNUSUAL,), what="far too small"),
    _scaled("BackgroundSuppressionNumberPulses", (-1.0, 25.0, 0.3), (_UNUSUAL,), what="impossible"),
    _scaled("M0Estimate", (0.01, 32.0, 1000.0), SCALE, what="on another scale"),
    _m0_time("M0 repetition time in ms", 1000.0, ("milliseconds",)),
    _m0_time("M0 repetition time over 1000", 0.001, (_UNUSUAL, *SCALE)),
    _m0_time("M0 repetition time zero", 0.0, ("m0-tr-zero",)),
    *map(_typed, _odd_value("", 0)),
    *map(_length, ("PostLabelingDelay", "LabelingDuration", "SliceTiming", "RepetitionTimePreparation")),
    Bend("delays a volume, 0 for the M0", "value", _m0_zero_in_delays, harmless=True),
    Bend("a delay a pair", "value", _several_delays, ("multi-pld",)),
    Bend("unknown words", "type", _unknown_words),
    Bend("words in another case", "type", _case_of_words, harmless=True),
)
