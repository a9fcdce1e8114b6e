"""Field cases of the acquisition: units, delays, durations, efficiency, and what a shell can state."""

from __future__ import annotations

from dataclasses import replace

from .field_phantom import MadeScan, Protocol, made
from .field_rules import FieldCase, Named, Refused, Right, as_it_is, scan

_DEFAULT = Protocol()
_NONE = replace(_DEFAULT, pulses=0, m0="control")
_PULSED = replace(_DEFAULT, labeling="PASL", delay=1.8, duration=0.7)
_DOUBTFUL = "pld-label-duration-doubtful"
_SEVERAL_DELAYS = (0.7, 1.0, 1.3, 1.6, 2.0, 2.5, 3.0)
_SEVERAL_DURATIONS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.9, 1.1)


def _relaxing(field: float) -> MadeScan:
    return made(replace(_DEFAULT, field=field, m0_time=2.0))


def _silent_on_suppression(protocol: Protocol) -> MadeScan:
    keys = {"BackgroundSuppression": None, "BackgroundSuppressionNumberPulses": None}
    return scan(protocol, **keys, **({"M0Type": None} if protocol.m0 == "control" else {}))


def _durations_by_volume() -> MadeScan:
    """GE eASL: differences of seven delays, each with a label duration of its own, and an M0."""
    import numpy as np

    parts = [
        made(Protocol(delay=d, duration=t, pulses=4, vendor="GE", content="deltam", pairs=2))
        for d, t in zip(_SEVERAL_DELAYS, _SEVERAL_DURATIONS, strict=True)
    ]
    whole = parts[0]
    whole.volumes = np.stack([part.volumes[..., 0] for part in parts] + [whole.m0], axis=-1)
    whole.words, whole.m0 = ["deltam"] * len(parts) + ["m0scan"], None
    whole.keys |= {
        "M0Type": "Included",
        "PostLabelingDelay": [*_SEVERAL_DELAYS, 0],
        "LabelingDuration": [*_SEVERAL_DURATIONS, 0],
    }
    return whole


_RATE = "ExploreASL and pyasl write T1 in ms (ExploreASL 35)"
_CONVERTER = "dcm2niix 957, ExploreASL 1516, 1214"

