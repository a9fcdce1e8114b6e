"""How well a figure repeats: sessions of a participant against participants, and two measurements against each other.

One-way analysis of variance with the participant as random effect: sessions are exchangeable, and a difference between
them, a drift say, counts as error (Shrout & Fleiss 1979, Psychol Bull 86:420; Bland & Altman 1996, BMJ 312:1654).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..measuring.agreement import Agreement, bland_altman
from ..measuring.image_quality import ccc

if TYPE_CHECKING:
    import pandas as pd

_NAN = float("nan")
_CONFIDENCE = 0.95
ICC_FORM = "ICC(1,1), one-way random effects"  # Shrout & Fleiss' first case, of a single session


@dataclass(frozen=True)
class Repeatability:
    """A figure over sessions of participants, those with two sessions or more.

    Args:
        participants, scans: how many.
        mean: over participants.
        within: SD of sessions of one participant, from the mean square within; `within_cv` of the mean, %.
        between: SD of participants' true values: the mean square between less what the sessions put into it; 0 where
            sessions differ by more than participants. `between_cv` of the mean, %.
        icc: `ICC_FORM`; negative where sessions differ by more than participants. `icc_interval`: 95 % (F), NaN where
            the participants have different numbers of sessions.
        coefficient: of repeatability, 1.96 sqrt(2) `within`: two sessions of a participant differ by less in 95 of 100.
    """

    participants: int
    scans: int
    mean: float = _NAN
    within: float = _NAN
    within_cv: float = _NAN
    between: float = _NAN
    between_cv: float = _NAN
    icc: float = _NAN
    icc_interval: tuple[float, float] = (_NAN, _NAN)
    coefficient: float = _NAN


@dataclass(frozen=True, eq=False)
class Concordance:
    """Two measurements of the same: Bland and Altman's figures, and Lin's concordance.

    Args:
        labels: of what was measured twice, in the order of `agreement.mean`.
        agreement: second minus first.
        ccc: -1..1; NaN of fewer than two.
    """

    labels: tuple[str, ...]
    agreement: Agreement
    ccc: float


def repeatability(participants: Sequence[Hashable], values: Sequence[float]) -> Repeatability:
    """How a figure repeats over the sessions of participants.

    Args:
        participants: (n,) whose each value is.
        values: (n,); those that are not finite are left out, and participants with a single one.
    """
    groups: dict[Hashable, list[float]] = {}
    for whose, value in zip(participants, values, strict=True):
        if math.isfinite(value):
            groups.setdefault(whose, []).append(float(value))
    sets = [np.array(group) for group in groups.values() if len(group) > 1]
    people, count = len(sets), sum(map(len, sets))
    if people < 2:
        return Repeatability(people, count)
    sizes, means = np.array([len(s) for s in sets]), np.array([s.mean() for s in sets])
    grand = float(np.concatenate(sets).mean())
    ms_within = sum(float(((s - s.mean()) ** 2).sum()) for s in sets) / (count - people)
    ms_between = float((sizes * (means - grand) ** 2).sum()) / (people - 1)
    each = float((count - (sizes**2).sum() / count) / (people - 1))  # sessions a participant, where all have as many
    within, between = math.sqrt(ms_within), math.sqrt(max(0.0, (ms_between - ms_within) / each))
    total, mean = ms_between + (each - 1) * ms_within, float(means.mean())
    return Repeatability(
        people,
        count,
        mean,
        within,
        _percent(within, mean),
        between,
        _percent(between, mean),
        (ms_between - ms_within) / total if total > 0 else _NAN,
        _icc_interval(ms_between, ms_within, people, int(sizes[0])) if np.ptp(sizes) == 0 else (_NAN, _NAN),
        1.96 * math.sqrt(2) * within,
    )


def _percent(part: float, whole: float) -> float:
    return 100 * part / abs(whole) if whole else _NAN


def _icc_interval(ms_between: float, ms_within: float, people: int, each: int) -> tuple[float, float]:
    """Of `ICC_FORM` by the F distribution (Shrout & Fleiss 1979)."""
    from scipy import stats

    if not ms_within > 0:
        return _NAN, _NAN
    ratio, above, below, at = ms_between / ms_within, people - 1, people * (each - 1), (1 + _CONFIDENCE) / 2
    low, high = ratio / stats.f.ppf(at, above, below), ratio * stats.f.ppf(at, below, above)
    return tuple(float((f - 1) / (f + each - 1)) for f in (low, high))


def repeats(table: pd.DataFrame, column: str) -> Repeatability:
    """How a column of a table with a row a scan repeats over the sessions of its participants."""
    return repeatability(table["participant"].tolist(), table[column].to_numpy(np.float64))


def concordance(labels: Sequence[str], first: Sequence[float], second: Sequence[float]) -> Concordance:
    """How two measurements agree; what either lacks is left out."""
    before, after = (np.asarray(values, np.float64) for values in (first, second))
    known = np.isfinite(before) & np.isfinite(after)
    kept = tuple(label for label, there in zip(labels, known.tolist(), strict=True) if there)
    return Concordance(kept, bland_altman(before, after), ccc(after, before, np.ones(before.shape)))


def raw_and_processed(table: pd.DataFrame, readout: str) -> Concordance:
    """Processed against raw of a readout, a scan."""
    return concordance(table["scan"].tolist(), table[f"raw_{readout}"], table[f"processed_{readout}"])


def first_sessions(labels: Iterable[str]) -> tuple[str, str] | None:
    """The first two labels of sessions, by their order in the alphabet; None of a study of one."""
    sessions = sorted(set(labels) - {""})
    return (sessions[0], sessions[1]) if len(sessions) > 1 else None


def session_and_session(table: pd.DataFrame, column: str) -> Concordance | None:
    """The second session against the first, a participant; None of a study of one session.

    A participant with several scans of a session counts with their mean.
    """
    sessions = first_sessions(table["session"])
    if sessions is None:
        return None
    means = table.groupby(["participant", "session"])[column].mean().unstack("session")
    one, two = (means[session] for session in sessions)
    return concordance(tuple(means.index), one.to_numpy(np.float64), two.to_numpy(np.float64))
