"""Checks of delays and label durations: one of each, or several delays that are fitted together."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import InputError
from ..findings import Finding, FindingKind, unusable_kind
from ..preparing.delays import CONSENSUS_TIME, FEWEST_DELAYS, Delay, delays_of
from ..preparing.pairs import pair_members
from ..quantifying.look_locker import excitation_problem
from ..reading.delay_lists import LISTS
from ..remedies import Advice, ApplyFix, SetField
from ..series import Acquisition, ASLSeries, Labeling, VolumeType
from .value_checks import other_units

_LATE_ENOUGH = 1.0  # s after the label's end, when most of it has arrived in a healthy brain
_SEVERAL_DELAYS = FindingKind(
    "multi-pld",
    "The series has several post-labelling delays",
    "{count} delays, {delays} s, from which CBF and arrival time are fitted together",
    ApplyFix("pld-1.8", "keep the volumes of one delay"),
    severities="note or unusable",
    meaning="Three delays and more are fitted together (note); of two, or where a delay has no whole pair, one has to "
    "be chosen.",
)
_NOT_A_VOLUME = unusable_kind(
    "times-mismatch",
    "{key} does not match the volumes",
    "it holds {stated} values and the series has {volumes} volumes",
    SetField("post_labeling_delay", text="give one number or one a volume"),
    SetField("label_duration", text="give one number or one a volume"),
    SetField("repetition_time", text="give one number or one a volume"),
    SetField("delay_order", "turns", "of one a delay, say whether they go in turns or blocks"),
    meaning="A list of delays, label durations or repetition times is not as long as the series.",
)
_IN_ORDER = _NOT_A_VOLUME.remedies[3:]
_SEVERAL_DURATIONS = unusable_kind(
    "multi-label-duration",
    "The series has several label durations",
    "{durations} s at one delay; the volumes cannot be averaged",
    ApplyFix("label-duration-1.8", "keep the volumes of one duration"),
)
_LOOK_LOCKER = FindingKind(
    "look-locker",
    "The readout is a Look-Locker one",
    "{stated}: each excitation takes some of the label, so that CBF by the formula of one delay comes out too low",
    Advice("read CBF as relative, or give all delays, which are fitted with what the excitations take"),
    SetField("flip_angle", 25.0, "give it in degrees, e.g."),
    severities="warning or note or unusable",
    meaning="Each excitation takes some of the label: of one delay CBF comes out too low (warning). A fit of several "
    "corrects it by the flip angle (note), or cannot where that is missing (unusable).",
)
_ENCODED = unusable_kind(
    "time-encoded",
    "The label is time-encoded (Hadamard)",
    "{stated}: no volume is a control or a label, and a difference of two holds blood of several delays",
    Advice("decode it on the scanner, or with a tool that knows its matrix, and give the decoded differences"),
)
_ODD_TIMES = FindingKind(
    "pld-label-duration-doubtful",
    "The delay or the label duration is doubtful",
    "it is possible but unusual, or both look mixed up",
    Advice("compare both with the scanner's protocol"),
    SetField("post_labeling_delay", text="correct what is wrong"),
    SetField("label_duration", text="correct what is wrong"),
    severities="warning or note",
)


def fitted_delays(series: ASLSeries) -> tuple[Delay, ...]:
    """The delays that are fitted together, ascending; none where fewer than three have a whole pair or difference.

    A delay of 0 of perfusion volumes is one: Siemens' product sequences begin with it. That of an M0 is none.
    """
    if any(_not_a_volume(series)):
        return ()
    try:
        found = delays_of(series)
    except InputError:
        return ()
    return found if len({each.delay for each in found}) >= FEWEST_DELAYS else ()


def judged_delay(series: ASLSeries) -> Delay | None:
    """Of a series of several delays the one by whose formula CBF is judged: nearest to 1.8 s after the label's end.

    None of others, of a Look-Locker readout, whose late delays are short of label, and where it is under 1 s after the
    label's end, when label has yet to arrive.
    """
    if series.acquisition.look_locker:
        return None
    end = (series.acquisition.bolus_duration or 0.0) if series.acquisition.labeling is Labeling.PASL else 0.0
    found = fitted_delays(series)
    nearest = min(found, key=lambda each: abs(each.delay - end - CONSENSUS_TIME), default=None)
    return None if nearest is None or nearest.delay - end < _LATE_ENOUGH else nearest


def usable_delays(series: ASLSeries) -> tuple[float, ...]:
    """The delays (s) at which a whole pair or a difference was acquired, and that the formula of one delay can use."""
    try:
        return tuple(sorted({each.delay for each in delays_of(series) if each.delay > 0}))
    except InputError:
        return ()


def usable_durations(series: ASLSeries) -> tuple[float, ...]:
    """Of a series with a label duration a volume, those (s) with which a whole pair or a difference was acquired."""
    a = series.acquisition
    return tuple(duration for duration in a.label_durations if _whole(series, a.label_duration, duration))


def perfusion_delays(series: ASLSeries) -> tuple[float, ...]:
    """The distinct delays (s) of the volumes that perfusion is taken from, ascending; 0 is one."""
    stated = series.acquisition.post_labeling_delay
    if not isinstance(stated, tuple) or len(stated) != len(series.context):
        return series.acquisition.delays
    return tuple(sorted({round(stated[t], 6) for t in series.indices(*series.perfusion)}))


def delay_findings(series: ASLSeries) -> Iterator[Finding]:
    """Findings about delays, durations and sequences of another formula than that of one delay, in no order."""
    yield from _not_one_delay(series)
    mismatched = tuple(_not_a_volume(series))
    if mismatched:
        yield from mismatched
    elif len(perfusion_delays(series)) > 1:
        yield _several(series)
    else:
        yield from _durations(series)


def _not_a_volume(series: ASLSeries) -> Iterator[Finding]:
    a, volumes = series.acquisition, len(series.context)
    keys = ("PostLabelingDelay", "LabelingDuration", "RepetitionTimePreparation")
    for remedy, key in zip(_NOT_A_VOLUME.remedies, keys, strict=False):
        stated = getattr(a, remedy.field)
        if isinstance(stated, tuple) and len(stated) != volumes:
            orders = _IN_ORDER if remedy.field in LISTS and a.delay_order is None else ()
            yield _NOT_A_VOLUME.finding(remedy, *orders, key=key, stated=len(stated), volumes=volumes)


def _several(series: ASLSeries) -> Finding:
    """Delays that are fitted together, or of which one has to be chosen."""
    nearest = min(usable_delays(series), key=lambda d: abs(d - CONSENSUS_TIME), default=None)
    text = _SEVERAL_DELAYS.remedies[0].text
    one = Advice(text) if nearest is None else ApplyFix(f"pld-{nearest:g}", text)
    delays = sorted({each.delay for each in fitted_delays(series)})
    if not delays:
        listed = ", ".join(f"{d:g}" for d in perfusion_delays(series))
        why = f"{listed} s; CBF and arrival time are fitted to three or more, each with a whole pair or a difference"
        return _SEVERAL_DELAYS.finding(one, severity="unusable", why=why)
    why = _SEVERAL_DELAYS.why.format(count=len(delays), delays=", ".join(f"{d:g}" for d in delays))
    alone = set(series.indices(*series.perfusion)) - {t for pair in pair_members(series) for t in pair}
    if alone:
        why += f"; volume {', '.join(str(t + 1) for t in sorted(alone))} has no partner at its delay and is left out"
    return _SEVERAL_DELAYS.finding(Advice("nothing need be done"), one, why=why)


def _durations(series: ASLSeries) -> Iterator[Finding]:
    a = series.acquisition
    if len(a.label_durations) > 1:
        text = _SEVERAL_DURATIONS.remedies[0].text
        fixes = (ApplyFix(f"label-duration-{d:g}", text) for d in usable_durations(series))
        yield _SEVERAL_DURATIONS.finding(*fixes, durations=", ".join(f"{d:g}" for d in a.label_durations))
        return
    if not any(a.delays) or {"post_labeling_delay", "label_duration", "bolus_duration"} & set(other_units(a)):
        return
    remedies = _ODD_TIMES.remedies
    if a.labeling is Labeling.PASL:
        remedies = (*remedies[:-1], SetField("bolus_duration", text=remedies[-1].text))
    for severity, why in _odd_times(a, a.delays[0]):
        yield _ODD_TIMES.finding(*remedies, severity=severity, why=why)


def _odd_times(a: Acquisition, delay: float) -> Iterator[tuple[str, str]]:
    """What is unusual about the one delay and the label or bolus duration, after how much it matters."""
    duration, bolus = next(iter(a.label_durations), None), a.bolus_duration
    if a.labeling is Labeling.PASL:
        if bolus and bolus >= delay:
            yield "warning", f"the bolus of {bolus:g} s is not shorter than the inversion time of {delay:g} s"
        if not 1.2 <= delay <= 4:
            yield "warning", f"an inversion time of {delay:g} s is unusual, 1.8 to 2.4 s is common"
    elif a.labeling is not None:
        if not 1 <= delay <= 4:
            short = "much label is still in the arteries" if delay < 1 else "little label is left"
            yield "warning", f"a delay of {delay:g} s is unusual, 1.5 to 2.5 s is common, and {short}"
        if duration and not 1 <= duration <= 4:
            yield "warning", f"a label duration of {duration:g} s is unusual, 1.4 to 2 s is common"
        if duration and duration == delay and delay != CONSENSUS_TIME:
            yield "note", f"both are {delay:g} s, which is what a mix-up looks like"


def _whole(series: ASLSeries, stated: object, value: float) -> bool:
    """Whether a pair or a difference was acquired with one of the values that are stated volume by volume."""
    if not isinstance(stated, tuple) or len(stated) != len(series.context):
        return False
    kinds = {kind for kind, v in zip(series.context, stated, strict=True) if abs(v - value) < 1e-6}
    return {VolumeType.CONTROL, VolumeType.LABEL} <= kinds or VolumeType.DELTAM in kinds


def _look_locker(series: ASLSeries) -> Finding:
    """Of one delay CBF is too low; a fit of several corrects it where the flip angle says by how much."""
    fitted = fitted_delays(series)
    if not fitted:
        return _LOOK_LOCKER.finding(_LOOK_LOCKER.remedies[0], stated="LookLocker is true")
    why, remedies = excitation_problem(
        series.acquisition, [each.delay for each in fitted], [each.duration for each in fitted]
    )
    if why:
        why = f"each excitation takes some of the label, and {why}"
        return _LOOK_LOCKER.finding(*remedies, severity="unusable", why=why)
    angle = series.acquisition.flip_angle
    why = f"what each excitation of {angle:g} degrees takes of the label is corrected in the fit"
    return _LOOK_LOCKER.finding(Advice("nothing need be done"), severity="note", why=why)


def _not_one_delay(series: ASLSeries) -> Iterator[Finding]:
    """Sequences whose volumes no formula of one delay describes."""
    a = series.acquisition
    if a.look_locker:
        yield _look_locker(series)
    if a.time_encoding and VolumeType.DELTAM not in series.perfusion:  # differences have been decoded
        yield _ENCODED.finding(stated=f"it is stated as '{a.time_encoding}'")