CASES = (
    FieldCase(
        "blood-t1-option-in-ms",
        _RATE,
        as_it_is(made, "--t1-blood", "1650"),
        (Right(), Refused(("milliseconds",)), Refused(("T1 of blood",))),
    ),
    FieldCase(
        "blood-t1-sidecar-in-ms",
        _RATE,
        as_it_is(lambda: scan(BloodT1=1650)),
        (Right(), Refused(("BloodT1", "milliseconds"))),
    ),
    FieldCase(
        "tissue-t1-sidecar-in-ms",
        _RATE,
        as_it_is(lambda: scan(replace(_DEFAULT, m0_time=2.0), TissueT1=1607)),
        (Right(), Refused(("TissueT1", "milliseconds"))),
    ),
    FieldCase(
        "milliseconds-fixed",
        _RATE,
        as_it_is(lambda: scan(BloodT1=1650), "--fix", "milliseconds"),
        (Right(),),
    ),
    FieldCase(
        "field-in-gauss",
        "BIDS MagneticFieldStrength is in tesla; converters write gauss",
        as_it_is(lambda: scan(MagneticFieldStrength=30000)),
        (Right(), Refused(("MagneticFieldStrength",))),
    ),
    FieldCase(
        "field-zero", "as above", as_it_is(made, "--field-strength", "0"), (Refused(("field",)), Refused(("Field",)))
    ),
    FieldCase("blood-t1-zero", "as above", as_it_is(made, "--t1-blood", "0"), (Refused(("blood",)),)),
    FieldCase("tissue-t1-at-1.5-t", "ASLPrep 290", as_it_is(lambda: _relaxing(1.5)), (Right(),)),
    FieldCase("tissue-t1-at-3-t", "ASLPrep 290", as_it_is(lambda: _relaxing(3.0)), (Right(),)),
    FieldCase("tissue-t1-at-7-t", "ASLPrep 290", as_it_is(lambda: _relaxing(7.0)), (Right(),)),
    FieldCase(
        "suppression-by-option",
        "ExploreASL 1026, 1852; ASLPrep 238",
        as_it_is(lambda: _silent_on_suppression(_DEFAULT), "--suppression-pulses", "2"),
        (Right(),),
        unsaid=("not stated whether the background",),
    ),
    FieldCase(
        "suppression-in-efficiency",
        "ExploreASL 437; ASLPrep 229",
        as_it_is(lambda: _silent_on_suppression(_DEFAULT), "--efficiency", "0.767125"),
        (Right(),),
        unsaid=("which is not corrected for",),
    ),
    FieldCase(
        "no-suppression-by-option",
        "ASLPrep 335",
        as_it_is(lambda: _silent_on_suppression(_NONE), "--suppression-pulses", "0"),
        (Right(),),
    ),
    FieldCase(
        "look-locker",
        "ExploreASL's Philips Look-Locker flavours",
        as_it_is(lambda: scan(LookLocker=True, FlipAngle=30)),
        (Named("look-locker"), Refused(("Look-Locker",))),
    ),
    FieldCase(
        "label-duration-by-volume",
        _CONVERTER,
        as_it_is(_durations_by_volume),
        (Right(),),
    ),
    FieldCase(
        "label-duration-by-volume-fixed",
        _CONVERTER,
        as_it_is(_durations_by_volume, "--fix", "pld-2"),
        (Right(),),
    ),
    FieldCase(
        "label-duration-by-volume-option",
        _CONVERTER,
        as_it_is(
            _durations_by_volume,
            *("--label-duration", "0.7", "--pld", "2.0", "--context", "n/a,n/a,n/a,n/a,deltam,n/a,n/a,m0scan"),
        ),
        (Right(),),
    ),
    FieldCase(
        "delay-holds-the-duration",
        "dcm2niix 748: PostLabelDelay 0.8 s is the label duration, the delay is 2 s",
        as_it_is(lambda: scan(replace(_DEFAULT, delay=2.0, duration=0.8), PostLabelingDelay=0.8, LabelingDuration=0.8)),
        (Named(_DOUBTFUL),),
    ),
    FieldCase(
        "converter-names-for-times",
        "dcm2niix 748, ExploreASL 1130: InitialPostLabelDelay for PostLabelingDelay",
        as_it_is(lambda: scan(PostLabelingDelay=None, InitialPostLabelDelay=1.8)),
        (Right(), Refused(("delay is not stated",))),
    ),
    FieldCase(
        "times-in-microseconds",
        "ExploreASL 1130: Phoenix protocol of Siemens XA30, 1800000",
        as_it_is(lambda: scan(PostLabelingDelay=1800000, LabelingDuration=1800000)),
        (Right(), Refused(("PostLabelingDelay",))),
        unsaid=("give it in seconds, 1800,",),
    ),
    FieldCase(
        "delay-list-of-64",
        "ExploreASL 1130: 64 delays for fewer volumes",
        as_it_is(lambda: scan(PostLabelingDelay=[1.8] * 64)),
        (Right(), Refused(("64", "PostLabelingDelay"))),
    ),
    FieldCase(
        "delay-zero-for-m0-volumes",
        "ExploreASL 2091; BIDS: 0 s for m0scan volumes",
        as_it_is(
            lambda: scan(
                replace(_DEFAULT, m0="included"),
                PostLabelingDelay=[0.0, *[1.8] * 12],
                LabelingDuration=[0.0, *[1.8] * 12],
            )
        ),
        (Right(),),
    ),
    FieldCase(
        "pulsed-without-cut-off",
        "ExploreASL 794, ASLPrep 235",
        as_it_is(lambda: scan(_PULSED, BolusCutOffFlag=False)),
        (Named("bolus-not-cut-off"), Refused(("cut off",))),
    ),
    FieldCase(
        "pulsed-q2tips",
        "ASLPrep 235: BolusCutOffDelayTime is start and end of the saturation",
        as_it_is(lambda: scan(_PULSED, BolusCutOffTechnique="Q2TIPS", BolusCutOffDelayTime=[0.7, 1.6])),
        (Right(),),
    ),
    FieldCase(
        "pulsed-with-duration-zero",
        "BIDS legacy-validator 975: LabelingDuration 0 of PASL",
        as_it_is(lambda: scan(_PULSED, LabelingDuration=0)),
        (Right(),),
    ),
    FieldCase(
        "stated-efficiency",
        "ASLPrep 229, ExploreASL 437: LabelingEfficiency was not used",
        as_it_is(lambda: scan(LabelingEfficiency=0.767125, BackgroundSuppressionNumberPulses=None)),
        (Right(),),
    ),
    FieldCase(
        "slices-at-later-delays",
        "ASLPrep 189, 267",
        as_it_is(lambda: made(replace(_DEFAULT, readout="2D"))),
        (Right(),),
    ),
    FieldCase(
        "slices-without-times",
        "ASLPrep 189",
        as_it_is(lambda: scan(replace(_DEFAULT, readout="2D"), SliceTiming=None)),
        (Named("slice-timing-missing"), Refused(("slice timing",))),
    ),
    FieldCase(
        "slice-times-in-ms",
        "ASLPrep 189; dcm2niix writes seconds, older converters ms",
        as_it_is(lambda: scan(replace(_DEFAULT, readout="2D"), SliceTiming=[45.0 * k for k in range(18)])),
        (Right(), Refused(("SliceTiming", "milliseconds"))),
    ),
)
