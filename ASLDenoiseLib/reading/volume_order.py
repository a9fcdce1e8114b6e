"""What the volumes of a series look like where nothing states it: a proposal for people, never taken by itself.

An M0 is not background-suppressed and fully relaxed, so it is brighter than controls and labels. A control is brighter
than its label in the brain, for labelled blood carries less signal (Alsop et al. 2015, Magn Reson Med 73:102). A
difference has both signs, a magnitude image has not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..remedies import SetField
from ..series import VolumeType

_BRIGHTER = 1.2  # times the rest: relaxation during a usual repetition time explains less
_NEGATIVE = 0.05  # of all signal, negative: more is no magnitude image
_CLEAR = 4.0  # standard errors; 3 pairs or more
_CLEAR_STEP = 8.0  # likewise; slow changes of a signal are no independent noise
_HEAD = 0.3  # of the brightest of the median image: what is above is head
_SHORT = 6  # words of a pattern
_SAME_LEVEL = 0.8  # of a control, a label; less, and the two are images of different kinds


@dataclass(frozen=True)
class OrderProposal:
    """What the volumes look like.

    Args:
        patterns: as ``--context`` takes them, the likeliest first; two where images alone do not decide.
        why: what was seen, in one phrase.
    """

    patterns: tuple[str, ...]
    why: str

    @property
    def clear(self) -> bool:
        """Whether the images decide between the patterns."""
        return len(self.patterns) == 1


class OrderNotStated(InputError):
    """Nothing states what the volumes of a series are."""


class UnknownOrder(OrderNotStated):
    """Nothing states what the volumes of a series are; the sentence says what they look like.

    Args:
        what: that it is not known.
        array: (T, K, J, I), the series.
    """

    def __init__(self, what: str, array: np.ndarray) -> None:
        proposal = propose_order(array)
        if proposal is None:
            orders, text = ("control,label", "label,control"), "give their order"
        elif proposal.clear:
            orders, text = _with_reverse(proposal.patterns[0]), "check this and give their order"
            what += f", but the images look like {proposal.patterns[0]} ({proposal.why})"
        else:
            orders, text = proposal.patterns, "give their order"
            what += f", and the images look like {' or '.join(proposal.patterns)} ({proposal.why})"
        super().__init__(what, [SetField("context", order, text) for order in orders])


def _with_reverse(pattern: str) -> tuple[str, ...]:
    """A pattern, and after it, where it is short, the same with control and label exchanged."""
    names = {"control": "label", "label": "control"}
    words = pattern.split(",")
    swapped = ",".join(names.get(word, word) for word in words)
    return (pattern, swapped) if swapped != pattern and len(words) <= _SHORT else (pattern,)


def propose_order(array: np.ndarray) -> OrderProposal | None:
    """What the volumes of a series look like; None where they do not say.

    Args:
        array: (T, K, J, I), scanner units; NaN and infinity count as zero.
    """
    if len(array) == 1:
        return OrderProposal(("cbf", "deltam"), "a single image, which is a CBF map or a perfusion difference")
    array = np.nan_to_num(array, nan=0.0, posinf=0.0, neginf=0.0)
    signed = _negative_share(array) > _NEGATIVE
    if signed.sum() > len(array) / 2:
        return _differences(array, signed)
    head = _head(np.median(array, axis=0))
    if not head.any():
        return None
    levels = array[:, head].mean(axis=1, dtype=np.float64)
    if len(array) == 2:
        return _two_volumes(levels)
    bright = levels > _BRIGHTER * np.median(levels)
    seen = [_brightness(levels, bright)] if bright.any() else []
    rest = np.flatnonzero(~bright)
    if len(rest) == 1:
        return _proposal([_words(len(array), bright, {int(rest[0]): "deltam"})], seen)
    extra = _odd_one(levels, rest)
    if extra is not None:
        rest = rest[rest != extra]
        if extra == 0 and levels[0] > levels[rest].max():  # unsuppressed: an M0 is brighter by its relaxation alone
            bright[0] = True
            seen.append("volume 1 has no partner and is the brightest")
        else:
            seen.append(f"volume {extra + 1} has no partner and fits the others least")
    step, error = _pair_difference(levels[rest])
    unclear = not error >= 0 or abs(step) <= _CLEAR * error
    jump, doubt = _half_difference(levels[rest])
    if unclear and doubt >= 0 and abs(jump) > _CLEAR_STEP * doubt:
        half, percent = len(rest) // 2, 100 * abs(jump) / float(np.mean(levels[rest]))
        kinds = ("control", "label") if jump > 0 else ("label", "control")
        seen.append(f"the {'first' if jump > 0 else 'second'} half of them is brighter by {percent:.2g} %, with a step")
        return _proposal([_words(len(array), bright, {int(i): kinds[n >= half] for n, i in enumerate(rest)})], seen)
    if unclear:
        seen.append("controls and labels cannot be told apart by their brightness")
        first = ("control", "label") if step >= 0 else ("label", "control")
        orders = [first, first[::-1]]
    else:
        orders = [("control", "label") if step > 0 else ("label", "control")]
        which, percent = "first" if step > 0 else "second", 100 * abs(step) / float(np.mean(levels[rest]))
        certainty = "without exception" if error == 0 else f"{abs(step) / error:.0f} standard errors"
        seen.append(f"the {which} of each pair is brighter by {percent:.2g} %, {certainty}")
    named = [{int(i): order[n % 2] for n, i in enumerate(rest)} for order in orders]
    return _proposal([_words(len(array), bright, names) for names in named], seen)


def _negative_share(array: np.ndarray) -> np.ndarray:
    """Of each volume, the negative part of the sum of magnitudes."""
    total = np.abs(array).sum(axis=(1, 2, 3), dtype=np.float64)
    negative = -np.minimum(array, 0).sum(axis=(1, 2, 3), dtype=np.float64)
    return negative / np.maximum(total, np.finfo(float).tiny)


def _head(image: np.ndarray) -> np.ndarray:
    return image > _HEAD * np.percentile(image, 98)


def _differences(array: np.ndarray, signed: np.ndarray) -> OrderProposal:
    """Differences, with an M0 among them where an unsigned volume is brighter than they are."""
    levels = np.abs(array).mean(axis=(1, 2, 3), dtype=np.float64)
    bright = ~signed & (levels > _BRIGHTER * np.median(levels[signed]))
    names = {int(i): "deltam" for i in np.flatnonzero(~bright)}
    share = np.median(_negative_share(array[signed]))
    seen = [f"{share:.0%} of the signal is negative, as in differences of control and label"]
    if bright.any():
        seen.append(f"{_listed(np.flatnonzero(bright))} has one sign and is brighter")
    return _proposal([_words(len(array), bright, names)], seen)


def _two_volumes(levels: np.ndarray) -> OrderProposal:
    dim, bright = sorted(levels)
    if dim >= _SAME_LEVEL * bright:
        both = ("control,label", "label,control") if levels[0] >= levels[1] else ("label,control", "control,label")
        return OrderProposal(both, "both volumes are about as bright, and one pair has no standard error")
    both = ("m0scan,deltam", "deltam,m0scan")
    both = both if levels[0] > levels[1] else both[::-1]
    return OrderProposal(both, f"one volume is {bright / max(dim, 1e-12):.1f} times as bright as the other")


def _brightness(levels: np.ndarray, bright: np.ndarray) -> str:
    times = float(levels[bright].mean() / np.median(levels[~bright])) if (~bright).any() else float("nan")
    return f"{_listed(np.flatnonzero(bright))} is {times:.1f} times as bright as the rest"


def _listed(indices: np.ndarray) -> str:
    return f"volume {', '.join(str(i + 1) for i in indices)}"


def _odd_one(levels: np.ndarray, rest: np.ndarray) -> int | None:
    """Of an odd number, the first or the last, whichever lies further from the others of its turn; else None."""
    if len(rest) % 2 == 0:
        return None
    off = {}
    for place, others in ((0, levels[rest[2::2]]), (len(rest) - 1, levels[rest[:-2:2]])):
        off[place] = abs(levels[rest[place]] - np.median(others))
    return int(rest[max(off, key=off.get)])


def _pair_difference(levels: np.ndarray) -> tuple[float, float]:
    """First minus second of a pair, mean and standard error over pairs, a steady drift taken out; NaN error below 3.

    Pairs of neighbours (1, 2), (3, 4) ... and (2, 3), (4, 5) ... see a drift with opposite signs. One pair far from the
    others (motion, say) counts as if it were five of their spreads away.
    """
    pairs = levels.reshape(-1, 2)
    within, between = pairs[:, 0] - pairs[:, 1], pairs[1:, 0] - pairs[:-1, 1]
    if len(within) < 3:
        return float(np.mean(within)), float("nan")
    within, between = _limited(within), _limited(between)
    step = (within.mean() + between.mean()) / 2
    spread = max(within.std(ddof=1), between.std(ddof=1))  # of several delays neighbours differ more than pairs do
    return float(step), float(spread / np.sqrt(len(within)))


def _half_difference(levels: np.ndarray) -> tuple[float, float]:
    """First half minus second half, a steady drift taken out, and its standard error; NaN error below 8 volumes."""
    if len(levels) < 8:
        return 0.0, float("nan")
    time = np.arange(len(levels)) - (len(levels) - 1) / 2
    first = np.where(time < 0, 0.5, -0.5)
    model = np.stack([np.ones_like(time), time, first], axis=1)
    fitted, _, _, _ = np.linalg.lstsq(model, levels, rcond=None)
    rest = levels - model @ fitted
    variance = float(rest @ rest) / (len(levels) - model.shape[1])
    return float(fitted[2]), float(np.sqrt(variance * np.linalg.inv(model.T @ model)[2, 2]))


def _limited(values: np.ndarray) -> np.ndarray:
    middle = np.median(values)
    spread = 5 * 1.4826 * np.median(np.abs(values - middle))
    return np.clip(values, middle - spread, middle + spread) if spread > 0 else values


def _words(volumes: int, bright: np.ndarray, names: dict[int, str]) -> str:
    """The pattern: leading M0 and n/a once and one cycle where that says it all, else a word a volume."""
    left_out = VolumeType.NOT_AVAILABLE.value
    words = [VolumeType.M0SCAN.value if bright[i] else names.get(i, left_out) for i in range(volumes)]
    start = next((i for i, word in enumerate(words) if word in ("control", "label", "deltam")), volumes)
    rest = words[start:]
    for length in (1, 2):
        if rest == (rest[:length] * len(rest))[: len(rest)] and len(rest) % length == 0:
            return ",".join(words[:start] + rest[:length])
    return ",".join(words)


def _proposal(patterns: list[str], seen: list[str]) -> OrderProposal:
    return OrderProposal(tuple(dict.fromkeys(patterns)), "; ".join(seen))
